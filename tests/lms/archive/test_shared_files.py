"""One student's file must not reach another student's notebook, except data that the teacher is told to check."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from grader.files.archives.contents import Entry
from grader.lms.archive.notebook_selection import build_submission
from grader.lms.archive.shared_files import packages, sharing_problem
from grader.lms.archive.student_files import StudentFile, StudentUpload
from grader.lms.archive.submissions import read_submissions
from grader.lms.identity import Owner
from grader.models.intake import FileStatus, Intake
from grader.models.submission import Student, Submission
from tests.data.group_photos.photo_assignment import photo_assignment
from tests.support.builders import by_name, notebook_bytes, said, write_folder, write_zip, zip_bytes

NB = notebook_bytes("model = 1")
LONG = notebook_bytes("model = 1\n" * 100)
DRIVE = "hw1-20260301T101010Z-001.zip"
CODE = (
    *("seaborn.pyc", "numpy.so", "x.pth", "y.pyd", "z.dll", "w.pkl", "v.joblib", "u.keras", "t.cpython-311.so", "s.sh"),
    *(
        "matplotlibrc",
        "setup.cfg",
        "r.pickle",
        "q.pt",
        "p.ipynb_",
        "o.yaml",
        "n.js",
        "m.svg",
        "l.whl",
        "k.egg",
        "j.exe",
    ),
    *("readme.ipynb", "license.py", "requirements.py", "readme.zip"),
)


def attached(submission: Submission) -> set[str]:
    return {attachment.name for attachment in submission.attachments}


def npy(value: Any, **options: Any) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, value, **options)
    return buffer.getvalue()


def npz(**values: Any) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **values)
    return buffer.getvalue()


def hdf5(**attributes: str) -> bytes:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file["x"] = np.zeros(3)
        file.attrs.update(attributes)
    return buffer.getvalue()


OBJECTS = np.array([{}], dtype=object)
CONTENTS: Mapping[str, tuple[bytes, bool]] = {
    "table.csv": (b"a,b\n1,2\n", True),
    "words.TXT": ("字".encode(), True),
    "rows.npz": (npz(x=np.zeros(3)), True),
    "rows.npy": (npy(np.zeros(3)), True),
    "cats.h5": (hdf5(), True),
    "train-images-idx3-ubyte": (b"\0\0\x08\x03", True),
    "NotoSansTC.ttf": (b"\0\1\0\0", True),
    "objects.npz": (npz(x=OBJECTS), False),
    "objects.npy": (npy(OBJECTS, allow_pickle=True), False),
    "pickle.npy": (b"\x80\x04N.", False),
    "pickle.npz": (b"\x80\x04N.", False),
    "inside.npz": (zip_bytes({"x.pkl": b"\x80\x04N."}), False),
    "cut.npz": (npz(x=np.zeros(3))[:80], False),
    "model.h5": (hdf5(model_config="{}"), False),
    "program.csv": (b"\x7fELF\2\1", False),
    "program.txt": (b"MZ\x90", False),
    "script.txt": (b"#!/bin/sh\n", False),
}


@pytest.mark.parametrize(("name", "content", "given"), [(name, *case) for name, case in CONTENTS.items()], ids=CONTENTS)
def test_only_data_may_be_given_to_a_class(name: str, content: bytes, given: bool, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(content)
    problem = sharing_problem(Entry(name, tmp_path / "file", len(content)), ())
    assert (problem is None) == given


def test_data_in_a_package_are_not_given() -> None:
    names = ["seaborn/__init__.py", "seaborn/x.csv", "data/x.csv", "__init__.py"]
    assert packages(names) == {"seaborn"}


def read(tmp_path: Path, files: Mapping[str, bytes], lms: str) -> Intake:
    if lms == "classroom":
        return read_submissions([write_zip(tmp_path / DRIVE, files)], workspace=tmp_path / "work")
    return read_submissions([write_folder(tmp_path / "in", files)], workspace=tmp_path / "work")


@pytest.mark.parametrize("lms", ["folder", "classroom"])
def test_code_of_unknown_authors_reaches_no_notebook(tmp_path: Path, lms: str) -> None:
    honest = {"amy - hw.ipynb": NB, "ben - hw.ipynb": NB, "data.csv": b"1"}
    found = read(tmp_path, {**honest, **dict.fromkeys(CODE, LONG)}, lms)
    assert {attachment for submission in found for attachment in attached(submission)} == {"data.csv"}
    assert {submission.notebook_name for submission in found if submission.notebook} == {
        "amy - hw.ipynb",
        "ben - hw.ipynb",
    }
    statuses = {file.name: file.status for file in found.files}
    assert {statuses[name] for name in CODE} == {FileStatus.UNUSED}
    assert "data.csv at the top of the class was given to every notebook there" in str(found.doubts[0])
    assert "was given to nobody" in str(found.doubts[1])


def test_a_package_in_a_flat_folder_reaches_no_notebook(tmp_path: Path) -> None:
    files = {"amy.ipynb": NB, "ben.ipynb": NB, "img/1.png": b"\x89PNG", "seaborn/__init__.py": b"evil"}
    found = read(tmp_path, {**files, "seaborn/data.csv": b"1", "img/run.py": b"evil"}, "folder")
    assert attached(by_name(found)["amy"]) == {"img/1.png"}
    assert str(found.doubts[1]).startswith("img/run.py, seaborn/")


def test_a_file_named_after_a_classmate_brings_no_code_and_is_doubted(tmp_path: Path) -> None:
    files = {
        "王小明 - hw1.ipynb": NB,
        "陳美麗 - hw1.ipynb": NB,
        "王小明 - seaborn.pyc": b"evil",
        "王小明 - photos.zip": zip_bytes({"numpy.py": b"evil", "red/1.png": b"\x89PNG"}),
        "王小明 - photo.png": b"\x89PNG",
    }
    found = read(tmp_path, files, "classroom")
    record = next(record for record in found.records if record.submission.student.name == "王小明")
    assert attached(record.submission) == {"王小明 - photos.zip", "王小明 - photo.png"}
    said_so = [str(doubt) for doubt in record.doubts]
    assert any("王小明 - photos.zip counts as this student's because of its name" in doubt for doubt in said_so)
    assert any("seaborn.pyc was not placed beside the notebook" in doubt for doubt in said_so)


def test_code_in_an_archive_that_only_its_name_assigns_is_not_unpacked_beside_the_notebook(tmp_path: Path) -> None:
    (tmp_path / "hw.ipynb").write_bytes(NB)
    (tmp_path / "photos.zip").write_bytes(zip_bytes({"numpy.py": b"evil", "red/1.png": b"\x89PNG"}))
    files = [
        StudentFile(name, Entry(name, tmp_path / name, 1), named=name.endswith(".zip"), source=0)
        for name in ("hw.ipynb", "photos.zip")
    ]
    upload = StudentUpload(Owner("amy", "", "amy"), files=files)
    submission = build_submission(Student("amy", "amy"), upload, tmp_path / "nested", with_pictures=True)
    assert attached(submission) == {"red/1.png"}
    assert "numpy.py was not placed beside the notebook" in said(submission)


def test_pictures_beside_several_given_notebooks_go_to_none_of_them(tmp_path: Path) -> None:
    folder = write_folder(
        tmp_path / "in", {"amy.ipynb": NB, "ben.ipynb": NB, "eve.pdf": b"%PDF", "pictures/a/1.png": b"p"}
    )
    assignment = photo_assignment(tmp_path / "assignment")
    both = read_submissions(
        [folder / "amy.ipynb", folder / "ben.ipynb"], workspace=tmp_path / "w", assignment=assignment
    )
    assert [attached(submission) for submission in both] == [set(), set()]
    assert "holds several of the given notebooks" in str(both.doubts[0])
    single = read_submissions([folder / "amy.ipynb"], workspace=tmp_path / "w", assignment=assignment)
    assert attached(single.submissions[0]) == {"eve.pdf", "pictures/a/1.png"}
