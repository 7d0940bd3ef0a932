"""pip, conda and apt: they say what is here already, and install nothing. Standard library only."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import re
import shutil
import sys
from pathlib import Path

from .kinds import Kind
from .program import Program

MAX_FILE = 1 << 16
VALUED = (
    *("r", "requirement", "c", "constraint", "f", "find-links", "i", "index-url", "extra-index-url", "t", "target"),
    *("n", "name", "p", "prefix", "channel", "trusted-host", "progress-bar", "root-user-action", "proxy", "timeout"),
)
NAME = re.compile(r"[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?")
OTHER_NAMES = {"tensorflow-gpu": "tensorflow", "tensorflow-cpu": "tensorflow", "sklearn": "scikit-learn"}


def pip(program: Program) -> int:
    command = next((word for word in program.words if not word.startswith("-")), "")
    if command == "install":
        return _install(program)
    if command in ("uninstall", "download", "wheel"):
        program.say(f"pip {command}: nothing was done; packages stay as they are while homework is graded.")
        return 0
    if importlib.util.find_spec("pip") is not None:
        sys.stdout.flush()
        os.environ.update(PIP_NO_INDEX="1", PIP_DISABLE_PIP_VERSION_CHECK="1")
        os.execv(sys.executable, [sys.executable, "-I", "-m", "pip", *program.words])  # noqa: S606
    return 0


def conda(program: Program) -> int:
    command = next((word for word in program.words if not word.startswith("-")), "")
    return _install(program) if command in ("install", "create", "update", "upgrade") else 0


def apt(program: Program) -> int:
    """Programs of the system; one is here when it can be called."""
    words = program.options(("t", "o", "q")).rest
    for name in words[1:] if words[:1] == ["install"] else ():
        here = shutil.which(name) is not None
        program.say(f"{name} is already here." if here else _missing(name))
        program.note(Kind.INSTALLED if here else Kind.NOT_INSTALLED, name, name if here else "")
    return 0


def _install(program: Program) -> int:
    options = program.options(VALUED)
    listed = options.value("r", "requirement")
    for wanted in [*options.rest[1:], *(_listed(Path(listed)) if listed else ())]:
        name = _distribution(wanted)
        here = _installed(name)
        program.say(f"Requirement already satisfied: {wanted} ({here})" if here else _missing(wanted))
        program.note(Kind.INSTALLED if here else Kind.NOT_INSTALLED, wanted, here or "")
    return 0


def _missing(name: str) -> str:
    return f"{name} is not here and was not installed: there is no internet while homework is graded."


def _listed(path: Path) -> list[str]:
    with path.open(encoding="utf-8", errors="replace") as file:
        lines = [line.partition("#")[0].strip() for line in file.read(MAX_FILE).splitlines()]
    return [line for line in lines if line and not line.startswith("-")]


def _distribution(wanted: str) -> str:
    """The package's name out of a requirement, or of the address of a repository or a wheel."""
    if "://" in wanted or wanted.endswith(".whl"):
        last = wanted.partition("#egg=")[2] or wanted.rstrip("/").rpartition("/")[2].partition("@")[0]
        wanted = last.removesuffix(".git").partition("-")[0] if last.endswith(".whl") else last.removesuffix(".git")
    found = NAME.match(wanted.strip("\"' "))
    return found[0] if found else wanted


def _installed(name: str) -> str:
    """``"numpy 2.4.0"``; empty when it is not here."""
    name = OTHER_NAMES.get(name.lower(), name)
    try:
        return f"{name} {importlib.metadata.version(name)}"
    except (importlib.metadata.PackageNotFoundError, ValueError):
        module = name.replace("-", "_")
    try:
        return module if module.isidentifier() and importlib.util.find_spec(module) is not None else ""
    except (ImportError, ValueError):
        return ""
