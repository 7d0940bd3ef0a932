"""Pictures of symbols: the same again for the same seed, a font for each that can draw them all, and no other."""

from __future__ import annotations

import tomllib
from itertools import combinations
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from PIL import Image

from reference.bopomofo import ASCII, SYMBOLS, Config, Dataset, main, render, write_dataset
from reference.fonts import Font, choose, fonts_under
from tests.support import photos_class
from tests.support.drawn_fonts import write_collection, write_font

DEJAVU = Path(matplotlib.get_data_path()) / "fonts" / "ttf"  # has no Bopomofo


@pytest.fixture(scope="module")
def real_fonts() -> list[Font]:
    return photos_class.fonts()


@pytest.fixture
def drawn(tmp_path: Path) -> Font:
    return choose([write_font(tmp_path / "drawn.ttf", SYMBOLS)], SYMBOLS)[0][0]


def pixels(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# ---------------------------------------------------------------- fonts


def test_symbols_match_unicode_and_have_distinct_ascii_names() -> None:
    assert "".join(map(chr, range(0x3105, 0x312A))) == SYMBOLS
    assert len(set(ASCII.values())) == 37
    assert all(name.isascii() and name.islower() for name in ASCII.values())


@pytest.mark.parametrize(
    ("symbols", "odd", "reason"),
    [
        pytest.param("ABC", {}, "has none of the symbols", id="Latin"),
        pytest.param(SYMBOLS.replace("ㄝ", ""), {}, "lacks ㄝ", id="one missing"),
        pytest.param(SYMBOLS, {"ㄅ": "", "ㄩ": ""}, "draws nothing for ㄅㄩ", id="mapped to nothing"),
        pytest.param(SYMBOLS, {"ㄋ": "ㄇ"}, "draws ㄇ and ㄋ alike", id="the same box for two"),
    ],
)
def test_font_without_every_symbol_is_left_out(tmp_path: Path, symbols: str, odd: dict[str, str], reason: str) -> None:
    fonts, left_out = choose([write_font(tmp_path / "odd.ttf", symbols, name="Odd", odd=odd)], SYMBOLS)

    assert fonts == []
    assert [(font.name, font.reason) for font in left_out] == [("Odd", reason)]


def test_only_requested_symbols_matter(tmp_path: Path) -> None:
    fonts, left_out = choose([write_font(tmp_path / "few.ttf", "ㄅㄆㄇ")], "ㄅㄇ")

    assert (len(fonts), left_out) == (1, [])


@pytest.mark.parametrize("suffix", [".ttf", ".ttc", ".otf", ".woff2"])
@pytest.mark.parametrize("content", [b"", b"<!DOCTYPE html>", None], ids=["empty", "a web page", "cut short"])
def test_invalid_font_file_is_left_out(tmp_path: Path, content: bytes | None, suffix: str) -> None:
    complete = write_font(tmp_path / "whole.ttf", SYMBOLS).read_bytes()
    path = tmp_path / f"broken{suffix}"
    path.write_bytes(complete[: len(complete) // 3] if content is None else content)

    fonts, left_out = choose([path], SYMBOLS)

    assert fonts == []
    assert left_out[0].reason.startswith("cannot be read as a font: ")


def test_duplicate_drawings_are_one_font(tmp_path: Path) -> None:
    paths = [
        write_collection(tmp_path / "many.ttc", SYMBOLS, ["JP", "KR", "TC"]),
        write_font(tmp_path / "z.ttf", SYMBOLS),
    ]
    fonts, left_out = choose(paths, SYMBOLS)

    assert [font.name for font in fonts] == ["JP"]
    assert [font.name for font in left_out] == ["KR", "TC", "Drawn"]
    assert {font.reason for font in left_out} == {"draws the symbols exactly as JP"}


def test_fonts_with_the_same_name_get_unique_names(tmp_path: Path) -> None:
    swapped = {"ㄅ": "A", "ㄆ": "B"}
    paths = [
        write_font(tmp_path / "one.ttf", SYMBOLS, name="注音"),
        write_font(tmp_path / "two.ttf", SYMBOLS, name="注音", odd=swapped),
    ]
    fonts, _ = choose(paths, SYMBOLS)

    assert len({font.slug for font in fonts}) == 2
    assert all(font.slug.isascii() for font in fonts)


def test_fonts_under_finds_files_in_folders_and_single_files(tmp_path: Path) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    path = write_font(tmp_path / "deep" / "er" / "a.TTF", "ㄅ")
    (tmp_path / "deep" / "readme.txt").write_text("no font")

    assert fonts_under([tmp_path, path]) == [path]


# ---------------------------------------------------------------- pictures


@pytest.mark.parametrize("size", [16, 64, 90])
def test_picture_is_rgb_with_dark_ink_on_light_paper(drawn: Font, size: int) -> None:
    picture = render("ㄅ", drawn, np.random.default_rng(1), Config(size=size))
    values = np.asarray(picture, float).mean(axis=2)

    assert (picture.size, picture.mode) == ((size, size), "RGB")
    assert np.ptp(values) > 50


def test_every_symbol_is_readable_in_every_font(real_fonts: list[Font]) -> None:
    # The blandest drawing of each: darker than its paper somewhere, and not all over.
    for font in real_fonts:
        for symbol in SYMBOLS:
            picture = render(symbol, font, np.random.default_rng(ord(symbol)), Config(noise=(0, 0), light=0))
            grey = np.asarray(picture, float).mean(axis=2)
            inked = float((grey < (grey.min() + grey.max()) / 2).mean())
            assert np.ptp(grey) > 25 and 0.005 < inked < 0.5, f"{symbol} in {font.name}: {inked:.3f} of it is ink"


def test_symbols_differ_with_equal_settings(real_fonts: list[Font]) -> None:
    pictures = {symbol: np.asarray(render(symbol, real_fonts[0], np.random.default_rng(3), Config()), float)
                for symbol in SYMBOLS}  # fmt: skip
    nearest = min((float(np.abs(pictures[a] - pictures[b]).mean()), a + b) for a, b in combinations(SYMBOLS, 2))

    assert nearest[0] > 3, f"{nearest[1]} look alike"


def test_the_same_seed_gives_the_same_files(drawn: Font, tmp_path: Path) -> None:
    for folder, seed in (("one", 5), ("two", 5), ("other", 6)):
        write_dataset(tmp_path / folder, [drawn], Dataset("ㄅㄆ", 6, seed), Config(size=32))
    first, second, other = (pixels(tmp_path / folder) for folder in ("one", "two", "other"))

    assert first == second
    assert len(set(first.values())) == 2 * 6 + 1, "no picture is there twice"
    assert not set(first.values()) & set(other.values())


def test_picture_does_not_depend_on_the_number_of_pictures(drawn: Font, tmp_path: Path) -> None:
    write_dataset(tmp_path / "few", [drawn], Dataset("ㄇ", 3), Config())
    write_dataset(tmp_path / "more", [drawn], Dataset("ㄅㄆㄇ", 5), Config())
    few, more = pixels(tmp_path / "few"), pixels(tmp_path / "more")

    assert {name: data for name, data in more.items() if name in few} == few


def test_folders_are_classes_and_fonts_are_recorded(drawn: Font, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert write_dataset(out, [drawn], Dataset("ㄅㄓ", 8, 0, ascii_names=True), Config(size=48)) == 16

    assert sorted(path.name for path in out.iterdir()) == ["b", "fonts.toml", "zh"]
    paths = [path for path in out.rglob("*") if path.suffix in (".jpg", ".png")]
    assert len(paths) == 16
    assert {path.suffix for path in paths} == {".jpg", ".png"}
    for path in paths:
        with Image.open(path) as picture:
            assert (picture.size, picture.format) == ((48, 48), {".jpg": "JPEG", ".png": "PNG"}[path.suffix])
    written = tomllib.loads((out / "fonts.toml").read_text("utf-8"))
    assert written["font"] == [
        {"name": "Drawn", "file": "drawn.ttf", "face": 0, "licence": "For tests. https://x.test"}
    ]
    assert (written["seed"], written["config"]["size"]) == (0, 48)


# ---------------------------------------------------------------- the command


def test_command_prints_the_fonts_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_font(tmp_path / "a.ttf", SYMBOLS)
    arguments = ["--fonts", str(tmp_path), str(DEJAVU / "DejaVuSans.ttf"), "--per-class", "2", "--symbols", "ㄅㄆ"]

    assert main([str(tmp_path / "out"), *arguments]) == 0

    printed = capsys.readouterr()
    assert printed.err == "left out: DejaVu Sans: has none of the symbols\n"
    assert "4 pictures, drawn with Drawn" in printed.out
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["fonts.toml", "ㄅ", "ㄆ"]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        pytest.param(["--fonts", str(DEJAVU)], "install fonts-noto-cjk", id="no font"),
        pytest.param(["--symbols", "ㄅx"], "found x, expected some of ㄅㄆ", id="no such symbol"),
        pytest.param(["--symbols", "ㄅㄆㄅ"], "each once", id="a symbol twice"),
        pytest.param(["--symbols", ""], "expected a symbol", id="no symbol"),
        pytest.param(["--per-class", "0"], "a picture of each", id="no picture"),
        pytest.param(["--seed", "-1"], "a seed of 0 or more", id="seed"),
        pytest.param(["--size", "2"], "expected a size of 16", id="size"),
    ],
)
def test_invalid_option_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], reason: str
) -> None:
    assert main([str(tmp_path / "out"), *arguments]) == 1
    printed = capsys.readouterr().err
    assert reason in printed and "Traceback" not in printed
    assert not (tmp_path / "out").exists()


def test_existing_pictures_are_not_mixed_with_new_ones(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.png").write_bytes(b"mine")

    assert main([str(tmp_path)]) == 1
    assert "expected a new folder" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.png"]
