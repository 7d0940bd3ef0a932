"""One process tree per submission: limited in time, memory, disk and number, and killed whole. It confines nothing."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO

import psutil

from grader.errors import SandboxError, Stopped
from grader.records import Limits
from grader.sandbox import guest as guest_package
from grader.sandbox import supervise
from grader.sandbox.base import Ended, Job, Reply
from grader.sandbox.guest import protocol
from grader.sandbox.job import MEGABYTE, JobFolder, disk_used_mb, environment, predictions_limit

TICK = 0.05  # seconds between two looks for the guest's markers
WATCH_EVERY = 0.2  # seconds between two measurements of the tree
DISK_EVERY = 2.0
LOG_BYTES = 20_000


class ProcessSandbox:
    """Limits only: the notebook runs as the user who grades. ``environment`` is what it may inherit from."""

    confinement = "process"

    def __init__(self, inherited: Mapping[str, str]) -> None:
        self._inherited = inherited
        self._running: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()
        self._closed = False

    def run(self, job: Job) -> Reply:
        folder = JobFolder(job)
        try:
            return self._run(job, folder)
        finally:
            folder.close()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            for supervisor in self._running:
                _stop(supervisor)

    def _run(self, job: Job, folder: JobFolder) -> Reply:
        log = folder.path / "driver.log"
        with log.open("wb") as log_file:
            supervisor = self._start(job, folder, log_file)
            try:
                reply = _Watch(job, folder, supervisor).until_end()
            finally:
                _stop(supervisor)
                supervisor.wait()
                with self._lock:
                    self._running.discard(supervisor)
        if self._closed:
            raise Stopped
        # Only now, with every process of the notebook dead, is the answer taken.
        predictions = folder.read(protocol.PREDICTIONS, predictions_limit(job.question)) if job.question else None
        return replace(reply, predictions=predictions, log=_tail(log))

    def _start(self, job: Job, folder: JobFolder, log_file: IO[bytes]) -> subprocess.Popen[bytes]:
        guest = Path(guest_package.__file__).parent
        driver = [sys.executable, *protocol.PYTHON_OPTIONS, "-c", protocol.bootstrap("worker", guest), str(folder.path)]
        with self._lock:
            if self._closed:
                raise Stopped
            try:
                supervisor: subprocess.Popen[bytes] = subprocess.Popen(
                    [sys.executable, "-I", "-B", supervise.__file__, *driver],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    stderr=log_file,
                    cwd=folder.path,
                    env=environment(folder.path, job.threads, self._inherited),
                    start_new_session=True,  # Ctrl-C is for the grader; the notebook is stopped in order
                )
            except OSError as error:
                raise SandboxError(f"the notebook's process cannot be started: {error.strerror}") from error
            self._running.add(supervisor)
            return supervisor


def _stop(supervisor: subprocess.Popen[bytes]) -> None:
    """Its input closed, the supervisor kills everything below it and ends."""
    if supervisor.stdin is not None and not supervisor.stdin.closed:
        supervisor.stdin.close()


def _tail(log: Path) -> str:
    return log.read_bytes()[-LOG_BYTES:].decode("utf-8", "replace")


@dataclass
class _Usage:
    memory_mb: float = 0.0
    processes: int = 0


@dataclass
class _Watch:
    """Looks after one running job: takes what it writes, measures the tree, ends it at a limit."""

    job: Job
    folder: JobFolder
    supervisor: subprocess.Popen[bytes]
    began: float = field(default_factory=time.monotonic)
    cells_began: float | None = None
    cells_seconds: float | None = None
    taken: bool = False
    executed: bytes | None = None
    facts: bytes | None = None
    peak_memory_mb: float = 0.0

    def until_end(self) -> Reply:
        next_look = next_disk = self.began
        while self.supervisor.poll() is None:
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
        return self._reply(self._ended(self.supervisor.returncode), 0.0)

    def _ended(self, code: int) -> Ended:
        if code == 0:
            return Ended.FINISHED
        return Ended.FAULT if 0 < code < 128 else Ended.DIED

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

    def _usage(self) -> _Usage:
        usage = _Usage()
        try:
            processes = psutil.Process(self.supervisor.pid).children(recursive=True)
        except psutil.Error:
            return usage
        for process in processes:
            try:
                usage.memory_mb += process.memory_info().rss / MEGABYTE
                usage.processes += process.num_threads()
            except psutil.Error:
                continue
        if usage.memory_mb > self.job.limits.memory_mb:
            usage.memory_mb = _unshared_mb(processes)
        self.peak_memory_mb = max(self.peak_memory_mb, usage.memory_mb)
        return usage

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
            if late > 2 * protocol.GRACE_SECONDS + protocol.PROBE_SECONDS:
                return Ended.TIMEOUT, now - self.cells_began
        return None

    def _disk_limit_met(self) -> tuple[Ended, float] | None:
        used = disk_used_mb(self.folder.path)
        return (Ended.DISK, used) if used > self.job.limits.disk_mb else None

    def _reply(self, ended: Ended, used: float) -> Reply:
        now = time.monotonic()
        if not self.taken:
            self._take()
        began = self.cells_began or now
        return Reply(
            ended=ended,
            executed=self.executed,
            facts=self.facts,
            seconds=now - self.began,
            cell_seconds=self.cells_seconds if self.cells_seconds is not None else now - began,
            peak_memory_mb=self.peak_memory_mb,
            used=used,
        )


def _last_moment(limits: Limits) -> float:
    phases = protocol.START_SECONDS + limits.seconds + 2 * protocol.PROBE_SECONDS
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
