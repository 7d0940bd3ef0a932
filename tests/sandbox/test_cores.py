"""Cores are lent to the jobs that run at the same time."""

from __future__ import annotations

from grader.sandbox.cores import Cores


def idle() -> list[float]:
    return []


def test_core_that_another_program_uses_comes_last() -> None:
    with Cores((0, 1, 2), load=lambda: [90.0, 5.0, 40.0]).lend(2) as lent:
        assert set(lent) == {1, 2}


def test_simultaneous_jobs_get_different_cores() -> None:
    cores = Cores(range(4), load=idle)
    with cores.lend(2) as first, cores.lend(2) as second:
        assert {*first, *second} == {0, 1, 2, 3}
    with cores.lend(2) as again:
        assert again == (0, 1)


def test_jobs_share_the_least_used_cores_if_there_are_too_few() -> None:
    cores = Cores((3, 5), load=idle)
    with cores.lend(1) as first, cores.lend(1) as second, cores.lend(1) as third:
        assert [first, second, third] == [(3,), (5,), (3,)]


def test_one_job_gets_no_more_cores_than_there_are() -> None:
    with Cores((0, 1), load=idle).lend(8) as lent:
        assert lent == (0, 1)


def test_system_without_cores_lends_none() -> None:
    with Cores(()).lend(2) as lent:
        assert lent == ()
