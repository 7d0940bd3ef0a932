"""Read a class list: any table with names, numbers or addresses of students, with English or Chinese headings."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from grader.files.csv_sheet import Sheet
from grader.grading.lateness import datetimes
from grader.i18n.message import Message, join_lines, join_list, message
from grader.lms.identity import fold_case
from grader.lms.moodle.worksheet import find_columns
from grader.models.errors import IntakeError

# Heading, without case, spaces and punctuation -> kind of column.
_HEADINGS: Mapping[str, str] = {
    heading: kind
    for kind, headings in {
        "number": "id studentid studentnumber studentno sid idnumber orgdefinedid sisuserid 學號 学号 學生證號",
        "key": "identifier 識別 識別碼 識別號碼 userid",
        "username": "username login loginid sisloginid 帳號 使用者名稱 使用者帳號 用戶名",
        "email": "email emailaddress mail 電子郵件 電子郵件地址 電子郵件信箱 電子信箱 信箱 郵箱",
        "name": "name fullname student studentname displayname 姓名 全名 學生姓名 學生 名稱",
        "first": "firstname givenname forename 名 名字",
        "last": "lastname surname familyname 姓 姓氏",
        "group": "group groups team groupname 組別 小組 群組 隊伍 組",
        "members": "members teammembers 組員 成員 小組成員",
        "alias": "handedinas alias 繳交名稱 別名",
        # In Moodle's grading worksheet; Moodle's archive has no submission times.
        "submitted": "lastmodifiedsubmission submittedat submissiontime timesubmitted 最後修改的作業 繳交時間",
    }.items()
    for heading in headings.split()
}
_IDENTIFYING = ("number", "key", "username", "email", "name", "first", "last", "members")
_MEMBER_SEPARATOR = re.compile(r"[;；、，,|/\n]+")
_TEST_STUDENT = ("Student, Test", "Test Student")  # with the name in one column and in two
_CANVAS = "sisloginid"  # only Canvas's gradebook has this column; its "ID" is Canvas's own id


@dataclass(frozen=True, slots=True)
class Person:
    """A row of the list."""

    line: int  # of the file
    name: str = ""
    number: str = ""  # given by the school
    key: str = ""  # the LMS's own id
    username: str = ""
    email: str = ""
    group: str = ""
    aliases: tuple[str, ...] = ()  # names of the submission in the LMS, filled in by the teacher
    submitted: datetime | None = None

    @property
    def shown(self) -> str:
        """The name with a number or address, to distinguish people of the same name."""
        beside = self.number or self.username or self.email or self.key
        return f"{self.name} ({beside})" if self.name and beside else self.name or beside


@dataclass(frozen=True, slots=True)
class Roster:
    """The students of a class list, with problems that a teacher should check."""

    people: tuple[Person, ...]
    doubts: tuple[Message, ...] = ()


def parse_roster(sheet: Sheet) -> Roster:
    """Return the class list in ``sheet``.

    Raise ``IntakeError`` with every problem: no known column, no student, or one number for two students.
    """
    path = sheet.path
    columns = column_kinds(sheet)
    if not any(kind in columns for kind in _IDENTIFYING):
        raise IntakeError(
            message(
                "{path}: no column identifies a student; found {found}, expected for example Name, Student ID, Email "
                "(or 姓名, 學號, Email).",
                path=path, found=join_list([text[:40] for text in sheet.header], 8),
            )
        )  # fmt: skip
    people = _distinct(_people(sheet, columns))
    if not people:
        raise IntakeError(message("{path} lists no student: there is no row below the column names.", path=path))
    problems = list(_contradictions(path, people))
    if problems:
        raise IntakeError(join_lines(problems))
    return Roster(people, tuple(_unread_times(sheet, columns)))


def column_kinds(sheet: Sheet) -> dict[str, int]:
    """Return the index of each known kind of column; of several of one kind the first."""
    headings = [normalize_heading(text) for text in sheet.header]
    columns: dict[str, int] = {}
    for place, heading in enumerate(headings):
        kind = _HEADINGS.get(heading)
        if kind == "number" and heading == "id" and _CANVAS in headings:
            kind = "key"
        if kind is not None:
            columns.setdefault(kind, place)
    return _moodle_columns(sheet) | columns


def _moodle_columns(sheet: Sheet) -> dict[str, int]:
    """Find the columns of Moodle's worksheet by their order, which is the same in every language."""
    found = find_columns(sheet)
    if found is None:
        return {}
    columns = {"key": found.identifier}
    names = {sheet.cell(row, found.identifier + 1) for row in range(1, len(sheet.rows))}
    # With blind marking this column is the status: it has few different values and is the only one before the grade.
    if found.grade - found.identifier > 2 and 2 * len(names) >= len(sheet.rows):
        columns["name"] = found.identifier + 1
    for place in range(found.points + 1, found.modified or found.points):
        cells = [_tidy(sheet.cell(row, place)) for row in range(1, len(sheet.rows))]
        if all(cell == "-" or datetimes.parse_datetime(cell) for cell in cells):
            columns["submitted"] = place
    return columns


