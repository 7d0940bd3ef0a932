"""Programs of the teacher's machine, found by their names."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path


def find_program(name: str, inherited: Mapping[str, str]) -> str | None:
    """Return the absolute path of a program on PATH; None if there is none.

    A program in the current folder is not found: Windows, and a PATH with an empty part, would run a student's file.
    """
    path = shutil.which(name, path=inherited.get("PATH", os.defpath))
    return path if path is not None and Path(path).is_absolute() else None
