"""The tables and lines of the terminal, and that no text of a student moves its cursor."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console, RenderableType

from grader.cli.commands.assignments_command import assignments_table
from grader.cli.console import (
    OUTCOMES,
    class_progress,
    class_table,
    legend,
    review_line,
    score_table,
)
from grader.cli.doctor import Finding, State, doctor_table
from grader.cli.terminal import plain
from grader.i18n.catalogue import LANGUAGES, translation
from grader.i18n.message import message
from grader.models.grade import Graded
from grader.models.run import Outcome
from grader.scoring.rubric.manual import Manual
from grader.spec.listing import Summary
from tests.support.graded_class import (
    ASSIGNMENT,
    READ_IT,
    accuracy_score,
    good_run,
    grade,
    graded,
    other_score,
    our_fault,
    small_class,
    strong,
    too_close,
)

ENGLISH, CHINESE = translation("en"), translation("zh-TW")
WITH_STORY = replace(ASSIGNMENT, rubric=(*ASSIGNMENT.rubric[:3], Manual("story", 15, title={"en": "Story"})))


def shown(renderable: RenderableType, width: int = 120) -> str:
    """Return what a terminal of that width shows, without colours."""
    screen = Console(file=StringIO(), width=width, color_system=None)
    screen.print(renderable)
    assert isinstance(screen.file, StringIO)
    return screen.file.getvalue()


def row_of(name: str, text: str) -> list[str]:
    return next(line for line in text.splitlines() if name in line).split()


# ---------------------------------------------------------------- the class


def test_a_class_is_a_line_for_each_student() -> None:
    text = shown(class_table(small_class(), ASSIGNMENT, ENGLISH))
    assert text.splitlines()[0].strip() == "Who is ill?"
    assert row_of("陳怡君", text) == ["陳怡君", "10", "60", "15", "15", "100", "ran", "9", "s"]
    places = [text.index(graded.submission.student.name) for graded in small_class()]
    assert places == sorted(places)


def test_an_unknown_total_is_a_question_mark_and_not_zero() -> None:
    row = row_of("李美玲", shown(class_table([our_fault()], ASSIGNMENT, ENGLISH)))
    assert row == ["李美玲", "?", "?", "?", "?", "?", "grader", "failed", "0", "s", "●"]


def test_a_class_is_shown_in_chinese() -> None:
    text = shown(class_table(small_class(), ASSIGNMENT, CHINESE))
    assert "疾病預測" in text
    assert "Outcome" not in text
    assert "ran" not in row_of("陳怡君", text)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("outcome", Outcome)
def test_every_outcome_has_its_own_word(language: str, outcome: Outcome) -> None:
    words = [translation(language).say(OUTCOMES[one]) for one in Outcome]
    assert len(set(words)) == len(Outcome)
    run = replace(good_run(), outcome=outcome)
    table = class_table([replace(strong(), run=run)], ASSIGNMENT, translation(language))
    assert translation(language).say(OUTCOMES[outcome]) in shown(table)


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_a_class_fits_the_terminal(width: int) -> None:
    text = shown(class_table(small_class(), ASSIGNMENT, ENGLISH), width)
    cells = Console(width=width)
    assert max(cells.measure(line).maximum for line in text.splitlines()) <= width


def test_very_many_criteria_leave_room_for_student_and_total() -> None:
    """A course may have 24 questions: those that cost points are named by their numbers in one column."""
    rubric = tuple(Manual(f"question-{number}", 4, title={"en": f"Question {number}"}) for number in range(1, 25))
    lost, unknown = {3, 4, 5, 17}, {24}
    scores = tuple(
        replace(
            other_score(2, 4),
            criterion=criterion.id,
            max=4.0,
            points=None if number in unknown else 1.0 if number in lost else 4.0,
        )
        for number, criterion in enumerate(rubric, 1)
    )
    assignment = replace(ASSIGNMENT, rubric=rubric)
    text = shown(class_table([graded("陳怡君", good_run(), grade(*scores))], assignment, ENGLISH), 80)
    assert "3-5, 17, 24?" in text
    assert max(Console(width=80).measure(line).maximum for line in text.splitlines()) <= 80
    named = legend(assignment)
    assert named is not None and "24 question-24" in named.plain


def only_proposed() -> Graded:
    """Return a grade without faults, whose story waits to be read: the usual case."""
    story = replace(other_score(3, 15), passed=None, review=READ_IT)
    scores = (other_score(0, 10), accuracy_score(0.861), other_score(2, 15), story)
    return graded("周杰", good_run(), grade(*scores, reasons=(READ_IT,)))


def test_many_criteria_are_numbered_and_named_in_full_below() -> None:
    names = ["executes", "pictures", "resized", "augmented", "network", "curves", "accuracy", "report", "discussion"]
    rubric = tuple(Manual(name, 10, title={"en": name}) for name in names)
    scores = tuple(replace(accuracy_score(0.8), criterion=name, points=12.25) for name in names)
    one = replace(too_close(), grade=replace(too_close().grade, scores=scores))
    assignment = replace(ASSIGNMENT, rubric=rubric)
    text = shown(class_table([one], assignment, ENGLISH), 80)
    heading = next(line for line in text.splitlines() if "Student" in line).split()
    assert heading[1:10] == [str(number) for number in range(1, 10)]
    assert text.count("12.2") == 9
    assert "●" in text
    named = legend(assignment)
    assert named is not None and legend(ASSIGNMENT) is None
    assert all(f"{number} {name}" in " ".join(shown(named, 80).split()) for number, name in enumerate(names, 1))


def test_reasons_that_every_student_has_are_not_marked() -> None:
    assert "●" not in shown(class_table([only_proposed()], WITH_STORY, ENGLISH))


def test_a_result_too_close_to_the_threshold_is_marked() -> None:
    assert "●" in shown(class_table([too_close()], ASSIGNMENT, ENGLISH))


def test_the_last_line_counts_reviews_and_names_proposed_criteria() -> None:
    line = review_line([only_proposed(), our_fault(), strong()], WITH_STORY, ENGLISH)
    assert "1 of 3 need a person's look" in line
    assert line.endswith("Only proposed, for you to decide: story.")


def test_proposals_are_not_mentioned_if_there_are_none() -> None:
    line = review_line([strong()], ASSIGNMENT, ENGLISH)
    assert "0 of 1" in line
    assert "proposed" not in line


# ---------------------------------------------------------------- other tables


def test_a_check_shows_points_and_reasons() -> None:
    text = shown(score_table([other_score(0, 10), replace(accuracy_score(None), points=None)], ENGLISH))
    assert "The notebook runs" in text
    assert "10 / 10" in text
    assert "? / 60" in text
    assert "All 9 code cells ran without an error." in text


@pytest.mark.parametrize(("state", "sign"), [(State.OK, "✓"), (State.NOTE, "!"), (State.MISSING, "✗")])
def test_a_finding_is_shown_with_its_sign_and_its_advice(state: State, sign: str) -> None:
    finding = Finding(message("Python"), state, message("found 3.9"), message("Install 3.11."))
    text = shown(doctor_table([finding], ENGLISH))
    assert text.split() == [sign, "Python", "found", "3.9", "→", "Install", "3.11."]


def test_assignments_are_listed_with_their_folders() -> None:
    text = shown(assignments_table([Summary("disease", ASSIGNMENT.title, 100, Path("/a/folder"))], CHINESE))
    assert "disease" in text
    assert "疾病預測" in text
    assert "100" in text
    assert "/a/folder" in text


def test_progress_counts_the_class() -> None:
    file = StringIO()
    with class_progress(Console(file=file, width=100, force_terminal=True)) as progress:
        task = progress.add_task("Grading", total=3)
        progress.advance(task, 2)
        progress.refresh()
    assert "2/3" in file.getvalue()


# ---------------------------------------------------------------- what strangers wrote

HOSTILE = {
    "clears the screen": "\x1b[2J",
    "sets the title": "\x1b]0;owned\x07",
    "goes back": "safe\revil",
    "rings": "\x07",
    "turns the writing round": "\u202egnp.exe",
    "8-bit escape": "\x9b2J",
    "a line": "one\ntwo",
    "markup": "[red]x[/red][link=http://a]y[/link]",
    "broken markup": "[/nothing]",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_no_text_of_a_student_controls_the_terminal(text: str) -> None:
    score = replace(other_score(0, 10), reason=message("{text}", text=text), title={"en": text})
    rows = [graded(text, good_run(), grade(score, *map(other_score, range(1, 4), [1, 1, 1])))]
    titled = replace(ASSIGNMENT, title={"en": text})
    finding = Finding(message("{text}", text=text), State.NOTE, message("{text}", text=text))
    for table in (
        class_table(rows, titled, ENGLISH),
        score_table([score], ENGLISH),
        doctor_table([finding], ENGLISH),
        assignments_table([Summary(titled.id, titled.title, 1, titled.folder)], ENGLISH),
    ):
        found = shown(table, 400)
        assert plain(found.replace("\n", "")) == found.replace("\n", "")
        assert plain(text) in found


@given(st.text(st.characters(codec="utf-8")))
def test_plain_keeps_letters_and_removes_control_characters(text: str) -> None:
    kept = plain(text)
    assert all(letter in kept for letter in text if letter.isalnum())
    assert not any(ord(letter) < 32 or 127 <= ord(letter) < 160 for letter in kept)
    assert plain(kept) == kept
