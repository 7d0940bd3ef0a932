"""The attacks of ``grader doctor --attack`` are stopped by confinement, and succeed without it."""

from __future__ import annotations

import os
import sys

import pytest

from grader.cli.attacks import ATTACKS, try_attacks
from grader.cli.doctor import State
from grader.i18n.catalogue import translation
from grader.sandbox.levels import UNCONFINED, find_level_problem, open_sandbox

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="calls of Linux")


def states(level: str) -> dict[str, State]:
    sandbox = open_sandbox(level, os.environ, preload=False)
    try:
        findings = try_attacks(sandbox)
    finally:
        sandbox.close()
    return {translation("en").say(finding.part): finding.state for finding in findings}


@LINUX
@pytest.mark.parametrize("level", ["namespaces", "bubblewrap"])
def test_every_attack_is_stopped_by_confinement(level: str) -> None:
    if find_level_problem(level, os.environ) is not None:
        pytest.skip(f"no {level} on this machine")
    found = states(level)
    assert len(found) == len(ATTACKS) + 1
    if level == "bubblewrap":  # docs/threats.md: notebooks share the inodes of libraries
        assert found.pop("Receive a message from another notebook") is State.NOTE
    assert set(found.values()) == {State.OK}, found


@LINUX
def test_attacks_succeed_without_confinement() -> None:
    found = states(UNCONFINED)
    for title in ("Read a file of the teacher", "See another program's password", "Reach a service of this machine"):
        assert found[title] is State.MISSING
