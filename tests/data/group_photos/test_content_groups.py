from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.data.group_photos.content_groups import LEAST_CONTENTS, Content, split_contents
from grader.data.group_photos.decoding import DecodedPhoto
from grader.data.group_photos.photo_files import PhotoFile
from grader.models.submission import Attachment

SECRET, OTHER = b"s" * 32, b"t" * 32


def content(number: int, *labels: str | None) -> Content:
    return Content(
        tuple(
            DecodedPhoto(PhotoFile(Attachment(f"{number}-{at}", Path()), label), f"{number:04x}-{at}", 9, 9, Path(), at)
            for at, label in enumerate(labels)
        )
    )


CONTENTS = st.lists(
    st.lists(st.sampled_from(["a", "b", "c", None]), min_size=1, max_size=4), min_size=0, max_size=60
).map(lambda rows: [content(number, *labels) for number, labels in enumerate(rows)])


@settings(deadline=None, max_examples=50)  # no deadline: test machines are busy
@given(CONTENTS, st.floats(0.05, 0.5), st.integers(2, 20), st.randoms(use_true_random=False))
def test_a_split_keeps_its_guarantees(contents: list[Content], share: float, most: int, random: object) -> None:
    parts = split_contents(contents, SECRET, share, most=most * 3)
    assert {item.digest for item in parts.training}.isdisjoint(item.digest for item in parts.held_out)
    assert {item.digest for item in parts.training + parts.held_out} == {item.digest for item in contents}
    assert all(len(item.labels) == 1 for item in parts.held_out)
    for label in "abc":
        own = [item for item in contents if item.labels == (label,)]
        held = [item for item in parts.held_out if item.labels == (label,)]
        assert len(own) - len(held) >= min(len(own), 2)
        assert (len(held) > 0) == (len(own) >= LEAST_CONTENTS)
        assert len(held) <= max(1, len(own) * share + 1)
        assert 2 * len(held) <= max(len(parts.held_out), 2)
    shuffled = sorted(contents, key=lambda _item: random.random())  # type: ignore[attr-defined]
    again = split_contents(shuffled, SECRET, share, most=most * 3)
    assert {item.digest for item in again.held_out} == {item.digest for item in parts.held_out}


def test_another_secret_holds_out_other_contents() -> None:
    contents = [content(number, "a" if number % 2 else "b") for number in range(100)]
    held = [{item.digest for item in split_contents(contents, secret, 0.2).held_out} for secret in (SECRET, OTHER)]
    assert [len(some) for some in held] == [20, 20]
    assert held[0] != held[1]


@pytest.mark.parametrize(("contents", "held"), [(1, 0), (2, 0), (3, 1), (10, 2), (12, 2), (13, 3), (100, 20)])
def test_about_the_asked_share_of_a_class_is_held_out(contents: int, held: int) -> None:
    twice = [content(number, "ab"[number % 2]) for number in range(2 * contents)]
    assert len(split_contents(twice, SECRET, 0.2).held_out) == 2 * held


def test_the_largest_class_is_at_most_half_of_the_hidden_contents() -> None:
    labels = ["a"] * 97 + ["b"] * 3 + ["c"] * 3
    contents = [content(number, label) for number, label in enumerate(labels)]
    held = [item.labels[0] for item in split_contents(contents, SECRET, 0.2).held_out]
    assert sorted(held) == ["a", "a", "b", "c"]


def test_the_number_of_hidden_contents_is_limited() -> None:
    contents = [content(number, f"class {number // 3}") for number in range(300)]
    assert len(split_contents(contents, SECRET, 0.2, most=40).held_out) == 40


def test_an_added_photo_does_not_change_the_other_choices() -> None:
    contents = [content(number, "ab"[number % 2]) for number in range(50)]
    before = {item.digest for item in split_contents(contents, SECRET, 0.2).held_out}
    after = {item.digest for item in split_contents([*contents, content(99, "a")], SECRET, 0.2).held_out}
    assert len(before - after) <= 1
