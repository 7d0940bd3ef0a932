from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from grader.sandbox.programs import find_program


def test_a_program_of_the_current_folder_is_not_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "podman"
    program.write_text("#!/bin/sh\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.chdir(tmp_path)
    assert find_program("podman", {"PATH": os.pathsep.join(["", ".", "/nowhere"])}) is None
    assert find_program("podman", {"PATH": str(tmp_path)}) == str(program)
