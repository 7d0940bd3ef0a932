"""Grade the one submission in Gradescope's container and write ``results.json``, whatever happens."""

from __future__ import annotations

import tempfile
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from grader.cli.gradescope_kit.container_folder import read_container
from grader.cli.gradescope_kit.kit_archive import ASSIGNMENT, SECRET
from grader.files.atomic import write_bytes
from grader.i18n.catalogue import Translation
from grader.i18n.message import Message, message
from grader.lms.gradescope.export import OPEN
from grader.lms.gradescope.results_json import Test, results_json
from grader.models.assignment import Assignment
from grader.models.errors import SandboxError
from grader.models.grade import Graded, Score
from grader.models.run import Outcome, Run
from grader.pipeline import Settings, grade_class
from grader.sandbox.base import Sandbox
from grader.sandbox.levels import open_sandbox
from grader.sandbox.process import UNPRIVILEGED_USER, unprivileged_sandbox
from grader.spec.loader import load_assignment

RESULTS = "results/results.json"
GRADER_MB = 600  # what the grader itself needs


@dataclass(frozen=True, slots=True)
class Machine:
    """The container: its environment, processors, memory, library of public data, and the confinement to try."""

    inherited: Mapping[str, str]
    threads: int
    memory_mb: int
    library: Path
    level: str = "auto"


Open = Callable[[Machine], tuple[Sandbox, Message]]


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of the submission. ``notes`` are for instructors alone."""

    faulty: bool
    notes: tuple[Message, ...]


def run(root: Path, machine: Machine, translation: Translation, opening: Open | None = None) -> Result:
    """Grade the submission below ``root``. A fault of the grader leaves a result without a score, never a zero."""
    try:
        with tempfile.TemporaryDirectory(prefix="grader-kit-") as workspace:
            graded, notes = _grade(root, machine, Path(workspace), translation, opening or best_sandbox)
            document = _document(graded, translation)
    except Exception as error:  # noqa: BLE001  a fault of the grader must not become a zero
        write_bytes(root / RESULTS, results_json(None, output=translation.say(OPEN)))
        place = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{type(error).__name__}, {Path(place.filename).name}:{place.lineno}"
        return Result(True, (message("The grader failed: {error}", error=f"{error} ({where})"),))
    write_bytes(root / RESULTS, document)
    return Result(graded.run.outcome is Outcome.GRADER_FAULT or graded.grade.total is None, notes)


def _grade(
    root: Path, machine: Machine, workspace: Path, translation: Translation, opening: Open
) -> tuple[Graded, tuple[Message, ...]]:
    assignment = load_assignment(root / "source" / ASSIGNMENT)
    secret = (root / "source" / SECRET).read_bytes().strip()
    handed_in = read_container(root, workspace / "nested", with_pictures=assignment.pictures is not None)
    sandbox, note = opening(machine)
    settings = Settings(
        workspace / "out", secret, translation.language, threads=machine.threads, library=machine.library
    )
    try:
        graded = grade_class(assignment, [handed_in], sandbox, settings)[0]
    finally:
        sandbox.close()
    small = _too_small(assignment, machine)
    if small is not None and _may_lack_memory(graded.run):
        graded = replace(graded, grade=replace(graded.grade, total=None))
    return graded, tuple(note for note in (note, small, *_for_instructors(graded)) if note is not None)


def _too_small(assignment: Assignment, machine: Machine) -> Message | None:
    needed = assignment.limits.memory_limit_mb + GRADER_MB
    if machine.memory_mb >= needed:
        return None
    return message(
        "This container has {found} MB of memory; {wanted} MB are needed to give a notebook what the assignment "
        "allows. Choose a larger one in the autograder's settings. A notebook that dies here gets no score.",
        found=machine.memory_mb, wanted=needed,
    )  # fmt: skip


def _may_lack_memory(run: Run) -> bool:
    """Return whether the notebook's process ended for another reason than an error in a cell."""
    died = run.outcome is Outcome.ERROR and not any(cell.error for cell in run.cells)
    return died or run.outcome is Outcome.MEMORY


def best_sandbox(machine: Machine) -> tuple[Sandbox, Message]:
    """Open the best confinement that this container allows; return it with a note for instructors."""
    try:
        sandbox = open_sandbox(machine.level, machine.inherited, threads=machine.threads, preload=False)
    except SandboxError as error:
        words = message(
            "This container allows no confinement, so the notebook ran as the user {user}: it could neither read the "
            "secret nor write results, but it had the network. Why: {reason}",
            user=UNPRIVILEGED_USER, reason=" ".join(str(error).split())[:600],
        )  # fmt: skip
        return unprivileged_sandbox(machine.inherited), words
    return sandbox, message("Confinement: {name}", name=sandbox.confinement)


def _for_instructors(graded: Graded) -> Iterator[Message]:
    """Yield the reasons why an instructor should review the submission."""
    if graded.run.outcome is not Outcome.OK and graded.run.reason is not None:
        yield graded.run.reason
    yield from graded.grade.review_reasons


# ---------------------------------------------------------------- results.json


def _document(graded: Graded, translation: Translation) -> bytes:
    total = graded.grade.total
    if total is None:
        return results_json(None, output=translation.say(OPEN), seconds=graded.run.seconds)
    tests = [_test(score, translation) for score in graded.grade.scores]
    lines = [
        translation.text("{total:g} of {max:g} points.", total=total, max=graded.grade.max),
        *(translation.say(note) for note in _for_the_student(graded)),
    ]
    return results_json(total, tests, output="\n".join(lines), seconds=graded.run.seconds)


def _for_the_student(graded: Graded) -> Iterator[Message]:
    submission, run = graded.submission, graded.run
    reason = run.reason or submission.problem
    if reason is not None:
        yield reason
    yield from (*submission.notes, *run.notes)


def _test(score: Score, translation: Translation) -> Test:
    return Test(translation.title(score.title), score.points or 0.0, score.max, translation.say(score.reason))
