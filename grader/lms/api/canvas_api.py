"""Grades and reports through Canvas's REST API, after its documentation (Assignments, Submissions, File Uploads).

Canvas's client for Python is not used: it has no timeouts, follows redirects, never retries and puts responses into its
errors.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from grader.files.csv_sheet import format_number
from grader.i18n.message import Message, message
from grader.lms.api.connection import Connection
from grader.lms.api.push_plan import Place
from grader.models.errors import PushError

_PAGE = 100
_REPORT = "report.html"


class CanvasAssignment:
    """An assignment in Canvas. ``words`` are the text of the comment that carries the report."""

    system = "canvas"
    takes_more = True

    def __init__(self, connection: Connection, course: int, assignment: int, words: str) -> None:
        self._connection = connection
        self._words = words
        self._url = f"{connection.url}/api/v1/courses/{course}/assignments/{assignment}"
        found = self._mapping(connection.json(connection.get(self._url)))
        if found.get("grading_type") == "not_graded":
            raise PushError(message("{title} is not graded in Canvas.", title=str(found.get("name", ""))))
        self.title = str(found.get("name", ""))
        self.max = float(found.get("points_possible") or 0)
        # The grade of one member counts for the whole group; the comment needs a flag for that.
        self._as_group = bool(found.get("group_category_id")) and not found.get("grade_group_students_individually")

    def places(self) -> Mapping[str, Place]:
        return {
            str(found["user_id"]): _place(found) for found in self._submissions() if found.get("user_id") is not None
        }

    def _submissions(self) -> Iterator[Mapping[str, Any]]:
        url: str | None = f"{self._url}/submissions?per_page={_PAGE}"
        while url:
            response = self._connection.get(url)
            page = self._connection.json(response)
            yield from (self._mapping(entry) for entry in (page if isinstance(page, list) else [page]))
            url = response.links.get("next", {}).get("url")

    def write(self, place: Place, grade: float, report: Path | None) -> Message | None:
        content = {"submission[posted_grade]": format_number(grade, decimal_comma=False)}
        note = None
        if report is not None:
            try:
                content["comment[file_ids][]"] = self._upload(place, report)
                content["comment[text_comment]"] = self._words
                content["comment[group_comment]"] = str(self._as_group).lower()
            except PushError as error:
                note = message("the report was not attached: {reason}", reason=error.message)
        self._connection.change("PUT", f"{self._url}/submissions/{place.id}", data=content)
        return note

    def _upload(self, place: Place, report: Path) -> str:
        """Upload the report in Canvas's three steps (announce, send, confirm) and return the file's id."""
        connection, data = self._connection, report.read_bytes()
        announced = {"name": _REPORT, "size": str(len(data)), "content_type": "text/html"}
        # Announcing a file twice is harmless: nothing changes until it is attached.
        asked = connection.ask(f"{self._url}/submissions/{place.id}/comments/files", data=announced)
        where = self._mapping(connection.json(asked))
        fields = {key: "" if value is None else str(value) for key, value in where.get("upload_params", {}).items()}
        response = connection.upload(str(where.get("upload_url", "")), fields, {"file": (_REPORT, data, "text/html")})
        if response.is_redirect or not response.content.strip():
            response = connection.get(response.headers.get("Location", ""))
        found = self._mapping(connection.json(response))
        if "id" not in found:
            raise PushError(message("{host} returned no id for the file.", host=connection.host))
        return str(found["id"])

    def _mapping(self, found: Any) -> Mapping[str, Any]:
        if not isinstance(found, Mapping):
            raise PushError(
                message("{host} answered with something other than data. Is --url right?", host=self._connection.host)
            )
        return found


def _place(found: Mapping[str, Any]) -> Place:
    # A late policy reduces the score; the entered score is the one that was written.
    score = found.get("entered_score", found.get("score"))
    closed = message("is excused there") if found.get("excused") else None
    return Place(str(found["user_id"]), None if score is None else float(score), closed)
