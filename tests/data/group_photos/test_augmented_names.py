"""What names say of pictures, and where they say nothing."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.data.group_photos.augmented_names import is_believed, same_source, source


@pytest.mark.parametrize(
    ("stem", "of"),
    [
        ("img_001_rot90", "img_001"),
        ("img_001 (2)", "img_001"),
        ("cat_1_aug3", "cat_1"),
        ("cat_1-flip-h", "cat_1"),
        ("cat_1_rotate_-15", "cat_1"),
        ("cat_1_bright1.4", "cat_1"),
        ("aug_cat_1", "cat_1"),
        ("rot90_cat_1", "cat_1"),
        ("cat_1_rot90_flip (2)", "cat_1"),
        ("dsc_0034 - copy", "dsc_0034"),
        ("dsc_0034 - 複製", "dsc_0034"),
        ("照片1旋轉90", "照片1"),
        ("aug_0_1234", "aug_0"),
        ("cat_17_9931402", "cat_17"),
    ],
)
def test_a_variation_names_its_source(stem: str, of: str) -> None:
    assert source(stem) == of


@pytest.mark.parametrize(
    "stem",
    [
        "img_20240101_123456",  # a camera's date and time
        "cat (7)",  # a selection renamed by Windows
        "images (12)",  # a download
        "ㄅ_1_03",  # writer and sample
        "1",
        "aug",
        "dark",
        "birdcopy",
        "leaflip2",
        "",
    ],
)
def test_other_names_are_nobody_elses(stem: str) -> None:
    assert source(stem) == stem


def test_what_keras_made_of_a_picture_that_is_there() -> None:
    shared = dict(same_source(["cat_7.jpg", "cat_7_0_4711.jpg", "cat_7_0_815.jpg", "cat_8.jpg", "CAT_8_rot90.PNG"]))
    assert shared == {"cat_7": [0, 1, 2], "cat_8": [3, 4]}


@pytest.mark.parametrize(
    ("share", "pictures", "believed"), [(5, 20, True), (7, 20, False), (2, 3, True), (20, 20, False), (3, 4, False)]
)
def test_a_stem_that_most_share_is_not_believed(share: int, pictures: int, believed: bool) -> None:
    assert is_believed(range(share), pictures) == believed


@settings(deadline=None, max_examples=50)  # of a busy machine
@given(st.lists(st.text(max_size=40), max_size=10))
def test_any_name_is_read(names: list[str]) -> None:
    places = [place for _, shared in same_source(names) for place in shared]
    assert len(places) == len(set(places))
