"""A process tree of its own for every submission, started cold: limited, and killed whole.

By itself it confines nothing; a level that does (``bubblewrap``, ``container``) puts its own command around it.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from grader.models.errors import SandboxError, Stopped
from grader.sandbox import gpu
from grader.sandbox import guest as guest_package
from grader.sandbox import supervisor as supervisor_program
from grader.sandbox.base import Job, Reply
from grader.sandbox.cgroup import MemoryGroup, memory_group
from grader.sandbox.guest import protocol
from grader.sandbox.job import JobFolder, environment, predictions_limit
from grader.sandbox.monitor import Watch


@dataclass(frozen=True, slots=True)
class Command:
    """What starts the guest's worker for one job."""

    argv: list[str]
    environment: Mapping[str, str]
    own_limits: bool = False  # an engine that keeps the limit on memory itself, in groups of its own


def plain_command(job: Job, folder: JobFolder, inherited: Mapping[str, str]) -> Command:
    """The worker as a process like any other: it sees what its user sees."""
    guest = Path(str(guest_package.__file__)).parent
    argv = [sys.executable, *protocol.PYTHON_OPTIONS, "-c", protocol.bootstrap("boot.worker", guest), str(folder.path)]
    variables = environment(folder.path, job.threads, inherited)
    return Command(argv, variables | gpu.environment(gpu.card(inherited), hidden_others=False))


class ProcessSandbox:
    """``inherited`` is the environment of which a notebook gets the few names it needs.

    ``mounts``: whether ``command`` shows the notebook a view of its own; only the plain one, by default, does not.
    """

    def __init__(
        self,
        inherited: Mapping[str, str],
        *,
        confinement: str = "process",
        command: Callable[[Job, JobFolder, Mapping[str, str]], Command] = plain_command,
        mounts: bool | None = None,
    ) -> None:
        self.confinement = confinement
        self._inherited = inherited
        self._command = command
        self._mounts = command is not plain_command if mounts is None else mounts
        self._running: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()
        self._closed = False

    def run(self, job: Job) -> Reply:
        folder = JobFolder(job, confined=self._mounts)
        group = memory_group(job.limits.memory_mb)
        try:
            return self._run(job, folder, group)
        finally:
            folder.close()
            if group is not None:
                group.close()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            for supervisor in self._running:
                _stop(supervisor)

    def _run(self, job: Job, folder: JobFolder, group: MemoryGroup | None) -> Reply:
        with folder.log.open("wb") as log_file:
            supervisor = self._start(job, folder, log_file, group)
            try:
                reply = Watch(job, folder, supervisor, group).until_end()
            finally:
                _stop(supervisor)
                supervisor.wait()
                with self._lock:
                    self._running.discard(supervisor)
        if self._closed:
            raise Stopped
        # Only now, with every process of the notebook dead, is the answer taken.
        predictions = folder.read(protocol.PREDICTIONS, predictions_limit(job.question)) if job.question else None
        return replace(reply, predictions=predictions)

    def _start(
        self, job: Job, folder: JobFolder, log_file: IO[bytes], group: MemoryGroup | None
    ) -> subprocess.Popen[bytes]:
        command = self._command(job, folder, self._inherited)
        with self._lock:
            if self._closed:
                raise Stopped
            try:
                supervisor: subprocess.Popen[bytes] = subprocess.Popen(
                    [
                        sys.executable,
                        "-I",
                        "-B",
                        supervisor_program.__file__,
                        *_entering(None if command.own_limits else group),
                        *command.argv,
                    ],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    stderr=log_file,
                    cwd=folder.path,
                    env=dict(command.environment),
                    start_new_session=True,  # Ctrl-C is for the grader; the notebook is stopped in order
                )
            except OSError as error:
                raise SandboxError(f"the notebook's process cannot be started: {error.strerror}") from error
            self._running.add(supervisor)
            return supervisor


def _entering(group: MemoryGroup | None) -> list[str]:
    """A shell that enters the group and becomes what follows."""
    return ["/bin/sh", "-c", 'echo 0 2>&- >"$0"; exec "$@"', str(group.entrance)] if group is not None else []


def _stop(supervisor: subprocess.Popen[bytes]) -> None:
    """Its input closed, the supervisor kills everything below it and ends."""
    if supervisor.stdin is not None and not supervisor.stdin.closed:
        supervisor.stdin.close()
