"""A local LMS server for tests: it answers in the documented forms and records the requests."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

SAVE = "mod_assign_save_grade"
RECORDED = Path(__file__).parent / "recorded"
TOKEN = "7~Secret/Token&Of+A=Teacher"  # with characters that are escaped in addresses, pages and JSON


@dataclass
class Answer:
    status: int = 200
    content: Any = None  # JSON, or text as it stands
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Request:
    method: str
    path: str
    headers: dict[str, str]
    fields: dict[str, str]
    body: bytes


class FakeLms:
    """An LMS server. Each of ``troubles`` answers the first request whose "METHOD path function" matches."""

    def __init__(self, recording: str) -> None:
        self.recorded: dict[str, Any] = json.loads((RECORDED / f"{recording}.json").read_text("utf-8"))
        self.requests: list[Request] = []
        self.troubles: list[tuple[str, Answer]] = []
        self.url = ""

    def answer(self, request: Request) -> Answer:
        self.requests.append(request)
        place = f"{request.method} {request.path} {request.fields.get('wsfunction', '')}"
        for number, (pattern, answer) in enumerate(self.troubles):
            if re.search(pattern, place):
                del self.troubles[number]
                return self.fill_in(answer)
        return self.fill_in(self.respond(request))

    def fill_in(self, answer: Answer) -> Answer:
        text = answer.content if isinstance(answer.content, str) else json.dumps(answer.content)
        escaped = json.dumps(TOKEN)[1:-1]
        return Answer(answer.status, text.replace("{url}", self.url).replace("{token}", escaped), answer.headers)

    def respond(self, request: Request) -> Answer:
        raise NotImplementedError

    def changes(self) -> list[Request]:
        """Return the requests that change a grade."""
        return [
            request for request in self.requests if request.method == "PUT" or request.fields.get("wsfunction") == SAVE
        ]


class Canvas(FakeLms):
    def __init__(self) -> None:
        super().__init__("canvas")
        self.page = 2

    def respond(self, request: Request) -> Answer:
        path, query = urlsplit(request.path).path, parse_qs(urlsplit(request.path).query)
        if path == "/files_api":
            return Answer(201, self.recorded["file_stored"], {"Location": f"{self.url}/api/v1/files/777"})
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return Answer(401, self.recorded["invalid_token"], {"WWW-Authenticate": 'Bearer realm="canvas-lms"'})
        base = "/api/v1/courses/12/assignments/34"
        if path == f"{base}/submissions":
            return self._page(int(query.get("page", ["1"])[0]))
        if found := re.fullmatch(rf"{base}/submissions/(\d+)", path):
            return self._graded(int(found[1]), request.fields)
        names = {base: "assignment", "/api/v1/files/777": "file_stored"}
        name = "file_announced" if path.endswith("/comments/files") else names.get(path, "not_found")
        return Answer(404 if name == "not_found" else 200, self.recorded[name])

    def _page(self, number: int) -> Answer:
        first = (number - 1) * self.page
        rows = self.recorded["submissions"]
        here = f"{self.url}/api/v1/courses/12/assignments/34/submissions"
        links = [f'<{here}?page={number}>; rel="current"', f'<{here}?page=1>; rel="first"']
        if first + self.page < len(rows):
            links.append(f'<{here}?page={number + 1}&per_page={self.page}>; rel="next"')
        return Answer(200, rows[first : first + self.page], {"Link": ",".join(links)})

    def _graded(self, user: int, fields: dict[str, str]) -> Answer:
        row = next(submission for submission in self.recorded["submissions"] if submission["user_id"] == user)
        row["entered_score"] = row["score"] = float(fields["submission[posted_grade]"])
        row["workflow_state"] = "graded"
        return Answer(200, row)


class Moodle(FakeLms):
    def __init__(self) -> None:
        super().__init__("moodle")
        self.grades: dict[str, str] = {"302": "50.00000", "304": "-1.00000"}
        self.deaf = False  # takes a grade without keeping it, as where it is locked in the gradebook

    def respond(self, request: Request) -> Answer:
        if request.fields.get("wstoken", request.fields.get("token")) != TOKEN:
            return Answer(200, self.recorded["invalid_token"])
        if urlsplit(request.path).path == "/moodle/webservice/upload.php":
            return Answer(200, self.recorded["upload"])
        assert urlsplit(request.path).path == "/moodle/webservice/rest/server.php"
        function = request.fields["wsfunction"]
        if function == "mod_assign_get_grades":
            rows = [{"userid": int(user), "grade": grade, "attemptnumber": 0} for user, grade in self.grades.items()]
            found = {"assignments": [{"assignmentid": 6, "grades": rows}], "warnings": []}
            return Answer(200, found if rows else self.recorded["no_grades"])
        if function == "mod_assign_get_submission_status" and request.fields["userid"] not in self.grades:
            return Answer(200, {"warnings": []})
        if function == "mod_assign_save_grade":
            if not self.deaf:
                self.grades[request.fields["userid"]] = f"{float(request.fields['grade']):.5f}"
            return Answer(200, None)
        return Answer(200, self.recorded[function])


@contextmanager
def serving(lms: FakeLms) -> Iterator[FakeLms]:
    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            request = Request(self.command, self.path, dict(self.headers), _fields(body, self.headers), body)
            answer = lms.answer(request)
            if answer.status == 0:  # the line is cut
                self.connection.close()
                return
            content = str(answer.content).encode()
            self.send_response(answer.status)
            for name, value in (answer.headers | {"Content-Length": str(len(content))}).items():
                self.send_header(name, value.replace("{url}", lms.url))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = handle_any  # noqa: N815

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    lms.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield lms
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _fields(body: bytes, headers: Any) -> dict[str, str]:
    kind = headers.get("Content-Type", "")
    if kind.startswith("application/x-www-form-urlencoded"):
        return {name: values[-1] for name, values in parse_qs(body.decode(), keep_blank_values=True).items()}
    if kind.startswith("multipart/form-data"):
        mark = b"--" + kind.partition("boundary=")[2].encode()
        parts = (part.partition(b"\r\n\r\n") for part in body.split(mark) if b"name=" in part)
        return {
            re.search(rb'name="([^"]*)"', head)[1].decode(): content[:-2].decode("utf-8", "replace")  # type: ignore[index]
            for head, _, content in parts
        }
    return {}
