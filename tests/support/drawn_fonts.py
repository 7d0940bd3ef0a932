"""Small fonts made for tests: each character is a polygon of its own, or nothing, or another's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont
from fontTools.ttLib.ttCollection import TTCollection

EM = 1000


def write_font(
    path: Path, symbols: Iterable[str], *, name: str = "Drawn", odd: Mapping[str, str] | None = None
) -> Path:
    """Write a TrueType font; ``odd`` gives symbols another's drawing, or an empty one for "".

    The name alters no drawing.
    """
    font(symbols, name=name, odd=odd or {}).save(path)
    return path


def write_collection(path: Path, symbols: str, names: Iterable[str]) -> Path:
    """Write faces of different names and the same drawings into one file."""
    made = TTCollection()
    made.fonts = [font(symbols, name=name, odd={}) for name in names]
    made.save(path)
    return path


def font(symbols: Iterable[str], *, name: str, odd: Mapping[str, str]) -> TTFont:
    symbols = tuple(symbols)
    characters = {symbol: f"u{ord(symbol):04X}" for symbol in symbols}
    builder = FontBuilder(EM, isTTF=True)
    builder.setupGlyphOrder([".notdef", *characters.values()])
    builder.setupCharacterMap({ord(symbol): glyph for symbol, glyph in characters.items()})
    drawings = {glyph: _drawing(odd.get(symbol, symbol)) for symbol, glyph in characters.items()}
    builder.setupGlyf({".notdef": TTGlyphPen(None).glyph(), **drawings})
    builder.setupHorizontalMetrics(dict.fromkeys([".notdef", *characters.values()], (EM, 0)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    family = {"familyName": name, "styleName": "Regular", "fullName": name}
    builder.setupNameTable({**family, "licenseDescription": "For tests.\nNo more.", "licenseInfoURL": "https://x.test"})
    builder.setupOS2()
    builder.setupPost()
    return builder.font


def _drawing(symbol: str) -> object:
    pen = TTGlyphPen(None)
    if symbol:
        # Bars at the places of the code point's bits: no two symbols look alike.
        for place in (bit for bit in range(8) if bit == 7 or ord(symbol) >> bit & 1):
            _bar(pen, left=20 + 120 * place)
    return pen.glyph()


def _bar(pen: TTGlyphPen, *, left: int) -> None:
    pen.moveTo((left, 0))
    for corner in ((left, 700), (left + 70, 700), (left + 70, 0)):
        pen.lineTo(corner)
    pen.closePath()
