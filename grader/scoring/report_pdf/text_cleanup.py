"""Text as PDFs give it, made into the text that was written: one form for each character, no spaces that are layout."""

from __future__ import annotations

import re
import unicodedata

IDEOGRAPH = r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u3007々〇]"

# CJK Radicals Supplement: forms that fonts share with the whole character, and for which Unicode has no equivalence.
_RADICALS = str.maketrans(
    "⺀⺁⺄⺆⺈⺊⺍⺒⺓⺙⺝⺟⺠⺤⺥⺧⺩⺫⺬⺮⺱⺲⺶⺷⺼⻁⻄⻆⻑⻒⻓⻔⻕⻘⻙⻚⻛⻜⻝⻟⻠⻢⻣⻤⻥⻦⻧⻨⻩⻪⻫⻬⻭⻮⻯⻰⻱⻲⻳",
    "丶厂乙冂刀卜小巳幺攵月母民爪爪牛王目示竹网网羊羊肉虎西角長長长门阜青韋页风飞食食饣马骨鬼鱼鸟鹵麦黄黽斉齐歯齿竜龙龜亀龟",
)
_GAPS = re.compile(rf"(?<!{IDEOGRAPH})({IDEOGRAPH}(?: {IDEOGRAPH})+)(?!{IDEOGRAPH})")
_BETWEEN = re.compile(rf"(?<={IDEOGRAPH})\s+(?={IDEOGRAPH})")
_BROKEN_WORD = re.compile(r"(?<=[a-z])[-\u2010]\n(?=[a-z])")
_UNREADABLE = ("Cc", "Co", "Cn", "Cs")  # control, private use, not assigned, surrogate


def tidied(text: str) -> str:
    """Compatibility forms made plain (NFKC), words joined that a line broke, characters set apart set together."""
    text = unicodedata.normalize("NFKC", text.translate(_RADICALS)).replace("\r", "\n")
    kept = (character for character in text if character in "\n\t" or unicodedata.category(character) != "Cf")
    text = _BROKEN_WORD.sub("", "".join(kept))
    return "\n".join(_joined(line) for line in text.split("\n"))


def _joined(line: str) -> str:
    """``研 究 目 的`` is one word; ``王小明 程式`` are two."""
    line = re.sub(r"[ \t\u3000]+", " ", line).strip()
    return _GAPS.sub(lambda found: found[0].replace(" ", ""), line)


def without_gaps(line: str) -> str:
    return _BETWEEN.sub("", line)


def letters(text: str) -> int:
    """Letters, digits and ideographs: white space and punctuation say nothing."""
    return sum(character.isalnum() for character in text)


def unreadable_share(text: str) -> float:
    """Of the characters, those that stand for none: what a font without a table of its characters leaves."""
    known = [character for character in text if not character.isspace()]
    bad = sum(character == "\ufffd" or unicodedata.category(character) in _UNREADABLE for character in known)
    return bad / len(known) if known else 0.0
