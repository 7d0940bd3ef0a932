"""Pictures to contents: a content is one picture with all its copies and variations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from grader.data.group_photos.augmented_names import is_believed, same_source
from grader.data.group_photos.decoding import Read
from grader.data.group_photos.near_duplicates import Signatures, alike_pairs
from grader.i18n.message import Message, message


@dataclass(frozen=True, slots=True)
class Content:
    """``members`` in an order of their own bytes: however files were named or listed, it is the same."""

    members: tuple[Read, ...]

    @property
    def digest(self) -> str:
        return self.members[0].digest

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(sorted({one.picture.label for one in self.members if one.picture.label is not None}))

    @property
    def best(self) -> Read:
        """The member with a class that has the most pixels: most likely what the others were made from."""
        return max((one for one in self.members if one.picture.label), key=lambda one: one.width * one.height)


@dataclass(frozen=True, slots=True)
class Grouped:
    contents: tuple[Content, ...]
    copies: int  # pictures with the very bytes of another
    notes: tuple[Message, ...]


def grouped(pictures: Sequence[Read], signatures: Signatures) -> Grouped:
    """Joined are pictures of the same bytes, pictures that show the same, and by their names variations of one."""
    ordered = sorted(pictures, key=lambda one: (one.digest, one.picture.attachment.name))
    notes: list[Message] = []
    firsts = _firsts(ordered)
    pairs = [(firsts[one.digest], place) for place, one in enumerate(ordered)]
    pairs += _showing_the_same(ordered, list(firsts.values()), signatures)
    pairs += _named_alike(ordered, notes)
    found: dict[int, list[Read]] = {}
    for one, number in zip(ordered, _components(len(ordered), pairs), strict=True):
        found.setdefault(number, []).append(one)
    contents = tuple(Content(tuple(members)) for members in found.values())
    return Grouped(contents, len(ordered) - len(firsts), tuple(notes))


def _firsts(ordered: Sequence[Read]) -> Mapping[str, int]:
    firsts: dict[str, int] = {}
    for place, one in enumerate(ordered):
        firsts.setdefault(one.digest, place)
    return firsts


def _showing_the_same(
    ordered: Sequence[Read], distinct: Sequence[int], signatures: Signatures
) -> Iterator[tuple[int, int]]:
    rows = np.array([ordered[place].place for place in distinct], np.intp)
    chosen = Signatures(signatures.detail[rows], signatures.colour[rows], signatures.drawn[rows])
    yield from ((distinct[one], distinct[other]) for one, other in alike_pairs(chosen))


def _named_alike(ordered: Sequence[Read], notes: list[Message]) -> Iterator[tuple[int, int]]:
    for label, places in sorted(_by_label(ordered).items()):
        names = [ordered[place].picture.name for place in places]
        for stem, shared in same_source(names):
            if is_believed(shared, len(places)):
                yield from ((places[shared[0]], places[other]) for other in shared[1:])
            else:
                notes.append(
                    message(
                        "{n} pictures of {label} are named as variations of one picture ({stem}), which cannot be, and "
                        "were told apart by what they show. Give variations the name of their own picture.",
                        n=len(shared), label=label, stem=stem,
                    )
                )  # fmt: skip


def _by_label(ordered: Iterable[Read]) -> dict[str, list[int]]:
    places: dict[str, list[int]] = {}
    for place, one in enumerate(ordered):
        if one.picture.label is not None:
            places.setdefault(one.picture.label, []).append(place)
    return places


def _components(count: int, pairs: Sequence[tuple[int, int]]) -> list[int]:
    from scipy.sparse import coo_array  # noqa: PLC0415  not for those who only ask for help
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415

    if not count:
        return []
    ends = np.array(pairs, np.intp).reshape(-1, 2)
    edges = coo_array((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), shape=(count, count))
    return [int(number) for number in connected_components(edges, directed=False)[1]]
