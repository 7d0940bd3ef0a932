"""Extract a PDF's visible text, page by page. Runs in an isolated process: see ``grader.files.isolated``.

Scripts, attachments, forms and links are ignored. Invisible text is left out and counted.
"""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from pypdf import PageObject, PasswordType, PdfReader
from pypdf.errors import DependencyError, FileNotDecryptedError
from pypdf.generic import ContentStream, NameObject

TINY = 2.5  # points; smaller text cannot be read
WHITE = 0.94  # the darkest colour component of a colour that counts as white; 1 is full light
INVISIBLE = 3  # text rendering mode

_Matrix = tuple[float, float, float, float, float, float]
_UNIT: _Matrix = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
_SHOWS = (b"Tj", b"TJ", b"'", b'"')
_PAINTS = (b"f", b"F", b"f*", b"B", b"B*", b"b", b"b*", b"sh")


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """Return the text of at most ``pages`` pages of the file at ``path``, or the reason in ``trouble``.

    ``characters`` limits the text of one page.
    """
    logging.disable(logging.CRITICAL)  # the answer reports a broken file
    try:
        reader = PdfReader(request["path"])
        if reader.is_encrypted and reader.decrypt("") is PasswordType.NOT_DECRYPTED:
            return {"trouble": "encrypted"}
        count = len(reader.pages)
        pages = [_page(page, request["characters"]) for page in islice(reader.pages, request["pages"])]
    except (DependencyError, FileNotDecryptedError):
        return {"trouble": "encrypted"}
    except Exception as error:  # noqa: BLE001  pypdf may raise anything for a hostile or broken file
        return {"trouble": "broken", "detail": f"{type(error).__name__}: {error}"[:200]}
    return {"trouble": "", "count": count, "pages": pages}


def _page(page: PageObject, characters: int) -> dict[str, Any]:
    found = {"text": "", "read": True, "pictures": False, "hidden": 0, "white": 0, "recognised": 0, "unmapped": 0}
    try:
        seen = _without_hidden(page)
        text = page.extract_text()
    except Exception:  # noqa: BLE001  as above; other pages may still be readable
        return found | {"read": False}
    counts = {name: getattr(seen, name) for name in ("pictures", "hidden", "white", "recognised", "unmapped")}
    return found | counts | {"text": text[:characters].encode("utf-8", "replace").decode()}


# ------------------------------------------------------------------ visible text


@dataclass(frozen=True)
class _State:
    """Graphics state that ``q`` saves and ``Q`` restores."""

    place: _Matrix = _UNIT
    light: float = 0.0  # darkest component of the fill colour; 1 is white
    mode: int = 0
    size: float = 0.0
    mapped: bool = True  # the font has a table of its characters


@dataclass
class _Seen:
    """Counts for one page, in characters unless noted, and the graphics state."""

    hidden: int = 0  # left out of the text
    white: int = 0  # white, but on a coloured background, so perhaps visible
    recognised: int = 0  # invisible over a picture: a scan with recognised text (OCR)
    unmapped: int = 0  # in fonts without a table of their characters
    pictures: bool = False
    painted: bool = False
    state: _State = field(default_factory=_State)
    kept: list[_State] = field(default_factory=list)
    line: _Matrix = _UNIT


def _without_hidden(page: PageObject) -> _Seen:
    """Remove the operations that show invisible text from ``page``, and return the counts."""
    contents = page.get_contents()
    seen = _Seen(pictures=bool(_pictures(page)))
    if contents is None:
        return seen
    stream = ContentStream(contents, page.pdf, "bytes")  # extract_text needs text as codes
    mapped = {name: _is_mapped(font) for name, font in _resources(page, "/Font").items()}
    box = page.cropbox
    bounds = (float(box.left), float(box.bottom), float(box.right), float(box.top))
    operations = []
    for operands, operator in stream.operations:
        if operator in _SHOWS:
            if _is_hidden(seen, operands, bounds):
                continue
        elif operator == b"Tf":
            seen.state = replace(seen.state, size=float(operands[1]), mapped=mapped.get(str(operands[0]), True))
        else:
            _follow(seen, operands, operator)
        operations.append((operands, operator))
    stream.operations = operations
    page[NameObject("/Contents")] = stream
    return seen


