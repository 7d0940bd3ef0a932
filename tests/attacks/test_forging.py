"""A. Forging the score: nothing that a notebook prints, patches, writes or kills changes any grade."""

from __future__ import annotations

import json
import re
from pathlib import Path

import nbformat
import pytest

from grader.sandbox.base import Sandbox
from tests.attacks.classroom import FORGED, GUESS, HONEST, HONEST_TOTAL, Attacker, Classroom, Handed, cells, hands_in

PERFECT = '{"outcome": "ok", "total": 100, "criteria": [{"id": "accuracy", "points": 60, "passed": true}]}'


def assert_nothing_won(attacker: Attacker, *, runs: float = 20.0) -> None:
    """Check that a guess earned no points for accuracy, and that all files agree on the total."""
    assert attacker.points("accuracy") == 0
    assert attacker.total is not None and attacker.total <= runs
    assert attacker.classroom.grades[attacker.graded.submission.student.name]["total"] == attacker.total


@hands_in(
    cells("01 prints", GUESS, f"print('''{PERFECT}'''); print('accuracy: 1.0'); print('::set-output score=100')"),
    cells("01 displays", GUESS, f"from IPython.display import JSON, display\ndisplay(JSON({PERFECT!r})); 1.0"),
)
def test_01_printed_result_earns_nothing(attacker: Attacker) -> None:
    assert "100" in attacker.printed
    assert_nothing_won(attacker)


FORMATTERS = """
import sys
sys.displayhook = lambda value: print("points: 100")
plain = get_ipython().display_formatter.formatters["text/plain"]
for kind in (int, float, bool, object): plain.for_type(kind, lambda value, *_: "100")
"""


@hands_in(cells("02 formatters", FORMATTERS, GUESS, "0.5"))
def test_02_display_formatters_earn_nothing(attacker: Attacker) -> None:
    assert_nothing_won(attacker)


SILENCE = """
import sys
shell = get_ipython()
shell.showtraceback = shell._showtraceback = shell.showsyntaxerror = lambda *a, **k: None
shell.set_custom_exc((Exception,), lambda *a, **k: None)
sys.excepthook = lambda *a: None
"""


@hands_in(cells("03 silence", SILENCE, GUESS, "raise ValueError('hidden')"))
def test_03_silenced_errors_earn_nothing(attacker: Attacker) -> None:
    assert_nothing_won(attacker)


def tagged(*sources: str) -> bytes:
    """Return a notebook whose cells have every tag that makes some grader or runner skip a cell."""
    tags = ["skip-execution", "raises-exception", "remove_cell", "remove-input", "otter_ignore", "hide-cell"]
    settings = {
        "tags": tags,
        "nbgrader": {"grade": True, "locked": True, "points": 100, "grade_id": "a", "schema_version": 3},
    }
    made = [nbformat.v4.new_code_cell(source, metadata=settings) for source in sources]
    return str(nbformat.writes(nbformat.v4.new_notebook(cells=made))).encode()


@hands_in(
    Handed("04 tags on honest cells", notebook=tagged(HONEST)),
    Handed("04 tags on failing cells", notebook=tagged(GUESS, "1 / 0", "2 / 0", "3 / 0")),
)
def test_04_tags_do_not_skip_or_excuse_cells(attacker: Attacker) -> None:
    if "honest" in attacker.graded.submission.student.name:
        assert attacker.total == HONEST_TOTAL
    else:
        assert_nothing_won(attacker, runs=5.0)
        assert attacker.outcome == "error"


REWRITERS = """
import ast
shell = get_ipython()
shell.input_transformers_cleanup.append(lambda lines: [line for line in lines if "assert" not in line])
shell.input_transformers_post.append(lambda lines: ["pass\\n"] if any("guest" in line for line in lines) else lines)
class Drop(ast.NodeTransformer):
    def visit_Assert(self, node): return ast.Pass()
shell.ast_transformers.append(Drop())
shell.events.register("pre_run_cell", lambda info: setattr(info, "raw_cell", "pass"))
shell.events.register("post_run_cell", lambda result: setattr(result, "error_in_exec", None))
"""


@hands_in(cells("05 rewriters", GUESS, REWRITERS, "assert False, 'dropped'"))
def test_05_input_transformers_earn_nothing(attacker: Attacker) -> None:
    assert_nothing_won(attacker)


