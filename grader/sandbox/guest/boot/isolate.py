"""Linux namespaces for one job: own users, processes, file system, network, IPC and host name (Linux 5.12 or newer).

``run_isolated`` forks. The keeper stays outside and ends the processes inside on SIGTERM or when its own parent dies.
The process inside, process 1, mounts the view, drops all privileges and calls ``run``. It and the processes below it
see the interpreter, read-only, and their part of the job folder. Driver and kernel of a job are isolated one by one, so
that neither has a name for the other's processes. See namespaces(7), mount_setattr(2), pivot_root(2), capabilities(7).
"""

from __future__ import annotations

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
from contextlib import suppress
from pathlib import Path

from ..processes import exit_status
from . import seccomp
from .view import build_view, check, libc

CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC = 0x00020000, 0x02000000, 0x04000000, 0x08000000
CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x10000000, 0x20000000, 0x40000000
ALL_NAMESPACES = (
    CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP
)
SYS_CAPSET = {"x86_64": 126, "aarch64": 91}
PR_SET_PDEATHSIG, PR_CAPBSET_DROP, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL = 1, 24, 47, 4
CAPABILITY_VERSION_3 = 0x20080522
SIOCSIFFLAGS, IFF_UP = 0x8914, 1
SOCKET_BUFFER_BYTES = 256 << 10
INSIDE_ID = 1000  # user and group of the notebook inside the namespace


def run_isolated(view: list[dict[str, str]], root: str, processes: int, run: Callable[[], None]) -> int:
    """Call ``run`` inside new namespaces and return its exit status (128 + the number for a signal) to the keeper.

    ``view`` lists the mounts in order: ``{"kind", "target", "source"}``. ``root`` is an empty folder to mount them on.
    ``processes`` limits the number of processes and threads inside. Raises OSError if the machine has no namespaces.
    """
    _die_with_parent()
    user, group = os.getuid(), os.getgid()
    check(libc.unshare(ALL_NAMESPACES), "unshare")
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
        _bound_socket_buffers()
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


# ------------------------------------------------------------------ privileges


def give_up_privileges() -> None:
    """Drop all capabilities and every way to gain one, and install the system call filter."""
    last = int(Path("/proc/sys/kernel/cap_last_cap").read_text())
    for capability in range(last + 1):
        check(libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0), "drop capability")
    libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    header = struct.pack("Ii", CAPABILITY_VERSION_3, 0)
    check(libc.syscall(SYS_CAPSET[platform.machine()], header, bytes(24)), "capset")
    seccomp.install()


def _raise_loopback() -> None:
    """Bring up 127.0.0.1, the only interface of the job's network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sh", b"lo", IFF_UP))


def _bound_socket_buffers() -> None:
    """Give TCP connections of the job's network buffers of at most 256 kB: this memory belongs to no process."""
    for name in ("tcp_rmem", "tcp_wmem"):
        with suppress(OSError):  # the settings belong to the machine's administrator in some containers
            Path("/proc/sys/net/ipv4", name).write_text(f"4096 65536 {SOCKET_BUFFER_BYTES}")


def _die_with_parent() -> None:
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
