"""The results of a class: ``grades.json`` for programs, ``grades.csv`` for spreadsheets.

The dataclasses below are the file format. They build a class's results, read ``grades.json`` back, perhaps edited by
hand since, and publish its JSON schema. After a change here, run ``write_schema``.
"""

from __future__ import annotations

import codecs
import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from numbers import Real
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, WithJsonSchema
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import ErrorDetails, core_schema

from grader.files.atomic import write_text
from grader.files.csv_export import csv_text, escape_formula, points_cell
from grader.i18n.message import Message, Titles, message, verbatim
from grader.models.assignment import Assignment
from grader.models.errors import IntakeError
from grader.models.grade import Graded, Score
from grader.models.lateness import Lateness
from grader.models.run import Outcome
from grader.models.submission import Student

GRADES = "grades.json"
SCHEMA = Path(__file__).with_name("grades.schema.json")
ABSENT = "absent"  # in the table, for a student without a submission and so without an outcome

_MOST_PROBLEMS = 20
_NOT_FINITE = ("nan", "inf", "-inf")  # JSON has no such numbers; sentences may hold them
_COLUMNS = (
    "id", "name", "total", "max", "outcome", "late", "late_by_hours", "taken_off", "needs_review", "review_reasons",
)  # fmt: skip


# ---------------------------------------------------------------- the file format


class _StudentId(BaseModel):
    """A student's id names a folder, so it must not lead out of the results."""

    id: Annotated[str, Field(pattern=r"^[^/\\\x00]*[^/\\\x00.][^/\\\x00]*$")]


def _check_id(student: Student) -> Student:
    _StudentId(id=student.id)
    return student


_CONFIG = ConfigDict(strict=True, extra="ignore")
_AnyStudent = Annotated[Student, AfterValidator(_check_id)]
_Number = Annotated[float, Field(ge=0, allow_inf_nan=False)]
_Count = Annotated[int, Field(ge=0)]
_Titles = Annotated[Titles, Field(description="By language tag.")]


def _about(description: str) -> Any:
    return Field(description=description)


def _date_time(description: str) -> Any:
    return Field(description=description, json_schema_extra={"format": "date-time"})


@dataclass(frozen=True)
class Sentence:
    """A ``Message`` as JSON: the English sentence apart from its values, so that it can be translated later."""

    __pydantic_config__ = _CONFIG
    template: Annotated[str, _about("The reason in English, its values in braces.")]
    values: Mapping[str, str | bool | int | float | Sentence] = field(default_factory=dict)

    @classmethod
    def of(cls, text: Message) -> Sentence:
        """Return ``text`` with all its values made JSON's own types."""
        return cls(text.template, {name: cls._entry(value) for name, value in text.values.items()})

    @classmethod
    def _entry(cls, value: object) -> str | bool | int | float | Sentence:
        if isinstance(value, Message):
            return cls.of(value)
        if isinstance(value, bool | int):
            return value
        return float(value) if isinstance(value, Real) and math.isfinite(value) else str(value)

    def restore(self) -> Message:
        """Return the ``Message`` that this was made of."""
        return Message(self.template, {name: self._value(entry) for name, entry in self.values.items()})

    @staticmethod
    def _value(entry: str | bool | int | float | Sentence) -> object:
        if isinstance(entry, Sentence):
            return entry.restore()
        return float(entry) if entry in _NOT_FINITE else entry


@dataclass(frozen=True)
class CriterionResult:
    """The points for one criterion of one submission."""

    __pydantic_config__ = _CONFIG
    id: Annotated[str, Field(min_length=1)]
    points: Annotated[_Number | None, _about("Null when a person has to judge.")]
    max: _Number
    passed: bool | None = None
    value: Annotated[float | None, _about("What was measured.")] = None
    low: Annotated[float | None, _about("Lower end of the 95 % interval.")] = None
    high: Annotated[float | None, _about("Upper end of the 95 % interval.")] = None
    n: Annotated[_Count | None, _about("Sample size behind the value.")] = None
    reason: Annotated[str, _about("In English.")] = ""
    title: _Titles = field(default_factory=dict)
    said: Sentence = Sentence("")

    @property
    def explanation(self) -> Message:
        """The reason, translatable where the file holds it so."""
        return self.said.restore() if self.said.template else verbatim(self.reason)


