"""Namespaces around one job: its own users, processes, file system, network, IPC and host name (Linux 5.12 or newer).

``run_isolated`` forks twice: the keeper stays outside and ends everything when it is told to, or when the worker dies;
the first process inside, number 1, builds the view, gives up every privilege and reaps. What runs below them sees the
interpreter, read-only, and its own job folder. See namespaces(7), mount_setattr(2), pivot_root(2), capabilities(7).
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
from collections.abc import Callable
from pathlib import Path

from ..processes import close_own_memory, exit_status, reap
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
INSIDE_ID = 1000  # the notebook's user: nobody in particular
SCRATCH_BYTES = 256 << 20


def run_isolated(view: list[dict[str, str]], root: str, processes: int, run: Callable[[], None]) -> int:
    """Calls ``run`` inside; returns, to the keeper outside, how it ended: 0, its exit status, or 128 + a signal.

    ``view`` lists mounts in order: ``{"kind", "target", "source"}``. ``root`` is an empty folder to build upon.
    ``processes`` and threads is the most there may be inside. Raises OSError when the machine gives no namespaces.
    """
    _die_with_parent()
    user, group = os.getuid(), os.getgid()
    _check(libc.unshare(ALL_NAMESPACES), "unshare")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{INSIDE_ID} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{INSIDE_ID} {group} 1")
    # Counted inside alone (Linux 5.14 and newer), and not for root: there the watch has to see it.
    resource.setrlimit(resource.RLIMIT_NPROC, (processes, processes))
    first = os.fork()
    if first == 0:
        _live_as_first(view, root, run)
    return _keep(first)


def _keep(first: int) -> int:
    """Waits outside. Once number 1 is dead the kernel has ended all its company, before waitpid returns."""
    signal.signal(signal.SIGTERM, lambda *_: os.kill(first, signal.SIGKILL))
    return exit_status(os.waitpid(first, 0)[1])


def _live_as_first(view: list[dict[str, str]], root: str, run: Callable[[], None]) -> None:
    status = 1
    try:
        _die_with_parent()
        build_view(view, Path(root))
        socket.sethostname("notebook")
        platform._uname_cache = None  # type: ignore[attr-defined]  # the machine's own name, from before
        _raise_loopback()
        give_up_privileges()
        driver = _forked(run)
        # After the fork, which hands it on: the notebook could write into this process and choose how the job ended.
        close_own_memory()
        status = reap(driver)
    except BaseException as error:  # noqa: BLE001  this process has nothing to return to
        print(f"isolation failed: {type(error).__name__}: {error}", file=sys.stderr, flush=True)  # noqa: T201
    finally:
        os._exit(status)


def _forked(run: Callable[[], None]) -> int:
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        os.setsid()
        run()
        status = 0
    except BaseException:  # noqa: BLE001  the driver's own failure: the log keeps it, the status says it
        import traceback

        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


# ------------------------------------------------------------------ the view


def build_view(view: list[dict[str, str]], root: Path) -> None:
    """A root of its own with the mounts of ``view``, and the old one gone."""
    _mount(None, "/", None, MS_REC | MS_PRIVATE)
    _mount("tmpfs", str(root), "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755,size=16m")
    for entry in view:
        _make(entry["kind"], entry.get("source") or "", root / entry["target"].lstrip("/"))
    old = root / ".old"
    old.mkdir()
    _check(libc.syscall(SYS_PIVOT_ROOT[platform.machine()], str(root).encode(), str(old).encode()), "pivot_root")
    os.chdir("/")
    _check(libc.umount2(b"/.old", MNT_DETACH), "umount")
    Path("/.old").rmdir()
    _restrict(Path("/"), ATTR_READ_ONLY, recursive=False)


def _make(kind: str, source: str, target: Path) -> None:
    if kind == "link":
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(source)
        return
    if kind == "empty":
        _cover(target)
        return
    _place_for(target, folder=kind in ("proc", "scratch") or Path(source).is_dir())
    if kind == "proc":
        _mount("proc", str(target), "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
        _close_switches(target)
    elif kind == "scratch":
        _mount("tmpfs", str(target), "tmpfs", MS_NOSUID | MS_NODEV, f"mode=1777,size={SCRATCH_BYTES}")
    else:
        _mount(source, str(target), None, MS_BIND | MS_REC)
        _restrict(target, _attributes(kind), recursive=True)


def _close_switches(proc: Path) -> None:
    """The kernel's switches obey root by its number alone, without any capability, even from inside."""
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
    """A folder that is there with nothing in it; where it was not there, nothing needs covering."""
    if target.is_dir():
        _mount("tmpfs", str(target), "tmpfs", MS_NOSUID | MS_NODEV, "mode=0555,size=4k")


def _place_for(target: Path, *, folder: bool) -> None:
    if folder:
        target.mkdir(parents=True, exist_ok=True)
    elif not target.exists():  # over a file of a read-only mount another may be mounted, and no new one made there
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()


def _restrict(target: Path, attributes: int, *, recursive: bool) -> None:
    arguments = struct.pack("QQQQ", attributes, 0, 0, 0)  # struct mount_attr: set, clear, propagation, userns
    flags = AT_RECURSIVE if recursive else 0
    result = libc.syscall(SYS_MOUNT_SETATTR, AT_FDCWD, str(target).encode(), flags, arguments, len(arguments))
    _check(result, f"mount_setattr {target}")


def _mount(source: str | None, target: str, kind: str | None, flags: int, options: str = "") -> None:
    words = [None if word is None else word.encode() for word in (source, target, kind)]
    _check(libc.mount(*words, ctypes.c_ulong(flags), options.encode() or None), f"mount {target}")


# ------------------------------------------------------------------ privileges


def give_up_privileges() -> None:
    """No capabilities, none to be had, no way to gain any by executing a file, and few system calls."""
    last = int(Path("/proc/sys/kernel/cap_last_cap").read_text())
    for capability in range(last + 1):
        _check(libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0), "drop capability")
    libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    header = struct.pack("Ii", CAPABILITY_VERSION_3, 0)
    _check(libc.syscall(SYS_CAPSET[platform.machine()], header, bytes(24)), "capset")
    seccomp.install()


def _raise_loopback() -> None:
    """Programs that talk to themselves over 127.0.0.1 may; there is nothing else on this network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sh", b"lo", IFF_UP))


def _die_with_parent() -> None:
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _check(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
