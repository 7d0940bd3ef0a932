"""Tests of Gradescope: its export with good, hostile and broken lists of submissions, and the files to upload."""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import time
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader.grading.results import CriterionResult, Result, Results
from grader.lms.archive.submissions import read_submissions
from grader.lms.export.exporter import export_grades
from grader.lms.export_request import ExportRequest
from grader.lms.gradescope import export, metadata
from grader.lms.gradescope.metadata import MAX_ALIASES, Record, read_metadata, submitter
from grader.models.errors import IntakeError
from grader.models.run import Outcome
from grader.models.submission import Student, Submission
from tests.lms.gradescope_schema import VALIDATOR, has_a_score
from tests.support.builders import by_name, notebook_bytes, said, write_zip

NB = notebook_bytes("model = 1")
TOP = "assignment_7_export/"

# As Ruby writes it.
LIST = """\
---
submission_11:
  :submitters:
  - :name: 林小明
    :sid: '0123'
    :email: lin@school.edu
  :created_at: 2024-03-01 14:22:32.365935123 Z
  :score: 8.0
  :status: processed
  :results:
    output: |
      submission_12:
        :submitters:
        - :name: Mallory
    tests:
    - name: "a: b"
  :history:
  - :submitters:
    - :name: Mallory
      :sid: '1'
    :created_at: 2020-01-01 00:00:00.000000000 Z
submission_12:
  :submitters:
  - :name: Ann Lee
    :sid:
    :email: ann@school.edu
  - :name: "Bob \\"B\\" O'Brien, Jr."
    :sid: '77'
    :email: bob@school.edu
  :created_at: 2024-03-01 06:22:32.000000000 -08:00
"""


def write_list(folder: Path, text: str | bytes) -> Path:
    """Write a list of submissions; symbols of Ruby within braces get the quotes that YAML needs."""
    if isinstance(text, str):
        text = re.sub(r"(?<=[{ ,]):(\w+): ", r"':\1': ", text)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "list.yml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def intake(tmp_path: Path, listed: str | None, files: Mapping[str, bytes], top: str = TOP) -> dict[str, Submission]:
    named = {top + name: data for name, data in files.items()}
    if listed is not None:
        named[f"{top}submission_metadata.yml"] = listed.encode()
    archive = write_zip(tmp_path / "in" / "export.zip", named)
    return by_name(read_submissions([archive], workspace=tmp_path / "work"))


FILES = {"submission_11/hw.ipynb": NB, "submission_11/data.csv": b"1", "submission_12/sub/hw.ipynb": NB}

# ---------------------------------------------------------------- reading


@pytest.mark.parametrize("top", [TOP, ""], ids=["as downloaded", "unpacked and packed again"])
def test_export_with_a_group_is_read(tmp_path: Path, top: str) -> None:
    read = intake(tmp_path, LIST, FILES, top)
    lin = read["林小明"]
    assert (lin.lms, lin.origin, lin.notebook_name) == ("gradescope", "submission_11", "hw.ipynb")
    assert lin.student == Student("11", "林小明", "11", "lin@school.edu", "0123")
    assert lin.submitted_at == datetime(2024, 3, 1, 14, 22, 32, 365935, UTC)
    assert [attachment.name for attachment in lin.attachments] == ["data.csv"] and lin.notes == ()
    both = read['Ann Lee, Bob "B" O\'Brien, Jr.']
    assert [(member.name, member.email, member.username) for member in both.group] == [
        ("Ann Lee", "ann@school.edu", ""),
        ('Bob "B" O\'Brien, Jr.', "bob@school.edu", "77"),
    ]
    assert both.submitted_at is not None and both.submitted_at.utcoffset() == timedelta(hours=-8)
    assert len(read) == 2, "the list itself is nobody's"


def test_only_one_submission(tmp_path: Path) -> None:
    assert list(intake(tmp_path, LIST, {"submission_11/hw.ipynb": NB})) == ["林小明"]