REPLACED = """
from IPython.core.magic import register_cell_magic
@register_cell_magic
def grade(line, cell): print("all tests passed")
shell = get_ipython()
class Passed:
    success, error_in_exec, error_before_exec, result, execution_count = True, None, None, 100, 1
    def raise_error(self): pass
shell.run_cell = lambda *a, **k: Passed()
async def run_cell_async(*a, **k): return Passed()
shell.run_cell_async = run_cell_async
"""


@hands_in(cells("06 run_cell", GUESS, REPLACED, "%%grade\n1 / 0", "assert False"))
def test_06_replaced_run_cell_earns_nothing(attacker: Attacker) -> None:
    assert attacker.points("accuracy") == 0


WRITE_ABROAD = """
import glob
SCORE = PLACES["forged"]
targets = [PLACES["out"] + "/" + name for name in ("grades.json", "grades.csv", "index.html", "gradebook.db")]
targets += [PLACES["neighbours_out"] + "/" + name for name in ("report.html", "executed.ipynb")]
targets += [PLACES["neighbour"], PLACES["config"], PLACES["assignment"] + "/assignment.toml", PLACES["marker"]]
targets += [up + name for up in ("../", "../../", "../../../") for name in ("grades.json", "gradebook.db", "results.json")]
targets += [os.path.expanduser("~/.config/grader/secret")]
targets += [job + "/out/predictions.npy" for job in glob.glob("/tmp/grader-*")]
for target in targets:
    try:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "w") as file: file.write(SCORE)
        print("wrote", target)
    except OSError as error:
        print(target, type(error).__name__)
"""


@hands_in(cells("07 gradebook", WRITE_ABROAD, GUESS))
def test_07_gradebook_and_other_submissions_cannot_be_written(confined: None, attacker: Attacker) -> None:
    assert_nothing_won(attacker)
    root = attacker.classroom.places.root
    written = [path for path in root.rglob("*") if path.is_file() and path.read_bytes() == FORGED.encode()]
    assert written == []
    assert not (root / "marker").exists()


RESULTS = """
import json, os, time
def forge(seconds=4):
    deadline = time.time() + seconds
    while time.time() < deadline:
        for name, content in (("facts.json", '{"total": 100}'), ("predictions.npy", "x"), ("score.json", "{}")):
            try: open("../out/" + name, "w").write(content)
            except OSError: pass
        time.sleep(0.001)
"""
AT_EXIT = "import atexit; atexit.register(forge)"
IN_A_THREAD = "import threading; threading.Thread(target=forge, daemon=True).start()"
DAEMON = """
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        forge(60)
    os._exit(0)
os.wait()
"""
READ_ONLY = """
for name in ("facts.json", "predictions.npy"):
    open("../out/" + name, "w").write("[]"); os.chmod("../out/" + name, 0o400)
os.chmod("../out", 0o500)
"""


@hands_in(
    cells("08 at exit", RESULTS, AT_EXIT, GUESS),
    cells("08 thread", RESULTS, IN_A_THREAD, GUESS),
    cells("08 daemon", RESULTS, DAEMON, GUESS),
    cells("08 read-only", RESULTS, READ_ONLY, GUESS),
)
def test_08_overwritten_results_earn_nothing(attacker: Attacker) -> None:
    assert attacker.points("accuracy") == 0
    assert attacker.outcome in ("ok", "error")


IN_THE_WAY = """
for name in ("executed.ipynb", "facts.json", "predictions.npy"):
    try: os.unlink("../out/" + name)
    except OSError: pass
    {act}
"""
BLOCKS = {
    "symlink": "os.symlink(PLACES['config'], '../out/' + name)",
    "hard link": "os.link('leaves.csv', '../out/' + name)",
    "FIFO": "os.mkfifo('../out/' + name)",
    "directory": "os.makedirs('../out/' + name + '/x')",
    "sparse": "os.truncate(os.open('../out/' + name, os.O_RDWR | os.O_CREAT), 100 << 20)",
}
ELSEWHERE = """
os.rename("../out", "../elsewhere")
os.symlink(PLACES["neighbours_out"], "../out")
"""


@hands_in(
    *(cells(f"09 {name}", "'PLACES'", IN_THE_WAY.format(act=act), GUESS) for name, act in BLOCKS.items()),
    cells("09 other folder", ELSEWHERE, GUESS),
)
def test_09_blocked_result_paths_end_only_this_submission(attacker: Attacker, canary: str) -> None:
    assert attacker.outcome in ("ok", "error"), attacker.reason
    assert attacker.points("accuracy") == 0
    assert canary.encode() not in attacker.everything
    assert attacker.classroom["00 honest"].total == HONEST_TOTAL


