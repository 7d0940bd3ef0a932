"""Draw pictures of the 37 Bopomofo symbols 注音符號 that look like photos of print and handwriting.

    python -m reference.bopomofo pictures --fonts /usr/share/fonts ~/fonts

writes ``pictures/<symbol>/<font>_<number>.jpg`` or ``.png``, and ``pictures/fonts.toml`` with the fonts and settings.
Pixels depend only on the seed, the fonts and the versions of NumPy, SciPy, Pillow and FreeType, not on the number of
pictures or the other symbols.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from scipy import ndimage

from reference.fonts import Font, LeftOut, choose, fonts_under, system_fonts

SYMBOLS = "ㄅㄆㄇㄈㄉㄊㄋㄌㄍㄎㄏㄐㄑㄒㄓㄔㄕㄖㄗㄘㄙㄚㄛㄜㄝㄞㄟㄠㄡㄢㄣㄤㄥㄦㄧㄨㄩ"  # U+3105 to U+3129
PINYIN = "b p m f d t n l g k h j q x zh ch sh r z c s a o e eh ai ei ao ou an en ang eng er i u yu"
ASCII = dict(zip(SYMBOLS, PINYIN.split(" "), strict=True))

Range = tuple[float, float]
Random = np.random.Generator
Pixels = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Dataset:
    """Symbols and number of the pictures; raises ``ValueError`` for unknown or repeated symbols and empty classes."""

    symbols: str = SYMBOLS
    per_class: int = 40
    seed: int = 0
    ascii_names: bool = False  # folders are called b, p, m, ... instead of the symbols

    def __post_init__(self) -> None:
        if wrong := {symbol for symbol in self.symbols if symbol not in SYMBOLS or self.symbols.count(symbol) > 1}:
            raise ValueError(f"symbols: found {''.join(sorted(wrong))}, expected some of {SYMBOLS}, each once")
        if not self.symbols or self.per_class < 1 or self.seed < 0:
            raise ValueError(f"expected a symbol, a picture of each and a seed of 0 or more, found {self}")


@dataclass(frozen=True, slots=True)
class Config:
    """Ranges of the differences between pictures; values are drawn uniformly."""

    size: int = 64  # pixels, width and height
    oversampling: int = 2  # drawn this many times larger, then reduced
    rotation: float = 12.0  # degrees, in both directions
    shear: float = 0.15  # in both directions
    scale: Range = (0.55, 0.9)  # em as a share of the picture
    shift: float = 0.1  # share of the picture, in both directions
    wobble: Range = (0.0, 0.03)  # share of the picture: deviation from the font's line
    weight: Range = (0.25, 0.56)  # level at which blurred ink is cut: below 0.5 strokes get thicker, above thinner
    paper: Range = (150.0, 255.0)  # brightness
    ink: Range = (0.0, 110.0)
    contrast: float = 70.0  # minimum between paper and ink
    tints: Range = (16.0, 40.0)  # of paper and of ink: maximum deviation of each colour
    light: float = 0.35  # maximum share that the shadow takes from the darkest corner
    blur: Range = (0.0, 1.1)  # pixels
    noise: Range = (0.0, 12.0)  # standard deviation
    jpeg: Range = (40.0, 95.0)  # quality
    png_share: float = 0.3  # share of PNG files; the others are JPEG

    def __post_init__(self) -> None:
        if self.size < 16:
            raise ValueError(f"expected a size of 16 pixels or more, found {self.size}")


def render(symbol: str, font: Font, rng: Random, config: Config) -> Image.Image:
    """Return a photo of ``symbol``: RGB, ``config.size`` square."""
    pixels = config.size * config.oversampling
    ink = _vary_strokes(_distort(_draw_symbol(symbol, font, pixels), rng, config), rng, config)
    photo = _shade(_colour(ink, rng, config), rng, config)
    picture = Image.fromarray(np.clip(photo, 0, 255).astype(np.uint8))
    picture = picture.resize((config.size, config.size), Image.Resampling.BOX)
    picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(*config.blur)))
    noise = rng.normal(0, rng.uniform(*config.noise), (config.size, config.size, 3))
    return Image.fromarray(np.clip(np.asarray(picture) + noise, 0, 255).astype(np.uint8))


def write_dataset(out: Path, fonts: Sequence[Font], dataset: Dataset, config: Config) -> int:
    """Write the pictures, using the fonts in turn, and ``fonts.toml``; return the number of pictures.

    Raises ``ValueError`` without a font, ``OSError`` if writing fails.
    """
    if not fonts:
        raise ValueError("no font has all the symbols; install fonts-noto-cjk or fonts-arphic-uming, or name --fonts")
    for symbol in dataset.symbols:
        folder = out / (ASCII[symbol] if dataset.ascii_names else symbol)
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(dataset.per_class):
            font = fonts[number % len(fonts)]
            # Each picture has its own random stream, so that it does not depend on the other pictures.
            rng = np.random.default_rng([dataset.seed, ord(symbol), crc32(font.slug.encode()), number])
            _save(render(symbol, font, rng, config), folder / f"{font.slug}_{number:03d}", rng, config)
    (out / "fonts.toml").write_text(_fonts_toml(fonts, dataset.seed, config), "utf-8", newline="\n")
    return len(dataset.symbols) * dataset.per_class


def _draw_symbol(symbol: str, font: Font, pixels: int) -> Pixels:
    """Return ink ``(pixels, pixels)``, 0.0 to 1.0, of the symbol with an em as large as the picture."""
    face = font.at(pixels)
    # Not centred by its ink: a single stroke keeps its position in a line of text. The line itself is centred, since
    # fonts differ in line height.
    canvas = Image.new("L", (pixels, pixels))
    left, top, right, bottom = face.getbbox("ㄖ")  # fills its square in every font
    ink, (x, y) = face.getmask2(symbol, "L")
    place = (round((pixels - left - right) / 2) + int(x), round((pixels - top - bottom) / 2) + int(y))
    canvas.paste(255, place, Image.frombytes("L", ink.size, bytes(ink)))
    return np.asarray(canvas, np.float32) / 255


def _distort(ink: Pixels, rng: Random, config: Config) -> Pixels:
    """Rotate, shear, scale, move and distort the ink (elastic distortion: Simard et al., 2003)."""
    pixels = len(ink)
    turn, shear = np.deg2rad(rng.uniform(-config.rotation, config.rotation)), rng.uniform(-config.shear, config.shear)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    # The interpolation needs the map from a pixel of the picture back to a point of the drawing.
    back = rotation @ np.array([[1, shear], [0, 1]]) / (rng.uniform(*config.scale) * rng.uniform(0.9, 1.1, 2))
    grid = np.indices((pixels, pixels), dtype=np.float64)  # (2, pixels, pixels)
    moved = rng.uniform(-config.shift, config.shift, (2, 1, 1)) * pixels
    middle = (pixels - 1) / 2
    points = np.einsum("ij,jyx->iyx", back, grid - middle - moved) + middle
    strayed = ndimage.gaussian_filter(rng.uniform(-1, 1, grid.shape), (0, pixels / 12, pixels / 12))
    strayed *= rng.uniform(*config.wobble) * pixels / max(float(np.abs(strayed).max()), 1e-9)
    bent: Pixels = ndimage.map_coordinates(ink, points + strayed, order=1)
    return bent


def _vary_strokes(ink: Pixels, rng: Random, config: Config) -> Pixels:
    """Thicken or thin strokes (blur, then cut at another level), and let the ink cover unevenly."""
    soft = ndimage.gaussian_filter(ink, config.oversampling * 0.8)
    level = min(rng.uniform(*config.weight), 0.7 * float(soft.max()))  # keep hairlines visible
    cut = np.clip((soft - level) * 4 + 0.5, 0, 1)
    cover = ndimage.gaussian_filter(rng.normal(size=ink.shape), 2 * config.oversampling)
    covered: Pixels = cut * np.clip(
        1 - rng.uniform(0, 0.35) * np.abs(cover) / max(float(np.abs(cover).max()), 1e-9), 0, 1
    )
    return covered


def _colour(ink: Pixels, rng: Random, config: Config) -> Pixels:
    """Return colours ``(pixels, pixels, 3)``, 0 to 255: dark ink on light paper."""
    paper = rng.uniform(*config.paper)
    dark = min(rng.uniform(*config.ink), paper - config.contrast)
    colours = np.array([[paper], [dark]]) + np.array(config.tints)[:, None] * rng.uniform(-1, 1, (2, 3))
    coloured: Pixels = colours[0] + ink[..., None] * (colours[1] - colours[0])
    return coloured


def _shade(photo: Pixels, rng: Random, config: Config) -> Pixels:
    """Darken the photo towards one side."""
    towards = rng.uniform(0, 2 * np.pi)
    y, x = np.mgrid[: len(photo), : len(photo)] / len(photo) - 0.5
    away = 0.5 + (x * np.cos(towards) + y * np.sin(towards)) / np.sqrt(2)  # 0 to 1 at most
    lit: Pixels = photo * (1 - rng.uniform(0, config.light) * away[..., None])
    return lit


def _save(picture: Image.Image, stem: Path, rng: Random, config: Config) -> None:
    quality = round(rng.uniform(*config.jpeg))
    if rng.uniform() < config.png_share:
        picture.save(stem.with_name(stem.name + ".png"))
    else:
        picture.save(stem.with_name(stem.name + ".jpg"), quality=quality)


def _fonts_toml(fonts: Sequence[Font], seed: int, config: Config) -> str:
    # JSON strings are TOML strings too.
    lines = [f"seed = {seed}", "", "[config]"]
    lines += [f"{field.name} = {json.dumps(getattr(config, field.name))}" for field in fields(config)]
    for font in fonts:
        entry = {"name": font.name, "file": font.path.name, "face": font.index, "licence": font.licence or "unknown"}
        lines += ["", "[[font]]"]
        lines += [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in entry.items()]
    return "\n".join(lines) + "\n"


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m reference.bopomofo", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("out", type=Path, help="the folder to write, a new one")
    parser.add_argument("--fonts", type=Path, nargs="+", metavar="FOLDER", help="in place of the system's fonts")
    parser.add_argument("--per-class", type=int, default=40, metavar="N", help="pictures of each symbol")
    parser.add_argument("--size", type=int, default=64, metavar="PIXELS")
    parser.add_argument("--symbols", default=SYMBOLS, help="for example ㄅㄆㄇㄈ")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--ascii", action="store_true", help="folders b, p, m, ... in place of ㄅ, ㄆ, ㄇ, ...")
    return parser.parse_args(arguments)


def _format_left_out(left_out: Sequence[LeftOut]) -> str:
    """Return a line for each reason with the names of its fonts."""
    faces: dict[str, dict[str, None]] = defaultdict(dict)
    for font in left_out:
        faces[font.reason][font.name] = None
    return "".join(f"left out: {', '.join(names)}: {reason}\n" for reason, names in faces.items())


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the pictures and print the fonts used; return 1, with the reason printed, if nothing was written."""
    options = _options(arguments)
    try:
        dataset = Dataset(options.symbols, options.per_class, options.seed, options.ascii)
        config = Config(size=options.size)
        if options.out.exists() and any(options.out.iterdir()):
            raise ValueError(f"{options.out}: holds something already, expected a new folder")
        paths = system_fonts() if options.fonts is None else fonts_under(options.fonts)
        fonts, left_out = choose(paths, dataset.symbols)
        print(_format_left_out(left_out), end="", file=sys.stderr)
        count = write_dataset(options.out, fonts, dataset, config)
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{options.out}: {count} pictures, drawn with {', '.join(font.name for font in fonts)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
