"""Tests of ``grader push``: planned and written grades, faults of the server, and secrecy of the token."""

from __future__ import annotations

import contextvars
import html
import json
import logging
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

import keyring
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keyring.backend import KeyringBackend
from keyring.backends.fail import Keyring as NoKeyring

from grader.cli.console import scaling_line
from grader.cli.main import main
from grader.grading.results import Results, read_results, write_results
from grader.i18n.catalogue import translation
from grader.lms.api.canvas_api import CanvasAssignment
from grader.lms.api.connection import Connection, checked_address
from grader.lms.api.moodle_api import MoodleAssignment
from grader.lms.api.push_plan import Place, plan, send
from grader.lms.api.token import Token, find_token
from grader.models.errors import PushError, TokenError
from grader.models.grade import Graded
from grader.models.submission import Student
from tests.lms.server import SAVE, TOKEN, Answer, Canvas, FakeLms, Moodle, serving
from tests.support.graded_class import ASSIGNMENT, MADE_AT, our_fault, small_class

KEYS = ("4567", "4568", "4569", "9999", "4570")  # the fourth has left the course, the last is our fault


def results_folder(folder: Path, lms: str, keys: tuple[str, ...] = KEYS) -> Path:
    """Write a graded class of five, submitted through ``lms``, as ``grader grade`` does."""
    results = [_from(graded, lms, key) for graded, key in zip(small_class(), keys, strict=True)]
    write_results(results, ASSIGNMENT, folder, MADE_AT)
    for graded in results:
        own = folder / "students" / graded.submission.student.id
        own.mkdir(parents=True)
        (own / "report.html").write_text("<h1>Your report</h1>")
    return folder


def _from(graded: Graded, lms: str, key: str) -> Graded:
    student = replace(graded.submission.student, key=key)
    return replace(graded, submission=replace(graded.submission, student=student, lms=lms))


@pytest.fixture
def canvas() -> Iterator[Canvas]:
    with serving(Canvas()) as lms:
        assert isinstance(lms, Canvas)
        yield lms


@pytest.fixture
def moodle() -> Iterator[Moodle]:
    with serving(Moodle()) as lms:
        assert isinstance(lms, Moodle)
        yield lms


@dataclass
class Pauses:
    seconds: list[float]

    def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


def canvas_target(lms: FakeLms, pauses: Pauses | None = None) -> CanvasAssignment:
    connection = Connection(lms.url, Token(TOKEN), bearer=True, pause=pauses or Pauses([]))
    return CanvasAssignment(connection, 12, 34, "Your report")


def moodle_target(lms: FakeLms, module: int = 82) -> MoodleAssignment:
    return MoodleAssignment(Connection(f"{lms.url}/moodle", Token(TOKEN), pause=Pauses([])), module)


@pytest.fixture
def canvas_class(tmp_path: Path) -> Results:
    return read_results(results_folder(tmp_path / "out", "canvas"))


@pytest.fixture
def moodle_class(tmp_path: Path) -> Results:
    return read_results(results_folder(tmp_path / "out", "moodle"))


# ---------------------------------------------------------------- Canvas


def test_planned_changes_in_canvas(canvas: Canvas, canvas_class: Results) -> None:
    changes = plan(canvas_class, canvas_target(canvas))
    rows = [
        (change.place and change.place.grade, change.grade, change.due, str(change.obstacle or ""))
        for change in changes
    ]
    assert rows == [
        (None, 100.0, True, ""),
        (50.0, 77.91, True, ""),  # what was entered, before a late policy took its part
        (None, 8.0, False, "is excused there"),
        (None, 0.0, False, "is not in this assignment on the server"),
        (None, None, False, "the total is open"),
    ]
    assert canvas.changes() == []


def test_grades_and_reports_go_to_canvas_in_one_step_and_only_once(canvas: Canvas, canvas_class: Results) -> None:
    target = canvas_target(canvas)
    sent = send(target, plan(canvas_class, target))
    assert [change.problem for change in sent] == [None, None]
    first, second = canvas.changes()
    assert first.path.endswith("/submissions/4567")
    assert first.fields == {
        "submission[posted_grade]": "100",
        "comment[file_ids][]": "777",
        "comment[text_comment]": "Your report",
        "comment[group_comment]": "false",
    }
    assert second.fields["submission[posted_grade]"] == "77.91"
    stored = [request for request in canvas.requests if request.path.startswith("/files_api")]
    assert [request.fields["file"] for request in stored] == ["<h1>Your report</h1>"] * 2
    assert all("Authorization" not in request.headers for request in stored), "storage may be another host's"
    again = plan(canvas_class, target)
    assert [change.due for change in again] == [False] * 5
    assert send(target, again) == ()
    assert len(canvas.changes()) == 2


