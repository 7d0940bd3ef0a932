"""Decode photos in a separate process, started by ``grader.files.isolated``, which a hostile file may crash.

The place of each photo is written to a file before it is decoded, so that the photo that crashed the process is known.
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
    WebPImagePlugin,  # noqa: F401  Pillow preloads the plugins of the other FORMATS; loading all plugins is slow
)

from grader.data.group_photos.decoding import (
    ARRAYS,
    MAX_PIXELS,
    NO_PIXELS_LEFT,
    ORDINARY,
    PIXELS_PER_BYTE,
    PROGRESS,
    THUMBNAIL,
    TOO_MANY_PIXELS,
    UNKNOWN,
)
from grader.files.plain_files import open_plain

FORMATS = ("JPEG", "PNG", "GIF", "BMP", "WEBP")
SECONDS_PER_PHOTO = 20  # a large photo takes 0.2 s
SCALED = ("JPEG", "MPO")  # decoded at a fraction of their size, so that their pixels cost little
QUALITY = 95  # of JPEG and WebP files
ORIENTATION = 0x0112  # EXIF

Pixels = NDArray[np.uint8]


def answer(request: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Decode ``request["files"]`` and return one record per file, in order.

    Writes each readable photo anew to the file ``<place>`` in ``request["folder"]``: upright, its longer side at most
    the one in ``request["sides"]``, without anything that the file carried besides its picture.

    Writes two uint8 arrays to ``ARRAYS`` in ``request["folder"]``: ``pixels``, ``(n, height, width, 3)`` of the size in
    ``request["size"]``, as Keras, TensorFlow and OpenCV read them; and ``thumbnails``, ``(n, 64, 64, 3)`` on white.
    """
    Image.MAX_IMAGE_PIXELS = None  # checked here, before anything is decoded
    folder, size = Path(request["folder"]), tuple(request["size"])
    facts: list[dict[str, Any]] = []
    left = int(request["pixels"])
    pixels = np.zeros((len(request["files"]), *size, 3), np.uint8)
    thumbnails = np.zeros((len(request["files"]), THUMBNAIL, THUMBNAIL, 3), np.uint8)
    for place, path in enumerate(request["files"]):
        (folder / PROGRESS).write_text(str(place))
        _set_timer(SECONDS_PER_PHOTO)
        try:
            side = int(request["sides"][place])
            anew = (folder / str(place), side)
            facts.append(_decode(Path(path), anew, pixels[place], thumbnails[place], left=left))
            left -= facts[-1].get("spent", 0)
        except UnidentifiedImageError:
            facts.append({"problem": UNKNOWN})
        except Exception as error:  # noqa: BLE001  decoders can raise any error for a damaged file
            facts.append({"problem": f"{type(error).__name__}: {error}"[:200]})
    _set_timer(0)
    np.savez(folder / ARRAYS, pixels=pixels, thumbnails=thumbnails)
    return facts


def _set_timer(seconds: int) -> None:
    """Let the system end this process after ``seconds``, even inside a decoder."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, seconds)


def _decode(path: Path, anew: tuple[Path, int], pixels: Pixels, thumbnail: Pixels, *, left: int) -> dict[str, Any]:
    """Fill ``pixels`` and ``thumbnail``, and write the photo to the path ``anew`` with the longer side given there.

    A photo that cannot be decoded at a smaller size spends its pixels of the ``left`` ones of the submission.
    """
    with open_plain(path) as file, Image.open(file, formats=FORMATS) as image:
        width, height = image.size
        if width * height > MAX_PIXELS:
            return {"width": width, "height": height, "problem": TOO_MANY_PIXELS}
        spent = 0 if image.format in SCALED else _weigh(width * height, path.stat().st_size)
        if spent > left:
            return {"width": width, "height": height, "problem": NO_PIXELS_LEFT}
        rotated = _is_rotated(image)
        side = max(anew[1], 2 * max(THUMBNAIL, *pixels.shape[:2]))
        image.draft(None, (side, side))  # decode a JPEG at a half, a quarter or an eighth of its size
        image.load()
        shown: Image.Image = ImageOps.exif_transpose(image) if rotated else image.copy()
        form = str(image.format)
    pixels[:] = _resize(_as_libraries_read(shown), pixels.shape[0], pixels.shape[1])
    thumbnail[:] = _resize(_on_white(shown), THUMBNAIL, THUMBNAIL)
    _write(shown, *anew, form="JPEG" if form == "MPO" else form)
    return {"width": width, "height": height, "spent": spent}


def _weigh(pixels: int, size: int) -> int:
    """Return the pixels that count for a file of ``size`` bytes."""
    return pixels if pixels > PIXELS_PER_BYTE * size else pixels // ORDINARY


def _write(image: Image.Image, path: Path, side: int, *, form: str) -> None:
    """Write the picture alone: comments, colour profiles, thumbnails and appended bytes could hold other photos."""
    image.info = {name: value for name, value in image.info.items() if name == "transparency"}
    try:
        image.thumbnail((side, side))
        image.save(path, format=form, quality=QUALITY)
    except (OSError, ValueError):  # a mode that can be read but not resized or written
        plain = _as_libraries_read(image)
        plain.thumbnail((side, side))
        plain.save(path, format=form, quality=QUALITY)


def _is_rotated(image: Image.Image) -> bool:
    with suppress(Exception):  # EXIF data may be broken in an intact image
        return image.getexif().get(ORIENTATION, 1) in range(2, 9)
    return False


def _resize(image: Image.Image, height: int, width: int) -> Pixels:
    return np.asarray(image.resize((width, height), Image.Resampling.BILINEAR), np.uint8)


def _as_libraries_read(image: Image.Image) -> Image.Image:
    """Return 8-bit RGB with the colours of transparent pixels, as Keras, TensorFlow and OpenCV read it."""
    if image.mode.startswith("I") or image.mode == "F":
        deep = np.asarray(image, np.float64)
        image = Image.fromarray((deep / (257 if deep.max(initial=0) > 255 else 1)).clip(0, 255).astype(np.uint8))
    return image.convert("RGB")


def _on_white(image: Image.Image) -> Image.Image:
    """Return RGB on a white background, as people see it."""
    if "A" not in image.mode and "transparency" not in image.info:
        return _as_libraries_read(image)
    seen = Image.new("RGBA", image.size, "white")
    seen.alpha_composite(image.convert("RGBA"))
    return seen.convert("RGB")
