"""A web server on this machine that behaves as badly as it is told to."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Web:
    """``files`` by path. ``cuts``: after how many bytes of an answer the line drops, one for each answer."""

    files: dict[str, bytes] = field(default_factory=dict, repr=False)
    redirects: dict[str, str] = field(default_factory=dict)
    cuts: list[int] = field(default_factory=list)
    ranges: bool = True
    shifted: int = 0  # an answer to a Range that begins elsewhere
    seconds: float = 0.0
    endless: bool = False
    address: str = ""
    asked: list[tuple[str, str | None]] = field(default_factory=list)

    def url(self, name: str) -> str:
        return f"{self.address}/{name}"


@contextmanager
def served() -> Iterator[Web]:
    web = Web()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            with suppress(BrokenPipeError, ConnectionResetError):
                answer(self, web)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    web.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield web
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def answer(request: BaseHTTPRequestHandler, web: Web) -> None:
    path, wanted = request.path.lstrip("/"), request.headers.get("Range")
    web.asked.append((path, wanted))
    time.sleep(web.seconds)
    if path in web.redirects:
        request.send_response(302)
        request.send_header("Location", web.redirects[path])
        request.end_headers()
        return
    if path not in web.files:
        request.send_error(404)
        return
    content, start = web.files[path], 0
    if wanted and web.ranges:
        start = int(re.fullmatch(r"bytes=(\d+)-", wanted)[1])  # type: ignore[index]
        if start >= len(content):
            request.send_error(416)
            return
        start += web.shifted
        request.send_response(206)
        request.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
    else:
        request.send_response(200)
    if not web.endless:
        request.send_header("Content-Length", str(len(content) - start))
    request.end_headers()
    cut = web.cuts.pop(0) if web.cuts else len(content)
    request.wfile.write(content[start:][:cut])
    while web.endless:
        request.wfile.write(b"\0" * 2**16)
