"""Further attacks from inside the notebook's process: on the probe, the exchanged files, the limits and the host.

Each runs in a class with honest notebooks. It must gain no points that labels decide, read nothing of the teacher's,
end within its limits, and never be a fault of the grader.
"""

from __future__ import annotations

import nbformat
import pytest

from grader.models.assignment import Limits
from grader.sandbox.guest import protocol
from tests.attacks.classroom import GUESS, HONEST, HONEST_TOTAL, Attacker, Classroom, cells, hands_in

pytestmark = pytest.mark.slow  # minutes of waiting for limits
LIMITS = Limits(seconds=12, memory_mb=1500, disk_mb=200, file_mb=100, processes=200, predict_seconds=10)

EXCHANGE = """
import os, sys, threading, time
import numpy as np
exchange = "/job/exchange" if os.path.isdir("/job/exchange") else os.path.join(os.getcwd(), "..", "exchange")
"""

# ------------------------------------------------------------------ the probe

KNOWS_THE_PUBLIC_ROWS = """
import numpy as np
table = np.genfromtxt("leaves.csv", delimiter=",", skip_header=1)
known = {tuple(row[:2]): int(row[2]) for row in table}
def predict(X):
    return [known.get(tuple(row), 0) for row in np.asarray(X)]
"""
CLASS_LIES = """
from sklearn.linear_model import LogisticRegression
class Model:
    __class__ = LogisticRegression
    classes_ = [0, 1]
    n_features_in_ = 2
    def predict(self, X): return [0] * len(X)
    def __eq__(self, other): return True
    def __getattr__(self, name): return lambda *args, **kwargs: self
    __hash__ = None
model = Model()
"""
CHANGES_AFTER_THE_REPORT = f"""{EXCHANGE}
weights = None
{HONEST}
good = predict
def predict(X):
    return [0] * len(X) if os.path.exists(os.path.join(exchange, "inputs.npy")) else good(X)
"""
TRACED = f"""{EXCHANGE}
def tracer(frame, event, arg):
    if "score" in frame.f_locals:
        frame.f_locals["score"] = 1.0
    return tracer
sys.settrace(tracer); sys.setprofile(tracer); threading.settrace(tracer)
"""
HOOKED = f"""{EXCHANGE}
import atexit, gc, weakref
def meddle(*args):
    if args and args[0] == "open" and str(args[1][0]).endswith("inputs.npy"):
        raise PermissionError("mine")
sys.addaudithook(meddle)
gc.callbacks.append(lambda *args: 1 / 0)
os.register_at_fork(before=lambda: 1 / 0, after_in_child=lambda: os._exit(7))
class Kept: pass
kept = Kept(); weakref.finalize(kept, time.sleep, 60); atexit.register(time.sleep, 60)
"""
PUBLIC_REPLACED = f"""{EXCHANGE}
np.savez(os.path.join(exchange, "public.npz"), inputs=np.zeros((10, 2)), targets=np.zeros(10), task="classification",
         columns=np.array(["length", "width"]))
"""
DAEMON = f"""{EXCHANGE}
import subprocess
subprocess.Popen([sys.executable, "-S", "-c", '''
import os, sys, time
target = sys.argv[1] + "/predictions.npy"
head = "{{'descr': '<i8', 'fortran_order': False, 'shape': (472,), }}"
data = b"\\\\x93NUMPY\\\\x01\\\\x00" + (118).to_bytes(2, "little") + head.ljust(117).encode() + b"\\\\n" + bytes(472 * 8)
while True:
    with open(target + ".new", "wb") as file: file.write(data)
    os.replace(target + ".new", target)
    time.sleep(0.005)
''', exchange], start_new_session=True)
"""
FACTS_SWAPPED = f"""{EXCHANGE}
def swap():
    path, n = os.path.join(exchange, "facts.json"), 0
    while True:
        n += 1
        try:
            if os.path.isdir(path): os.rmdir(path)
            elif os.path.lexists(path): os.unlink(path)
            if n % 4 == 0: os.symlink("/etc/passwd", path)
            elif n % 4 == 1: os.mkfifo(path)
            elif n % 4 == 2: os.mkdir(path)
            else: os.link(os.path.join(exchange, "public.npz"), path)
        except OSError: pass
        time.sleep(0.001)
threading.Thread(target=swap, daemon=True).start()
"""
FORGED_RECORDS = """
import math, sys, types
recorder = sys.modules["guest.record.recorder"]
for n in range(500):
    recorder.fits.append(recorder.FitRecord(None, "f" * 10_000, -1, 10**30, {"loss": [math.nan, -math.inf, "x"]}, -5.0))
    recorder.figures.append(recorder.FigureRecord(-1, "c" * 100_000, [[math.nan]]))
    recorder.evaluations.append(-(10**30))
recorder.seeds["x" * 1000] = math.nan
sys.modules["guest.record.trained"].count = lambda: math.nan
class Model:
    def fit(self, *args): return types.SimpleNamespace(history={"loss": [3, 2, 1], "val_loss": [3, 2, 1]})
sys.modules["keras"] = types.SimpleNamespace(Model=Model, __version__=7)
history = sys.modules["keras"].Model().fit()
"""
PROBE = {
    "knows the public rows": [KNOWS_THE_PUBLIC_ROWS],
    "class lies": [GUESS, CLASS_LIES],
    "changes after the report": [CHANGES_AFTER_THE_REPORT],
    "traced": [GUESS, TRACED],
    "public rows replaced": [GUESS, PUBLIC_REPLACED],
    "daemon writes predictions": [HONEST, DAEMON],
    "forged records": [GUESS, FORGED_RECORDS],
}


