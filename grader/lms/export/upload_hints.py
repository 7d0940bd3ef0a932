"""Hints where to upload the files that were written, in the words of the LMS's own pages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from grader.i18n.message import Message, message
from grader.lms.systems import SYSTEMS

_MOST_FILES = 8
_OTHER = message("{file}: a line for each student, to look up, to enter by hand, or for what imports such lists.")


def upload_hints(files: Sequence[Path], folder: Path) -> Iterator[Message]:
    """Yield a sentence for each of the first ``files``, which lie below ``folder``, and a count of the others."""
    patterns = {pattern: hint for system in SYSTEMS for pattern, hint in system.upload_hints.items()}
    for file in files[:_MOST_FILES]:
        hint = next((hint for pattern, hint in patterns.items() if fnmatchcase(file.name, pattern)), _OTHER)
        shown = file.relative_to(folder) if file.is_relative_to(folder) else file
        yield Message(hint.template, {"file": shown.as_posix()})
    if len(files) > _MOST_FILES:
        yield message("… and {n} more files.", n=len(files) - _MOST_FILES)
