"""Which contents a notebook does not see, drawn from the teacher's secret and the pictures' own bytes.

A content stays on one side whole, so that no copy of a hidden picture is among what a model was trained on; hidden is
one picture of each, so that fifty copies count once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grader.datasets import derived_seed
from grader.pictures.grouping import Content

LEAST = 3  # contents of a class that can be split: two to learn from, one to ask
MOST_HIDDEN = 1000


@dataclass(frozen=True, slots=True)
class Split:
    training: tuple[Content, ...]
    held_out: tuple[Content, ...]


def split(contents: Sequence[Content], secret: bytes, share: float, *, most: int = MOST_HIDDEN) -> Split:
    """Of each class with at least ``LEAST`` contents about ``share``, at least one and never all but two.

    A content under two labels, and one without, is never held out: nobody knows its answer.
    """
    classes: dict[str, list[Content]] = {}
    for content in contents:
        if len(content.labels) == 1:
            classes.setdefault(content.labels[0], []).append(content)
    held: set[str] = set()
    for members in classes.values():
        members.sort(key=lambda content: derived_seed(secret, "pictures", content.digest))
        held |= {content.digest for content in members[: _count(len(members), share, most // len(classes))]}
    return Split(
        tuple(content for content in contents if content.digest not in held),
        tuple(content for content in contents if content.digest in held),
    )


def _count(contents: int, share: float, most: int) -> int:
    if contents < LEAST:
        return 0
    return max(1, min(round(contents * share), contents - LEAST + 1, most))
