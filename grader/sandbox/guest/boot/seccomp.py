"""Seccomp filter that refuses system calls which a notebook never needs. Standard library only.

The filter lists refused calls, not allowed ones: the calls of TensorFlow, CUDA and future C libraries are not known in
advance, and they are not the calls that let a process escape. The listed calls reach into other processes, create
namespaces and mounts, or expose large parts of the kernel with a history of security bugs. A refused call fails with
an error number, so that programs with a fallback continue. Only a call of a foreign instruction set kills the process.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys
from collections.abc import Mapping

# ---------------------------------------------------------------- tables of system calls

# Numbers on x86_64 and aarch64 (Linux's asm/unistd_64.h and asm-generic/unistd.h); None where the call is missing.
REFUSED: Mapping[str, tuple[int | None, int | None]] = {
    # Memory, files and state of other processes.
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "pidfd_getfd": (438, 438),
    "kcmp": (312, 272),
    "migrate_pages": (256, 238),
    "move_pages": (279, 239),
    # Namespaces and mounts; for clone see EXAMINED.
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "statmount": (457, 457),
    "listmount": (458, 458),
    "open_tree_attr": (467, 467),
    # Access to files outside the mounts.
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "fanotify_init": (300, 262),
    "fanotify_mark": (301, 263),
    # Parts of the kernel that the kernel itself often closes to unprivileged users.
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "memfd_secret": (447, 447),
    # Memory that no process holds: the monitor would not count it.
    "shmget": (29, 194),
    "msgget": (68, 186),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "syslog": (103, 116),
    "lookup_dcookie": (212, 18),
    "nfsservctl": (180, 42),
    "_sysctl": (156, None),
    "modify_ldt": (154, None),
    "uselib": (134, None),
    "sysfs": (139, None),
    # The machine itself.
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "create_module": (174, None),
    "get_kernel_syms": (177, None),
    "query_module": (178, None),
    "iopl": (172, None),
    "ioperm": (173, None),
    "reboot": (169, 142),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "acct": (163, 89),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "vhangup": (153, 58),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "adjtimex": (159, 171),
    "clock_adjtime": (305, 266),
}

# ENOSYS makes libraries fall back: the C library to clone, event loops to epoll.
# A filter cannot read the arguments of clone3, because they are in memory.
ABSENT: Mapping[str, tuple[int, int]] = {
    "clone3": (435, 435),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
}

# Calls that depend on their arguments. mbind and set_mempolicy are in no table: they move only the caller's own memory,
# and CUDA and NumPy's BLAS may use them.
EXAMINED: Mapping[str, tuple[int, int]] = {
    "clone": (56, 220),
    "socket": (41, 198),
    "socketpair": (53, 199),
    "ioctl": (16, 29),
    "personality": (135, 92),
}

# linux/sched.h: CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET
NEW_NAMESPACES = 0x00020000 | 0x02000000 | 0x04000000 | 0x08000000 | 0x10000000 | 0x20000000 | 0x40000000
AF_UNIX, AF_INET, AF_INET6, AF_NETLINK = 1, 2, 10, 16
NETLINK_ROUTE = 0  # lists interfaces and addresses; name look-ups need it
TIOCSTI, TIOCLINUX = 0x5412, 0x541C  # type into the terminal of the parent process
ASK_PERSONALITY = 0xFFFFFFFF

# ---------------------------------------------------------------- assembler for classic BPF (linux/filter.h)

Instruction = tuple[int, int, int, int]  # code, steps to skip if true, steps to skip if not, constant

LOAD_WORD, JUMP_EQUAL, JUMP_GREATER_OR_EQUAL, JUMP_ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
NUMBER, ARCHITECTURE, ARGUMENTS = 0, 4, 16  # offsets in struct seccomp_data
KILL_PROCESS, ERROR, ALLOW = 0x80000000, 0x00050000, 0x7FFF0000  # linux/seccomp.h

AUDIT_ARCHITECTURE = (0xC000003E, 0xC00000B7)  # linux/audit.h
MACHINES = {"x86_64": 0, "amd64": 0, "aarch64": 1, "arm64": 1}
X32_BIT = 0x40000000  # marks the second set of numbers for the same calls on x86_64


def _load(offset: int) -> Instruction:
    return LOAD_WORD, 0, 0, offset


def _argument(index: int) -> Instruction:
    """Load the lower half of an argument: the kernel ignores the upper half of the arguments examined here."""
    return _load(ARGUMENTS + 8 * index)


def _unless_equal_skip(value: int, steps: int) -> Instruction:
    return JUMP_EQUAL, 0, steps, value


def _return(action: int) -> Instruction:
    return RETURN, 0, 0, action


def _fail(number: int) -> Instruction:
    return _return(ERROR | number)


def _for_call(number: int, *body: Instruction) -> list[Instruction]:
    """Apply ``body`` to the call ``number`` only; for other calls skip it, with their number still loaded."""
    return [_unless_equal_skip(number, len(body)), *body]


def _allow_if_equal(value: int) -> list[Instruction]:
    return [_unless_equal_skip(value, 1), _return(ALLOW)]


def _allow_only(index: int, values: tuple[int, ...], otherwise: int) -> list[Instruction]:
    """Allow the call if argument ``index`` is one of ``values``, and fail with error ``otherwise`` if not."""
    allowed = [step for value in values for step in _allow_if_equal(value)]
    return [_argument(index), *allowed, _fail(otherwise)]


def _examine_arguments(numbers: Mapping[str, int]) -> list[Instruction]:
    no_permission = _fail(errno.EPERM)
    netlink = _allow_only(2, (NETLINK_ROUTE,), errno.EPROTONOSUPPORT)
    families = _allow_only(0, (AF_UNIX, AF_INET, AF_INET6), errno.EAFNOSUPPORT)
    families = [*families[:-1], _unless_equal_skip(AF_NETLINK, len(netlink)), *netlink, families[-1]]
    return [
        *_for_call(numbers["clone"], _argument(0), (JUMP_ANY_BIT, 0, 1, NEW_NAMESPACES), no_permission, _return(ALLOW)),
        *_for_call(numbers["socket"], *families),
        *_for_call(numbers["socketpair"], *families),
        *_for_call(
            numbers["ioctl"],
            _argument(1),
            _unless_equal_skip(TIOCSTI, 1),
            no_permission,
            _unless_equal_skip(TIOCLINUX, 1),
            no_permission,
            _return(ALLOW),
        ),
        *_for_call(numbers["personality"], *_allow_only(0, (0, ASK_PERSONALITY), errno.EPERM)),
    ]


def program(machine: str | None = None) -> bytes | None:
    """Return the filter as an array of ``struct sock_filter``, or None for an unknown processor."""
    column = MACHINES.get((machine or platform.machine()).lower())
    if column is None or (machine is None and sys.maxsize < 2**32):  # a 32-bit Python on a 64-bit kernel
        return None
    steps = [
        _load(ARCHITECTURE),
        (JUMP_EQUAL, 1, 0, AUDIT_ARCHITECTURE[column]),
        _return(KILL_PROCESS),
        _load(NUMBER),
    ]
    if column == 0:
        steps += [(JUMP_GREATER_OR_EQUAL, 0, 1, X32_BIT), _fail(errno.ENOSYS)]
    for calls, error in ((REFUSED, errno.EPERM), (ABSENT, errno.ENOSYS)):
        for call in calls.values():
            number = call[column]
            if number is not None:
                steps += _for_call(number, _fail(error))
    steps += _examine_arguments({name: numbers[column] for name, numbers in EXAMINED.items()})
    steps.append(_return(ALLOW))
    return b"".join(struct.pack("=HBBI", *step) for step in steps)


# ---------------------------------------------------------------- installation

PR_SET_NO_NEW_PRIVS = 38  # linux/prctl.h
SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC = 1, 1  # linux/seccomp.h
SECCOMP_CALL = {0: 317, 1: 277}


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.c_void_p))


def install() -> None:
    """Put all threads of this process and all its later children under the filter, for good. Raises OSError."""
    code = program()
    if code is None:
        raise OSError(errno.ENOSYS, f"the system call filter does not support the processor {platform.machine()}")
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise _error("prctl(PR_SET_NO_NEW_PRIVS)")
    buffer = ctypes.create_string_buffer(code, len(code))
    filter_ = _Program(len(code) // 8, ctypes.cast(buffer, ctypes.c_void_p))
    number = SECCOMP_CALL[MACHINES[platform.machine().lower()]]
    arguments = (ctypes.c_ulong(SECCOMP_SET_MODE_FILTER), ctypes.c_ulong(SECCOMP_FILTER_FLAG_TSYNC))
    result = libc.syscall(ctypes.c_long(number), *arguments, ctypes.byref(filter_))
    if result > 0:
        raise OSError(errno.EBUSY, f"thread {result} already has another filter")
    if result < 0:
        raise _error("seccomp")


def _error(action: str) -> OSError:
    number = ctypes.get_errno()
    return OSError(number, f"{action}: {os.strerror(number)}")
