"""People's names as different lists write them, made comparable."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

_APART = re.compile(r"[^\w]+|_+")
_CHINESE = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+")
_MOST_PARTS = 8


def words(text: str) -> tuple[str, ...]:
    """The parts of ``text``, Chinese ones apart from others, without case, width and composition of its characters."""
    plain = unicodedata.normalize("NFC", unicodedata.normalize("NFKC", text).casefold())
    # An apostrophe joins: O'Brien is OBrien to those who must not use it in a file's name.
    plain = _CHINESE.sub(r" \g<0> ", re.sub(r"['’ʼ`]", "", plain))
    return tuple(part for part in _APART.split(plain) if part)


@lru_cache(maxsize=20_000)
def spellings(name: str) -> frozenset[str]:
    """Every way to write ``name`` without blanks, its parts in their order, begun at any of them.

    "Lin Xiao-Ming", "Xiao-Ming Lin" and "linxiaoming" share one, as do "Doe, Jane" and "doejane".
    """
    parts = words(name)
    if len(parts) > _MOST_PARTS:
        return frozenset({"".join(parts)})
    return frozenset("".join(parts[place:] + parts[:place]) for place in range(len(parts)))


def without_marks(spelling: str) -> str:
    """``spelling`` with plain letters for those with accents: "müller" becomes "muller"."""
    apart = unicodedata.normalize("NFKD", spelling)
    return "".join(character for character in apart if not unicodedata.combining(character))


def within(text: str) -> Iterator[tuple[str, ...]]:
    """What may be a whole name with something beside it: "hw1 Jane Doe" gives ("jane", "doe") among others.

    One Western word alone is too little; one Chinese word of two characters or more is a name.
    """
    parts = words(text)
    for start in range(len(parts)):
        if len(parts[start]) > 1 and _CHINESE.fullmatch(parts[start]):
            yield parts[start : start + 1]
        for end in range(start + 2, min(start + _MOST_PARTS, len(parts)) + 1):
            yield parts[start:end]
