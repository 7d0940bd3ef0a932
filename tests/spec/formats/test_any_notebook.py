"""Property tests: every notebook that nbformat allows can be a teacher's or a student's, in both courses' formats."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import nbformat
from hypothesis import example, given, settings
from hypothesis import strategies as st
from nbformat import NotebookNode

from grader.models.assignment import Assignment
from grader.models.errors import AssignmentError
from grader.notebook import parse
from grader.spec.formats import nbgrader_format, otter_format
from grader.spec.formats.course_format import CourseFormat, format_of
from grader.spec.formats.nbgrader_source import read_source
from tests.spec.formats import nbgrader_course
from tests.spec.formats.nbgrader_course import marked
from tests.spec.formats.otter_course import folder, ok

Json = dict[str, Any]

PICTURE = {"image.png": {"image/png": "iVBORw0KGgo="}}
WORDS = st.sampled_from(["", "x = 1", "# YOUR CODE HERE", "![p](attachment:image.png)", "grader.check('q1')", "a\n\nb"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "test", "nan"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("abc"), inner, max_size=2),
    max_leaves=4,
)
MARKS = VALUES | st.fixed_dictionaries(
    {},
    optional={
        "grade_id": st.sampled_from(["given", "answer", "test", "why", "task", "", 7]),
        "grade": VALUES,
        "points": VALUES,
        "solution": VALUES,
        "checksum": VALUES,
        "schema_version": VALUES,
    },
)
METADATA = st.fixed_dictionaries(
    {},
    optional={
        "nbgrader": MARKS,
        "otter": VALUES | st.fixed_dictionaries({"tests": VALUES}),
        "tags": st.just(["hide"]) | VALUES,
        "grader_tests": VALUES,
        "collapsed": st.booleans(),
        "name": st.sampled_from(["a name"]),
        "format": st.sampled_from(["text/latex"]),
        "execution": VALUES,
        "deletable": st.booleans(),
        "slideshow": VALUES,
    },
)
TEXTS = WORDS | st.lists(WORDS.map("{}\n".format), max_size=3)
BUNDLES = st.dictionaries(
    st.sampled_from(["text/plain", "image/png", "application/json", "text/html", "application/vnd.x+json"]),
    st.sampled_from(["0.5", "nan", ["a", "b"]]),
    max_size=2,
)
OUTPUTS = st.one_of(
    st.fixed_dictionaries(
        {"output_type": st.just("stream"), "name": st.sampled_from(["stdout", "stderr"]), "text": TEXTS}
    ),
    st.fixed_dictionaries(
        {"output_type": st.just("display_data"), "data": BUNDLES}, optional={"metadata": st.just({}) | METADATA}
    ),
    st.fixed_dictionaries(
        {"output_type": st.just("execute_result"), "data": BUNDLES, "metadata": st.just({})},
        optional={"execution_count": st.none() | st.integers(0, 9)},
    ),
    st.fixed_dictionaries(
        {
            "output_type": st.just("error"),
            "ename": st.sampled_from(["NameError", "KeyboardInterrupt"]),
            "evalue": WORDS,
            "traceback": st.lists(WORDS, max_size=2),
        }
    ),
)


def cells_of(kind: str, required: Json, optional: Json) -> st.SearchStrategy[Json]:
    shared = {"cell_type": st.just(kind), "source": TEXTS}
    others = {"metadata": METADATA, "id": st.sampled_from(["one", "two", "given-0", "", "ä"])}
    return st.fixed_dictionaries({**shared, **required}, optional={**others, **optional})


ATTACHMENTS = {"attachments": st.sampled_from([{}, PICTURE, {"a.svg": {"image/svg+xml": ["<svg>", "</svg>"]}}])}
CELLS = st.one_of(
    cells_of("code", {"outputs": st.lists(OUTPUTS, max_size=3)}, {"execution_count": st.none() | st.integers(0, 9)}),
    cells_of("markdown", {}, ATTACHMENTS),
    cells_of("raw", {}, ATTACHMENTS),
)
NOTEBOOKS = st.builds(
    lambda cells, minor, metadata: {"nbformat": 4, "nbformat_minor": minor, "metadata": metadata, "cells": cells},
    st.lists(CELLS, max_size=6),
    st.integers(0, 5),
    st.fixed_dictionaries({}, optional={"otter": VALUES, "kernelspec": st.just({"name": "k", "display_name": "K"})}),
)
# What a teacher's notebook has at least; a picture was pasted into the locked cells.
TEACHERS = [
    marked("given", "given", "![p](attachment:image.png)", markdown=True) | {"attachments": PICTURE},
    marked("answer", "answer", "x = 1"),
    marked("test", "test", "assert x == 1", 2),
    marked("manual", "why", "Because.", 3, markdown=True) | {"attachments": PICTURE},
    marked("task", "task", "Plot it.", 4) | {"attachments": PICTURE},
]
POINTS = {"test": 2.0, "why": 3.0, "task": 4.0}


def node(raw: Json) -> NotebookNode:
    found = parse.parse(json.dumps(raw).encode()).notebook
    assert found is not None
    return found


def executed(ready: NotebookNode, outputs: list[Json], noted: object) -> NotebookNode:
    """Return ``ready`` as it comes back from a run with these outputs, in turn."""
    sent = parse.code_only(parse.runnable_copy(ready))
    for number, cell in enumerate(cell for cell in sent.cells if cell.cell_type == "code"):
        cell.execution_count = number + 1
        cell.outputs = [output for output in outputs[number : number + 1] if _is_valid(output)]
    sent.metadata["grader"] = noted
    back = parse.parse_executed(json.dumps(sent).encode(), 1 << 20)
    assert back is not None
    merged, same = parse.take_outputs(parse.runnable_copy(ready), back)
    assert same
    return merged


def _is_valid(output: Json) -> bool:
    try:
        nbformat.validate({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [
            {"cell_type": "code", "id": "a", "source": "", "metadata": {}, "execution_count": None, "outputs": [output]}
        ]})  # fmt: skip
    except Exception:  # noqa: BLE001  errors of many types
        return False
    return True


def passes_through(assignment: Assignment, name: str, student: Json, outputs: list[Json], noted: object) -> None:
    """Assert that a student's notebook is prepared, run, scored and shown, whatever it holds."""
    course = assignment.course
    assert course is not None
    form: CourseFormat = format_of(course)
    ready, _notes = form.prepare(node(student), name, course)
    nbformat.validate(ready)
    assert len({cell.id for cell in ready.cells}) == len(ready.cells)
    assert all(0 <= place < len(ready.cells) for place in form.longer_cells(ready))
    possible = {criterion.id: criterion.points for criterion in assignment.rubric}
    for ran in (None, executed(ready, outputs, noted)):
        results = form.test_results(ran, ready, name, course)
        assert {result.criterion: result.max for result in results} == possible
        assert all(result.points is None or 0 <= result.points <= result.max for result in results)
    shown = form.student_view(executed(ready, outputs, noted), ready, name, course)
    assert shown is not None
    nbformat.validate(shown)


