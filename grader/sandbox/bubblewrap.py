"""The level ``bubblewrap``: a cold start inside namespaces that another program, ``bwrap``, sets up. Linux only.

For machines where forking a warm worker is not wanted, or where ``bwrap`` alone is allowed to make namespaces.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from grader.i18n.message import Message, message
from grader.models.assignment import Limits
from grader.models.errors import SandboxError
from grader.sandbox import gpu
from grader.sandbox.base import Job
from grader.sandbox.guest import protocol
from grader.sandbox.guest.boot import seccomp
from grader.sandbox.job import JobFolder, environment
from grader.sandbox.mounts import GUEST, JOB, Kind, Mount, machine_view, view
from grader.sandbox.process import Command

NAME = "bubblewrap"
FILTER = "seccomp.bpf"  # in the job folder, where a notebook can read it and not change it
FILTER_DESCRIPTOR = "9"
SCRATCH_BYTES = 64 << 20  # memory that no process owns, and that the watch therefore does not see
TRIAL_SECONDS = 30.0
# Few processes, no network but with itself, system calls filtered: then the rest of one command holds as well.
TRIAL = """
import os, socket
alone = os.getpid() < 10 and {name for _, name in socket.if_nameindex()} <= {"lo"}
filtered = "Seccomp:\t2" in open("/proc/self/status").read()
print("confined" if alone and filtered else "not confined")
"""
BINDS = {Kind.READ_ONLY: "--ro-bind", Kind.WRITABLE: "--bind", Kind.DEVICE: "--dev-bind", Kind.LINK: "--symlink"}


def bubblewrap_command(job: Job, folder: JobFolder, inherited: Mapping[str, str]) -> Command:
    """The worker in namespaces of its own, seeing what ``view`` lists. Raises SandboxError without ``bwrap``."""
    return _command(job, folder, inherited, [protocol.bootstrap("boot.worker", GUEST), str(JOB)])


def available(inherited: Mapping[str, str]) -> Message | None:
    """None when a program really ran confined just now; otherwise what stands in the way, and what to do."""
    if sys.platform != "linux":
        return message("bubblewrap exists for Linux alone.")
    if _bwrap(inherited) is None:
        return message(
            "bubblewrap is not installed. Debian and Ubuntu: sudo apt install bubblewrap. "
            "Fedora: sudo dnf install bubblewrap."
        )
    if seccomp.program() is None:
        return message("There is no filter of system calls for this machine's kind of processor.")
    job = Job(b"{}", {}, Limits())
    folder = JobFolder(job)
    try:
        return _tried(_command(job, folder, inherited, [TRIAL]))
    finally:
        folder.close()


def _tried(command: Command) -> Message | None:
    try:
        done = subprocess.run(
            command.argv,
            env=dict(command.environment),
            capture_output=True,
            text=True,
            timeout=TRIAL_SECONDS,
            check=False,
        )
    except (OSError, subprocess.SubprocessError) as error:
        return message("bwrap cannot be started: {error}", error=str(error))
    if done.stdout.strip() == "confined":
        return None
    words = (done.stderr.strip().splitlines() or [done.stdout.strip() or f"exit status {done.returncode}"])[-1]
    if "ermission" in words or "ermitted" in words:
        return message(
            "bwrap may not make namespaces here: {error}. On Ubuntu 24.04 and newer AppArmor forbids it until bwrap's "
            "profile is installed; docs/confinement.md has the three commands.",
            error=words,
        )
    return message("bwrap does not work here: {error}. Version 0.7 or newer is needed.", error=words)


def _bwrap(inherited: Mapping[str, str]) -> str | None:
    return shutil.which("bwrap", path=inherited.get("PATH"))


def _command(job: Job, folder: JobFolder, inherited: Mapping[str, str], python: list[str]) -> Command:
    """``python`` is what follows ``-c``: the code and its arguments."""
    program, bwrap = seccomp.program(), _bwrap(inherited)
    if program is None or bwrap is None:
        raise SandboxError("bubblewrap is not to be had on this machine; `grader doctor` says why")
    filter_ = folder.path / FILTER
    filter_.write_bytes(program)
    # The shell opens the filter for bwrap, which reads and closes it: a descriptor from here would have to pass
    # through the supervisor.
    opened = ["/bin/sh", "-c", f'exec "$@" {FILTER_DESCRIPTOR}<"$0"', str(filter_)]
    card = gpu.card(inherited)
    started = [sys.executable, *protocol.PYTHON_OPTIONS, "-c", *python]
    seen = view(machine_view(card), folder.path, job)
    argv = [*opened, bwrap, *_confinement(seen), "--", *started]
    return Command(argv, environment(JOB, job.threads, inherited) | gpu.environment(card, hidden_others=True))


def _confinement(seen: Iterable[Mount]) -> list[str]:
    mounts = [word for mount in seen for word in _mounted(mount)]
    return [
        *("--unshare-all", "--unshare-user", "--die-with-parent", "--new-session"),
        *("--uid", "1000", "--gid", "1000", "--cap-drop", "ALL", "--hostname", "notebook"),
        *mounts,
        *("--remount-ro", "/"),  # the empty root that everything else is mounted on
        *("--chdir", str(JOB / "work"), "--seccomp", FILTER_DESCRIPTOR),
    ]


def _mounted(mount: Mount) -> list[str]:
    target = str(mount.target)
    if mount.kind is Kind.EMPTY:
        return ["--tmpfs", target, "--remount-ro", target]
    if mount.kind is Kind.SCRATCH:
        return ["--size", str(SCRATCH_BYTES), "--tmpfs", target]
    if mount.kind is Kind.PROC:
        return ["--proc", target, *_proc_read_only()]
    return [BINDS[mount.kind], str(mount.source), target]


def _proc_read_only() -> list[str]:
    """The kernel's switches obey root by its number alone, without any capability, even from inside: /proc/sys could
    name a program for the kernel to start outside. Some others tell of the machine's other users.
    """
    folders = [entry for entry in sorted(Path("/proc").iterdir()) if not (entry.name.isdigit() or entry.is_symlink())]
    switches = [str(entry) for entry in folders if entry.is_dir() or entry.name == "sysrq-trigger"]
    covered = [str(entry) for entry in folders if entry.name in protocol.MASKED_PROC_FILES]
    return [
        *(word for path in switches for word in ("--ro-bind", path, path)),
        *(word for path in covered for word in ("--ro-bind", "/dev/null", path)),
    ]