@pytest.mark.parametrize(
    ("listed", "why"),
    [
        (None, "is missing"),
        ("", "names no student for it"),
        ("- a\n- b\n", "found a list"),
        ("just words\n", "found plain text"),
        ("submission_11: {:submitters: [}\n", "cannot be read"),
        ("submission_11: 5\nsubmission_12: [1, 2]\n", "names no student for it"),
        ("submission_11: {':submitters': 5}\n", "names no student for it"),
        ("submission_11: {':submitters': [{':name': ''}]}\n", "names no student for it"),
        ("\0\1\2", "cannot be read"),
    ],
    ids=["missing", "empty", "list", "text", "broken", "other shapes", "no list", "no name", "no text"],
)
def test_without_a_usable_list_each_folder_is_a_student(tmp_path: Path, listed: str | None, why: str) -> None:
    read = intake(tmp_path, listed, FILES)
    assert list(read) == ["submission_11", "submission_12"]
    assert all(why in said(submission) and submission.student.key for submission in read.values())
    assert all(submission.notebook is not None for submission in read.values())


def test_records_before_an_error_are_used(tmp_path: Path) -> None:
    read = intake(tmp_path, LIST.replace("submission_12:\n  :sub", "submission_12: ]\n  :sub"), FILES)
    assert set(read) == {"林小明", "submission_12"}
    assert "in line" in said(read["submission_12"]) and read["林小明"].notes == ()


def test_unknown_folder_is_reported(tmp_path: Path) -> None:
    read = intake(tmp_path, LIST, FILES | {"notes.txt": b"x", "submission_11/../../evil.ipynb": NB})
    assert read["notes.txt"].outcome is Outcome.MISSING
    assert "points outside the archive" in said(read["林小明"])


# ---------------------------------------------------------------- the list of submissions


@pytest.mark.parametrize(
    ("text", "record"),
    [
        ("s: {:submitters: [{:name: A, :sid: 0123, :email: ~}]}", Record((submitter("A", "0123", ""),))),
        ("s: {:submitters: [{:name: 'null', :sid: 1e3}]}", Record((submitter("null", "1e3"),))),
        ("s: {:submitters: [&1 {:name: A}, *1]}", Record((submitter("A"), submitter("A")))),
        ("s: {:submitters: [*9]}", Record()),
        ("s: {:submitters: [{:name: !binary 5p6X}]}", Record((submitter("林"),))),
        ("s: {:submitters: [{:name: !!python/object/apply:os.system [id]}]}", Record((submitter(),))),
        ('s: {:submitters: [{:name: "a\\nb\\tc"}]}', Record((submitter("a b c"),))),
        ("s: {:created_at: 2024-03-01T01:02:03Z}", Record((), datetime(2024, 3, 1, 1, 2, 3, tzinfo=UTC))),
        ("s: {:created_at: 2024-03-01 01:02:03}", Record((), datetime(2024, 3, 1, 1, 2, 3))),
        ("s: {:created_at: 2024-99-99 01:02:03 Z}", Record()),
        ("s: {:created_at: yesterday}", Record()),
        (
            "s: {:created_at: !ruby/object:ActiveSupport::TimeWithZone {utc: 2024-03-01 01:02:03 Z, time: x}}",
            Record((), datetime(2024, 3, 1, 1, 2, 3, tzinfo=UTC)),
        ),
        ("s: {created_at: 2024-03-01 01:02:03 UTC}", Record((), datetime(2024, 3, 1, 1, 2, 3, tzinfo=UTC))),
        ("s: {[a, b]: 1, ? {c: d} : 2, :submitters: [{:name: A}]}", Record((submitter("A"),))),
    ],
)  # fmt: skip
def test_one_record(tmp_path: Path, text: str, record: Record) -> None:
    found = read_metadata(write_list(tmp_path, text))
    assert found.records == {"s": record} or (found.problem and not found.records and record == Record())


