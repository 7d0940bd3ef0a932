"""Pictures for tests: photos that are all different, symbols drawn in several fonts, and what is done to them."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFont, ImageOps

from grader.models.submission import Attachment

FONTS = ("DejaVuSans", "DejaVuSans-Bold", "DejaVuSerif", "STIXGeneral", "cmr10")
SYMBOLS = "ABCEFGHJKLPRSTZ"


def photo(seed: int, *, tint: tuple[int, int, int] = (0, 0, 0), side: int = 96) -> Image.Image:
    """Light and dark at several scales, as in nature: no two seeds alike."""
    rng = np.random.default_rng(seed)
    pixels = np.zeros((side, side, 3))
    for scale in (3, 6, 12, 24):
        coarse = Image.fromarray(rng.integers(0, 256, (scale, scale, 3), dtype=np.uint8))
        pixels += np.asarray(coarse.resize((side, side), Image.Resampling.BICUBIC), float) / 4
    stretched = (pixels - 128) * 1.8 + 128 + np.array(tint)
    return Image.fromarray(stretched.clip(0, 255).astype(np.uint8))


def symbol(character: str, font: str = FONTS[0], *, side: int = 96, ink: str = "black") -> Image.Image:
    """``character`` in the middle of white paper."""
    drawn = Image.new("RGB", (side, side), "white")
    left, top, right, bottom = _font(font, side).getbbox(character)
    place = ((side - right + left) / 2 - left, (side - bottom + top) / 2 - top)
    ImageDraw.Draw(drawn).text(place, character, font=_font(font, side), fill=ink)
    return drawn


@cache
def _font(name: str, side: int) -> ImageFont.FreeTypeFont:
    fonts = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    return ImageFont.truetype(str(fonts / f"{name}.ttf"), side * 3 // 4)


def jpeg(picture: Image.Image, quality: int = 90) -> bytes:
    return encoded(picture, "JPEG", quality=quality)


def encoded(picture: Image.Image, form: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)  # type: ignore[arg-type]
    return buffer.getvalue()


def _noisy(picture: Image.Image) -> Image.Image:
    noise = np.random.default_rng(0).normal(0, 20, (picture.height, picture.width, 3))
    return Image.fromarray((np.asarray(picture, float) + noise).clip(0, 255).astype(np.uint8))


# Copies that have to be found whatever the picture is.
COPIES: Mapping[str, Callable[[Image.Image], Image.Image]] = {
    "mirrored": ImageOps.mirror,
    "upside down": ImageOps.flip,
    "turned by 90": lambda one: one.rotate(90),
    "turned by 180": lambda one: one.rotate(180),
    "mirrored and turned": lambda one: ImageOps.mirror(one).rotate(270),
    "recompressed": lambda one: Image.open(io.BytesIO(jpeg(one, 20))),
    "smaller": lambda one: one.resize((64, 64)),
    "larger": lambda one: one.resize((200, 200)),
    "darker": lambda one: ImageEnhance.Brightness(one).enhance(0.6),
    "noisy": _noisy,
    "grey": lambda one: one.convert("L").convert("RGB"),
}
# And, of photos, copies that are a little moved.
MOVED: Mapping[str, Callable[[Image.Image], Image.Image]] = {
    "turned by 2": lambda one: one.rotate(2, resample=Image.Resampling.BILINEAR),
    "cut by 2 %": lambda one: one.crop((2, 2, one.width - 2, one.height - 2)),
    "shifted by 1 %": lambda one: one.transform(one.size, Image.Transform.AFFINE, (1, 0, 1, 0, 1, 1)),
}


def laid_out(folder: Path, files: Mapping[str, bytes]) -> tuple[Attachment, ...]:
    """Attachments of these names, as intake gives them: their bytes lie elsewhere under numbers."""
    folder.mkdir(parents=True, exist_ok=True)
    attachments = []
    for number, (name, content) in enumerate(files.items()):
        path = folder / f"{number:05d}"
        path.write_bytes(content)
        attachments.append(Attachment(name, path))
    return tuple(attachments)


@cache
def _tinted(seed: int, tint: tuple[int, int, int]) -> bytes:
    return jpeg(photo(seed, tint=tint))


def two_classes(count: int, folder: str = "pictures") -> dict[str, bytes]:
    """Reddish and bluish photos, ``count`` each."""
    tints = {"red": (90, -40, -40), "blue": (-40, -40, 90)}
    return {
        f"{folder}/{label}/{number:03d}.jpg": _tinted(1000 * place + number, tint)
        for place, (label, tint) in enumerate(tints.items())
        for number in range(count)
    }