def test_points_are_scaled_to_the_servers_maximum(canvas: Canvas, canvas_class: Results) -> None:
    canvas.recorded["assignment"]["points_possible"] = 10.0
    changes = plan(canvas_class, canvas_target(canvas))
    assert [change.grade for change in changes] == [10.0, 7.79, 0.8, 0.0, None]
    assert "100 points here are 10 there" in scaling_line(changes, 10.0, translation("en"))
    assert scaling_line(changes, 100.0, translation("en")) == ""


def test_grade_above_the_maximum_is_written_to_canvas_only(canvas: Canvas, moodle: Moodle, tmp_path: Path) -> None:
    for lms, target, due in (("canvas", canvas_target(canvas), True), ("moodle", moodle_target(moodle), False)):
        results = read_results(results_folder(tmp_path / lms, lms))
        students = (replace(results.submissions[0], total=105.0), *results.submissions[1:])
        first = plan(replace(results, submissions=students), target)[0]
        assert (first.grade, first.due) == (105.0, due)
        assert due or str(first.obstacle) == "more than the maximum of 100 points there"


def test_the_comment_goes_to_the_whole_group(canvas: Canvas, canvas_class: Results) -> None:
    canvas.recorded["assignment"]["group_category_id"] = 3
    target = canvas_target(canvas)
    send(target, plan(canvas_class, target)[:1])
    assert canvas.changes()[0].fields["comment[group_comment]"] == "true"


def test_two_results_for_one_student_are_not_written(canvas: Canvas, tmp_path: Path) -> None:
    results = read_results(results_folder(tmp_path, "canvas", ("4567", "4567", "4568", "9999", "4570")))
    changes = plan(results, canvas_target(canvas))
    assert [str(change.obstacle) for change in changes[:2]] == ["shares its number with another submission"] * 2
    assert changes[2].due


def test_results_of_another_lms_are_not_written(canvas: Canvas, moodle_class: Results) -> None:
    changes = plan(moodle_class, canvas_target(canvas))
    assert {str(change.obstacle) for change in changes[:4]} == {"was not submitted through canvas"}


@pytest.mark.parametrize(
    "refusal",
    [
        pytest.param(Answer(429, "", {"Retry-After": "7"}), id="429"),
        pytest.param(Answer(403, "403 Forbidden (Rate Limit Exceeded)"), id="403"),
        pytest.param(Answer(503, {}), id="503"),
        pytest.param(Answer(0), id="cut off"),
    ],
)
def test_reading_is_repeated_with_pauses(canvas: Canvas, canvas_class: Results, refusal: Answer) -> None:
    canvas.troubles = [("GET .*submissions", refusal), ("GET .*submissions", refusal)]
    pauses = Pauses([])
    assert len(plan(canvas_class, canvas_target(canvas, pauses))) == 5
    assert pauses.seconds == ([7.0, 7.0] if refusal.headers else [1.0, 2.0])


def test_server_that_stays_down_is_one_error(canvas: Canvas, canvas_class: Results) -> None:
    canvas.troubles = [("GET .*submissions", Answer(500, canvas.recorded["broken"]))] * 9
    with pytest.raises(PushError, match=r"refused \(status 500\): An error occurred. Token was …"):
        plan(canvas_class, canvas_target(canvas))


def test_rate_limited_change_is_repeated(canvas: Canvas, canvas_class: Results) -> None:
    canvas.troubles = [("PUT", Answer(429, ""))]
    target = canvas_target(canvas, pauses := Pauses([]))
    assert [change.problem for change in send(target, plan(canvas_class, target))] == [None, None]
    assert pauses.seconds == [1.0]


@pytest.mark.parametrize("trouble", [Answer(500, {}), Answer(502, "<html>"), Answer(0)], ids=["500", "502", "cut off"])
def test_failed_change_that_was_not_made_is_repeated(canvas: Canvas, canvas_class: Results, trouble: Answer) -> None:
    canvas.troubles = [("PUT .*4567", trouble)]
    target = canvas_target(canvas)
    assert [change.problem for change in send(target, plan(canvas_class, target))] == [None, None]
    assert [request.path[-4:] for request in canvas.changes()] == ["4567", "4568", "4567"]


