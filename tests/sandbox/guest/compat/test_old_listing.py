"""Each name, argument and method of 17 old releases of Keras works, is translated, or is refused with a reason."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[4]


def test_nothing_of_old_keras_ends_in_an_unexplained_error() -> None:
    command = [sys.executable, "benchmarks/old_names_today.py", "--missing"]
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    assert json.loads(finished.stdout) == []
