"""A group's folder to an exam of its own: who sees what, and what clever groups would do about it."""

from __future__ import annotations

import tarfile
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from grader.data.group_photos.group_assignment import Prepared, prepare
from grader.data.tables import read_arrays
from grader.models.assignment import Assignment, Pictures
from grader.models.submission import Attachment, Student, Submission
from tests.data.group_photos.drawn_photos import FONTS, encoded, jpeg, laid_out, photo, symbol, two_classes

SECRET = b"s" * 32
ASKED = Pictures((32, 32), min_classes=2, min_per_class=10)
ASSIGNMENT = Assignment("photos", "1", Path(), {"en": "Photos"}, (), pictures=ASKED)


def prepared(folder: Path, files: Mapping[str, bytes], secret: bytes = SECRET, **changes: object) -> Prepared:
    submission = Submission(Student("ann", "Ann"), attachments=laid_out(folder / "handed-in", files))
    return prepare(replace(submission, **changes), ASSIGNMENT, secret, folder / "work")  # type: ignore[arg-type]


def beside(one: Prepared) -> dict[str, bytes]:
    return {attachment.name: attachment.path.read_bytes() for attachment in one.submission.attachments}


def said(one: Prepared) -> str:
    survey = one.survey
    reasons = [survey.unmeasured] if survey.unmeasured is not None else []
    return "\n".join(map(str, (*survey.unreadable, *survey.two_labels, *survey.notes, *reasons)))


def counts(one: Prepared) -> dict[str, tuple[int, int, int]]:
    return {each.name: (each.photos, each.distinct, each.held_out) for each in one.survey.classes}


# ---------------------------------------------------------------- the split


def test_no_hidden_picture_lies_beside_the_notebook(tmp_path: Path) -> None:
    files = two_classes(15, "照片") | {"notes.txt": b"ours"}
    one = prepared(tmp_path, files)
    assert counts(one) == {"blue": (15, 15, 3), "red": (15, 15, 3)}
    seen = beside(one)
    hidden = {name for name in files if name not in seen}
    assert len(hidden) == 6
    assert not {files[name] for name in hidden} & set(seen.values())
    assert {name for name in seen if name.startswith("照片/")} | hidden | {"notes.txt"} == files.keys()
    assert {name.replace("pictures/", "照片/") for name in seen if name.startswith("pictures/")} < seen.keys()

    data = one.assignment.data
    assert data is not None and data.hidden.file is not None
    table, kept = read_arrays(data.table), read_arrays(data.hidden.file)
    assert (table["x"].shape, table["x"].dtype, kept["x"].shape) == ((24, 32, 32, 3), np.uint8, (6, 32, 32, 3))
    reddish = kept["x"][..., 0].mean(axis=(1, 2)) > kept["x"][..., 2].mean(axis=(1, 2))
    assert (kept["y"] == reddish).all(), "classes are numbered in the order of their names"


def test_names_and_their_order_change_nothing_and_the_secret_does(tmp_path: Path) -> None:
    files = two_classes(12)
    renamed = {f"x/{name.split('/')[1]}/{place}.jpg": data for place, (name, data) in enumerate(files.items())}
    hidden = []
    for number, (handed_in, secret) in enumerate(
        [(files, SECRET), (dict(reversed(renamed.items())), SECRET), (files, b"t" * 32)]
    ):
        seen = set(beside(prepared(tmp_path / str(number), handed_in, secret)).values())
        hidden.append({data for data in files.values() if data not in seen})
    assert hidden[0] == hidden[1] != hidden[2]


def test_fifty_copies_of_one_picture_count_once_and_stay_together(tmp_path: Path) -> None:
    files = two_classes(8)
    first = Image.open(_opened(files["pictures/red/000.jpg"], tmp_path))
    for number in range(20):
        files[f"pictures/red/again {number}.jpg"] = files["pictures/red/000.jpg"]
        files[f"pictures/red/new{number}.png"] = encoded(ImageOps.mirror(first).rotate(90 * number))
    one = prepared(tmp_path, files)
    assert counts(one)["red"] == (48, 8, 2)
    assert (one.survey.copies, one.survey.alike) == (20 + 16, 4)
    seen = beside(one)
    copies = [name for name in files if "again" in name or "new" in name or name == "pictures/red/000.jpg"]
    assert len({name in seen for name in copies}) == 1


