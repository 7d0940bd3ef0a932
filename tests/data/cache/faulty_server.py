"""A local web server with configurable faults."""

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
    """State of the server: its files, its faults, and the requests it received."""

    files: dict[str, bytes] = field(default_factory=dict, repr=False)  # by path
    redirects: dict[str, str] = field(default_factory=dict)
    cuts: list[int] = field(default_factory=list)  # per response: bytes after which the connection drops
    ranges: bool = True
    shifted: int = 0  # bytes by which the response to a Range starts too late
    seconds: float = 0.0  # delay before a response
    endless: bool = False
    address: str = ""
    requests: list[tuple[str, str | None]] = field(default_factory=list)  # path, Range header

    def url(self, name: str) -> str:
        return f"{self.address}/{name}"


@contextmanager
def run_server() -> Iterator[Web]:
    web = Web()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            with suppress(BrokenPipeError, ConnectionResetError):
                respond(self, web)

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


def respond(request: BaseHTTPRequestHandler, web: Web) -> None:
    path, requested_range = request.path.lstrip("/"), request.headers.get("Range")
    web.requests.append((path, requested_range))
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
    if requested_range and web.ranges:
        start = int(re.fullmatch(r"bytes=(\d+)-", requested_range)[1])  # type: ignore[index]
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
