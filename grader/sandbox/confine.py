"""Which confinement this machine can give, and the honest word about the one that is used."""

from __future__ import annotations

from collections.abc import Mapping

from grader.errors import SandboxError
from grader.records import Message, message
from grader.sandbox.base import Sandbox
from grader.sandbox.process import ProcessSandbox

LEVELS = ("auto", "process", "none")


def open_sandbox(level: str, inherited: Mapping[str, str]) -> Sandbox:
    """The sandbox for ``--sandbox LEVEL``; raises SandboxError for a level that does not exist."""
    if level not in LEVELS:
        raise SandboxError(f"--sandbox: found {level!r}, expected one of {', '.join(LEVELS)}")
    return ProcessSandbox(inherited)


def described(confinement: str) -> Message:
    """What a report says of the confinement under which a notebook ran."""
    if confinement == "process":
        return message(
            "Limits only: its own process tree, folder and environment; time, memory, disk and processes bounded. "
            "Not confined: it could read what the grading account can read, and use the network."
        )
    return message("Confinement: {name}.", name=confinement)
