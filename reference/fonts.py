"""Find fonts that can draw a set of symbols, and report why others cannot.

A font's character map is not reliable: some fonts map a symbol to an empty glyph or to a common box, and collections
contain one drawing under several names. So the symbols are drawn with each face and compared.
"""

from __future__ import annotations

import logging
import re
import struct
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from fontTools.ttLib import TTFont, TTLibError
from fontTools.ttLib.ttCollection import TTCollection
from PIL import ImageFont

SUFFIXES = (".ttf", ".ttc", ".otf", ".otc", ".woff2")
FULL_NAME, LICENCE, LICENCE_URL = 4, 13, 14  # records of a font's name table
PROOF_SIZE = 48  # pixels per em at which drawings are compared

logging.getLogger("fontTools").setLevel(logging.ERROR)  # it warns about glyph names, which are not used here

# Raised by fontTools and FreeType for invalid or truncated fonts; ImportError: no Brotli for woff2.
UNREADABLE = (TTLibError, OSError, ValueError, LookupError, struct.error, AssertionError, ImportError)


@dataclass(frozen=True, slots=True)
class Font:
    """A face of a font file; ``slug`` is its name as part of a file name."""

    name: str
    path: Path
    index: int = 0  # within a collection
    licence: str = ""  # first line of the font's own statement; empty if it has none

    @property
    def slug(self) -> str:
        return re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-") or "font"

    def at(self, pixels: int) -> ImageFont.FreeTypeFont:
        """Return the face with an em of ``pixels``."""
        return _opened(self.path, self.index, pixels)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A file or face that was not used."""

    name: str
    reason: str


def system_fonts() -> list[Path]:
    """Return every font file that fontconfig knows. Raises ``OSError`` if ``fc-list`` is missing."""
    listed = subprocess.run(["fc-list", "--format", "%{file}\n"], capture_output=True, text=True, check=False)
    return sorted({Path(line) for line in listed.stdout.splitlines() if line.lower().endswith(SUFFIXES)})


def fonts_under(folders: Iterable[Path]) -> list[Path]:
    """Return the font files in ``folders`` and their subfolders; a path of a font file counts too."""
    found = (path for folder in folders for path in (folder, *folder.rglob("*")))
    return sorted({path for path in found if path.suffix.lower() in SUFFIXES and path.is_file()})


def choose(paths: Iterable[Path], symbols: Sequence[str]) -> tuple[list[Font], list[LeftOut]]:
    """Return the faces that draw all ``symbols`` differently, without duplicates, and those left out."""
    used: dict[tuple[bytes, ...], Font] = {}
    left_out: list[LeftOut] = []
    for path in paths:
        try:
            for font, known in _faces(path):
                reason = _missing_symbols(symbols, known)
                proofs = () if reason else tuple(_proof(font, symbol) for symbol in symbols)
                reason = reason or _drawing_problem(dict(zip(symbols, proofs, strict=True)))
                if not reason and used.setdefault(proofs, font) is not font:
                    reason = f"draws the symbols exactly as {used[proofs].name}"
                if reason:
                    left_out.append(LeftOut(font.name, reason))
        except UNREADABLE as error:
            left_out.append(LeftOut(path.name, f"cannot be read as a font: {str(error).strip() or 'it is cut short'}"))
    return _unique_names(used.values()), left_out


def _faces(path: Path) -> Iterator[tuple[Font, set[int]]]:
    """Yield each face with the code points that it maps to a glyph."""
    with path.open("rb") as file:
        collection = file.read(4) == b"ttcf"
        file.seek(0)
        faces = list(TTCollection(file, lazy=True)) if collection else [TTFont(file, lazy=True)]
        for index, face in enumerate(faces):
            names = face["name"]
            first_line = (names.getDebugName(LICENCE) or "").strip().split("\n")[0].strip()
            licence = " ".join(text for text in (first_line, names.getDebugName(LICENCE_URL) or "") if text)
            yield Font(names.getDebugName(FULL_NAME) or path.stem, path, index, licence), set(face.getBestCmap() or ())


def _missing_symbols(symbols: Sequence[str], known: set[int]) -> str:
    lacking = [symbol for symbol in symbols if ord(symbol) not in known]
    if len(lacking) == len(symbols):
        return "has none of the symbols"
    return f"lacks {''.join(lacking)}" if lacking else ""


def _drawing_problem(proofs: Mapping[str, bytes]) -> str:
    if empty := [symbol for symbol, drawn in proofs.items() if not drawn]:
        return f"draws nothing for {''.join(empty)}"
    seen: dict[bytes, str] = {}
    for symbol, drawn in proofs.items():
        if seen.setdefault(drawn, symbol) != symbol:
            return f"draws {seen[drawn]} and {symbol} alike"
    return ""


def _proof(font: Font, symbol: str) -> bytes:
    # Cropped to its ink: the same drawing at another height is no different drawing.
    ink = font.at(PROOF_SIZE).getmask(symbol)
    return b"%d:" % ink.size[0] + bytes(ink) if ink.getbbox() else b""


def _unique_names(fonts: Iterable[Font]) -> list[Font]:
    """Return the fonts sorted by name; fonts with the same name get their file and index added to it."""
    named: dict[str, Font] = {}
    for font in fonts:
        name = font.name
        while Font(name, font.path).slug in named:
            name += f" {font.path.stem} {font.index}"
        named[Font(name, font.path).slug] = Font(name, font.path, font.index, font.licence)
    return [named[slug] for slug in sorted(named)]


@cache
def _opened(path: Path, index: int, pixels: int) -> ImageFont.FreeTypeFont:
    # Basic layout: an installed shaping library must not change the pixels.
    return ImageFont.truetype(path, pixels, index=index, layout_engine=ImageFont.Layout.BASIC)