@dataclass(frozen=True)
class LatenessResult:
    """The lateness of one submission, and the points that it cost."""

    __pydantic_config__ = _CONFIG
    due: Annotated[str, _date_time("For this student, ISO 8601.")] = ""
    submitted: Annotated[str | None, _about("ISO 8601; null when unknown.")] = None
    late_by_hours: Annotated[_Number | None, _about("0: in time; null: unknown.")] = None
    policy: Literal["none", "percent", "late_days", "zero"] = "none"
    taken_off: Annotated[_Number, _about("Points.")] = 0.0
    days: Annotated[_Count, _about("Begun days.")] = 0
    extended: Annotated[bool, _about("Whether the student has more time than the class.")] = False
    reason: Annotated[str, _about("In English.")] = ""


@dataclass(frozen=True, kw_only=True)
class Result:
    """The result of one submission. No grade is exported while ``total`` is None."""

    __pydantic_config__ = _CONFIG
    student: _AnyStudent
    group: Annotated[
        tuple[_AnyStudent, ...], _about("Who handed in together, where the learning management system says who.")
    ] = ()
    lms: Annotated[str, _about("The learning management system that named the files.")] = "folder"
    origin: Annotated[str, _about("The archive's entry or folder that it came from.")] = ""
    entry: Annotated[str, _about("The archive's entry that is the notebook, or that it came out of.")] = ""
    submitted_at: Annotated[str | None, _about("ISO 8601; null when unknown.")] = None
    notebook: Annotated[str | None, _about("Its file name as handed in; null when there was none.")] = None
    outcome: Annotated[str, WithJsonSchema({"enum": [outcome.value for outcome in Outcome]})]
    total: Annotated[_Number | None, _about("Null while a fault of the grader's own leaves it unknown.")]
    max: _Number
    late: Annotated[bool | None, _about("Null when the learning management system does not say.")] = None
    lateness: Annotated[
        LatenessResult | None, _about("Null where nothing is due. What it costs is taken off the total already.")
    ] = None
    needs_review: bool = False
    review_reasons: tuple[str, ...] = ()
    seconds: Annotated[_Number | None, _about("Wall clock for the whole submission.")] = None
    peak_memory_mb: _Number | None = None
    memory_limit_mb: Annotated[_Number | None, _about("That applied to it; null when nothing ran.")] = None
    device: Annotated[str | None, _about("What it ran on, as its process says.")] = None
    criteria: tuple[CriterionResult, ...] = ()
    folder: Annotated[Path, Field(exclude=True)] = Path()  # holds report.html, and executed.ipynb if the notebook ran

    @property
    def members(self) -> tuple[Student, ...]:
        """The students who get this result."""
        return self.group or (self.student,)

    @property
    def taken_off(self) -> float:
        """The points that lateness cost; ``total`` is without them already."""
        return self.lateness.taken_off if self.lateness else 0.0

    def out_of(self, maximum: float | None) -> float | None:
        """Return ``total`` scaled to ``maximum`` full points; unscaled where either maximum is unknown."""
        if self.total is None or not maximum or maximum < 0 or not self.max:
            return self.total
        return self.total * maximum / self.max

    @property
    def report(self) -> Path:
        return self.folder / "report.html"

    @property
    def executed(self) -> Path:
        return self.folder / "executed.ipynb"


@dataclass(frozen=True, kw_only=True)
class Results:
    """The results of a class. ``folder`` is where ``grader grade`` wrote them."""

    __pydantic_config__ = _CONFIG
    assignment: Annotated[str, _about("The assignment's id.")]
    title: _Titles = field(default_factory=dict)
    version: Annotated[str, _about("The assignment's version.")] = ""
    made_at: Annotated[str, _date_time("When the grades were written, ISO 8601.")] = ""
    submissions: tuple[Result, ...]
    absent: Annotated[
        tuple[_AnyStudent, ...],
        _about("On the class list, but nothing came that is theirs, or may be: no grade, and no zero."),
    ] = ()
    folder: Annotated[Path, Field(exclude=True)] = Path()

    @property
    def max(self) -> float:
        """The largest maximum of a submission; 0 for an empty class."""
        return max((result.max for result in self.submissions), default=0.0)


