from __future__ import annotations

import os
from pathlib import Path

import pytest

from grader.files.isolated import ProcessLimits, run_isolated
from grader.models.errors import IsolationError, SandboxError

DECODER = "tests.support.hostile_decoder"


def test_the_answer_is_returned() -> None:
    assert run_isolated(DECODER, {"act": "double", "number": 21}) == {"twice": 42}


@pytest.mark.parametrize(
    ("act", "expected"),
    [
        ("sleep", "it took more than 2 s"),
        ("allocate", "MemoryError"),
        ("crash", "killed"),
        ("write", "File too large"),
        ("print", "no answer"),
    ],
)
def test_a_failed_process_is_an_isolation_error_with_the_reason(act: str, expected: str, tmp_path: Path) -> None:
    bounds = ProcessLimits(seconds=2 if act == "sleep" else 60, memory_mb=2048, file_mb=16)
    with pytest.raises(IsolationError, match=expected):
        run_isolated(DECODER, {"act": act, "path": str(tmp_path / "written")}, bounds)


def test_a_decoder_that_cannot_be_imported_is_a_fault_of_the_grader_and_not_of_the_file() -> None:
    with pytest.raises(SandboxError, match="could not start: ModuleNotFoundError"):
        run_isolated("tests.support.no_such_decoder", {})


def test_the_process_sees_neither_the_current_folder_nor_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LMS_TOKEN", "secret")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    seen = run_isolated(DECODER, {"act": "describe"})
    assert set(seen["variables"]) <= {"PATH", "LD_LIBRARY_PATH", "LC_CTYPE"}
    assert seen["folder"] == os.sep
    assert not {"", ".", str(tmp_path)} & set(seen["path"])
