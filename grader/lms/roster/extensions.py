"""Extensions: a table of students who have a later due time, more days or more hours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from grader.files.csv_sheet import Sheet, parse_number, read_sheet
from grader.grading.lateness import datetimes
from grader.grading.lateness.rules import assess_lateness
from grader.i18n.message import Message, join_lines, join_list, message
from grader.lms.identity import fold_case, spellings, strip_accents
from grader.lms.roster.class_list import Person, column_kinds, normalize_heading, person_in_row
from grader.lms.roster.roster_matching import RosterIndex
from grader.models.errors import IntakeError
from grader.models.intake import Intake, IntakeRecord
from grader.models.lateness import Extension, LatePolicy
from grader.models.submission import Student, Submission

_COLUMNS: Mapping[str, str] = {
    heading: kind
    for kind, headings in {
        "due": "due duedate extendedto newdue 期限 截止 截止時間 截止日期 繳交期限",
        "days": "days extradays 天數 延長天數",
        "hours": "hours extrahours 時數 小時 延長時數",
        "used": "latedaysused daysused 已用天數 已用遲交天數",
        "note": "note notes reason comment 備註 原因",
    }.items()
    for heading in headings.split()
}
_STUDENT_KINDS = ("number", "key", "username", "email", "name", "first", "last")
_LIMITS = {"days": 366.0, "hours": 366.0 * 24, "used": 366.0}


@dataclass(frozen=True, slots=True)
class _Table:
    sheet: Sheet
    student_columns: Mapping[str, int]
    time_columns: Mapping[str, int]

    def cell(self, row: int, kind: str) -> str:
        return self.sheet.cell(row, self.time_columns[kind]).strip() if kind in self.time_columns else ""


def apply_extensions(intake: Intake, path: Path | None, policy: LatePolicy | None) -> Intake:
    """Return ``intake`` with the extensions in the table at ``path``, and with doubts about lateness.

    Raise ``IntakeError`` with every problem of the table, each with its line.
    """
    if path is not None:
        extensions = _read_extensions(path, _known_students(intake), policy)
        intake = replace(intake, records=tuple(_extend(record, extensions) for record in intake.records))
    if policy is None or policy.due is None:
        return intake
    records = tuple(_with_late_doubt(record, policy) for record in intake.records)
    return replace(intake, records=records, doubts=(*intake.doubts, *_time_doubts(intake.submissions)))


def _read_extensions(path: Path, students: Sequence[Student], policy: LatePolicy | None) -> Mapping[str, Extension]:
    """Return the extensions by student id; ``students`` are all who may have one."""
    if policy is None or policy.due is None:
        raise IntakeError(
            message("{path}: there are extensions but no due time: set it with --due or in [late].", path=path)
        )
    sheet = read_sheet(path)
    headings = map(normalize_heading, sheet.header)
    times = {_COLUMNS[heading]: place for place, heading in enumerate(headings) if heading in _COLUMNS}
    identifying = {kind: place for kind, place in column_kinds(sheet).items() if kind in _STUDENT_KINDS}
    table = _Table(sheet, identifying, times)
    problems = list(_column_problems(table))
    extensions: dict[str, Extension] = {}
    index = RosterIndex(map(_as_person, students))
    for row in range(1, len(sheet.rows) if not problems else 0):
        student_id = _find_student(person_in_row(sheet, row, identifying), index)
        extension = _parse_extension(table, row, policy)
        wrong = [result for result in (student_id, extension) if isinstance(result, Message)]
        if not wrong and isinstance(student_id, str) and isinstance(extension, Extension):
            if student_id in extensions:
                wrong = [message("found a second line for this student, expected one")]
            extensions[student_id] = extension
        place = message("{path}, line {line}", path=path, line=sheet.line(row))
        problems += [message("{place}: {problem}.", place=place, problem=problem) for problem in wrong]
    if problems:
        raise IntakeError(join_lines(problems))
    return extensions


# ---------------------------------------------------------------- columns and cells


def _column_problems(table: _Table) -> Iterator[Message]:
    path, header = table.sheet.path, table.sheet.header
    known = {*table.student_columns.values(), *table.time_columns.values()}
    unknown = [text for place, text in enumerate(header) if place not in known]
    if unknown:
        yield message(
            "{path}, line 1: found the unknown columns {found}; expected Student ID, Name, Email, Due, Days, Hours, "
            "Late days used, Note.",
            path=path, found=join_list(unknown),
        )  # fmt: skip
    if not table.student_columns:
        yield message("{path}, line 1: no column identifies a student; expected Student ID, Name or Email.", path=path)
    if not table.time_columns.keys() - {"note"}:
        yield message("{path}, line 1: no column gives the extra time; expected Due, Days or Hours.", path=path)


def _parse_extension(table: _Table, row: int, policy: LatePolicy) -> Extension | Message:
    """Return the extension in ``row``, or its problem."""
    numbers: dict[str, float] = {}
    for kind, most in _LIMITS.items():
        text = table.cell(row, kind)
        value = parse_number(text) if text else 0.0
        if value is None or not 0 <= value <= most or (kind == "used" and value != int(value)):
            return message("found {found}, expected a number from 0 to {most:g}", found=repr(text), most=most)
        numbers[kind] = value
    text = table.cell(row, "due")
    due = datetimes.parse_datetime(text) if text else None
    if text and due is None:
        return message("found {found}, expected a date and a time such as 2026-11-30 23:59", found=repr(text))
    if due is not None and (numbers["days"] or numbers["hours"]):
        return message("found a due time and also days or hours, expected one of them")
    if due is None and not any(numbers.values()):
        return message("found no extra time, expected a due time, days or hours")
    if due is not None and policy.due is not None:
        general = datetimes.latest(policy.due, policy.timezone)
        if datetimes.latest(due, policy.timezone) < general:
            return message(
                "found {found}, which is before the class's {due}", found=repr(text), due=f"{general:%F %H:%M}"
            )
    return Extension(due, numbers["days"], numbers["hours"], int(numbers["used"]))


# ---------------------------------------------------------------- students


def _known_students(intake: Intake) -> list[Student]:
    """Return all students who submitted, group members under the id of the group, and all absent students."""
    known: list[Student] = []
    for submission in intake.submissions:
        owner = submission.student
        known += [owner, *(replace(member, id=owner.id) for member in submission.group)]
    return [*known, *intake.absent]


def _as_person(student: Student) -> Person:
    return Person(0, student.name, student.username, student.key, email=student.email, aliases=(student.id,))


def _find_student(row: Person, index: RosterIndex) -> str | Message:
    """Return the id of the student in a row of the table, or the row's problem."""
    values = [text for text in (row.number, row.username, row.email, row.key) if text]
    keys = [fold_case(text) for text in values]
    found = [person for kind in ("number", "key", "alias") for person in index.find(kind, keys)]
    if not values:
        found = index.find("spelling", spellings(row.name))
    ids = list(dict.fromkeys(person.aliases[0] for person in found))
    texts = [*values, row.name] if row.name else values
    shown = join_list(texts) if texts else message("no student")
    if not ids:
        return message("found {found}, expected a student who handed in or is on the class list", found=shown)
    if len(ids) > 1:
        people = join_list(list(dict.fromkeys(f"{person.name} ({person.aliases[0]})" for person in found)))
        return message("{found} may be any of {people}; add a number or an address", found=shown, people=people)
    if values and row.name and not any(_same_name(row.name, person.name) for person in found):
        return message("found the name {found}, but {value} is {name}", found=row.name, value=values[0],
                       name=found[0].name)  # fmt: skip
    return ids[0]


def _same_name(written: str, known: str) -> bool:
    plain = {strip_accents(spelling) for spelling in spellings(written)}
    return bool(plain & {strip_accents(spelling) for spelling in spellings(known)}) or written in known


def _extend(record: IntakeRecord, extensions: Mapping[str, Extension]) -> IntakeRecord:
    extension = extensions.get(record.submission.student.id)
    return record if extension is None else replace(record, submission=replace(record.submission, extension=extension))


# ---------------------------------------------------------------- doubts about lateness


def _with_late_doubt(record: IntakeRecord, policy: LatePolicy) -> IntakeRecord:
    late = assess_lateness(policy, record.submission, None)
    if late is None or late.review is None:
        return record
    return replace(record, doubts=(*record.doubts, late.review))


def _time_doubts(submissions: Sequence[Submission]) -> Iterator[Message]:
    with_notebook = [submission for submission in submissions if submission.notebook is not None]
    unknown = sum(submission.submitted_at is None for submission in with_notebook)
    if unknown:
        yield message(
            "The submission times of {n} of {all} notebooks are not known: they get no late penalty.",
            n=unknown, all=len(with_notebook),
        )  # fmt: skip
