"""Round trips: a class exported by each LMS and returned to it keeps its students, grades and files."""

from __future__ import annotations

import itertools
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from grader.grading.results import read_results, write_results
from grader.i18n.message import message
from grader.lms.archive import lms_detection
from grader.lms.archive import submissions as intake
from grader.lms.export.exporter import FORMATS, check_gradebooks, export_grades
from grader.lms.export_request import ExportedFiles, ExportRequest, GradebookFile
from grader.models.grade import Grade, Graded, Score
from grader.models.run import Outcome, Run
from grader.models.submission import Submission
from tests.lms.systems import SYSTEMS, Person, System
from tests.support.builders import notebook_bytes, said, windows_zip, write_folder, write_tar, write_zip, zip_bytes
from tests.support.graded_class import ASSIGNMENT, MADE_AT
from tests.support.names import NAMES

TOTALS = st.none() | st.sampled_from([0.0, 100.0, 37.5, 59.99, 1 / 3]) | st.floats(0, 100)
WORDS = st.sampled_from([name for names in NAMES.values() for name in names])
MARKED = st.sampled_from(["O'Brien", "Anne-Marie", "d’Arc", "Ng (Lin)", "van der Berg", "Jr.", "=SUM(A1)", "Zoe\u0308"])
ENDINGS = st.sampled_from([".ipynb", ".csv", ".png", ".ipynb", ".txt"])
EACH = settings(
    max_examples=10,
    derandomize=True,
    phases=[Phase.generate],  # an example is read as it is; shrinking it would take minutes
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def test_every_system_is_tested() -> None:
    tested = {name.partition(",")[0] for name in SYSTEMS}
    assert tested >= set(lms_detection.LMS) - {"auto"}
    assert tested | {"csv"} >= set(FORMATS)


# ---------------------------------------------------------------- a class


@dataclass(frozen=True)
class Drawn:
    """A generated class. ``people`` handed in; ``absent`` are only in the teacher's list."""

    people: Sequence[Person]
    absent: Sequence[Person]
    totals: Mapping[int, float | None]
    packing: str


def files_of(data: st.DataObject, system: System, number: int) -> dict[str, bytes]:
    """Return files that all differ within the class; the first is always a notebook."""
    words = st.tuples(WORDS | st.sampled_from(["hw1", "作業 1", "a_b_3", "x-1", "Copy of hw"]), ENDINGS).map("".join)
    folders = st.sampled_from(["", "", "sub/", "資料/train set/"]) if system.nested else st.just("")
    names = data.draw(st.lists(st.tuples(folders, words).map("".join), unique_by=str.casefold, max_size=3))
    files = {f"first{number}.ipynb": notebook_bytes(f"student = {number}", "x = 1", "y = 2")}
    for place, name in enumerate(names):
        mark = f"file = {number * 100 + place}"
        files[name] = notebook_bytes(mark) if name.endswith(".ipynb") else mark.encode()
    return files


def drawn(data: st.DataObject, system: System) -> Drawn:
    numbers = data.draw(st.lists(st.integers(1, 10**6), min_size=3, max_size=7, unique=True))
    naming = st.tuples(WORDS | MARKED, WORDS)
    unique = None if system.same_names else (lambda names: " ".join(names).casefold())
    names = data.draw(st.lists(naming, min_size=len(numbers), max_size=len(numbers), unique_by=unique))
    everybody = [
        Person(number, first, last, files_of(data, system, number))
        for number, (first, last) in zip(numbers, names, strict=True)
    ]
    packings = [
        "as it came",
        "wrapped",
        "tar",
        "unpacked",
        *(["packed again", "by Windows"] if system.repacked else []),
    ]
    return Drawn(
        people=everybody[1:],
        absent=everybody[:1],
        totals={number: data.draw(TOTALS) for number in numbers[1:]},
        packing=data.draw(st.sampled_from(packings)),
    )


def packed(room: Path, files: Mapping[str, bytes], packing: str) -> Path:
    if packing == "tar":
        return write_tar(room / "class.tar.gz", files)
    if packing == "unpacked":
        return write_folder(room / "submitted", files)
    if packing == "packed again":
        files = {"download.zip": zip_bytes(files)}
    if packing == "by Windows":
        (room / "class.zip").write_bytes(windows_zip(files))
        return room / "class.zip"
    if packing == "wrapped":
        files = {f"my class/{name}": data for name, data in files.items()}
    return write_zip(room / "class.zip", files)


_ROOMS = itertools.count()


def new_room(tmp_path: Path) -> Path:
    room = tmp_path / str(next(_ROOMS))
    room.mkdir()
    return room


# ---------------------------------------------------------------- grading without running anything


def graded(submission: Submission, total: float | None) -> Graded:
    score = Score("accuracy", {"en": "Accuracy"}, total, 100.0, None, message("There are no predictions."))
    outcome = submission.outcome or (Outcome.OK if total is not None else Outcome.GRADER_FAULT)
    return Graded(submission, Run(outcome), Grade((score,), total, 100.0))


def write_reports(results: Sequence[Graded], out: Path) -> None:
    for result in results:
        folder = out / "students" / result.submission.student.id
        folder.mkdir(parents=True)
        mark = result.submission.student.key or result.submission.student.name
        (folder / "report.html").write_text(f"<p>{mark}</p>")
        if result.submission.notebook is not None:
            (folder / "executed.ipynb").write_bytes(notebook_bytes(f"ran = {mark!r}"))


def export_class(
    room: Path, system: System, class_: Drawn, submissions: Sequence[Submission], numbers: Mapping[str, int]
) -> ExportedFiles:
    results = [graded(submission, class_.totals[numbers[whose(submission, numbers)]]) for submission in submissions]
    write_results(results, ASSIGNMENT, room / "out", MADE_AT)
    write_reports(results, room / "out")
    sheets: tuple[GradebookFile, ...] = ()
    if system.sheet is not None:
        name, content = system.sheet([*class_.people, *class_.absent])
        (room / name).write_bytes(content)
        sheets = (GradebookFile(room / name),)
        check_gradebooks(submissions[0].lms, submissions, sheets)
    return export_grades(read_results(room / "out"), ExportRequest(room / "back", sheets))


def whose(submission: Submission, numbers: Mapping[str, int]) -> str:
    return next(
        known
        for known in (submission.student.key, submission.student.username, submission.student.name)
        if known in numbers
    )


def assert_no_file_is_lost(class_: Drawn, files: Mapping[str, bytes], submissions: Sequence[Submission]) -> None:
    """Assert that every file is a notebook, an attachment or named in a note, and that no file has two owners."""
    names = {content: name for person in class_.people for name, content in person.files.items()}
    used = [submission.notebook.read_bytes() for submission in submissions if submission.notebook is not None]
    used += [beside.path.read_bytes() for submission in submissions for beside in submission.attachments]
    notes = "\n".join(map(said, submissions))
    lost = [names[content] for content in files.values() if content in names and content not in used]
    assert [name for name in lost if name.rpartition("/")[2] not in notes] == []
    assert len(used) == len(set(used))


# ---------------------------------------------------------------- the properties


@pytest.mark.parametrize("name", SYSTEMS)
@EACH
@given(st.data())
def test_the_same_students_the_same_grades_and_no_file_lost(tmp_path: Path, name: str, data: st.DataObject) -> None:
    system, room = SYSTEMS[name], new_room(tmp_path)
    class_ = drawn(data, system)
    files = system.archive(class_.people)
    path = packed(room, files, class_.packing)
    submissions = intake.read_submissions([path], workspace=room / "work").submissions
    numbers = system.who(class_.people)

    assert {submission.lms for submission in submissions} == {name.partition(",")[0]}
    assert sorted(numbers[whose(submission, numbers)] for submission in submissions) == sorted(class_.totals)
    assert all(submission.notebook is not None for submission in submissions)
    assert_no_file_is_lost(class_, files, submissions)

    back = export_class(room, system, class_, submissions, numbers)

    grades = system.grades(back.files, [*class_.people, *class_.absent])
    for number, total in class_.totals.items():
        assert (grades[number] == "") == (total is None)
        assert total is None or float(grades[number]) == pytest.approx(total, abs=0.0051)
    assert not any(grades.get(person.number) for person in class_.absent)
    if system.feedback is not None and any(total is not None for total in class_.totals.values()):
        for number, content in system.feedback(back.files).items():
            assert str(number).encode() in content


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("name", SYSTEMS)
@EACH
@given(st.data())
def test_one_students_files_do_not_affect_others(tmp_path: Path, name: str, data: st.DataObject) -> None:
    """Somebody's hostile and odd entries, under the names that the LMS gives them, beside everybody's own."""
    system, room = SYSTEMS[name], new_room(tmp_path)
    class_ = drawn(data, system)
    files = system.archive(class_.people)
    eve = class_.people[-1]
    prefix = next(entry for entry, content in files.items() if content in eve.files.values())
    other = data.draw(st.sampled_from([one.name for one in class_.people]))
    hostile = st.sampled_from(
        ["../../evil.ipynb", "\u202ebnypi.evil", "._x", f"x_{other}_7_assignsubmission_file_hw.ipynb", "n" * 250]
    )
    extra = data.draw(st.sets(hostile, min_size=1))
    for upload, bad in enumerate(sorted(extra) if name != "classroom" else [], 6000):
        entry = prefix.replace(f"first{eve.number}.ipynb", bad)
        files[re.sub(r"(?<=_)5\d{3}(?=_)", str(upload), entry, count=1)] = b"hostile"  # Canvas numbers each upload

    path = write_zip(room / "c.zip", files)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(prefix, notebook_bytes("handed_in = 'twice'"))  # the name of a file that is there already

    submissions = intake.read_submissions([path], workspace=room / "work").submissions

    numbers = system.who(class_.people)
    known = [one for one in submissions if {one.student.key, one.student.username, one.student.name} & set(numbers)]
    honest = {one.number: one for one in class_.people if one is not eve}
    read = {numbers[whose(one, numbers)]: one for one in known}
    for number, person in honest.items():
        assert not any(beside.path.read_bytes() == b"hostile" for beside in read[number].attachments)
        notebook = read[number].notebook
        assert notebook is not None and notebook.read_bytes() in person.files.values()
    assert "holds this name twice; the later one was taken" in "\n".join(map(said, submissions))
    assert not [path for path in room.rglob("*") if "evil" in path.name]
