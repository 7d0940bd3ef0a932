"""The filter installed in a child process: refused calls fail with the right error, and notebooks work."""

from __future__ import annotations

import errno
import platform
import struct
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from grader.sandbox.guest.boot import seccomp, system_calls

HERE = seccomp.MACHINES.get(platform.machine().lower())
FILTERED = pytest.mark.skipif(sys.platform != "linux" or HERE is None, reason="no filter is known for this machine")
INSTALL = f"""
import importlib.util, sys
folder = {str(Path(seccomp.__file__).parent)!r}
spec = importlib.util.spec_from_file_location("boot", folder + "/__init__.py", submodule_search_locations=[folder])
sys.modules["boot"] = importlib.util.module_from_spec(spec)
from boot import seccomp
seccomp.install()
"""


def under_filter(code: str, folder: Path | None = None) -> str:
    command = [sys.executable, "-B", "-c", INSTALL + code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, cwd=folder, check=False)
    assert done.returncode == 0, (done.returncode, done.stderr)
    return done.stdout.strip()


def errno_of(number: int, *arguments: int) -> int:
    call = ", ".join(f"ctypes.c_long({value})" for value in (number, *arguments))
    code = f"import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\nprint(libc.syscall({call}), ctypes.get_errno())"
    result, error = under_filter(code).split()
    return int(error) if result == "-1" else 0


LISTED: dict[str, system_calls.Numbers] = {
    **system_calls.ALLOWED,
    **system_calls.REFUSED,
    **system_calls.WITHOUT_EFFECT,
    **system_calls.UNSUPPORTED,
    **system_calls.EXAMINED,
}


def number(name: str) -> int:
    found = LISTED[name][HERE or 0]
    assert found is not None
    return found


def results(numbers: Iterable[int]) -> dict[int, tuple[int, int]]:
    """Call each number with zeros under the filter; return its result and its error."""
    code = f"""
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
for number in {list(numbers)!r}:
    ctypes.set_errno(0)
    print(number, libc.syscall(ctypes.c_long(number), *[ctypes.c_long(0)] * 6), ctypes.get_errno())
"""
    lines = (map(int, line.split()) for line in under_filter(code).splitlines())
    return {called: (result, error) for called, result, error in lines}


@FILTERED
@pytest.mark.parametrize(
    ("calls", "expected"),
    [
        pytest.param(system_calls.REFUSED, (-1, errno.EPERM), id="refused"),
        pytest.param(system_calls.WITHOUT_EFFECT, (0, 0), id="without effect"),
        pytest.param(system_calls.UNSUPPORTED, (-1, errno.EOPNOTSUPP), id="unsupported"),
    ],
)
def test_every_listed_call_gives_its_result(
    calls: Mapping[str, system_calls.Numbers], expected: tuple[int, int]
) -> None:
    """Call each with zeros: without the filter most would fail with another error, or succeed."""
    numbers = [found for pair in calls.values() if (found := pair[HERE or 0]) is not None]
    assert results(numbers) == dict.fromkeys(numbers, expected)


@FILTERED
def test_unlisted_calls_do_not_exist() -> None:
    listed = {pair[HERE or 0] for pair in LISTED.values()}
    # The kernel does not ask the filter about 335 and 336, with which its own probes return.
    numbers = [unlisted for unlisted in range(600) if unlisted not in {*listed, 335, 336}]
    assert results(numbers) == dict.fromkeys(numbers, (-1, errno.ENOSYS))


@FILTERED
@pytest.mark.parametrize("name", ["clone3", "io_uring_setup", "inotify_init1", "splice", "cachestat"])
def test_calls_with_a_fallback_do_not_exist(name: str) -> None:
    assert name not in LISTED


@FILTERED
def test_pinned_cores_stay(tmp_path: Path) -> None:
    code = """
import os
before = os.sched_getaffinity(0)
os.sched_setaffinity(0, {0})
print(os.sched_getaffinity(0) == before, len(before))
"""
    assert under_filter(code).startswith("True")


