"""B and D, continued: notebooks that run at the same time neither talk to nor slow down one another."""

from __future__ import annotations

import ast
import errno
import fcntl
import os
import stat
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest

from grader.models.assignment import Limits
from grader.sandbox import guest
from grader.sandbox.base import Job, Reply, Sandbox
from tests.support.notebooks import notebook_bytes

LIMITS = Limits(seconds=60, memory_mb=1500, disk_mb=300, file_mb=1000, processes=200)
CALLS = "import ctypes, errno, fcntl, os\nlibc = ctypes.CDLL(None, use_errno=True)\n"
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="calls of Linux")


def run(sandbox: Sandbox, *cells: str) -> Reply:
    return sandbox.run(Job(notebook_bytes(*cells), {}, LIMITS))


def printed(reply: Reply) -> Any:
    """Return the value that the notebook printed last."""
    executed = nbformat.reads((reply.executed or b"").decode(), as_version=4)
    outputs = [output for cell in executed.cells for output in cell.get("outputs", ())]
    text = "".join(output.text for output in outputs if output.get("name") == "stdout")
    assert text, (reply.ended, outputs, reply.log)
    return ast.literal_eval(text.strip().splitlines()[-1])


# ---------------------------------------------------------------- messages

LOCKS = """
import fcntl, os, struct
heard = []
for path in PATHS:
    file = open(path)
    for name, lock in (("flock", lambda: fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)),
                       ("lockf", lambda: fcntl.lockf(file, fcntl.LOCK_SH | fcntl.LOCK_NB))):
        try:
            lock()
        except OSError as error:
            heard.append((path, name, error.errno))
    asked = struct.pack("hhqqi", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
    if struct.unpack("hhqqi", fcntl.fcntl(file, fcntl.F_GETLK, asked))[0] != fcntl.F_UNLCK:
        heard.append((path, "getlk"))
try:
    heard += open("/proc/locks").read().split()
except OSError:
    pass
print(heard)
"""


def without_private_files(sandbox: Sandbox) -> bool:
    return sandbox.confinement == "bubblewrap"  # the program has no overlays before version 0.11


