from __future__ import annotations

from pathlib import Path

import pytest

from grader.files.atomic import atomic_file, write_bytes, write_text
from grader.models.errors import OutputError


def test_a_file_is_replaced_and_folders_are_created(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file"
    write_text(path, "first")
    write_bytes(path, b"second")
    assert path.read_bytes() == b"second"
    assert [file.name for file in path.parent.iterdir()] == ["file"]


def test_a_lone_surrogate_becomes_a_question_mark(tmp_path: Path) -> None:
    write_text(tmp_path / "file", "林\ud800")
    assert (tmp_path / "file").read_text("utf-8") == "林?"


def test_an_interrupted_write_leaves_the_old_content(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt), atomic_file(path) as file:
        file.write(b"half")
        raise KeyboardInterrupt
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["file"]


def test_a_folder_that_cannot_be_written_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match=r"cannot be written: .*Choose a folder that you may write to"):
        write_text(tmp_path / "file" / "below", "")
