"""The filter installed in a child process: refused calls fail with the right error, and notebooks work."""

from __future__ import annotations

import errno
import platform
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from grader.sandbox.guest.boot import seccomp

HERE = seccomp.MACHINES.get(platform.machine().lower())
FILTERED = pytest.mark.skipif(sys.platform != "linux" or HERE is None, reason="no filter is known for this machine")
INSTALL = f"""
import importlib.util
spec = importlib.util.spec_from_file_location("seccomp", {seccomp.__file__!r})
seccomp = importlib.util.module_from_spec(spec)
spec.loader.exec_module(seccomp)
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


def number(name: str) -> int:
    tables = {**seccomp.REFUSED, **seccomp.ABSENT, **seccomp.EXAMINED}
    found = tables[name][HERE or 0]
    assert found is not None
    return found


@FILTERED
def test_every_listed_call_fails() -> None:
    """Call each with zeros: without the filter most would fail with another error, or succeed."""
    calls = {
        name: (numbers[HERE or 0], expected)
        for table, expected in ((seccomp.REFUSED, errno.EPERM), (seccomp.ABSENT, errno.ENOSYS))
        for name, numbers in table.items()
        if numbers[HERE or 0] is not None
    }
    code = f"""
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
for name, (number, expected) in {calls!r}.items():
    result = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(0)] * 6)
    if (result, ctypes.get_errno()) != (-1, expected):
        print(name, result, ctypes.get_errno())
"""
    assert under_filter(code) == ""


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
        pytest.param("personality", (0x0040000,), errno.EPERM, id="no address randomization"),
        pytest.param("personality", (0xFFFFFFFF,), 0, id="query of the personality"),
        pytest.param("socket", (1, 1, 0), 0, id="local socket"),
        pytest.param("socket", (16, 3, 0), 0, id="list of interfaces"),
    ],
)
def test_examined_calls_depend_on_their_arguments(name: str, arguments: tuple[int, ...], expected: int) -> None:
    assert errno_of(number(name), *arguments) == expected


@FILTERED
@pytest.mark.skipif(HERE != 0, reason="only x86_64 has a second set of numbers")
def test_x32_numbers_of_calls_do_not_exist() -> None:
    assert errno_of(seccomp.X32_BIT | 39) == errno.ENOSYS  # x32's getpid


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


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_every_path_through_the_program_returns(machine: str) -> None:
    code = seccomp.program(machine)
    assert code is not None
    steps = list(struct.iter_unpack("=HBBI", code))
    for place, (kind, if_true, if_false, _) in enumerate(steps):
        if kind in (seccomp.JUMP_EQUAL, seccomp.JUMP_GREATER_OR_EQUAL, seccomp.JUMP_ANY_BIT):
            assert place + 1 + max(if_true, if_false) < len(steps)
    assert steps[-1] == (seccomp.RETURN, 0, 0, seccomp.ALLOW)


def test_unknown_processor_has_no_program() -> None:
    assert seccomp.program("riscv64") is None
