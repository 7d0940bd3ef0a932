"""Tests of restoring the teacher's cells in a submitted nbgrader notebook. Nothing is executed here."""

from __future__ import annotations

import time
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell

from grader.models.assignment import Assignment
from grader.models.errors import AssignmentError
from grader.spec.formats import nbgrader_format
from grader.spec.formats.nbgrader_source import checksum
from tests.spec.formats import nbgrader_course as course
from tests.spec.formats.nbgrader_course import Cell, code, marked, text

HIDDEN = "assert square(3) == 9\n### BEGIN HIDDEN TESTS\nassert square(11) == 121\n### END HIDDEN TESTS"
TEACHER_CELLS = [
    text("# Squares"),
    marked("given", "setup", "import math"),
    marked("answer", "square", "def square(x):\n    ### BEGIN SOLUTION\n    return x * x\n    ### END SOLUTION"),
    code("square(2)"),
    marked("test", "test-square", HIDDEN, 3),
    marked("manual", "why", "Because.", 2, markdown=True),
    marked("task", "plot", "Plot it.\n=== BEGIN MARK SCHEME ===\none point an axis\n=== END MARK SCHEME ===", 4),
    marked("test", "test-math", "assert math", 1),
]
SQUARE = "def square(x):\n    return x ** 2"


@pytest.fixture(scope="module")
def assignment(tmp_path_factory: pytest.TempPathFactory) -> Assignment:
    root = tmp_path_factory.mktemp("course")
    return course.loaded(course.write_course(root, {"p.ipynb": TEACHER_CELLS}, data__csv=b"1,2\n"))


@pytest.fixture(scope="module")
def cells(assignment: Assignment) -> list[Cell]:
    """Return the submission of a student who answered everything."""
    return course.answered(course.handed_out(assignment.folder / "p.ipynb"), {"square": SQUARE, "why": "I know."})


def prepare(assignment: Assignment, cells: list[Cell]) -> NotebookNode:
    return prepare_with_notes(assignment, cells)[0]


def prepare_with_notes(assignment: Assignment, cells: list[Cell]) -> tuple[NotebookNode, str]:
    assert assignment.course is not None
    ready, notes = nbgrader_format.prepare(course.node(cells), "p.ipynb", assignment.course)
    return ready, "\n".join(map(str, notes))


def results(
    assignment: Assignment, ready: NotebookNode, executed: NotebookNode | None = None
) -> dict[str, float | None]:
    assert assignment.course is not None
    found = nbgrader_format.test_results(executed, ready, "p.ipynb", assignment.course)
    return {result.criterion: result.points for result in found}


def sources(ready: NotebookNode) -> list[str]:
    return [cell.source for cell in ready.cells]


def by_name(cells: list[Cell], name: str) -> int:
    return next(index for index, cell in enumerate(cells) if course.name_of(cell) == name)


def test_prepared_notebook_contains_the_hidden_tests(assignment: Assignment, cells: list[Cell]) -> None:
    ready, notes = prepare_with_notes(assignment, cells)
    assert [cell.source for cell in ready.cells[:4]] == ["# Squares", "import math", SQUARE, "square(2)"]
    assert ready.cells[4].source == HIDDEN
    assert notes == ""


def test_released_notebook_has_no_solution_hidden_test_or_mark_scheme(assignment: Assignment) -> None:
    released = "\n".join(cell["source"] for cell in course.handed_out(assignment.folder / "p.ipynb"))
    assert "raise NotImplementedError()" in released and "YOUR ANSWER HERE" in released
    assert not any(word in released for word in ("x * x", "121", "one point", "BEGIN", "Because"))


def edited(cells: list[Cell]) -> list[Cell]:
    cells[by_name(cells, "test-square")]["source"] = "pass"
    return cells


def deleted(cells: list[Cell]) -> list[Cell]:
    return [cell for cell in cells if not course.name_of(cell).startswith("test")]


def emptied(_cells: list[Cell]) -> list[Cell]:
    return [code("x = 1")]


def moved(cells: list[Cell]) -> list[Cell]:
    cells.insert(0, cells.pop(by_name(cells, "test-square")))
    return cells


def reversed_cells(cells: list[Cell]) -> list[Cell]:
    return cells[::-1]


def doubled(cells: list[Cell]) -> list[Cell]:
    place = by_name(cells, "test-square")
    return [*cells[:place], cells[place] | {"source": "pass"}, *cells[place:]]


def split(cells: list[Cell]) -> list[Cell]:
    place = by_name(cells, "test-square")
    first, second = deepcopy(cells[place]), deepcopy(cells[place])
    first["source"], second["source"] = "if True:", "    pass"
    return [*cells[:place], first, second, *cells[place + 1 :]]


