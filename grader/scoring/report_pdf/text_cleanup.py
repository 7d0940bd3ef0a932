"""Normalise text extracted from a PDF: one code point per character, no spaces that are only layout."""

from __future__ import annotations

import re
import unicodedata

IDEOGRAPH = r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u3007々〇]"

# CJK Radicals Supplement: fonts share these glyphs with the whole character, but NFKC does not map them.
_RADICALS = str.maketrans(
    "⺀⺁⺄⺆⺈⺊⺍⺒⺓⺙⺝⺟⺠⺤⺥⺧⺩⺫⺬⺮⺱⺲⺶⺷⺼⻁⻄⻆⻑⻒⻓⻔⻕⻘⻙⻚⻛⻜⻝⻟⻠⻢⻣⻤⻥⻦⻧⻨⻩⻪⻫⻬⻭⻮⻯⻰⻱⻲⻳",
    "丶厂乙冂刀卜小巳幺攵月母民爪爪牛王目示竹网网羊羊肉虎西角長長长门阜青韋页风飞食食饣马骨鬼鱼鸟鹵麦黄黽斉齐歯齿竜龙龜亀龟",
)
_GAPS = re.compile(rf"(?<!{IDEOGRAPH})({IDEOGRAPH}(?: {IDEOGRAPH})+)(?!{IDEOGRAPH})")
_BETWEEN = re.compile(rf"(?<={IDEOGRAPH})\s+(?={IDEOGRAPH})")
_BROKEN_WORD = re.compile(r"(?<=[a-z])[-\u2010]\n(?=[a-z])")
_UNREADABLE = ("Cc", "Co", "Cn", "Cs")  # control, private use, not assigned, surrogate


def normalise_text(text: str) -> str:
    """Return ``text`` in NFKC, without invisible characters, hyphenation and spaces between single ideographs."""
    text = unicodedata.normalize("NFKC", text.translate(_RADICALS)).replace("\r", "\n")
    kept = (character for character in text if character in "\n\t" or unicodedata.category(character) != "Cf")
    text = _BROKEN_WORD.sub("", "".join(kept))
    return "\n".join(_join_ideographs(line) for line in text.split("\n"))


def _join_ideographs(line: str) -> str:
    """Join ``研 究 目 的`` to one word; leave ``王小明 程式`` as two."""
    line = re.sub(r"[ \t\u3000]+", " ", line).strip()
    return _GAPS.sub(lambda found: found[0].replace(" ", ""), line)


def remove_gaps(line: str) -> str:
    return _BETWEEN.sub("", line)


def count_letters(text: str) -> int:
    """Count letters, digits and ideographs; white space and punctuation do not count."""
    return sum(character.isalnum() for character in text)


def unreadable_share(text: str) -> float:
    """Return the share of characters without a meaning, in [0, 1]; fonts without a character table produce them."""
    known = [character for character in text if not character.isspace()]
    bad = sum(character == "\ufffd" or unicodedata.category(character) in _UNREADABLE for character in known)
    return bad / len(known) if known else 0.0
