"""The gradebook of a results folder: every attempt that was run, durable at once and never changed.

It is an SQLite database by default. Rows are only added, so that the history of a grade can always be told.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sql
from sqlalchemy import event

from grader import __version__
from grader.gradebook.records import Records
from grader.i18n.message import message
from grader.models.errors import GradebookError
from grader.models.run import Outcome, Run
from grader.models.submission import Submission

FILE = "gradebook.sqlite"
FORMAT = 1  # of the tables; a gradebook with a higher one was written by a newer grader
SECONDS_TO_WAIT = 30.0  # for another program that writes

_TABLES = sql.MetaData()
_FORMATS = sql.Table("format", _TABLES, sql.Column("number", sql.Integer, primary_key=True))
_ATTEMPTS = sql.Table(
    "attempt",
    _TABLES,
    sql.Column("id", sql.Integer, primary_key=True),
    sql.Column("student", sql.Text, nullable=False, index=True),
    sql.Column("work", sql.Text, nullable=False),  # digest of everything that the run depends on
    sql.Column("made", sql.Text, nullable=False),  # ISO 8601, UTC
    sql.Column("version", sql.Text, nullable=False),  # of the grader
    sql.Column("outcome", sql.Text, nullable=False),
    sql.Column("submission", sql.Text, nullable=False),  # JSON, see records
    sql.Column("run", sql.Text, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Attempt:
    """A submission with its run, as kept in the gradebook. ``number`` grows with time."""

    number: int
    made: datetime
    submission: Submission
    run: Run


class Gradebook:
    """An open gradebook. It may be used from several threads."""

    def __init__(self, out: Path) -> None:
        self._path = out / FILE
        self._records = Records(out)
        self._writing = threading.Lock()
        self._engine = sql.create_engine(
            sql.URL.create("sqlite", database=str(self._path)), connect_args={"timeout": SECONDS_TO_WAIT}
        )
        event.listen(self._engine, "connect", _make_durable)
        self._check_format()

    def _check_format(self) -> None:
        with self._connection() as connection:
            _TABLES.create_all(connection)
            found = connection.execute(sql.select(sql.func.max(_FORMATS.c.number))).scalar()
            if found is None:
                connection.execute(sql.insert(_FORMATS).values(number=FORMAT))
        if found is not None and found > FORMAT:
            self.close()
            raise GradebookError(
                message("{path} was written by a newer grader. Update this one: pip install -U grader", path=self._path)
            )

    @contextmanager
    def _connection(self) -> Iterator[sql.Connection]:
        """Give a connection whose changes are on the disk when the block ends. Raises ``GradebookError``."""
        try:
            with self._engine.begin() as connection:
                yield connection
        except sql.exc.DBAPIError as error:
            raise GradebookError(
                message(
                    "{path} cannot be used: {error}. If another grader works in this folder, wait for it. If the file "
                    "is damaged, move it away: the submissions are then run again.",
                    path=self._path,
                    error=error.orig,
                )
            ) from error

    def add(self, submission: Submission, run: Run, work: str) -> None:
        """Keep an attempt. It survives whatever happens after this call."""
        row = {
            "student": submission.student.id,
            "work": work,
            "made": datetime.now(UTC).isoformat(),
            "version": __version__,
            "outcome": run.outcome.value,
            "submission": self._records.dump(submission),
            "run": self._records.dump(run),
        }
        with self._writing, self._connection() as connection:
            connection.execute(sql.insert(_ATTEMPTS).values(row))

    def find(self, student: str, work: str) -> Attempt | None:
        """Return the last attempt of ``student`` at the same work, unless the grader itself failed in it."""
        kept = sql.and_(_ATTEMPTS.c.student == student, _ATTEMPTS.c.outcome != Outcome.GRADER_FAULT.value)
        query = sql.select(_ATTEMPTS).where(kept).order_by(_ATTEMPTS.c.id.desc()).limit(1)
        with self._connection() as connection:
            row = connection.execute(query).mappings().first()
        return self._attempt(row) if row is not None and row["work"] == work else None

    def attempts(self, student: str | None = None) -> Iterator[Attempt]:
        """Yield every attempt, of one student or of all, in the order of time."""
        query = sql.select(_ATTEMPTS).order_by(_ATTEMPTS.c.id)
        if student is not None:
            query = query.where(_ATTEMPTS.c.student == student)
        with self._connection() as connection:
            yield from map(self._attempt, connection.execute(query).mappings())

    def _attempt(self, row: Any) -> Attempt:
        return Attempt(
            row["id"],
            datetime.fromisoformat(row["made"]),
            self._records.load(row["submission"], Submission),
            self._records.load(row["run"], Run),
        )

    def close(self) -> None:
        self._engine.dispose()

    def __enter__(self) -> Gradebook:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()


def _make_durable(connection: Any, _record: Any) -> None:
    """Let readers go on while a program writes, and let no finished write be lost, even when the power goes."""
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
