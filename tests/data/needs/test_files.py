"""Names of the teacher's files, and of files that a cell could not open."""

from __future__ import annotations

import tarfile
import zipfile
from pathlib import Path

import pytest

from grader.data.needs.files import missing_file, names_in


@pytest.mark.parametrize(
    ("error", "text", "expected"),
    [
        ("FileNotFoundError", "[Errno 2] No such file or directory: 'heart.csv'", "heart.csv"),
        ("FileNotFoundError", "[Errno 2] No such file or directory: '../data/heart.csv'", "heart.csv"),
        ("FileNotFoundError", "[Errno 2] No such file or directory: 'C:\\\\me\\\\heart.csv'", "heart.csv"),
        ("FileNotFoundError", '[Errno 2] No such file or directory: "Ann\'s.csv"', "Ann's.csv"),
        ("FileNotFoundError", "[Errno 2] No such file or directory: 'data/train/'", "train"),
        ("FileNotFoundError", "No such file: '/job/work/cat.jpg'", "cat.jpg"),
        ("FileNotFoundError", "data/heart.csv not found.", "heart.csv"),
        (
            "FileNotFoundError",
            "[Errno 2] Unable to synchronously open file (unable to open file: name = 'm.h5', errno = 2, error message",
            "m.h5",
        ),
        ("NotFoundError", "Could not find directory data/train", "train"),
        (
            "NotFoundError",
            "{{function_node x}} a/b.txt; No such file or directory [Op:ReadFile]",
            "b.txt",
        ),
        ("ValueError", "File not found: filepath=models/m.keras. Please ensure the file is an accessible", "m.keras"),
        ("ValueError", "could not convert string to float: 'heart.csv'", None),
        ("KeyError", "[Errno 2] No such file or directory: 'heart.csv'", None),
        ("FileNotFoundError", "heart.csv", None),
        ("NotFoundError", "x" * 10**6, None),
    ],
)
def test_the_file_that_was_not_found_is_read_from_the_error(error: str, text: str, expected: str | None) -> None:
    assert missing_file(error, text) == expected


def test_names_in_folders_and_archives_count_as_given(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    (folder / "train").mkdir(parents=True)
    (folder / "train" / "1.png").write_bytes(b"")
    with zipfile.ZipFile(folder / "more.zip", "w") as archive:
        archive.writestr("inside/heart.csv", "")
    with tarfile.open(tmp_path / "set.tar.gz", "w:gz") as tar:
        tar.add(folder / "train", "cats")
    (tmp_path / "broken.zip").write_bytes(b"PK\x03\x04 broken")
    assert set(names_in(folder)) == {"train", "1.png", "more.zip", "inside", "heart.csv"}
    assert set(names_in(tmp_path / "set.tar.gz")) == {"cats", "1.png"}
    assert not set(names_in(tmp_path / "broken.zip"))
    assert not set(names_in(tmp_path / "missing.csv"))
