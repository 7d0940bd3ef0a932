"""Assignments in otter-grader's format.

The tests of a question run after the last cell that checks it, those of unchecked questions at the notebook's end.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_raw_cell

from grader.i18n.message import Message, message
from grader.models.course import Course, TestResult
from grader.notebook.lenient_json import UnusableError, unambiguous_json
from grader.spec.formats.otter_folder import (
    Config,
    checked_questions,
    folder_of,
    metadata_of,
    read_config,
    read_tests,
    scale_of,
)
from grader.spec.formats.otter_folder import load as load  # noqa: PLC0414  part of the format
from grader.spec.formats.otter_test_files import Case, TestFile

IGNORED = "otter_ignore"  # tag of a cell
INSERTED = "grader_tests"  # key in the metadata of cells that are inserted here
CUT = "[output cut here"  # the sandbox's mark for output beyond the limit
MAX_RESULT = 1 << 20  # characters in the result of a question's tests
MAX_CHARACTERS, MAX_LINES = 700, 12  # of a result in a report


# ------------------------------------------------------------------ before the run


def prepare(notebook: NotebookNode, _name: str, course: Course) -> tuple[NotebookNode, tuple[Message, ...]]:
    """Return the notebook with inserted cells for tests and seeds; ignored cells become raw text."""
    config, files = read_config(folder_of(course)), read_tests(course)
    ready = deepcopy(notebook)
    ready.cells = [_sanitized(cell) for cell in ready.cells]
    places = _places(ready.cells, files)
    cells: list[NotebookNode] = []
    for place, cell in enumerate(ready.cells):
        cells += [*_seeds(config, cell), cell]
        for question in sorted(places.pop(place, ())):
            cells += [*_seeds(config, None), _test_cell(question, files[question])]
    tested = {cell.metadata[INSERTED]["question"] for cell in cells if cell.metadata.get(INSERTED)}
    cells += [_test_cell(question, file) for question, file in files.items() if question not in tested]
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    ready.cells = cells
    return ready, tuple(_wrong_assignment(notebook, config))


def _wrong_assignment(notebook: NotebookNode, config: Config) -> Iterator[Message]:
    """Yield a note if the notebook names another assignment; otter would refuse it, here a person decides."""
    found = metadata_of(notebook).get("assignment_name")
    if config.assignment_name and found != config.assignment_name:
        yield message(
            "The notebook is marked for {found}, expected {expected}: was the right notebook handed in?",
            found=str(found or "-")[:80],
            expected=config.assignment_name,
        )


def _sanitized(cell: NotebookNode) -> NotebookNode:
    """Return the cell without our metadata key; as raw text if otter would ignore it."""
    tags = cell.metadata.get("tags")
    cell.metadata.pop(INSERTED, None)
    if cell.cell_type == "code" and ((isinstance(tags, list) and IGNORED in tags) or metadata_of(cell).get("ignore")):
        return new_raw_cell(cell.source)  # without metadata: a raw cell may not have all keys of a code cell
    return cell


def _places(cells: Sequence[NotebookNode], files: Mapping[str, TestFile]) -> dict[int, list[str]]:
    """Return the questions to test after each cell: the last cell that checks a question by a call or its metadata."""
    last = {question: place for place, cell in enumerate(cells) for question in checked_questions(cell)}
    return {place: [question for question in files if last.get(question) == place] for place in set(last.values())}


def _seeds(config: Config, cell: NotebookNode | None) -> list[NotebookNode]:
    """Return the cell that sets the seed before a code cell, as in otter; ``cell`` is None for a test cell."""
    if config.seed is None or (cell is not None and (cell.cell_type != "code" or cell.source.startswith("%%"))):
        return []
    if config.seed_variable is not None:
        return [_inserted_cell(f"{config.seed_variable} = {config.seed}", {})]
    modules = ("__import__('random')", "__import__('numpy').random")
    return [_inserted_cell("; ".join(f"{module}.seed({config.seed})" for module in modules), {})]


def _test_cell(question: str, file: TestFile) -> NotebookNode:
    token = secrets.token_hex(16)
    order = {
        "question": question,
        "token": token,
        "cases": [] if file.source else [case.code for case in file.cases],
        "source": file.source,
    }
    source = f"__import__('sys').modules['guest.compat.otter_tests'].run({json.dumps(order)!r})"
    return _inserted_cell(source, {"question": question, "token": token})


def _inserted_cell(source: str, about: dict[str, str]) -> NotebookNode:
    return new_code_cell(source, metadata={INSERTED: about})


def longer_cells(ready: NotebookNode) -> frozenset[int]:
    """Return the cells of tests: every case in them has a time limit of its own."""
    return frozenset(place for place, cell in enumerate(ready.cells) if INSERTED in cell.metadata)


# ------------------------------------------------------------------ after the run


@dataclass(frozen=True, slots=True)
class _Outcome:
    """The output of a test cell: the result of every case, or the error in the course's own test file."""

    cases: tuple[tuple[bool, str], ...] = ()  # passed, and the failure's text
    problem: str = ""
    cut: bool = False  # the notebook's output exceeded the limit


