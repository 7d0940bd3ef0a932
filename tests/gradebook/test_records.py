"""Values written as JSON and read back are the same."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from grader.gradebook.records import Records
from grader.i18n.message import Message, message
from grader.models.facts import Facts, Fit
from grader.models.grade import Grade, Scale, Score
from grader.models.lateness import Extension, Lateness
from grader.models.photo_survey import PhotoClass, PhotoSurvey
from grader.models.run import Cell, CellError, Outcome, Run
from grader.models.submission import Attachment, Student, Submission

OUT = Path("/results")
RECORDS = Records(OUT)
AT = datetime(2026, 11, 30, 8, tzinfo=UTC)


def test_a_run_is_the_same_after_it() -> None:
    run = Run(
        Outcome.ERROR,
        message("{a} and {b}", a=message("{n:.1f}", n=2.5), b="text"),
        cells=(Cell(1, "code", 3, error=CellError("ValueError", "no {braces}")), Cell(2, "markdown", 4)),
        facts=Facts(fits=(Fit("m", 2, None, 3, True, 1.5, {"loss": (1.0, 0.5)}),), seeds={"numpy": 0}),
        executed=OUT / "students" / "ann" / "executed.ipynb",
        photo_survey=PhotoSurvey(classes=(PhotoClass("cat", 4, 3, 1, 3, b"\xff\xd8\x00"),), largest=(4, 3)),
    )
    assert RECORDS.load(RECORDS.dump(run), Run) == run


def test_a_submission_and_a_grade_are_the_same_after_it() -> None:
    submission = Submission(
        Student("ann", "Ann"),
        Path("/tmp/hw.ipynb"),
        attachments=(Attachment("a.csv", Path("/tmp/a.csv")),),
        parts={"one": Path("/tmp/one.ipynb")},
        submitted_at=AT,
        extension=Extension(days=2.0),
        group=(Student("bob", "Bob"),),
        problem=message("Nothing."),
        outcome=Outcome.MISSING,
    )
    assert RECORDS.load(RECORDS.dump(submission), Submission) == submission
    late = Lateness(AT, None, timedelta(hours=3), "percent", message("late"))
    score = Score("a", {"en": "A"}, None, 3.0, None, message("open"), scale=Scale(1.0, 0.0, {"mean": 0.5}))
    grade = Grade((score,), None, 3.0, True, (message("look"),), late)
    assert RECORDS.load(RECORDS.dump(grade), Grade) == grade


def test_results_can_be_moved_to_another_folder() -> None:
    text = RECORDS.dump(Run(Outcome.OK, executed=OUT / "a.ipynb", predictions=Path("/elsewhere/a.npy")))
    moved = Records(Path("/backup")).load(text, Run)
    assert (moved.executed, moved.predictions) == (Path("/backup/a.ipynb"), Path("/elsewhere/a.npy"))


def test_numbers_that_are_none_are_kept() -> None:
    fit = Fit("m", 1, None, None, False, math.inf, {"loss": (math.nan, 1.0)})
    again = RECORDS.load(RECORDS.dump(fit), Fit)
    assert again.seconds == math.inf and math.isnan(again.curves["loss"][0]) and again.curves["loss"][1] == 1.0


ANY_TEXT = st.text(st.characters(exclude_categories=[]))  # half characters and NUL, too
WORDS = ANY_TEXT.filter(lambda text: text not in ("nan", "inf", "-inf"))  # these become numbers, and read the same
NUMBERS = st.one_of(st.integers(), st.booleans(), st.floats(allow_nan=False), st.builds(np.float64, st.floats(-9, 9)))
VALUES = st.one_of(WORDS, NUMBERS)
MESSAGES = st.recursive(
    st.builds(Message, ANY_TEXT, st.dictionaries(ANY_TEXT, VALUES)),
    lambda inner: st.builds(Message, ANY_TEXT, st.dictionaries(ANY_TEXT, inner)),
    max_leaves=5,
)


@given(MESSAGES)
def test_any_message_is_the_same_after_it(text: Message) -> None:
    assert RECORDS.load(RECORDS.dump(text), Message) == text
