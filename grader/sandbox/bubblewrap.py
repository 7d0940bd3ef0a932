"""The level ``bubblewrap``: a cold start inside namespaces that the program ``bwrap`` creates. Linux only.

For machines where forking a warm worker is not wanted, or where only ``bwrap`` is allowed to create namespaces.
"""

from __future__ import annotations

import functools
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from grader.i18n.message import Message, message
from grader.models.assignment import Limits
from grader.models.errors import SandboxError
from grader.sandbox.base import Job
from grader.sandbox.guest import protocol
from grader.sandbox.guest.boot import seccomp
from grader.sandbox.job import JobFolder, notebook_environment
from grader.sandbox.mounts import (
    GUEST,
    JOB,
    Kind,
    Mount,
    all_mounts,
    driver_mounts,
    find_gpu,
    gpu_environment,
    gpu_mounts,
    kernel_mounts,
    machine_mounts,
)
from grader.sandbox.process import Command
from grader.sandbox.programs import find_program

NAME = "bubblewrap"
FILTER = "seccomp.bpf"  # in the job folder, in no part of it that the notebook sees
FILTER_DESCRIPTOR = "9"
OVERLAY = "--ro-overlay"  # option of bwrap 0.11 and newer
SCRATCH_BYTES = 64 << 20  # limits memory that belongs to no process, which the monitor cannot measure
TRIAL_SECONDS = 30.0
# If there are few processes, only the loopback interface and a system call filter, the other options hold as well.
TRIAL = """
import os, socket
isolated = os.getpid() < 10 and {name for _, name in socket.if_nameindex()} <= {"lo"}
filtered = "Seccomp:\t2" in open("/proc/self/status").read()
print("confined" if isolated and filtered else "not confined")
"""
BINDS = {
    Kind.READ_ONLY: "--ro-bind",
    Kind.OWN: "--ro-bind",
    Kind.WRITABLE: "--bind",
    Kind.DEVICE: "--dev-bind",
    Kind.LINK: "--symlink",
}


def bubblewrap_command(job: Job, folder: JobFolder, inherited: Mapping[str, str]) -> Command:
    """Return the command for both sides, each in its own namespaces. Raise SandboxError if ``bwrap`` is missing."""
    gpu, machine = find_gpu(inherited), machine_mounts()
    driver = all_mounts(machine, driver_mounts(folder.path))
    kernel = all_mounts((*machine, *gpu_mounts(gpu)), kernel_mounts(folder.path, job))
    return Command(
        _confine(folder, inherited, driver, [protocol.bootstrap(protocol.SIDES["driver"], GUEST), str(JOB)]),
        _confine(folder, inherited, kernel, [protocol.bootstrap(protocol.SIDES["kernel"], GUEST), str(JOB)]),
        notebook_environment(JOB, job.threads, inherited) | gpu_environment(gpu, nodes_hidden=True),
    )


def find_problem(inherited: Mapping[str, str]) -> Message | None:
    """Run a small program confined. Return None if it worked, else the obstacle and its remedy."""
    if sys.platform != "linux":
        return message("bubblewrap exists only on Linux.")
    if find_program("bwrap", inherited) is None:
        return message(
            "bubblewrap is not installed. Debian and Ubuntu: sudo apt install bubblewrap. "
            "Fedora: sudo dnf install bubblewrap."
        )
    if seccomp.program() is None:
        return message("The system call filter does not support this machine's processor.")
    job = Job(b"{}", {}, Limits())
    folder = JobFolder(job)
    try:
        mounts = all_mounts(machine_mounts(), kernel_mounts(folder.path, job))
        return _run_trial(_confine(folder, inherited, mounts, [TRIAL]), notebook_environment(JOB, 1, inherited))
    finally:
        folder.close()


def _run_trial(argv: list[str], environment: Mapping[str, str]) -> Message | None:
    try:
        done = subprocess.run(
            argv,
            env=dict(environment),
            cwd="/",
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
            "bwrap may not create namespaces here: {error}. On Ubuntu 24.04 and newer AppArmor forbids it until "
            "bwrap's profile is installed; docs/confinement.md has the three commands.",
            error=words,
        )
    return message("bwrap does not work here: {error}. Version 0.7 or newer is needed.", error=words)


