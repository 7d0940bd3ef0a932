"""Tests of warm workers: same results as a cold start, confinement, replacement of a dead worker."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import psutil
import pytest

from grader.models.assignment import Limits
from grader.sandbox.base import EndReason, Job, Question, Reply
from grader.sandbox.guest import protocol
from grader.sandbox.levels import passed_trial, trial_job
from grader.sandbox.mounts import Kind, Mount
from grader.sandbox.namespaces import NamespaceSandbox
from grader.sandbox.process import ProcessSandbox
from tests.support import confined
from tests.support.notebooks import notebook_bytes

NETWORK = """
import keras, numpy as np, os
table = np.genfromtxt("table.csv", delimiter=",")
inputs = keras.Input((2,))
model = keras.Model(inputs, keras.layers.Dense(1, "sigmoid")(keras.layers.Dense(8, "relu")(inputs)))
model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
history = model.fit(table[:, :2], table[:, 2], epochs=5, validation_split=0.2, verbose=0)
model.save("kept.keras")
def predict(X):
    return model.predict(X, verbose=0).astype("float64")
"""


@pytest.fixture(scope="module")
def warm() -> Iterator[NamespaceSandbox]:
    sandbox = NamespaceSandbox({**os.environ, "LMS_TOKEN": "not for students"})
    yield sandbox
    sandbox.close()


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Job:
    rng = np.random.default_rng(5)
    inputs = rng.normal(size=(300, 2))
    targets = (inputs.sum(axis=1) > 0).astype(np.int64)
    path = tmp_path_factory.mktemp("data") / "table.csv"
    np.savetxt(path, np.column_stack([inputs, targets]), delimiter=",")
    asked = rng.normal(size=(protocol.SINGLE_ROWS + protocol.BATCH_ROWS + 200, 2))
    question = Question("classification", ("a", "b"), inputs, targets, asked)
    return Job(notebook_bytes(NETWORK), {"table.csv": path}, Limits(seconds=90), question=question)


def evaluate(sandbox: NamespaceSandbox, expression: str) -> Any:
    """Evaluate an expression inside."""
    cell = f"import os, sys, json, glob, pathlib\nprint(json.dumps({expression}))"
    reply = sandbox.run(Job(notebook_bytes(cell), {}, Limits(seconds=30)))
    assert reply.executed is not None, reply.log
    notebook = nbformat.reads(reply.executed.decode(), as_version=4)
    output = notebook.cells[0].outputs[0]
    assert output.output_type == "stream", output
    return json.loads(output.text)


def test_warm_and_cold_runs_give_identical_results(warm: NamespaceSandbox, job: Job) -> None:
    replies = [warm.run(job), warm.run(job), ProcessSandbox(os.environ).run(job)]
    answers = [np.load(io.BytesIO(reply.predictions or b"")) for reply in replies]
    assert answers[0].dtype == np.float64 and len(np.unique(answers[0])) > 50
    for other in answers[1:]:
        np.testing.assert_array_equal(answers[0], other)
    curves = [json.loads(reply.facts or b"")["fits"][0]["curves"] for reply in replies]
    assert curves[0] == curves[1] == curves[2]
    assert len(curves[0]["val_loss"]) == 5


def test_warm_start_saves_the_import(warm: NamespaceSandbox) -> None:
    warm.run(trial_job())
    seconds = evaluate(
        warm, "(__import__('time').perf_counter(), __import__('keras'), __import__('time').perf_counter())[::2]"
    )
    assert seconds[1] - seconds[0] < 0.5


def test_notebook_cannot_see_or_change_the_machine(warm: NamespaceSandbox, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("the teacher's")
    confined.assert_saw_nothing(confined.look_around(warm, secret))


def test_notebook_cannot_access_its_driver(warm: NamespaceSandbox) -> None:
    cell = """
import os
for name in ("mem", "environ", "fd/2"):
    try: open(f"/proc/{os.getppid()}/{name}", "r+b"); print("opened", name)
    except OSError as error: print("refused", name)
