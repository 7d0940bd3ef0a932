"""Count the text that a student wrote and a reader sees, for criteria that look at written text.

Nothing counts that a reader of the notebook cannot see: HTML comments, hidden or tiny elements, white and transparent
text, invisible characters, alternative texts of pictures, link targets. A passage counts once, however often it stands
in the notebook, and not at all if it stands in the starter.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from html.parser import HTMLParser

import mistune
import nh3

from grader.notebook.text_styles import STYLING, TextStyle

LONGEST = 30_000  # characters of a notebook that are read: fifty times what an assignment asks for
PASSAGE = 32  # characters: longer than any common phrase, in English and in Chinese
LONGEST_WORD = 60  # more ASCII characters without a space are data, not a word
MARKS = 2  # accents on one letter

_TAGS = nh3.ALLOWED_TAGS | {"font", "section", "article", "main", "big", "center"}
_PROGRAMS = """
    script style iframe object embed applet template noscript noembed noframes svg math title textarea xmp audio video
    canvas datalist select
"""  # elements whose text is not shown as text
_VOID = frozenset(["br", "hr", "img", "col", "area", "wbr"])

_ADDRESS = re.compile(r"(?:https?|ftp|data|attachment):[!-~]+", re.IGNORECASE)
_EMBEDDED = re.compile(r"data:image/[\w+.-]+;base64,[A-Za-z0-9+/=\s]*", re.IGNORECASE)
_NO_WORD = re.compile(rf"[!-~]{{{LONGEST_WORD + 1},}}")
_MATH = re.compile(r"\$\$.*?\$\$|\$[^$\n]+\$", re.DOTALL)
_HIDING_MATH = re.compile(r"phantom|color\s*\{\s*(?:white|transparent|#f{3,6}\b)|\\[rl]lap\b", re.IGNORECASE)
_MATH_COMMENT = re.compile(r"(?<!\\)%[^\n]*")
# They show nothing, although their categories in Unicode are letters, marks and symbols.
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_VARIANTS = (range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0), range(0x180B, 0x1810))


# ---------------------------------------------------------------- counting


def count_written(sources: Sequence[str], known: Collection[str] = ()) -> list[int]:
    """Return, for each Markdown source, the visible characters that are new in the notebook, without white space.

    Passages of the ``known`` sources count as seen before. One Chinese character counts as one.
    """
    seen: set[str] = set()
    for text in known:
        shown = visible_characters(text[:LONGEST])
        seen.update(shown[at : at + PASSAGE] for at in range(len(shown) - PASSAGE + 1))
    texts, left = [], LONGEST
    for source in sources:
        words = "" if source in known else _EMBEDDED.sub("", source)[:left]
        texts.append(visible_characters(words) if words else "")
        left -= len(words)
    # Together, because a short sentence in each of a hundred cells is a repeated passage too.
    new = _new_characters("".join(texts), seen)
    counts, start = [], 0
    for text in texts:
        counts.append(sum(new[start : start + len(text)]))
        start += len(text)
    return counts


def _new_characters(text: str, seen: set[str]) -> bytearray:
    """Return 1 for each character outside the passages in ``seen`` or earlier in ``text``, and 0 for the others."""
    new = bytearray(b"\x01" * len(text))
    for at in range(len(text) - PASSAGE + 1):
        passage = text[at : at + PASSAGE]
        if passage in seen:
            new[at : at + PASSAGE] = bytes(PASSAGE)
        else:
            seen.add(passage)
    return new


def visible_characters(markdown: str) -> str:
    """Return the characters of ``markdown`` that a reader sees, in lower case, without white space and addresses."""
    text = _MATH.sub(_visible_math, visible_text(markdown))
    text = _NO_WORD.sub(" ", _ADDRESS.sub(" ", text))
    return "".join(_without_invisible(unicodedata.normalize("NFC", text)))


def _visible_math(found: re.Match[str]) -> str:
    return " " if _HIDING_MATH.search(found[0]) else _MATH_COMMENT.sub("", found[0])


def _without_invisible(text: str) -> Iterator[str]:
    marks = 0
    for character in text:
        category = unicodedata.category(character)
        marks = marks + 1 if category.startswith("M") else 0
        blank = category[0] in "CZ" or character in _BLANK or any(ord(character) in span for span in _VARIANTS)
        if not blank and not character.isspace() and marks <= MARKS:
            folded = character.casefold()
            yield folded if len(folded) == 1 else character


# ---------------------------------------------------------------- rendering

_render = mistune.create_markdown(escape=False, plugins=["table", "strikethrough"])


def visible_text(markdown: str) -> str:
    """Return the text that a reader of the rendered ``markdown`` sees, with white space between its blocks."""
    try:
        rendered = str(_render(markdown))
    except RecursionError:
        rendered = markdown
    # A real HTML parser repairs the markup, and drops comments and elements whose text is a program.
    clean = nh3.clean(
        rendered,
        tags=_TAGS,
        clean_content_tags=set(_PROGRAMS.split()),
        attributes={"*": set(STYLING)},
        link_rel=None,
    )
    reader = _Reader()
    reader.feed(clean)
    reader.close()
    return "".join(reader.text)


class _Reader(HTMLParser):
    """Collects the text outside hidden elements from well-formed HTML."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text: list[str] = []
        self._styles = [TextStyle()]  # of the page and of each open element

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _VOID:
            self.text.append(" ")
        else:
            self._styles.append(self._styles[-1].inside(dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in _VOID and len(self._styles) > 1:
            self._styles.pop()

    def handle_data(self, data: str) -> None:
        if self._styles[-1].is_visible:
            self.text.append(data)
