"""Files that are whole or not there: a reader, or a Ctrl-C, never meets half of one."""

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
    """``write_bytes`` of ``text`` as UTF-8.

    Names out of an archive may hold half characters that UTF-8 cannot: they become question marks.
    """
    write_bytes(path, text.encode("utf-8", "replace"))


def write_bytes(path: Path, data: bytes) -> None:
    """Put ``data`` in ``path``, replacing it in one step; raises ``OutputError`` where that cannot be done."""
    with atomic_file(path) as file:
        file.write(data)


@contextmanager
def atomic_file(path: Path) -> Iterator[IO[bytes]]:
    """A new file that takes the place of ``path`` once all of it is written; ``OutputError`` as for ``write_bytes``."""
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
