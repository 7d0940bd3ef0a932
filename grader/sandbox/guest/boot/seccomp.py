"""Seccomp filter that allows the system calls which notebooks need. Standard library only.

``system_calls`` has the tables. A refused call fails with an error number, so that programs with a fallback continue.
Only a call of a foreign instruction set kills the process. The filter is a binary search over the call's number. Linux
5.11 and newer remember which numbers are allowed with any arguments, and no longer run the filter for them.

Refused calls are not counted. The kernel's log of them is readable for root only. A process that receives them instead
would need a life outside the filter, and honest libraries make refused calls too.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys
from collections.abc import Mapping, Sequence
from itertools import groupby

from .system_calls import ALLOWED, EXAMINED, REFUSED, UNSUPPORTED, WITHOUT_EFFECT, Numbers

# ---------------------------------------------------------------- arguments

# linux/sched.h: CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET
NEW_NAMESPACES = 0x00020000 | 0x02000000 | 0x04000000 | 0x08000000 | 0x10000000 | 0x20000000 | 0x40000000
CLONE_PARENT = 0x8000  # the new process would be a child of the caller's parent, outside the caller's process tree
AF_UNIX, AF_INET, AF_INET6, AF_NETLINK = 1, 2, 10, 16
NETLINK_ROUTE = 0  # lists interfaces and addresses; name look-ups need it
SOCKET_TYPE_MASK, SOCKET_TYPES = 0xF, (1, 2, 3, 5)  # stream, datagram, raw (the kernel refuses it), sequence of packets
SOCKET_PROTOCOLS = (0, 1, 6, 17, 58)  # default, ICMP, TCP, UDP, ICMPv6; another number could load a kernel module
ASK_PERSONALITY = 0xFFFFFFFF
# Typing into a terminal (TIOCSTI, TIOCLINUX), loading a terminal driver (TIOCSETD), and signals to the owner of a
# descriptor (FIOASYNC, FIOSETOWN, SIOCSPGRP). Requests to a GPU are many and stay allowed.
REFUSED_IOCTLS = (0x5412, 0x541C, 0x5423, 0x5452, 0x8901, 0x8902)
# linux/fcntl.h. Not here: leases, notification of changes in a folder, and signals to the owner of a descriptor. A
# lease on a library's file would delay everybody who opens it.
FCNTL_COMMANDS = (
    *(0, 1, 2, 3, 4),  # duplicate; get and set flags
    *(5, 6, 7, 36, 37, 38),  # locks of a process, and of a descriptor
    *(9, 11, 16, 1025),  # get owner, signal, lease
    *(1027, 1030, 1031, 1032, 1033, 1034),  # duplicate and compare; size of a pipe; seals of a file in memory
)
# linux/prctl.h. Unlisted options fail with EINVAL, as on an older kernel. Not here: PR_SET_MM (changes the shown
# command line), PR_SET_PTRACER (lets another process look inside), PR_SCHED_CORE (withholds processors from others).
PRCTL_OPTIONS = (
    *(1, 2, 3, 4, 7, 15, 16),  # signal at the parent's death, dumpable, name
    *(21, 22, 23, 24, 25, 27),  # system call filter, capabilities (can only be dropped)
    *(29, 30, 34, 36, 37, 38, 39, 40, 41, 42),  # timer slack, orphans, no new privileges, huge pages
    *(47, 50, 51, 52, 53, 54, 55, 56, 61, 63, 64, 65, 66, 68),  # features of processors, protection of memory
    *(0x53564D41, 0x41555856),  # names of memory areas, auxiliary vector
)
NEGATIVE = 0x80000000
ORDINARY_POLICIES = (0, 3, 5)  # linux/sched.h: SCHED_OTHER, SCHED_BATCH, SCHED_IDLE; some users may go beyond them
NEW_LISTENER = 8  # linux/seccomp.h: a program that answers system calls of another

# ---------------------------------------------------------------- assembler for classic BPF (linux/filter.h)

Instruction = tuple[int, int, int, int]  # code, steps to skip if true, steps to skip if not, constant
Body = tuple[Instruction, ...]  # ends with a return on every path

LOAD_WORD, AND, JUMP_ALWAYS, RETURN = 0x20, 0x54, 0x05, 0x06
JUMP_EQUAL, JUMP_GREATER_OR_EQUAL, JUMP_ANY_BIT = 0x15, 0x35, 0x45
LONGEST_JUMP = 255  # of a condition; JUMP_ALWAYS has no limit
NUMBER, ARCHITECTURE, ARGUMENTS = 0, 4, 16  # offsets in struct seccomp_data
KILL_PROCESS, ERROR, ALLOW = 0x80000000, 0x00050000, 0x7FFF0000  # linux/seccomp.h

AUDIT_ARCHITECTURE = (0xC000003E, 0xC00000B7)  # linux/audit.h
MACHINES = {"x86_64": 0, "amd64": 0, "aarch64": 1, "arm64": 1}


def _load(offset: int) -> Instruction:
    return LOAD_WORD, 0, 0, offset


def _argument(index: int) -> Instruction:
    """Load the lower half of an argument: the kernel ignores the upper half of most arguments examined here."""
    return _load(ARGUMENTS + 8 * index)


def _upper_half(index: int) -> Instruction:
    return _load(ARGUMENTS + 8 * index + 4)


def _return(action: int) -> Instruction:
    return RETURN, 0, 0, action


def _fail(number: int) -> Instruction:
    """Fail with the error ``number``; 0 reports success without executing the call."""
    return _return(ERROR | number)


def _unless_equal_skip(value: int, steps: int) -> Instruction:
    return JUMP_EQUAL, 0, steps, value


def _fail_if_any_bit(bits: int, number: int) -> Body:
    return (JUMP_ANY_BIT, 0, 1, bits), _fail(number)


def _if_one_of(values: Sequence[int], action: int) -> Body:
    """Return ``action`` if the loaded word is one of ``values``."""
    return tuple(step for value in values for step in (_unless_equal_skip(value, 1), _return(action)))


def _fail_unless_one_of(values: Sequence[int], number: int) -> Body:
    """Fail if the loaded word is none of ``values``."""
    last = len(values) - 1
    return (*((JUMP_EQUAL, last - place + 1, 0, value) for place, value in enumerate(values)), _fail(number))


# ---------------------------------------------------------------- the program


def _examined() -> dict[str, Body]:
    """Return the steps for each call of ``EXAMINED``."""
    allow = _return(ALLOW)
    netlink: Body = (_argument(2), *_if_one_of((NETLINK_ROUTE,), ALLOW), _fail(errno.EPROTONOSUPPORT))
    socket: Body = (
        _argument(0),
        *_if_one_of((AF_UNIX,), ALLOW),
        _unless_equal_skip(AF_NETLINK, len(netlink)),
        *netlink,
        *_fail_unless_one_of((AF_INET, AF_INET6), errno.EAFNOSUPPORT),
        _argument(1),
        (AND, 0, 0, SOCKET_TYPE_MASK),
        *_fail_unless_one_of(SOCKET_TYPES, errno.ESOCKTNOSUPPORT),
        _argument(2),
        *_fail_unless_one_of(SOCKET_PROTOCOLS, errno.EPROTONOSUPPORT),
        allow,
    )
    only_a_query: Body = (  # the pointer to new limits is null
        *(_argument(2), _unless_equal_skip(0, 3)),
        *(_upper_half(2), _unless_equal_skip(0, 1)),
        allow,
    )
    return {
        "clone": (_argument(0), *_fail_if_any_bit(NEW_NAMESPACES | CLONE_PARENT, errno.EPERM), allow),
        "socket": socket,
        "socketpair": socket,
        "ioctl": (_argument(1), *_if_one_of(REFUSED_IOCTLS, ERROR | errno.EPERM), allow),
        "fcntl": (_argument(1), *_fail_unless_one_of(FCNTL_COMMANDS, errno.EPERM), allow),
        "prctl": (_argument(0), *_fail_unless_one_of(PRCTL_OPTIONS, errno.EINVAL), allow),
        # Limits of the caller itself, and questions about others.
        "prlimit64": (_argument(0), *_if_one_of((0,), ALLOW), *only_a_query, _fail(errno.EPERM)),
        "setpriority": (_argument(2), *_fail_if_any_bit(NEGATIVE, errno.EACCES), allow),
        "sched_setscheduler": (_argument(1), *_fail_unless_one_of(ORDINARY_POLICIES, errno.EPERM), allow),
        "seccomp": (_argument(1), *_fail_if_any_bit(NEW_LISTENER, errno.EPERM), allow),
        "personality": (_argument(0), *_fail_unless_one_of((0, ASK_PERSONALITY), errno.EPERM), allow),
    }


def _bodies(column: int) -> dict[int, Body]:
    """Return the steps for every listed call, by its number on the processor of ``column``."""
    examined = _examined()
    tables: list[tuple[Mapping[str, Numbers], Body]] = [
        (ALLOWED, (_return(ALLOW),)),
        (REFUSED, (_fail(errno.EPERM),)),
        (WITHOUT_EFFECT, (_fail(0),)),
        (UNSUPPORTED, (_fail(errno.EOPNOTSUPP),)),
        *(({name: numbers}, examined[name]) for name, numbers in EXAMINED.items()),
    ]
    listed = ((numbers[column], body) for calls, body in tables for numbers in calls.values())
    return {number: body for number, body in listed if number is not None}


def _search(leaves: Sequence[tuple[int, Body]]) -> list[Instruction]:
    """Return a binary search: each of ``leaves`` has the smallest number to which its steps apply."""
    if len(leaves) == 1:
        return list(leaves[0][1])
    middle = len(leaves) // 2
    smaller, pivot = _search(leaves[:middle]), leaves[middle][0]
    if len(smaller) <= LONGEST_JUMP:
        decision = [(JUMP_GREATER_OR_EQUAL, len(smaller), 0, pivot)]
    else:
        decision = [(JUMP_GREATER_OR_EQUAL, 0, 1, pivot), (JUMP_ALWAYS, 0, 0, len(smaller))]
    return [*decision, *smaller, *_search(leaves[middle:])]


def program(machine: str | None = None) -> bytes | None:
    """Return the filter as an array of ``struct sock_filter``, or None for an unknown processor."""
    column = MACHINES.get((machine or platform.machine()).lower())
    if column is None or (machine is None and sys.maxsize < 2**32):  # a 32-bit Python on a 64-bit kernel
        return None
    bodies, unknown = _bodies(column), (_fail(errno.ENOSYS),)
    # The last number stands for all later ones, with x32's second set of numbers on x86_64.
    every = [(number, bodies.get(number, unknown)) for number in range(max(bodies) + 2)]
    leaves = [next(same) for _, same in groupby(every, key=lambda leaf: leaf[1])]
    steps = [
        _load(ARCHITECTURE),
        (JUMP_EQUAL, 1, 0, AUDIT_ARCHITECTURE[column]),
        _return(KILL_PROCESS),
        _load(NUMBER),
        *_search(leaves),
    ]
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
