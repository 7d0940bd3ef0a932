"""What goes back to the LMS: a class's results as ``grades.json`` keeps them, read at any later time."""

from __future__ import annotations

import codecs
import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from numbers import Real
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from grader.grading.edited import problems_in
from grader.i18n.message import Message, Titles, message
from grader.models.errors import IntakeError
from grader.models.submission import Student

GRADES = "grades.json"

_SAID = 20  # problems named one by one
_NO_NUMBERS = ("nan", "inf", "-inf")  # as JSON has no word for them, but sentences do


class Missing(StrEnum):
    """What a student gets who is in the LMS's list and handed in nothing."""

    BLANK = "blank"
    ZERO = "zero"


@dataclass(frozen=True, slots=True)
class Points:
    """One criterion's; None where a person has to judge."""

    criterion: str
    points: float | None
    max: float
    reason: str = ""  # in English
    title: Titles = field(default_factory=dict)
    said: Message | None = None  # the reason for any language


@dataclass(frozen=True, slots=True)
class Result:
    """One submission. ``total`` is None while it is open: nothing is given back for it."""

    student: Student
    total: float | None
    max: float
    outcome: str  # as records.Outcome writes it
    lms: str = "folder"
    origin: str = ""
    entry: str = ""
    notebook: str = ""
    group: tuple[Student, ...] = ()
    late: bool | None = None
    submitted_at: str = ""  # ISO 8601
    taken_off: float = 0.0  # for lateness, of ``total`` already
    needs_review: bool = False
    criteria: tuple[Points, ...] = ()
    folder: Path = Path()  # holds report.html, and executed.ipynb where the notebook ran

    @property
    def members(self) -> tuple[Student, ...]:
        """Everybody whose it is."""
        return self.group or (self.student,)

    def out_of(self, most: float | None) -> float | None:
        """``total`` where ``most`` are full points; unscaled where there or here nobody says how many are."""
        if self.total is None or not most or most < 0 or not self.max:
            return self.total
        return self.total * most / self.max

    @property
    def report(self) -> Path:
        return self.folder / "report.html"

    @property
    def executed(self) -> Path:
        return self.folder / "executed.ipynb"


@dataclass(frozen=True, slots=True)
class Results:
    """``folder`` is where ``grader grade`` wrote everything."""

    assignment: str
    max: float
    folder: Path
    students: tuple[Result, ...]
    title: Titles = field(default_factory=dict)  # the assignment's
    absent: tuple[Student, ...] = ()  # on the class list, and nothing came: neither a result nor a zero


@dataclass(frozen=True, slots=True)
class HandedBack:
    """``files`` are to be uploaded; ``notes`` say what a teacher should know before doing so."""

    files: tuple[Path, ...]
    notes: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be written: ``sheets`` are the teacher's own files from the LMS, filled in and never invented."""

    out: Path
    sheets: tuple[Path, ...] = ()
    missing: Missing = Missing.BLANK
    language: str = "en"
    column: str = ""  # where a sheet has several that the grades could go to: its heading, title or id


# ---------------------------------------------------------------- reading


class _Model(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)


_Number = Annotated[float, Field(ge=0, allow_inf_nan=False)]
# The id is the name of the student's folder: nothing that leads out of the results.
_Id = Annotated[str, Field(pattern=r"^[^/\\\x00]*[^/\\\x00.][^/\\\x00]*$")]


class _Student(_Model):
    id: _Id
    name: str
    key: str = ""
    email: str = ""
    username: str = ""


class _Said(_Model):
    template: str
    values: dict[str, str | bool | int | float | _Said] = {}

    def sentence(self) -> Message:
        return Message(self.template, {name: self._value(one) for name, one in self.values.items()})

    @staticmethod
    def _value(value: str | bool | int | float | _Said) -> object:
        if isinstance(value, _Said):
            return value.sentence()
        return float(value) if value in _NO_NUMBERS else value


class _Criterion(_Model):
    id: str
    points: _Number | None
    max: _Number
    reason: str = ""
    title: dict[str, str] = {}
    said: _Said | None = None

    def points_given(self) -> Points:
        said = self.said.sentence() if self.said else None
        return Points(self.id, self.points, self.max, self.reason, self.title, said)


class _Lateness(_Model):
    taken_off: float = 0.0


class _Submission(_Model):
    student: _Student
    total: _Number | None
    max: _Number
    outcome: str
    notebook: str | None = None
    late: bool | None = None
    needs_review: bool = False
    lms: str = "folder"
    origin: str = ""
    entry: str = ""
    submitted_at: str | None = None
    group: list[_Student] = []
    criteria: list[_Criterion] = []
    lateness: _Lateness | None = None


class _File(_Model):
    assignment: str
    title: dict[str, str] = {}
    submissions: list[_Submission]
    absent: list[_Student] = []


def read_results(folder: Path) -> Results:
    """The results in ``folder/grades.json``, as written or as edited by hand since.

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
        file = _File.model_validate_json(data.removeprefix(codecs.BOM_UTF8))  # some editors put it before the text
        problems = list(_twice(file))
    except ValidationError as error:
        problems = list(problems_in(error, data))
    if problems:
        raise IntakeError(
            message(
                "{path} cannot be given back:\n{problems}\nPut that right there, or grade again.",
                path=path, problems="\n".join(problems[:_SAID] + ["  …"] * (len(problems) > _SAID)),
            )
        )  # fmt: skip
    students = tuple(_result(one, folder) for one in file.submissions)
    most = max((one.max for one in students), default=0.0)
    return Results(file.assignment, most, folder, students, file.title, tuple(map(_student, file.absent)))


def _twice(file: _File) -> Iterator[str]:
    count = Counter(one.student.id for one in file.submissions)
    for number, one in enumerate(file.submissions):
        if count[one.student.id] > 1:
            yield f"  {one.student.name}: submissions.{number}.student.id: {one.student.id!r} is there twice"


def _result(one: _Submission, folder: Path) -> Result:
    return Result(
        student=_student(one.student),
        total=one.total,
        max=one.max,
        outcome=one.outcome,
        lms=one.lms,
        origin=one.origin,
        entry=one.entry,
        notebook=one.notebook or "",
        group=tuple(map(_student, one.group)),
        late=one.late,
        submitted_at=one.submitted_at or "",
        taken_off=one.lateness.taken_off if one.lateness else 0.0,
        needs_review=one.needs_review,
        criteria=tuple(each.points_given() for each in one.criteria),
        folder=folder / "students" / one.student.id,
    )


def _student(one: _Student) -> Student:
    return Student(one.id, one.name, one.key, one.email, one.username)


def student_entry(student: Student) -> Mapping[str, Any]:
    """As ``grades.json`` holds it."""
    return {
        "id": student.id,
        "name": student.name,
        "key": student.key,
        "email": student.email,
        "username": student.username,
    }


def message_entry(said: Message) -> Mapping[str, Any]:
    """As ``grades.json`` holds it: the sentence apart from its values, so that it can be said in another language."""
    return {"template": said.template, "values": {name: _value(one) for name, one in said.values.items()}}


def _value(value: object) -> object:
    if isinstance(value, Message):
        return message_entry(value)
    if isinstance(value, bool | int):
        return value
    if isinstance(value, Real) and math.isfinite(value):
        return float(value)
    return str(value)