def test_aliases_are_never_copied(tmp_path: Path) -> None:
    """Read a "billion laughs" list, each level ten times the level before, without copying the aliases."""
    lines = ["s:", "  :submitters: &a0 [{:name: ha}]"]
    lines += [f"  :created_at: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 60)]
    started = time.monotonic()
    assert len(read_metadata(write_list(tmp_path, "\n".join(lines))).records) <= 1
    assert time.monotonic() - started < 2


@pytest.mark.parametrize(
    "text",
    [
        "s: {:submitters: &1 [{:name: A}]}\n" + "t: {:submitters: *1}\n" * (MAX_ALIASES + 5),
        "s: {:submitters: " + "[" * 900 + "]" * 900 + "}",
        "s: {:submitters: [" + "{:name: A}," * 5000 + "]}",
    ],
    ids=["aliases", "nested", "crowd"],
)
def test_unexpected_yaml_is_refused(tmp_path: Path, text: str) -> None:
    assert "is not as Gradescope writes it" in str(read_metadata(write_list(tmp_path, text)).problem)


def test_results_and_history_use_little_memory(tmp_path: Path) -> None:
    entry = "submission_{n}:\n  :submitters:\n  - :name: S{n}\n  :results:\n    output: |\n{output}  :history: []\n"
    text = "".join(entry.format(n=n, output="      wrong, wrong, wrong\n" * 4000) for n in range(60))
    started = time.monotonic()
    found = read_metadata(write_list(tmp_path, text))
    assert len(text) > 6_000_000 and time.monotonic() - started < 5
    assert [record.submitters[0].name for record in found.records.values()] == [f"S{n}" for n in range(60)]


@settings(deadline=None, max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=80) | st.text("s:{}[]&*!|-\n \"'#%@~?", max_size=60))
def test_any_bytes_give_records_or_a_problem(tmp_path: Path, text: str | bytes) -> None:
    found = read_metadata(write_list(tmp_path, text))
    assert found.problem is None or str(found.problem)


NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=20)
PEOPLE = st.lists(st.tuples(NAMES, NAMES, NAMES), max_size=4)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.integers(1, 10**9).map("submission_{}".format), PEOPLE, max_size=5))
def test_every_submitter_comes_back_as_written(tmp_path: Path, people: dict[str, list[tuple[str, str, str]]]) -> None:
    written = {
        folder: {":submitters": [{":name": name, ":sid": sid, ":email": email} for name, sid, email in ones]}
        for folder, ones in people.items()
    }
    found = read_metadata(write_list(tmp_path, yaml.safe_dump(written, allow_unicode=True)))
    assert found.problem is None
    assert {folder: [(student.name, student.username, student.email) for student in record.submitters]
            for folder, record in found.records.items()} == people  # fmt: skip


def test_a_time_is_read_in_json_s_spelling_too() -> None:
    when = metadata.parse_time("2017-06-01T14:22:32.365935-07:00")
    assert when == datetime(2017, 6, 1, 21, 22, 32, 365935, UTC)


# ---------------------------------------------------------------- giving back

ANN, BOB = Student("ann", "Ann", "ann@x", "ann@x"), Student("b", "=Bob", "7", "bob@x", "7")


def result(key: str = "11", total: float | None = 80.0, **changes: Any) -> Result:
    criteria = (
        CriterionResult("runs", 20.0, 20.0, reason="All cells ran."),
        CriterionResult("r2", None if total is None else total - 20, 80.0, reason="<b>0.9</b> =1+1"),
    )
    student = Student(key, f"S{key}", key, f"{key}@x", f"0{key}")
    return replace(
        Result(
            student=student,
            total=total,
            max=100.0,
            outcome="ok",
            lms="gradescope",
            origin=f"submission_{key}",
            criteria=criteria,
        ),
        **changes,
    )


def results(*students: Result, folder: Path = Path()) -> Results:
    return Results(assignment="hw", submissions=students, folder=folder)


def run_export(tmp_path: Path, students: Sequence[Result], language: str = "en") -> dict[str, Any]:
    """Export the results and return each ``results.json`` by folder, checked against Gradescope's schema."""
    export.export_grades(results(*students), ExportRequest(tmp_path, language=language))
    found = {
        path.parent.name: json.loads(path.read_bytes())
        for path in sorted((tmp_path / "results").glob("*/results.json"))
    }
    for document in found.values():
        VALIDATOR.validate(document)
    return found


def rows_in(folder: Path) -> list[dict[str, str]]:
    with (folder / export.GRADES).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_scores_are_exported_by_submission(tmp_path: Path) -> None:
    found = run_export(tmp_path, [result("11"), result("12", 20.0)])
    assert {folder: document["score"] for folder, document in found.items()} == {
        "submission_11": 80.0,
        "submission_12": 20.0,
    }
    first, second = found["submission_11"]["tests"]
    assert (first["name"], first["score"], first["max_score"], first["status"]) == ("runs", 20.0, 20.0, "passed")
    assert (second["status"], second["output"], second["output_format"]) == ("failed", "<b>0.9</b> =1+1", "text")
    assert found["submission_11"]["output"] == "80 of 100 points."
    assert found["submission_11"]["stdout_visibility"] == "hidden"


