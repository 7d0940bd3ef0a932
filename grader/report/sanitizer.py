"""Sanitise students' content: the HTML that comes out runs nothing, loads nothing and hides nothing.

Everything works by allow-lists: content that is not known to be safe is left out or shown as text.
"""

from __future__ import annotations

import base64
import binascii
import re
import struct
from collections.abc import Callable, Mapping
from functools import cache
from urllib.parse import unquote

import mistune
import nh3
from markupsafe import Markup, escape
from pygments import highlight  # type: ignore[import-untyped]
from pygments.formatters import HtmlFormatter  # type: ignore[import-untyped]
from pygments.lexers import PythonLexer  # type: ignore[import-untyped]

IMAGE_TYPES = ("image/png", "image/jpeg", "image/gif")
IMAGE_BYTES = 4_000_000
IMAGE_PIXELS = 40_000_000  # a few hundred bytes may unpack to more than a browser's memory

TEXT_LINES = 160
TEXT_CHARACTERS = 16_000
_CODE_CHARACTERS = 40_000  # longer code is not coloured, because that takes too long
MARKUP_CHARACTERS = 40_000  # the time for cleaning grows with the square of the nesting

_TAGS = """
    a abbr b blockquote br caption code col colgroup dd del details div dl dt em figcaption figure h1 h2 h3 h4 h5 h6
    hr i img ins kbd li mark ol p pre q s samp small span strong sub summary sup table tbody td tfoot th thead tr u
    ul var
"""
_ATTRIBUTES = {
    "a": {"href"},
    "img": {"src", "alt"},
    "ol": {"start"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
}
# Elements whose text is a program or a style.
_DROPPED_WHOLE = """
    script style iframe object embed applet template noscript noembed noframes svg math title textarea xmp
"""

_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\^_])")
REORDERING = re.compile("[\u202a-\u202e\u2066-\u2069]")  # embeddings, overrides and isolates of text direction
_CONTROLS = re.compile(r"[\x00-\x07\x0b\x0c\x0e-\x1f\x7f]")
_MOST_EMBEDDED = 200  # pictures in one fragment; others count as text
_EMBEDDED = re.compile(r"data:(image/(?:png|jpeg|gif));base64,([A-Za-z0-9+/=]*)", re.IGNORECASE)


def terminal_text(text: str) -> str:
    """Return what a terminal would show at the end: no colours, progress bars at their last state."""
    text = _ESCAPES.sub("", text).replace("\r\n", "\n")
    return _CONTROLS.sub("", "\n".join(map(_final_state, text.split("\n"))))


def _final_state(line: str) -> str:
    """Return what is left of a line that was written over."""
    if "\r" not in line and "\b" not in line:
        return line
    if "\b" in line:
        kept: list[str] = []
        for character in line:
            if character != "\b":
                kept.append(character)
            elif kept and kept[-1] != "\r":
                kept.pop()
        line = "".join(kept)
    return next((part for part in reversed(line.split("\r")) if part.strip()), "")


