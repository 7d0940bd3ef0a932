"""Assignments in otter-grader's format: tests run where the notebook last checks a question, the others at its end."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_raw_cell

from grader.i18n.message import Message, message
from grader.models.course import Course, Test
from grader.notebook.lenient_json import UnusableError, unambiguous_json
from grader.spec.formats.course_format import Prepared
from grader.spec.formats.otter_folder import Config, folder_of, metadata_of, read_config, read_tests, scale_of
from grader.spec.formats.otter_folder import load as load  # noqa: PLC0414  the format's own
from grader.spec.formats.otter_test_files import Case, TestFile

IGNORED = "otter_ignore"  # a cell's tag
OURS = "grader_tests"  # in the metadata of cells that are put in here
CUT = "[output cut here"  # what the sandbox puts in the place of what it does not keep
MAX_RESULT = 1 << 20  # characters of what one question's tests say
MAX_WORDS, MAX_LINES = 700, 12  # of what a report quotes of it
_CHECK = re.compile(r"""^[^#\n]*\.check\(\s*(?P<quote>["'])(?P<question>[^"'\n]+)(?P=quote)""", re.MULTILINE)


# ------------------------------------------------------------------ before the run


def prepared(notebook: NotebookNode, _name: str, course: Course) -> Prepared:
    """With the tests in cells of their own, and the seeds in theirs; ignored cells are text."""
    config, files = read_config(folder_of(course)), read_tests(course)
    ready = deepcopy(notebook)
    ready.cells = [_kept(cell) for cell in ready.cells]
    places = _places(ready.cells, files)
    cells: list[NotebookNode] = []
    for place, cell in enumerate(ready.cells):
        cells += [*_seeds(config, cell), cell]
        for question in sorted(places.pop(place, ())):
            cells += [*_seeds(config, None), _test_cell(question, files[question])]
    tested = {cell.metadata[OURS]["question"] for cell in cells if cell.metadata.get(OURS)}
    cells += [_test_cell(question, file) for question, file in files.items() if question not in tested]
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    ready.cells = cells
    return Prepared(ready, tuple(_of_another(notebook, config)))


def _of_another(notebook: NotebookNode, config: Config) -> Iterator[Message]:
    """Otter would not grade it; a person knows better whether only the mark is wrong."""
    found = metadata_of(notebook).get("assignment_name")
    if config.assignment_name and found != config.assignment_name:
        yield message(
            "The notebook says that it is for {found}, expected {expected}: was the right one handed in?",
            found=str(found or "-")[:80],
            expected=config.assignment_name,
        )


def _kept(cell: NotebookNode) -> NotebookNode:
    """Nothing in it may be taken for a cell of ours; one that otter would leave out does not run."""
    tags = cell.metadata.get("tags")
    cell.metadata.pop(OURS, None)
    if cell.cell_type == "code" and ((isinstance(tags, list) and IGNORED in tags) or metadata_of(cell).get("ignore")):
        return new_raw_cell(cell.source)  # what a cell of code may say of itself, one of text may not
    return cell


def _places(cells: Sequence[NotebookNode], files: Mapping[str, TestFile]) -> dict[int, list[str]]:
    """After which cell a question is tested: the last that checks it, by a call or by its metadata."""
    last = {question: place for place, cell in enumerate(cells) for question in _checked(cell)}
    return {place: [one for one in files if last.get(one) == place] for place in set(last.values())}


def _checked(cell: NotebookNode) -> Iterator[str]:
    if cell.cell_type == "code":
        yield from (found["question"] for found in _CHECK.finditer(cell.source))
        tests = metadata_of(cell).get("tests")
        yield from (test for test in tests if isinstance(test, str)) if isinstance(tests, list) else ()


def _seeds(config: Config, cell: NotebookNode | None) -> list[NotebookNode]:
    """Before each code cell, as otter writes it into each; ``cell`` is None for the tests'."""
    if config.seed is None or (cell is not None and (cell.cell_type != "code" or cell.source.startswith("%%"))):
        return []
    if config.seed_variable is not None:
        return [_our_cell(f"{config.seed_variable} = {config.seed}", {})]
    modules = ("__import__('random')", "__import__('numpy').random")
    return [_our_cell("; ".join(f"{module}.seed({config.seed})" for module in modules), {})]


def _test_cell(question: str, file: TestFile) -> NotebookNode:
    token = secrets.token_hex(16)
    order = {
        "question": question,
        "token": token,
        "cases": [] if file.source else [case.code for case in file.cases],
        "source": file.source,
    }
    source = f"__import__('sys').modules['guest.compat.otter_tests'].run({json.dumps(order)!r})"
    return _our_cell(source, {"question": question, "token": token})


def _our_cell(source: str, about: dict[str, str]) -> NotebookNode:
    return new_code_cell(source, metadata={OURS: about})


# ------------------------------------------------------------------ after it


@dataclass(frozen=True, slots=True)
class _Given:
    """What came out of one question's cell: every case's result, or what broke the course's own file."""

    cases: tuple[tuple[bool, str], ...] = ()
    problem: str = ""
    cut: bool = False  # the notebook had printed and shown more than is kept of one


def tests(executed: NotebookNode | None, ready: NotebookNode, _name: str, course: Course) -> tuple[Test, ...]:
    """One for each question."""
    files = read_tests(course)
    scale = scale_of(read_config(folder_of(course)), files)
    ran = executed.cells if executed is not None and _is_what_ran(executed, ready) else ()
    outputs = {
        about["question"]: _given(cell.get("outputs", []), about["token"], len(files[about["question"]].cases))
        for cell, about in zip(ran, map(_about, ready.cells), strict=False)
        if "question" in about
    }
    return tuple(_test(question, file, outputs.get(question), scale) for question, file in files.items())


def _about(cell: NotebookNode) -> Mapping[str, str]:
    about: Mapping[str, str] = cell.metadata.get(OURS, {})
    return about


def _is_what_ran(executed: NotebookNode, ready: NotebookNode) -> bool:
    """The same cells with the same text; otherwise the notebook wrote over the file that holds its results."""
    return [(cell.get("id"), cell.source) for cell in executed.cells] == [
        (cell.id, cell.source) for cell in ready.cells
    ]


def _given(outputs: Sequence[Mapping[str, Any]], token: str, expected: int) -> _Given | None:
    """None where there is no result that has the cell's token and a value for each case."""
    for output in outputs:
        text = output.get("data", {}).get("text/plain") if output.get("output_type") == "display_data" else None
        if not isinstance(text, str) or len(text) > MAX_RESULT:
            continue
        try:
            found = unambiguous_json(text.encode("utf-8", "replace"))
        except UnusableError:
            continue
        if not isinstance(found, dict) or found.get("token") != token:
            continue
        if isinstance(found.get("problem"), str):
            return _Given(problem=found["problem"])
        cases = found.get("cases")
        if isinstance(cases, list) and len(cases) == expected and all(isinstance(case, dict) for case in cases):
            return _Given(tuple((case.get("passed") is True, str(case.get("message", ""))) for case in cases))
    return _Given(cut=True) if any(CUT in str(output.get("text", "")) for output in outputs) else None


def _test(question: str, file: TestFile, given: _Given | None, scale: float) -> Test:
    possible = file.possible * scale
    if given is None:
        return Test(
            question,
            0.0,
            possible,
            message("No result: the notebook's process ended, or its time was up, before these tests were through."),
        )
    if given.problem or given.cut:
        why = _unjudged(question, given)
        return Test(question, None, possible, why, review=why)
    passed = [one for one, _ in given.cases]
    return Test(question, file.earned(passed) * scale, possible, _reason(file, given))


def _unjudged(question: str, given: _Given) -> Message:
    if given.cut:
        return message("The results were cut off: the notebook prints and shows more than is kept. Look at it.")
    return message(
        "The course's own file of tests for {question} failed before its first case: {problem}",
        question=question,
        problem=_plain(given.problem[:MAX_WORDS]),
    )


def _reason(file: TestFile, given: _Given) -> Message:
    """Nothing of a hidden case but that there is one which failed."""
    results = list(zip(file.cases, given.cases, strict=True))
    passed = sum(one for _, (one, _) in results)
    hidden = sum(case.hidden and not one for case, (one, _) in results)
    words = " ".join(filter(None, (_words(case, *result) for case, result in results if not case.hidden)))[:MAX_WORDS]
    if passed == len(results):
        return message("All {n} test cases passed. {words}", n=passed, words=words)
    if file.all_or_nothing:
        return message(
            "{passed} of {n} test cases passed; points are given for all of them or none. {words}",
            passed=passed,
            n=len(results),
            words=words,
        )
    if not hidden:
        return message("{passed} of {n} test cases passed. {words}", passed=passed, n=len(results), words=words)
    return message(
        "{passed} of {n} test cases passed; hidden among the failed: {hidden}. {words}",
        passed=passed,
        n=len(results),
        hidden=hidden,
        words=words,
    )


def _plain(text: str) -> str:
    """What a student's process said, for pages, tables and terminals: nothing that steers one, or is no character."""
    return "".join(character if character.isprintable() else " " for character in text)


def _words(case: Case, passed: bool, said: str) -> str:
    if passed:
        return case.success_message
    lines = [_plain(line).strip() for line in said.splitlines() if line.strip()]
    return " ".join(filter(None, [f"{case.name}:", case.failure_message, *lines[:MAX_LINES]]))


# ------------------------------------------------------------------ for its student


def shown(executed: NotebookNode, ready: NotebookNode, _name: str, _course: Course) -> NotebookNode | None:
    """Without our own cells; what the driver noted of one of them is noted of the student's cell before it."""
    if not _is_what_ran(executed, ready):
        return None
    own = [OURS not in cell.metadata for cell in ready.cells]
    numbers = [max(sum(own[: place + 1]) - 1, 0) for place in range(len(own))]
    executed.cells = [cell for cell, is_own in zip(executed.cells, own, strict=True) if is_own]
    noted = executed.metadata.get("grader")
    if isinstance(noted, dict):
        for word, value in noted.items():
            noted[word] = [_moved(one, numbers) for one in value] if isinstance(value, list) else _moved(value, numbers)
    return executed


def _moved(value: object, numbers: Sequence[int]) -> object:
    """A cell's place, if it is one: the file came out of the student's process."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(numbers):
        return numbers[value]
    return value
