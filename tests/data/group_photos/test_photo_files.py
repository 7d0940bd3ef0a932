from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.data.group_photos.photo_files import FoundPhotos, find_photos
from grader.models.submission import Attachment


def found(*names: str) -> FoundPhotos:
    return find_photos([Attachment(name, Path("/nowhere") / name) for name in names])


def counts(*names: str) -> dict[str, int]:
    return dict(Counter(file.label for file in found(*names).files if file.label is not None))


@pytest.mark.parametrize(
    ("names", "classes"),
    [
        pytest.param(["cat/1.jpg", "cat/2.JPG", "dog/1.png"], {"cat": 2, "dog": 1}, id="classes at the top"),
        pytest.param(["pictures/ㄅ/一.jpeg", "pictures/ㄆ/1.gif"], {"ㄅ": 1, "ㄆ": 1}, id="in the folder asked for"),
        pytest.param(
            ["data/train/貓/1.bmp", "data/train/狗/1.webp", "data/test/貓/1.bmp"], {"貓": 2, "狗": 1}, id="a split"
        ),
        pytest.param(
            ["訓練集/ㄅ/1.png", "測試集/ㄅ/1.png", "訓練集/ㄆ/1.png"], {"ㄅ": 2, "ㄆ": 1}, id="split, Chinese"
        ),
        pytest.param(["group 3/hw/photos/a/1.jpg", "group 3/hw/photos/b/1.jpg"], {"a": 1, "b": 1}, id="wrappers"),
        pytest.param(["pictures/a/1.jpg", "pictures/b/1.jpg", "figures/loss.png"], {"a": 1, "b": 1}, id="figures"),
        pytest.param(
            ["pictures/a/1.jpg", "pictures/b/1.jpg", "figures/loss.png", "screenshots/1.png", "logo.png"],
            {"a": 1, "b": 1},
            id="figures and more",
        ),
        pytest.param(["a/day 1/1.jpg", "a/day 2/1.jpg", "b/day 1/1.jpg", "b/x/1.jpg"], {"a": 2, "b": 2}, id="deeper"),
        pytest.param(["original/a/1.jpg", "augmented/a/1.jpg", "augmented/b/1.jpg"], {"a": 2, "b": 1}, id="augmented"),
        pytest.param(["train/1.jpg", "test/1.jpg"], {"train": 1, "test": 1}, id="a split without classes"),
        pytest.param(
            ["train/a/1.jpg", "train/b/1.jpg", "test/1.jpg", "val/1.jpg"], {"a": 1, "b": 1}, id="test unknown"
        ),
        pytest.param(["p/train/x/1.jpg", "p/car/1.jpg", "p/bus/1.jpg"], {"train": 1, "car": 1, "bus": 1}, id="trains"),
        pytest.param(["only/1.jpg"], {"only": 1}, id="one class"),
        pytest.param(["1.jpg", "2.jpg"], {}, id="no folder"),
        pytest.param(["pictures/a/1.heic", "pictures/b/1.txt"], {"a": 1}, id="other files"),
        pytest.param([], {}, id="nothing"),
    ],
)
def test_class_folders_are_found(names: list[str], classes: dict[str, int]) -> None:
    assert counts(*names) == classes


def test_unused_and_combined_files_are_reported() -> None:
    notes = "\n".join(map(str, found("pictures/a/1.jpg", "pictures/b/1.jpg", "pictures/c.jpg", "x.png").notes))
    assert "not in a class folder: pictures/c.jpg, x.png." in notes
    notes = "\n".join(map(str, found("1.jpg", "2.jpg").notes))
    assert "2 photos are not in a class folder, for example 1.jpg" in notes
    notes = "\n".join(map(str, found("train/a/1.jpg", "train/b/1.jpg", "test/a/2.jpg", "test/b/1.jpg").notes))
    assert "The photos of test, train were combined." in notes
    assert "Cat, cat differ only in capital" in str(found("Cat/1.jpg", "cat/1.jpg").notes[0])


def test_names_within_a_class_are_unique() -> None:
    files = found("train/a/1.jpg", "test/a/1.jpg", "test/b/1.jpg", "train/b/1.JPG").files
    assert len({(file.label, file.name.casefold()) for file in files}) == 4


def test_classes_are_in_the_order_of_keras() -> None:
    assert found("p/b/1.jpg", "p/B/1.jpg", "p/ㄅ/1.jpg", "p/10/1.jpg", "p/9/1.jpg").labels == (
        "10",
        "9",
        "B",
        "b",
        "ㄅ",
    )


# An attachment's name is a relative path. A name that is only a suffix, ".jpg", is a hidden file and not a photo.
NAMES = st.text(st.characters(exclude_characters="\0\n"), min_size=1, max_size=30).filter(
    lambda name: "/" not in (name[0], name[-1])
)


@settings(deadline=None, max_examples=50)  # no deadline: test machines are busy
@given(st.lists(NAMES, max_size=20))
def test_every_photo_is_found_in_any_order_of_the_files(names: list[str]) -> None:
    attachments = [Attachment(f"{name}.jpg", Path("/nowhere")) for name in dict.fromkeys(names)]
    forward, backward = find_photos(attachments), find_photos(attachments[::-1])
    assert forward.labels == backward.labels
    assert sorted(file.attachment.name for file in forward.files) == sorted(a.name for a in attachments)