def _resources(page: PageObject, kind: str) -> dict[str, Any]:
    resources = page.get("/Resources")
    found = resources.get_object().get(kind) if resources is not None else None
    return (
        {str(name): resource.get_object() for name, resource in found.get_object().items()} if found is not None else {}
    )


def _pictures(page: PageObject) -> list[str]:
    return [name for name, image in _resources(page, "/XObject").items() if image.get("/Subtype") == "/Image"]


def _is_mapped(font: Any) -> bool:
    """Return whether a machine can read the font's codes: glyph numbers need a table of their characters."""
    return not (font.get("/Subtype") == "/Type0" and "/ToUnicode" not in font and "Identity" in str(font["/Encoding"]))


def _follow(seen: _Seen, operands: Any, operator: bytes) -> None:
    """Apply an operator to the graphics state; PDF 32000-1, 8.4.4 and 9.3."""
    state = seen.state
    match operator:
        case b"q":
            seen.kept.append(state)
        case b"Q":
            seen.state = seen.kept.pop() if seen.kept else state
        case b"cm":
            seen.state = replace(state, place=_times(_matrix(operands), state.place))
        case b"BT":
            seen.line = _UNIT
        case b"Tm":
            seen.line = _matrix(operands)
        case b"Td" | b"TD":
            seen.line = _times((1, 0, 0, 1, float(operands[0]), float(operands[1])), seen.line)
        case b"Tr":
            seen.state = replace(state, mode=int(operands[0]))
        case b"INLINE IMAGE":
            seen.pictures = seen.painted = True
        case b"Do":
            seen.painted = True
        case _ if operator in _PAINTS:
            seen.painted = seen.painted or state.light < WHITE
        case b"g" | b"rg" | b"k" | b"sc" | b"scn":
            components = [float(operand) for operand in operands if _is_number(operand)]
            # In a named colour space a single component of 1 may mean full ink.
            dark = len(components) == 1 and operator != b"g"
            seen.state = replace(state, light=0.0 if dark else _light(components))


def _is_number(value: Any) -> bool:
    try:
        return math.isfinite(float(value))
    except (TypeError, ValueError):
        return False


def _light(components: list[float]) -> float:
    """Return the lightness of a colour, 0 (black) to 1 (white); four components are inks (CMYK)."""
    if len(components) == 4:
        return 1.0 - max(components)
    return min(components, default=0.0)


def _matrix(operands: Any) -> _Matrix:
    a, b, c, d, e, f = map(float, operands)
    return a, b, c, d, e, f


def _times(left: _Matrix, right: _Matrix) -> _Matrix:
    a, b, c, d, e, f = left
    g, h, i, j, k, m = right
    return a * g + b * i, a * h + b * j, c * g + d * i, c * h + d * j, e * g + f * i + k, e * h + f * j + m


def _is_hidden(seen: _Seen, operands: Any, bounds: tuple[float, float, float, float]) -> bool:
    state = seen.state
    length = _length(operands)
    a, b, c, d, x, y = _times(seen.line, state.place)
    left, bottom, right, top = bounds
    size = abs(state.size) * math.sqrt(abs(a * d - b * c))
    if not (left - 1 <= x <= right + 1 and bottom - 1 <= y <= top + 1) or size < TINY:
        seen.hidden += length
        return True
    if state.mode == INVISIBLE:
        seen.recognised += length if seen.pictures else 0
        seen.hidden += 0 if seen.pictures else length
        return not seen.pictures
    if state.light >= WHITE and state.mode == 0:
        seen.white += length if seen.painted or seen.pictures else 0
        seen.hidden += 0 if seen.painted or seen.pictures else length
        return not (seen.painted or seen.pictures)
    seen.unmapped += 0 if state.mapped else length
    return False


def _length(operands: Any) -> int:
    """Return the number of bytes of the strings shown, one or two for a character."""
    parts = operands[0] if operands and isinstance(operands[0], list) else operands
    return sum(len(part) for part in parts if isinstance(part, (str, bytes)))
