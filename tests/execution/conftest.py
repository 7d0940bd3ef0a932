"""The prepared assignment that the tests of this room share."""

from __future__ import annotations

import pytest

from grader.execution.runner import PreparedAssignment, prepare_assignment
from grader.sandbox.guest.output_forms import Array
from tests.support.assignment_folders import coins
from tests.support.fake_runs import SECRET


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> PreparedAssignment:
    return prepare_assignment(coins(tmp_path_factory.mktemp("coins")), SECRET)


@pytest.fixture(scope="session")
def hidden(prepared: PreparedAssignment) -> Array:
    assert prepared.hidden_inputs is not None
    return prepared.hidden_inputs
