"""Linux namespaces for one job: own users, processes, file system, network, IPC and host name (Linux 5.12 or newer).

``run_isolated`` forks. The keeper stays outside and ends the processes inside on SIGTERM or when its own parent dies.
The process inside, process 1, mounts the view, drops all privileges and calls ``run``. It and the processes below it
see the interpreter, read-only, and their part of the job folder. Driver and kernel of a job are isolated one by one, so
that neither has a name for the other's processes. See namespaces(7), mount_setattr(2), pivot_root(2), capabilities(7).
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import platform
import resource
import signal
import socket
import struct
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

from ..processes import exit_status
from ..protocol import MASKED_PROC_FILES
from . import seccomp

libc = ctypes.CDLL(None, use_errno=True)

CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC = 0x00020000, 0x02000000, 0x04000000, 0x08000000
CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x10000000, 0x20000000, 0x40000000
ALL_NAMESPACES = (
    CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP
)
MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_BIND, MS_REC, MS_PRIVATE = 2, 4, 8, 4096, 16384, 1 << 18
MNT_DETACH = 2
ATTR_READ_ONLY, ATTR_NOSUID, ATTR_NODEV = 1, 2, 4
AT_FDCWD, AT_RECURSIVE = -100, 0x8000
SYS_MOUNT_SETATTR = 442  # the same on every architecture
SYS_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
SYS_CAPSET = {"x86_64": 126, "aarch64": 91}
PR_SET_PDEATHSIG, PR_CAPBSET_DROP, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL = 1, 24, 47, 4
CAPABILITY_VERSION_3 = 0x20080522
SIOCSIFFLAGS, IFF_UP = 0x8914, 1
INSIDE_ID = 1000  # user and group of the notebook inside the namespace
SCRATCH_BYTES = 256 << 20


def run_isolated(view: list[dict[str, str]], root: str, processes: int, run: Callable[[], None]) -> int:
    """Call ``run`` inside new namespaces and return its exit status (128 + the number for a signal) to the keeper.

    ``view`` lists the mounts in order: ``{"kind", "target", "source"}``. ``root`` is an empty folder to mount them on.
    ``processes`` limits the number of processes and threads inside. Raises OSError if the machine has no namespaces.
    """
    _die_with_parent()
    user, group = os.getuid(), os.getgid()
    _check(libc.unshare(ALL_NAMESPACES), "unshare")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{INSIDE_ID} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{INSIDE_ID} {group} 1")
    # Linux 5.14 and newer count inside the namespace only. The limit does not hold for root: there the monitor checks.
    resource.setrlimit(resource.RLIMIT_NPROC, (processes, processes))
    init = os.fork()
    if init == 0:
        _run_init(view, root, run)
    return _wait_outside(init)


def _wait_outside(init: int) -> int:
    """Wait for process 1. Before waitpid returns, the kernel has ended all other processes of its namespace."""
    signal.signal(signal.SIGTERM, lambda *_: os.kill(init, signal.SIGKILL))
    return exit_status(os.waitpid(init, 0)[1])


def _run_init(view: list[dict[str, str]], root: str, run: Callable[[], None]) -> None:
    status = 1
    try:
        _die_with_parent()
        build_view(view, Path(root))
        socket.sethostname("notebook")
        platform._uname_cache = None  # type: ignore[attr-defined]  # it holds the machine's name
        _raise_loopback()
        give_up_privileges()
    except BaseException as error:  # noqa: BLE001  this process must not return
        print(f"isolation failed: {type(error).__name__}: {error}", file=sys.stderr, flush=True)  # noqa: T201
        os._exit(status)
    try:
        run()
        status = 0
    except BaseException:  # noqa: BLE001  a fault of ours: it goes to the log and into the status
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


# ------------------------------------------------------------------ file system


def build_view(view: list[dict[str, str]], root: Path) -> None:
    """Replace the root folder by one that holds only the mounts of ``view``."""
    _mount(None, "/", None, MS_REC | MS_PRIVATE)
    _mount("tmpfs", str(root), "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755,size=16m")
    for entry in view:
        _add_entry(entry["kind"], entry.get("source") or "", root / entry["target"].lstrip("/"))
    old = root / ".old"
    old.mkdir()
    _check(libc.syscall(SYS_PIVOT_ROOT[platform.machine()], str(root).encode(), str(old).encode()), "pivot_root")
    os.chdir("/")
    _check(libc.umount2(b"/.old", MNT_DETACH), "umount")
    Path("/.old").rmdir()
    _restrict(Path("/"), ATTR_READ_ONLY, recursive=False)


def _add_entry(kind: str, source: str, target: Path) -> None:
    if kind == "link":
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(source)
        return
    if kind == "empty":
        _cover(target)
        return
    _make_mount_point(target, folder=kind in ("proc", "scratch") or Path(source).is_dir())
    if kind == "proc":
        _mount("proc", str(target), "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
        _protect_kernel_settings(target)
    elif kind == "scratch":
        _mount("tmpfs", str(target), "tmpfs", MS_NOSUID | MS_NODEV, f"mode=1777,size={SCRATCH_BYTES}")
    else:
        _mount(source, str(target), None, MS_BIND | MS_REC)
        _restrict(target, _attributes(kind), recursive=True)


def _protect_kernel_settings(proc: Path) -> None:
    """Make the kernel's settings in /proc read-only: root may write them without any capability, even from inside."""
    entries = [entry for entry in proc.iterdir() if not (entry.name.isdigit() or entry.is_symlink())]
    for entry in entries:
        if entry.is_dir() or entry.name == "sysrq-trigger" or entry.name in MASKED_PROC_FILES:
            _mount("/dev/null" if entry.name in MASKED_PROC_FILES else str(entry), str(entry), None, MS_BIND)
            _restrict(entry, ATTR_READ_ONLY | ATTR_NOSUID | ATTR_NODEV, recursive=True)


