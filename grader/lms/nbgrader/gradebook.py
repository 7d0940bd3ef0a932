"""nbgrader's ``gradebook.db``: a copy of the teacher's with a class's points, or a new one.

The tables are those of nbgrader 0.9 (``nbgrader/api.py``, schema ``e43177bfe90b``). Manual points and comments that a
person has entered stay.
"""

from __future__ import annotations

import sqlite3
import tempfile
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from grader.i18n.message import message
from grader.models.errors import IntakeError

_VERSION = "e43177bfe90b"
_NEEDED = ("assignment", "notebook", "base_cell", "student", "submitted_assignment", "submitted_notebook", "grade",
           "comment")  # fmt: skip
_SCHEMA = """
create table course (id varchar(128) primary key not null unique);
create table student (id varchar(128) primary key not null, first_name varchar(128), last_name varchar(128),
  email varchar(128), lms_user_id varchar(128));
create table assignment (id varchar(32) primary key not null, name varchar(128) not null unique, duedate datetime,
  course_id varchar(128) not null references course (id));
create table notebook (id varchar(32) primary key not null, name varchar(128) not null,
  assignment_id varchar(32) references assignment (id), kernelspec varchar(1024), unique (name, assignment_id));
create table base_cell (id varchar(32) primary key not null, name varchar(128) not null,
  notebook_id varchar(32) not null references notebook (id), type varchar(50), unique (name, notebook_id, type));
create table source_cell (id varchar(32) primary key not null, name varchar(128) not null,
  cell_type varchar(8) not null, locked boolean not null, source text, checksum varchar(128),
  notebook_id varchar(32) references notebook (id), unique (name, notebook_id));
create table grade_cells (id varchar(32) primary key not null references base_cell (id), max_score float not null,
  cell_type varchar(8) not null);
create table solution_cells (id varchar(32) primary key not null references base_cell (id));
create table task_cells (id varchar(32) primary key not null references base_cell (id), max_score float not null,
  cell_type varchar(8) not null);
create table submitted_assignment (id varchar(32) primary key not null,
  assignment_id varchar(32) references assignment (id), student_id varchar(128) references student (id),
  timestamp datetime, extension datetime, unique (assignment_id, student_id));
create table submitted_notebook (id varchar(32) primary key not null,
  assignment_id varchar(32) references submitted_assignment (id), notebook_id varchar(32) references notebook (id),
  flagged boolean, late_submission_penalty float, unique (notebook_id, assignment_id));
create table grade (id varchar(32) primary key not null, notebook_id varchar(32) references submitted_notebook (id),
  cell_id varchar(32) references base_cell (id), auto_score float, manual_score float, extra_credit float,
  needs_manual_grade boolean not null, unique (cell_id, notebook_id));
create table comment (id varchar(32) primary key not null, notebook_id varchar(32) references submitted_notebook (id),
  cell_id varchar(32) references base_cell (id), auto_comment text, manual_comment text, unique (cell_id, notebook_id));
create table alembic_version (version_num varchar(32) not null);
"""


@dataclass(frozen=True, slots=True)
class CellEntry:
    """A cell of the teacher's, as an executed notebook has it."""

    notebook: str  # without suffix
    name: str
    cell_type: str
    source: str
    marks: Mapping[str, Any]  # nbgrader's metadata