def test_failed_change_that_was_made_is_not_repeated(canvas: Canvas, canvas_class: Results) -> None:
    canvas.troubles = [("PUT .*4567", Answer(500, {}))]
    target = canvas_target(canvas)
    changes = plan(canvas_class, target)[:1]
    canvas.recorded["submissions"][0]["entered_score"] = 100.0
    assert [change.problem for change in send(target, changes)] == [None]
    assert len(canvas.changes()) == 1


def test_refusal_does_not_stop_other_changes(canvas: Canvas, canvas_class: Results) -> None:
    canvas.troubles = [("PUT .*4567", Answer(403, canvas.recorded["not_allowed"]))]
    target = canvas_target(canvas)
    first, second = send(target, plan(canvas_class, target))
    assert "user not authorized to perform that action" in str(first.problem)
    assert second.problem is None


def test_expired_token_stops_the_rest(canvas: Canvas, canvas_class: Results) -> None:
    canvas.troubles = [("PUT .*4567", Answer(401, canvas.recorded["invalid_token"]))]
    target = canvas_target(canvas)
    sent = send(target, plan(canvas_class, target))
    assert ["does not accept the token" in str(change.problem) for change in sent] == [True, True]
    assert len(canvas.changes()) == 1


def test_grade_is_written_without_its_report(canvas: Canvas, canvas_class: Results) -> None:
    canvas.troubles = [("POST .*comments/files", Answer(422, {"message": "file size exceeds quota"}))]
    target = canvas_target(canvas)
    first, second = send(target, plan(canvas_class, target))
    assert (first.problem, second.problem) == (None, None)
    assert "file size exceeds quota" in str(first.note)
    assert "comment[file_ids][]" not in canvas.changes()[0].fields


def test_a_stored_file_may_be_confirmed_at_canvas_and_nowhere_else(canvas: Canvas, canvas_class: Results) -> None:
    there, elsewhere = f"{canvas.url}/api/v1/files/777", "http://localhost:1/files/777"
    canvas.troubles = [("files_api", Answer(303, "", {"Location": place})) for place in (there, elsewhere)]
    target = canvas_target(canvas)
    first, second = send(target, plan(canvas_class, target))
    assert first.note is None
    assert "redirects to http://localhost:1/files/777" in str(second.note)


# ---------------------------------------------------------------- Moodle


def test_planned_changes_in_moodle(moodle: Moodle, moodle_class: Results) -> None:
    target = moodle_target(moodle)
    changes = plan(moodle_class, target)
    assert [(change.place, change.due) for change in changes] == [
        (Place("301"), True),
        (Place("302", 50.0), True),
        (None, False),
        (None, False),
        (Place("304"), False),
    ]
    assert (target.title, moodle.changes()) == ("疾病預測", [])


def test_grades_and_reports_go_to_moodle_and_teacher_comments_stay(moodle: Moodle, moodle_class: Results) -> None:
    target = moodle_target(moodle)
    assert [(change.problem, change.note) for change in send(target, plan(moodle_class, target))] == [(None, None)] * 2
    first, second = (request.fields for request in moodle.changes())
    comment = "plugindata[assignfeedbackcomments_editor]"
    assert first == {
        "wstoken": TOKEN,
        "wsfunction": SAVE,
        "moodlewsrestformat": "json",
        "assignmentid": "6",
        "userid": "301",
        "grade": "100",
        "attemptnumber": "-1",
        "addattempt": "0",
        "workflowstate": "inreview",
        "applytoall": "0",
        f"{comment}[text]": "",
        f"{comment}[format]": "1",
        "plugindata[files_filemanager]": "990",
    }
    assert second[f"{comment}[text]"] == "<p>Come and see me, 林同學. @@PLUGINFILE@@/a.png</p>"
    assert not any(change.due for change in plan(moodle_class, target))


def test_other_feedback_files_are_not_replaced(moodle: Moodle, moodle_class: Results) -> None:
    status = moodle.recorded["mod_assign_get_submission_status"]
    status["feedback"]["plugins"][1]["fileareas"][0]["files"].append({"filepath": "/my words.pdf"})
    target = moodle_target(moodle)
    first, second = send(target, plan(moodle_class, target))
    assert first.note is None
    assert "other feedback files" in str(second.note)
    assert "plugindata[files_filemanager]" not in moodle.changes()[1].fields