def test_open_total_has_no_score(tmp_path: Path) -> None:
    document = run_export(tmp_path, [result(total=None)])["submission_11"]
    assert not has_a_score(document) and "tests" not in document
    assert "not a zero" in document["output"]
    rows = rows_in(tmp_path)
    assert [row["Total Score"] for row in rows] == [""]


def test_open_totals_are_noted(tmp_path: Path) -> None:
    handed = export_grades(results(result(), result("12", None), result("13", lms="moodle")), ExportRequest(tmp_path))
    assert [path.name for path in handed.files] == ["gradescope-autograder.zip", "gradescope-grades.csv"]
    assert all(path.is_file() for path in handed.files)
    words = "\n".join(map(str, handed.notes))
    assert "open: S12." in words and "Not submitted through Gradescope" in words and "S13" in words


def test_group_members_have_rows_without_formulas(tmp_path: Path) -> None:
    run_export(tmp_path, [result(group=(ANN, BOB))])
    rows = rows_in(tmp_path)
    assert [(row["Name"], row["SID"], row["Email"], row["Total Score"], row["Submission ID"]) for row in rows] == [
        ("Ann", "", "ann@x", "80", "11"),
        ("'=Bob", "7", "bob@x", "80", "11"),
    ]


def test_output_is_translated(tmp_path: Path) -> None:
    assert "分" in run_export(tmp_path, [result()], "zh-TW")["submission_11"]["output"]


def run_returning(tmp_path: Path, metadata: str | None) -> dict[str, Any]:
    """Return the output of the zip's own program for a submission, run as Gradescope runs it."""
    root = tmp_path / "autograder"
    with zipfile.ZipFile(tmp_path / "out" / export.AUTOGRADER) as archive:
        assert {entry.filename: entry.external_attr >> 16 & 0o111 for entry in archive.infolist()}["run_autograder"]
        archive.extractall(root / "source")
    if metadata is not None:
        (root / "submission_metadata.json").write_text(metadata)
    done = subprocess.run(
        ["bash", str(root / "source" / "run_autograder")], env={**os.environ, "AUTOGRADER_ROOT": str(root)}, check=False
    )
    assert done.returncode == 0
    document: dict[str, Any] = json.loads((root / "results" / "results.json").read_bytes())
    VALIDATOR.validate(document)
    return document


@pytest.mark.parametrize(
    ("metadata", "score"),
    [
        ('{"id": 11}', 80.0),
        ('{"id": "12"}', None),
        ('{"id": 99}', None),
        ('{"id": "../../results/submission_11"}', None),
        ('{"id": "$(id)"}', None),
        ("{", None),
        (None, None),
    ],
    ids=["graded", "open", "unknown", "path", "command", "broken", "missing"],
)
def test_autograder_returns_stored_results(tmp_path: Path, metadata: str | None, score: float | None) -> None:
    export_grades(results(result("11"), result("12", None)), ExportRequest(tmp_path / "out"), to="gradescope")
    document = run_returning(tmp_path, metadata)
    assert document.get("score") == score and has_a_score(document) == (score is not None)


def test_exported_totals_return_to_all_group_members(tmp_path: Path) -> None:
    read = intake(tmp_path, LIST, FILES)
    students = [
        Result(
            student=submission.student,
            total=50.0,
            max=100.0,
            outcome="ok",
            lms=submission.lms,
            origin=submission.origin,
            group=submission.group,
        )
        for submission in read.values()
    ]
    export_grades(results(*students), ExportRequest(tmp_path / "out"))
    assert run_returning(tmp_path, '{"id": 12}')["score"] == 50.0
    rows = rows_in(tmp_path / "out")
    assert [row["Email"] for row in rows] == ["lin@school.edu", "ann@school.edu", "bob@school.edu"]
    assert rows[0]["SID"] == "0123"


def test_archive_of_another_lms_is_refused(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "c.zip", {"ann/hw.ipynb": NB, "bob/hw.ipynb": NB})
    with pytest.raises(IntakeError, match="does not come from Gradescope"):
        read_submissions([archive], lms="gradescope", workspace=tmp_path / "work")
