"""Wherever a group keeps its pictures, the folders of the classes are found; what is not used is said."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.data.group_photos.photo_files import Found, find
from grader.models.submission import Attachment


def found(*names: str) -> Found:
    return find([Attachment(name, Path("/nowhere") / name) for name in names])


def counts(*names: str) -> dict[str, int]:
    return dict(Counter(one.label for one in found(*names).pictures if one.label is not None))


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
def test_classes_are_found(names: list[str], classes: dict[str, int]) -> None:
    assert counts(*names) == classes


def test_what_is_not_used_is_said() -> None:
    notes = "\n".join(map(str, found("pictures/a/1.jpg", "pictures/b/1.jpg", "pictures/c.jpg", "x.png").notes))
    assert "no folder of a class: pictures/c.jpg, x.png." in notes
    notes = "\n".join(map(str, found("1.jpg", "2.jpg").notes))
    assert "2 pictures lie in no folder of a class, for example 1.jpg" in notes
    notes = "\n".join(map(str, found("train/a/1.jpg", "train/b/1.jpg", "test/a/2.jpg", "test/b/1.jpg").notes))
    assert "The pictures of test, train were taken together." in notes
    assert "Cat, cat differ in capitals" in str(found("Cat/1.jpg", "cat/1.jpg").notes[0])


def test_names_of_one_class_are_told_apart() -> None:
    pictures = found("train/a/1.jpg", "test/a/1.jpg", "test/b/1.jpg", "train/b/1.JPG").pictures
    assert len({(one.label, one.name.casefold()) for one in pictures}) == 4


def test_classes_are_numbered_as_keras_does() -> None:
    assert found("p/b/1.jpg", "p/B/1.jpg", "p/ㄅ/1.jpg", "p/10/1.jpg", "p/9/1.jpg").labels == (
        "10",
        "9",
        "B",
        "b",
        "ㄅ",
    )


# An attachment's name is a relative path, and what only consists of a suffix, ".jpg", is a hidden file and no picture.
NAMES = st.text(st.characters(exclude_characters="\0\n"), min_size=1, max_size=30).filter(
    lambda name: "/" not in (name[0], name[-1])
)


@settings(deadline=None, max_examples=50)  # of a busy machine
@given(st.lists(NAMES, max_size=20))
def test_every_picture_is_accounted_for_and_order_does_not_matter(names: list[str]) -> None:
    attachments = [Attachment(f"{name}.jpg", Path("/nowhere")) for name in dict.fromkeys(names)]
    one, other = find(attachments), find(attachments[::-1])
    assert one.labels == other.labels
    assert sorted(picture.attachment.name for picture in one.pictures) == sorted(a.name for a in attachments)
