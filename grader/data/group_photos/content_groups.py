"""Group a group's photos by content, and hold some contents out.

A content is one photo with all its copies and variations. It stays on one side of the split, so that no copy of a
hidden photo is in the training data. One photo of each hidden content is predicted, so that fifty copies count once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from grader.data.generators import derive_seed
from grader.data.group_photos.decoding import DecodedPhoto
from grader.data.group_photos.near_duplicates import (
    Signatures,
    find_similar_pairs,
    group_by_source_name,
    is_plausible_source,
)
from grader.i18n.message import Message, message

LEAST_CONTENTS = 3  # of a class that can be split: two for training, one hidden
MOST_HIDDEN = 1000


@dataclass(frozen=True, slots=True)
class Content:
    """A photo with its copies and variations, sorted by the hash of their bytes, whatever their names."""

    members: tuple[DecodedPhoto, ...]

    @property
    def digest(self) -> str:
        return self.members[0].digest

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(sorted({photo.file.label for photo in self.members if photo.file.label is not None}))

    @property
    def best(self) -> DecodedPhoto:
        """The labelled member with the most pixels, most likely the original."""
        labelled = (photo for photo in self.members if photo.file.label)
        return max(labelled, key=lambda photo: photo.width * photo.height)


@dataclass(frozen=True, slots=True)
class ContentGroups:
    """All contents of a submission."""

    contents: tuple[Content, ...]
    copies: int  # photos with the same bytes as another photo
    notes: tuple[Message, ...]


def group_by_content(photos: Sequence[DecodedPhoto], signatures: Signatures) -> ContentGroups:
    """Join photos with the same bytes, photos that look the same, and variations by their names."""
    ordered = sorted(photos, key=lambda photo: (photo.digest, photo.file.attachment.name))
    notes: list[Message] = []
    firsts = _first_places(ordered)
    pairs = [(firsts[photo.digest], place) for place, photo in enumerate(ordered)]
    pairs += _similar_pairs(ordered, list(firsts.values()), signatures)
    pairs += _name_pairs(ordered, notes)
    found: dict[int, list[DecodedPhoto]] = {}
    for photo, number in zip(ordered, _components(len(ordered), pairs), strict=True):
        found.setdefault(number, []).append(photo)
    contents = tuple(Content(tuple(members)) for members in found.values())
    return ContentGroups(contents, len(ordered) - len(firsts), tuple(notes))


def _first_places(ordered: Sequence[DecodedPhoto]) -> Mapping[str, int]:
    firsts: dict[str, int] = {}
    for place, photo in enumerate(ordered):
        firsts.setdefault(photo.digest, place)
    return firsts


def _similar_pairs(
    ordered: Sequence[DecodedPhoto], distinct: Sequence[int], signatures: Signatures
) -> Iterator[tuple[int, int]]:
    rows = np.array([ordered[place].row for place in distinct], np.intp)
    chosen = Signatures(signatures.detail[rows], signatures.colour[rows], signatures.drawn[rows])
    yield from ((distinct[first], distinct[second]) for first, second in find_similar_pairs(chosen))


def _name_pairs(ordered: Sequence[DecodedPhoto], notes: list[Message]) -> Iterator[tuple[int, int]]:
    for label, places in sorted(_places_by_label(ordered).items()):
        names = [ordered[place].file.name for place in places]
        for stem, shared in group_by_source_name(names):
            if is_plausible_source(shared, len(places)):
                yield from ((places[shared[0]], places[other]) for other in shared[1:])
            else:
                notes.append(
                    message(
                        "The names of {n} photos of {label} say that they are variations of one photo ({stem}). That "
                        "is unlikely, so the photos were compared by content only. Give each variation the name of "
                        "its original.",
                        n=len(shared), label=label, stem=stem,
                    )
                )  # fmt: skip


def _places_by_label(ordered: Iterable[DecodedPhoto]) -> dict[str, list[int]]:
    places: dict[str, list[int]] = {}
    for place, photo in enumerate(ordered):
        if photo.file.label is not None:
            places.setdefault(photo.file.label, []).append(place)
    return places


def _components(count: int, pairs: Sequence[tuple[int, int]]) -> list[int]:
    from scipy.sparse import coo_array  # noqa: PLC0415  slow to import, and needed for grading only
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415

    if not count:
        return []
    ends = np.array(pairs, np.intp).reshape(-1, 2)
    edges = coo_array((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), shape=(count, count))
    return [int(number) for number in connected_components(edges, directed=False)[1]]


# ---------------------------------------------------------------- the split


@dataclass(frozen=True, slots=True)
class Split:
    """Contents that the notebook sees, and contents that it does not see."""

    training: tuple[Content, ...]
    held_out: tuple[Content, ...]


def split_contents(contents: Sequence[Content], secret: bytes, share: float, *, most: int = MOST_HIDDEN) -> Split:
    """Hold out about ``share`` of each class, drawn from the teacher's secret and the photos' own bytes.

    At least one content of each class with ``LEAST_CONTENTS`` is held out, and two always stay for training. No class
    makes up more than half of the held-out contents, because a model that always answers that class would be right too
    often. A content with two labels or none is never held out, because its true label is not known.
    """
    classes: dict[str, list[Content]] = {}
    for content in contents:
        if len(content.labels) == 1:
            classes.setdefault(content.labels[0], []).append(content)
    drawn = {content.digest: derive_seed(secret, "pictures", content.digest) for content in contents}
    counts = _held_out_counts({label: len(members) for label, members in classes.items()}, share, most)
    held_out: list[Content] = []
    for label, members in classes.items():
        held_out += sorted(members, key=lambda content: drawn[content.digest])[: counts[label]]
    # With more classes than ``most``, some classes are left out at random.
    chosen = {content.digest for content in sorted(held_out, key=lambda content: drawn[content.digest])[:most]}
    return Split(
        tuple(content for content in contents if content.digest not in chosen),
        tuple(content for content in contents if content.digest in chosen),
    )


def _held_out_counts(sizes: Mapping[str, int], share: float, most: int) -> dict[str, int]:
    per_class = max(1, most // max(1, len(sizes)))
    counts = {
        label: max(1, min(round(size * share), size - LEAST_CONTENTS + 1, per_class)) if size >= LEAST_CONTENTS else 0
        for label, size in sizes.items()
    }
    if counts:
        largest = max(sorted(counts), key=lambda label: counts[label])
        others = sum(counts.values()) - counts[largest]
        counts[largest] = min(counts[largest], max(1, others))
    return counts