_FILE = TypeAdapter(Results)


# ---------------------------------------------------------------- schema


class _Schema(GenerateJsonSchema):
    """Describe the file as it is written: every field is there, and no other."""

    def dataclass_schema(self, schema: core_schema.DataclassSchema) -> JsonSchemaValue:
        closed = super().dataclass_schema(schema) | {"additionalProperties": False}
        closed["required"] = list(closed["properties"])
        return {name: value for name, value in closed.items() if name not in ("title", "description")}

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002
        return False


def grades_schema() -> dict[str, Any]:
    """Return the JSON schema of ``grades.json``."""
    schema = _FILE.json_schema(mode="serialization", schema_generator=_Schema)
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Grades of one assignment"}
    return head | schema


def write_schema() -> None:
    """Write ``grades.schema.json`` beside this module."""
    write_text(SCHEMA, json.dumps(grades_schema(), ensure_ascii=False, indent=2) + "\n")


# ---------------------------------------------------------------- writing


def write_results(
    results: Sequence[Graded], assignment: Assignment, out: Path, made_at: datetime, *, absent: Sequence[Student] = ()
) -> None:
    """Write ``grades.json`` and ``grades.csv`` into ``out``, each in one step; raises ``OutputError``.

    ``absent`` students of the class list get a row without a total.
    """
    grades = Results(
        assignment=assignment.id,
        title=assignment.title,
        version=assignment.version,
        made_at=made_at.isoformat(timespec="seconds"),
        submissions=tuple(map(_result, results)),
        absent=tuple(absent),
    )
    entries = _FILE.dump_python(grades, warnings="none")  # unlike dump_json, takes the half characters of broken names
    write_text(out / GRADES, json.dumps(entries, ensure_ascii=False, allow_nan=False, indent=2) + "\n")
    write_text(out / "grades.csv", _table(results, assignment, absent))


def _result(graded: Graded) -> Result:
    submission, run, grade = graded.submission, graded.run, graded.grade
    return Result(
        student=submission.student,
        group=submission.group,
        lms=submission.lms,
        origin=submission.origin,
        entry=submission.entry,
        submitted_at=submission.submitted_at.isoformat() if submission.submitted_at else None,
        notebook=submission.notebook_name or None,
        outcome=run.outcome.value,
        total=_rounded(grade.total, 4),
        max=_rounded(grade.max, 4) or 0.0,
        late=grade.late,
        lateness=None if grade.lateness is None else _lateness(grade.lateness),
        needs_review=grade.needs_review,
        review_reasons=tuple(map(str, grade.review_reasons)),
        seconds=_rounded(run.seconds, 2),
        peak_memory_mb=_rounded(run.peak_memory_mb, 1),
        memory_limit_mb=_rounded(run.memory_limit_mb, 1) or None,
        device=run.facts.device or None,
        criteria=tuple(map(_criterion, grade.scores)),
    )


def _lateness(late: Lateness) -> LatenessResult:
    return LatenessResult(
        due=late.due.isoformat(),
        submitted=late.submitted.isoformat() if late.submitted else None,
        late_by_hours=_hours(late),
        policy=late.policy,
        taken_off=_rounded(late.taken_off, 4) or 0.0,
        days=late.days,
        extended=late.extended,
        reason=str(late.reason),
    )


def _hours(late: Lateness) -> float | None:
    return None if late.by is None else round(late.by.total_seconds() / 3600, 4)


def _criterion(score: Score) -> CriterionResult:
    return CriterionResult(
        score.criterion,
        _rounded(score.points, 4),
        _rounded(score.max, 4) or 0.0,
        score.passed,
        value=_rounded(score.value, 6),
        low=_rounded(score.low, 6),
        high=_rounded(score.high, 6),
        n=score.n,
        reason=str(score.reason),
        title=score.title,
        said=Sentence.of(score.reason),
    )


def _rounded(value: float | None, digits: int) -> float | None:
    """Return ``value`` without the noise of its last bits; None for a value that is not finite."""
    if value is None or not math.isfinite(value):
        return None
    return round(float(value), digits)