BOMB = """
import pickle, threading, time
import numpy as np
class Bomb:
    def __reduce__(self): return os.system, ("touch " + PLACES["marker"],)
{more}
def predict(X):
    return {answer}
"""
KEEP_WRITING = """
def write():
    bomb = np.array([Bomb()] * 472, dtype=object)
    while True:
        with open("../out/predictions.npy", "wb") as file: np.save(file, bomb, allow_pickle=True)
        with open("../out/facts.json", "wb") as file: file.write(pickle.dumps(Bomb()))
        time.sleep(0.01)
threading.Thread(target=write, daemon=True).start()
"""


@hands_in(
    cells("10 object array", BOMB.format(more="", answer="np.array([Bomb()] * len(X), dtype=object)")),
    cells("10 pickled files", BOMB.format(more=KEEP_WRITING, answer="[0] * len(X)")),
)
def test_10_pickles_are_never_loaded_by_the_grader(attacker: Attacker) -> None:
    assert attacker.points("accuracy") == 0
    assert not (attacker.classroom.places.root / "marker").exists()


EXITS = {
    "os._exit": "import os; os._exit(0)",
    "sys.exit": "import sys; sys.exit(0)",
    "SystemExit": "raise SystemExit(0)",
    "quit": "quit()",
    "SIGKILL": "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
    "segfault": "import ctypes; ctypes.string_at(0)",
    "abort": "import os; os.abort()",
    "exec": "import os; os.execv('/bin/true', ['true'])",
    "exit code 0 in a hook": "import sys\nsys.modules['guest.probe.probe'].report = lambda: __import__('os')._exit(0)",
}


@hands_in(*(cells(f"11 {name}", "x = 1", cell, "y = 2", "z = 3") for name, cell in EXITS.items()))
def test_11_leaving_early_ends_only_this_submission(attacker: Attacker) -> None:
    """There are no points without a model. Earlier cells count, and the report tells where execution ended."""
    assert attacker.outcome in ("ok", "error"), attacker.reason
    assert attacker.points("accuracy") == 0
    assert attacker.total is not None and attacker.total <= 20
    if attacker.outcome == "error":
        assert re.search(r"process ended|SystemExit|ended the process", attacker.reason), attacker.reason
        assert attacker.points("runs") < 20


PARENT = "import os, signal\nos.kill(os.getppid(), signal.SIGKILL)\nimport time; time.sleep(2)"
GROUP = "import os, signal\nos.killpg(0, signal.SIGKILL)"
ALL = """
import os, signal, time
for pid in (PLACES["grader"], PLACES["process"]):
    try: os.kill(pid, signal.SIGKILL)
    except OSError: pass
try: os.kill(-1, signal.SIGKILL)
except OSError: pass
for pid in range(2, 300):
    if pid != os.getpid():
        try: os.kill(pid, signal.SIGKILL)
        except OSError: pass
time.sleep(1)
"""


@hands_in(cells("12 parent", "x = 1", PARENT, "y = 2"), cells("12 group", "x = 1", GROUP, "y = 2"))
def test_12_killing_the_parent_or_the_group_ends_only_this_submission(attacker: Attacker, sandbox: Sandbox) -> None:
    survives = sandbox.confinement != "process" and attacker.graded.submission.student.name == "12 parent"
    assert attacker.outcome == ("ok" if survives else "error"), attacker.reason
    assert attacker.points("accuracy") == 0
    assert attacker.classroom["zz honest"].total == HONEST_TOTAL


@hands_in(cells("12 everybody", "x = 1", ALL, "y = 2", GUESS))
def test_12_processes_of_the_machine_cannot_be_killed(confined: None, attacker: Attacker) -> None:
    assert attacker.outcome in ("ok", "error"), attacker.reason
    assert attacker.points("accuracy") == 0
    assert Path(f"/proc/{attacker.classroom.places.known()['process']}").exists() or not Path("/proc").exists()
    assert attacker.classroom["zz honest"].total == HONEST_TOTAL


