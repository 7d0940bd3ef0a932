"""Group photos from archive to grade, through the pipeline and in a real kernel."""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest

from grader.lms.archive.submissions import read_submissions
from grader.models.assignment import Assignment, Pictures
from grader.models.grade import Graded
from grader.models.run import Outcome
from grader.models.submission import Submission
from grader.pipeline import Settings, grade_class
from grader.sandbox.base import Job, Reply
from grader.sandbox.fake import FakeSandbox, finished
from grader.sandbox.guest.output_forms import Array
from grader.sandbox.namespaces import NamespaceSandbox
from tests.data.group_photos.drawn_photos import jpeg, photo, two_classes
from tests.data.group_photos.photo_assignment import photo_assignment
from tests.support.builders import by_name, moodle_name, said, write_folder, write_zip, zip_bytes
from tests.support.fake_runs import FITTED
from tests.support.notebooks import notebook_bytes

ASKED = Pictures((24, 24))
ASKING = Assignment("photos", "1", Path(), {"en": "Photos"}, (), pictures=ASKED)
SECRET = b"s" * 32


@pytest.fixture
def assignment(tmp_path: Path) -> Assignment:
    return photo_assignment(tmp_path / "photos")


def read_submission(path: Path, workspace: Path) -> Submission:
    (submission,) = read_submissions([path], workspace=workspace, assignment=ASKING)
    return submission


def names(submission: Submission) -> set[str]:
    return {attachment.name for attachment in submission.attachments}


# ---------------------------------------------------------------- archives


def test_a_zip_beside_a_notebook_is_unpacked_when_photos_are_asked_for(tmp_path: Path) -> None:
    photos_zip = zip_bytes(two_classes(3, "mine") | {"__MACOSX/mine/red/._000.jpg": b"x", "mine/.DS_Store": b"x"})
    files = {moodle_name("Ann", 1, "hw.ipynb"): notebook_bytes("x = 1"), moodle_name("Ann", 1, "p.zip"): photos_zip}
    path = write_zip(tmp_path / "class.zip", files)
    submission = by_name(read_submissions([path], workspace=tmp_path / "w", assignment=ASKING))["Ann"]
    assert names(submission) == two_classes(3, "mine").keys()
    assert {(file.archive, file.inner == file.name) for file in submission.attachments} == {("p.zip", True)}
    assert "p.zip was unpacked." in said(submission)
    unasked = by_name(read_submissions([path], workspace=tmp_path / "w"))["Ann"]
    assert names(unasked) == {"p.zip"}


def test_archives_with_the_same_names_inside_are_kept_apart(tmp_path: Path) -> None:
    inside = {"a/1.jpg": b"1", "b/1.jpg": b"2"}
    folder = write_folder(
        tmp_path / "class",
        {
            "ann/hw.ipynb": notebook_bytes("x = 1"),
            "ann/train.zip": zip_bytes(inside),
            "ann/test.zip": zip_bytes(inside),
        },
    )
    assert names(read_submission(folder, tmp_path / "w")) == {"a/1.jpg", "b/1.jpg", "train/a/1.jpg", "train/b/1.jpg"}


def test_a_zip_with_notebook_and_photos_is_unpacked(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "hw.zip", two_classes(3) | {"hw.ipynb": notebook_bytes("x = 1")})
    submission = read_submission(write_folder(tmp_path / "class", {"ann/hw.zip": path.read_bytes()}), tmp_path / "w")
    assert names(submission) == two_classes(3).keys()
    assert {file.archive for file in submission.attachments} == {""}


def zip_of_many(count: int) -> bytes:
    """Return a zip whose table of contents lists ``count`` files."""
    local = struct.pack("<4s5H3I2H", b"PK\3\4", 20, 0, 0, 0, 0, 0, 0, 0, 1, 0) + b"a"
    lines = [
        struct.pack("<4s6H3I5H2I", b"PK\1\2", 20, 20, 0, 0, 0, 0, 0, 0, 0, 11, 0, 0, 0, 0, 0, 0)
        + b"a/%05d.jpg" % number
        for number in range(count)
    ]
    size = sum(map(len, lines))
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, count, count, size, len(local), 0)
    return local + b"".join(lines) + end


def test_an_archive_of_50_000_files_is_refused_in_one_note(tmp_path: Path) -> None:
    files = {"ann/hw.ipynb": notebook_bytes("x = 1"), "ann/pictures.zip": zip_of_many(50_000)}
    submission = read_submission(write_folder(tmp_path / "class", files), tmp_path / "w")
    assert [str(note) for note in submission.notes] == ["pictures.zip holds more than 20000 files. Split it."]
    assert submission.notebook is not None


def test_a_notebook_given_by_its_path_comes_with_its_photos(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "mine", two_classes(2) | {"hw.ipynb": notebook_bytes("x = 1"), "else.txt": b"x"})
    assert names(read_submission(folder / "hw.ipynb", tmp_path / "w")) == two_classes(2).keys()


# ---------------------------------------------------------------- a class


def group_folder(folder: Path, groups: Mapping[str, Mapping[str, bytes]], *cells: str) -> Path:
    for name, files in groups.items():
        write_folder(
            folder / name,
            {"hw.ipynb": notebook_bytes(*(cells or (f"print('{name}')\nmodel.fit(X, y)",)))} | dict(files),
        )
    return folder


def graded_class(assignment: Assignment, folder: Path, sandbox: object, out: Path) -> dict[str, Graded]:
    handed_in = read_submissions([folder], workspace=out / "in", assignment=assignment).submissions
    results = grade_class(assignment, handed_in, sandbox, Settings(out, SECRET))  # type: ignore[arg-type]
    return {graded.submission.student.name: graded for graded in results}