def _table(results: Sequence[Graded], assignment: Assignment, absent: Sequence[Student]) -> str:
    criteria = [criterion.id for criterion in assignment.rubric]
    headings = [f"{name} (points)" if name in _COLUMNS else name for name in criteria]
    rows = [_row(graded, criteria) for graded in results]
    rows += [_absent_row(student, len(headings)) for student in absent]
    return csv_text([[*_COLUMNS, *map(escape_formula, headings)], *rows])


def _absent_row(student: Student, criteria: int) -> list[str]:
    known = [escape_formula(student.id), escape_formula(student.name), "", "", ABSENT]
    return [*known, *[""] * (len(_COLUMNS) - len(known) + criteria)]


def _row(graded: Graded, criteria: Sequence[str]) -> list[str]:
    student, grade = graded.submission.student, graded.grade
    points = {score.criterion: score.points for score in grade.scores}
    return [
        escape_formula(student.id),
        escape_formula(student.name),
        points_cell(grade.total),
        points_cell(grade.max),
        graded.run.outcome.value,
        "" if grade.late is None else str(grade.late).lower(),
        points_cell(_hours(grade.lateness) if grade.lateness else None),
        points_cell(grade.lateness.taken_off if grade.lateness else None),
        str(grade.needs_review).lower(),
        escape_formula("; ".join(str(reason) for reason in grade.review_reasons)),
        *(points_cell(points.get(criterion)) for criterion in criteria),
    ]


# ---------------------------------------------------------------- reading


def read_results(folder: Path) -> Results:
    """Return the results in ``folder/grades.json``, as written or as edited by hand since.

    Raises ``IntakeError`` with every problem found there.
    """
    path = folder / GRADES
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise IntakeError(
            message("{path}: not found. Give the folder that grader grade wrote its results to.", path=path)
        ) from None
    except OSError as error:
        raise IntakeError(message("{path} cannot be read: {reason}.", path=path, reason=str(error.strerror))) from error
    try:
        results = _FILE.validate_json(data.removeprefix(codecs.BOM_UTF8))  # some editors put it before the text
        problems = list(_repeated_ids(results))
    except ValidationError as error:
        problems = list(_problems(error, data))
    if problems:
        raise IntakeError(
            message(
                "{path} cannot be exported:\n{problems}\nCorrect these places, or grade again.",
                path=path, problems="\n".join(problems[:_MOST_PROBLEMS] + ["  …"] * (len(problems) > _MOST_PROBLEMS)),
            )
        )  # fmt: skip
    located = [replace(result, folder=folder / "students" / result.student.id) for result in results.submissions]
    return replace(results, submissions=tuple(located), folder=folder)


def _repeated_ids(results: Results) -> Iterator[str]:
    count = Counter(result.student.id for result in results.submissions)
    for number, result in enumerate(results.submissions):
        if count[result.student.id] > 1:
            student = result.student
            yield f"  {student.name}: submissions.{number}.student.id: {student.id!r} is there twice"


def _problems(error: ValidationError, data: bytes) -> Iterator[str]:
    """Yield a line for each problem in ``data``: the student, the place, what was expected, what was found."""
    try:
        submissions = json.loads(data.decode("utf-8-sig"))["submissions"]
    except (ValueError, KeyError, TypeError):
        submissions = []
    yield from (_problem(details, submissions) for details in error.errors())


def _problem(details: ErrorDetails, submissions: Any) -> str:
    place = ".".join(map(str, details["loc"]))
    match details["loc"]:
        case ("submissions", int(number), *_):
            place = f"{_student_name(submissions, number)}: {place}"
    nothing_found = details["type"] in ("missing", "json_invalid")
    found = "" if nothing_found else f" (found {json.dumps(details['input'], default=str)[:80]})"
    return f"  {place}: {details['msg']}{found}" if place else f"  {details['msg']}"


def _student_name(submissions: Any, number: int) -> str:
    """Return the name in a submission that may be wrong elsewhere; "?" where there is none."""
    try:
        return str(submissions[number]["student"]["name"])
    except (KeyError, TypeError, IndexError):
        return "?"
