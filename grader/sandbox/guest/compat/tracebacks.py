"""A traceback shows the notebook's own lines and its libraries', not this package's: nobody wrote them into a cell."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any

OURS = str(Path(__file__).parents[1])
MAX_CHAIN = 20  # exceptions that caused one another


def start(shell: Any) -> None:
    """``shell`` is IPython's; what it shows of an error it shows without our frames."""
    shown = shell.InteractiveTB
    real = shown.structured_traceback

    def structured_traceback(etype: Any, value: Any, traceback: Any = None, *args: Any, **kwargs: Any) -> Any:
        cause, left = value, MAX_CHAIN
        while isinstance(cause, BaseException) and left:
            cause.__traceback__ = _without_ours(cause.__traceback__)
            cause, left = cause.__cause__ or cause.__context__, left - 1
        return real(etype, value, _without_ours(traceback), *args, **kwargs)

    shown.structured_traceback = structured_traceback


def _without_ours(traceback: TracebackType | None) -> TracebackType | None:
    """The same frames in the same order; as it was when nothing else would be left."""
    frames = []
    step = traceback
    while step is not None:
        if not step.tb_frame.f_code.co_filename.startswith(OURS):
            frames.append(step)
        step = step.tb_next
    kept: TracebackType | None = None
    for one in reversed(frames):
        kept = TracebackType(kept, one.tb_frame, one.tb_lasti, one.tb_lineno)
    return kept or traceback