def merged(cells: list[Cell]) -> list[Cell]:
    place = by_name(cells, "test-square")
    cells[place - 2]["source"] += "\n" + cells.pop(place)["source"]
    return cells


def unlocked(cells: list[Cell]) -> list[Cell]:
    marks = cells[by_name(cells, "test-square")]["metadata"]["nbgrader"]
    marks |= {"locked": False, "solution": True, "points": 100, "grade": False}
    cells[by_name(cells, "test-square")]["source"] = "pass"
    return cells


def to_markdown(cells: list[Cell]) -> list[Cell]:
    place = by_name(cells, "test-square")
    cells[place] = text(cells[place]["source"], **cells[place]["metadata"])
    return cells


def renamed(cells: list[Cell]) -> list[Cell]:
    cells[by_name(cells, "test-square")]["metadata"]["nbgrader"]["grade_id"] = "test-math"
    return cells


NONSENSE: tuple[Any, ...] = ("x", None, [], {"grade_id": 5}, {"grade_id": None}, {"grade": "x"})


def nonsense(cells: list[Cell]) -> list[Cell]:
    for cell, marks in zip(cells, NONSENSE, strict=False):
        cell["metadata"]["nbgrader"] = marks
    return cells


def huge(cells: list[Cell]) -> list[Cell]:
    """Return cells with points larger than any float, which would stop a grader that parses them."""
    for cell in cells:
        if course.name_of(cell):
            cell["metadata"]["nbgrader"] |= {"points": 10**400, "checksum": "x", "grade": True, "solution": True}
    return cells


EDITS = [edited, deleted, emptied, moved, reversed_cells, doubled, split, merged, unlocked, to_markdown, renamed]
EDITS += [nonsense, huge]


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.__name__)
def test_teacher_cells_appear_once_in_the_teachers_order(
    assignment: Assignment, cells: list[Cell], edit: course.Edit
) -> None:
    ready = prepare(assignment, edit(deepcopy(cells)))
    locked = [cell for cell in ready.cells if cell.metadata.get("nbgrader", {}).get("locked")]
    assert [cell.source for cell in locked] == ["import math", HIDDEN, "Plot it.", "assert math"]
    assert [cell.metadata.nbgrader.get("points") for cell in locked] == [None, 3, 4, 1]
    assert len({cell.id for cell in ready.cells}) == len(ready.cells)


@pytest.mark.parametrize("edit", [moved, reversed_cells, doubled, split, unlocked, to_markdown, deleted, edited])
def test_answer_runs_before_its_test(assignment: Assignment, cells: list[Cell], edit: course.Edit) -> None:
    found = sources(prepare(assignment, edit(deepcopy(cells))))
    assert found.index(SQUARE) < found.index(HIDDEN)


@pytest.mark.parametrize("edit", [edited, deleted, to_markdown, unlocked])
def test_restored_cells_are_noted(assignment: Assignment, cells: list[Cell], edit: course.Edit) -> None:
    assert "test-square" in prepare_with_notes(assignment, edit(deepcopy(cells)))[1]


def test_locked_cells_have_the_teachers_metadata(tmp_path: Path) -> None:
    cell = marked("test", "t", "assert True")
    cell["metadata"] |= {"tags": ["graded"], "editable": False}
    tagged = course.loaded(course.write_course(tmp_path, {"p.ipynb": [cell]}))
    (ready,) = prepare(tagged, [marked("test", "t", "pass") | {"metadata": {"tags": ["mine"]}}, cell]).cells[1:]
    assert (ready.metadata.tags, ready.metadata.editable) == (["graded"], False)


def test_last_of_several_cells_with_one_grade_id_counts(assignment: Assignment, cells: list[Cell]) -> None:
    place = by_name(cells, "square")
    earlier = cells[place] | {"source": "def square(x): return 0"}
    ready, notes = prepare_with_notes(assignment, [*cells[:place], earlier, *cells[place:]])
    marks = [cell.metadata.get("nbgrader", {}).get("grade_id") for cell in ready.cells]
    assert ready.cells[marks.index("square")].source == SQUARE
    assert marks.count("square") == 1 and "def square(x): return 0" in sources(ready)
    assert "the last one counts: square" in notes


def test_student_cells_keep_their_places(assignment: Assignment, cells: list[Cell]) -> None:
    place = by_name(cells, "test-square")
    with_own = [*cells[:place], code("mine = 1"), *cells[place:], code("last = 2")]
    found = sources(prepare(assignment, with_own))
    assert found.index("mine = 1") == found.index(HIDDEN) - 1
    assert found[-1] == "last = 2"


# ---------------------------------------------------------------- lost metadata


def without_marks(cells: list[Cell]) -> list[Cell]:
    """Return the cells as an editor saves them that drops unknown metadata."""
    return [cell | {"metadata": {}} for cell in deepcopy(cells)]


