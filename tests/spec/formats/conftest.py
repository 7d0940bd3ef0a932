"""One sandbox for all courses of these tests."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from grader.models.errors import SandboxError
from grader.sandbox.base import Sandbox
from grader.sandbox.levels import open_sandbox


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    try:
        opened = open_sandbox(os.environ.get("GRADER_TEST_SANDBOX", "auto"), os.environ)
    except SandboxError:
        opened = open_sandbox("process", os.environ)
    yield opened
    opened.close()
