"""Warm workers: TensorFlow is imported once, every submission is a fork of that process, in namespaces of its own."""

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

from grader.models.errors import SandboxError, Stopped
from grader.sandbox import gpu
from grader.sandbox import guest as guest_package
from grader.sandbox.base import Ended, Job, Reply
from grader.sandbox.cgroup import MemoryGroup, memory_group
from grader.sandbox.guest import protocol
from grader.sandbox.job import JobFolder, environment, predictions_limit, tail
from grader.sandbox.monitor import Watch
from grader.sandbox.mounts import JOB, Mount, machine_view, view

NAME = "namespaces"
SECONDS_TO_START = 180.0  # a cold disk under TensorFlow
SECONDS_TO_END = 15.0


class WorkerDied(Exception):  # noqa: N818
    """The warm process is gone, not for anything a notebook could do: start another and try again."""


class NamespaceSandbox:
    """``threads`` of each notebook are decided when the worker starts; ``inherited`` is what it may know of outside."""

    confinement = NAME

    def __init__(self, inherited: Mapping[str, str], *, preload: bool = True) -> None:
        self._inherited = inherited
        self._preload = preload
        self._card = gpu.card(inherited)
        self._machine_view = machine_view(self._card)
        self._workers: dict[int, _Worker] = {}  # by number of threads
        self._lock = threading.Lock()
        self._closed = False

    def run(self, job: Job) -> Reply:
        try:
            return self._run(job)
        except WorkerDied:
            pass
        try:
            return self._run(job)
        except WorkerDied as error:
            raise SandboxError(f"the warm worker died twice: {error}") from error

    def warm_up(self, threads: int) -> None:
        """Starts the worker for notebooks of so many threads; it gets ready while the caller does something else."""
        with self._lock:
            self._workers[threads] = self._started(threads)

    def close(self) -> None:
        with self._lock:
            self._closed = True
            for worker in self._workers.values():
                worker.close()
            self._workers.clear()

    def _run(self, job: Job) -> Reply:
        worker = self._worker(job.threads)
        folder = JobFolder(job)
        group = memory_group(job.limits.memory_mb)
        try:
            folder.log.touch()
            tree = worker.fork(job, folder, view(self._machine_view, folder.path, job), group)
            try:
                reply = Watch(job, folder, tree, group, shared_mb=worker.rss_mb).until_end()
            finally:
                tree.stop()
            if self._closed:
                raise Stopped
            if reply.ended is Ended.FAULT and "isolation failed" in reply.log:
                raise SandboxError(reply.log.strip().splitlines()[-1])
            predictions = folder.read(protocol.PREDICTIONS, predictions_limit(job.question)) if job.question else None
            return replace(reply, predictions=predictions)
        finally:
            folder.close()
            if group is not None:
                group.close()

    def _worker(self, threads: int) -> _Worker:
        """The living worker for so many threads; a dead one is replaced."""
        with self._lock:
            if self._closed:
                raise Stopped
            worker = self._workers.get(threads)
            if worker is not None and not worker.alive:
                worker.close()
                worker = None
            if worker is None:
                worker = self._workers[threads] = self._started(threads)
        worker.wait_until_ready()
        return worker

    def _started(self, threads: int) -> _Worker:
        variables = environment(JOB, threads, self._inherited) | gpu.environment(self._card, hidden_others=True)
        return _Worker(variables, preload=self._preload)


@dataclass
class _Tree:
    """One job's processes, by their keeper's number; told by the worker when they have ended."""

    worker: _Worker
    pid: int = 0
    status: int | None = None
    changed: threading.Event = field(default_factory=threading.Event)

    def poll(self) -> int | None:
        if self.status is None and not self.worker.alive:
            raise WorkerDied(self.worker.last_words())
        return self.status

    def stop(self) -> None:
        """All of them are dead when this returns."""
        if self.status is None and self.pid and self.worker.alive:
            try:
                os.kill(self.pid, signal.SIGTERM)
            except ProcessLookupError:
                return
            self.changed.wait(SECONDS_TO_END)


class _Worker:
    """One warm process and its ear. Its children are known by the job folder they were forked for."""

    def __init__(self, variables: Mapping[str, str], *, preload: bool) -> None:
        with tempfile.NamedTemporaryFile(prefix="grader-worker-", suffix=".log", delete=False) as log:
            self._log = Path(log.name)
        self._root = tempfile.mkdtemp(prefix="grader-root-")  # every job mounts its own view over it, unseen by others
        self._ready = threading.Event()
        self._trees: dict[str, _Tree] = {}
        self._lock = threading.Lock()
        self.rss_mb = 0.0
        guest = Path(str(guest_package.__file__)).parent
        code = protocol.bootstrap("boot.worker", guest, function="serve")
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
        self._ear = threading.Thread(target=self._listen, daemon=True)
        self._ear.start()

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def last_words(self) -> str:
        return tail(self._log)[-500:] if self._log.exists() else ""

    def wait_until_ready(self) -> None:
        if not self._ready.wait(SECONDS_TO_START) or not self.alive:
            raise WorkerDied(self.last_words())

    def fork(self, job: Job, folder: JobFolder, seen: tuple[Mount, ...], group: MemoryGroup | None) -> _Tree:
        name = str(folder.path)
        tree = _Tree(self)
        with self._lock:
            self._trees[name] = tree
            self._say(
                job=name,
                at=str(JOB),
                log=str(folder.log),
                root=self._root,
                processes=job.limits.processes,
                view=[_plain(mount) for mount in seen],
                group=str(group.entrance) if group is not None else None,
            )
        if not tree.changed.wait(SECONDS_TO_END):
            raise WorkerDied(self.last_words())
        tree.changed.clear()
        return tree

    def close(self) -> None:
        """Every job's keeper dies with the worker, and everything inside with its keeper."""
        assert self._process.stdin is not None
        if not self._ready.is_set():
            self._process.kill()  # it is importing and would not hear
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._ear.join(SECONDS_TO_END)
        self._log.unlink(missing_ok=True)
        Path(self._root).rmdir()

    def _say(self, **words: Any) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(words).encode() + b"\n")
            self._process.stdin.flush()
        except (OSError, ValueError) as error:
            raise WorkerDied(str(error)) from error

    def _listen(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as words_of_worker:
            for line in words_of_worker:
                self._hear(json.loads(line))
        self._ready.set()  # whoever waits finds it dead
        for tree in list(self._trees.values()):
            tree.changed.set()

    def _hear(self, words: dict[str, Any]) -> None:
        if words.get("ready"):
            self.rss_mb = words["rss_mb"]
            self._ready.set()
            return
        tree = self._trees[words["job"]]
        tree.pid = words.get("pid", tree.pid)
        tree.status = words.get("status")
        if tree.status is not None:
            del self._trees[words["job"]]
        tree.changed.set()


def _plain(mount: Mount) -> dict[str, str]:
    plain = {"kind": mount.kind.value, "target": str(mount.target)}
    return plain | ({"source": str(mount.source)} if mount.source is not None else {})