def test_grade_that_moodle_ignores_is_a_problem(moodle: Moodle, moodle_class: Results) -> None:
    moodle.deaf = True
    target = moodle_target(moodle)
    problems = [str(change.problem) for change in send(target, plan(moodle_class, target))]
    assert problems == [
        "the server accepted the grade but still shows –",
        "the server accepted the grade but still shows 50",
    ]


def test_a_group_gets_its_grade_through_one_member(moodle: Moodle, tmp_path: Path) -> None:
    results = read_results(results_folder(tmp_path, "moodle", ("31", "32", "33", "34", "35")))
    moodle.grades = {}
    target = moodle_target(moodle, 83)
    (sent,) = send(target, plan(results, target))
    assert sent.problem is None
    assert "switched off" in str(sent.note)
    fields = moodle.changes()[0].fields
    assert (fields["userid"], fields["applytoall"]) == ("301", "1")
    assert not any(name.startswith("plugindata") for name in fields)


@pytest.mark.parametrize(
    ("module", "trouble", "says"),
    [
        pytest.param(99, None, "shows no assignment 99", id="no such assignment"),
        pytest.param(84, None, "On a scale is not graded in points", id="a scale"),
        pytest.param(82, ("get_assignments", "invalid_token"), "does not accept the token", id="token"),
        pytest.param(82, ("get_user_flags", "not_allowed"), "may not call mod_assign_get_user_flags", id="not allowed"),
        pytest.param(82, ("get_user_mappings", "no_rights"), "No access rights", id="no rights"),
    ],
)
def test_refusal_by_moodle_is_one_error(
    moodle: Moodle, moodle_class: Results, module: int, trouble: tuple[str, str] | None, says: str
) -> None:
    if trouble is not None:
        moodle.troubles = [(trouble[0], Answer(200, moodle.recorded[trouble[1]]))]
    with pytest.raises(PushError, match=says):
        plan(moodle_class, moodle_target(moodle, module))


def test_an_assignment_without_any_grade_yet(moodle: Moodle, moodle_class: Results) -> None:
    moodle.grades = {}
    target = moodle_target(moodle)
    assert [change.due for change in plan(moodle_class, target)[:2]] == [True, True]


# ---------------------------------------------------------------- where a token may go


@pytest.mark.parametrize(
    "url",
    [
        "http://school.example",
        "school.example",
        "ftp://school.example",
        "https://",
        "https://teacher:secret@school.example",
        "https://school.example?token=1",
        "https://school.example/#x",
        "http://localhost.school.example",
        "https://school.example\\@evil.example",
        "",
    ],
)
def test_no_token_is_sent_to_an_unsafe_address(url: str) -> None:
    with pytest.raises(PushError, match="expected an address such as https") as caught:
        checked_address(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["https://school.example/", "https://a.b:8443/moodle", "http://localhost:1", "http://[::1]:1"]
)
def test_token_is_sent_to_a_safe_address(url: str) -> None:
    assert checked_address(url) == url.rstrip("/")


@pytest.mark.parametrize("place", ["https://evil.example/api", "http://127.0.0.1:1/x", "/login", "//evil.example"])
def test_redirects_are_not_followed(canvas: Canvas, place: str) -> None:
    canvas.troubles = [("GET", Answer(302, "", {"Location": place}))]
    with pytest.raises(PushError, match="redirect was not followed"):
        canvas_target(canvas)
    assert len(canvas.requests) == 1


def test_the_next_page_of_another_host_is_not_asked(canvas: Canvas, canvas_class: Results) -> None:
    link = {"Link": '<https://evil.example/api?page=2>; rel="next"'}
    canvas.troubles = [("GET .*submissions", Answer(200, [], link))]
    with pytest.raises(PushError, match=r"redirects to https://evil\.example/api;"):
        plan(canvas_class, canvas_target(canvas))


def test_untrusted_certificate_is_refused(canvas: Canvas) -> None:
    connection = Connection(canvas.url.replace("http:", "https:"), Token(TOKEN), bearer=True, pause=Pauses([]))
    with pytest.raises(PushError, match="nothing was sent"):
        CanvasAssignment(connection, 12, 34, "")
    assert canvas.requests == []


