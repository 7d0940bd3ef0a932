"""Who has more time than the class: a table of students with their own due time, days or hours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from grader.grading.lateness import datetimes, rules
from grader.i18n.message import Message, join_lines, join_list, message
from grader.lms import person_names
from grader.lms.gradebook_csv.csv_sheet import Sheet, parsed_number, read_sheet
from grader.lms.identity import folded
from grader.lms.roster.class_list import Person, columns_of, heading, person_in
from grader.lms.roster.roster_matching import ClassList
from grader.models.errors import IntakeError
from grader.models.intake import Intake, Received
from grader.models.lateness import Extension, LatePolicy
from grader.models.submission import Student, Submission

_COLUMNS: Mapping[str, str] = {
    written: kind
    for kind, headings in {
        "due": "due duedate extendedto newdue 期限 截止 截止時間 截止日期 繳交期限",
        "days": "days extradays 天數 延長天數",
        "hours": "hours extrahours 時數 小時 延長時數",
        "used": "latedaysused daysused 已用天數 已用遲交天數",
        "note": "note notes reason comment 備註 原因",
    }.items()
    for written in headings.split()
}
_WHO = ("number", "key", "username", "email", "name", "first", "last")
_MOST = {"days": 366.0, "hours": 366.0 * 24, "used": 366.0}


@dataclass(frozen=True, slots=True)
class _Table:
    sheet: Sheet
    who: Mapping[str, int]
    what: Mapping[str, int]

    def cell(self, row: int, kind: str) -> str:
        return self.sheet.cell(row, self.what[kind]).strip() if kind in self.what else ""


def granted(intake: Intake, path: Path | None, policy: LatePolicy | None) -> Intake:
    """``intake`` with everyone's own time from the table at ``path``, and with what is in doubt about lateness.

    Raises ``IntakeError`` with every problem of the table, each with its line.
    """
    if path is not None:
        given = read_extensions(path, _known(intake), policy)
        intake = replace(intake, received=tuple(_with_extension(one, given) for one in intake.received))
    return intake if policy is None or policy.due is None else _with_doubts(intake, policy)


def read_extensions(path: Path, students: Sequence[Student], policy: LatePolicy | None) -> Mapping[str, Extension]:
    """A student's id -> the extension; ``students`` are all who may have one."""
    if policy is None or policy.due is None:
        raise IntakeError(
            message("{path}: there are extensions, but nothing is due. Say when with --due, or in [late].", path=path)
        )
    sheet = read_sheet(path)
    what = {_COLUMNS[head]: at for at, head in enumerate(map(heading, sheet.header)) if head in _COLUMNS}
    who = {kind: place for kind, place in columns_of(sheet).items() if kind in _WHO}
    table = _Table(sheet, who, what)
    problems = list(_column_problems(table))
    given: dict[str, Extension] = {}
    people = ClassList(_person(one) for one in students)
    for row in range(1, len(sheet.rows) if not problems else 0):
        found = _student(person_in(sheet, row, who), people)
        extension = _extension(table, row, policy)
        line = message("{path}, line {line}", path=path, line=sheet.line(row))
        wrong = [one for one in (found, extension) if isinstance(one, Message)]
        if not wrong and isinstance(found, str) and isinstance(extension, Extension):
            if found in given:
                wrong = [message("found a second line for this student, expected one")]
            given[found] = extension
        problems += [message("{place}: {problem}.", place=line, problem=one) for one in wrong]
    if problems:
        raise IntakeError(join_lines(problems))
    return given


# ---------------------------------------------------------------- columns and cells


def _column_problems(table: _Table) -> Iterator[Message]:
    path, header = table.sheet.path, table.sheet.header
    known = {*table.who.values(), *table.what.values()}
    unknown = [text for place, text in enumerate(header) if place not in known]
    if unknown:
        yield message(
            "{path}, line 1: found the columns {found}, which are not known here; expected Student ID, Name, Email, "
            "Due, Days, Hours, Late days used, Note.",
            path=path, found=join_list(unknown),
        )  # fmt: skip
    if not table.who:
        yield message("{path}, line 1: no column says whose a line is; expected Student ID, Name or Email.", path=path)
    if not table.what.keys() - {"note"}:
        yield message("{path}, line 1: no column says how much time; expected Due, Days or Hours.", path=path)