@hands_in(*(cells(name, *attack) for name, attack in PROBE.items()))
def test_notebook_that_fools_the_probe_gains_nothing(attacker: Attacker) -> None:
    assert attacker.outcome in ("ok", "error"), attacker.reason
    assert attacker.points("accuracy") == 0 or "daemon" in attacker.graded.submission.student.name
    assert_own_source_and_time(attacker)


def assert_own_source_and_time(attacker: Attacker) -> None:
    # Without a total, a person decides: the facts of the run are missing. The observed training and curve earn 15.
    assert attacker.total is None or attacker.total <= HONEST_TOTAL + 15
    seconds = LIMITS.seconds + 2 * LIMITS.predict_seconds + 4 * protocol.GRACE_SECONDS
    assert attacker.graded.run.seconds < seconds + 30
    assert attacker.graded.submission.notebook is not None
    handed = nbformat.read(attacker.graded.submission.notebook, as_version=4)
    assert ["".join(cell["source"]) for cell in attacker.cells] == [cell.source for cell in handed.cells]


NEVER_ANSWERS = """
import signal, time
def predict(X):
    if len(X) != 1: return [0] * len(X)
    for number in (signal.SIGALRM, signal.SIGINT): signal.signal(number, signal.SIG_IGN)
    while True: time.sleep(1)
"""
CRASHES = """
import ctypes
def predict(X):
    return [0] * len(X) if len(X) != 1 else ctypes.string_at(0)
"""
INPUTS_IN_THE_LAST_BITS = f"""{HONEST}
exact = predict
def predict(X):
    return exact(X) + np.asarray(X)[:, 0] * 1e-12
"""
FOLDERS = f"""{EXCHANGE}
os.chmod(exchange, 0)
for name in ("exchange", "run", "work", "home"):
    try: os.rename(os.path.join(exchange, "..", name), os.path.join(exchange, "..", name + "2"))
    except OSError as error: print("refused", error.errno)
"""
FILLED = f"""{EXCHANGE}
for n in range(5_000): os.mkdir(os.path.join(exchange, str(n)))
"""
DISTURBING = {
    "facts swapped": [FACTS_SWAPPED, HONEST],
    "never answers": [NEVER_ANSWERS],
    "crashes while predicting": [CRASHES],
    "inputs in the last bits": [INPUTS_IN_THE_LAST_BITS],
    "hooked": [HONEST, HOOKED],
    "exchange filled": [FILLED, HONEST],
}


@hands_in(*(cells(name, *attack) for name, attack in DISTURBING.items()))
def test_notebook_that_disturbs_the_probe_is_no_fault(attacker: Attacker) -> None:
    assert attacker.outcome in ("ok", "error", "disk", "timeout"), attacker.reason
    assert_own_source_and_time(attacker)
    assert "root:" not in attacker.everything.decode("utf-8", "replace")
    hidden = attacker.classroom.hidden_inputs[:20, 0]
    assert all(repr(float(value))[:12].encode() not in attacker.everything for value in hidden)


@hands_in(cells("folders renamed", FOLDERS, HONEST))
def test_renamed_folders_are_no_fault(confined: None, attacker: Attacker) -> None:
    assert attacker.outcome in ("ok", "error"), attacker.reason
    assert_own_source_and_time(attacker)


# ------------------------------------------------------------------ limits

NAMED = """
import ctypes, threading, time
ctypes.CDLL(None).prctl(15, {name!r}, 0, 0, 0)
threads = [threading.Thread(target=time.sleep, args=(6,), daemon=True) for _ in range({threads})]
for thread in threads: thread.start()
time.sleep(3)
"""
TOO_DEEP = """
import os
for n in range(2100): os.mkdir("d"); os.chdir("d")
for n in range(3): open(str(n), "wb").write(b"x" * (90 << 20))
import time; time.sleep(4)
"""
LIMITED = {
    "threads under a false name": NAMED.format(name=b"Threads:\t0", threads=400),
    "files too deep": TOO_DEEP,
}


