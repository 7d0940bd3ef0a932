"""Report pages in a real browser: no scripts, no requests, and everything fits the screen."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from grader.grading.lateness.rules import assess_lateness
from grader.i18n.catalogue import LANGUAGES
from grader.i18n.message import message
from grader.models.facts import Fit
from grader.models.grade import Graded
from grader.models.intake import FileDecision, FileStatus, Intake, IntakeRecord, IntakeSource
from grader.models.lateness import Extension, LatePolicy
from grader.models.run import Cell, CellError
from grader.models.submission import Student, Submission
from grader.report.intake_page import write_intake_page
from grader.report.pages import write_class_page, write_student_report
from tests.support.graded_class import (
    ASSIGNMENT,
    accuracy_score,
    crashed,
    fit,
    good_run,
    grade,
    graded,
    hostile_notebook,
    other_score,
    small_class,
)
from tests.support.pages import watch

pytestmark = pytest.mark.browser

QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-dev-shm-usage",
    "--no-first-run",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next((path for name in names if (path := shutil.which(name))), None)
    if found is None:
        reason = f"none of {', '.join(names)} is installed"
        pytest.fail(reason) if os.environ.get("GRADER_REQUIRE_BROWSER") == "1" else pytest.skip(reason)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=found, args=QUIET)
        yield started
        started.close()


def ugly(executed: Path) -> Graded:
    """Return a submission in which everything is too long, too large or hostile."""
    hostile = crashed(executed)
    student = Student("u" * 70, "<img src=x onerror=alert(1)>" + "W" * 150)
    strange = Fit("n" * 300, 3, None, None, False, 1, {"loss": (1.0, float("nan"), 1e300), "x" * 200: (3.0, 3.0)})
    facts = replace(hostile.run.facts, fits=(fit(1, 1), fit(2, 900), strange), versions={"k" * 100: "v" * 400})
    cells = (Cell(30, "code", 4, ran=True, error=CellError("E" * 90, "m" * 3000)), *hostile.run.cells)
    scores = (other_score(0, 9.999), accuracy_score(-1e6), other_score(2, None), other_score(3, 3))
    return replace(
        hostile,
        submission=replace(hostile.submission, student=student, notebook_name="x" * 200),
        run=replace(hostile.run, facts=facts, cells=cells),
        grade=grade(*scores, reasons=(message("r" * 600),)),
    )


def late(hostile: Graded) -> Graded:
    due = datetime(2026, 11, 30, 23, 59, tzinfo=UTC)
    submitted = due + timedelta(days=9)
    handed = Submission(Student("a", "A"), Path("hw.ipynb"), submitted_at=submitted, extension=Extension(days=1))
    lateness = assess_lateness(LatePolicy(due, "percent", 10), handed, 70)
    assert lateness is not None
    return replace(hostile, grade=replace(hostile.grade, late=True, total=7, lateness=lateness))


def hostile_intake(hostile: Graded) -> Intake:
    """Return an intake with hostile names and reasons, for every status."""
    why = message("<img src=x onerror=alert(1)>" + "w" * 400)
    files = tuple(
        FileDecision(0, "<script>alert(1)</script>" + "f" * 300, status, why, "a" * 200) for status in FileStatus
    )
    received = IntakeRecord(
        hostile.submission, files, (why, message("</details></main><script>alert(1)</script>")), why
    )
    source = IntakeSource("p" * 300, "folder", why, files)
    return Intake((received, received), (source,), (hostile.submission.student,) * 3, (why,))


@pytest.fixture
def page_paths(request: pytest.FixtureRequest, tmp_path: Path) -> list[Path]:
    language = request.param
    hostile = ugly(hostile_notebook(tmp_path / "executed.ipynb"))
    plain = graded("陳怡君", good_run(), grade(other_score(0, 10), accuracy_score(0.86)))
    results = [*small_class(), hostile]
    return [
        write_student_report(hostile, ASSIGNMENT, language=language, folder=tmp_path / "ugly"),
        write_student_report(plain, ASSIGNMENT, language=language, folder=tmp_path / "plain"),
        write_class_page(results, ASSIGNMENT, language=language, out=tmp_path),
        write_student_report(late(plain), ASSIGNMENT, language=language, folder=tmp_path / "late"),
        write_intake_page(hostile_intake(hostile), ASSIGNMENT, language=language, out=tmp_path),
    ]


@pytest.mark.parametrize("page_paths", LANGUAGES, indirect=True)
@pytest.mark.parametrize("width", [390, 1280])
def test_a_page_runs_nothing_and_fits_the_screen(browser: Browser, page_paths: list[Path], width: int) -> None:
    for path in page_paths:
        page = browser.new_page(viewport={"width": width, "height": 900})
        asked: list[str] = []
        dialogs: list[str] = []
        watch(page, asked, dialogs)
        page.goto(path.as_uri())
        for link in page.locator("details > summary").all():
            link.click()
        page.wait_for_timeout(200)

        assert [url for url in asked if url != path.as_uri() and not url.startswith("data:image/")] == []
        assert dialogs == []
        assert page.url == path.as_uri()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert page.evaluate("document.querySelectorAll('script, iframe, object, embed, form, input').length") == 0
        page.close()


def test_only_the_own_style_sheet_is_applied(browser: Browser, tmp_path: Path) -> None:
    hostile = crashed(hostile_notebook(tmp_path / "executed.ipynb"))
    page = browser.new_page()
    page.goto(write_student_report(hostile, ASSIGNMENT, language="en", folder=tmp_path).as_uri())

    assert page.evaluate("getComputedStyle(document.querySelector('.grade strong')).fontSize") == "52px"
    assert page.evaluate("getComputedStyle(document.body).backgroundImage") == "none"
    page.close()


def test_the_content_policy_blocks_unsanitised_content(browser: Browser, tmp_path: Path) -> None:
    """Without the sanitiser, the policy of the page still stops scripts, styles and remote pictures."""
    path = write_student_report(crashed(), ASSIGNMENT, language="en", folder=tmp_path)
    attack = (
        "<script>document.title='ran'</script><img src=x onerror=\"document.title='ran'\">"
        "<img src='http://127.0.0.1:9/i'><p id=attack style='color:rgb(1,2,3)'>x</p></main>"
    )
    path.write_text(path.read_text("utf-8").replace("</main>", attack), "utf-8")
    page = browser.new_page()
    sent: list[str] = []
    page.on("response", lambda response: sent.append(response.url))
    page.on(
        "requestfailed", lambda request: sent.append(request.failure or "") if request.url != path.as_uri() else None
    )
    page.goto(path.as_uri())
    page.wait_for_timeout(200)

    assert page.title() != "ran"
    assert page.evaluate("getComputedStyle(document.querySelector('#attack')).color") != "rgb(1, 2, 3)"
    assert [url for url in sent if url != path.as_uri() and url != "csp"] == []
    page.close()
