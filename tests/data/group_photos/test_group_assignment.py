from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps, PngImagePlugin

from grader.data.group_photos.group_assignment import GroupAssignment, prepare
from grader.data.tables import read_arrays
from grader.models.assignment import Assignment, Pictures
from grader.models.submission import Attachment, Student, Submission
from tests.data.group_photos.drawn_photos import FONTS, encoded, jpeg, laid_out, photo, symbol, two_classes

SECRET = b"s" * 32
PAYLOAD = b"the photos that were held out, in a few kilobytes " * 20
ASKED = Pictures((32, 32), min_classes=2, min_per_class=10)
ASSIGNMENT = Assignment("photos", "1", Path(), {"en": "Photos"}, (), pictures=ASKED)


def prepare_group(
    folder: Path, files: Mapping[str, bytes], secret: bytes = SECRET, **changes: object
) -> GroupAssignment:
    submission = Submission(Student("ann", "Ann"), attachments=laid_out(folder / "handed-in", files))
    return prepare(replace(submission, **changes), ASSIGNMENT, secret, folder / "work")  # type: ignore[arg-type]


def beside(group: GroupAssignment) -> dict[str, bytes]:
    return {attachment.name: attachment.path.read_bytes() for attachment in group.submission.attachments}


def survey_text(group: GroupAssignment) -> str:
    survey = group.survey
    reasons = [survey.unmeasured] if survey.unmeasured is not None else []
    return "\n".join(map(str, (*survey.unreadable, *survey.two_labels, *survey.notes, *reasons)))


def counts(group: GroupAssignment) -> dict[str, tuple[int, int, int]]:
    return {row.name: (row.photos, row.distinct, row.held_out) for row in group.survey.classes}


# ---------------------------------------------------------------- the split


def test_the_notebook_gets_no_hidden_photo(tmp_path: Path) -> None:
    files = two_classes(15, "照片") | {"notes.txt": b"ours"}
    group = prepare_group(tmp_path, files)
    assert counts(group) == {"blue": (15, 15, 3), "red": (15, 15, 3)}
    seen = beside(group)
    hidden = {name for name in files if name not in seen}
    assert len(hidden) == 6
    assert not {files[name] for name in hidden} & set(seen.values())
    assert {name for name in seen if name.startswith("照片/")} | hidden | {"notes.txt"} == files.keys()
    assert {name.replace("pictures/", "照片/") for name in seen if name.startswith("pictures/")} < seen.keys()

    data = group.assignment.data
    assert data is not None and data.hidden.file is not None
    table, kept = read_arrays(data.table), read_arrays(data.hidden.file)
    assert (table["x"].shape, table["x"].dtype, kept["x"].shape) == ((24, 32, 32, 3), np.uint8, (6, 32, 32, 3))
    reddish = kept["x"][..., 0].mean(axis=(1, 2)) > kept["x"][..., 2].mean(axis=(1, 2))
    assert (kept["y"] == reddish).all(), "classes are numbered in the order of their names"


def test_the_split_depends_on_the_secret_and_not_on_names_or_order(tmp_path: Path) -> None:
    files = two_classes(12)
    renamed = {f"x/{name.split('/')[1]}/{place}.jpg": data for place, (name, data) in enumerate(files.items())}
    hidden = []
    for number, (handed_in, secret) in enumerate(
        [(files, SECRET), (dict(reversed(renamed.items())), SECRET), (files, b"t" * 32)]
    ):
        seen = beside(prepare_group(tmp_path / str(number), handed_in, secret))
        hidden.append({data for name, data in handed_in.items() if name not in seen})
    assert hidden[0] == hidden[1] != hidden[2]


def test_copies_of_a_photo_count_once_and_stay_on_one_side(tmp_path: Path) -> None:
    files = two_classes(8)
    first = Image.open(_opened(files["pictures/red/000.jpg"], tmp_path))
    for number in range(20):
        files[f"pictures/red/again {number}.jpg"] = files["pictures/red/000.jpg"]
        files[f"pictures/red/new{number}.png"] = encoded(ImageOps.mirror(first).rotate(90 * number))
    group = prepare_group(tmp_path, files)
    assert counts(group)["red"] == (48, 8, 2)
    assert (group.survey.copies, group.survey.alike) == (20 + 16, 4)
    seen = beside(group)
    copies = [name for name in files if "again" in name or "new" in name or name == "pictures/red/000.jpg"]
    assert len({name in seen for name in copies}) == 1


