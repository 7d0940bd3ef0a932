"""Content of the report pages, and safety against hostile content."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from pathlib import Path

import pytest

from grader.i18n.catalogue import LANGUAGES, translation
from grader.models.grade import Graded
from grader.models.submission import Student
from grader.report.notebook_page import notebook_view
from grader.report.pages import _display_text, write_class_page, write_student_report
from tests.report.test_sanitizer import Page
from tests.support.graded_class import (
    ASSIGNMENT,
    READ_IT,
    accuracy_score,
    code,
    crashed,
    failure,
    fit,
    good_run,
    grade,
    graded,
    hostile_notebook,
    markdown,
    missing,
    other_score,
    our_fault,
    png,
    shown,
    small_class,
    stream,
    strong,
    too_close,
    write_notebook,
)

NASTY_NAME = "<img src=x onerror=alert(1)>"


def student_page(student: Graded, folder: Path, language: str = "en") -> str:
    return write_student_report(student, ASSIGNMENT, language=language, folder=folder).read_text("utf-8")


def class_page(results: list[Graded], folder: Path, language: str = "en") -> str:
    return write_class_page(results, ASSIGNMENT, language=language, out=folder).read_text("utf-8")


def words(page: str) -> str:
    """Return the page's text without tags and with normalised white space."""
    return re.sub(r"\s+", " ", re.sub(r"<style>.*?</style>|<[^>]*>", " ", page, flags=re.DOTALL))


# ---------------------------------------------------------------- students


@pytest.mark.parametrize(
    ("student", "expected"),
    [
        (strong(), ["100 / 100", "Ran to the end", "0.861", "Majority class", "Linear model", "loss", "keras 3.15.0"]),
        (too_close(), ["Too close to call", "late", "58.91 / 60", "Points were only proposed"]),
        (crashed(), ["Cell 2", "NameError", "not defined before", "Two shapes do not fit", "Never run: cell 4"]),
        (missing(), ["0 / 100", "Nothing to run", "The file is empty.", "submit it again"]),
        (our_fault(), ["– / 100", "not graded yet", "The grader failed", "not the student&#39;s fault"]),
    ],
    ids=["strong", "too close", "crashed", "missing", "our fault"],
)
def test_a_report_shows_outcome_points_and_reasons(tmp_path: Path, student: Graded, expected: list[str]) -> None:
    content = words(student_page(student, tmp_path))

    assert [text for text in expected if text not in content] == []


def test_a_report_can_be_in_chinese(tmp_path: Path) -> None:
    page = student_page(crashed(), tmp_path, "zh-TW")

    assert '<html lang="zh-TW">' in page
    for text in ("疾病預測", "有儲存格出錯", "出錯的地方", "儲存格 2", "用到了還沒定義的名稱"):
        assert text in page


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_page_loads_or_runs_anything(tmp_path: Path, language: str) -> None:
    student = crashed(hostile_notebook(tmp_path / "executed.ipynb"))
    student = replace(student, submission=replace(student.submission, student=Student("s1", NASTY_NAME)))

    for page in (student_page(student, tmp_path, language), class_page([student], tmp_path, language)):
        found = Page(page)
        assert not found.tags & {
            "script",
            "iframe",
            "object",
            "embed",
            "form",
            "input",
            "link",
            "base",
            "video",
            "math",
        }
        assert [name for name, _value in found.attributes if name.startswith("on") or name in ("style", "srcset")] == []
        assert [
            value for name, value in found.attributes if name == "src" and not value.startswith("data:image/")
        ] == []
        assert "&lt;img src=x onerror=alert(1)&gt;" in page
        assert page.count("<meta http-equiv") == 1
        assert "default-src 'none'" in page.replace("&#39;", "'")


def test_points_just_below_the_maximum_are_not_rounded_up(tmp_path: Path) -> None:
    student = graded("Lin", good_run(), grade(replace(other_score(0, 9.9999)), accuracy_score(0.9)))

    assert "9.99 / 10" in words(student_page(student, tmp_path))