def _confine(folder: JobFolder, inherited: Mapping[str, str], mounts: Sequence[Mount], python: list[str]) -> list[str]:
    """Return the command line that runs Python confined. ``python`` follows ``-c``: the code and its arguments."""
    program, bwrap = seccomp.program(), find_program("bwrap", inherited)
    if program is None or bwrap is None:
        raise SandboxError(message("bubblewrap is not available on this machine; `grader doctor` tells why."))
    filter_ = folder.path / FILTER
    filter_.write_bytes(program)
    copies, empty = folder.path / "proc", folder.path / "empty"
    copies.mkdir(exist_ok=True)
    empty.mkdir(exist_ok=True)
    layer = empty if _can_overlay(bwrap, tuple(filter(_is_shared_folder, mounts))) else None
    # The shell opens the filter for bwrap, which reads and closes it. A descriptor opened here would have to pass
    # through the supervisor.
    opened = ["/bin/sh", "-c", f'exec "$@" {FILTER_DESCRIPTOR}<"$0"', str(filter_)]
    return [
        *opened,
        bwrap,
        *_options(mounts, copies, layer),
        "--",
        sys.executable,
        *protocol.PYTHON_OPTIONS,
        "-c",
        *python,
    ]


def _is_shared_folder(mount: Mount) -> bool:
    if mount.kind is not Kind.READ_ONLY or mount.source is None or mount.source.is_relative_to("/sys"):
        return False
    return mount.source.is_dir()


@functools.cache
def _can_overlay(bwrap: str, shared: tuple[Mount, ...]) -> bool:
    """Return whether ``bwrap`` can show these folders as inodes of the job's own, on which locks are seen by no other.

    It cannot if it is too old, or if a folder's file system or a mount below it forbids it.
    """
    try:
        if OVERLAY not in _run([bwrap, "--help"]).stdout:
            return False
        with tempfile.TemporaryDirectory() as empty:
            tried = [replace(mount, target=Path("/tmp", str(number))) for number, mount in enumerate(shared)]  # noqa: S108
            words = [word for mount in tried for word in _overlay_options(mount, Path(empty))]
            command = [bwrap, "--unshare-all", "--ro-bind", "/", "/", "--tmpfs", "/tmp", *words, "--", "/bin/true"]  # noqa: S108
            return _run(command).returncode == 0
    except (OSError, subprocess.SubprocessError):
        return False


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=TRIAL_SECONDS, check=False, cwd="/", env={})


def _overlay_options(mount: Mount, empty: Path) -> list[str]:
    source = str(mount.source.resolve()) if mount.source is not None else ""
    return ["--overlay-src", str(empty), "--overlay-src", source, OVERLAY, str(mount.target)]


def _options(mounts: Iterable[Mount], copies: Path, layer: Path | None) -> list[str]:
    return [
        *("--unshare-all", "--unshare-user", "--die-with-parent", "--new-session", "--as-pid-1"),
        *("--uid", "1000", "--gid", "1000", "--cap-drop", "ALL", "--hostname", "notebook"),
        *(word for mount in mounts for word in _mount_options(mount, copies, layer)),
        *("--remount-ro", "/"),  # the empty root that everything else is mounted on
        *("--chdir", "/", "--seccomp", FILTER_DESCRIPTOR),
    ]


def _mount_options(mount: Mount, copies: Path, layer: Path | None) -> list[str]:
    """Return the options for one mount. With an empty folder as second ``layer``, shared folders become overlays."""
    target = str(mount.target)
    if layer is not None and _is_shared_folder(mount):
        return _overlay_options(mount, layer)
    if mount.kind is Kind.EMPTY:
        return ["--tmpfs", target, "--remount-ro", target]
    if mount.kind is Kind.SCRATCH:
        return ["--size", str(SCRATCH_BYTES), "--tmpfs", target]
    if mount.kind is Kind.PROC:
        return ["--proc", target, *_restricted_proc(copies)]
    return [BINDS[mount.kind], str(mount.source), target]


def _restricted_proc(copies: Path) -> list[str]:
    """Return options for what ``guest.boot.view`` does with /proc: settings are read-only, counters do not move.

    The kernel lets user 0 change the settings without any capability, even from inside: /proc/sys could then name a
    program for the kernel to start outside.
    """
    words = []
    for entry in sorted(Path("/proc").iterdir()):
        if entry.name.isdigit() or entry.is_symlink():
            continue
        path, shown = str(entry), entry.name in protocol.SHOWN_PROC_ENTRIES
        if entry.is_dir():
            words += ["--ro-bind", path, path] if shown else ["--tmpfs", path, "--remount-ro", path]
        elif not shown:
            copy = copies / entry.name
            copy.write_bytes(entry.read_bytes() if entry.name in protocol.FROZEN_PROC_FILES else b"")
            words += ["--ro-bind", str(copy), path]
    covers = [f"/proc/{name}" for name in protocol.EMPTY_PROC_FOLDERS]
    return [*words, *(word for path in covers for word in ("--tmpfs", path, "--remount-ro", path))]