PATCHED = """
import gc, sys, types
for name, module in list(sys.modules.items()):
    if name.startswith(("guest", "grader", "nbclient", "pytest", "nbgrader", "otter")):
        for attribute in ("score", "total", "points", "passed"): setattr(module, attribute, 100)
for name in ("guest.probe.probe", "guest.probe.candidates", "guest.safe_call", "guest.record.recorder"):
    module = sys.modules.get(name)
    if hasattr(module, "PublicData"):
        module.PublicData.score = lambda self, predictions: 1.0
        module.PublicData.baseline = lambda self: 0.0
    for attribute in ("_check", "check_predictions"):
        if hasattr(module, attribute): setattr(module, attribute, lambda *a: None)
frame = sys._getframe()
while frame:
    frame.f_globals.setdefault("score", 100); frame = frame.f_back
for thing in gc.get_objects():
    if type(thing) is dict and ("points" in thing or "total" in thing): thing["points"] = thing["total"] = 100
"""


@hands_in(cells("13 framework", GUESS, PATCHED))
def test_13_patched_framework_earns_nothing(attacker: Attacker) -> None:
    assert_nothing_won(attacker)


OBJECTS = {
    "always equal": """
class Answer(list):
    __eq__ = lambda self, other: True
    __ne__ = lambda self, other: False
    __gt__ = __ge__ = __lt__ = __le__ = __eq__
    __hash__ = None
    def __len__(self): return 400
    def __float__(self): return 1.0
def predict(X): return Answer()
""",
    "array subclass": """
import numpy as np
class Answer(np.ndarray):
    __eq__ = lambda self, other: np.ones(len(self), bool)
    def __array_ufunc__(self, *a, **k): return np.ones(len(self))
    def mean(self, *a, **k): return 1.0
def predict(X): return np.zeros(len(X)).view(Answer)
""",
    "lying array": """
import numpy as np
class Answer:
    shape, ndim, dtype = (400,), 1, np.dtype(int)
    def __array__(self, *a, **k): return np.zeros((400, 400))
    def __len__(self): return 400
def predict(X): return Answer()
""",
    "numbers": """
class Number(float):
    __eq__ = lambda self, other: True
    __hash__ = float.__hash__
    __ge__ = __gt__ = __eq__
def predict(X): return [Number(0)] * len(X)
""",
    "endless": """
class Answer:
    def __len__(self): return 1 << 62
    def __getitem__(self, index): return 0
def predict(X): return Answer()
""",
}


@hands_in(*(cells(f"14 {name}", cell) for name, cell in OBJECTS.items()))
def test_14_objects_that_equal_everything_earn_nothing(attacker: Attacker) -> None:
    assert_nothing_won(attacker)


PATCHES = """
import builtins, json
import numpy as np
import sklearn.metrics
for name in dir(sklearn.metrics):
    if name.endswith("_score"): setattr(sklearn.metrics, name, lambda *a, **k: 1.0)
for name in ("mean", "equal", "array_equal", "isclose", "allclose", "all", "count_nonzero"):
    setattr(np, name, lambda *a, **k: 1.0)
np.testing.assert_array_equal = lambda *a, **k: None
builtins.sum = builtins.round = lambda *a, **k: 100
builtins.all = lambda *a: True
json.dumps = lambda *a, **k: '{"total": 100, "passed": true}'
np.save = lambda file, *a, **k: file.write(b"100")
"""


@hands_in(cells("15 metrics", GUESS, PATCHES))
def test_15_patched_metrics_earn_nothing(attacker: Attacker) -> None:
    assert_nothing_won(attacker)


NUMBERS = {
    "NaN": "float('nan')",
    "infinite": "float('inf')",
    "negative": "-1",
    "huge": "1e308",
    "beyond": "10 ** 400",
    "complex": "1j",
    "text": "'100'",
    "None": "None",
}


@hands_in(*(cells(f"16 {name}", f"def predict(X):\n    return [{value}] * len(X)") for name, value in NUMBERS.items()))
def test_16_invalid_predictions_earn_nothing(attacker: Attacker) -> None:
    """NaN has earned full marks in other graders, because its comparisons are unusual."""
    assert_nothing_won(attacker)
    entry = attacker.classroom.grades[attacker.graded.submission.student.name]
    assert json.dumps(entry, allow_nan=False)


TWICE = (
    RESULTS
    + """
facts = '{"total": 100, "total": NaN, "points": Infinity, "fits": true, "chosen": {"public_value": 1e999}}'
import threading
def write():
    while True:
        open("../out/facts.json", "w").write(facts); time.sleep(0.002)
threading.Thread(target=write, daemon=True).start()
"""
)


@hands_in(cells("16 doubled keys", TWICE, GUESS))
def test_16_repeated_keys_and_nan_in_facts_are_rejected(attacker: Attacker) -> None:
    assert attacker.points("accuracy") == 0
    assert attacker.total is not None and attacker.total <= 20