def test_many_trainings_show_the_last_three(tmp_path: Path) -> None:
    run = good_run()
    facts = replace(run.facts, fits=tuple(fit(number) for number in range(1, 8)))
    content = words(student_page(graded("Lin", replace(run, facts=facts), strong().grade), tmp_path))

    assert "7 trainings were recorded; the last 3 are shown." in content
    assert "Training 5" in content
    assert "Training 4" not in content


def test_a_failed_cell_is_linked_and_marked(tmp_path: Path) -> None:
    executed = write_notebook(tmp_path / "n.ipynb", code("a = 1"), code("modle"), code("x"), code("y"))
    page = student_page(crashed(executed), tmp_path)

    assert '<a href="#cell-2">Cell 2</a>' in page
    assert 'class="cell code failed" id="cell-2"' in page
    assert 'class="cell code" id="cell-1"' in page


# ---------------------------------------------------------------- the executed notebook


def test_a_notebook_is_shown_with_its_outputs(tmp_path: Path) -> None:
    path = write_notebook(
        tmp_path / "n.ipynb",
        markdown("# 標題\n\n**bold**"),
        code("print(1)", *[stream(f"{step}/3\r") for step in range(3)], stream("3/3\n"), stream("warned", "stderr")),
        code("plot()", shown(image_png=png(), text_plain="<Figure>")),
        code("frame", shown(text_html="<table><tr><td>1</td></tr></table>", text_plain="frame")),
        code("widget", shown(**{"application_vnd.x+json": "{}", "text_plain": "Widget()"})),
        code("boom", failure("ValueError", "bad")),
    )
    view = notebook_view(path)

    assert view is not None
    kinds = [[output.kind for output in cell.outputs] for cell in view.cells]
    assert kinds == [[], ["stream", "stream"], ["image"], ["html"], ["text"], ["error"]]
    assert "<h3>標題</h3>" in view.cells[0].html
    assert (view.cells[1].outputs[0].head, view.cells[1].outputs[1].warning) == ("3/3", True)
    assert view.cells[5].outputs[0].head == "ValueError: bad"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not json",
        b"[]",
        b'{"cells": 3}',
        b"[" * 100_000,
        b"\xff\xfe",
    ],
    ids=["empty", "text", "list", "no cells", "deep", "bytes"],
)
def test_an_invalid_notebook_is_not_shown(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "n.ipynb").write_bytes(content)

    assert notebook_view(tmp_path / "n.ipynb") is None
    assert "There is no executed notebook" in student_page(strong(tmp_path / "n.ipynb"), tmp_path)


@pytest.mark.parametrize(
    "cell",
    [
        {},
        {"cell_type": "code", "source": 3, "outputs": 4},
        {"cell_type": "code", "source": ["a", 1, "b"], "outputs": [None, [], {"output_type": "stream", "text": {}}]},
        {"cell_type": "code", "outputs": [{"output_type": "display_data", "data": {"image/png": [1], "text/html": 2}}]},
        {"cell_type": "code", "outputs": [{"output_type": "error", "traceback": 1, "ename": []}]},
        {"cell_type": "markdown", "source": "x", "attachments": {"a": 3, "b": {"image/png": None}}},
        {"cell_type": "code", "execution_count": "<b>", "source": "x"},
        {"cell_type": "code", "source": "x", "metadata": {"saved_outputs": [3, {"output_type": "stream"}, {}]}},
        {"cell_type": "code", "source": "x", "metadata": [1]},
    ],
    ids=["nothing", "numbers", "mixed", "display", "error", "attachments", "count", "saved", "metadata"],
)
def test_a_malformed_cell_does_not_break_the_page(tmp_path: Path, cell: dict[str, object]) -> None:
    page = student_page(strong(write_notebook(tmp_path / "n.ipynb", cell)), tmp_path)

    assert 'id="cell-1"' in page


def test_saved_outputs_are_marked_as_not_reproduced(tmp_path: Path) -> None:
    before = [stream("accuracy: 0.93 <script>alert(1)</script>"), shown(image_png=png())]
    cell = code("fit()", failure("NameError", "x")) | {"metadata": {"saved_outputs": before}}
    page = student_page(strong(write_notebook(tmp_path / "n.ipynb", cell)), tmp_path)

    assert "not reproduced here" in page
    assert "accuracy: 0.93 &lt;script&gt;" in page and "<script" not in page
    assert page.count("data:image/png") == 1


