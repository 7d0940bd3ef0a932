"""Images for tests: random photos, symbols in several fonts, and their variations."""

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
    """Return random light and dark areas at several scales, as in nature; different for every seed."""
    rng = np.random.default_rng(seed)
    pixels = np.zeros((side, side, 3))
    for scale in (3, 6, 12, 24):
        coarse = Image.fromarray(rng.integers(0, 256, (scale, scale, 3), dtype=np.uint8))
        pixels += np.asarray(coarse.resize((side, side), Image.Resampling.BICUBIC), float) / 4
    stretched = (pixels - 128) * 1.8 + 128 + np.array(tint)
    return Image.fromarray(stretched.clip(0, 255).astype(np.uint8))


def symbol(character: str, font: str = FONTS[0], *, side: int = 96, ink: str = "black") -> Image.Image:
    """Return ``character`` in the middle of white paper."""
    drawn = Image.new("RGB", (side, side), "white")
    left, top, right, bottom = _font(font, side).getbbox(character)
    place = ((side - right + left) / 2 - left, (side - bottom + top) / 2 - top)
    ImageDraw.Draw(drawn).text(place, character, font=_font(font, side), fill=ink)
    return drawn


@cache
def _font(name: str, side: int) -> ImageFont.FreeTypeFont:
    fonts = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    return ImageFont.truetype(str(fonts / f"{name}.ttf"), side * 3 // 4)


def jpeg(image: Image.Image, quality: int = 90) -> bytes:
    return encoded(image, "JPEG", quality=quality)


def encoded(image: Image.Image, form: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def _noisy(image: Image.Image) -> Image.Image:
    noise = np.random.default_rng(0).normal(0, 20, (image.height, image.width, 3))
    return Image.fromarray((np.asarray(image, float) + noise).clip(0, 255).astype(np.uint8))


# Copies that must be found for photos and symbols.
COPIES: Mapping[str, Callable[[Image.Image], Image.Image]] = {
    "mirrored": ImageOps.mirror,
    "upside down": ImageOps.flip,
    "turned by 90": lambda image: image.rotate(90),
    "turned by 180": lambda image: image.rotate(180),
    "mirrored and turned": lambda image: ImageOps.mirror(image).rotate(270),
    "recompressed": lambda image: Image.open(io.BytesIO(jpeg(image, 20))),
    "smaller": lambda image: image.resize((64, 64)),
    "larger": lambda image: image.resize((200, 200)),
    "darker": lambda image: ImageEnhance.Brightness(image).enhance(0.6),
    "noisy": _noisy,
    "grey": lambda image: image.convert("L").convert("RGB"),
}
# Slightly moved copies, which must be found for photos.
MOVED: Mapping[str, Callable[[Image.Image], Image.Image]] = {
    "turned by 2": lambda image: image.rotate(2, resample=Image.Resampling.BILINEAR),
    "cut by 2 %": lambda image: image.crop((2, 2, image.width - 2, image.height - 2)),
    "shifted by 1 %": lambda image: image.transform(image.size, Image.Transform.AFFINE, (1, 0, 1, 0, 1, 1)),
}


def laid_out(folder: Path, files: Mapping[str, bytes]) -> tuple[Attachment, ...]:
    """Write files under generated names and return attachments with the given names, as intake does."""
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
    """Return ``count`` reddish and ``count`` bluish photos."""
    tints = {"red": (90, -40, -40), "blue": (-40, -40, 90)}
    return {
        f"{folder}/{label}/{number:03d}.jpg": _tinted(1000 * place + number, tint)
        for place, (label, tint) in enumerate(tints.items())
        for number in range(count)
    }
