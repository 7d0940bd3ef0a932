"""In which encoding names without word of it were written: those of a zip from Windows, which differ by country."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from functools import cache
from itertools import pairwise

_ASCII = re.compile(rb"[\x00-\x7f]*")
_SURE_BYTES = 6  # beyond ASCII: two Chinese or three Greek letters that happen to be UTF-8 are no accident


def decode_names(names: Sequence[bytes], known: Iterable[str] = ()) -> list[str]:
    """``names`` as text: each in UTF-8 where it surely is, the rest in one encoding, so that no two become the same.

    Two programs may have added to one archive, each in its own encoding. ``known`` are the archive's other names: what
    words they have, these are likely to have as well.
    """
    # Short ones may be UTF-8 by accident, as 目录 in GBK is.
    sure = _surely_utf8 if any(_utf8(name) is None for name in names) else _is_utf8
    texts = [name.decode() if sure(name) else None for name in names]
    rest = [name for name, text in zip(names, texts, strict=True) if text is None]
    encoding = guess_encoding(rest, [*known, *(text for text in texts if text is not None)])
    return [name.decode(encoding) if text is None else text for name, text in zip(names, texts, strict=True)]


def guess_encoding(names: Iterable[bytes], known: Iterable[str] = ()) -> str:
    """The encoding that makes everyday words, or what is ``known``, of the most letters of ``names``; code page 437,
    which fits anything, if none does. All of them give different names for different bytes.
    """
    names = [name for name in names if not _ASCII.fullmatch(name)]
    if all(map(_is_utf8, names)):
        return "utf-8"
    seen = {pair for text in known for pair in _neighbours(text)}
    share, _earlier, encoding = max(_shares(names, seen), key=lambda rated: rated[:2], default=(0.0, 0, ""))
    return encoding if share > 0 else "cp437"


def _utf8(name: bytes) -> str | None:
    try:
        return name.decode()
    except UnicodeDecodeError:
        return None


def _is_utf8(name: bytes) -> bool:
    return _utf8(name) is not None


def _surely_utf8(name: bytes) -> bool:
    beyond = sum(byte > 0x7F for byte in name)
    return _is_utf8(name) and (not beyond or beyond >= _SURE_BYTES)


def _shares(names: Sequence[bytes], seen: Container[tuple[str, str]]) -> Iterator[tuple[float, int, str]]:
    """For each encoding that fits all: the share of everyday ones among the characters beyond ASCII, more where they
    were ``seen`` side by side, and how early it comes.
    """
    for place, (encoding, everyday) in enumerate(_EVERYDAY):
        try:
            texts = [name.decode(encoding) for name in names]
            # Big5 and Shift JIS have some characters at two places: read so, two names could become one.
            if any(text.encode(encoding) != name for text, name in zip(texts, names, strict=True)):
                continue
        except UnicodeError:
            continue
        beyond = sum(character > "\x7f" for text in texts for character in text)
        usual = sum(map(everyday, texts)) + sum(pair in seen for text in texts for pair in _neighbours(text))
        yield usual / beyond, -place, encoding


def _neighbours(text: str) -> Iterator[tuple[str, str]]:
    """Two characters side by side, one of them beyond ASCII at least; single ones are too few in most scripts."""
    return (pair for pair in pairwise(text) if max(pair) > "\x7f")


# ---------------------------------------------------------------- what is everyday


def _pairs(encoding: str, *ranges: str) -> Callable[[str], int]:
    """Counts the characters whose two bytes lie in one of the hexadecimal ``ranges``, "a4-c6/40-fe": lead, trail.

    East Asian standards begin with what is used, mostly some 3000 characters, and put the rest behind it.
    """
    # Thousands of characters each, which most archives need none of.
    usual = cache(lambda: frozenset(character for one in ranges for character in _characters(encoding, one)))
    return lambda text: sum(character in usual() for character in text if character > "\x7f")


def _characters(encoding: str, within: str) -> Iterator[str]:
    (first, last), (low, high) = ((int(part, 16) for part in each.split("-")) for each in within.split("/"))
    for code in (bytes((lead, trail)) for lead in range(first, last + 1) for trail in range(low, high + 1)):
        character = code.decode(encoding, "ignore")
        if character and character.encode(encoding) == code:
            yield character


def _words(capitals: str, small: str) -> Callable[[str], int]:
    """Counts the letters in words written as words are: small, capitalised, or all in capitals."""
    word = re.compile(rf"(?<!\w)(?:[{capitals}]?[{small}]+|[{capitals}]+)(?!\w)")
    return lambda text: sum(len(found[0]) for found in word.finditer(text.replace("_", " ")))


def _latin(capitals: str, small: str) -> Callable[[str], int]:
    """Counts the letters with marks in words of Latin letters, most of which have none."""
    word = re.compile(rf"(?<![^\W\d_])(?:[A-Z{capitals}]?[a-z{small}]+|[A-Z{capitals}]+)(?![^\W\d_])")

    def count(text: str) -> int:
        marked = ((len(found[0]), sum(one > "\x7f" for one in found[0])) for found in word.finditer(text))
        return sum(marks for length, marks in marked if 2 * marks <= length)

    return count


def _letters(pattern: str) -> Callable[[str], int]:
    """Counts the characters in what fits ``pattern`` as whole words."""
    word = re.compile(rf"(?<!\w)(?:{pattern})+(?!\w)")
    return lambda text: sum(len(found[0]) for found in word.finditer(text.replace("_", " ")))


_CYRILLIC = _words("А-ЯЁІЇЄҐЎ", "а-яёіїєґў")
_GREEK = _words("Α-ΩΆΈΉΊΌΎΏ", "α-ωάέήίόύώϊϋΐΰ")
_WESTERN = _latin("À-ÏÑ-ÖØ-ÝŒŠŽŸ", "ß-ïñ-öø-ýÿœšž")
_CENTRAL = _latin("ÁÂÄÇÉËÍÎÓÔÖÚÜÝĂĄĆČĎĐĘĚĹĽŁŃŇŐŔŘŚŞŠŢŤŮŰŹŻŽ", "áâäçéëíîóôöúüýßăąćčďđęěĺľłńňőŕřśşšţťůűźżž")
_TURKISH = _latin("ÂÇĞİÎÖŞÛÜ", "âçğıîöşûü")
_HEBREW = _letters("[א-ת]")
_ARABIC = _letters("[ء-غف-ْ]")
_THAI = _letters("[เ-ไ]?[ก-ฮ][ัิ-ฺ็-๎]*[ะาำๅ]?")

# Of equals the first: what knows fewer characters would fit by accident more seldom. Windows of each country, where
# zips are written in the code pages of DOS and, by some programs, in those of Windows.
_EVERYDAY: tuple[tuple[str, Callable[[str], int]], ...] = (
    ("cp949", _pairs("cp949", "b0-c8/a1-fe")),
    ("cp932", _pairs("cp932", "82-83/40-fc", "88-97/40-fc")),
    ("gbk", _pairs("gbk", "b0-d7/a1-fe", "a1-a3/a1-fe")),
    ("cp950", _pairs("cp950", "a4-c6/40-fe", "a1-a2/40-fe")),
    ("cp874", _THAI),
    ("cp862", _HEBREW),
    ("cp1255", _HEBREW),
    ("cp866", _CYRILLIC),
    ("cp1251", _CYRILLIC),
    ("cp850", _WESTERN),
    ("cp1252", _WESTERN),
    ("cp857", _TURKISH),
    ("cp852", _CENTRAL),
    ("cp1250", _CENTRAL),
    ("cp737", _GREEK),
    ("cp1253", _GREEK),
    ("cp720", _ARABIC),
    ("cp1256", _ARABIC),
)