@FILTERED
@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        pytest.param("clone", (0x10000000 | 17, 0, 0, 0, 0), errno.EPERM, id="user namespace"),
        pytest.param("clone", (0x00020000 | 17, 0, 0, 0, 0), errno.EPERM, id="mount namespace"),
        pytest.param("socket", (17, 3, 0), errno.EAFNOSUPPORT, id="raw packets"),
        pytest.param("socket", (38, 5, 0), errno.EAFNOSUPPORT, id="kernel crypto"),
        pytest.param("socket", (40, 1, 0), errno.EAFNOSUPPORT, id="host of the virtual machine"),
        pytest.param("socket", (16, 3, 12), errno.EPROTONOSUPPORT, id="packet filter rules"),
        pytest.param("socketpair", (30, 1, 0, 0), errno.EAFNOSUPPORT, id="cluster sockets"),
        pytest.param("ioctl", (0, 0x5412, 0), errno.EPERM, id="input to a terminal"),
        pytest.param("ioctl", (0, (1 << 32) | 0x5412, 0), errno.EPERM, id="input to a terminal, 64-bit request number"),
        pytest.param("ioctl", (0, 0x8901, 0), errno.EPERM, id="signals to another process"),
        pytest.param("fcntl", (0, 1024, 0), errno.EPERM, id="lease"),
        pytest.param("fcntl", (0, (1 << 32) | 1024, 0), errno.EPERM, id="lease, 64-bit command"),
        pytest.param("fcntl", (0, 1026, 1), errno.EPERM, id="notification of changes in a folder"),
        pytest.param("fcntl", (0, 8, 1), errno.EPERM, id="signals to another process about a descriptor"),
        pytest.param("fcntl", (0, 10, 9), errno.EPERM, id="another signal about a descriptor"),
        pytest.param("fcntl", (0, 1, 0), 0, id="flags of a descriptor"),
        pytest.param("prctl", (35, 8, 0, 0, 0), errno.EINVAL, id="shown command line"),
        pytest.param("prctl", (0x59616D61, -1, 0, 0, 0), errno.EINVAL, id="tracing by others"),
        pytest.param("prctl", (62, 1, 1, 0, 0), errno.EINVAL, id="processors withheld from others"),
        pytest.param("prctl", (3, 0, 0, 0, 0), 0, id="query of dumpability"),
        pytest.param("prlimit64", (1, 7, 4096, 0), errno.EPERM, id="limit of another process"),
        pytest.param("prlimit64", (1, 7, 1 << 32, 0), errno.EPERM, id="limit of another process, high address"),
        pytest.param("prlimit64", (0, 7, 0, 0), 0, id="query of a limit"),
        pytest.param("setpriority", (0, 0, -5), errno.EACCES, id="higher priority"),
        pytest.param("sched_setscheduler", (0, 1, 0), errno.EPERM, id="real-time priority"),
        pytest.param("seccomp", (1, 8, 0), errno.EPERM, id="system calls answered by a program"),
        pytest.param("personality", (0x0040000,), errno.EPERM, id="no address randomization"),
        pytest.param("personality", (0xFFFFFFFF,), 0, id="query of the personality"),
        pytest.param("clone", (0x8000 | 17, 0, 0, 0, 0), errno.EPERM, id="child of the parent"),
        pytest.param("socket", (2, 6, 0), errno.ESOCKTNOSUPPORT, id="DCCP"),
        pytest.param("socket", (2, 1, 132), errno.EPROTONOSUPPORT, id="SCTP"),
        pytest.param("socket", (2, 1, 262), errno.EPROTONOSUPPORT, id="multipath TCP"),
        pytest.param("socket", (2, 0o2000001, 6), 0, id="TCP, closed on exec"),
        pytest.param("socket", (10, 2, 17), 0, id="UDP over IPv6"),
        pytest.param("socket", (1, 1, 0), 0, id="local socket"),
        pytest.param("socket", (16, 3, 0), 0, id="list of interfaces"),
    ],
)
def test_examined_calls_depend_on_their_arguments(name: str, arguments: tuple[int, ...], expected: int) -> None:
    assert errno_of(number(name), *arguments) == expected


@FILTERED
@pytest.mark.skipif(HERE != 0, reason="only x86_64 has a second set of numbers")
def test_x32_numbers_of_calls_do_not_exist() -> None:
    assert errno_of(0x40000000 | 39) == errno.ENOSYS  # x32's getpid


@FILTERED
@pytest.mark.skipif(HERE != 0, reason="only x86_64 has a 32-bit interface")
def test_32_bit_system_call_kills_the_process() -> None:
    """Execute ``mov eax, 20; int 0x80; ret``: getpid by its number for 32-bit programs."""
    code = """
import ctypes, mmap
page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
page.write(bytes.fromhex("b814000000cd80c3"))
ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()
"""
    done = subprocess.run([sys.executable, "-B", "-c", INSTALL + code], timeout=60, check=False)
    assert done.returncode == -31  # SIGSYS