@dataclass(frozen=True, slots=True)
class Entry:
    """The points of one student, by notebook and cell; None where a person must give them."""

    student: str
    name: str
    email: str
    submitted_at: str  # ISO 8601, or empty
    points: Mapping[tuple[str, str], float | None]
    maximum: Mapping[tuple[str, str], float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Known:
    """The students and the due date in the teacher's gradebook."""

    students: Mapping[str, tuple[str, str, str]] = field(default_factory=dict)  # last name, first name, e-mail
    duedate: str = ""


def read_gradebook(path: Path, assignment: str) -> Known:
    """Return what the gradebook at ``path`` knows.

    Raises ``IntakeError`` if it is not nbgrader's, or lacks the ``assignment``; an empty ``assignment`` is not checked.
    """
    try:
        with closing(_opened(path)) as database:
            tables = {name for (name,) in database.execute("select name from sqlite_master where type = 'table'")}
            if missing := [name for name in _NEEDED if name not in tables]:
                raise IntakeError(
                    message("{path} is not a gradebook of nbgrader: the tables {missing} are missing.",
                            path=path, missing=", ".join(missing))
                )  # fmt: skip
            names = dict(database.execute("select name, duedate from assignment").fetchall())
            rows = database.execute("select id, last_name, first_name, email from student").fetchall()
    except sqlite3.Error as error:
        raise IntakeError(
            message("{path} is not a gradebook of nbgrader: {reason}.", path=path, reason=str(error))
        ) from error
    if assignment and assignment not in names:
        raise IntakeError(
            message(
                "{path} has no assignment {name}; it has {known}. Run nbgrader generate_assignment first.",
                path=path,
                name=assignment,
                known=", ".join(sorted(names)) or "–",
            )
        )
    students = {str(key): (last or "", first or "", email or "") for key, last, first, email in rows}
    return Known(students, names.get(assignment) or "")


def _opened(path: Path) -> sqlite3.Connection:
    if not path.is_file():
        raise IntakeError(message("{path} cannot be read: {reason}.", path=path, reason="no such file"))
    return sqlite3.connect(f"file:{quote(str(path.resolve()))}?mode=ro", uri=True)


def fill_gradebook(
    given: Path | None, assignment: str, cells: Sequence[CellEntry], entries: Sequence[Entry]
) -> tuple[bytes, tuple[str, ...]]:
    """Return the database's bytes, and the graded cells that ``given`` lacks, as "notebook/cell"."""
    with tempfile.TemporaryDirectory(prefix="grader-gradebook-") as folder:
        path = Path(folder) / "gradebook.db"
        with closing(sqlite3.connect(path)) as database:
            if given is not None:
                with closing(_opened(given)) as old:
                    old.backup(database)
            else:
                database.executescript(_SCHEMA)
                _Writer(database, assignment).lay_out(cells, entries)
            unknown: dict[str, None] = {}
            writer = _Writer(database, assignment)
            for entry in entries:
                unknown |= dict.fromkeys(writer.enter(entry))
            database.commit()
        return path.read_bytes(), tuple(unknown)


_IDS = uuid.UUID("6b6f7f0e-5a55-4b0d-9f58-7f1d4f5c2a10")


@dataclass(frozen=True, slots=True)
class _Writer:
    database: sqlite3.Connection
    assignment: str

    def _id(self, table: str, **where: object) -> str:
        """Return the id of the row with these values; adds the row if there is none."""
        test = " and ".join(f"{name} = ?" for name in where)
        found = self.database.execute(f"select id from {table} where {test}", [*where.values()]).fetchone()  # noqa: S608
        if found is not None:
            return str(found[0])
        return self._add(table, **where)

    def _add(self, table: str, **values: object) -> str:
        # The id depends on the values, so that the same results make the same file.
        name = f"{table} {sorted((key, str(value)) for key, value in values.items())}"
        values = {"id": uuid.uuid5(_IDS, name).hex} | values
        marks = ", ".join("?" * len(values))
        self.database.execute(
            f"insert into {table} ({', '.join(values)}) values ({marks})",  # noqa: S608  names are ours
            [*values.values()],
        )
        return str(values["id"])

    def lay_out(self, cells: Sequence[CellEntry], entries: Sequence[Entry]) -> None:
        """Add the assignment, notebooks and cells of a new gradebook."""
        self.database.execute("insert into alembic_version values (?)", [_VERSION])
        self.database.execute("insert into course values ('default_course')")
        assignment = self._id("assignment", name=self.assignment, course_id="default_course")
        known = {(cell.notebook, cell.name) for cell in cells}
        worth = {key: most for entry in entries for key, most in entry.maximum.items() if key not in known}
        extra = [
            CellEntry(notebook, name, "code", "", {"grade": True, "locked": True, "points": most})
            for (notebook, name), most in worth.items()
        ]
        for cell in [*cells, *extra]:
            notebook = self._id("notebook", name=cell.notebook, assignment_id=assignment)
            self._lay_cell(notebook, cell)

    def _lay_cell(self, notebook: str, cell: CellEntry) -> None:
        marks = cell.marks
        solution, grade, task = (bool(marks.get(name)) for name in ("solution", "grade", "task"))
        most = {"max_score": marks.get("points", 0.0), "cell_type": cell.cell_type}
        kinds: Sequence[tuple[str, str, bool, Mapping[str, Any]]] = (
            ("GradeCell", "grade_cells", grade, most),
            ("SolutionCell", "solution_cells", solution, {}),
            ("TaskCell", "task_cells", task, most),
        )
        for kind, table, wanted, values in kinds:
            if wanted:
                base = self._add("base_cell", name=cell.name, notebook_id=notebook, type=kind)
                self._add(table, id=base, **values)
        locked = not solution and (grade or task or bool(marks.get("locked")))
        self._add("source_cell", name=cell.name, cell_type=cell.cell_type, locked=locked, source=cell.source,
                  checksum=marks.get("checksum"), notebook_id=notebook)  # fmt: skip

    def enter(self, entry: Entry) -> Iterator[str]:
        """Enter the points of one student; yields the cells that the gradebook lacks."""
        (assignment,) = self.database.execute("select id from assignment where name = ?", [self.assignment]).fetchone()
        if self.database.execute("select 1 from student where id = ?", [entry.student]).fetchone() is None:
            first = entry.name if entry.name != entry.student else None
            self._add("student", id=entry.student, first_name=first, email=entry.email or None)
        handed_in = self._id("submitted_assignment", assignment_id=assignment, student_id=entry.student)
        if entry.submitted_at:
            when = [_in_utc(entry.submitted_at), handed_in]
            self.database.execute("update submitted_assignment set timestamp = ? where id = ?", when)
        for (notebook, name), points in entry.points.items():
            found = self.database.execute(
                "select notebook.id, base_cell.id from notebook join base_cell on base_cell.notebook_id = notebook.id "
                "where notebook.assignment_id = ? and notebook.name = ? and base_cell.name = ? "
                "and base_cell.type != 'SolutionCell'",
                [assignment, notebook, name],
            ).fetchone()
            if found is None:
                yield f"{notebook}/{name}"
                continue
            self._grade(handed_in, found[0], found[1], points)

    def _copy(self, handed_in: str, notebook: str) -> str:
        """Return the id of the student's notebook; a new one gets the comments that the formgrader expects."""
        found = self.database.execute(
            "select id from submitted_notebook where assignment_id = ? and notebook_id = ?", [handed_in, notebook]
        ).fetchone()
        if found is not None:
            return str(found[0])
        copy = self._add("submitted_notebook", assignment_id=handed_in, notebook_id=notebook, flagged=False)
        answers = self.database.execute(
            "select id from base_cell where notebook_id = ? and type in ('SolutionCell', 'TaskCell')", [notebook]
        ).fetchall()
        for (cell,) in answers:
            self._add("comment", notebook_id=copy, cell_id=cell)
        return copy

    def _grade(self, handed_in: str, notebook: str, cell: str, points: float | None) -> None:
        student_notebook = self._copy(handed_in, notebook)
        old = self.database.execute(
            "select id, manual_score from grade where cell_id = ? and notebook_id = ?", [cell, student_notebook]
        ).fetchone()
        grade = (
            old[0] if old else self._add("grade", notebook_id=student_notebook, cell_id=cell, needs_manual_grade=True)
        )
        # As in nbgrader: a person checks manual points again when the automatic ones may have changed.
        waits = points is None or (old is not None and old[1] is not None)
        self.database.execute(
            "update grade set auto_score = ?, needs_manual_grade = ? where id = ?", [points, waits, grade]
        )


def _in_utc(text: str) -> str:
    when = datetime.fromisoformat(text)
    plain = when.astimezone(UTC).replace(tzinfo=None) if when.tzinfo else when
    return plain.isoformat(" ", timespec="microseconds")