@LINUX
def test_locks_of_a_neighbour_on_library_files_are_invisible(confined: None, sandbox: Sandbox) -> None:
    """This process takes the neighbour's part: it holds locks on files that every notebook sees."""
    if without_private_files(sandbox):
        pytest.skip("docs/threats.md: with bubblewrap notebooks share the inodes of libraries")
    paths = [np.__file__, "/usr/bin/env", "/etc/mime.types"]
    with ExitStack() as opened:
        files = [opened.enter_context(Path(path).open("rb")) for path in paths if Path(path).exists()]
        for file in files:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            fcntl.lockf(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        reply = run(sandbox, f"PATHS = {[file.name for file in files]!r}", LOCKS)
    assert printed(reply) == []


WATCHES = (
    CALLS
    + """
refused = []
file = os.open(PATH, os.O_RDONLY)
folder = os.open(os.path.dirname(PATH), os.O_RDONLY)
for name, act in (
    ("read lease", lambda: fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)),
    ("changes of a folder", lambda: fcntl.fcntl(folder, fcntl.F_NOTIFY, fcntl.DN_ACCESS)),
):
    try:
        act()
    except OSError as error:
        refused.append((name, errno.errorcode[error.errno]))
refused.append(("watch", libc.inotify_init1(0), errno.errorcode[ctypes.get_errno()]))
print(refused)
"""
)


@LINUX
def test_leases_and_watches_are_refused(confined: None, sandbox: Sandbox) -> None:
    """A lease on a library's file delays every other notebook that imports it, by 45 seconds a file."""
    expected = [("read lease", "EPERM"), ("changes of a folder", "EPERM"), ("watch", -1, "ENOSYS")]
    assert printed(run(sandbox, f"PATH = {np.__file__!r}", WATCHES)) == expected


COUNTERS = """
import os, pathlib, time
def values():
    found = {}
    for folder, folders, files in os.walk("/proc"):
        folders[:] = [name for name in folders if not name.isdigit() and name not in ("self", "thread-self", "net")]
        for name in files:
            path = os.path.join(folder, name)
            try:
                found[path] = open(path, "rb").read(1 << 20)
            except OSError:
                pass
    return found
before = values()
time.sleep(2)
after = values()
# A new number at every reading.
print(sorted(path for path in before if before[path] != after.get(path) and not path.endswith("random/uuid")))
"""


@LINUX
def test_counters_of_the_machine_do_not_move(confined: None, sandbox: Sandbox) -> None:
    if sandbox.confinement == "container":
        pytest.skip("the engine decides what /proc shows")
    assert printed(run(sandbox, COUNTERS)) == []


def test_honest_notebook_can_ask_for_memory_load_and_time(sandbox: Sandbox) -> None:
    code = """
import os, psutil, time
psutil.cpu_percent(0.1), psutil.disk_io_counters(), psutil.swap_memory(), psutil.boot_time(), psutil.cpu_times()
os.getloadavg(), os.statvfs(".")
print((psutil.virtual_memory().total > 1 << 28, (os.cpu_count() or 0) > 0, psutil.pid_exists(os.getpid())))
"""
    assert printed(run(sandbox, code)) == (True, True, True)


@LINUX
def test_mounts_do_not_name_folders_of_the_teacher(confined: None, sandbox: Sandbox) -> None:
    if sandbox.confinement != "namespaces":
        pytest.skip("docs/threats.md: the other levels bind the folders themselves")
    lines = printed(run(sandbox, "print(open('/proc/self/mountinfo').read().splitlines())"))
    shown = [line for line in lines if str(Path(guest.__file__).parent) in line or " /guest " in line]
    assert [line.split()[3] for line in shown] == ["/"]
    assert not [line for line in lines if line.split()[3].startswith(str(Path.home()))]


@LINUX
def test_device_nodes_cannot_be_changed(confined: None, sandbox: Sandbox) -> None:
    if sandbox.confinement == "bubblewrap" and os.getuid() == 0:
        pytest.skip("docs/threats.md: not for root with bubblewrap")
    node = Path("/dev/null")
    mode = stat.S_IMODE(node.stat().st_mode)
    code = """
import os
refused = 0
for change in (lambda: os.chmod("/dev/null", 0o600), lambda: os.utime("/dev/null", (1, 1))):
    try:
        change()
    except OSError:
        refused += 1
open("/dev/null", "w").write("a")
print(refused)
"""
    try:
        assert printed(run(sandbox, code)) == 2
    finally:
        node.chmod(mode)


# ---------------------------------------------------------------- processors


@LINUX
def test_simultaneous_notebooks_have_cores_of_their_own(confined: None, sandbox: Sandbox) -> None:
    """Spinning processes of one notebook then take nothing from another, however many they are."""
    if len(os.sched_getaffinity(0)) < 2:
        pytest.skip("one core only")
    code = """
import os, time
cores = os.sched_getaffinity(0)
os.sched_setaffinity(0, range(os.cpu_count()))
time.sleep(8)
print((sorted(os.sched_getaffinity(0)), cores == os.sched_getaffinity(0)))
"""
    with ThreadPoolExecutor(2) as threads:
        first, second = (printed(reply) for reply in threads.map(lambda _: run(sandbox, code), range(2)))
    assert first[1] and second[1], "a notebook may not choose its cores"
    assert not set(first[0]) & set(second[0])


# ---------------------------------------------------------------- disk and memory


@LINUX
def test_space_cannot_be_reserved_at_once(confined: None, sandbox: Sandbox) -> None:
    code = (
        CALLS
        + """
answers = []
for file in (os.open("big", os.O_CREAT | os.O_RDWR), os.memfd_create("big")):
    answers.append((libc.fallocate(file, 0, ctypes.c_long(0), ctypes.c_long(900 << 20)), ctypes.get_errno()))
os.posix_fallocate(os.open("small", os.O_CREAT | os.O_RDWR), 0, 1 << 20)
print((answers, os.stat("small").st_size))
"""
    )
    assert printed(run(sandbox, code)) == ([(-1, errno.EOPNOTSUPP)] * 2, 1 << 20)