@FILTERED
def test_filter_covers_earlier_threads_and_later_programs() -> None:
    code = f"""
import threading, queue
request, reply = queue.Queue(), queue.Queue()
def read_status():
    request.get()
    reply.put(next(line for line in open("/proc/thread-self/status") if line.startswith("Seccomp:")))
threading.Thread(target=read_status, daemon=True).start()
{INSTALL}
request.put(1)
print(reply.get().split()[1])
import subprocess
print(subprocess.run(["unshare", "--user", "true"], capture_output=True, text=True).stderr)
print(subprocess.run(["grep", "NoNewPrivs", "/proc/self/status"], capture_output=True, text=True).stdout)
"""
    done = subprocess.run([sys.executable, "-B", "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.startswith("2\n")
    assert "Operation not permitted" in done.stdout
    assert "NoNewPrivs:\t1" in done.stdout


@FILTERED
@pytest.mark.parametrize(
    ("code", "expected"),
    [
        pytest.param("import subprocess; print(subprocess.check_output(['echo', 'a']).decode())", "a", id="subprocess"),
        pytest.param(
            "import multiprocessing as m\nif __name__ == '__main__':\n"
            "    with m.get_context('fork').Pool(2) as pool: print(pool.map(abs, [-1, -2]))",
            "[1, 2]",
            id="multiprocessing",
        ),
        pytest.param(
            "from joblib import Parallel, delayed\nprint(Parallel(2)(delayed(abs)(x) for x in [-1, -2]))",
            "[1, 2]",
            id="joblib",
        ),
        pytest.param(
            "import zmq\nc = zmq.Context(); a = c.socket(zmq.PAIR); b = c.socket(zmq.PAIR)\n"
            "a.bind('ipc://pair'); b.connect('ipc://pair'); a.send(b'a'); print(b.recv().decode())\n"
            "c.destroy(0)",
            "a",
            id="kernel sockets",
        ),
        pytest.param(
            "import matplotlib; matplotlib.use('agg')\nimport matplotlib.pyplot as p\n"
            "p.plot([1, 2]); p.savefig('a.png'); print('a')",
            "a",
            id="matplotlib",
        ),
        pytest.param("import asyncio; print(asyncio.run(asyncio.sleep(0, 'a')))", "a", id="asyncio"),
        pytest.param(
            "import psutil, socket; psutil.net_if_addrs(); print(socket.gethostbyname('127.0.0.1'))",
            "127.0.0.1",
            id="names and interfaces",
        ),
        pytest.param(
            "import os\nfile = open('f', 'w')\n"
            "os.posix_fallocate(file.fileno(), 0, 1 << 20); print(os.stat('f').st_blocks)",
            "2048",
            id="space reserved for a file",
        ),
        pytest.param(
            "import sqlite3, h5py, filelock\n"
            "sqlite3.connect('a.db').execute('pragma journal_mode = wal').execute('create table t (a)')\n"
            "with h5py.File('a.h5', 'w') as file: file['a'] = [1]\n"
            "with filelock.FileLock('lock'), h5py.File('a.h5'): print('a')",
            "a",
            id="locks of own files",
        ),
        pytest.param(
            "import os, psutil, resource\n"
            "os.nice(1); os.sync(); psutil.Process().cpu_affinity([0]); psutil.Process().rlimit(psutil.RLIMIT_NOFILE)\n"
            "resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256)); print('a')",
            "a",
            id="process settings",
        ),
        pytest.param("import os; os.mkfifo('f'); os.symlink('f', 'g'); os.link('f', 'h'); print('a')", "a", id="files"),
    ],
)
def test_usual_libraries_work_under_the_filter(tmp_path: Path, code: str, expected: str) -> None:
    assert under_filter(code, tmp_path).splitlines()[-1:] == [expected]


@FILTERED
def test_keras_trains_under_the_filter(tmp_path: Path) -> None:
    code = """
import keras, numpy as np
keras.utils.set_random_seed(0)
X = np.random.rand(256, 4); y = (X[:, 0] > 0.5).astype(int)
model = keras.Sequential([keras.layers.Dense(8, "relu"), keras.layers.Dense(1, "sigmoid")])
model.compile("adam", "binary_crossentropy", jit_compile=True)
history = model.fit(X, y, epochs=3, verbose=0)
model.save("model.keras"); keras.saving.load_model("model.keras").predict(X, verbose=0)
print(history.history["loss"][-1] < history.history["loss"][0])
"""
    assert under_filter(code, tmp_path).endswith("True")


def evaluate(code: bytes, data: bytes) -> tuple[int, int]:
    """Return the action of a filter for one ``struct seccomp_data``, and the number of steps to it."""
    steps = list(struct.iter_unpack("=HBBI", code))
    word = place = 0
    for taken in range(1, len(steps) + 1):
        kind, if_true, if_false, constant = steps[place]
        place += 1
        if kind == seccomp.RETURN:
            return constant, taken
        if kind == seccomp.LOAD_WORD:
            (word,) = struct.unpack_from("=I", data, constant)
        elif kind == seccomp.AND:
            word &= constant
        elif kind == seccomp.JUMP_ALWAYS:
            place += constant
        else:
            holds = {
                seccomp.JUMP_EQUAL: word == constant,
                seccomp.JUMP_GREATER_OR_EQUAL: word >= constant,
                seccomp.JUMP_ANY_BIT: bool(word & constant),
            }[kind]
            place += if_true if holds else if_false
    raise AssertionError("no return")


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_program_is_short_and_finds_every_call(machine: str) -> None:
    code, column = seccomp.program(machine), seccomp.MACHINES[machine]
    assert code is not None
    assert len(code) // 8 < 500
    allowed = {pair[column] for pair in (*system_calls.ALLOWED.values(), *system_calls.EXAMINED.values())}
    for called in range(600):
        data = struct.pack("=IIQ6Q", called, seccomp.AUDIT_ARCHITECTURE[column], 0, 1, 1, 1, 0, 0, 0)
        action, taken = evaluate(code, data)
        assert taken < 60, called
        if called in allowed and called not in (number[column] for number in system_calls.EXAMINED.values()):
            assert action == seccomp.ALLOW, called
        if called not in allowed:
            assert action != seccomp.ALLOW, called


def test_unknown_processor_has_no_program() -> None:
    assert seccomp.program("riscv64") is None
