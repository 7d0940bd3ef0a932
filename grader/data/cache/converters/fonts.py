"""Converter for fonts: one face per file; the Traditional Chinese face of a file with several."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

from grader.data.cache.cached_sets import FONTS
from grader.data.cache.converters.packages import Material

BOPOMOFO = range(0x3105, 0x312A)  # U+3105 ㄅ to U+3129 ㄩ
# Regular and pen-like faces. Bold and monospaced faces of a package differ too little to count as fonts.
_WANTED = re.compile(
    r"(?:Noto(?:Sans|Serif)CJK-Regular\.ttc|ukai\.ttc|uming\.ttc|bkai00mp\.ttf|cw\w+\.ttf"
    r"|LXGWWenKai-(?:Regular|Light)\.ttf|[\w-]+-chinese-traditional-400-normal\.woff)"
)


def typefaces(material: Material) -> None:
    """Write every wanted font as ``.ttf`` or ``.otf``. Copy single font files as they are."""
    for name, path in sorted(material.files.items()):
        plain = name.rpartition("/")[2]
        if _WANTED.fullmatch(plain) or (
            len(material.given) > 1 and plain.endswith((".ttf", ".otf")) and "/" not in name
        ):
            _write(path, plain, material)


def _write(path: Path, name: str, material: Material) -> None:
    from fontTools.ttLib import TTCollection, TTFont

    stem, _, suffix = name.rpartition(".")
    if suffix in ("ttf", "otf"):
        shutil.copyfile(path, material.target(f"{FONTS}/{name}"))
        return
    if suffix == "ttc":
        with path.open("rb") as file:
            face = _traditional_face(TTCollection(file, lazy=True).fonts)
            _save(face, stem, material)
        return
    with TTFont(path, lazy=True) as face:
        face.flavor = None
        _save(face, stem.removesuffix("-chinese-traditional-400-normal"), material)


def _traditional_face(faces: list[Any]) -> Any:
    """Return the face for Taiwan, as Noto or Arphic name it; otherwise the first face."""
    names = [str(face["name"].getDebugName(4)) for face in faces]
    ranked = sorted(range(len(faces)), key=lambda face: (" TC" not in names[face], " TW" not in names[face], face))
    return faces[ranked[0]]


def _save(face: Any, stem: str, material: Material) -> None:
    suffix = "otf" if face.sfntVersion == "OTTO" else "ttf"
    face.save(material.target(f"{FONTS}/{stem}.{suffix}"))


def count_missing_symbols(path: Path) -> int:
    """Count the Bopomofo symbols, of 37, that the font lacks. Raises ValueError when the file is not a font."""
    from fontTools.ttLib import TTFont, TTLibError

    try:
        # The file is opened here: fontTools would leave its own handle open when the file is not a font.
        with path.open("rb") as file, TTFont(file, lazy=True, fontNumber=0) as face:
            known = face.getBestCmap() or {}
    except TTLibError as error:
        raise ValueError(str(error)) from error
    return sum(symbol not in known for symbol in BOPOMOFO)