def shorten(text: str, *, lines: int = TEXT_LINES, characters: int = TEXT_CHARACTERS) -> tuple[str, str, int]:
    """Return the beginning and the end of ``text`` and the number of characters left out between them."""
    rows = text.split("\n")
    if len(rows) <= lines and len(text) <= characters:
        return text, "", 0
    begun = "\n".join(rows[: lines * 3 // 4]) if len(rows) > lines else text
    head = begun[: characters * 3 // 4]
    rest = text[len(head) :]
    tail = "\n".join(rest.split("\n")[-(lines // 4) :])[-(characters // 4) :]
    return head, tail, len(rest) - len(tail)


def image_uri(media_type: str, encoded: str) -> str | None:
    """Return a ``data:`` URI for a base64 picture of the stated type and a sane size; None for anything else."""
    if media_type not in IMAGE_TYPES or len(encoded) > IMAGE_BYTES * 2:
        return None
    try:
        content = base64.b64decode("".join(encoded.split()), validate=True)
    except (binascii.Error, ValueError):
        return None
    size = _SIZES[media_type](content)
    if size is None or len(content) > IMAGE_BYTES or not 0 < size[0] * size[1] <= IMAGE_PIXELS:
        return None
    return f"data:{media_type};base64,{base64.b64encode(content).decode('ascii')}"


def _png_size(content: bytes) -> tuple[int, int] | None:
    if len(content) < 24 or not content.startswith(b"\x89PNG\r\n\x1a\n") or content[12:16] != b"IHDR":
        return None
    width, height = struct.unpack(">II", content[16:24])
    return width, height


def _gif_size(content: bytes) -> tuple[int, int] | None:
    if len(content) < 10 or not content.startswith((b"GIF87a", b"GIF89a")):
        return None
    width, height = struct.unpack("<HH", content[6:10])
    return width, height


def _jpeg_size(content: bytes) -> tuple[int, int] | None:
    """Return width and height from the first frame header, stepping over the segments before it."""
    if not content.startswith(b"\xff\xd8\xff"):
        return None
    at = 2
    while at + 9 <= len(content) and content[at] == 0xFF:
        marker = content[at + 1]
        length, _precision, height, width = struct.unpack(">HBHH", content[at + 2 : at + 9])
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return width, height
        at += 2 + max(length, 2)
    return None


_SIZES: Mapping[str, Callable[[bytes], tuple[int, int] | None]] = {
    "image/png": _png_size,
    "image/jpeg": _jpeg_size,
    "image/gif": _gif_size,
}


def safe_html(fragment: str, attachments: Mapping[str, str] | None = None) -> Markup:
    """Return ``fragment`` without scripts, styles, ids, forms, frames and anything loaded from elsewhere.

    ``attachments`` maps the names in a Markdown cell's ``attachment:`` URIs to checked ``data:`` URIs.
    """
    fragment, pictures = _extract_pictures(fragment, attachments or {})
    cleaned = nh3.clean(
        fragment[:MARKUP_CHARACTERS],
        tags=set(_TAGS.split()),
        clean_content_tags=set(_DROPPED_WHOLE.split()),
        attributes=_ATTRIBUTES,
        attribute_filter=lambda tag, attribute, value: _filter_attribute(tag, attribute, value, pictures),
        url_schemes={"http", "https", "mailto", "attachment"},
        url_relative="deny",
        link_rel="noopener noreferrer nofollow",
    )
    cleaned = REORDERING.sub("\ufffd", cleaned)  # here again, because they may have been written as entities
    return Markup(cleaned)  # noqa: S704 - the allow-list above is what makes it safe


def _extract_pictures(text: str, attachments: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """Return ``text`` with embedded pictures moved to attachments, so that only words count against its length."""
    pictures = dict(attachments)

    def replaced(found: re.Match[str]) -> str:
        name = f"embedded-{found.start()}"
        uri = image_uri(found[1].lower(), found[2])
        if uri is not None:
            pictures[name] = uri
        return f"attachment:{name}"

    return _EMBEDDED.sub(replaced, text, count=_MOST_EMBEDDED), pictures


def _filter_attribute(tag: str, attribute: str, value: str, pictures: Mapping[str, str]) -> str | None:
    if (tag, attribute) == ("img", "src"):
        return pictures.get(unquote(value.removeprefix("attachment:")))
    if (tag, attribute) == ("a", "href"):
        return value if value.lower().startswith(("https://", "http://", "mailto:")) else None
    if attribute in ("colspan", "rowspan", "start"):
        return value if value.isdecimal() and len(value) <= 2 else None
    return value


class _Markdown(mistune.HTMLRenderer):
    """Moves headings two levels down, below the headings of the page."""

    def heading(self, text: str, level: int, **_attributes: object) -> str:
        return f"<h{min(level + 2, 6)}>{text}</h{min(level + 2, 6)}>\n"


def safe_markdown(source: str, attachments: Mapping[str, str] | None = None) -> Markup:
    """Return Markdown as safe HTML; text that the parser cannot process is shown unchanged."""
    source, pictures = _extract_pictures(source, attachments or {})
    renderer = _Markdown(escape=False, allow_harmful_protocols=["attachment:"])  # the output is cleaned as a whole
    render = mistune.create_markdown(renderer=renderer, plugins=["table", "strikethrough"])
    try:
        rendered = render(source[:MARKUP_CHARACTERS])
    except RecursionError:
        return Markup("<pre>{}</pre>").format(source[:TEXT_CHARACTERS])
    return safe_html(str(rendered), pictures)


@cache
def _formatter() -> HtmlFormatter:
    return HtmlFormatter(nowrap=True, classprefix="py-")


def safe_code(source: str) -> Markup:
    """Return Python code as escaped HTML with a class for each kind of token."""
    if len(source) > _CODE_CHARACTERS:
        return escape(source)
    # Not IPython's lexer: a few thousand empty lines take it minutes.
    return Markup(highlight(source, PythonLexer(stripnl=False), _formatter()))  # noqa: S704 - the formatter escapes
