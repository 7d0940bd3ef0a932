"""The level ``namespaces``: a warm worker imports TensorFlow once, and each job is a fork of it in new namespaces."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from grader.i18n.message import message, verbatim
from grader.models.errors import SandboxError, Stopped
from grader.sandbox.base import EndReason, Job, Reply
from grader.sandbox.cgroup import MemoryGroup, create_memory_group
from grader.sandbox.cores import Cores
from grader.sandbox.guest import protocol
from grader.sandbox.job import JobFolder, log_tail, notebook_environment
from grader.sandbox.monitor import Monitor
from grader.sandbox.mounts import (
    GUEST_SOURCE,
    JOB,
    Mount,
    all_mounts,
    driver_mounts,
    find_gpu,
    gpu_environment,
    gpu_mounts,
    kernel_mounts,
    machine_mounts,
)

NAME = "namespaces"
SECONDS_TO_START = 180.0  # TensorFlow on a cold disk
SECONDS_TO_END = 15.0
DRIVER_PROCESSES = 64  # threads of the driver: it starts no processes


class WorkerDied(Exception):  # noqa: N818
    """The warm worker has died, which no notebook can cause. The job is tried again with a new worker."""


class NamespaceSandbox:
    """Sandbox of warm workers, one for each number of threads.

    ``inherited`` is the grader's environment, of which workers get a few harmless variables.
    """

    confinement = NAME

    def __init__(self, inherited: Mapping[str, str], *, preload: bool = True) -> None:
        self._inherited = inherited
        self._preload = preload
        self._gpu = find_gpu(inherited)
        self._machine_mounts, self._gpu_mounts = machine_mounts(), gpu_mounts(self._gpu)
        self._workers: dict[int, _Worker] = {}  # by number of threads
        self._cores = Cores()
        self._lock = threading.Lock()
        self._closed = False

    def run(self, job: Job) -> Reply:
        with self._cores.lend(job.threads) as cores:
            return self._run_twice(job, cores)

    def _run_twice(self, job: Job, cores: tuple[int, ...]) -> Reply:
        try:
            return self._run(job, cores)
        except WorkerDied:
            pass
        try:
            return self._run(job, cores)
        except WorkerDied as error:
            raise SandboxError(message("The warm worker died twice: {error}", error=str(error))) from error

    def warm_up(self, threads: int) -> None:
        """Start the worker for notebooks with this many threads, and return before it is ready."""
        with self._lock:
            self._workers[threads] = self._start_worker(threads)

    def close(self) -> None:
        with self._lock:
            self._closed = True
            for worker in self._workers.values():
                worker.close()
            self._workers.clear()

    def _run(self, job: Job, cores: tuple[int, ...]) -> Reply:
        worker = self._living_worker(job.threads)
        folder = JobFolder(job)
        group = create_memory_group(job.limits.memory_limit_mb, processes=job.limits.processes, cores=job.threads)
        try:
            tree = worker.fork(folder, self._driver(folder), replace(self._kernel(job, folder, group), cores=cores))
            try:
                reply = Monitor(job, folder, tree, group, shared_mb=worker.rss_mb).wait()
            finally:
                tree.stop()
            if self._closed:
                raise Stopped
            if reply.ended is EndReason.FAULT and "isolation failed" in reply.log:
                raise SandboxError(verbatim(reply.log.strip().splitlines()[-1]))
            return replace(reply, predictions=folder.read_predictions(job.question))
        finally:
            folder.close()
            if group is not None:
                group.close()

    def _driver(self, folder: JobFolder) -> _Side:
        return _Side(folder.log, DRIVER_PROCESSES, all_mounts(self._machine_mounts, driver_mounts(folder.path)))

    def _kernel(self, job: Job, folder: JobFolder, group: MemoryGroup | None) -> _Side:
        mounts = all_mounts((*self._machine_mounts, *self._gpu_mounts), kernel_mounts(folder.path, job))
        return _Side(folder.kernel_log, job.limits.processes, mounts, group)

    def _living_worker(self, threads: int) -> _Worker:
        """Return the worker for this many threads, once ready. A dead one is replaced."""
        with self._lock:
            if self._closed:
                raise Stopped
            worker = self._workers.get(threads)
            if worker is not None and not worker.alive:
                worker.close()
                worker = None
            if worker is None:
                worker = self._workers[threads] = self._start_worker(threads)
        worker.wait_until_ready()
        return worker

    def _start_worker(self, threads: int) -> _Worker:
        variables = notebook_environment(JOB, threads, self._inherited) | gpu_environment(self._gpu, nodes_hidden=True)
        return _Worker(variables, preload=self._preload)


@dataclass(frozen=True, slots=True)
class _Side:
    """Isolation of one side of a job, as the worker is to make it."""

    log: Path
    processes: int  # limit on processes and threads
    mounts: tuple[Mount, ...]
    group: MemoryGroup | None = None
    cores: tuple[int, ...] = ()  # all of the worker's if empty

    def to_json(self) -> dict[str, Any]:
        group = None if self.group is None else str(self.group.entrance)
        view = [_mount_json(mount) for mount in self.mounts]
        return {"log": str(self.log), "processes": self.processes, "view": view, "group": group, "cores": self.cores}


@dataclass
class _Tree:
    """The processes of one job, identified by their init process. The worker reports when they have ended."""

    worker: _Worker
    pid: int = 0
    status: int | None = None
    changed: threading.Event = field(default_factory=threading.Event)

    def poll(self) -> int | None:
        if self.status is None and not self.worker.alive:
            raise WorkerDied(self.worker.last_words())
        return self.status

    def stop(self) -> None:
        """Kill the processes. All of them are dead when this returns."""
        if self.status is None and self.pid and self.worker.alive:
            try:
                os.kill(self.pid, signal.SIGTERM)
            except ProcessLookupError:
                return
            self.changed.wait(SECONDS_TO_END)


class _Worker:
    """A warm process and the thread that reads its messages. Children are known by the job folder they run in."""

    def __init__(self, variables: Mapping[str, str], *, preload: bool) -> None:
        with tempfile.NamedTemporaryFile(prefix="grader-worker-", suffix=".log", delete=False) as log:
            self._log = Path(log.name)
        self._root = tempfile.mkdtemp(prefix="grader-root-")  # jobs mount on it, each in a mount namespace of its own
        self._ready = threading.Event()
        self._trees: dict[str, _Tree] = {}
        self._lock = threading.Lock()
        self.rss_mb = 0.0
        code = protocol.bootstrap("boot.worker", GUEST_SOURCE, function="serve")
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, *protocol.PYTHON_OPTIONS, "-c", code, *(["preload"] if preload else [])],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd="/",
                env=dict(variables),
                start_new_session=True,
            )
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def last_words(self) -> str:
        return log_tail(self._log)[-500:] if self._log.exists() else ""

    def wait_until_ready(self) -> None:
        if not self._ready.wait(SECONDS_TO_START) or not self.alive:
            raise WorkerDied(self.last_words())

    def fork(self, folder: JobFolder, driver: _Side, kernel: _Side) -> _Tree:
        name = str(folder.path)
        tree = _Tree(self)
        with self._lock:
            self._trees[name] = tree
            self._send(job=name, at=str(JOB), root=self._root, driver=driver.to_json(), kernel=kernel.to_json())
        if not tree.changed.wait(SECONDS_TO_END):
            raise WorkerDied(self.last_words())
        tree.changed.clear()
        return tree

    def close(self) -> None:
        """End the worker. Each job's init process dies with it, and all processes of the job die with their init."""
        assert self._process.stdin is not None
        if not self._ready.is_set():
            self._process.kill()  # while it imports it does not notice the end of its input
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._listener.join(SECONDS_TO_END)
        self._log.unlink(missing_ok=True)
        Path(self._root).rmdir()

    def _send(self, **request: Any) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
        except (OSError, ValueError) as error:
            raise WorkerDied(str(error)) from error

    def _listen(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as output:
            for line in output:
                self._receive(json.loads(line))
        self._ready.set()  # wakes up waiting threads, which then find the worker dead
        for tree in list(self._trees.values()):
            tree.changed.set()

    def _receive(self, report: dict[str, Any]) -> None:
        if report.get("ready"):
            self.rss_mb = report["rss_mb"]
            self._ready.set()
            return
        tree = self._trees[report["job"]]
        tree.pid = report.get("pid", tree.pid)
        tree.status = report.get("status")
        if tree.status is not None:
            del self._trees[report["job"]]
        tree.changed.set()


def _mount_json(mount: Mount) -> dict[str, str]:
    fields = {"kind": mount.kind.value, "target": str(mount.target)}
    return fields | ({"source": str(mount.source)} if mount.source is not None else {})
