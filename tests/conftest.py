"""Fixtures that several rooms share, the ``fast`` mark, and what a bare machine skipped."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from grader.models.errors import SandboxError
from grader.sandbox.base import Sandbox
from grader.sandbox.levels import open_sandbox
from grader.sandbox.namespaces import NamespaceSandbox

TESTS = Path(__file__).parent
# Folders with nothing but tests that start notebooks, train models or run the whole command line.
SLOW_FOLDERS = ("attacks", "end_to_end", "reference")
# Elsewhere, the fixtures, names and files by which a test file starts processes of its own.
SLOW_FIXTURES = {"sandbox", "warm", "browser", "results", "graded"}
SLOW_NAMES = {"open_sandbox", "NamespaceSandbox", "ProcessSandbox", "run_isolated", "decode_photos", "read_document"}
SLOW_FILES = {"test_group_assignment.py", "test_document_report.py"}
# In these folders most of what is started is a Python of its own.
MIXED_FOLDERS = ("sandbox", "cli", "data/cache")
STARTING_NAMES = {"subprocess", "CliRunner"}
# The longest files, in the order in which the workers take them. A class of attackers mostly waits for limits, so one
# worker trains at the same time.
LONGEST = (
    *("attacks/test_denial.py", "end_to_end/test_photos.py", "attacks/test_forging.py", "end_to_end/test_demo.py"),
    *("attacks/test_secrets.py", "end_to_end/test_references.py", "sandbox/guest/compat/test_listings.py"),
    *("attacks/test_deep_learning.py", "reference/test_visualization.py", "reference/test_training.py"),
)

# Machines are busy: a slow example is no failure. ``-m fast`` tries fewer examples where a test does not say how many.
CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("all", CALM)
settings.register_profile("fast", CALM, max_examples=25)

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


def pytest_configure(config: pytest.Config) -> None:
    settings.load_profile("fast" if _only_fast(config) else "all")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave folders without fast tests unread for ``-m fast``: importing them takes longer than many tests."""
    return True if _only_fast(config) and _folder(collection_path).startswith(SLOW_FOLDERS) else None


def _only_fast(config: pytest.Config) -> bool:
    words = config.getoption("markexpr").split()
    return words[:1] == ["fast"] and "or" not in words


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that start no notebook, training, browser or command line as ``fast``; the longest come first."""
    for item in items:
        if isinstance(item, pytest.Function) and _is_fast(item):
            item.add_marker(pytest.mark.fast)
    items.sort(key=_turn)


def _is_fast(item: pytest.Function) -> bool:
    folder, names = _folder(item.path), vars(item.module).keys()
    if folder.startswith(SLOW_FOLDERS) or item.path.name in SLOW_FILES or SLOW_NAMES & names:
        return False
    if folder.startswith(MIXED_FOLDERS) and STARTING_NAMES & names:
        return False
    kept_out = any(item.get_closest_marker(name) for name in ("network", "slow", "browser"))
    return not (kept_out or SLOW_FIXTURES & set(item.fixturenames))


def _turn(item: pytest.Item) -> int:
    """Return the place of a test's file among the files that a worker takes next; equal ones keep their order."""
    path = item.path.relative_to(TESTS).as_posix()
    if path in LONGEST:
        return LONGEST.index(path)
    started = path.startswith((*SLOW_FOLDERS, *MIXED_FOLDERS))
    return len(LONGEST) + (0 if started else 1)


def _folder(path: Path) -> str:
    return path.relative_to(TESTS).as_posix() if path.is_relative_to(TESTS) else ""


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in one line what this machine lacked, and the command that brings it."""
    skipped = terminalreporter.stats.get("skipped", [])
    reasons = Counter(str(report.longrepr[2]).removeprefix("Skipped: ") for report in skipped)
    if reasons:
        shown = "; ".join(f"{reason} ({count})" for reason, count in reasons.most_common())
        terminalreporter.write_line(f"{len(skipped)} skipped: {shown}. To run them: {UNSKIP}", yellow=True)