def test_a_flood_of_output_is_shortened_with_a_note(tmp_path: Path) -> None:
    flood = stream("\n".join(map(str, range(300_000))))
    cells = [code("x", flood, *[shown(text_plain=str(n)) for n in range(900)]), *[code("y")] * 600]
    page = student_page(strong(write_notebook(tmp_path / "n.ipynb", *cells)), tmp_path)

    assert len(page) < 1_000_000
    for text in ("characters left out", "more outputs are not shown", "more cells are not shown", "299999"):
        assert text in page


# ---------------------------------------------------------------- the class


def test_the_class_page_lists_students_by_review_reason(tmp_path: Path) -> None:
    page = class_page([*small_class(), replace(too_close())], tmp_path)
    content = words(page)

    assert 'href="students/s003/report.html"' in page
    assert "The grader itself failed: 1" in content
    assert "Without a grade and not counted: 1." in content
    assert "Too close to call: the interval 0.778 to 0.813 holds the threshold 0.8. 2" in content
    assert str(READ_IT) in content
    assert re.search(r"李美玲 – s005 The grader failed", content)


def test_proposed_points_do_not_count_as_review(tmp_path: Path) -> None:
    proposed = replace(other_score(3, 9), passed=None, review=READ_IT)
    student = graded("A", good_run(), grade(other_score(0, 10), proposed, reasons=(READ_IT,)))
    content = words(class_page([student, too_close()], tmp_path))

    assert "1 need review" in content
    assert content.index("Too close to call") < content.index(str(READ_IT))


def test_a_training_of_one_epoch_has_values_and_no_chart(tmp_path: Path) -> None:
    run = good_run()
    page = student_page(
        graded("A", replace(run, facts=replace(run.facts, fits=(fit(1, 1),))), strong().grade), tmp_path
    )

    assert "val_loss 1.020" in words(page)
    assert "<polyline" not in page


def test_mean_and_median_leave_out_ungraded_students(tmp_path: Path) -> None:
    two = [graded("A", good_run(), grade(other_score(0, points), other_score(2, 10))) for points in (10, 0)]
    content = words(class_page([*two, our_fault()], tmp_path))

    assert "15 mean of 100" in content
    assert "15 median of 100" in content


@pytest.mark.parametrize("results", [[], [our_fault()]], ids=["nobody", "nothing known"])
def test_a_class_without_grades_has_a_page(tmp_path: Path, results: list[Graded]) -> None:
    assert "– mean of 100" in words(class_page(results, tmp_path))


def test_links_to_reports_are_quoted(tmp_path: Path) -> None:
    student = graded("Lin", good_run(), strong().grade, student_id="七班 #1%")

    assert 'href="students/%E4%B8%83%E7%8F%AD%20%231%25/report.html"' in class_page([student], tmp_path)


def test_a_thousand_students_fit_on_one_page(tmp_path: Path) -> None:
    begun = time.process_time()
    page = class_page([replace(too_close()) for _ in range(1000)], tmp_path)

    assert page.count("<tr") == 1001
    assert time.process_time() - begun < 20


@pytest.mark.parametrize(
    ("name", "variable", "english", "chinese"),
    [
        ("raw", "", "unchanged", "原始值"),
        ("X / 255, resized, RGB", "", "X / 255 · resized · in RGB", "X / 255 · 縮放 · 轉成 RGB"),
        ("scaler, pca", "", "scaler · pca", "scaler · pca"),
        ("values, inverse transform", "y_scaler", "numbers · transformed back by y_scaler", "數值 · 由 y_scaler 還原"),
        ("scores, ordered", "{x}", "one score per class · in the order of {x}", None),
    ],
)
def test_an_internal_name_is_shown_as_text(name: str, variable: str, english: str, chinese: str | None) -> None:
    assert _display_text(name, translation("en"), variable) == english
    if chinese is not None:
        assert _display_text(name, translation("zh-TW"), variable) == chinese
