"""PDF reports through a whole class: from the submission to pages and grades."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from grader.i18n.message import message
from grader.models.assignment import Assignment
from grader.models.grade import Graded
from grader.models.run import Outcome
from grader.models.submission import Submission
from grader.pipeline import Settings, grade_class
from grader.sandbox.fake import FakeSandbox, finished
from grader.scoring.rubric.document import DocumentHandedIn
from tests.support.fake_runs import SECRET, grades
from tests.support.graded_class import ASSIGNMENT
from tests.support.notebooks import submission
from tests.support.reports import REPORT, attachment, typed

ASKED = DocumentHandedIn("report", 20, title={"en": "The report", "zh-TW": "書面報告"}, members=True)
PHOTOS = replace(ASSIGNMENT, rubric=(ASKED,))


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("class")
    hostile = REPORT.replace("王小明 (s1100123)", "<img src=x onerror=a()>")
    files = {"ann": typed(REPORT), "bob": b"PK\x03\x04" + bytes(26) + b"word/document.xml", "eve": typed(hostile)}
    handed = [
        replace(submission(folder, name, "x = 1"), attachments=(attachment(folder, content),))
        for name, content in files.items()
    ]
    nothing = replace(handed[0], student=replace(handed[0].student, id="dan"), notebook=None)
    graded(folder / "en", [*handed, submission(folder, "cai", "x = 1"), nothing])
    graded(folder / "zh", handed[:1], language="zh-TW")
    return folder


def graded(out: Path, handed: list[Submission], language: str = "en") -> tuple[Graded, ...]:
    return grade_class(PHOTOS, handed, FakeSandbox(finished), Settings(out, SECRET, language))


def page(out: Path, name: str) -> str:
    return (out / "students" / name / "report.html").read_text("utf-8")


def test_sections_become_proposed_points_for_review(out: Path) -> None:
    rows = {row["student"]["id"]: row for row in grades(out / "en")["submissions"]}
    assert {name: row["total"] for name, row in rows.items()} == {"ann": 20, "bob": 0, "eve": 20, "cai": 0, "dan": 20}
    assert all(row["needs_review"] for row in rows.values())
    assert rows["ann"]["review_reasons"][0] == "Listed as the mascot, without a task: 陳大文."
    assert "save it as PDF" in rows["bob"]["criteria"][0]["reason"]
    assert rows["dan"]["outcome"] == Outcome.MISSING


def test_a_page_shows_sections_and_members(out: Path) -> None:
    shown = re.sub(r"<[^>]*>|\s+", " ", page(out / "en", "ann"))
    for text in ("Model design", "五、模型設計", "李美玲", "程式、訓練模型", "mascot"):
        assert text in shown
    chinese = page(out / "zh", "ann")
    assert "書面報告（PDF）" in chinese and "模型設計" in chinese and "Points were" not in chinese


def test_markup_in_a_members_name_is_escaped(out: Path) -> None:
    shown = page(out / "en", "eve")
    assert "<img src=x" not in shown and "&lt;img src=x" in shown


def test_no_pdf_is_read_without_a_document_criterion(tmp_path: Path) -> None:
    handed = replace(submission(tmp_path, "ann", "x = 1"), attachments=(attachment(tmp_path, b"rubbish"),))
    plain: Assignment = replace(PHOTOS, rubric=())
    (only,) = grade_class(plain, [handed], FakeSandbox(finished), Settings(tmp_path / "out", SECRET))
    assert only.run.document is None


def test_a_vanished_file_is_a_grader_fault(tmp_path: Path) -> None:
    gone = attachment(tmp_path, typed(REPORT))
    gone.path.unlink()
    handed = replace(submission(tmp_path, "ann", "x = 1"), attachments=(gone,))
    (only,) = graded(tmp_path / "out", [handed])
    assert only.grade.total is None and only.run.outcome is Outcome.GRADER_FAULT
    assert only.run.reason is not None and only.run.reason.template == message("The grader failed: {error}").template