NOTED = VALUES | st.fixed_dictionaries({}, optional=dict.fromkeys(["died_cell", "timeout_cell", "slow_cells"], VALUES))


@settings(max_examples=60, deadline=None)
@given(teacher=NOTEBOOKS, student=NOTEBOOKS, outputs=st.lists(OUTPUTS, max_size=8), noted=NOTED)
@example(
    teacher={"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []},
    student={"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []},
    outputs=[],
    noted={},
)
def test_any_notebook_passes_through_nbgraders_format(
    teacher: Json, student: Json, outputs: list[Json], noted: object
) -> None:
    with tempfile.TemporaryDirectory() as room:
        place = Path(room) / "source" / "ps1"
        place.mkdir(parents=True)
        teacher["cells"] = [*TEACHERS, *(_unmarked(cell) for cell in teacher["cells"])]
        (place / "p.ipynb").write_text(json.dumps(teacher))
        assignment = nbgrader_format.load(place)
        assert assignment is not None
        assert {criterion.id.partition("/")[2]: criterion.points for criterion in assignment.rubric} == POINTS
        passes_through(assignment, "p.ipynb", student, outputs, noted)
        released = {**teacher, "cells": nbgrader_course.handed_out(place / "p.ipynb")}
        passes_through(assignment, "p.ipynb", released, outputs, noted)


def _unmarked(cell: Json) -> Json:
    metadata = {key: value for key, value in cell.get("metadata", {}).items() if key != "nbgrader"}
    return {**cell, "metadata": metadata}


@settings(max_examples=60, deadline=None)
@given(teacher=NOTEBOOKS)
def test_any_marks_of_a_teacher_are_read_or_refused(teacher: Json) -> None:
    with tempfile.TemporaryDirectory() as room:
        path = Path(room) / "p.ipynb"
        path.write_text(json.dumps(teacher))
        cells, _problems = read_source(path)
        assert len(cells) == len(teacher["cells"])
        try:
            nbgrader_format.load(Path(room))
        except AssignmentError as refused:
            assert refused.problems


@settings(max_examples=50, deadline=None)
@given(student=NOTEBOOKS, outputs=st.lists(OUTPUTS, max_size=8), noted=NOTED)
def test_any_notebook_passes_through_otters_format(student: Json, outputs: list[Json], noted: object) -> None:
    with tempfile.TemporaryDirectory() as room:
        assignment = otter_format.load(folder(Path(room) / "hw", {"q1": ok(">>> x\n1", points=2)}, {"seed": 1}))
        assert assignment is not None
        passes_through(assignment, "hw.ipynb", student, outputs, noted)


def test_pasted_picture_stays_in_the_locked_and_in_the_answered_cell(tmp_path: Path) -> None:
    place = tmp_path / "source" / "ps1"
    place.mkdir(parents=True)
    (place / "p.ipynb").write_bytes(nbgrader_course.notebook(TEACHERS))
    assignment = nbgrader_course.loaded(place)
    assert assignment.course is not None
    answer = {"answer.png": {"image/png": "iVBORw0KGgo="}}
    written = [cell | {"attachments": answer} if "why" in str(cell["metadata"]) else cell for cell in TEACHERS]
    ready, _notes = nbgrader_format.prepare(nbgrader_course.node(written), "p.ipynb", assignment.course)
    assert [cell.get("attachments") for cell in ready.cells] == [PICTURE, None, None, answer, PICTURE]