"""
    reply = warm.run(Job(notebook_bytes(cell), {}, Limits(seconds=30)))
    notebook = nbformat.reads((reply.executed or b"").decode(), as_version=4)
    assert notebook.cells[0].outputs[0].text.split() == ["refused", "mem", "refused", "environ", "refused", "fd/2"]


def test_user_name_and_localhost_resolve(warm: NamespaceSandbox) -> None:
    assert evaluate(warm, "[__import__('getpass').getuser(), __import__('socket').gethostbyname('localhost')]") == [
        "student",
        "127.0.0.1",
    ]


def test_several_jobs_run_at_once(warm: NamespaceSandbox) -> None:
    replies: list[Reply] = []
    threads = [threading.Thread(target=lambda: replies.append(warm.run(trial_job()))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(replies) == 6 and all(passed_trial(reply) for reply in replies)


@pytest.mark.parametrize(
    ("expression", "seen"),
    [
        pytest.param("[os.getuid(), os.getgid(), os.uname().nodename]", [1000, 1000, "notebook"], id="ordinary user"),
        pytest.param("os.environ['HOME']", "/job/home", id="a home of its own"),
        pytest.param("os.getcwd()", "/job/work", id="where it works"),
        pytest.param("os.listdir('/job/home')", [".ipython"], id="fresh home"),
        pytest.param(
            "[name for name in os.listdir('/tmp') if not sys.prefix.startswith('/tmp/' + name)]", [], id="fresh temp"
        ),
        pytest.param(
            "sorted(os.listdir('/job'))", ["exchange", "home", "run", "tmp", "work"], id="its part of the job"
        ),
        pytest.param("os.listdir('/job/exchange')", [], id="nothing hidden yet"),
        pytest.param("[os.getppid(), open('/proc/1/cmdline').read().count('driver')]", [1, 0], id="no driver"),
        pytest.param("'LMS_TOKEN' in os.environ", False, id="environment"),
        pytest.param("[os.path.exists(p) for p in ('/root/.config', '/etc/shadow', '/var')]", [False] * 3, id="host"),
        pytest.param("glob.glob('/home/*') + glob.glob('/mnt/*') + glob.glob('/.old*')", [], id="other homes"),
        pytest.param("sorted(os.listdir('/sys/class/net')) if os.path.exists('/sys/class') else []", [], id="devices"),
        pytest.param("[l.split(':')[0].strip() for l in open('/proc/net/dev').readlines()[2:]]", ["lo"], id="network"),
        pytest.param("len([p for p in os.listdir('/proc') if p.isdigit()]) <= 4", True, id="own processes only"),
        pytest.param(
            "[line.split()[1] for line in open('/proc/self/status') "
            "if line.startswith(('CapEff', 'CapBnd', 'NoNewPrivs', 'Seccomp:'))]",
            ["0000000000000000", "0000000000000000", "1", "2"],
            id="no privileges",
        ),
    ],
)
def test_view_of_the_notebook(warm: NamespaceSandbox, expression: str, seen: object) -> None:
    assert evaluate(warm, expression) == seen


def test_python_environment_below_tmp_is_visible(tmp_path: Path) -> None:
    """Some machines have no other place for it; the notebook's own /tmp must not cover it."""
    (tmp_path / "package.py").write_text("answer = 42")
    place = Path("/tmp/environments/of-a-course")
    sandbox = NamespaceSandbox(os.environ, preload=False)
    sandbox._machine_mounts = (Mount(Kind.READ_ONLY, place, tmp_path), *sandbox._machine_mounts)
    try:
        assert evaluate(sandbox, f"[os.listdir({str(place)!r}), os.access({str(place)!r}, os.W_OK)]") == [
            ["package.py"],
            False,
        ]
    finally:
        sandbox.close()


@pytest.mark.parametrize(
    "path",
    [
        "/usr/x",
        "/x",
        "/guest/x.py",
        "/job/x",
        "/job/hidden/inputs.npy",
        "/job/request.json",
        "/etc/x",
        "/dev/x",
        "/proc/sys/x",
    ],
)
def test_read_only_paths(warm: NamespaceSandbox, path: str) -> None:
    cell = f"open({path!r}, 'w')"
    reply = warm.run(Job(notebook_bytes(cell), {}, Limits(seconds=30)))
    notebook = nbformat.reads((reply.executed or b"").decode(), as_version=4)
    assert notebook.cells[0].outputs[0].ename in ("OSError", "PermissionError", "FileNotFoundError")


def test_dead_worker_is_replaced_and_its_job_repeated(warm: NamespaceSandbox) -> None:
    assert passed_trial(warm.run(trial_job()))
    (worker,) = warm._workers.values()
    replies: list[Reply] = []
    slow = Job(notebook_bytes("import time; time.sleep(3); print(42)"), {}, Limits(seconds=60))
    thread = threading.Thread(target=lambda: replies.append(warm.run(slow)))
    thread.start()
    time.sleep(1.5)
    inside = psutil.Process(worker._process.pid).children(recursive=True)
    assert inside
    os.kill(worker._process.pid, signal.SIGKILL)
    thread.join(60)
    assert replies and replies[0].ended is EndReason.FINISHED and passed_trial(replies[0])
    gone, alive = psutil.wait_procs(inside, timeout=5)
    assert gone and not alive, "processes of the dead worker died with it"


def test_sandbox_leaves_no_process_or_file(tmp_path: Path) -> None:
    code = """
import os
from grader.sandbox.namespaces import NamespaceSandbox
from grader.sandbox.levels import passed_trial, trial_job
sandbox = NamespaceSandbox(os.environ, preload=False)
assert passed_trial(sandbox.run(trial_job()))
print(next(iter(sandbox._workers.values()))._process.pid)
sandbox.close()
sandbox.close()
"""
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert not psutil.pid_exists(int(done.stdout))
    assert not list(tmp_path.iterdir())
