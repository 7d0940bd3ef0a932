"""Copies are found, and different pictures, however much alike, stay apart."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw

from grader.data.group_photos.near_duplicates import Signatures, alike_pairs
from tests.data.group_photos.drawn_photos import COPIES, FONTS, MOVED, SYMBOLS, photo, symbol


def pairs(*pictures: Image.Image) -> set[tuple[int, int]]:
    squares = [one.convert("RGB").resize((64, 64), Image.Resampling.BILINEAR) for one in pictures]
    return set(alike_pairs(Signatures.of(np.stack([np.asarray(one) for one in squares]))))


@pytest.mark.parametrize("copied", [pytest.param(copied, id=name) for name, copied in (COPIES | MOVED).items()])
def test_the_copy_of_a_photo_is_found(copied: object) -> None:
    assert callable(copied)
    originals = [photo(seed) for seed in range(8)]
    assert pairs(*originals, *map(copied, originals)) == {(number, number + 8) for number in range(8)}


@pytest.mark.parametrize("copied", [pytest.param(copied, id=name) for name, copied in COPIES.items()])
def test_the_copy_of_a_symbol_is_found(copied: object) -> None:
    assert callable(copied)
    originals = [symbol(character) for character in "FGJLPR"]
    assert pairs(*originals, *map(copied, originals)) == {(number, number + 6) for number in range(6)}


def test_different_photos_stay_apart() -> None:
    assert pairs(*map(photo, range(300))) == set()


def test_symbols_and_their_fonts_stay_apart() -> None:
    """All are black ink in the middle of white paper."""
    assert pairs(*(symbol(character, font) for character in SYMBOLS for font in FONTS)) == set()


def test_symbols_on_paper_in_uneven_light_stay_apart() -> None:
    def lit(picture: Image.Image, seed: int) -> Image.Image:
        across = np.linspace(0.55, 1, picture.width)[np.newaxis, :, np.newaxis]
        grain = np.random.default_rng(seed).normal(0, 4, (picture.height, picture.width, 1))
        return Image.fromarray((np.asarray(picture, float) * across * 0.9 + grain).clip(0, 255).astype(np.uint8))

    written = [symbol(character, font) for character in SYMBOLS for font in FONTS]
    assert pairs(*(lit(one, seed) for seed, one in enumerate(written))) == set()


def test_colours_make_a_difference_and_brightness_does_not() -> None:
    def disc(colour: str) -> Image.Image:
        drawn = Image.new("RGB", (96, 96), "white")
        ImageDraw.Draw(drawn).ellipse((20, 20, 76, 76), fill=colour)
        return drawn

    assert pairs(disc("#c02020"), disc("#20a020"), disc("#2020c0"), disc("#e02828")) == {(0, 3)}


def test_pictures_without_any_detail_are_not_compared() -> None:
    assert pairs(Image.new("RGB", (50, 50), "white"), Image.new("RGB", (60, 60), "white")) == set()


def test_no_pictures_at_all() -> None:
    assert set(alike_pairs(Signatures.joined([]))) == set()
