"""Lock of a results folder: one grader at a time works in it, as two would write over each other's pages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from grader.i18n.message import message
from grader.models.errors import GradebookError

FILE = ".grader-lock"


@contextmanager
def claimed(out: Path) -> Iterator[None]:
    """Hold the results folder. The system lets go of it when the program ends, however it ends.

    Raises ``GradebookError`` if another program holds it.
    """
    lock = FileLock(out / FILE, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise GradebookError(
            message(
                "{path}: another grader is working in this folder. Wait for it, or choose another folder with --out.",
                path=out,
            )
        ) from None
    except (OSError, NotImplementedError):  # a network drive without locks: better two graders than none
        yield
        return
    try:
        yield
    finally:
        with suppress(OSError):  # Windows deletes no open file
            (out / FILE).unlink()
        lock.release()