def test_cells_without_metadata_are_found_by_text(assignment: Assignment, cells: list[Cell]) -> None:
    ready, notes = prepare_with_notes(assignment, without_marks(cells))
    assert "metadata is missing" in notes
    assert sources(ready) == sources(prepare(assignment, cells))


def test_edited_cells_without_metadata_are_found_by_position(assignment: Assignment, cells: list[Cell]) -> None:
    ready = prepare(assignment, without_marks(edited(deepcopy(cells))))
    assert sources(ready) == sources(prepare(assignment, cells))


@pytest.mark.parametrize(
    ("edit", "points"),
    [
        pytest.param(lambda cells: cells, None, id="answered"),
        pytest.param(
            lambda cells: [c for c in cells if course.name_of(c) != "why"], None, id="deleted: a person looks"
        ),
        pytest.param(lambda cells: course.answered(cells, {"why": "YOUR ANSWER HERE"}), 0.0, id="as handed out"),
        pytest.param(lambda cells: course.answered(cells, {"why": " YOUR ANSWER HERE\n"}), 0.0, id="blanks added"),
        pytest.param(without_marks, None, id="without metadata"),
        pytest.param(lambda cells: without_marks(cells)[:2], None, id="not found: a person looks"),
    ],
)
def test_written_answers_need_manual_grading(
    assignment: Assignment, cells: list[Cell], edit: course.Edit, points: float | None
) -> None:
    assert assignment.course is not None
    ready = prepare(assignment, edit(deepcopy(cells)))
    assert results(assignment, ready) == {
        "p/test-square": 0.0,
        "p/why": points,
        "p/plot": None,
        "p/test-math": 0.0,
    }


def test_cell_changed_to_markdown_earns_nothing(assignment: Assignment, cells: list[Cell]) -> None:
    """Executed cells must have the teacher's type as well as the teacher's text."""
    assert assignment.course is not None
    ready = prepare(assignment, cells)
    written = deepcopy(ready)
    place = sources(written).index(HIDDEN)
    written.cells[place] = new_markdown_cell(HIDDEN, id=ready.cells[place].id, metadata=ready.cells[place].metadata)
    assert nbgrader_format.student_view(deepcopy(ready), ready, "p.ipynb", assignment.course) is not None
    assert nbgrader_format.student_view(written, ready, "p.ipynb", assignment.course) is None
    assert results(assignment, ready, written)["p/test-square"] == 0.0


def test_unchanged_custom_stub_is_recognised_by_the_release(tmp_path: Path) -> None:
    folder = course.write_course(tmp_path, {"p.ipynb": TEACHER_CELLS})
    release = tmp_path / "release" / "ps1" / "p.ipynb"
    release.parent.mkdir(parents=True)
    released = course.answered(course.handed_out(folder / "p.ipynb"), {"why": "*Your thoughts?*"})
    release.write_bytes(course.notebook(released))
    assignment = course.loaded(folder)
    assert assignment.course is not None
    ready = prepare(assignment, released)
    assert results(assignment, ready)["p/why"] == 0.0


def test_unchanged_custom_stub_is_recognised_by_its_checksum(assignment: Assignment, cells: list[Cell]) -> None:
    cell = deepcopy(cells[by_name(cells, "why")])
    cell["source"] = "*Your thoughts?*"
    cell["metadata"]["nbgrader"]["checksum"] = checksum(cell["source"], "markdown", cell["metadata"]["nbgrader"])
    changed = [cell if course.name_of(other) == "why" else other for other in cells]
    assert assignment.course is not None
    assert results(assignment, prepare(assignment, changed))["p/why"] == 0.0


@settings(max_examples=40, deadline=None)
@drawn(data=st.data())
def test_any_mix_of_cells_runs_the_teachers_tests(
    assignment: Assignment, cells: list[Cell], data: st.DataObject
) -> None:
    picked = data.draw(st.lists(st.sampled_from([*range(len(cells)), -1]), max_size=14))
    mixed = [deepcopy(cells[number]) if number >= 0 else code("own = 1") for number in picked]
    for cell in mixed:
        if data.draw(st.booleans()):
            cell["metadata"] = {}
    ready = prepare(assignment, mixed).cells
    locked = [cell.source for cell in ready if cell.metadata.get("nbgrader", {}).get("locked")]
    assert locked == ["import math", HIDDEN, "Plot it.", "assert math"]


# ---------------------------------------------------------------- the teacher's notebooks


def test_each_cell_with_points_is_a_criterion(assignment: Assignment) -> None:
    assert [(criterion.id, criterion.points) for criterion in assignment.rubric] == [
        ("p/test-square", 3),
        ("p/why", 2),
        ("p/plot", 4),
        ("p/test-math", 1),
    ]
    assert assignment.id == "ps1" and assignment.course is not None
    assert dict(assignment.course.files) == {"data.csv": assignment.folder / "data.csv"}


