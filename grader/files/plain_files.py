"""Read files in folders where students may write: a name there may become a link, a pipe or a device at any moment."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import stat
from pathlib import Path

_FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def open_plain(path: Path) -> io.BufferedReader:
    """Open an ordinary file for reading. Raise OSError for a link, which is not followed, a pipe or a device."""
    descriptor = os.open(path, _FLAGS)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is a link or a device; expected an ordinary file", str(path))
    return os.fdopen(descriptor, "rb")


def read_plain(path: Path, limit: int) -> bytes:
    """Return the content of an ordinary file, at most ``limit`` bytes of it. Raise OSError as ``open_plain`` does."""
    with open_plain(path) as file:
        return file.read(limit)


def file_digest(path: Path) -> str:
    """Return the SHA-256 of an ordinary file, hexadecimal. Raise OSError as ``open_plain`` does."""
    with open_plain(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
