"""Cold start: every notebook gets a new process tree, with limits, that is killed as a whole at the end.

The plain command confines nothing. The levels ``bubblewrap`` and ``container`` put their own command around it, and
``unprivileged_sandbox`` gives the processes to another user.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import IO

from grader.i18n.message import message
from grader.models.errors import SandboxError, Stopped
from grader.sandbox import supervisor as supervisor_program
from grader.sandbox.base import Job, Reply
from grader.sandbox.cgroup import MemoryGroup, create_memory_group
from grader.sandbox.cores import Cores
from grader.sandbox.guest import protocol
from grader.sandbox.job import JobFolder, Owners, notebook_environment
from grader.sandbox.monitor import Monitor
from grader.sandbox.mounts import GUEST_SOURCE, find_gpu, gpu_environment
from grader.sandbox.programs import find_program

UNPRIVILEGED_USER = "nobody"
DRIVER_USER = 65533  # the number of no account; nobody has 65534


@dataclass(frozen=True, slots=True)
class Command:
    """Command lines that start the two sides of one job, and their environment."""

    driver: list[str]
    kernel: list[str]
    environment: Mapping[str, str]
    own_limits: bool = False  # the container engine enforces the memory limit in groups of its own


def plain_command(job: Job, folder: JobFolder, inherited: Mapping[str, str]) -> Command:
    """Return the command for unconfined processes, which see everything that their user can see."""
    driver, kernel = (
        [sys.executable, *protocol.PYTHON_OPTIONS, "-c", protocol.bootstrap(module, GUEST_SOURCE), str(folder.path)]
        for module in (protocol.SIDES["driver"], protocol.SIDES["kernel"])
    )
    variables = notebook_environment(folder.path, job.threads, inherited)
    return Command(driver, kernel, variables | gpu_environment(find_gpu(inherited), nodes_hidden=False))


class ProcessSandbox:
    """Sandbox that runs ``command`` for every job.

    ``inherited`` is the grader's environment, of which a notebook gets a few harmless variables. ``mounts`` tells
    whether ``command`` gives the notebook its own mounts; by default every command but the plain one does.
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
        self._cores = Cores()
        self._lock = threading.Lock()
        self._closed = False

    def run(self, job: Job) -> Reply:
        folder = JobFolder(job, confined=self._mounts)
        group = create_memory_group(job.limits.memory_limit_mb, processes=job.limits.processes, cores=job.threads)
        try:
            with self._cores.lend(job.threads) as cores:
                return self._run(job, folder, group, cores)
        finally:
            folder.close()
            if group is not None:
                group.close()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            for supervisor in self._running:
                _stop(supervisor)

    def _run(self, job: Job, folder: JobFolder, group: MemoryGroup | None, cores: tuple[int, ...]) -> Reply:
        command = self._command(job, folder, self._inherited)
        if not command.own_limits:
            command = replace(command, kernel=[*_join_group(group), *_keep_to(cores), *command.kernel])
        with folder.log.open("wb") as log_file:
            supervisor = self._start(command, folder, log_file)
            try:
                reply = Monitor(job, folder, supervisor, group).wait()
            finally:
                _stop(supervisor)
                supervisor.wait()
                with self._lock:
                    self._running.discard(supervisor)
        if self._closed:
            raise Stopped
        # Read the predictions only now that every process of the notebook is dead.
        return replace(reply, predictions=folder.read_predictions(job.question))

    def _start(self, command: Command, folder: JobFolder, log_file: IO[bytes]) -> subprocess.Popen[bytes]:
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
                        json.dumps(command.driver),
                        json.dumps(command.kernel),
                        str(folder.kernel_log),
                    ],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    stderr=log_file,
                    cwd=folder.path,
                    env=dict(command.environment),
                    start_new_session=True,  # Ctrl-C reaches the grader only, which then stops the notebook in order
                )
            except OSError as error:
                raise SandboxError(
                    message("The notebook's process cannot be started: {error}", error=error.strerror)
                ) from error
            self._running.add(supervisor)
            return supervisor


def _join_group(group: MemoryGroup | None) -> list[str]:
    """Return a shell command that joins ``group`` and then executes the words after it."""
    return ["/bin/sh", "-c", 'echo 0 2>&- >"$0"; exec "$@"', str(group.entrance)] if group is not None else []


def _keep_to(cores: tuple[int, ...]) -> list[str]:
    """Return a command that keeps to ``cores`` and then executes the words after it."""
    if not cores:
        return []
    code = "import os, sys; os.sched_setaffinity(0, eval(sys.argv[1])); os.execv(sys.argv[2], sys.argv[2:])"
    return [sys.executable, "-I", "-S", "-c", code, repr(cores)]


def _stop(supervisor: subprocess.Popen[bytes]) -> None:
    """Close the supervisor's input, which makes it kill everything below it and exit."""
    if supervisor.stdin is not None and not supervisor.stdin.closed:
        supervisor.stdin.close()


# ------------------------------------------------------------------ another user


def unprivileged_sandbox(inherited: Mapping[str, str]) -> ProcessSandbox:
    """Return a sandbox that runs notebooks as ``UNPRIVILEGED_USER``, for a grader that is root without confinement.

    The notebooks see what that user sees and reach the network, but cannot read files of root, such as the secret.
    Raise SandboxError where a process cannot be given to that user, since nothing would protect the secret then.
    """
    if sys.platform == "win32" or os.geteuid() != 0:
        raise SandboxError(message("Notebooks cannot run as another user: the grader is not root."))
    import pwd  # noqa: PLC0415  does not exist on Windows

    setpriv = find_program("setpriv", inherited)
    if setpriv is None:
        raise SandboxError(message("Notebooks cannot run as another user: setpriv was not found. Install util-linux."))
    try:
        user = pwd.getpwnam(UNPRIVILEGED_USER)
    except KeyError:
        raise SandboxError(
            message("Notebooks cannot run as another user: there is no user {user} here.", user=UNPRIVILEGED_USER)
        ) from None
    owners = Owners(driver=DRIVER_USER, kernel=user.pw_uid, group=user.pw_gid)
    command = partial(_unprivileged_command, setpriv=setpriv, owners=owners)
    return ProcessSandbox(inherited, command=command, mounts=False)


def _unprivileged_command(
    job: Job, folder: JobFolder, inherited: Mapping[str, str], *, setpriv: str, owners: Owners
) -> Command:
    """Return the plain command without privileges, each side as a user of its own.

    The supervisor stays root, so that it can kill everything.
    """
    folder.give_to(owners)
    plain = plain_command(job, folder, inherited)

    def become(user: int) -> list[str]:
        rights = ["--clear-groups", "--no-new-privs", "--inh-caps=-all", "--bounding-set=-all"]
        return [setpriv, f"--reuid={user}", f"--regid={owners.group}", *rights, "--"]

    return replace(
        plain, driver=[*become(owners.driver), *plain.driver], kernel=[*become(owners.kernel), *plain.kernel]
    )
