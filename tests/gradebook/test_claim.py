"""Two graders never work in one results folder at once, and none is locked out by one that has died."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from grader.gradebook.claim import FILE, claimed
from grader.models.errors import GradebookError

ROOT = Path(__file__).parents[2]
HOLD = """
import sys
from pathlib import Path
from grader.gradebook.claim import claimed
with claimed(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_grader_is_told_and_the_folder_is_free_after_the_first_was_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as first:
        assert first.stdout is not None and first.stdout.readline() == b"held\n"
        with pytest.raises(GradebookError, match="another grader is working"), claimed(tmp_path):
            raise AssertionError
        first.kill()
        first.wait()
        with claimed(tmp_path):
            assert (tmp_path / FILE).exists()
    assert list(tmp_path.iterdir()) == []
