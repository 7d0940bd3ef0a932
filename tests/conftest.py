"""Fixtures that several rooms share, the ``fast`` mark, and what a bare machine skipped."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.models.errors import SandboxError
from grader.sandbox.base import Sandbox
from grader.sandbox.levels import open_sandbox
from grader.sandbox.namespaces import NamespaceSandbox

TESTS = Path(__file__).parent
# Folders whose tests start notebooks, train models or run the whole command line.
SLOW_FOLDERS = ("attacks", "end_to_end", "reference", "sandbox", "cli", "data/cache")
# Elsewhere, the fixtures and names by which a test file starts processes of its own.
SLOW_FIXTURES = {"sandbox", "warm", "browser", "results", "graded"}
SLOW_NAMES = {"open_sandbox", "NamespaceSandbox", "ProcessSandbox", "run_isolated", "decode_photos", "read_document"}

UNSKIP = (
    "sudo apt-get install chromium bubblewrap podman fontconfig fonts-noto-cjk fonts-arphic-uming && pip install torch"
)


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """The sandbox that ``--sandbox auto`` gives, or the level in GRADER_TEST_SANDBOX."""
    try:
        opened = open_sandbox(os.environ.get("GRADER_TEST_SANDBOX", "auto"), os.environ)
    except SandboxError:
        opened = open_sandbox("process", os.environ)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def warm() -> Iterator[NamespaceSandbox]:
    """A warm worker in namespaces."""
    opened = NamespaceSandbox(os.environ)
    yield opened
    opened.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as ``fast`` every test that starts no notebook, training, browser or command line."""
    for item in items:
        if isinstance(item, pytest.Function) and _is_fast(item):
            item.add_marker(pytest.mark.fast)


def _is_fast(item: pytest.Function) -> bool:
    folder = item.path.parent.relative_to(TESTS).as_posix() + "/"
    if folder.startswith(tuple(f"{name}/" for name in SLOW_FOLDERS)):
        return False
    return not (SLOW_FIXTURES & set(item.fixturenames) or SLOW_NAMES & vars(item.module).keys())


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in one line what this machine lacked, and the command that brings it."""
    skipped = terminalreporter.stats.get("skipped", [])
    reasons = Counter(str(report.longrepr[2]).removeprefix("Skipped: ") for report in skipped)
    if reasons:
        shown = "; ".join(f"{reason} ({count})" for reason, count in reasons.most_common())
        terminalreporter.write_line(f"{len(skipped)} skipped: {shown}. To run them: {UNSKIP}", yellow=True)
