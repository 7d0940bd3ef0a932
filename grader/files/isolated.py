"""Decode untrusted files in a separate process with limits on memory, time and disk.

Decoders are large C libraries: a malicious file can crash the process that runs them. A module that decodes such files
has a function ``answer(request)`` from JSON values to JSON values, and ``run_isolated`` calls it in another process.

The process imports nothing from the current folder, which may hold students' files, and gets no variable of the
teacher's environment except those that libraries need to load. Paths in a request must be absolute.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from grader.i18n.message import message
from grader.models.errors import IsolationError, SandboxError

MEGABYTE = 1 << 20
ANSWER_BYTES = 64 * MEGABYTE
# The folder of the package goes last, so that nothing in it can replace a module of Python or of a library.
_START = "import sys; sys.path.append(sys.argv[1]); from grader.files.isolated import main; main()"
_PACKAGES = Path(__file__).resolve().parents[2]
_READY = b"ready\n"  # written once everything is imported: what fails later is due to the file
_PASSED = ("LD_LIBRARY_PATH", "SYSTEMROOT")


@dataclass(frozen=True, slots=True)
class ProcessLimits:
    """Limits for one decoder process."""

    seconds: float = 120.0  # wall clock
    memory_mb: int = 3072  # address space; the libraries themselves take several hundred
    file_mb: int = 512  # largest file that it may write


def run_isolated(module: str, request: Mapping[str, object], limits: ProcessLimits = ProcessLimits()) -> Any:
    """Return ``module.answer(request)``, computed in a separate process.

    Raises IsolationError when there is no answer: the time ran out, the memory did not suffice, or the decoder crashed.
    Raises SandboxError when the process could not begin, which is no fault of the file.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as log:
        command = json.dumps({"module": module, "request": dict(request), "limits": asdict(limits)})
        try:
            status: int | None = subprocess.run(
                [sys.executable, "-I", "-B", "-c", _START, str(_PACKAGES)],
                input=command.encode(), stdout=out, stderr=log, timeout=limits.seconds, check=False,
                cwd="/", env=_environment(),
            ).returncode  # fmt: skip
        except subprocess.TimeoutExpired:
            status = None
        out.seek(0)
        answer = out.read(ANSWER_BYTES + 1)
        if not answer.startswith(_READY):
            raise SandboxError(
                message("The program that reads students' files could not start: {reason}", reason=_last_line(log))
            )
        if status is None:
            raise IsolationError(message("it took more than {seconds:g} s", seconds=limits.seconds))
        if status or len(answer) > ANSWER_BYTES:
            raise IsolationError(message("it crashed the program that reads it ({reason})", reason=_last_line(log)))
    with suppress(ValueError):
        return json.loads(answer.removeprefix(_READY))
    raise IsolationError(message("it crashed the program that reads it ({reason})", reason="no answer"))


def _environment() -> dict[str, str]:
    return {"PATH": os.defpath} | {name: os.environ[name] for name in _PASSED if name in os.environ}


def _last_line(log: Any) -> str:
    log.seek(0)
    lines = log.read(ANSWER_BYTES).decode("utf-8", "replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "killed")[:200]


def main() -> None:
    """Read one request from standard input and write its answer to standard output, in the separate process."""
    command = json.loads(sys.stdin.buffer.read())
    _apply(ProcessLimits(**command["limits"]))
    answer = import_module(command["module"]).answer
    sys.stdout.buffer.write(_READY)
    sys.stdout.buffer.flush()
    sys.stdout.write(json.dumps(answer(command["request"])))


def _apply(limits: ProcessLimits) -> None:
    """Set the limits that the system supports. The time limit of the parent always holds."""
    try:
        import resource  # noqa: PLC0415  missing on Windows
    except ImportError:
        return
    for name, value in (
        ("RLIMIT_AS", limits.memory_mb * MEGABYTE),
        ("RLIMIT_FSIZE", limits.file_mb * MEGABYTE),
        ("RLIMIT_CPU", int(limits.seconds) + 1),
        ("RLIMIT_CORE", 0),
    ):
        with suppress(ValueError, OSError):  # macOS has no limit on the address space
            resource.setrlimit(getattr(resource, name), (value, value))
