"""How fetching tells what it does: sentences, and how far each file is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from grader.i18n.message import Message


def _nothing(*_: object) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Reporter:
    """``measured`` is told a file's name, the bytes that are there and the bytes in all."""

    say: Callable[[Message], None] = _nothing
    measured: Callable[[str, int, int], None] = _nothing
