"""Points, reasons and review of the criteria for a photo homework."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from grader.grading.grading import grade_scores
from grader.i18n.message import message
from grader.models.errors import AssignmentError
from grader.models.facts import Facts, Network, Transform
from grader.models.grade import Score
from grader.models.pdf_report import Document, Member, Section
from grader.models.run import Cell, Outcome, Run
from grader.models.submission import Student, Submission
from grader.scoring.rubric import architecture, augmentation, document
from grader.scoring.rubric.architecture import Architecture
from grader.scoring.rubric.augmentation import Augmentation
from grader.scoring.rubric.document import DocumentHandedIn
from grader.scoring.scoring import score_run
from grader.spec.loader import load_assignment
from tests.support.graded_class import ASSIGNMENT

# ---------------------------------------------------------------- augmentation

FLIP = Transform("augmentation", "RandomFlip", cell=3, trained=100)
ROTATE = Transform("augmentation", "PIL.Image.Image.rotate", cell=1, pictures=50)
SIZE = Transform("resizing", "Resizing", cell=3, trained=100)


def run(*transforms: Transform, pictures: int = 100, images: int = 0) -> Run:
    cells = tuple(Cell(n, "code", 10, ran=True, images=images) for n in range(5))
    return Run(Outcome.OK, cells=cells, facts=Facts(transforms=transforms, training_pictures=pictures))


@pytest.mark.parametrize(
    ("options", "transforms", "points", "reason"),
    [
        ({}, [FLIP], 10, "Used for training: RandomFlip (cell 4)."),
        ({"at_least": 2}, [FLIP], 5, "1 of 2 different augmentations were used for training: RandomFlip (cell 4)."),
        ({"at_least": 2}, [FLIP, ROTATE, FLIP], 10, "RandomFlip (cell 4), PIL.Image.Image.rotate (cell 2)"),
        ({"resizing": True}, [FLIP], 5, "No training used resized pictures"),
        ({"resizing": True, "at_least": 2}, [SIZE, FLIP], 7.5, "The pictures were resized: Resizing (cell 4). 1 of 2"),
        ({"resizing": True, "augmentation": False}, [SIZE], 10, "The pictures were resized"),
        ({}, [], 0, "No training used augmentation."),
        ({}, [SIZE], 0, "No training used augmentation."),
        ({}, [replace(FLIP, trained=24)], 0, "In the notebook, but not used in a training: RandomFlip (cell 4)."),
        ({}, [replace(ROTATE, pictures=9)], 0, "In the notebook, but not used in a training"),
        ({}, [replace(ROTATE, cell=-1)], 10, "Used for training: PIL.Image.Image.rotate."),
    ],
)
def test_points_and_reason_of_augmentation(
    options: dict[str, Any], transforms: list[Transform], points: float, reason: str
) -> None:
    result = augmentation.score(Augmentation("a", 10, **options), run(*transforms))
    assert (result.points, result.passed, result.review) == (points, points == 10, None)
    assert reason in str(result.reason)


def test_a_cell_that_shows_pictures_counts_only_if_it_changes_all() -> None:
    few, all_of_them = replace(ROTATE, pictures=99), replace(ROTATE, pictures=100)
    assert augmentation.score(Augmentation("a", 10), run(few, images=1)).points == 0
    assert augmentation.score(Augmentation("a", 10), run(all_of_them, images=1)).points == 10


def test_augmentation_without_a_recorded_training_needs_review() -> None:
    result = augmentation.score(Augmentation("a", 10), run(ROTATE, pictures=0))
    assert result.points == 10 and "No training with fit() was recorded" in str(result.review)


# ---------------------------------------------------------------- architecture

NETWORK = Network("model", {"Conv2D": 2, "SeparableConv2D": 1, "Dense": 1}, parameters=1234, trainable=200, frozen=2)
TORCH = Network("net", {"Conv2d": 3, "Linear": 1}, parameters=1234, trainable=1234)


@pytest.mark.parametrize(
    ("options", "network", "points", "reason"),
    [
        ({"layers": {"Conv2D": 3}}, NETWORK, 10, "model has 4 layers and 1,234 parameters, 200 of them trained."),
        ({"layers": {"Conv2D": 3, "Dense": 1}}, TORCH, 10, "net has 4 layers"),
        ({"layers": {"SeparableConv2D": 2}}, NETWORK, 0, "SeparableConv2D: 1 of at least 2 layers"),
        ({"layers": {"Conv2D": 1, "LSTM": 1}}, NETWORK, 5, "Requirements not met: LSTM: 0 of at least 1 layers."),
        ({"layers": {"Own": 1}}, NETWORK, 0, "Own: 0 of"),
        ({"max_parameters": 1234}, NETWORK, 10, "1,234 parameters"),
        ({"max_parameters": 1000}, NETWORK, 0, "1,234 parameters, at most 1,000 expected"),
        ({"min_parameters": 2000}, NETWORK, 0, "1,234 parameters, at least 2,000 expected"),
        ({"trainable_below": 201}, NETWORK, 10, "200 of them trained"),
        ({"trainable_below": 200}, TORCH, 0, "1,234 parameters are trained, fewer than 200 expected: freeze layers"),
        ({"layers": {"Conv2D": 1}}, None, 0, "No Keras or PyTorch model was found"),
    ],
)
def test_points_and_reason_of_architecture(
    options: dict[str, Any], network: Network | None, points: float, reason: str
) -> None:
    result = architecture.score(Architecture("a", 10, **options), Run(Outcome.OK, facts=Facts(network=network)))
    assert (result.points, result.passed) == (points, points == 10)
    assert reason in str(result.reason)


# ---------------------------------------------------------------- document

WRITTEN = tuple(Section(name, f"一、{name}", 1, 40) for name in ("members", "purpose", "results"))
ASKED = DocumentHandedIn("report", 20, sections=("members", "purpose", "results"), members=True)
BOTH = (Member("王小明", "程式"), Member("陳大文", "吉祥物", mascot=True))
REPORT = Document("report.pdf", 3, WRITTEN, BOTH)


def score_of(handed: Document | None, criterion: DocumentHandedIn = ASKED) -> Score:
    return document.score(criterion, Run(Outcome.OK, document=handed))


TOO_SHORT = replace(WRITTEN[2], characters=19)


@pytest.mark.parametrize(
    ("handed", "points", "reason"),
    [
        (REPORT, 20, "(3 p.): 3 of 3 sections were found. All members have a task (2); the mascot is 陳大文"),
        (replace(REPORT, members=BOTH[:1]), 20, "All members have a task (1)."),
        (replace(REPORT, members=()), 15, "No member was found"),
        (replace(REPORT, members=(Member("李美玲"), *BOTH)), 15, "Members without a task: 李美玲."),
        (replace(REPORT, sections=(*WRITTEN[:2], Section("results"))), 15, "Not found: Results."),
        (replace(REPORT, sections=(*WRITTEN[:2], TOO_SHORT)), 15, "below the heading: Results."),
        (replace(REPORT, sections=(Section("members", "組員", 1, 3), *WRITTEN[1:])), 20, "3 of 3"),
    ],
)  # fmt: skip
def test_points_and_reason_of_a_report(handed: Document, points: float, reason: str) -> None:
    result = score_of(handed)
    assert result.points == points and reason in str(result.reason)
    assert result.passed is None and "read it and decide" in str(result.review), "points are proposed"


def test_doubts_about_the_report_become_review_reasons() -> None:
    doubtful = Run(Outcome.OK, document=replace(REPORT, doubts=(message("Look."),)))
    grade = grade_scores(Submission(Student("a", "Ann")), doubtful, [document.score(ASKED, doubtful)])
    assert grade.review_reasons == (message("Look."), document.READ_IT)


def test_an_added_section_is_named_by_its_first_heading() -> None:
    own = DocumentHandedIn("report", 20, sections=("safety",), headings={"safety": ("安全守則", "Safety")})
    assert "Not found: 安全守則." in str(score_of(replace(REPORT, sections=(Section("safety"),)), own).reason)


@pytest.mark.parametrize(
    ("handed", "points"),
    [
        (None, 0.0),
        (Document(problem=message("No PDF."), none=True), 0.0),
        (Document("report.pdf", problem=message("A scan.")), None),
    ],
    ids=["not read", "nobody can read it", "a machine cannot read it"],
)
def test_an_unreadable_report_needs_review(handed: Document | None, points: float | None) -> None:
    result = score_of(handed)
    assert result.points == points and result.passed is (None if points is None else False)
    assert result.review == result.reason, "a person must check it in any case"


def test_a_report_is_scored_without_a_notebook() -> None:
    assignment = replace(ASSIGNMENT, rubric=(Augmentation("a", 10), ASKED))
    nothing = Run(Outcome.MISSING, message("No notebook was handed in."), document=REPORT)
    assert [score.points for score in score_run(nothing, assignment, None)] == [0, 20]
    assert [score.points for score in score_run(replace(nothing, document=None), assignment, None)] == [0, 0]


# ---------------------------------------------------------------- in an assignment

FILE = """
id = "photos"
version = "1"
title = {{ en = "Photos" }}
[[rubric]]
id = "one"
points = 10
title = {{ en = "One" }}
{options}
"""
GOOD = """kind = "document"
sections = ["purpose", "safety"]
members = true
headings = { safety = ["安全"], purpose = ["為什麼"] }"""


def load(folder: Path, options: str) -> Any:
    (folder / "assignment.toml").write_text(FILE.format(options=options), "utf-8")
    return load_assignment(folder).rubric[0]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (GOOD, DocumentHandedIn),
        ('kind = "augmentation"\nresizing = true\nat_least = 3', Augmentation),
        ('kind = "architecture"\nlayers = { Conv2D = 2 }\nmax_parameters = 1_000_000', Architecture),
    ],
)
def test_an_assignment_file_can_name_the_kind(tmp_path: Path, options: str, expected: type) -> None:
    assert type(load(tmp_path, options)) is expected


def test_sections_of_all_document_criteria_are_collected() -> None:
    other = DocumentHandedIn("more", 5, sections=("safety",), headings={"safety": ("安全", "Safety")})
    found = document.wanted([ASKED, other, replace(other, headings={"safety": ("規則",)})])
    assert found is not None
    assert found.sections == ("members", "purpose", "results", "safety")
    assert found.added == {"safety": ("安全", "Safety", "規則")}
    assert document.wanted([Augmentation("a", 1)]) is None


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ('kind = "augmentation"\naugmentation = false', "nothing is asked for"),
        ('kind = "augmentation"\nat_least = 0', "at_least: found 0, expected a number above 0"),
        ('kind = "architecture"', "layers: nothing is asked for"),
        ('kind = "architecture"\nlayers = { Conv2D = 0 }', "rubric[0].layers"),
        ('kind = "architecture"\nmin_parameters = 9\nmax_parameters = 3', "min_parameters: found 9"),
        ('kind = "document"\nsections = ["purpse"]', "sections[0]: found 'purpse', expected one of members, purpose"),
        ('kind = "document"\nheadings = { safety = [] }', "headings.safety: expected at least one heading"),
        ('kind = "document"\nsections = []', "nothing is asked for"),
        ('kind = "document"\npages = 3', "pages: not known here"),
    ],
)
def test_mistakes_in_an_assignment_file_are_reported_with_their_place(
    tmp_path: Path, options: str, reason: str
) -> None:
    with pytest.raises(AssignmentError) as raised:
        load(tmp_path, options)
    assert reason in str(raised.value)