def _opened(data: bytes, folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / "opened"
    path.write_bytes(data)
    return path


def test_symbols_of_an_alphabet_are_not_joined_into_one_photo(tmp_path: Path) -> None:
    files = {
        f"pictures/{letter}/{font}{ink}.png": encoded(symbol(letter, font, ink=ink))
        for letter in "ABK"
        for font in FONTS
        for ink in ("black", "#303030")
    }
    assert counts(prepare_group(tmp_path, files)) == dict.fromkeys("ABK", (10, 5, 1))


def test_a_photo_with_two_labels_is_reported_and_never_hidden(tmp_path: Path) -> None:
    files = two_classes(6)
    files |= {f"pictures/blue/also{n}.png": files[f"pictures/red/{n:03d}.jpg"] for n in range(2)}
    group = prepare_group(tmp_path, files)
    assert "The same photo is in several classes (blue, red)" in survey_text(group)
    seen = beside(group)
    assert all(f"pictures/red/{n:03d}.jpg" in seen and f"pictures/blue/also{n}.png" in seen for n in range(2))


# ---------------------------------------------------------------- too few


def test_a_class_of_two_is_reported_and_the_others_are_measured(tmp_path: Path) -> None:
    files = two_classes(6) | {f"pictures/green/{n}.jpg": jpeg(photo(50 + n)) for n in range(2)}
    group = prepare_group(tmp_path, files)
    assert "green has 2 different photos, too few to hold one out: at least 3 are needed." in survey_text(group)
    assert counts(group)["green"] == (2, 2, 0)
    assert group.assignment.data is not None


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        pytest.param({}, "No photos were found.", id="nothing"),
        pytest.param({"a.jpg": jpeg(photo(1))}, "photos can be held out of 0 of the 0 classes", id="no folders"),
        pytest.param({f"a/{n}.jpg": jpeg(photo(n)) for n in range(9)}, "out of 1 of the 1 classes", id="one class"),
        pytest.param(two_classes(2), "out of 0 of the 2 classes", id="two of each"),
        pytest.param({"a/1.jpg": b"", "b/1.jpg": b""}, "a/1.jpg: it is an empty file", id="none readable"),
        pytest.param(
            {name: jpeg(photo(1)) for name in two_classes(9)}, "out of 0 of the 2 classes", id="always the same"
        ),
    ],
)
def test_photos_that_cannot_be_split_are_all_visible_with_the_reason(
    files: dict[str, bytes], reason: str, tmp_path: Path
) -> None:
    group = prepare_group(tmp_path, files)
    assert group.assignment.data is None
    assert reason in survey_text(group)
    assert group.survey.unmeasured is not None
    assert {name for name, data in files.items() if data} <= beside(group).keys()


def test_too_many_photos_are_refused_before_decoding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grader.data.group_photos.group_assignment.MAX_PHOTOS", 5)
    assert "6 photos were handed in; expected at most 5." in survey_text(prepare_group(tmp_path, two_classes(3)))


def test_notes_and_contact_sheets_of_a_hundred_classes_are_limited(tmp_path: Path) -> None:
    group = prepare_group(
        tmp_path, {f"p/{n:04d}/{m}.png": encoded(photo(n, side=24)) for n in range(100) for m in "ab"}
    )
    assert len(group.survey.classes) == 100
    assert len(group.survey.notes) <= 12
    assert sum(len(row.sheet) for row in group.survey.classes) <= 200_000


# ---------------------------------------------------------------- attempts to see hidden photos


def test_visible_photos_carry_nothing_besides_their_pictures(tmp_path: Path) -> None:
    """Append data to a photo, and put it into comments, profiles and other chunks."""
    exif = Image.Exif()
    exif[0x9286] = PAYLOAD.decode()  # a user's comment
    chunks = PngImagePlugin.PngInfo()
    chunks.add_text("note", PAYLOAD.decode())
    carriers = {
        "appended.jpg": jpeg(photo(51)) + PAYLOAD,
        "exif.jpg": encoded(photo(52), "JPEG", exif=exif),
        "comment.jpg": encoded(photo(53), "JPEG", comment=PAYLOAD),
        "profile.jpg": encoded(photo(54), "JPEG", icc_profile=PAYLOAD),
        "appended.png": encoded(photo(55)) + PAYLOAD,
        "text.png": encoded(photo(56), pnginfo=chunks),
        "profile.png": encoded(photo(57), icc_profile=PAYLOAD),
        "comment.gif": encoded(photo(58), "GIF", comment=PAYLOAD),
        "exif.webp": encoded(photo(59), "WEBP", exif=exif),
        "appended.bmp": encoded(photo(60), "BMP") + PAYLOAD,
    }
    files = two_classes(10) | {f"pictures/red/{name}": data for name, data in carriers.items()}
    seen = beside(prepare_group(tmp_path, files))
    visible = [name for name in files if name in seen and Path(name).name in carriers]
    assert len(visible) >= 6
    for name in visible:
        assert PAYLOAD not in seen[name], name
        given, own = (Image.open(io.BytesIO(data)) for data in (seen[name], files[name]))
        assert (given.size, given.format) == (own.size, own.format)
        difference = np.abs(np.asarray(given.convert("RGB"), float) - np.asarray(own.convert("RGB"), float))
        assert difference.mean() < 4, name


def test_a_large_photo_is_visible_at_a_bounded_size(tmp_path: Path) -> None:
    files = two_classes(10) | {f"pictures/red/large {n}.jpg": jpeg(photo(70 + n, side=1500)) for n in range(3)}
    seen = beside(prepare_group(tmp_path, files))
    sizes = [Image.open(io.BytesIO(data)).size for name, data in seen.items() if "large" in name]
    assert sizes and all(size == (1024, 1024) for size in sizes)


