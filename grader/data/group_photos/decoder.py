"""Decode photos in a process of its own (started by ``grader.files.isolated``), which a hostile file may crash.

Before each picture its place goes into a file, so that the one that broke the process is known.
"""

from __future__ import annotations

import signal
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import (
    Image,
    ImageOps,
    UnidentifiedImageError,
    WebPImagePlugin,  # noqa: F401  Pillow's own start knows the other FORMATS, and is slow to know all
)

from grader.data.group_photos.decoder_protocol import ARRAYS, MAX_PIXELS, PROGRESS, THUMBNAIL, TOO_MANY_PIXELS, UNKNOWN

FORMATS = ("JPEG", "PNG", "GIF", "BMP", "WEBP")
SECONDS_EACH = 20  # a large photo takes a fifth of one
UPRIGHT_SIDE = 1024  # pixels of the longer side, of a photo that had to be turned
ORIENTATION = 0x0112  # EXIF

Bytes = NDArray[np.uint8]


def answer(request: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What became of each of ``request["files"]``, in order; their pixels go to ``ARRAYS`` in ``request["folder"]``.

    ``pixels`` are ``(n, height, width, 3)`` as every reader sees them, ``thumbnails`` ``(n, 64, 64, 3)`` on white.
    """
    Image.MAX_IMAGE_PIXELS = None  # looked at here, before anything is decoded
    folder, size = Path(request["folder"]), tuple(request["size"])
    facts: list[dict[str, Any]] = []
    pixels = np.zeros((len(request["files"]), *size, 3), np.uint8)
    thumbnails = np.zeros((len(request["files"]), THUMBNAIL, THUMBNAIL, 3), np.uint8)
    for place, path in enumerate(request["files"]):
        (folder / PROGRESS).write_text(str(place))
        _end_after(SECONDS_EACH)
        try:
            facts.append(_decoded(Path(path), folder / str(place), pixels[place], thumbnails[place]))
        except UnidentifiedImageError:
            facts.append({"problem": UNKNOWN})
        except Exception as error:  # noqa: BLE001  decoders fail in many ways: each is the file's
            facts.append({"problem": f"{type(error).__name__}: {error}"[:200]})
    _end_after(0)
    np.savez(folder / ARRAYS, pixels=pixels, thumbnails=thumbnails)
    return facts


def _end_after(seconds: int) -> None:
    """The system ends this process when the time is up, wherever in a decoder it is."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, seconds)


def _decoded(path: Path, upright: Path, pixels: Bytes, thumbnail: Bytes) -> dict[str, Any]:
    """Fills ``pixels`` and ``thumbnail``. A photo that its camera marked as turned is also written to ``upright``."""
    with Image.open(path, formats=FORMATS) as image:
        width, height = image.size
        if width * height > MAX_PIXELS:
            return {"width": width, "height": height, "problem": TOO_MANY_PIXELS}
        turned = _is_turned(image)
        side = UPRIGHT_SIDE if turned else 2 * max(THUMBNAIL, *pixels.shape[:2])
        image.draft(None, (side, side))  # a JPEG is read at a half, a quarter or an eighth of its size
        image.load()
        shown: Image.Image = ImageOps.exif_transpose(image) if turned else image.copy()
        form = str(image.format)
    if turned:
        shown.thumbnail((UPRIGHT_SIDE, UPRIGHT_SIDE))
        shown.save(upright, format="JPEG" if form == "MPO" else form, quality=95)
    pixels[:] = _resized(_as_read(shown), pixels.shape[0], pixels.shape[1])
    thumbnail[:] = _resized(_on_white(shown), THUMBNAIL, THUMBNAIL)
    return {"width": width, "height": height, "upright": turned}


def _is_turned(image: Image.Image) -> bool:
    with suppress(Exception):  # a camera's notes may be broken where its picture is not
        return image.getexif().get(ORIENTATION, 1) in range(2, 9)
    return False


def _resized(image: Image.Image, height: int, width: int) -> Bytes:
    return np.asarray(image.resize((width, height), Image.Resampling.BILINEAR), np.uint8)


def _as_read(image: Image.Image) -> Image.Image:
    """RGB with 8 bits, what is transparent in its own colour: as Keras, TensorFlow and OpenCV read it."""
    if image.mode.startswith("I") or image.mode == "F":
        deep = np.asarray(image, np.float64)
        image = Image.fromarray((deep / (257 if deep.max(initial=0) > 255 else 1)).clip(0, 255).astype(np.uint8))
    return image.convert("RGB")


def _on_white(image: Image.Image) -> Image.Image:
    """RGB as people see it."""
    if "A" not in image.mode and "transparency" not in image.info:
        return _as_read(image)
    seen = Image.new("RGBA", image.size, "white")
    seen.alpha_composite(image.convert("RGBA"))
    return seen.convert("RGB")
