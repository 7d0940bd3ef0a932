"""The size of the data in code and text files: a table of answers, for example, which a notebook carries with it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise

# In base64, hexadecimal and escaped bytes, kinds of letters and digits alternate; in names and paths they seldom do.
_RUN = re.compile(r"\S{24,}")
_MIXED = 0.25  # share of the characters that are another kind of letter or digit than the one before
# Chinese text has a punctuation mark every ten characters or so; a code made of rare characters has none.
_UNBROKEN = re.compile(r"[^\x00-\x7f\W]{60,}")
_DIGIT = re.compile(r"\d")


def data_characters(text: str) -> int:
    """Return the number of characters of ``text`` that hold data: digits, and runs that are no words.

    Code of honest homework has fewer than 250 of them, mostly digits of parameters.
    """
    count = 0

    def is_data(found: re.Match[str]) -> str:
        nonlocal count
        if not _is_mixed(found[0]):
            return found[0]
        count += len(found[0])
        return " "

    rest = _RUN.sub(is_data, text)
    return count + sum(len(run) for run in _UNBROKEN.findall(rest)) + len(_DIGIT.findall(rest))


def _is_mixed(run: str) -> bool:
    changes = sum(_kind(one) != _kind(other) for one, other in pairwise(run) if one.isalnum() and other.isalnum())
    return changes > _MIXED * len(run)


def _kind(character: str) -> tuple[bool, bool]:
    return character.isdigit(), character.isupper()


def data_kb(texts: Iterable[str]) -> float:
    """Return the size of the data in all ``texts``, in kilobytes."""
    return sum(map(data_characters, texts)) / 1000
