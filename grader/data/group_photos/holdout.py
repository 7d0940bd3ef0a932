"""Which contents a notebook does not see, drawn from the teacher's secret and the pictures' own bytes.

A content stays on one side whole, so that no copy of a hidden picture is among what a model was trained on; hidden is
one picture of each, so that fifty copies count once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from grader.data.group_photos.content_groups import Content
from grader.data.hidden_sets import derive_seed

LEAST = 3  # contents of a class that can be split: two to learn from, one to ask
MOST_HIDDEN = 1000


@dataclass(frozen=True, slots=True)
class Split:
    training: tuple[Content, ...]
    held_out: tuple[Content, ...]


def split(contents: Sequence[Content], secret: bytes, share: float, *, most: int = MOST_HIDDEN) -> Split:
    """Of each class with at least ``LEAST`` contents about ``share``, at least one and never all but two.

    No class has more than half of what is held out: a model that always answers it would be right too often. A content
    under two labels, and one without, is never held out: nobody knows its answer.
    """
    classes: dict[str, list[Content]] = {}
    for content in contents:
        if len(content.labels) == 1:
            classes.setdefault(content.labels[0], []).append(content)
    drawn = {content.digest: derive_seed(secret, "pictures", content.digest) for content in contents}
    counts = _counts({label: len(members) for label, members in classes.items()}, share, most)
    held: list[Content] = []
    for label, members in classes.items():
        held += sorted(members, key=lambda content: drawn[content.digest])[: counts[label]]
    # More classes than may be asked at all: chance leaves some out.
    chosen = {content.digest for content in sorted(held, key=lambda content: drawn[content.digest])[:most]}
    return Split(
        tuple(content for content in contents if content.digest not in chosen),
        tuple(content for content in contents if content.digest in chosen),
    )


def _counts(sizes: Mapping[str, int], share: float, most: int) -> dict[str, int]:
    each = max(1, most // max(1, len(sizes)))
    counts = {
        label: max(1, min(round(size * share), size - LEAST + 1, each)) if size >= LEAST else 0
        for label, size in sizes.items()
    }
    if counts:
        largest = max(sorted(counts), key=lambda label: counts[label])
        others = sum(counts.values()) - counts[largest]
        counts[largest] = min(counts[largest], max(1, others))
    return counts