@pytest.mark.parametrize(
    ("cell", "problem"),
    [
        pytest.param(
            marked("test", "a", "", schema_version=4), "schema_version: found 4, expected at most 3", id="new"
        ),
        pytest.param(marked("test", "a b", ""), "grade_id: found 'a b'", id="id"),
        pytest.param(marked("test", "a", "", points="2"), "points: found '2', expected a number", id="text as points"),
        pytest.param(marked("test", "a", "", points=-1), "points: found -1", id="negative points"),
        pytest.param(marked("test", "a", "", points=None), "points: found None", id="no points"),
        pytest.param(marked("test", "test", ""), "grade_id 'test' found twice", id="twice"),
        pytest.param(marked("answer", "a", "### BEGIN SOLUTION"), "without END SOLUTION", id="open solution"),
        pytest.param(marked("test", "a", "### BEGIN HIDDEN TESTS"), "without END HIDDEN TESTS", id="open tests"),
        pytest.param(marked("test", "a", "### AUTOTEST f(1)"), "source_with_tests", id="autotest"),
        pytest.param(marked("test", "a", "### HASHED AUTOTEST f(1)"), "source_with_tests", id="hashed autotest"),
    ],
)
def test_problems_of_a_source_notebook(tmp_path: Path, cell: Cell, problem: str) -> None:
    folder = course.write_course(tmp_path, {"p.ipynb": [marked("test", "test", "assert True"), cell]})
    with pytest.raises(AssignmentError) as caught:
        course.loaded(folder)
    assert problem in str(caught.value) and "p.ipynb" in str(caught.value)


def test_all_problems_are_reported_at_once(tmp_path: Path) -> None:
    broken: dict[str, list[Cell]] = {name: [marked("test", "a b", "", points=-1)] for name in ("p.ipynb", "q.ipynb")}
    with pytest.raises(AssignmentError) as caught:
        course.loaded(course.write_course(tmp_path, broken))
    assert len(caught.value.problems) == 4


def old(version: int | None, **marks: Any) -> Cell:
    """Return a cell as nbgrader before 0.6 wrote it."""
    return code("assert True", nbgrader={"grade_id": "t"} | ({"schema_version": version} if version else {}) | marks)


@pytest.mark.parametrize(
    ("cell", "points"),
    [
        pytest.param(old(None, grade=True, points="3"), None, id="0, points as text"),
        pytest.param(old(None, grade=True, points=3), 3, id="0"),
        pytest.param(old(None, grade=True, points=""), 0, id="0, points empty"),
        pytest.param(old(1, grade=True, solution=False, locked=False, points=3), 3, id="1"),
        pytest.param(old(2, grade=True, solution=False, locked=False, points=3), 3, id="2"),
    ],
)
def test_older_metadata_is_upgraded(tmp_path: Path, cell: Cell, points: float | None) -> None:
    folder = course.write_course(tmp_path, {"p.ipynb": [cell]})
    if not points:
        with pytest.raises(AssignmentError, match="points: found '3'" if points is None else "give 0 points together"):
            course.loaded(folder)
    else:
        assert [criterion.points for criterion in course.loaded(folder).rubric] == [points]


@pytest.mark.parametrize("name", ["an-assignment-folder", "empty"])
def test_other_folders_are_not_nbgrader_assignments(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    (tmp_path / name / "p.ipynb").write_bytes(course.notebook([code("x = 1")]))
    with pytest.raises(AssignmentError, match="no such assignment"):
        course.loaded(tmp_path / name)


@pytest.mark.parametrize("texts", [("---",), ("---", "x"), ("# Squares", "import math")], ids=["one", "two", "both"])
def test_thousands_of_identical_cells_are_aligned_quickly(tmp_path: Path, texts: tuple[str, ...]) -> None:
    teachers = [text("---") for _ in range(300)] + [marked("test", "t", "assert True")]
    alike = course.loaded(course.write_course(tmp_path, {"p.ipynb": teachers}))
    started = time.perf_counter()
    ready = prepare(alike, [text(texts[number % len(texts)]) for number in range(1990)])
    assert time.perf_counter() - started < 5
    assert "assert True" in sources(ready)


def test_source_notebook_broken_after_loading_raises_assignment_error(tmp_path: Path) -> None:
    loaded = course.loaded(course.write_course(tmp_path, {"p.ipynb": [marked("test", "t", "assert True")]}))
    course.write_course(tmp_path, {"p.ipynb": [marked("test", "t", "### BEGIN HIDDEN TESTS")]})
    with pytest.raises(AssignmentError, match="END HIDDEN TESTS"):
        prepare(loaded, [code("x = 1")])
