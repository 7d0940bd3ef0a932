"""The style of HTML elements, and with it whether their text can be seen, as far as their own attributes tell."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

STYLING = ("style", "hidden", "color", "bgcolor")  # the attributes that are read

FAINT = 0.2  # opacity
TINY_PX, USUAL_PX = 5.0, 16.0
FAR_PX = 500.0  # outside the page
PALE = 235  # of 255, each of red, green and blue

_SIZES = ("width", "height", "max-width", "max-height", "line-height")
_OFFSETS = ("left", "right", "top", "bottom", "text-indent", "margin-left", "margin-top")
_PIXELS = {"px": 1.0, "": 1.0, "pt": 4 / 3, "rem": USUAL_PX, "cm": 38.0, "mm": 3.8, "in": 96.0, "vw": 10.0, "vh": 10.0}
_LENGTH = re.compile(r"([+-]?\d*\.?\d+)\s*(px|pt|em|rem|ex|cm|mm|in|%|vw|vh|)")
_NUMBER = re.compile(r"[+-]?\d*\.?\d+")
_SHRUNK = re.compile(r"scale[xy3d]*\(\s*0(?:\.0\d*)?\s*[,)]|opacity\(\s*0(?:\.0\d*)?%?\s*\)")
_PALE = """
    white snow ivory ghostwhite floralwhite whitesmoke mintcream azure aliceblue seashell oldlace linen
"""


@dataclass(frozen=True, slots=True)
class TextStyle:
    """Style of the text in an element; the default is that of the page."""

    is_visible: bool = True
    on_colour: bool = False  # the background is not the page's: there, pale text can be read
    pixels: float = USUAL_PX  # height of the letters
    opacity: float = 1.0

    def inside(self, attributes: Mapping[str, str | None]) -> TextStyle:
        """Return the style inside an element with these attributes, which lies in an element of this style."""
        if not attributes:
            return self
        style = _declarations(attributes)
        background = style.get("background-color") or style.get("background") or "none"
        on_colour = self.on_colour or not (background == "none" or _is_pale(background) or _is_transparent(background))
        pixels, opacity = self._letters(style), self.opacity * _number(style.get("opacity", ""), 1.0)
        visible = (
            self.is_visible
            and pixels > TINY_PX
            and opacity >= FAINT
            and not _is_taken_away(style)
            and not _has_hidden_colour(style.get("color", ""), background, on_colour=on_colour)
        )
        return TextStyle(visible, on_colour, pixels, opacity)

    def _letters(self, style: Mapping[str, str]) -> float:
        size = style.get("font-size") or style.get("font", "").partition("/")[0].rpartition(" ")[2]
        pixels = _pixels(size, of=self.pixels)
        return self.pixels if pixels is None else pixels


def _declarations(attributes: Mapping[str, str | None]) -> dict[str, str]:
    """Return property -> value, in lower case, of an element's style and of its older HTML attributes."""
    style = {"color": (attributes.get("color") or "").lower(), "background-color": attributes.get("bgcolor") or ""}
    if "hidden" in attributes:
        style["display"] = "none"
    text = re.sub(r"/\*.*?\*/", "", attributes.get("style") or "", flags=re.DOTALL).lower()
    for declaration in text.split(";"):
        name, _, value = declaration.partition(":")
        style[name.strip()] = value.replace("!important", "").strip()
    return style


def _is_taken_away(style: Mapping[str, str]) -> bool:
    """Return whether the element is not displayed, has no size, or lies outside the page."""
    sizes = [_pixels(style.get(name, ""), of=1000.0) for name in _SIZES]
    offsets = [_pixels(style.get(name, ""), of=1000.0) for name in _OFFSETS]
    return (
        style.get("display") == "none"
        or style.get("visibility") in ("hidden", "collapse")
        or any(size is not None and size <= 1 for size in sizes)
        or any(offset is not None and abs(offset) >= FAR_PX for offset in offsets)
        or _SHRUNK.search(style.get("transform", "") + style.get("filter", "")) is not None
        or style.get("clip", "auto") != "auto"
        or style.get("clip-path", "none") != "none"
    )


def _has_hidden_colour(colour: str, background: str, *, on_colour: bool) -> bool:
    if not colour:
        return False
    return _is_transparent(colour) or colour == background or (_is_pale(colour) and not on_colour)


def _pixels(length: str, *, of: float) -> float | None:
    """Return a length in pixels, None if there is none; percentages are those of ``of``, ems of ``of`` or the usual."""
    found = _LENGTH.fullmatch(length)
    if found is None:
        return None
    value, unit = float(found[1]), found[2]
    if unit == "%":
        return value / 100 * of
    if unit in ("em", "ex"):
        return value * min(of, USUAL_PX)
    return value * _PIXELS[unit]


def _number(text: str, default: float) -> float:
    found = _NUMBER.match(text)
    if found is None:
        return default
    return float(found[0]) / (100 if text.endswith("%") else 1)


def _is_transparent(colour: str) -> bool:
    if colour == "transparent" or re.fullmatch(r"#[0-9a-f]{3}[0-2]|#[0-9a-f]{6}[0-2][0-9a-f]", colour):
        return True
    parts = _arguments(colour)
    return len(parts) == 4 and _number(parts[3], 1.0) < FAINT


def _is_pale(colour: str) -> bool:
    """Return whether a colour cannot be read on white."""
    digits = re.fullmatch(r"#([0-9a-f]{3,8})", colour)
    if digits is not None:
        size = 1 if len(digits[1]) < 6 else 2
        return min(int((digits[1][at : at + size] * 2)[:2], 16) for at in range(0, 3 * size, size)) >= PALE
    parts = _arguments(colour)
    if colour.startswith("rgb") and len(parts) >= 3:
        return all(_number(part, 0.0) * (255 if part.endswith("%") else 1) >= PALE for part in parts[:3])
    if colour.startswith("hsl") and len(parts) >= 3:
        return _number(parts[2], 0.0) * 255 >= PALE
    return colour in _PALE.split()


def _arguments(colour: str) -> list[str]:
    return re.split(r"[\s,/]+", colour.partition("(")[2].rstrip(") "))