def test_netrc_password_is_not_sent(canvas: Canvas, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password other\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    canvas_target(canvas)
    assert canvas.requests[0].headers["Authorization"] == f"Bearer {TOKEN}"


# ---------------------------------------------------------------- the token


class InMemory(KeyringBackend):
    """A keyring in memory, in place of the system's keyring."""

    priority = 1

    def __init__(self, kept: dict[tuple[str, str], str]) -> None:
        super().__init__()
        self.kept = kept

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        raise NotImplementedError


@pytest.fixture
def kept() -> Iterator[dict[tuple[str, str], str]]:
    before = keyring.get_keyring()
    backend = InMemory({})
    keyring.set_keyring(backend)
    yield backend.kept
    keyring.set_keyring(before)


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("", "There is no token for school.example. Put it into the variable GRADER_CANVAS_TOKEN"),
        ("two words here", "14 characters"),
        ("line\nbreak: evil", "16 characters"),
        ("密碼密碼密碼密碼", "8 characters"),
        ("short", "5 characters"),
    ],
    ids=["none", "spaces", "a line break", "other letters", "short"],
)
def test_invalid_token_is_refused(value: str, says: str) -> None:
    with pytest.raises(TokenError, match=says) as caught:
        find_token("canvas", "school.example", {"GRADER_CANVAS_TOKEN": value})
    assert not value or value not in str(caught.value)


def test_token_is_read_from_the_keyring(kept: dict[tuple[str, str], str]) -> None:
    kept["grader-canvas", "school.example"] = TOKEN
    assert find_token("canvas", "school.example", {}).value == TOKEN
    for system, host in (("canvas", "evil.example"), ("moodle", "school.example")):
        with pytest.raises(TokenError, match="There is no token"):
            find_token(system, host, {})


def test_missing_keyring_names_the_variable(kept: dict[tuple[str, str], str]) -> None:
    keyring.set_keyring(NoKeyring())
    with pytest.raises(TokenError, match="GRADER_CANVAS_TOKEN"):
        find_token("canvas", "school.example", {})
    assert kept == {}


def test_each_lms_has_a_variable_of_its_own() -> None:
    assert find_token("moodle", "a", {"GRADER_MOODLE_TOKEN": f" {TOKEN}\n", "GRADER_CANVAS_TOKEN": "x"}).value == TOKEN


def test_token_is_not_in_its_repr() -> None:
    assert TOKEN not in repr(Token(TOKEN)) + str(Token(TOKEN))
    forms = (
        f"{TOKEN} | 7~secret/token&of+a=teacher | 7~Secret%2FToken%26Of%2BA%3DTeacher | 7~Secret/Token&amp;Of+A=Teacher"
    )
    assert Token(TOKEN).hidden_in(forms) == "… | … | … | …"


WRITINGS: list[Callable[[str], str]] = [
    str,
    str.upper,
    html.escape,
    quote,
    lambda text: quote(text, safe=""),
    lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
    lambda text: "".join(f"\\u{ord(character):04X}" for character in text),
    lambda text: "".join(f"&#{ord(character)};" for character in text),
]


@given(
    value=st.text(
        st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters="\\"), min_size=8, max_size=40
    ),
    around=st.tuples(st.text(max_size=5), st.text(max_size=5)),
    written=st.sampled_from(WRITINGS),
)
def test_every_form_of_the_token_is_hidden(value: str, around: tuple[str, str], written: Callable[[str], str]) -> None:
    left = Token(value).hidden_in(around[0] + written(value) + around[1])
    assert written(value) not in left
    assert value not in left


ECHOES = [
    pytest.param("GET", Answer(401, {"errors": [{"message": TOKEN}]}), id="401"),
    pytest.param("GET", Answer(400, {"message": f"Bearer {TOKEN}"}), id="400"),
    pytest.param("GET", Answer(500, {"message": [{"message": TOKEN}]}), id="500"),
    pytest.param("GET", Answer(302, "", {"Location": f"https://evil.example/{TOKEN}"}), id="redirect"),
    pytest.param("GET", Answer(200, f"<html>{TOKEN}"), id="a page"),
    pytest.param("GET", Answer(200, [TOKEN]), id="another form"),
    pytest.param("PUT", Answer(422, {"errors": {"grade": [{"message": f"no {TOKEN}"}]}}), id="a change"),
    pytest.param("POST", Answer(413, {"message": TOKEN}), id="a file"),
]


@pytest.mark.parametrize(("where", "echo"), ECHOES)
def test_echoed_token_is_not_printed(
    canvas: Canvas, canvas_class: Results, caplog: pytest.LogCaptureFixture, where: str, echo: Answer
) -> None:
    canvas.troubles = [(where, echo)] * 5
    printed = []
    with caplog.at_level(logging.DEBUG):
        try:
            target = canvas_target(canvas)
            printed += [repr(change) for change in send(target, plan(canvas_class, target))]
        except PushError as error:
            printed += [str(error), "".join(traceback.format_exception(error))]
    assert printed
    assert TOKEN not in "".join(printed) + caplog.text
    assert "Secret" not in "".join(printed) + caplog.text


