"""Strangers' pictures and documents are decoded in a process of their own, bounded in memory, time and disk.

Decoders are large and written in C: a file made to break one takes this process with it, and nothing else. A module
that reads such files has a function ``answer(request)``, from plain JSON values to plain JSON values.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib import import_module
from typing import Any

from grader.i18n.message import message
from grader.models.errors import IsolationError

MEGABYTE = 1 << 20
ANSWER_BYTES = 64 * MEGABYTE


@dataclass(frozen=True, slots=True)
class ProcessLimits:
    seconds: float = 120.0  # wall clock
    memory_mb: int = 3072  # address space: the libraries themselves take several hundred
    file_mb: int = 512  # one file that it writes


def run_isolated(module: str, request: Mapping[str, object], bounds: ProcessLimits = ProcessLimits()) -> Any:
    """What ``module.answer(request)`` gives in a process of its own.

    Raises IsolationError when it gave nothing: the time was up, the memory did not suffice, or the decoder broke.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as log:
        spoken = json.dumps({"module": module, "request": dict(request), "bounds": asdict(bounds)})
        try:
            ended = subprocess.run(
                [sys.executable, "-m", "grader.files.isolated"],
                input=spoken.encode(), stdout=out, stderr=log, timeout=bounds.seconds, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise IsolationError(message("it took more than {seconds:g} s", seconds=bounds.seconds)) from None
        out.seek(0)
        answer = out.read(ANSWER_BYTES + 1)
        if ended.returncode or len(answer) > ANSWER_BYTES:
            raise IsolationError(message("it broke the program that reads it ({reason})", reason=_last_line(log)))
    with suppress(ValueError):
        return json.loads(answer)
    raise IsolationError(message("it broke the program that reads it ({reason})", reason="no answer"))


def _last_line(log: Any) -> str:
    log.seek(0)
    lines = log.read(ANSWER_BYTES).decode("utf-8", "replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "killed")[:200]


def main() -> None:
    """The process of its own: one request on the standard input, one answer on the standard output."""
    told = json.loads(sys.stdin.buffer.read())
    _bound(ProcessLimits(**told["bounds"]))
    answer = import_module(told["module"]).answer(told["request"])
    sys.stdout.write(json.dumps(answer))


def _bound(bounds: ProcessLimits) -> None:
    """Where the system knows such limits; elsewhere the time alone is one."""
    try:
        import resource  # noqa: PLC0415  not on Windows
    except ImportError:
        return
    for name, value in (
        ("RLIMIT_AS", bounds.memory_mb * MEGABYTE),
        ("RLIMIT_FSIZE", bounds.file_mb * MEGABYTE),
        ("RLIMIT_CPU", int(bounds.seconds) + 1),
        ("RLIMIT_CORE", 0),
    ):
        with suppress(ValueError, OSError):  # macOS has no bound for the address space
            resource.setrlimit(getattr(resource, name), (value, value))


if __name__ == "__main__":
    main()
