"""Supervision of one running job: collects its results, measures its processes and ends it at a limit."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import psutil

from grader.models.assignment import Limits
from grader.sandbox.base import EndReason, Job, Reply
from grader.sandbox.cgroup import MemoryGroup
from grader.sandbox.deleted_files import DeletedFiles
from grader.sandbox.guest import protocol
from grader.sandbox.job import MEGABYTE, JobFolder, disk_used_mb, log_tail

TICK = 0.005  # seconds between two checks for the guest's markers
MEASURE_EVERY = 0.2  # seconds between two measurements of the process tree
MEASURE_DISK_EVERY = 2.0


class Tree(Protocol):
    """All processes of one job, identified by their common ancestor."""

    @property
    def pid(self) -> int: ...

    def poll(self) -> int | None:
        """Return the exit status once all have ended (0, the driver's, or 128 + a signal), None before."""


@dataclass
class _Usage:
    memory_mb: float = 0.0
    processes: int = 0


@dataclass
class Monitor:
    job: Job
    folder: JobFolder
    tree: Tree
    group: MemoryGroup | None = None  # set where the kernel enforces the memory limit as well
    shared_mb: float = 0.0  # memory that every process shares with the worker it was forked from
    began: float = field(default_factory=time.monotonic)
    cells_began: float | None = None
    cells_seconds: float | None = None
    collected: bool = False
    executed: bytes | None = None
    facts: bytes | None = None
    peak_memory_mb: float = 0.0
    deleted_files: DeletedFiles = field(default_factory=DeletedFiles)
    deleted_disk_mb: float = 0.0
    exact_mb: float = 0.0
    next_exact: float = 0.0

    def wait(self) -> Reply:
        """Return the reply once the job has ended or has reached a limit."""
        next_measurement = next_disk = self.began
        while (code := self.tree.poll()) is None:
            now = time.monotonic()
            self._follow_markers(now)
            if now >= next_measurement:
                # The time is looked at first: a notebook can make the measurements slow.
                reached = self._time_limit_reached(now) or self._limit_reached(self._measure())
                next_measurement = time.monotonic() + MEASURE_EVERY
                if reached is None and now >= next_disk:
                    next_disk = now + MEASURE_DISK_EVERY
                    reached = self._disk_limit_reached()
                if reached is not None:
                    return self._reply(*reached)
            time.sleep(TICK)
        self._follow_markers(time.monotonic())
        return self._reply(_end_reason(code), 0.0)

    def _follow_markers(self, now: float) -> None:
        """React to the guest's markers, in order. Results are collected before the hidden inputs are copied in."""
        if self.cells_began is None and self.folder.exists(protocol.STARTED):
            self.cells_began = now
        if self.cells_seconds is None and self.folder.exists(protocol.CELLS_ENDED):
            self.cells_seconds = now - (self.cells_began or self.began)
        if not self.collected and self.folder.exists(protocol.READY):
            self.collected = True
            self._collect()
            if self.job.question is not None:
                with suppress(OSError):  # the notebook blocks the path: its model finds no inputs
                    self.folder.put_hidden_inputs(self.job.question)
                self.folder.mark_asked()

    def _collect(self) -> None:
        self.executed = self.folder.read(protocol.OUT, protocol.EXECUTED, protocol.MAX_EXECUTED_BYTES)
        self.facts = self.folder.read(protocol.EXCHANGE, protocol.FACTS, protocol.MAX_FACTS_BYTES)

    def _measure(self) -> _Usage:
        usage = _Usage()
        try:
            processes = descendants(self.tree.pid)
        except psutil.Error:
            return usage
        resident = 0.0
        for process in processes:
            try:
                rss = process.memory_info().rss / MEGABYTE
                usage.processes += _thread_count(process)
            except psutil.Error:
                continue
            resident += rss
            usage.memory_mb += max(0.0, rss - self.shared_mb)
        if processes:
            usage.memory_mb += self.shared_mb
        # The resident size does not tell how much is shared with the worker; measure exactly when near the limit.
        if resident > self.job.limits.memory_limit_mb and usage.processes <= self.job.limits.processes:
            usage.memory_mb = self._exact_memory_mb(processes)
        deleted_memory_mb, self.deleted_disk_mb = self.deleted_files.measure(process.pid for process in processes)
        usage.memory_mb += deleted_memory_mb
        if self.group is None:  # a group counts this memory itself
            usage.memory_mb += socket_buffers_mb(process.pid for process in processes)
        self.peak_memory_mb = max(self.peak_memory_mb, usage.memory_mb)
        return usage

    def _exact_memory_mb(self, processes: list[psutil.Process]) -> float:
        """Return the exact memory, cached for a while: constant measuring would let a fork bomb outrun the monitor."""
        began = time.monotonic()
        if began >= self.next_exact:
            self.exact_mb = _unshared_mb(processes, self.shared_mb)
            self.next_exact = time.monotonic() + 4 * (time.monotonic() - began)
        return self.exact_mb

    def _limit_reached(self, usage: _Usage) -> tuple[EndReason, float] | None:
        limits = self.job.limits
        if usage.memory_mb > limits.memory_limit_mb or (self.group is not None and self.group.limit_reached):
            return EndReason.MEMORY, usage.memory_mb
        if usage.processes > limits.processes:
            return EndReason.PROCESSES, usage.processes
        return None

    def _time_limit_reached(self, now: float) -> tuple[EndReason, float] | None:
        limits = self.job.limits
        if now > self.began + _max_seconds(limits):
            return EndReason.TIMEOUT, now - self.began
        if self.cells_began and self.cells_seconds is None:
            # The driver interrupts the cells first; this applies when it no longer can.
            late = now - self.cells_began - limits.seconds
            if late > 3 * protocol.GRACE_SECONDS:
                return EndReason.TIMEOUT, now - self.cells_began
        return None

    def _disk_limit_reached(self) -> tuple[EndReason, float] | None:
        used = disk_used_mb(self.folder.path) - self.folder.given_mb + self.deleted_disk_mb
        return (EndReason.DISK, used) if used > self.job.limits.disk_mb else None

    def _log(self) -> str:
        """Return the end of the logs. The kernel's counts only if no student code ran, which could write to it."""
        log = log_tail(self.folder.log)
        return log if self.cells_began is not None else log + log_tail(self.folder.kernel_log)

    def _reply(self, ended: EndReason, used: float) -> Reply:
        now = time.monotonic()
        if not self.collected:
            self._collect()
        began = self.cells_began or now
        by_kernel = self.group is not None and self.group.limit_reached
        if self.group is not None and by_kernel:
            ended, used = EndReason.MEMORY, max(used, self.group.peak_mb, self.job.limits.memory_limit_mb)
        return Reply(
            ended=ended,
            started=self.cells_began is not None,
            executed=self.executed,
            facts=self.facts,
            seconds=now - self.began,
            cell_seconds=self.cells_seconds if self.cells_seconds is not None else now - began,
            peak_memory_mb=self.peak_memory_mb,
            by_kernel=by_kernel,
            used=used,
            log=self._log(),
        )


def _end_reason(code: int) -> EndReason:
    if code == 0:
        return EndReason.FINISHED
    return EndReason.FAULT if 0 < code < 128 else EndReason.DIED


def _max_seconds(limits: Limits) -> float:
    phases = protocol.START_SECONDS + limits.seconds + 2 * limits.predict_seconds
    return phases + 4 * protocol.GRACE_SECONDS


# ------------------------------------------------------------------ measurements


def descendants(pid: int) -> list[psutil.Process]:
    """Return all processes below ``pid``. Raise psutil.Error if there is no such process.

    Linux keeps a list of every thread's children; elsewhere the parent of every process on the machine is queried.
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
    with suppress(OSError):  # the process has ended in the meantime
        for task in list(Path(f"/proc/{pid}/task").iterdir()):
            children += map(int, (task / "children").read_text().split())
    return children


def _thread_count(process: psutil.Process) -> int:
    """Return the number of threads. psutil takes it from a text in which a process can write its own name."""
    try:
        return len(os.listdir(f"/proc/{process.pid}/task"))  # noqa: PTH208  no Path for each of thousands of threads
    except OSError:
        return int(process.num_threads())  # another system, or the process has ended


def _unshared_mb(processes: list[psutil.Process], shared_mb: float) -> float:
    """Return the memory of ``processes``, counting shared pages once. Slow, so used only near the limit.

    A process can forbid to look at its pages; then all of them count, less ``shared_mb``.
    """
    total = 0.0
    for process in processes:
        with suppress(psutil.Error):
            try:
                memory = process.memory_full_info()
                total += getattr(memory, "pss", memory.uss) / MEGABYTE
            except psutil.AccessDenied:
                total += max(0.0, process.memory_info().rss / MEGABYTE - shared_mb)
    return total


SOCKET_MB = 0.45  # that a socket can hold unread: twice the kernel's default limit, and a message
FREE_SOCKETS = 200  # not counted: those of a kernel, and of servers that a notebook tries out
SOCKETS_USED = re.compile(r"^sockets: used (\d+)$", re.MULTILINE)


def socket_buffers_mb(pids: Iterable[int]) -> float:
    """Return the memory (MB) that sockets in networks of their own could hold, which belongs to no process.

    Every socket counts as full, because the kernel tells only their number. Sockets in this process's network are not
    counted: they belong to the whole machine. Always 0 on systems other than Linux.
    """
    networks: dict[int, int] = {}  # a process in each
    for pid in (os.getpid(), *pids):
        with suppress(OSError):  # the process has ended in the meantime
            networks.setdefault(Path(f"/proc/{pid}/ns/net").stat().st_ino, pid)
    used = 0
    for pid in networks.values():
        if pid != os.getpid():
            with suppress(OSError):
                found = SOCKETS_USED.search(Path(f"/proc/{pid}/net/sockstat").read_text())
                used += max(0, int(found[1]) - FREE_SOCKETS) if found is not None else 0
    return used * SOCKET_MB
