"""The gradebook keeps every attempt, whatever happens to the program that writes it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sql

from grader.gradebook.gradebook import FILE, FORMAT, Gradebook
from grader.i18n.message import message
from grader.models.errors import GradebookError
from grader.models.run import Outcome, Run
from grader.models.submission import Student, Submission

ANN = Submission(Student("ann", "Ann"))
ROOT = Path(__file__).parents[2]


def test_an_attempt_is_found_by_its_work(tmp_path: Path) -> None:
    run = Run(Outcome.TIMEOUT, seconds=3.0)
    with Gradebook(tmp_path) as book:
        book.add(ANN, run, "work 1")
    with Gradebook(tmp_path) as book:
        found = book.find("ann", "work 1")
        assert found is not None and (found.submission, found.run) == (ANN, run)
        assert book.find("ann", "work 2") is None and book.find("bob", "work 1") is None
        book.add(ANN, Run(Outcome.OK), "work 2")
        assert book.find("ann", "work 1") is None, "it is no longer the last"
        assert [attempt.run.outcome for attempt in book.attempts("ann")] == [Outcome.TIMEOUT, Outcome.OK]


def test_a_fault_of_the_grader_is_kept_and_not_used_again(tmp_path: Path) -> None:
    with Gradebook(tmp_path) as book:
        book.add(ANN, Run(Outcome.OK), "work")
        book.add(ANN, Run(Outcome.GRADER_FAULT), "work")
        found = book.find("ann", "work")
        assert found is not None and found.run.outcome is Outcome.OK
        assert len(list(book.attempts())) == 2


def test_text_that_no_database_holds_is_kept(tmp_path: Path) -> None:
    hostile = Run(Outcome.ERROR, message("{text}", text="\ud800 \0 {x}"), seconds=float("inf"))
    with Gradebook(tmp_path) as book:
        book.add(ANN, hostile, "work")
        found = book.find("ann", "work")
        assert found is not None and found.run == hostile


def test_many_threads_write_at_once(tmp_path: Path) -> None:
    with Gradebook(tmp_path) as book:

        def add(number: int) -> None:
            for _ in range(10):
                book.add(replace(ANN, student=Student(str(number), "x")), Run(Outcome.OK), "work")

        threads = [threading.Thread(target=add, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [attempt.number for attempt in book.attempts()] == list(range(1, 81))


WRITING = """
import sys
from pathlib import Path
from grader.gradebook.gradebook import Gradebook
from grader.models.run import Outcome, Run
from grader.models.submission import Student, Submission
with Gradebook(Path(sys.argv[1])) as book:
    for number in range(100_000):
        book.add(Submission(Student(f"s{number}", "x")), Run(Outcome.OK), "work")
        print(number, flush=True)
"""


def test_nothing_that_was_kept_is_lost_when_the_program_is_killed(tmp_path: Path) -> None:
    """Kill a writing program five times; each time all that it reported is there, once."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    for turn in range(5):
        folder = tmp_path / str(turn)
        folder.mkdir()
        command = [sys.executable, "-c", WRITING, str(folder)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
            assert process.stdout is not None
            reported = [int(process.stdout.readline()) for _ in range(3 + 7 * turn)]
            process.send_signal(signal.SIGKILL)
            reported += [int(line) for line in process.stdout if line.endswith("\n")]
        with Gradebook(folder) as book:
            kept = [attempt.submission.student.id for attempt in book.attempts()]
        assert kept[: len(reported)] == [f"s{number}" for number in reported]
        assert len(kept) - len(reported) <= 1 and len(set(kept)) == len(kept)


def test_a_gradebook_of_a_newer_grader_is_refused(tmp_path: Path) -> None:
    Gradebook(tmp_path).close()
    engine = sql.create_engine(f"sqlite:///{tmp_path / FILE}")
    with engine.begin() as connection:
        connection.execute(sql.text(f"UPDATE format SET number = {FORMAT + 1}"))
    engine.dispose()
    with pytest.raises(GradebookError, match="newer grader"):
        Gradebook(tmp_path)


def test_a_damaged_gradebook_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"no database" * 1000)
    with pytest.raises(GradebookError, match="move it away"):
        Gradebook(tmp_path)
    assert (tmp_path / FILE).read_bytes().startswith(b"no database")
