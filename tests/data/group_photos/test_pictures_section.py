from __future__ import annotations

from pathlib import Path

import pytest

from grader.models.assignment import Pictures
from grader.models.errors import AssignmentError
from tests.data.group_photos.photo_assignment import TOML, photo_assignment

DATA = """\
[data]
files = []
table = "x.csv"
inputs = ["a"]
target = "b"
task = "classification"
hidden = { file = "y.csv" }
"""


def test_the_section_and_its_defaults_are_read(tmp_path: Path) -> None:
    assert photo_assignment(tmp_path).pictures == Pictures((24, 24), 2, 10, "pictures", 0.2)
    defaults = photo_assignment(tmp_path, ("min_classes = 2\nmin_per_class = 10\n", ""), ("hold_out = 0.2\n", ""))
    assert defaults.pictures == Pictures((24, 24))


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("[24, 24]", "[24]", "pictures.size"),
        ("[24, 24]", "[24, 4000]", "pictures.size: found [24, 4000], expected height and width from 16 to 512"),
        ("size = [24, 24]\n", "", "pictures.size: missing"),
        ("min_classes = 2", "min_classes = 1", "pictures.min_classes: found 1, expected 2 to 1000"),
        ("min_per_class = 10", "min_per_class = 2", "pictures.min_per_class: found 2, expected 3 to 10000"),
        ('"pictures"', '"../up"', "pictures.folder: found '../up', expected a folder's plain name"),
        ('"pictures"', '""', "pictures.folder: found ''"),
        ("hold_out = 0.2", "hold_out = 1.0", "pictures.hold_out: found 1.0, expected 0.05 to 0.5"),
        ("hold_out = 0.2", "hold_out = nan", "pictures.hold_out: found nan"),
        ("hold_out = 0.2", "holdout = 0.2", "pictures.holdout: not known here"),
        ("[limits]", DATA + "[limits]", "pictures: found beside [data] or [public]"),
        (TOML[TOML.index("[pictures]") : TOML.index("[limits]")], "", "rubric[1].kind: 'dataset' needs a [pictures]"),
    ],
)
def test_an_invalid_value_is_reported_with_its_place(tmp_path: Path, old: str, new: str, expected: str) -> None:
    with pytest.raises(AssignmentError) as raised:
        photo_assignment(tmp_path, (old, new))
    assert expected in str(raised.value)


def test_all_invalid_values_are_reported_at_once(tmp_path: Path) -> None:
    with pytest.raises(AssignmentError) as raised:
        photo_assignment(tmp_path, ("[24, 24]", "[1, 24]"), ("min_classes = 2", "min_classes = 0"), ("0.2", "0.9"))
    assert len(raised.value.problems) == 3
