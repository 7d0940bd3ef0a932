"""A class's list of students: whatever table has names, and numbers or addresses, in English or Chinese."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from grader.grading.lateness import datetimes
from grader.i18n.message import Message, join_lines, join_list, message
from grader.lms.gradebook_csv.csv_sheet import Sheet, read_sheet
from grader.lms.identity import folded
from grader.lms.moodle.worksheet import find_columns
from grader.models.errors import IntakeError

# How lists head a column -> what it holds: without case, blanks and punctuation.
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
        # The worksheet of Moodle says so; its archive does not.
        "submitted": "lastmodifiedsubmission submittedat submissiontime timesubmitted 最後修改的作業 繳交時間",
    }.items()
    for heading in headings.split()
}
_NAMING = ("number", "key", "username", "email", "name", "first", "last", "members")
_BETWEEN = re.compile(r"[;；、，,|/\n]+")
_TEST_STUDENT = ("Student, Test", "Test Student")  # in one column, and in two
_CANVAS = "sisloginid"  # a column that only Canvas's gradebook has: its "ID" is Canvas's own


@dataclass(frozen=True, slots=True)
class Person:
    """One line of the list. ``number`` is the school's, ``key`` the LMS's own id; ``line`` is the file's."""

    line: int
    name: str = ""
    number: str = ""
    key: str = ""
    username: str = ""
    email: str = ""
    group: str = ""
    aliases: tuple[str, ...] = ()  # as the teacher says the LMS names the submission
    submitted: datetime | None = None

    @property
    def shown(self) -> str:
        """Enough to tell this person from one of the same name."""
        beside = self.number or self.username or self.email or self.key
        return f"{self.name} ({beside})" if self.name and beside else self.name or beside


@dataclass(frozen=True, slots=True)
class Roster:
    path: Path
    people: tuple[Person, ...]
    doubts: tuple[Message, ...] = ()


def read_roster(path: Path) -> Roster:
    """Raises ``IntakeError`` with every problem: no known column, nobody in it, one number with two names."""
    sheet = read_sheet(path)
    columns = columns_of(sheet)
    if not any(kind in columns for kind in _NAMING):
        raise IntakeError(
            message(
                "{path}: none of its columns says who a student is; found {found}, expected for example Name, Student "
                "ID, Email (or 姓名, 學號, Email).",
                path=path, found=join_list([text[:40] for text in sheet.header], 8),
            )
        )  # fmt: skip
    people = _distinct(_people(sheet, columns))
    if not people:
        raise IntakeError(message("{path} lists no student: below its column names there is nothing.", path=path))
    problems = list(_contradictions(path, people))
    if problems:
        raise IntakeError(join_lines(problems))
    return Roster(path, people, tuple(_unread_times(sheet, columns)))


def columns_of(sheet: Sheet) -> dict[str, int]:
    """What a column holds -> its place; of two with one meaning the first."""
    headings = [heading(text) for text in sheet.header]
    columns: dict[str, int] = {}
    for place, head in enumerate(headings):
        kind = _HEADINGS.get(head)
        if kind == "number" and head == "id" and _CANVAS in headings:
            kind = "key"
        if kind is not None:
            columns.setdefault(kind, place)
    return _of_moodle(sheet) | columns


def _of_moodle(sheet: Sheet) -> dict[str, int]:
    """What stands where in Moodle's worksheet, in whatever language: its columns have their order in all of them."""
    found = find_columns(sheet)
    if found is None:
        return {}
    columns = {"key": found.identifier}
    names = {sheet.cell(row, found.identifier + 1) for row in range(1, len(sheet.rows))}
    # With blind marking the status stands there: of it there are few, and nothing else before the grade.
    if found.grade - found.identifier > 2 and 2 * len(names) >= len(sheet.rows):
        columns["name"] = found.identifier + 1
    for place in range(found.points + 1, found.modified or found.points):
        cells = [_tidy(sheet.cell(row, place)) for row in range(1, len(sheet.rows))]
        if all(cell == "-" or datetimes.parsed_moment(cell) for cell in cells):
            columns["submitted"] = place
    return columns


def person_in(sheet: Sheet, row: int, columns: Mapping[str, int]) -> Person:
    def cell(kind: str) -> str:
        return _tidy(sheet.cell(row, columns[kind])) if kind in columns else ""

    first, last = cell("first"), cell("last")
    # Chinese names have no blank between their two parts, and the family's comes first.
    whole = f"{last}{first}" if (last + first) and not (last + first).isascii() and len(last + first) < 6 else ""
    name = cell("name") or whole or f"{first} {last}".strip()
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
        submitted=datetimes.parsed_moment(cell("submitted")),
    )


def _people(sheet: Sheet, columns: Mapping[str, int]) -> Iterator[Person]:
    for row in range(1, len(sheet.rows)):
        person = person_in(sheet, row, columns)
        members = _tidy(sheet.cell(row, columns["members"])) if "members" in columns else ""
        if members:
            yield from _members(members, person)
        elif _is_somebody(sheet, row, person):
            yield person


def _members(text: str, group: Person) -> Iterator[Person]:
    """Several in one cell: what holds a digit is a number, what holds an ``@`` an address, all else a name."""
    called = group.group or group.name
    for one in filter(None, map(str.strip, _BETWEEN.split(text))):
        if "@" in one:
            yield Person(group.line, email=one, group=called)
        elif re.search(r"[0-9]", one):
            yield Person(group.line, number=one, group=called)
        else:
            yield Person(group.line, name=one, group=called)


def _is_somebody(sheet: Sheet, row: int, person: Person) -> bool:
    """Not a line of Canvas's own: the maximum of points (begun with blanks), its test student."""
    raw = sheet.cell(row, 0)
    if (raw.startswith("  ") and "points possible" in raw.lower()) or person.name in _TEST_STUDENT:
        return False
    return bool(person.name or person.number or person.username or person.email or person.key)


def _distinct(people: Iterator[Person]) -> tuple[Person, ...]:
    """Each once: who is in two sections of a course has two lines."""
    seen: dict[tuple[str, ...], Person] = {}
    for one in people:
        told_by = (one.name, one.number, one.key, one.username, one.email)
        seen.setdefault(tuple(map(folded, told_by)), one)
    return tuple(seen.values())


def _unread_times(sheet: Sheet, columns: Mapping[str, int]) -> Iterator[Message]:
    place = columns.get("submitted")
    rows = range(1, len(sheet.rows)) if place is not None else ()
    cells = [(row, _tidy(sheet.cell(row, place))) for row in rows if place is not None]
    unread = [(row, text) for row, text in cells if text not in ("", "-") and datetimes.parsed_moment(text) is None]
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
        for one in people:
            value = folded(getattr(one, kind))
            other = owners.setdefault(value, one) if value else one
            if other is not one:
                yield message(
                    "{path}, lines {first} and {second}: found {value} twice, for {one} and for {other}; expected one "
                    "student for each.",
                    path=path, first=other.line, second=one.line, value=getattr(one, kind), one=other.name,
                    other=one.name,
                )  # fmt: skip


def heading(text: str) -> str:
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text).casefold())


def _tidy(text: str) -> str:
    return unicodedata.normalize("NFC", " ".join(text.split()))
