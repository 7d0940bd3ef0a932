"""One warm sandbox for all the notebooks of yesterday."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from grader.sandbox.pool import NamespaceSandbox


@pytest.fixture(scope="session")
def warm() -> Iterator[NamespaceSandbox]:
    sandbox = NamespaceSandbox(os.environ)
    yield sandbox
    sandbox.close()
