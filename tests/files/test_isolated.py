from __future__ import annotations

from pathlib import Path

import pytest

from grader.files.isolated import ProcessLimits, run_isolated
from grader.models.errors import IsolationError

READERS = {
    "doubling": "def answer(request): return {'twice': 2 * request['number']}",
    "sleeping": "import time\ndef answer(request): time.sleep(60)",
    "hungry": "def answer(request): return len(bytearray(4 << 30))",
    "crashing": "import os, signal\ndef answer(request): os.kill(os.getpid(), signal.SIGSEGV)",
    "writing": "def answer(request): open(request['path'], 'wb').write(bytes(32 << 20))",
    "printing": "def answer(request): print('not JSON')",
}


@pytest.fixture
def readers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, source in READERS.items():
        (tmp_path / f"{name}.py").write_text(source)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=":")
    return tmp_path


def test_the_answer_is_returned(readers: Path) -> None:
    assert run_isolated("doubling", {"number": 21}) == {"twice": 42}


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        ("sleeping", "it took more than 1 s"),
        ("hungry", "MemoryError"),
        ("crashing", "killed"),
        ("writing", "File too large"),
        ("printing", "no answer"),
    ],
)
def test_a_failed_process_is_an_isolation_error_with_the_reason(module: str, expected: str, readers: Path) -> None:
    seconds = 1 if module == "sleeping" else 60
    bounds = ProcessLimits(seconds=seconds, memory_mb=2048, file_mb=16)
    with pytest.raises(IsolationError, match=expected):
        run_isolated(module, {"path": str(readers / "written")}, bounds)