def person_in_row(sheet: Sheet, row: int, columns: Mapping[str, int]) -> Person:
    """Return the person in ``row``; ``columns`` as from ``column_kinds``."""

    def cell(kind: str) -> str:
        return _tidy(sheet.cell(row, columns[kind])) if kind in columns else ""

    first, last = cell("first"), cell("last")
    # A Chinese name has the family name first and no space.
    chinese = f"{last}{first}" if (last + first) and not (last + first).isascii() and len(last + first) < 6 else ""
    name = cell("name") or chinese or f"{first} {last}".strip()
    key = re.search(r"[0-9]+$", cell("key"))  # "Participant 123" in Moodle's worksheet
    return Person(
        line=sheet.line(row),
        name=name,
        number=cell("number").removeprefix("#"),
        key=key[0] if key else cell("key"),
        username=cell("username").removeprefix("#"),
        email=cell("email"),
        group=cell("group"),
        aliases=tuple(filter(None, [cell("alias")])),
        submitted=datetimes.parse_datetime(cell("submitted")),
    )


def _people(sheet: Sheet, columns: Mapping[str, int]) -> Iterator[Person]:
    for row in range(1, len(sheet.rows)):
        person = person_in_row(sheet, row, columns)
        members = _tidy(sheet.cell(row, columns["members"])) if "members" in columns else ""
        if members:
            yield from _members(members, person)
        elif _is_student(sheet, row, person):
            yield person


def _members(text: str, group: Person) -> Iterator[Person]:
    """Yield the people in one cell: text with ``@`` is an address, text with a digit a number, other text a name."""
    group_name = group.group or group.name
    for member in filter(None, map(str.strip, _MEMBER_SEPARATOR.split(text))):
        email = member if "@" in member else ""
        number = member if not email and re.search(r"[0-9]", member) else ""
        yield Person(group.line, "" if email or number else member, number, email=email, group=group_name)


def _is_student(sheet: Sheet, row: int, person: Person) -> bool:
    """Exclude Canvas's own rows: the points possible (it begins with spaces) and the test student."""
    raw = sheet.cell(row, 0)
    if (raw.startswith("  ") and "points possible" in raw.lower()) or person.name in _TEST_STUDENT:
        return False
    return bool(person.name or person.number or person.username or person.email or person.key)


def _distinct(people: Iterator[Person]) -> tuple[Person, ...]:
    """Remove repeated rows: a student in two sections of a course has two."""
    seen: dict[tuple[str, ...], Person] = {}
    for person in people:
        identity = (person.name, person.number, person.key, person.username, person.email)
        seen.setdefault(tuple(map(fold_case, identity)), person)
    return tuple(seen.values())


def _unread_times(sheet: Sheet, columns: Mapping[str, int]) -> Iterator[Message]:
    place = columns.get("submitted")
    rows = range(1, len(sheet.rows)) if place is not None else ()
    cells = [(row, _tidy(sheet.cell(row, place))) for row in rows if place is not None]
    unread = [(row, text) for row, text in cells if text not in ("", "-") and datetimes.parse_datetime(text) is None]
    if unread:
        yield message(
            "{path}: {n} times in the column {column} cannot be read and were not used, for example {found} in line "
            "{line}.",
            path=sheet.path, n=len(unread), column=sheet.header[place or 0], found=unread[0][1],
            line=sheet.line(unread[0][0]),
        )  # fmt: skip


def _contradictions(path: Path, people: Sequence[Person]) -> Iterator[Message]:
    for kind in ("number", "key", "username", "email"):
        owners: dict[str, Person] = {}
        for person in people:
            value = fold_case(getattr(person, kind))
            other = owners.setdefault(value, person) if value else person
            if other is not person:
                yield message(
                    "{path}, lines {first} and {second}: found {value} for {one} and for {other}; expected it for one "
                    "student only.",
                    path=path, first=other.line, second=person.line, value=getattr(person, kind), one=other.name,
                    other=person.name,
                )  # fmt: skip


def normalize_heading(text: str) -> str:
    """Return a column heading without differences of case and width, spaces and punctuation."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text).casefold())


def _tidy(text: str) -> str:
    return unicodedata.normalize("NFC", " ".join(text.split()))
