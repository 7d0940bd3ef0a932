"""The commands of notebooks written for Colab: pip, apt, wget and their like, as programs on PATH that need no network.

Each call is a process of its own, started by a script in the notebook's home. What it did it says in a file there, one
JSON line each, which the kernel takes over after the cell. Standard library only, for it starts with every call.
"""

from __future__ import annotations

import json
import os
import shlex
import stat
import sys
from collections.abc import Callable
from pathlib import Path

from .. import protocol
from .fetching import curl, gdown, git, kaggle, wget
from .installing import apt, conda, pip
from .kinds import Kind
from .program import NOTES, Program
from .unpacking import cp, unzip

COMMANDS: dict[str, Callable[[Program], int]] = {
    "pip": pip,
    "pip3": pip,
    "conda": conda,
    "mamba": conda,
    "apt": apt,
    "apt-get": apt,
    "wget": wget,
    "curl": curl,
    "gdown": gdown,
    "kaggle": kaggle,
    "git": git,
    "cp": cp,
    "unzip": unzip,
}
FOLDER = Path(".ipython") / "commands"  # below the notebook's home
MAX_NOTES_BYTES = 1 << 16

SCRIPT = """#!/bin/sh
exec {python} -I -B {main} {job} "${{0##*/}}" "$@"
"""
PYTHON_MODULE = """import os, sys
os.execv({pip!r}, ["pip", *sys.argv[1:]])
"""


def main(job: str, name: str, *words: str) -> None:
    """One call of the command ``name``."""
    here = Path(job) / "home" / FOLDER
    program = Program(Path(job), here, name, list(words))
    try:
        status = COMMANDS[name](program)
    except (OSError, ValueError) as error:
        program.complain(f"{name}: {error}")
        status = 1
    sys.stdout.flush()
    sys.exit(status)


# ------------------------------------------------------------------ in the kernel


def lay_out(job: Path) -> None:
    """Writes the scripts and puts them before all others on PATH, for the notebook and what it starts."""
    if os.name != "posix":
        return
    folder = job / "home" / FOLDER
    (folder / "python" / "pip").mkdir(parents=True)
    main_file, script = folder / "main.py", folder / "pip"
    main_file.write_text(protocol.bootstrap("compat.commands", _guest()))
    words = {"python": sys.executable, "main": str(main_file), "job": str(job)}
    script.write_text(SCRIPT.format(**{name: shlex.quote(word) for name, word in words.items()}))
    script.chmod(0o755)
    for name in COMMANDS.keys() - {"pip"}:
        (folder / name).symlink_to("pip")
    # ``python -m pip``, in whatever way it is started.
    (folder / "python" / "pip" / "__init__.py").touch()
    (folder / "python" / "pip" / "__main__.py").write_text(PYTHON_MODULE.format(pip=str(script)))
    _prepend("PATH", folder)
    _prepend("PYTHONPATH", folder / "python")


def _guest() -> Path:
    """This package's folder: where it was loaded from, unless that was before the view was changed."""
    loaded = Path(__file__).parents[1]
    return loaded if loaded.is_dir() else Path("/guest")


def _prepend(variable: str, folder: Path) -> None:
    os.environ[variable] = os.pathsep.join(filter(None, [str(folder), os.environ.get(variable)]))


def take_notes(job: Path, note: Callable[[Kind, str, str], None]) -> None:
    """Hands what the commands noted to ``note``. A notebook may have put anything in their place."""
    path = job / "home" / FOLDER / NOTES
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except OSError:
        return
    plain = stat.S_ISREG(os.fstat(descriptor).st_mode)
    data = os.read(descriptor, MAX_NOTES_BYTES) if plain else b""
    os.close(descriptor)
    for line in data.splitlines():
        try:
            said = json.loads(line)
            note(Kind(said["kind"]), str(said["found"]), str(said["used"]))
        except (ValueError, TypeError, KeyError, RecursionError):
            continue
    try:
        path.unlink()
    except OSError:
        return
