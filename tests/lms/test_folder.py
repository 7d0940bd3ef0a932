"""Classes in plain folders."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from grader.lms.archive.submissions import read_submissions
from grader.models.errors import IntakeError
from grader.models.run import Outcome
from tests.support.builders import by_name, notebook_bytes, said, write_folder, write_zip

NB = notebook_bytes("model = 1")


def test_one_notebook_per_student(tmp_path: Path) -> None:
    files = {
        "林小明.ipynb": NB,
        "chen.ipynb": NB,
        "chen.pdf": b"%PDF",
        "ann.pdf": b"%PDF",
        "patients.csv": b"1",
        "img/1.png": b"2",
    }
    read = by_name(read_submissions([write_folder(tmp_path / "in", files)], workspace=tmp_path / "work"))
    assert set(read) == {"林小明", "chen", "ann"}
    assert {attachment.name for attachment in read["chen"].attachments} == {"chen.pdf", "patients.csv", "img/1.png"}
    assert "patients.csv" in said(read["林小明"])
    assert read["ann"].outcome is Outcome.MISSING


def test_one_folder_per_student(tmp_path: Path) -> None:
    files = {
        "lin/hw1/hw.ipynb": NB,
        "lin/hw1/data/x.csv": b"x",
        "lin/top.txt": b"t",
        "chen/": b"",
        "readme.md": b"r",
        ".git/c": b"g",
    }
    read = by_name(read_submissions([write_folder(tmp_path / "in", files)], workspace=tmp_path / "work"))
    assert set(read) == {"lin", "chen"}
    assert {attachment.name for attachment in read["lin"].attachments} == {"data/x.csv", "top.txt"}
    assert read["chen"].outcome is Outcome.MISSING
    assert "readme.md belongs to no student" in said(read["lin"])


def test_links_in_a_folder_are_not_followed(tmp_path: Path) -> None:
    secret = write_folder(tmp_path / "secret", {"labels.csv": b"1", "hw.ipynb": NB})
    here = write_folder(tmp_path / "in", {"ann/hw.ipynb": NB})
    (here / "ann" / "labels.csv").symlink_to(secret / "labels.csv")
    (here / "eve").mkdir()
    (here / "eve" / "hw.ipynb").symlink_to(secret / "hw.ipynb")
    (here / "mal").symlink_to(secret)
    read = by_name(read_submissions([here], workspace=tmp_path / "work"))
    assert (read["ann"].outcome, read["ann"].attachments) == (None, ())
    assert "ann/labels.csv was refused" in said(read["ann"])
    assert read["eve"].outcome is read["mal"].outcome is Outcome.FORBIDDEN


def test_single_notebooks_and_archives_are_named_after_their_path(tmp_path: Path) -> None:
    write_folder(tmp_path / "in", {"lin/hw.ipynb": NB, "chen/hw.ipynb": NB})
    paths = [
        tmp_path / "in/lin/hw.ipynb",
        tmp_path / "in/chen/hw.ipynb",
        write_zip(tmp_path / "ann.zip", {"hw.ipynb": NB}),
    ]
    assert [submission.student.id for submission in read_submissions(paths, workspace=tmp_path / "w")] == [
        "lin",
        "chen",
        "ann",
    ]
    assert [submission.student.id for submission in read_submissions(paths[:1], workspace=tmp_path / "w")] == ["hw"]


def test_empty_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(IntakeError, match="it is empty"):
        read_submissions([write_folder(tmp_path / "in", {".DS_Store": b""})], workspace=tmp_path / "work")


def test_file_names_in_another_encoding_are_decoded(tmp_path: Path) -> None:
    names = ["李娜", "陈静", "张伟"]
    for name in names:
        folder = Path(os.fsdecode(os.fsencode(tmp_path / "in") + b"/" + name.encode("gbk")))
        write_folder(folder, {"hw.ipynb": NB})
    assert set(by_name(read_submissions([tmp_path / "in"], workspace=tmp_path / "work"))) == set(names)