def _extension(table: _Table, row: int, policy: LatePolicy) -> Extension | Message:
    numbers: dict[str, float] = {}
    for kind, most in _MOST.items():
        text = table.cell(row, kind)
        value = parsed_number(text) if text else 0.0
        if value is None or not 0 <= value <= most or (kind == "used" and value != int(value)):
            return message("found {found}, expected a number from 0 to {most:g}", found=repr(text), most=most)
        numbers[kind] = value
    text = table.cell(row, "due")
    due = datetimes.parsed_moment(text) if text else None
    if text and due is None:
        return message("found {found}, expected a date and a time such as 2026-11-30 23:59", found=repr(text))
    if due is not None and (numbers["days"] or numbers["hours"]):
        return message("found a due time and days or hours as well, expected one of them")
    if due is None and not any(numbers.values()):
        return message("no time is given, expected a due time, days or hours")
    if due is not None and policy.due is not None:
        general = datetimes.latest(policy.due, policy.timezone)
        if datetimes.latest(due, policy.timezone) < general:
            return message(
                "found {found}, which is before the class's {due}", found=repr(text), due=f"{general:%F %H:%M}"
            )
    return Extension(due, numbers["days"], numbers["hours"], int(numbers["used"]))


# ---------------------------------------------------------------- whose


def _known(intake: Intake) -> list[Student]:
    """All who handed in, a group's members under the group's id, and all on the list who did not."""
    known: list[Student] = []
    for one in intake.submissions:
        known += [one.student, *(replace(member, id=one.student.id) for member in one.group)]
    return [*known, *intake.absent]


def _person(student: Student) -> Person:
    return Person(0, student.name, student.username, student.key, email=student.email, aliases=(student.id,))


def _student(line: Person, people: ClassList) -> str | Message:
    """The id of the student whose the line is, or what is wrong with it."""
    values = [text for text in (line.number, line.username, line.email, line.key) if text]
    keys = [folded(text) for text in values]
    found = [one for kind in ("number", "key", "alias") for one in people.find(kind, keys)]
    if not values:
        found = people.find("spelling", person_names.spellings(line.name))
    ids = list(dict.fromkeys(one.aliases[0] for one in found))
    shown = join_list([*values, line.name] if line.name else values) if values or line.name else message("nobody")
    if not ids:
        return message("found {found}, expected a student who handed in or is on the class list", found=shown)
    if len(ids) > 1:
        them = join_list(list(dict.fromkeys(f"{one.name} ({one.aliases[0]})" for one in found)))
        return message("{found} may be any of {people}; say who, by number or address", found=shown, people=them)
    if values and line.name and not any(_could_be(line.name, one.name) for one in found):
        return message("found the name {found}, but {value} is {name}", found=line.name, value=values[0],
                       name=found[0].name)  # fmt: skip
    return ids[0]


def _could_be(one: str, other: str) -> bool:
    plain = {person_names.without_marks(each) for each in person_names.spellings(one)}
    return bool(plain & {person_names.without_marks(each) for each in person_names.spellings(other)}) or one in other


def _with_extension(one: Received, given: Mapping[str, Extension]) -> Received:
    extension = given.get(one.submission.student.id)
    return one if extension is None else replace(one, submission=replace(one.submission, extension=extension))


# ---------------------------------------------------------------- what is in doubt


def _with_doubts(intake: Intake, policy: LatePolicy) -> Intake:
    received = tuple(_doubted(one, policy) for one in intake.received)
    return replace(intake, received=received, doubts=(*intake.doubts, *_class_doubts(intake.submissions)))


def _doubted(one: Received, policy: LatePolicy) -> Received:
    handed = one.submission
    late = rules.judged(policy, handed.extension, handed.submitted_at, handed.late, None)
    if late is None or late.review is None or handed.notebook is None:
        return one
    return replace(one, doubts=(*one.doubts, late.review))


def _class_doubts(submissions: Sequence[Submission]) -> Iterator[Message]:
    handed = [one for one in submissions if one.notebook is not None]
    timeless = sum(one.submitted_at is None for one in handed)
    if timeless:
        yield message(
            "For {n} of {all} notebooks nobody says when they were handed in: nothing is taken off for lateness there.",
            n=timeless, all=len(handed),
        )  # fmt: skip