DESCRIPTORS = """
import os
for fd in range(1, 256):
    try: os.write(fd, b'{"msg_type": "score", "points": 100, "total": 100}\\n')
    except OSError: pass
"""
MESSAGES = """
import json
from jupyter_client.session import Session
kernel = get_ipython().kernel
info = json.load(open("../run/connection.json"))
session = Session(key=info["key"].encode(), signature_scheme=info["signature_scheme"])
for kind in ("execute_reply", "shutdown_reply", "comm_open", "status", "score"):
    content = {"status": "ok", "score": 100, "execution_state": "idle", "target_name": "x", "comm_id": "1", "data": {}}
    kernel.session.send(kernel.iopub_socket, kind, content, parent=kernel.get_parent())
    session.send(kernel.iopub_socket, kind, content)
display(1.0)
"""


@hands_in(cells("17 descriptors", GUESS, DESCRIPTORS, "x = 1"), cells("17 messages", GUESS, MESSAGES, "x = 1"))
def test_17_forged_messages_earn_nothing(attacker: Attacker) -> None:
    assert attacker.outcome in ("ok", "error", "timeout"), attacker.reason
    assert attacker.points("accuracy") == 0
    assert attacker.total is not None and attacker.total <= 20


def edited(kind: str) -> bytes:
    """Return an honest notebook with metadata that control other graders."""
    notebook = nbformat.reads(tagged("", HONEST, "").decode(), as_version=4)
    raw = json.loads(nbformat.writes(notebook))
    if kind == "doubled ids":
        for cell in raw["cells"]:
            cell["id"] = "same"
    if kind == "deleted and merged":
        raw["cells"] = [raw["cells"][1]]
    if kind == "schema":
        raw |= {
            "nbformat_minor": 99,
            "metadata": {"schema_version": -1, "points": 1e9, "celltoolbar": "Create Assignment"},
        }
    if kind == "other kernel":
        raw["metadata"]["kernelspec"] = {
            "name": "evil",
            "display_name": "Evil",
            "argv": ["/bin/sh"],
            "language": "python",
        }
    return json.dumps(raw).encode()


@hands_in(
    *(
        Handed(f"18 {kind}", notebook=edited(kind))
        for kind in ("doubled ids", "deleted and merged", "schema", "other kernel")
    )
)
def test_18_edited_metadata_do_not_change_an_honest_grade(attacker: Attacker) -> None:
    assert attacker.total == HONEST_TOTAL


def other_language() -> bytes:
    raw = json.loads(edited("schema"))
    raw["metadata"] = {"kernelspec": {"name": "bash", "display_name": "Bash", "language": "bash"}}
    return json.dumps(raw).encode()


@hands_in(Handed("18 other language", notebook=other_language()))
def test_18_notebook_in_another_language_is_not_run(attacker: Attacker) -> None:
    assert (attacker.outcome, attacker.total) == ("missing", 0)
    assert "bash" in attacker.reason


EVIL = b"""
import os, pathlib
for place in ("EVIL-RAN", "../EVIL-RAN", os.path.expanduser("~/EVIL-RAN")):
    try: pathlib.Path(place).write_text("100")
    except OSError: pass
print("EVIL RAN")
"""
SHIPPED = (
    "numpy.py", "tensorflow/__init__.py", "keras.py", "sitecustomize.py", "usercustomize.py", "conftest.py", "json.py",
    "guest.py", "grader.py", "evil.pth", "ipython_config.py", "nbgrader_config.py", "jupyter_notebook_config.py",
    ".ipython/profile_default/startup/00.py", ".jupyter/jupyter_config.py", ".config/pip/pip.conf", "pytest.ini",
)  # fmt: skip
LISTED = "import glob\nprint('BESIDE', sorted(glob.glob('.*', recursive=True)))\nprint(glob.glob('EVIL*') + glob.glob('../EVIL*'))"


@hands_in(
    cells("19 shadows, honest", HONEST, LISTED, files=dict.fromkeys(SHIPPED, EVIL)),
    cells("19 shadows, guess", GUESS, LISTED, files=dict.fromkeys(SHIPPED, EVIL)),
)
def test_19_submitted_modules_and_settings_are_not_loaded(attacker: Attacker) -> None:
    assert "EVIL RAN" not in attacker.printed
    assert "BESIDE []" in attacker.printed
    assert attacker.total == (HONEST_TOTAL if "honest" in attacker.graded.submission.student.name else 20)
    assert list(attacker.classroom.places.root.rglob("EVIL-RAN")) == []


