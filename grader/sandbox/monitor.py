"""Looks after one running job, whatever runs it: takes what it writes, measures its tree, ends it at a limit."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import psutil

from grader.models.assignment import Limits
from grader.sandbox.base import Ended, Job, Reply
from grader.sandbox.cgroup import MemoryGroup
from grader.sandbox.deleted_files import unnamed_files
from grader.sandbox.guest import protocol
from grader.sandbox.job import MEGABYTE, JobFolder, disk_used_mb, tail

TICK = 0.005  # seconds between two looks for the guest's markers
WATCH_EVERY = 0.2  # seconds between two measurements of the tree
DISK_EVERY = 2.0


class Tree(Protocol):
    """All processes of one job, by the one above them."""

    @property
    def pid(self) -> int: ...

    def poll(self) -> int | None:
        """The exit status once all have ended: 0, that of the driver, or 128 + a signal; None before."""


@dataclass
class _Usage:
    memory_mb: float = 0.0
    processes: int = 0


@dataclass
class Watch:
    job: Job
    folder: JobFolder
    tree: Tree
    group: MemoryGroup | None = None  # where the kernel keeps the limit on memory as well
    shared_mb: float = 0.0  # what every process of the tree shares with the worker it was forked from
    began: float = field(default_factory=time.monotonic)
    cells_began: float | None = None
    cells_seconds: float | None = None
    taken: bool = False
    executed: bytes | None = None
    facts: bytes | None = None
    peak_memory_mb: float = 0.0
    log: str = ""
    unnamed_disk_mb: float = 0.0
    exact_mb: float = 0.0
    next_exact: float = 0.0

    def until_end(self) -> Reply:
        next_look = next_disk = self.began
        while (code := self.tree.poll()) is None:
            now = time.monotonic()
            self._follow(now)
            if now >= next_look:
                next_look = now + WATCH_EVERY
                usage = self._usage()
                met = self._limit_met(now, usage)
                if met is None and now >= next_disk:
                    next_disk = now + DISK_EVERY
                    met = self._disk_limit_met()
                if met is not None:
                    return self._reply(*met)
            time.sleep(TICK)
        self._follow(time.monotonic())
        return self._reply(self._ended(code), 0.0)

    def _ended(self, code: int) -> Ended:
        if code == 0:
            return Ended.FINISHED
        return Ended.FAULT if 0 < code < 128 and code != protocol.EXIT_BLOCKED else Ended.DIED

    def _follow(self, now: float) -> None:
        """The markers in their order; what the cells gave is taken before the hidden inputs are put in."""
        if self.cells_began is None and self.folder.exists(protocol.STARTED):
            self.cells_began = now
        if self.cells_seconds is None and self.folder.exists(protocol.CELLS_ENDED):
            self.cells_seconds = now - (self.cells_began or self.began)
        if not self.taken and self.folder.exists(protocol.READY):
            self.taken = True
            self._take()
            if self.job.question is not None:
                try:
                    self.folder.put_hidden_inputs(self.job.question)
                except OSError:
                    return  # the notebook stands in the way: it is not asked

    def _take(self) -> None:
        self.executed = self.folder.read(protocol.EXECUTED, protocol.MAX_EXECUTED_BYTES)
        self.facts = self.folder.read(protocol.FACTS, protocol.MAX_FACTS_BYTES)
        self.log = tail(self.folder.log)  # now: later the notebook could write hidden inputs there

    def _usage(self) -> _Usage:
        usage = _Usage()
        try:
            processes = descendants(self.tree.pid)
        except psutil.Error:
            return usage
        resident = 0.0
        for process in processes:
            try:
                rss = process.memory_info().rss / MEGABYTE
                usage.processes += process.num_threads()
            except psutil.Error:
                continue
            resident += rss
            usage.memory_mb += max(0.0, rss - self.shared_mb)
        if processes:
            usage.memory_mb += self.shared_mb
        # What a process shares with the worker is not known from its size: near the limit it is asked for.
        if resident > self.job.limits.memory_mb and usage.processes <= self.job.limits.processes:
            usage.memory_mb = self._exact_mb(processes)
        unnamed = unnamed_files(process.pid for process in processes)
        usage.memory_mb += unnamed.memory_mb
        self.unnamed_disk_mb = unnamed.disk_mb
        self.peak_memory_mb = max(self.peak_memory_mb, usage.memory_mb)
        return usage

    def _exact_mb(self, processes: list[psutil.Process]) -> float:
        """Measured anew only after a while: with many processes it is so dear that a bomb would outrun the watch."""
        began = time.monotonic()
        if began >= self.next_exact:
            self.exact_mb = _unshared_mb(processes)
            self.next_exact = time.monotonic() + 4 * (time.monotonic() - began)
        return self.exact_mb

    def _limit_met(self, now: float, usage: _Usage) -> tuple[Ended, float] | None:
        limits = self.job.limits
        if usage.memory_mb > limits.memory_mb:
            return Ended.MEMORY, usage.memory_mb
        if usage.processes > limits.processes:
            return Ended.PROCESSES, usage.processes
        if now > self.began + _last_moment(limits):
            return Ended.TIMEOUT, now - self.began
        if self.cells_began and self.cells_seconds is None:
            # The driver interrupts first; this is for one that cannot any more.
            late = now - self.cells_began - limits.seconds
            if late > 2 * protocol.GRACE_SECONDS + limits.predict_seconds:
                return Ended.TIMEOUT, now - self.cells_began
        return None

    def _disk_limit_met(self) -> tuple[Ended, float] | None:
        used = disk_used_mb(self.folder.path) - self.folder.given_mb + self.unnamed_disk_mb
        return (Ended.DISK, used) if used > self.job.limits.disk_mb else None

    def _reply(self, ended: Ended, used: float) -> Reply:
        now = time.monotonic()
        if not self.taken:
            self._take()
        began = self.cells_began or now
        if self.group is not None and self.group.met:
            ended, used = Ended.MEMORY, max(used, self.group.peak_mb, self.job.limits.memory_mb)
        return Reply(
            ended=ended,
            executed=self.executed,
            facts=self.facts,
            seconds=now - self.began,
            cell_seconds=self.cells_seconds if self.cells_seconds is not None else now - began,
            peak_memory_mb=self.peak_memory_mb,
            used=used,
            log=self.log,
        )


def descendants(pid: int) -> list[psutil.Process]:
    """All processes below ``pid``; raises psutil.Error when there is no such process.

    Linux keeps a list of every thread's children; elsewhere each process of the machine is asked who its parent is.
    """
    if not Path(f"/proc/{pid}/task/{pid}/children").exists():
        return psutil.Process(pid).children(recursive=True)
    found, waiting = [], [pid]
    while waiting:
        for below in _children(waiting.pop()):
            waiting.append(below)
            with suppress(psutil.Error):
                found.append(psutil.Process(below))
    return found


def _children(pid: int) -> list[int]:
    children: list[int] = []
    with suppress(OSError):  # it has ended in the meantime
        for task in list(Path(f"/proc/{pid}/task").iterdir()):
            children += map(int, (task / "children").read_text().split())
    return children


def _last_moment(limits: Limits) -> float:
    phases = protocol.START_SECONDS + limits.seconds + 2 * limits.predict_seconds
    return phases + 4 * protocol.GRACE_SECONDS


def _unshared_mb(processes: list[psutil.Process]) -> float:
    """Memory with what forks share counted once; dearer to ask, so only near the limit."""
    total = 0.0
    for process in processes:
        try:
            memory = process.memory_full_info()
            total += getattr(memory, "pss", memory.uss) / MEGABYTE
        except psutil.Error:
            continue
    return total
