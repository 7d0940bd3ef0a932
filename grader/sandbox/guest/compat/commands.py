"""Commands of notebooks written for Colab (pip, apt, wget and others) as programs on PATH that need no network.

A script in the notebook's home folder starts a process of this module for each call. The process writes its notes to a
file there, one JSON value per line, and the kernel reads the file after the cell. Standard library only, because this
module is loaded with each call.
"""

from __future__ import annotations

import json
import os
import shlex
import stat
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from .. import protocol
from .handout import Handout
from .notes import Kind
from .offline_programs import PROGRAMS
from .program import HANDOUT, NOTES, Program

FOLDER = Path(".ipython") / "commands"  # below the notebook's home
MAX_NOTES_BYTES = 1 << 16

SCRIPT = """#!/bin/sh
exec {python} -I -B {main} {job} "${{0##*/}}" "$@"
"""
PYTHON_MODULE = """import os, sys
os.execv({pip!r}, ["pip", *sys.argv[1:]])
"""


def main(job: str, name: str, *arguments: str) -> None:
    """Run a call of the command ``name``, and exit with its status."""
    folder = Path(job) / "home" / FOLDER
    program = Program(Path(job), folder, name, list(arguments))
    try:
        status = PROGRAMS[name](program)
    except (OSError, ValueError) as error:
        program.print_error(f"{name}: {error}")
        status = 1
    sys.stdout.flush()
    sys.exit(status)


# ------------------------------------------------------------------ in the kernel


def install(job: Path, request: Mapping[str, Any]) -> None:
    """Write the scripts, and put them first on PATH for the notebook and the processes that it starts."""
    if os.name != "posix":
        return
    folder = job / "home" / FOLDER
    (folder / "python" / "pip").mkdir(parents=True)
    Handout.keep(request, folder / HANDOUT)
    main_file, script = folder / "main.py", folder / "pip"
    main_file.write_text(protocol.bootstrap("compat.commands", _guest_folder()))
    values = {"python": sys.executable, "main": str(main_file), "job": str(job)}
    script.write_text(SCRIPT.format(**{name: shlex.quote(value) for name, value in values.items()}))
    script.chmod(0o755)
    for name in PROGRAMS.keys() - {"pip"}:
        (folder / name).symlink_to("pip")
    # For ``python -m pip``, however it is started.
    (folder / "python" / "pip" / "__init__.py").touch()
    (folder / "python" / "pip" / "__main__.py").write_text(PYTHON_MODULE.format(pip=str(script)))
    _prepend("PATH", folder)
    _prepend("PYTHONPATH", folder / "python")


def _guest_folder() -> Path:
    """Return the folder of this package; its mount point if it was loaded before the mounts changed."""
    loaded = Path(__file__).parents[1]
    return loaded if loaded.is_dir() else Path("/guest")


def _prepend(variable: str, folder: Path) -> None:
    os.environ[variable] = os.pathsep.join(filter(None, [str(folder), os.environ.get(variable)]))


def take_notes(job: Path, note: Callable[[Kind, str, str], None]) -> None:
    """Pass the notes of the commands to ``note``, and delete their file. A notebook may have replaced the file."""
    path = job / "home" / FOLDER / NOTES
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except OSError:
        return
    is_file = stat.S_ISREG(os.fstat(descriptor).st_mode)
    data = os.read(descriptor, MAX_NOTES_BYTES) if is_file else b""
    os.close(descriptor)
    for line in data.splitlines():
        try:
            entry = json.loads(line)
            note(Kind(entry["kind"]), str(entry["found"]), str(entry["used"]))
        except (ValueError, TypeError, KeyError, RecursionError):
            continue
    try:
        path.unlink()
    except OSError:
        return
