"""Which pictures of one class are, by their names, variations of one picture.

Names are an honest group's word. They join what no comparison of pixels would: a copy turned by 15 degrees.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

# ``save_to_dir`` of Keras: prefix, number of the sample, a random number below ten million. A camera's date is longer.
_KERAS = re.compile(r"(?P<stem>.+)_(?P<sample>0|[1-9]\d{0,4})_[1-9]\d{2,6}")
_WORDS = (
    r"aug(?:mented)?|rot(?:at(?:e|ed|ion))?|flip(?:ped)?|mirror(?:ed)?|copy|noisy?|noise|blur(?:red)?|bright(?:ness)?|"
    r"dark(?:er)?|zoom(?:ed)?|crop(?:ped)?|shift(?:ed)?|shear(?:ed)?|scaled?|resized?|contrast|grey|gray"
)
_CHINESE = r"副本|複製|翻轉|旋轉|鏡像|縮放|裁切|平移|變亮|變暗|雜訊|擴增|增強"
_MORE = r"(?:[ _.-]?(?:h|v|lr|ud|left|right|horizontal(?:ly)?|vertical(?:ly)?))?[ _.-]?[+-]?\d*(?:\.\d+)?(?:deg)?"
_AFTER = re.compile(rf"(?P<stem>.+?)(?:[ _.-]+(?:{_WORDS}){_MORE}|[ _.-]*(?:{_CHINESE})[ _.-]*\d*)")
_BEFORE = re.compile(rf"(?:(?:{_WORDS})(?: of)?\d*[ _.-]+|(?:{_CHINESE})[ _.-]*)(?P<stem>.*\d.*)")
# A computer numbers the copies of a file; but also a whole selection ("cat (1)") and every download ("images (7)"),
# which are different pictures. A stem with a number of its own is a camera's or a scanner's.
_NUMBERED = re.compile(r"(?P<stem>.*\d.*?) ?\(\d{1,3}\)")
_ROUNDS = 4  # "IMG_1_rot90_flip (2)"
LARGEST_SHARE = 1 / 3  # of a class: a stem that more pictures share says nothing about them


def same_source(names: Sequence[str]) -> Iterator[tuple[str, list[int]]]:
    """Stems that several ``names``, of one class, share, with the places of these names."""
    stems = [PurePosixPath(name).stem.casefold().strip() for name in names]
    plain = frozenset(stems)
    shared: dict[str, list[int]] = {}
    for place, stem in enumerate(stems):
        shared.setdefault(source(stem, plain), []).append(place)
    yield from ((stem, places) for stem, places in shared.items() if len(places) > 1)


def is_believed(places: Sequence[int], pictures: int) -> bool:
    """Whether a stem that these of a class's ``pictures`` share tells them from the others."""
    return len(places) <= max(2, pictures * LARGEST_SHARE)


def source(stem: str, plain: frozenset[str] = frozenset()) -> str:
    """The stem of the picture that ``stem`` names a variation of; itself when it names none.

    ``plain`` are the stems that are there: what Keras made of ``cat_7`` is ``cat_7_0_4711`` when ``cat_7`` is.
    """
    for _round in range(_ROUNDS):
        made = _KERAS.fullmatch(stem)
        if made is not None:
            return made["stem"] if made["stem"] in plain else f"{made['stem']}_{made['sample']}"
        shorter = next((match for form in (_AFTER, _BEFORE, _NUMBERED) if (match := form.fullmatch(stem))), None)
        if shorter is None:
            break
        stem = shorter["stem"].strip()
    return stem
