"""Fonts out of packages: one face per file, for Traditional Chinese where a file holds several."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

from grader.data.cache.converters.packages import Material
from grader.data.cache.location import FONTS

BOPOMOFO = range(0x3105, 0x312A)  # U+3105 ㄅ to U+3129 ㄩ
# Regular and pen-like faces; a package's bold and monospaced ones differ too little to be fonts of their own.
_TAKEN = re.compile(
    r"(?:Noto(?:Sans|Serif)CJK-Regular\.ttc|ukai\.ttc|uming\.ttc|bkai00mp\.ttf|cw\w+\.ttf"
    r"|LXGWWenKai-(?:Regular|Light)\.ttf|[\w-]+-chinese-traditional-400-normal\.woff)"
)


def typefaces(material: Material) -> None:
    """Every font of the packages that is wanted, as ``.ttf`` or ``.otf``; single fonts are taken as they are."""
    for name, path in sorted(material.files.items()):
        plain = name.rpartition("/")[2]
        if _TAKEN.fullmatch(plain) or (
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
            face = _traditional(TTCollection(file, lazy=True).fonts)
            _save(face, stem, material)
        return
    with TTFont(path, lazy=True) as face:
        face.flavor = None
        _save(face, stem.removesuffix("-chinese-traditional-400-normal"), material)


def _traditional(faces: list[Any]) -> Any:
    """Noto's face of Taiwan, Arphic's; else the first."""
    names = [str(face["name"].getDebugName(4)) for face in faces]
    ranked = sorted(range(len(faces)), key=lambda one: (" TC" not in names[one], " TW" not in names[one], one))
    return faces[ranked[0]]


def _save(face: Any, stem: str, material: Material) -> None:
    suffix = "otf" if face.sfntVersion == "OTTO" else "ttf"
    face.save(material.target(f"{FONTS}/{stem}.{suffix}"))


def symbols_missing(path: Path) -> int:
    """How many of the 37 Bopomofo the font lacks; raises ValueError for what is no font."""
    from fontTools.ttLib import TTFont, TTLibError

    try:
        # Opened here: of a file that is no font fontTools would leave its own handle open.
        with path.open("rb") as file, TTFont(file, lazy=True, fontNumber=0) as face:
            known = face.getBestCmap() or {}
    except TTLibError as error:
        raise ValueError(str(error)) from error
    return sum(symbol not in known for symbol in BOPOMOFO)
