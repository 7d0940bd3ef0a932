"""Write files atomically: a reader, or an interruption by Ctrl-C, never leaves or meets a partial file."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from grader.i18n.message import message
from grader.models.errors import OutputError


def write_text(path: Path, text: str) -> None:
    """Write ``text`` as UTF-8. Lone surrogates, as in some archive names, become question marks. Raises OutputError."""
    write_bytes(path, text.encode("utf-8", "replace"))


def write_bytes(path: Path, data: bytes) -> None:
    """Replace the content of ``path`` in one step. Raises OutputError."""
    with atomic_file(path) as file:
        file.write(data)


@contextmanager
def atomic_file(path: Path) -> Iterator[IO[bytes]]:
    """Give a new file that replaces ``path`` when the block ends without an error. Raises OutputError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
        try:
            with os.fdopen(handle, "w+b") as file:
                yield file
            Path(temporary).chmod(0o644)
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise OutputError(
            message(
                "{path} cannot be written: {reason}. Choose a folder that you may write to.", path=path, reason=reason
            )
        ) from error