# ---------------------------------------------------------------- the command


def push(
    folder: Path, lms: FakeLms, *arguments: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> tuple[int, str, str]:
    """Run ``grader push`` in this process and return its exit status, stdout and stderr."""
    course = () if isinstance(lms, Moodle) else ("--course", "12", "--assignment", "34")
    url = lms.url + ("/moodle" if isinstance(lms, Moodle) else "")
    to = "moodle" if isinstance(lms, Moodle) else "canvas"
    numbers = course or ("--assignment", "82")
    monkeypatch.setattr(sys, "argv", ["grader", "push", str(folder), "--to", to, "--url", url, *numbers, *arguments])
    monkeypatch.setenv(f"GRADER_{to.upper()}_TOKEN", TOKEN)
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit) as ended:
        contextvars.copy_context().run(main)
    printed = capsys.readouterr()
    assert TOKEN not in printed.out + printed.err
    return int(ended.value.code or 0), printed.out, printed.err


def test_a_dry_run_shows_and_writes_nothing(
    canvas: Canvas, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = results_folder(tmp_path, "canvas")
    status, out, _ = push(folder, canvas, "--dry-run", "--yes", monkeypatch=monkeypatch, capsys=capsys)
    assert (status, canvas.changes()) == (0, [])
    assert "Who is ill? <b>" in out
    assert "2 of 5 grades are to be written." in out
    assert "Nothing was written." in out


def test_unconfirmed_push_writes_nothing(
    canvas: Canvas, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = results_folder(tmp_path, "canvas")
    status, _, err = push(folder, canvas, monkeypatch=monkeypatch, capsys=capsys)
    assert (status, canvas.changes()) == (1, [])
    assert "Say --yes" in err


def test_exit_status_for_missing_grades(
    moodle: Moodle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = results_folder(tmp_path, "moodle")
    status, out, _ = push(folder, moodle, "--yes", monkeypatch=monkeypatch, capsys=capsys)
    assert status == 1, "two of the class are not in the assignment"
    assert "2 of 2 were written." in out
    grades = json.loads((folder / "grades.json").read_text("utf-8"))
    del grades["submissions"][2:4]
    (folder / "grades.json").write_text(json.dumps(grades))
    status, out, _ = push(folder, moodle, "--yes", "--lang", "zh-TW", monkeypatch=monkeypatch, capsys=capsys)
    assert status == 0, out
    assert "疾病預測" in out and "Student" not in out


def test_failures_are_listed_and_the_next_run_continues(
    moodle: Moodle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = results_folder(tmp_path, "moodle", ("4567", "4568", "4570", "9", "10"))
    refused = {"exception": "moodle_exception", "errorcode": "nopermissions", "message": "No, and {token} is known"}
    moodle.troubles = [(SAVE, Answer(200, refused))]
    status, out, _ = push(folder, moodle, "--yes", monkeypatch=monkeypatch, capsys=capsys)
    assert status == 1
    assert "2 of 3 were written." in out
    assert "陳怡君: Moodle refused mod_assign_save_grade: No, and … is known" in out
    assert "Run the same command again" in out
    push(folder, moodle, "--yes", monkeypatch=monkeypatch, capsys=capsys)
    assert [request.fields["userid"] for request in moodle.changes()] == ["301", "302", "304", "301"]


def test_names_cannot_move_the_terminals_cursor(
    canvas: Canvas, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = results_folder(tmp_path, "canvas")
    canvas.recorded["assignment"]["name"] = "\x1b[2Jcleared"
    canvas.troubles = [("PUT", Answer(400, {"message": "\x1b[2J[red]gone"}))] * 2
    _, out, _ = push(folder, canvas, "--yes", monkeypatch=monkeypatch, capsys=capsys)
    assert "\x1b[2J" not in out
    assert "[red]gone" in out


def test_student_without_an_id_is_not_written(canvas: Canvas, tmp_path: Path) -> None:
    results = read_results(results_folder(tmp_path, "canvas", ("", "", "", "", "")))
    assert results.submissions[0].student == Student("s001", "陳怡君")
    assert not any(change.due for change in plan(results, canvas_target(canvas)))
    assert our_fault().grade.total is None
