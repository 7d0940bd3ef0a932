"""Tests of owners in the file names of Moodle and Canvas, and of the folder around a class."""

from __future__ import annotations

from dataclasses import replace

import pytest

from grader.lms import folder
from grader.lms.canvas import archive as canvas
from grader.lms.identity import Owner
from grader.lms.moodle import archive as moodle

F, T = "_assignsubmission_file", "_assignsubmission_onlinetext"


@pytest.mark.parametrize(
    ("name", "owner"),
    [
        (f"林小明_12{F}/hw.ipynb", Owner("林小明", "hw.ipynb", f"林小明_12{F}", "12")),
        (f"林小明_12{F}_/sub/hw.ipynb", Owner("林小明", "sub/hw.ipynb", f"林小明_12{F}_", "12")),
        (f"林小明_12{F}_hw.ipynb", Owner("林小明", "hw.ipynb", f"林小明_12{F}", "12")),
        (f"Ann Lee_12{F}__hw.ipynb", Owner("Ann Lee", "_hw.ipynb", f"Ann Lee_12{F}", "12")),
        (f"O'Brien, Ann_7{F}/a_b_3{F}_c.ipynb", Owner("O'Brien, Ann", f"a_b_3{F}_c.ipynb", f"O'Brien, Ann_7{F}", "7")),
        (f"Team 2_B_31{F}/hw.ipynb", Owner("Team 2_B", "hw.ipynb", f"Team 2_B_31{F}", "31")),
        (f"Default group{F}/hw.ipynb", Owner("Default group", "hw.ipynb", f"Default group{F}")),
        (f"Participant_9{F}/hw.ipynb", Owner("Participant 9", "hw.ipynb", f"Participant_9{F}", "9")),
        (f"參與者_9{F}/hw.ipynb", Owner("參與者 9", "hw.ipynb", f"參與者_9{F}", "9")),
        (f"عمر_5{T}/onlinetext.html", Owner("عمر", "onlinetext.html", f"عمر_5{T}", "5", typed=True)),
        (f"Ann_5{T}_onlinetext.html", Owner("Ann", "onlinetext.html", f"Ann_5{T}", "5", typed=True)),
        (f"Ann_5{F}/", Owner("Ann", "", f"Ann_5{F}", "5")),
        (f"Eve_5{F}/../../evil", Owner("Eve", "../../evil", f"Eve_5{F}", "5")),
        (f"folder/Ann_5{F}/hw.ipynb", None),
        ("Ann_5_hw.ipynb", None),
        ("", None),
    ],
)  # fmt: skip
def test_moodle_names(name: str, owner: Owner | None) -> None:
    assert moodle.parse_name(name) == owner


@pytest.mark.parametrize(
    ("name", "owner"),
    [
        ("doejane_4567_89123_hw1.ipynb", Owner("doejane", "hw1.ipynb", "", "4567", False, 89123)),
        ("doejane_LATE_4567_89123_hw1.ipynb", Owner("doejane", "hw1.ipynb", "", "4567", True, 89123)),
        ("王小明_4567_89123_作業_1_2_3.ipynb", Owner("王小明", "作業_1_2_3.ipynb", "", "4567", False, 89123)),
        ("anon_a1B2c_89123_hw1-1.ipynb", Owner("anon a1B2c", "hw1-1.ipynb", "", "a1B2c", False, 89123)),
        ("LATE_anon_12345_89123_hw1.ipynb", Owner("anon 12345", "hw1.ipynb", "", "12345", True, 89123)),
        ("doejane_4567_text.html", Owner("doejane", "text.html", "", "4567", False, typed=True)),
        ("doejane_LATE_4567_link.html", Owner("doejane", "link.html", "", "4567", True, typed=True)),
        ("doejane_4567_hw1.ipynb", None),
        ("a/doejane_4567_89123_hw1.ipynb", None),
        ("hw_1_2.ipynb", None),
    ],
)
def test_canvas_names(name: str, owner: Owner | None) -> None:
    assert canvas.parse_name(name) == (owner and replace(owner, origin=name))


@pytest.mark.parametrize(
    ("names", "prefix"),
    [
        (["class/lin/hw.ipynb", "class/chen/hw.ipynb"], "class/"),
        (["class/lin.ipynb", "class/chen.ipynb"], "class/"),
        (["lin/hw.ipynb", "lin/data.csv"], ""),
        (["lin/hw.ipynb", "lin/images/1.png"], ""),
        (["lin/hw.ipynb", "chen/hw.ipynb"], ""),
        ([], ""),
    ],
)
def test_folder_around_the_class_is_found(names: list[str], prefix: str) -> None:
    assert folder.wrapper(names) == prefix
