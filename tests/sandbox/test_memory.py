"""Memory that each notebook may use where the assignment sets no limit."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.models.assignment import LEAST_MEMORY_MB, Assignment, Limits
from grader.sandbox.memory import RESERVE_MB, machine_memory_mb, memory_for_each


@pytest.mark.parametrize(
    ("total", "jobs", "expected"),
    [
        pytest.param(64 << 10, 4, ((64 << 10) - RESERVE_MB) // 4, id="a share of the machine"),
        pytest.param(24 << 10, 1, (24 << 10) - RESERVE_MB, id="one notebook has all but the reserve"),
        pytest.param(8 << 10, 8, LEAST_MEMORY_MB, id="never less than before"),
        pytest.param(0, 1, LEAST_MEMORY_MB, id="unknown"),
    ],
)
def test_notebooks_share_the_memory_of_the_machine(total: int, jobs: int, expected: int) -> None:
    assert memory_for_each(jobs, total_mb=total) == expected


def test_the_limit_of_a_container_counts(tmp_path: Path) -> None:
    limit, none = tmp_path / "limit", tmp_path / "none"
    limit.write_text(f"{512 << 20}\n")
    none.write_text("max\n")
    assert machine_memory_mb((str(none), str(limit), str(tmp_path / "absent"))) == 512
    assert machine_memory_mb((str(none),)) > 512


def test_a_limit_of_the_assignment_stays() -> None:
    silent = Assignment("a", "1", Path(), {}, ())
    assert silent.limits.memory_limit_mb == LEAST_MEMORY_MB
    assert silent.with_memory(9000).limits.memory_limit_mb == 9000
    explicit = Assignment("a", "1", Path(), {}, (), limits=Limits(memory_mb=1000))
    assert explicit.with_memory(9000).limits.memory_limit_mb == 1000