def test_results(
    executed: NotebookNode | None, ready: NotebookNode, _name: str, course: Course
) -> tuple[TestResult, ...]:
    """Return a result for each question."""
    files = read_tests(course)
    scale = scale_of(read_config(folder_of(course)), files)
    ran = executed.cells if executed is not None and _is_what_ran(executed, ready) else ()
    outputs = {
        about["question"]: _parse_outcome(cell.get("outputs", []), about["token"], len(files[about["question"]].cases))
        for cell, about in zip(ran, map(_inserted, ready.cells), strict=False)
        if "question" in about
    }
    return tuple(_result(question, file, outputs.get(question), scale) for question, file in files.items())


def _inserted(cell: NotebookNode) -> Mapping[str, str]:
    about: Mapping[str, str] = cell.metadata.get(INSERTED, {})
    return about


def _is_what_ran(executed: NotebookNode, ready: NotebookNode) -> bool:
    """Return whether the cells have the same text; otherwise the notebook has overwritten the file with its results."""
    return [(cell.get("id"), cell.source) for cell in executed.cells] == [
        (cell.id, cell.source) for cell in ready.cells
    ]


def _parse_outcome(outputs: Sequence[Mapping[str, Any]], token: str, expected: int) -> _Outcome | None:
    """Return the outcome that has the cell's token and a value for each case, or None."""
    for output in outputs:
        text = output.get("data", {}).get("text/plain") if output.get("output_type") == "display_data" else None
        if not isinstance(text, str) or len(text) > MAX_RESULT:
            continue
        try:
            found = unambiguous_json(text.encode("utf-8", "replace").decode())
        except UnusableError:
            continue
        if not isinstance(found, dict) or found.get("token") != token:
            continue
        if isinstance(found.get("problem"), str):
            return _Outcome(problem=found["problem"])
        cases = found.get("cases")
        if isinstance(cases, list) and len(cases) == expected and all(isinstance(case, dict) for case in cases):
            return _Outcome(tuple((case.get("passed") is True, str(case.get("message", ""))) for case in cases))
    return _Outcome(cut=True) if any(CUT in str(output.get("text", "")) for output in outputs) else None


def _result(question: str, file: TestFile, outcome: _Outcome | None, scale: float) -> TestResult:
    possible = file.possible * scale
    if outcome is None:
        return TestResult(
            question,
            0.0,
            possible,
            message("No result: the notebook's process ended or its time was up before these tests finished."),
        )
    if outcome.problem or outcome.cut:
        why = _ungraded_reason(question, outcome)
        return TestResult(question, None, possible, why, review=why)
    passed = [ok for ok, _ in outcome.cases]
    return TestResult(question, file.earned(passed) * scale, possible, _reason(file, outcome))


def _ungraded_reason(question: str, outcome: _Outcome) -> Message:
    if outcome.cut:
        return message("The results were cut off because the notebook's output exceeds the limit. Check the notebook.")
    return message(
        "The course's test file for {question} failed before its first case: {problem}",
        question=question,
        problem=_plain(outcome.problem[:MAX_CHARACTERS]),
    )


def _reason(file: TestFile, outcome: _Outcome) -> Message:
    """Return the reason for the points; of hidden cases it only counts the failures."""
    results = list(zip(file.cases, outcome.cases, strict=True))
    passed = sum(ok for _, (ok, _) in results)
    hidden = sum(case.hidden and not ok for case, (ok, _) in results)
    details = " ".join(filter(None, (_details(case, *result) for case, result in results if not case.hidden)))[
        :MAX_CHARACTERS
    ]
    if passed == len(results):
        return message("All {n} test cases passed. {words}", n=passed, words=details)
    if file.all_or_nothing:
        return message(
            "{passed} of {n} test cases passed; points are given for all of them or none. {words}",
            passed=passed,
            n=len(results),
            words=details,
        )
    if not hidden:
        return message("{passed} of {n} test cases passed. {words}", passed=passed, n=len(results), words=details)
    return message(
        "{passed} of {n} test cases passed; hidden among the failed: {hidden}. {words}",
        passed=passed,
        n=len(results),
        hidden=hidden,
        words=details,
    )


def _plain(text: str) -> str:
    """Replace control and other unprintable characters in text from a student's process by spaces."""
    return "".join(character if character.isprintable() else " " for character in text)


def _details(case: Case, passed: bool, text: str) -> str:
    if passed:
        return case.success_message
    lines = [_plain(line).strip() for line in text.splitlines() if line.strip()]
    return " ".join(filter(None, [f"{case.name}:", case.failure_message, *lines[:MAX_LINES]]))


# ------------------------------------------------------------------ the report


def student_view(executed: NotebookNode, ready: NotebookNode, _name: str, _course: Course) -> NotebookNode | None:
    """Return ``executed`` without the inserted cells; the driver's notes on those move to the student's cell before."""
    if not _is_what_ran(executed, ready):
        return None
    own = [INSERTED not in cell.metadata for cell in ready.cells]
    numbers = [max(sum(own[: place + 1]) - 1, 0) for place in range(len(own))]
    executed.cells = [cell for cell, is_own in zip(executed.cells, own, strict=True) if is_own]
    noted = executed.metadata.get("grader")
    if isinstance(noted, dict):
        for key, value in noted.items():
            noted[key] = (
                [_renumbered(item, numbers) for item in value]
                if isinstance(value, list)
                else _renumbered(value, numbers)
            )
    return executed


def _renumbered(value: object, numbers: Sequence[int]) -> object:
    """Return the new number of a cell; any other value as it is, since the file came from the student's process."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(numbers):
        return numbers[value]
    return value