def points(graded: Graded) -> list[float | None]:
    return [score.points for score in graded.grade.scores]


def redness(rows: Array) -> Array:
    """Return the class of each image: blue 0, red 1."""
    return (rows[..., 0].mean(axis=(1, 2)) > rows[..., 2].mean(axis=(1, 2))).astype(np.int64)


def test_each_group_predicts_its_own_hidden_photos(assignment: Assignment, tmp_path: Path) -> None:
    def script(job: Job) -> Reply:
        assert all(name.startswith("pictures/") for name in job.files)
        return finished(job, answers=redness, facts={"chosen": FITTED["chosen"]})

    groups = {"ann": two_classes(10), "bob": two_classes(20) | {"pictures/red/x.jpg": b"broken"}, "cai": {}}
    few = {"dan": {f"pictures/{name}/1.jpg": jpeg(photo(1)) for name in "ab"}}
    sandbox = FakeSandbox(script)
    results = graded_class(assignment, group_folder(tmp_path / "class", groups | few), sandbox, tmp_path / "out")
    assert points(results["ann"]) == [10, 20, 60]
    assert points(results["bob"]) == [10, pytest.approx(19.9, abs=0.01), 60]
    asked = sorted(len(job.question.hidden_inputs) for job in sandbox.jobs if job.question)
    assert asked == [80 + 4, 80 + 8], "photos of the public set, and a fifth of the group's own"
    for name, why in (
        ("cai", "No photos were found."),
        ("dan", "Accuracy was not measured: photos can be held out of 0"),
    ):
        graded = results[name]
        assert (graded.run.outcome, points(graded)[0], points(graded)[2]) == (Outcome.OK, 10, 0)
        assert str(graded.grade.scores[2].reason).startswith(why)
    assert json.loads((tmp_path / "out" / "grades.json").read_text())["submissions"][0]["total"] == 90
    page = (tmp_path / "out" / "students" / "bob" / "report.html").read_text("utf-8")
    assert page.count("data:image/jpeg;base64,") == 2
    assert "pictures/red/x.jpg: it is" in page


def test_a_failing_decoder_is_a_grader_fault(
    assignment: Assignment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grader.data.group_photos.decoding.DECODER", "no_such_module")
    folder = group_folder(tmp_path / "class", {"ann": two_classes(4)})
    graded = graded_class(assignment, folder, FakeSandbox(finished), tmp_path / "out")["ann"]
    assert (graded.run.outcome, graded.grade.total, graded.grade.needs_review) == (Outcome.GRADER_FAULT, None, True)


def test_temporary_files_of_a_group_are_deleted(
    assignment: Assignment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    seen: list[Path] = []

    def script(job: Job) -> Reply:
        seen.extend((tmp_path / "temporary").rglob("held_out.npz"))
        return finished(job)

    folder = group_folder(tmp_path / "class", {"ann": two_classes(4)})
    graded_class(assignment, folder, FakeSandbox(script), tmp_path / "out")
    assert len(seen) == 1
    assert list((tmp_path / "temporary").iterdir()) == []


# ---------------------------------------------------------------- a real kernel

# The group's folder, its zip, and a path on Google Drive: three ways to the same photos.
HOMEWORK = """
import os, glob, zipfile, numpy as np
from PIL import Image
from sklearn.linear_model import LogisticRegression
on_drive = len(os.listdir("/content/drive/MyDrive/mine"))
zipfile.ZipFile("mine.zip").extractall("unpacked")
print([len(glob.glob(f"{way}/*/*.jpg")) for way in ("mine", "pictures", "unpacked/mine")], on_drive)
files = sorted(glob.glob("mine/*/*.jpg"))
names = sorted(os.listdir("mine"))
X = np.array([np.asarray(Image.open(file).resize((24, 24))) for file in files])
y = np.array([names.index(file.split("/")[1]) for file in files])
model = LogisticRegression(max_iter=500).fit(X.reshape(len(X), -1) / 255, y)
def predict(X):
    return model.predict(np.asarray(X).reshape(len(X), -1) / 255)
"""
# An attack: search the disk for photos that the training table does not have.
SEARCH = """
import os
found = []
for place in ("/job", "/tmp", "/home", "/root", "/var", "/dev/shm", "/content"):
    for top, folders, files in os.walk(place):
        found += [os.path.join(top, name) for name in files]
known = {name.split("/pictures/")[1] for name in found if "/pictures/" in name}
print("FOUND", len(known), [name for name in found if "held_out" in name])
"""


@pytest.fixture(scope="module")
def warm() -> Iterator[NamespaceSandbox]:
    sandbox = NamespaceSandbox(dict(os.environ), preload=False)
    yield sandbox
    sandbox.close()


def test_a_notebook_that_learns_from_its_photos_earns_its_points(
    warm: NamespaceSandbox, assignment: Assignment, tmp_path: Path
) -> None:
    files = {"mine.zip": zip_bytes(two_classes(20, "mine"))}
    folder = group_folder(tmp_path / "class", {"ann": files}, HOMEWORK, SEARCH)
    graded = graded_class(assignment, folder, warm, tmp_path / "out")["ann"]
    assert graded.run.outcome is Outcome.OK, graded.run.reason
    assert points(graded) == [10, 20, 60], graded.grade.scores[2].reason
    executed = (tmp_path / "out" / "students" / "ann" / "executed.ipynb").read_text("utf-8")
    assert "[32, 32, 32] 2" in executed
    assert "FOUND 32 []" in executed
