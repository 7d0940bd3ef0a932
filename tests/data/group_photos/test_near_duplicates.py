from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from grader.data.group_photos.near_duplicates import (
    Signatures,
    find_similar_pairs,
    group_by_source_name,
    is_plausible_source,
    source_stem,
)
from tests.data.group_photos.drawn_photos import COPIES, FONTS, MOVED, SYMBOLS, photo, symbol


def pairs(*images: Image.Image) -> set[tuple[int, int]]:
    squares = [image.convert("RGB").resize((64, 64), Image.Resampling.BILINEAR) for image in images]
    return set(find_similar_pairs(Signatures.of(np.stack([np.asarray(square) for square in squares]))))


@pytest.mark.parametrize("copy", [pytest.param(copy, id=name) for name, copy in {**COPIES, **MOVED}.items()])
def test_the_copy_of_a_photo_is_found(copy: object) -> None:
    assert callable(copy)
    originals = [photo(seed) for seed in range(8)]
    assert pairs(*originals, *map(copy, originals)) == {(number, number + 8) for number in range(8)}


@pytest.mark.parametrize("copy", [pytest.param(copy, id=name) for name, copy in COPIES.items()])
def test_the_copy_of_a_symbol_is_found(copy: object) -> None:
    assert callable(copy)
    originals = [symbol(character) for character in "FGJLPR"]
    assert pairs(*originals, *map(copy, originals)) == {(number, number + 6) for number in range(6)}


def test_different_photos_are_not_joined() -> None:
    assert pairs(*map(photo, range(300))) == set()


def test_symbols_in_different_fonts_are_not_joined() -> None:
    assert pairs(*(symbol(character, font) for character in SYMBOLS for font in FONTS)) == set()


def test_symbols_in_uneven_light_are_not_joined() -> None:
    def lit(image: Image.Image, seed: int) -> Image.Image:
        across = np.linspace(0.55, 1, image.width)[np.newaxis, :, np.newaxis]
        grain = np.random.default_rng(seed).normal(0, 4, (image.height, image.width, 1))
        return Image.fromarray((np.asarray(image, float) * across * 0.9 + grain).clip(0, 255).astype(np.uint8))

    written = [symbol(character, font) for character in SYMBOLS for font in FONTS]
    assert pairs(*(lit(image, seed) for seed, image in enumerate(written))) == set()


def test_colour_separates_images_and_brightness_does_not() -> None:
    def disc(colour: str) -> Image.Image:
        drawn = Image.new("RGB", (96, 96), "white")
        ImageDraw.Draw(drawn).ellipse((20, 20, 76, 76), fill=colour)
        return drawn

    assert pairs(disc("#c02020"), disc("#20a020"), disc("#2020c0"), disc("#e02828")) == {(0, 3)}


def test_images_without_detail_are_not_compared() -> None:
    assert pairs(Image.new("RGB", (50, 50), "white"), Image.new("RGB", (60, 60), "white")) == set()


def test_no_images_have_no_pairs() -> None:
    assert set(find_similar_pairs(Signatures.concatenate([]))) == set()


# ---------------------------------------------------------------- names


@pytest.mark.parametrize(
    ("stem", "expected"),
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
def test_a_variation_names_its_source(stem: str, expected: str) -> None:
    assert source_stem(stem) == expected


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
def test_other_names_are_their_own_source(stem: str) -> None:
    assert source_stem(stem) == stem


def test_keras_variations_of_an_existing_image_are_joined_to_it() -> None:
    shared = dict(
        group_by_source_name(["cat_7.jpg", "cat_7_0_4711.jpg", "cat_7_0_815.jpg", "cat_8.jpg", "CAT_8_rot90.PNG"])
    )
    assert shared == {"cat_7": [0, 1, 2], "cat_8": [3, 4]}


@pytest.mark.parametrize(
    ("share", "class_size", "plausible"), [(5, 20, True), (7, 20, False), (2, 3, True), (20, 20, False), (3, 4, False)]
)
def test_a_stem_that_most_images_share_is_not_plausible(share: int, class_size: int, plausible: bool) -> None:
    assert is_plausible_source(range(share), class_size) == plausible


@settings(deadline=None, max_examples=50)  # no deadline: test machines are busy
@given(st.lists(st.text(max_size=40), max_size=10))
def test_any_name_belongs_to_at_most_one_source(names: list[str]) -> None:
    places = [place for _, shared in group_by_source_name(names) for place in shared]
    assert len(places) == len(set(places))