def _opened(data: bytes, folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / "opened"
    path.write_bytes(data)
    return path


def test_a_whole_alphabet_does_not_melt_into_one_picture(tmp_path: Path) -> None:
    files = {
        f"pictures/{letter}/{font}{ink}.png": encoded(symbol(letter, font, ink=ink))
        for letter in "ABK"
        for font in FONTS
        for ink in ("black", "#303030")
    }
    assert counts(prepared(tmp_path, files)) == dict.fromkeys("ABK", (10, 5, 1))


def test_one_picture_under_two_labels_is_said_and_never_asked(tmp_path: Path) -> None:
    files = two_classes(6)
    files |= {f"pictures/blue/also{n}.png": files[f"pictures/red/{n:03d}.jpg"] for n in range(2)}
    one = prepared(tmp_path, files)
    assert "The same picture is in several classes (blue, red)" in said(one)
    seen = beside(one)
    assert all(f"pictures/red/{n:03d}.jpg" in seen and f"pictures/blue/also{n}.png" in seen for n in range(2))


# ---------------------------------------------------------------- too few


def test_a_class_of_two_is_said_and_the_others_are_measured(tmp_path: Path) -> None:
    files = two_classes(6) | {f"pictures/green/{n}.jpg": jpeg(photo(50 + n)) for n in range(2)}
    one = prepared(tmp_path, files)
    assert "green has 2 different pictures, too few to hold one out: at least 3 are needed." in said(one)
    assert counts(one)["green"] == (2, 2, 0)
    assert one.assignment.data is not None


@pytest.mark.parametrize(
    ("files", "why"),
    [
        pytest.param({}, "No pictures were found.", id="nothing"),
        pytest.param({"a.jpg": jpeg(photo(1))}, "pictures can be held out of 0 of the 0 classes", id="no folders"),
        pytest.param({f"a/{n}.jpg": jpeg(photo(n)) for n in range(9)}, "out of 1 of the 1 classes", id="one class"),
        pytest.param(two_classes(2), "out of 0 of the 2 classes", id="two of each"),
        pytest.param({"a/1.jpg": b"", "b/1.jpg": b""}, "a/1.jpg: it is an empty file", id="none readable"),
        pytest.param(
            {name: jpeg(photo(1)) for name in two_classes(9)}, "out of 0 of the 2 classes", id="always the same"
        ),
    ],
)
def test_what_cannot_be_split_is_seen_whole_and_says_why(files: dict[str, bytes], why: str, tmp_path: Path) -> None:
    one = prepared(tmp_path, files)
    assert one.assignment.data is None
    assert why in said(one)
    assert one.survey.unmeasured is not None
    assert {name for name, data in files.items() if data} <= beside(one).keys()


def test_too_many_pictures_are_not_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grader.data.group_photos.group_assignment.MAX_PICTURES", 5)
    assert "6 pictures were handed in; expected at most 5." in said(prepared(tmp_path, two_classes(3)))


def test_a_hundred_classes(tmp_path: Path) -> None:
    one = prepared(tmp_path, {f"p/{n:04d}/{m}.png": encoded(photo(n, side=24)) for n in range(100) for m in "ab"})
    assert len(one.survey.classes) == 100
    assert len(one.survey.notes) <= 12
    assert sum(len(each.sheet) for each in one.survey.classes) <= 200_000


# ---------------------------------------------------------------- ways around it


def test_a_file_in_the_way_of_a_folder_gives_way(tmp_path: Path) -> None:
    one = prepared(tmp_path, two_classes(2, "mine") | {"pictures": b"a file", "pictures/red": b"another"})
    assert {"pictures/red/000.jpg", "mine/red/000.jpg"} <= beside(one).keys()
    assert not {"pictures", "pictures/red"} & beside(one).keys()


def test_hidden_pictures_do_not_come_back_another_way(tmp_path: Path) -> None:
    files = two_classes(10)
    blob = b"".join(files.values())
    extra = {
        "all.npz": blob, "model.keras": blob, "weights.h5": blob, "more.zip": blob, "data.bin": blob,
        "pictures.txt": files["pictures/red/000.jpg"], "large.csv": b"1,2,3\n" * 300_000,
        "small.csv": b"name,class\n", "tools.py": b"x = 1\n", "report.pdf": b"%PDF-1.7",
    }  # fmt: skip
    elsewhere = {f"backup{place}.png": data for place, data in enumerate(files.values())}
    mirrored = {
        f"extra {place}.png": encoded(ImageOps.mirror(Image.open(_opened(data, tmp_path / "x"))))
        for place, data in enumerate(files.values())
    }
    one = prepared(tmp_path, files | extra | elsewhere | mirrored)
    seen = beside(one)
    hidden = [place for place, name in enumerate(files) if name not in seen]
    assert len(hidden) == 4
    assert not [name for place in hidden for name in (f"backup{place}.png", f"extra {place}.png") if name in seen]
    assert sum(name.startswith(("backup", "extra")) for name in seen) == 32
    assert seen.keys() & extra.keys() == {"small.csv", "tools.py"}
    assert "Not laid beside the notebook" in said(one) and "report.pdf" not in said(one)


@pytest.mark.parametrize("name", ["pictures.zip", "pictures.tar.gz", "photos.tar"])
def test_an_archive_that_the_notebook_unpacks_has_the_training_side_alone(name: str, tmp_path: Path) -> None:
    files = two_classes(6, "photos")
    laid = laid_out(tmp_path / "handed-in", files)
    attachments = tuple(Attachment(one.name, one.path, name, f"in/{one.name}") for one in laid)
    one = prepared(tmp_path, {}, attachments=attachments)
    seen = beside(one)
    (archive,) = [each.path for each in one.submission.attachments if each.name == name]
    if name.endswith(".zip"):
        inside = set(zipfile.ZipFile(archive).namelist())
    else:
        with tarfile.open(archive) as opened:
            inside = set(opened.getnames())
    assert inside == {f"in/{each}" for each in files if each in seen}
    assert len(inside) == 10


def test_names_of_variations_keep_them_together(tmp_path: Path) -> None:
    """Turned by 17 degrees: nothing but the name tells."""
    files = two_classes(6)
    for name, data in list(files.items()):
        turned = Image.open(_opened(data, tmp_path / "x")).rotate(17)
        files[name.replace(".jpg", "_rot17.png")] = encoded(turned)
        files[name.replace(".jpg", "_0_4711.png")] = encoded(turned.rotate(20))
    one = prepared(tmp_path, files)
    assert counts(one) == {"blue": (18, 6, 1), "red": (18, 6, 1)}
    seen = {name.rsplit("/", 1)[1][:3] for name in beside(one) if "/red/" in name}
    assert len(seen) == 5


def test_a_name_that_all_share_is_not_believed(tmp_path: Path) -> None:
    files = {
        name.replace("/000", "/aug_0_10").replace("/00", f"/aug_0_{place + 100}"): data
        for place, (name, data) in enumerate(two_classes(8).items())
    }
    one = prepared(tmp_path, files)
    assert counts(one)["red"] == (8, 8, 2)
    assert "named as variations of one picture (aug_0), which cannot be" in said(one)


def test_the_contact_sheets_are_small_pictures(tmp_path: Path) -> None:
    one = prepared(tmp_path, two_classes(12))
    sheets = [each.sheet for each in one.survey.classes]
    assert all(sheet.startswith(b"\xff\xd8\xff") for sheet in sheets)
    assert sum(map(len, sheets)) <= 200_000