@hands_in(*(cells(name, GUESS, attack) for name, attack in LIMITED.items()))
def test_limit_cannot_be_passed_unseen(confined: None, attacker: Attacker) -> None:
    assert attacker.outcome in ("forbidden", "disk", "error"), attacker.reason
    assert attacker.outcome != "error" or "thread" in attacker.reason  # where the system itself refuses the threads
    assert attacker.points("accuracy") == 0


LOGGED = """
import os
for n in range(20): os.write(2, b"isolation failed: mine\\n" * 45_000)
"""
SIGNALS = """
import os, signal
for n in range(20_000):
    for number in (signal.SIGUSR1, signal.SIGRTMIN, signal.SIGPIPE, signal.SIGCHLD):
        os.kill(1, number)
"""
ZOMBIES = """
import os, time
for n in range(30):
    if os.fork() == 0:
        if n % 2 and os.fork(): os._exit(0)
        os._exit(0)
"""
HIDES = """
import ctypes, os
print(ctypes.CDLL(None).prctl(4, 0, 0, 0, 0), "is the answer")
"""
LINKS = """
import os, threading, time
def swap():
    while True:
        try:
            os.mkdir("here"); open("here/x", "w").close()
            os.rename("here", "there"); os.symlink("/", "here"); time.sleep(0.001)
            os.unlink("here"); os.unlink("there/x"); os.rmdir("there")
        except OSError: time.sleep(0.001)
for n in range(3): threading.Thread(target=swap, daemon=True).start()
time.sleep(3)
"""
MODULES = (
    *("ipywidgets", "comm", "jedi", "debugpy", "stack_data", "pure_eval", "executing", "asttokens", "astroid"),
    *("pygments", "matplotlib_inline", "tornado", "traitlets", "prompt_toolkit", "secrets", "fractions", "psutil"),
    *("dateutil", "faulthandler", "guest", "probe", "protocol", "run", "record", "nbformat", "usercustomize"),
)
STOPS = {f"{name}.py": b"raise SystemExit('mine')" for name in MODULES}
PACKAGES = {f"{name}/__init__.py": b"import os; os._exit(3)" for name in ("guest", "ipykernel", "storemagic", "zmq")}
BOTHERED = {
    "log filled": LOGGED,
    "signals to process 1": SIGNALS,
    "zombies": ZOMBIES,
    "odd process name": NAMED.format(name=b"a) Z 0 0 (\xff\n", threads=3),
    "hides its memory": HIDES,
    "swaps folders for links": LINKS,
}


@hands_in(
    *(cells(name, attack, HONEST) for name, attack in BOTHERED.items()),
    cells("modules that end the kernel", HONEST, files=STOPS),
    cells("packages that end the kernel", HONEST, files=PACKAGES),
)
def test_bothered_host_grades_on(confined: None, attacker: Attacker) -> None:
    assert attacker.outcome in ("ok", "error", "disk"), attacker.reason
    assert attacker.points("accuracy") == 60, attacker.reason
    assert "mine" not in attacker.reason
    assert "0 is the answer" not in attacker.printed


# ------------------------------------------------------------------ what the process inherits

INHERITED = """
import os
for name in os.listdir("/proc/self/fd"):
    try: print("descriptor", name, os.readlink("/proc/self/fd/" + name))
    except OSError: pass
for line in open("/proc/self/maps"):
    if line.split()[1].startswith("rw") and line.split()[1].endswith("s"): print("shared", line)
"""
MEMORY = """
import re
pattern, found = re.compile(b"can" b"ary[0-9a-f]{16}"), set()
with open("/proc/self/mem", "rb", 0) as memory:
    for line in open("/proc/self/maps"):
        start, end = (int(number, 16) for number in line.split()[0].split("-"))
        if line.split()[1].startswith("rw") and end - start < 200 << 20:
            try: memory.seek(start); found |= set(pattern.findall(memory.read(end - start)))
            except (OSError, ValueError): pass
print("searched", found)
"""


@hands_in(cells("looks at what it inherits", INHERITED, MEMORY, HONEST))
def test_process_inherits_nothing_of_the_host(confined: None, attacker: Attacker) -> None:
    assert "searched" in attacker.printed and attacker.classroom.places.canary not in attacker.printed
    kinds = ("/job", "/dev/null", "/dev/urandom", "/proc", "socket:", "anon_inode:", "pipe:", "/tmp")
    opened = [line.split(maxsplit=2) for line in attacker.printed.splitlines() if line.startswith("descriptor")]
    assert all(target.startswith(kinds) or target.endswith("kernel.log") for _, _, target in opened), opened
    assert "shared" not in attacker.printed
    assert attacker.total == HONEST_TOTAL


def test_neighbours_keep_their_grades_and_the_teacher_the_files(classroom: Classroom) -> None:
    assert classroom["00 honest"].total == classroom["zz honest"].total == HONEST_TOTAL
    assert all(graded.run.outcome.value != "grader_fault" for graded in classroom.results.values())
    assert (classroom.places.root / "config" / "secret").read_bytes() == classroom.secret