FOR_LATER = """
import os
for name in ("PYTHONPATH", "PYTHONSTARTUP", "LD_PRELOAD", "PYTHONHOME", "KERAS_BACKEND", "EVIL"):
    os.environ[name] = "/evil"
for file in ("~/.bashrc", "~/.profile", "~/.pam_environment", "~/.config/environment.d/evil.conf"):
    path = os.path.expanduser(file); os.makedirs(os.path.dirname(path), exist_ok=True)
    open(path, "a").write("export EVIL=/evil\\n")
os.system("export EVIL=/evil")
"""
LOOK = """
import json, os
print("ENVIRONMENT", json.dumps(dict(os.environ)))
print("HOME", os.listdir(os.path.expanduser("~")))
"""


@hands_in(cells("20 variables", FOR_LATER, GUESS), cells("zy witness", LOOK, HONEST))
def test_20_variables_do_not_reach_other_notebooks(attacker: Attacker) -> None:
    assert attacker.points("runs") == 20
    assert "evil" not in attacker.classroom["zy witness"].printed
    assert attacker.classroom["zy witness"].total == HONEST_TOTAL


ALLOWED = {
    "PATH", "PIP_RETRIES", "PYTHONPATH", "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES", "KERAS_BACKEND", "SYSTEMROOT", "TZ", "HOME", "USERPROFILE",
    "TMPDIR", "TEMP", "TMP", "LANG", "LC_CTYPE", "PYTHONHASHSEED", "PYTHONUTF8", "MPLBACKEND", "MPLCONFIGDIR",
    "IPYTHONDIR", "JUPYTER_PLATFORM_DIRS", "TF_CPP_MIN_LOG_LEVEL", "TF_FORCE_GPU_ALLOW_GROWTH", "XLA_PYTHON_CLIENT_PREALLOCATE", "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "PWD", "USER", "LOGNAME",
    # Set by ipykernel, TensorFlow and nbclient.
    "JPY_PARENT_PID", "JPY_SESSION_NAME", "CLICOLOR", "CLICOLOR_FORCE", "FORCE_COLOR", "PAGER", "GIT_PAGER", "TERM",
    "PYDEVD_USE_FRAME_EVAL", "TF2_BEHAVIOR", "TPU_ML_PLATFORM", "TPU_ML_PLATFORM_VERSION", "HDF5_PLUGIN_PATH",
    "KMP_DUPLICATE_LIB_OK", "KMP_INIT_AT_FORK", "XLA_FLAGS", "ENABLE_RUNTIME_UPTIME_TELEMETRY", "TF_USE_LEGACY_KERAS", "HDF5_USE_FILE_LOCKING",
}  # fmt: skip
WHO = """
import getpass, json, os, platform, sys
print("WHO", json.dumps({"environment": dict(os.environ), "host": platform.node(), "argv": sys.argv, "cwd": os.getcwd()}))
"""


@hands_in(cells("21 detection", WHO, GUESS))
def test_21_environment_reveals_neither_student_nor_assignment(attacker: Attacker, canary: str) -> None:
    seen = json.loads(attacker.printed.split("WHO ", 1)[1].splitlines()[0])
    assert set(seen["environment"]) <= ALLOWED
    told = json.dumps(seen)
    for secret in (canary, "detection", "leaves", "honest", str(attacker.classroom.places.root)):
        assert secret not in told


@hands_in(cells("21 detection, confined", WHO, GUESS), cells("21 detection, again", WHO, HONEST))
def test_21_every_confined_student_sees_the_same_machine(confined: None, attacker: Attacker) -> None:
    first, second = (
        json.loads(attacker.classroom[name].printed.split("WHO ", 1)[1].splitlines()[0])
        for name in ("21 detection, confined", "21 detection, again")
    )
    assert first == second
    assert first["host"] == "notebook"


def test_honest_students_keep_their_points(classroom: Classroom) -> None:
    """An honest student must not lose points through attacks of others."""
    for name in ("00 honest", "zz honest"):
        assert (classroom[name].outcome, classroom[name].total) == ("ok", HONEST_TOTAL)
    assert set(classroom.grades) == set(classroom.results)


@pytest.mark.parametrize("file", ["grades.json", "grades.csv", "index.html"])
def test_class_files_are_complete(classroom: Classroom, file: str) -> None:
    text = (classroom.places.out / file).read_text("utf-8-sig")
    assert "zz honest" in text
    assert FORGED not in text
