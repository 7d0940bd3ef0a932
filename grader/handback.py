"""What goes back to the LMS: a class's results as ``grades.json`` keeps them, read at any later time."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from numbers import Real
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from grader.errors import IntakeError
from grader.records import Message, Student, Titles, message

GRADES = "grades.json"

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
    needs_review: bool = False
    criteria: tuple[Points, ...] = ()
    folder: Path = Path()  # holds report.html, and executed.ipynb where the notebook ran

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


class _Student(_Model):
    id: str
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
    points: float | None
    max: float
    reason: str = ""
    title: dict[str, str] = {}
    said: _Said | None = None

    def points_given(self) -> Points:
        said = self.said.sentence() if self.said else None
        return Points(self.id, self.points, self.max, self.reason, self.title, said)


class _Submission(_Model):
    student: _Student
    total: float | None
    max: float
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


class _File(_Model):
    assignment: str
    title: dict[str, str] = {}
    submissions: list[_Submission]


def read_results(folder: Path) -> Results:
    """The results in ``folder/grades.json``; raises ``IntakeError`` with every problem found there."""
    path = folder / GRADES
    try:
        file = _File.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise IntakeError(
            message("{path}: not found. Give the folder that grader grade wrote its results to.", path=path)
        ) from None
    except OSError as error:
        raise IntakeError(message("{path} cannot be read: {reason}.", path=path, reason=str(error.strerror))) from error
    except ValidationError as error:
        found = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()[:10])
        raise IntakeError(
            message("{path} is not as grader grade wrote it: {found}. Grade again.", path=path, found=found)
        ) from None
    students = tuple(_result(one, folder) for one in file.submissions)
    return Results(file.assignment, max((one.max for one in students), default=0.0), folder, students, file.title)


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