def test_a_sheet_of_all_photos_outside_the_classes_is_shrunk_to_one_photo(tmp_path: Path) -> None:
    files = two_classes(10)
    sheet = Image.new("RGB", (5 * 96, 4 * 96))
    for place, data in enumerate(files.values()):
        sheet.paste(Image.open(io.BytesIO(data)), (place % 5 * 96, place // 5 * 96))
    seen = beside(prepare_group(tmp_path, files | {"overview.png": encoded(sheet)}))
    assert max(Image.open(io.BytesIO(seen["overview.png"])).size) == max(ASKED.size)


def test_hidden_photos_are_changed_a_little_and_for_each_secret_differently(tmp_path: Path) -> None:
    files = two_classes(10)
    originals = {
        np.asarray(Image.open(io.BytesIO(data)).resize(ASKED.size, Image.Resampling.BILINEAR)).tobytes()
        for data in files.values()
    }
    kept = []
    for number, secret in enumerate((SECRET, SECRET, b"t" * 32)):
        data = prepare_group(tmp_path / str(number), files, secret).assignment.data
        assert data is not None and data.hidden.file is not None
        kept.append({row.tobytes() for row in read_arrays(data.hidden.file)["x"]})
    assert kept[0] == kept[1]
    assert not kept[0] & originals and not kept[2] & originals and not kept[0] & kept[2]


def test_a_file_with_the_name_of_a_folder_is_dropped(tmp_path: Path) -> None:
    group = prepare_group(tmp_path, two_classes(2, "mine") | {"pictures": b"a file", "pictures/red": b"another"})
    assert {"pictures/red/000.jpg", "mine/red/000.jpg"} <= beside(group).keys()
    assert not {"pictures", "pictures/red"} & beside(group).keys()


def test_hidden_photos_are_not_visible_in_other_files(tmp_path: Path) -> None:
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
    group = prepare_group(tmp_path, files | extra | elsewhere | mirrored)
    seen = beside(group)
    hidden = [place for place, name in enumerate(files) if name not in seen]
    assert len(hidden) == 4
    assert not [name for place in hidden for name in (f"backup{place}.png", f"extra {place}.png") if name in seen]
    assert sum(name.startswith(("backup", "extra")) for name in seen) == 32
    assert seen.keys() & extra.keys() == {"small.csv", "tools.py"}
    assert "Not available to the notebook" in survey_text(group) and "report.pdf" not in survey_text(group)


@pytest.mark.parametrize("name", ["pictures.zip", "pictures.tar.gz", "photos.tar"])
def test_a_repacked_archive_contains_the_training_side_only(name: str, tmp_path: Path) -> None:
    files = two_classes(6, "photos")
    laid = laid_out(tmp_path / "handed-in", files)
    attachments = tuple(Attachment(file.name, file.path, name, f"in/{file.name}") for file in laid)
    group = prepare_group(tmp_path, {}, attachments=attachments)
    seen = beside(group)
    (archive,) = [attachment.path for attachment in group.submission.attachments if attachment.name == name]
    if name.endswith(".zip"):
        inside = set(zipfile.ZipFile(archive).namelist())
    else:
        with tarfile.open(archive) as opened:
            inside = set(opened.getnames())
    assert inside == {f"in/{name}" for name in files if name in seen}
    assert len(inside) == 10


def test_variations_are_kept_together_by_their_names(tmp_path: Path) -> None:
    """Rotate the variations by 17 degrees, so that only their names connect them."""
    files = two_classes(6)
    for name, data in list(files.items()):
        turned = Image.open(_opened(data, tmp_path / "x")).rotate(17)
        files[name.replace(".jpg", "_rot17.png")] = encoded(turned)
        files[name.replace(".jpg", "_0_4711.png")] = encoded(turned.rotate(20))
    group = prepare_group(tmp_path, files)
    assert counts(group) == {"blue": (18, 6, 1), "red": (18, 6, 1)}
    seen = {name.rsplit("/", 1)[1][:3] for name in beside(group) if "/red/" in name}
    assert len(seen) == 5


def test_a_source_name_that_all_photos_share_is_ignored(tmp_path: Path) -> None:
    files = {
        name.replace("/000", "/aug_0_10").replace("/00", f"/aug_0_{place + 100}"): data
        for place, (name, data) in enumerate(two_classes(8).items())
    }
    group = prepare_group(tmp_path, files)
    assert counts(group)["red"] == (8, 8, 2)
    assert "variations of one photo (aug_0)" in survey_text(group)


def test_contact_sheets_are_small_jpegs(tmp_path: Path) -> None:
    group = prepare_group(tmp_path, two_classes(12))
    sheets = [row.sheet for row in group.survey.classes]
    assert all(sheet.startswith(b"\xff\xd8\xff") for sheet in sheets)
    assert sum(map(len, sheets)) <= 200_000
