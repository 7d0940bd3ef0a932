"""The photo homework as it is handed out, its solution, and a report with all that a report should have."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import jupytext
import nbformat
import pypdf
import pytest

from grader.lms.archive.submissions import read_submissions
from grader.models.pdf_report import Document
from grader.models.submission import Attachment
from grader.scoring.report_pdf.document_reader import read_document
from grader.scoring.rubric import document
from grader.spec.loader import load_assignment
from grader.spec.starter import release_starter
from reference.photos_report import MEMBERS, main, write_report
from tests.support.builders import notebook_bytes, write_folder, zip_bytes

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "assignments" / "photos"
SOLUTION = ROOT / "reference" / "solutions" / "photos.py"
READMES = ("README.md", "README.zh-TW.md")


def code(notebook: nbformat.NotebookNode) -> list[str]:
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


# ---------------------------------------------------------------- what is handed out


def test_assignment_has_100_points_and_both_languages() -> None:
    assignment = load_assignment(FOLDER)

    assert (assignment.id, assignment.points) == ("photos", 100)
    for titles in (assignment.title, *(criterion.title for criterion in assignment.rubric)):
        assert set(titles) == {"en", "zh-TW"}


@pytest.mark.parametrize("name", READMES)
def test_readme_lists_the_points_in_order(name: str) -> None:
    rows = re.findall(r"^\| (\d+) \| ", (FOLDER / name).read_text("utf-8"), re.MULTILINE)

    assert [int(points) for points in rows] == [criterion.points for criterion in load_assignment(FOLDER).rubric]


def test_both_readmes_show_the_same_measurements() -> None:
    numbers = [re.findall(r"\d\.\d{3}", (FOLDER / name).read_text("utf-8")) for name in READMES]

    assert len(numbers[0]) >= 6
    assert numbers[0] == numbers[1]


def test_the_chinese_readme_uses_chinese_punctuation() -> None:
    text = (FOLDER / "README.zh-TW.md").read_text("utf-8")

    assert re.findall(r"[\u4e00-\u9fff][,:;?!]", text) == []


def test_starter_is_made_from_the_solution() -> None:
    assert nbformat.read(FOLDER / "starter.ipynb", as_version=4) == release_starter(SOLUTION, "photos")


def test_starter_runs_and_defines_no_model(tmp_path: Path) -> None:
    for name in ("pictures/ㄅ/1.jpg", "pictures/ㄅ/2.jpg", "pictures/ㄆ/1.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    source = "\n".join(code(nbformat.read(FOLDER / "starter.ipynb", as_version=4)))
    lines = [line for line in source.split("\n") if "keras" not in line]  # it costs seconds and is only seeded
    left: dict[str, object] = {}
    printed = io.StringIO()
    with contextlib.chdir(tmp_path), contextlib.redirect_stdout(printed):
        exec(compile("\n".join(lines), "starter", "exec"), left)

    assert "2 classes, 3 pictures" in printed.getvalue()
    assert "model" not in left


@pytest.mark.parametrize(
    ("lying", "found"),
    [
        pytest.param(
            {"pictures/ㄅ/1.jpg": b"1", "report.PDF": b"%PDF-", "private.txt": b"", "older/pictures/ㄅ/2.jpg": b"2"},
            {"pictures/ㄅ/1.jpg", "report.PDF"},
            id="a folder",
        ),
        pytest.param(
            {"pictures.zip": zip_bytes({"pictures/ㄅ/1.jpg": b"1"}), "other.zip": b"PK"},
            {"pictures/ㄅ/1.jpg"},
            id="a zip",
        ),
        pytest.param(
            {"pictures/ㄅ/1.jpg": b"1", "pictures.zip": zip_bytes({"pictures/ㄅ/1.jpg": b"2"})},
            {"pictures/ㄅ/1.jpg"},
            id="both",
        ),
        pytest.param({}, set(), id="nothing"),
    ],
)
def test_check_finds_pictures_and_report_beside_the_notebook(
    tmp_path: Path, lying: dict[str, bytes], found: set[str]
) -> None:
    home = write_folder(tmp_path / "home", {"photos.ipynb": notebook_bytes(), **lying})
    photos = load_assignment(FOLDER)
    (submission,) = read_submissions(
        [home / "photos.ipynb"], lms="folder", workspace=tmp_path / "work", assignment=photos
    )

    assert (submission.student.name, submission.notebook_name) == ("photos", "photos.ipynb")
    assert {attachment.name for attachment in submission.attachments} == found


# ---------------------------------------------------------------- the solution


def test_solution_is_a_complete_notebook_with_text() -> None:
    notebook = jupytext.read(SOLUTION, fmt="py:percent")
    for source in code(notebook):
        compile(source, "photos", "exec")
    story = "".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")

    assert len(code(notebook)) >= 6
    assert len("".join(story.split())) > 2 * 600
    assert "中文摘要" in story


def test_solution_does_not_flip_pictures() -> None:
    """ㄇ upside down is ㄩ."""
    assert not re.search(r"RandomFlip|flip_left_right|horizontal_flip", "".join(code(jupytext.read(SOLUTION))))


# ---------------------------------------------------------------- the report


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.pdf"
    write_report(path)
    return path


@pytest.fixture(scope="module")
def as_read(report: Path) -> Document:
    wanted = document.wanted(load_assignment(FOLDER).rubric)
    assert wanted is not None
    return read_document((Attachment(report.name, report),), wanted)


def test_every_section_of_the_report_is_found(as_read: Document) -> None:
    assert as_read.problem is None
    assert {section.name: bool(section.characters) for section in as_read.sections} == dict.fromkeys(
        ("members", "purpose", "content", "preprocessing", "model", "training", "results"), True
    )


def test_report_lists_members_with_parts_and_a_mascot(as_read: Document) -> None:
    assert [(member.name, member.part) for member in as_read.members] == list(MEMBERS)
    assert [member.name for member in as_read.members if member.mascot] == ["王小明"]


def test_report_is_text_and_reproducible(report: Path, tmp_path: Path) -> None:
    write_report(tmp_path / "again.pdf")

    assert (tmp_path / "again.pdf").read_bytes() == report.read_bytes()
    assert "ㄇ 上下顛倒就是 ㄩ" in "".join(page.extract_text() for page in pypdf.PdfReader(report).pages)


@pytest.mark.parametrize(
    ("arguments", "status", "expected"), [([], 2, "usage"), (["no/such/folder/report.pdf"], 1, "No such file")]
)
def test_command_reports_errors(
    arguments: list[str], status: int, expected: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with contextlib.chdir(tmp_path):
        assert main(arguments) == status
    assert expected in capsys.readouterr().err
