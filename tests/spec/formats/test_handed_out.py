"""Tests of which files of a course lie beside each notebook: data in any form, never tests or solutions."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from grader.sandbox.base import Sandbox
from grader.spec.formats import otter_format
from grader.spec.formats.handed_out import split_files
from tests.spec.formats import nbgrader_course as course
from tests.spec.formats.nbgrader_course import marked
from tests.spec.formats.otter_course import cells, folder, graded, ok

TABLE = b"a,b\n1,2\n"


def zipped(**files: bytes) -> bytes:
    """Return a zip; in names, ``__`` stands for a slash and ``_`` before a suffix for a dot."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(_name(name), content)
    return held.getvalue()


def tarred(mode: str = "w:gz", **files: bytes) -> bytes:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode=mode) as archive:  # type: ignore[call-overload]
        for name, content in files.items():
            member = tarfile.TarInfo(_name(name))
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return held.getvalue()


def _name(name: str) -> str:
    stem, _bar, suffix = name.replace("__", "/").rpartition("_")
    return f"{stem}.{suffix}"


DATA: Mapping[str, bytes] = {
    "data.zip": zipped(data__a_csv=TABLE, data__b_png=b"\x89PNG"),
    "photos.tar.gz": tarred(cats__1_jpg=b"\xff\xd8\xff"),
    "photos.tar": tarred("w:", cats__1_jpg=b"\xff\xd8\xff"),
    "table.csv.gz": gzip.compress(TABLE),
    "nested.zip": zipped(train_zip=zipped(a_csv=TABLE), labels_gz=gzip.compress(TABLE)),
    "arrays.npz": zipped(x_npy=b"\x93NUMPY"),
    "model.keras": zipped(config_json=b"{}", metadata_json=b"{}"),
    "helpers.py": b"def load(): ...",
    "notes.pdf": b"%PDF-",
    "solutions.csv": TABLE,  # a table of chemistry, for all we know
}
WITHHELD: Mapping[str, bytes] = {
    "autograder.zip": zipped(otter_config_json=b"{}", tests__q1_py=b""),
    "renamed.dat": zipped(run_autograder_sh=b"", tests__q1_py=b""),
    "class.zip": zipped(ann__hw_ipynb=b"{}"),
    "course.tar.gz": tarred(source__ps1__p_py=b""),
    "grades.tar.bz2": tarred("w:bz2", gradebook_db=b""),
    "inner.zip": zipped(data__week1_zip=zipped(solutions__q1_txt=b"42")),
    "inner.tar.xz": tarred("w:xz", a_zip=zipped(b_gz=gzip.compress(tarred("w:", hw_ipynb=b"{}")))),
    "unsuspicious.zip": zipped(picture_jpg=zipped(hw_ipynb=b"{}")),
    "backup.rar": b"Rar!\x1a\x07\x00",
    "broken.zip": zipped(a_csv=TABLE)[:-20],
    "no_archive.zip": b"",
    "hw-sol.pdf": b"%PDF-",
    "hidden_tests.py": b"",
}


def deep(levels: int) -> bytes:
    held = zipped(a_csv=TABLE)
    for _ in range(levels):
        held = zipped(inner_zip=held)
    return held


@pytest.mark.parametrize("name", [*DATA, *WITHHELD])
def test_archives_are_judged_by_their_content(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(DATA.get(name, WITHHELD.get(name, b"")))
    given, warnings = split_files([(name, tmp_path / name)])
    assert list(given) == ([name] if name in DATA else [])
    assert all(name in str(warning) for warning in warnings) and len(warnings) == (name in WITHHELD)


def test_archives_nested_too_deep_are_withheld(tmp_path: Path) -> None:
    (tmp_path / "some.zip").write_bytes(deep(2))
    (tmp_path / "many.zip").write_bytes(deep(9))
    assert list(split_files((path.name, path) for path in tmp_path.iterdir())[0]) == ["some.zip"]


@pytest.mark.parametrize(
    ("inside", "is_given"),
    [
        ({"train/a.csv": TABLE, "more.zip": DATA["data.zip"]}, True),
        ({"a.csv": TABLE, "old/class.zip": WITHHELD["class.zip"]}, False),
        ({"a.csv": TABLE, ".ipynb_checkpoints/p-checkpoint.ipynb": b"{}"}, False),
        ({"ann/hw.ipynb": b"{}"}, False),
        ({"tests/q1.py": b""}, False),
        ({"tests/a.csv": TABLE}, True),
    ],
    ids=str,
)
def test_folder_is_given_whole_or_not_at_all(tmp_path: Path, inside: Mapping[str, bytes], is_given: bool) -> None:
    for name, content in inside.items():
        (tmp_path / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "data" / name).write_bytes(content)
    assert ("data" in split_files([("data", tmp_path / "data")])[0]) is is_given


def test_folder_behind_a_link_is_looked_into(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "solution.py").write_text("")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "more").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "data" / "again").symlink_to(tmp_path / "data")
    assert split_files([("data", tmp_path / "data")])[0] == {}


def test_nbgrader_course_withholds_solutions_and_says_so(tmp_path: Path) -> None:
    place = course.write_course(tmp_path, {"p.ipynb": [marked("test", "t", "assert True")]})
    for name in ("data.zip", "class.zip"):
        (place / name).write_bytes(DATA.get(name, WITHHELD.get(name, b"")))
    assignment = course.loaded(place)
    assert assignment.course is not None and list(assignment.course.files) == ["data.zip"]
    assert [str(warning) for warning in assignment.warnings if "class.zip" in str(warning)]


def test_notebook_unpacks_the_teachers_archive(sandbox: Sandbox, tmp_path: Path) -> None:
    place = folder(tmp_path / "course", {"q1": ok(">>> len(a)\n8")})
    (place / "data.zip").write_bytes(DATA["data.zip"])
    (place / "hw-autograder_2026.zip").write_bytes(WITHHELD["autograder.zip"])
    assignment = otter_format.load(place)
    assert assignment is not None and assignment.warnings == ()
    unpacked = "import zipfile; zipfile.ZipFile('data.zip').extractall(); a = open('data/a.csv').read()"
    result = graded(assignment, cells(unpacked, "import os; print(os.listdir())"), sandbox, tmp_path / "out")
    assert result.points == {"q1": 1}
    assert "hw-autograder" not in str(result.executed)
