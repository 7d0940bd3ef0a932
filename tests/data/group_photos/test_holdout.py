"""The split by content, for any contents whatever."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.data.group_photos.content_groups import Content
from grader.data.group_photos.decoding import Read
from grader.data.group_photos.holdout import LEAST, split
from grader.data.group_photos.photo_files import Picture
from grader.models.submission import Attachment

SECRET, OTHER = b"s" * 32, b"t" * 32


def content(number: int, *labels: str | None) -> Content:
    return Content(
        tuple(
            Read(Picture(Attachment(f"{number}-{at}", Path()), label), f"{number:04x}-{at}", 9, 9, Path(), at)
            for at, label in enumerate(labels)
        )
    )


CONTENTS = st.lists(
    st.lists(st.sampled_from(["a", "b", "c", None]), min_size=1, max_size=4), min_size=0, max_size=60
).map(lambda rows: [content(number, *labels) for number, labels in enumerate(rows)])


@settings(deadline=None, max_examples=50)  # of a busy machine
@given(CONTENTS, st.floats(0.05, 0.5), st.integers(2, 20), st.randoms(use_true_random=False))
def test_a_split(contents: list[Content], share: float, most: int, random: object) -> None:
    parts = split(contents, SECRET, share, most=most * 3)
    assert {one.digest for one in parts.training}.isdisjoint(one.digest for one in parts.held_out)
    assert {one.digest for one in parts.training + parts.held_out} == {one.digest for one in contents}
    assert all(len(one.labels) == 1 for one in parts.held_out)
    for label in "abc":
        own = [one for one in contents if one.labels == (label,)]
        held = [one for one in parts.held_out if one.labels == (label,)]
        assert len(own) - len(held) >= min(len(own), 2)
        assert (len(held) > 0) == (len(own) >= LEAST)
        assert len(held) <= max(1, len(own) * share + 1)
        assert 2 * len(held) <= max(len(parts.held_out), 2)
    shuffled = sorted(contents, key=lambda _one: random.random())  # type: ignore[attr-defined]
    again = split(shuffled, SECRET, share, most=most * 3)
    assert {one.digest for one in again.held_out} == {one.digest for one in parts.held_out}


def test_the_secret_decides() -> None:
    contents = [content(number, "a" if number % 2 else "b") for number in range(100)]
    held = [{one.digest for one in split(contents, secret, 0.2).held_out} for secret in (SECRET, OTHER)]
    assert [len(some) for some in held] == [20, 20]
    assert held[0] != held[1]


@pytest.mark.parametrize(("contents", "held"), [(1, 0), (2, 0), (3, 1), (10, 2), (12, 2), (13, 3), (100, 20)])
def test_how_many_of_a_class(contents: int, held: int) -> None:
    twice = [content(number, "ab"[number % 2]) for number in range(2 * contents)]
    assert len(split(twice, SECRET, 0.2).held_out) == 2 * held


def test_a_class_that_outnumbers_all_others_is_asked_no_more_than_these() -> None:
    labels = ["a"] * 97 + ["b"] * 3 + ["c"] * 3
    contents = [content(number, label) for number, label in enumerate(labels)]
    held = [one.labels[0] for one in split(contents, SECRET, 0.2).held_out]
    assert sorted(held) == ["a", "a", "b", "c"]


def test_no_more_are_asked_than_may_be() -> None:
    contents = [content(number, f"class {number // 3}") for number in range(300)]
    assert len(split(contents, SECRET, 0.2, most=40).held_out) == 40


def test_one_more_picture_moves_no_other() -> None:
    contents = [content(number, "ab"[number % 2]) for number in range(50)]
    before = {one.digest for one in split(contents, SECRET, 0.2).held_out}
    after = {one.digest for one in split([*contents, content(99, "a")], SECRET, 0.2).held_out}
    assert len(before - after) <= 1
