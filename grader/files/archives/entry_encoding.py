"""Guess the encoding of zip entry names that do not declare one: Windows uses the code page of the country."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from functools import cache
from itertools import pairwise

_ASCII = re.compile(rb"[\x00-\x7f]*")
_SURE_BYTES = 6  # beyond ASCII: two Chinese or three Greek letters are not valid UTF-8 by accident


def decode_names(names: Sequence[bytes], known: Iterable[str] = ()) -> list[str]:
    """Decode names: as UTF-8 if that is certain, otherwise all in one encoding, so that different names stay different.

    Two programs may have added files to one archive, each in its own encoding. ``known`` are the archive's other names,
    which probably contain the same words.
    """
    # Short names may be valid UTF-8 by accident, as 目录 in GBK is.
    sure = _surely_utf8 if any(_utf8(name) is None for name in names) else _is_utf8
    texts = [name.decode() if sure(name) else None for name in names]
    rest = [name for name, text in zip(names, texts, strict=True) if text is None]
    encoding = guess_encoding(rest, [*known, *(text for text in texts if text is not None)])
    return [name.decode(encoding) if text is None else text for name, text in zip(names, texts, strict=True)]


def guess_encoding(names: Iterable[bytes], known: Iterable[str] = ()) -> str:
    """Return the encoding in which most letters of ``names`` form common words or words of ``known`` names.

    The fallback is code page 437, which can decode anything. Every result decodes different bytes differently.
    """
    names = [name for name in names if not _ASCII.fullmatch(name)]
    if all(map(_is_utf8, names)):
        return "utf-8"
    seen = {pair for text in known for pair in _adjacent_pairs(text)}
    share, _rank, encoding = max(_common_shares(names, seen), key=lambda rated: rated[:2], default=(0.0, 0, ""))
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


def _common_shares(names: Sequence[bytes], seen: Container[tuple[str, str]]) -> Iterator[tuple[float, int, str]]:
    """Yield, for each encoding that fits all names: share of common characters, negative rank, encoding.

    The share is among the characters beyond ASCII; adjacent characters that were ``seen`` in other names add to it.
    """
    for rank, (encoding, count_common) in enumerate(_COMMON):
        try:
            texts = [name.decode(encoding) for name in names]
            # Big5 and Shift JIS encode some characters in two ways, so two names could become equal.
            if any(text.encode(encoding) != name for text, name in zip(texts, names, strict=True)):
                continue
        except UnicodeError:
            continue
        beyond = sum(character > "\x7f" for text in texts for character in text)
        common = sum(map(count_common, texts)) + sum(pair in seen for text in texts for pair in _adjacent_pairs(text))
        yield common / beyond, -rank, encoding


def _adjacent_pairs(text: str) -> Iterator[tuple[str, str]]:
    """Yield pairs of adjacent characters, at least one beyond ASCII. Most scripts have too few single characters."""
    return (pair for pair in pairwise(text) if max(pair) > "\x7f")


# ---------------------------------------------------------------- common characters of each encoding


def _pairs(encoding: str, *ranges: str) -> Callable[[str], int]:
    """Return a counter of characters whose two bytes are in one of the hexadecimal ``ranges``, lead/trail: a4-c6/40-fe.

    East Asian standards start with the characters in common use, about 3000, followed by the rare ones.
    """
    # Computed on first use: each set has thousands of characters, and most archives need none.
    common = cache(lambda: frozenset(character for span in ranges for character in _characters(encoding, span)))
    return lambda text: sum(character in common() for character in text if character > "\x7f")


def _characters(encoding: str, within: str) -> Iterator[str]:
    (first, last), (low, high) = ((int(part, 16) for part in span.split("-")) for span in within.split("/"))
    for code in (bytes((lead, trail)) for lead in range(first, last + 1) for trail in range(low, high + 1)):
        character = code.decode(encoding, "ignore")
        if character and character.encode(encoding) == code:
            yield character


def _words(capitals: str, small: str) -> Callable[[str], int]:
    """Return a counter of letters in words in lower case, capitalized, or in upper case."""
    word = re.compile(rf"(?<!\w)(?:[{capitals}]?[{small}]+|[{capitals}]+)(?!\w)")
    return lambda text: sum(len(found[0]) for found in word.finditer(text.replace("_", " ")))


def _latin(capitals: str, small: str) -> Callable[[str], int]:
    """Return a counter of accented letters in Latin words in which at most half of the letters have accents."""
    word = re.compile(rf"(?<![^\W\d_])(?:[A-Z{capitals}]?[a-z{small}]+|[A-Z{capitals}]+)(?![^\W\d_])")

    def count(text: str) -> int:
        marked = ((len(found[0]), sum(letter > "\x7f" for letter in found[0])) for found in word.finditer(text))
        return sum(marks for length, marks in marked if 2 * marks <= length)

    return count


def _letters(pattern: str) -> Callable[[str], int]:
    """Return a counter of characters in whole words that match ``pattern``."""
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

# For equal shares the first encoding wins: encodings with fewer characters come first, because they fit by accident
# less often. Windows writes zips in the DOS code page of the country; some programs use the Windows code page.
_COMMON: tuple[tuple[str, Callable[[str], int]], ...] = (
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
