from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from grader.files.plain_files import open_plain, read_plain

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs POSIX")


def test_an_ordinary_file_is_read_up_to_the_limit(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"12345")
    assert read_plain(tmp_path / "file", 3) == b"123"
    with open_plain(tmp_path / "file") as file:
        assert file.read() == b"12345"


@pytest.mark.parametrize("kind", ["link", "loop", "dangling link", "pipe", "socket", "device", "folder", "missing"])
def test_anything_else_is_refused_at_once(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret, path = tmp_path / "secret", tmp_path / "file"
    secret.write_bytes(b"secret")
    if kind in ("link", "loop", "dangling link"):
        path.symlink_to({"link": secret, "loop": path, "dangling link": tmp_path / "nowhere"}[kind])
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        monkeypatch.chdir(tmp_path)
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind("file")
    elif kind == "device":
        path = Path("/dev/zero")
    elif kind == "folder":
        path.mkdir()
    with pytest.raises(OSError):
        read_plain(path, 10)