def _attributes(kind: str) -> int:
    return {
        "read_only": ATTR_READ_ONLY | ATTR_NOSUID | ATTR_NODEV,
        "writable": ATTR_NOSUID | ATTR_NODEV,
        "device": ATTR_NOSUID,
    }[kind]


def _cover(target: Path) -> None:
    """Hide the contents of ``target`` if that folder exists."""
    if target.is_dir():
        _mount("tmpfs", str(target), "tmpfs", MS_NOSUID | MS_NODEV, "mode=0555,size=4k")


def _make_mount_point(target: Path, *, folder: bool) -> None:
    if folder:
        target.mkdir(parents=True, exist_ok=True)
    elif not target.exists():  # a file of a read-only mount can be a mount point, but no new file can be made there
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()


def _restrict(target: Path, attributes: int, *, recursive: bool) -> None:
    arguments = struct.pack("QQQQ", attributes, 0, 0, 0)  # struct mount_attr: set, clear, propagation, userns
    flags = AT_RECURSIVE if recursive else 0
    result = libc.syscall(SYS_MOUNT_SETATTR, AT_FDCWD, str(target).encode(), flags, arguments, len(arguments))
    _check(result, f"mount_setattr {target}")


def _mount(source: str | None, target: str, kind: str | None, flags: int, options: str = "") -> None:
    encoded = [None if text is None else text.encode() for text in (source, target, kind)]
    _check(libc.mount(*encoded, ctypes.c_ulong(flags), options.encode() or None), f"mount {target}")


# ------------------------------------------------------------------ privileges


def give_up_privileges() -> None:
    """Drop all capabilities and every way to gain one, and install the system call filter."""
    last = int(Path("/proc/sys/kernel/cap_last_cap").read_text())
    for capability in range(last + 1):
        _check(libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0), "drop capability")
    libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    header = struct.pack("Ii", CAPABILITY_VERSION_3, 0)
    _check(libc.syscall(SYS_CAPSET[platform.machine()], header, bytes(24)), "capset")
    seccomp.install()


def _raise_loopback() -> None:
    """Bring up 127.0.0.1, the only interface of the job's network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sh", b"lo", IFF_UP))


def _die_with_parent() -> None:
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _check(result: int, action: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{action}: {os.strerror(number)}")
