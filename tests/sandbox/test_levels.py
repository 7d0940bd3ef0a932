"""Tests of the levels with real kernels: limits are enforced, results are kept, nothing is left behind."""

from __future__ import annotations

import io
import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import nbformat
import numpy as np
import psutil
import pytest
from nbformat import NotebookNode

from grader.models.assignment import Limits
from grader.models.errors import Stopped
from grader.sandbox.base import EndReason, Job, Question, Reply, Sandbox
from grader.sandbox.guest import protocol
from grader.sandbox.guest.run.kernel_host import KILLED_FIRST
from grader.sandbox.levels import open_sandbox
from tests.support.notebooks import notebook_bytes

LIMITS = Limits(seconds=60, memory_mb=1500)
SECRET_ROW = 123456.789


@pytest.fixture(scope="module", params=["process", "namespaces"])
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    opened = open_sandbox(request.param, {**os.environ, "LMS_TOKEN": "not for students"}, preload=False)
    yield opened
    opened.close()


def question() -> Question:
    rng = np.random.default_rng(1)
    inputs = rng.normal(size=(100, 2))
    asked = protocol.SINGLE_ROWS + protocol.BATCH_ROWS + 50
    return Question(
        task="classification",
        columns=("a", "b"),
        public_inputs=inputs,
        public_targets=(inputs[:, 0] > 0).astype(np.int64),
        hidden_inputs=np.full((asked, 2), SECRET_ROW),
    )


def run(sandbox: Sandbox, *cells: str, limits: Limits = LIMITS, ask: Question | None = None) -> Reply:
    return sandbox.run(Job(notebook_bytes(*cells), {}, limits, question=ask))


def executed(reply: Reply) -> NotebookNode:
    assert reply.executed is not None, reply.log
    return nbformat.reads(reply.executed.decode(), as_version=4)


def text(reply: Reply, cell: int) -> str:
    return "".join(output.get("text", "") for output in executed(reply).cells[cell].outputs)


def errors(reply: Reply) -> list[str | None]:
    cells = [cell for cell in executed(reply).cells if cell.cell_type == "code"]
    return [next((output.ename for output in cell.outputs if output.output_type == "error"), None) for cell in cells]


def predictions(reply: Reply) -> np.ndarray:
    assert reply.predictions is not None, reply.log
    return np.load(io.BytesIO(reply.predictions), allow_pickle=False)


def test_cells_after_a_failing_cell_run(sandbox: Sandbox) -> None:
    reply = run(sandbox, "1 / 0", "print(6 * 7)", "import sys; print('chatter', file=sys.stderr)", "input('name? ')")
    assert reply.ended is EndReason.FINISHED
    assert errors(reply) == ["ZeroDivisionError", None, None, "StdinNotImplementedError"]
    assert text(reply, 1) == "42\n"


def test_suppressed_traceback_still_counts_as_an_error(sandbox: Sandbox) -> None:
    reply = run(sandbox, "get_ipython().showtraceback = lambda *words, **more: None", "1 / 0", "print(6 * 7)")
    assert errors(reply) == [None, "ZeroDivisionError", None]
    assert text(reply, 2) == "42\n"


def test_time_limit_interrupts_and_keeps_results(sandbox: Sandbox) -> None:
    cells = ["x = 41", "import time\nfor step in range(1000):\n    x += 1\n    time.sleep(0.1)", "x = 0", ""]
    define = "def predict(X):\n    return [x > 41] * len(X)"
    reply = run(sandbox, define, *cells, limits=Limits(seconds=3), ask=question())
    assert reply.ended is EndReason.FINISHED
    assert executed(reply).metadata.grader.timeout_cell == 2
    assert errors(reply)[2] == "KeyboardInterrupt"
    assert predictions(reply).all(), "the model so far is used"
    assert 3 <= reply.cell_seconds < 6


IGNORES_FIRST_INTERRUPT = """
import time
try: time.sleep(100)
except KeyboardInterrupt: pass  # as happens in a destructor
while True: time.sleep(1)"""


def test_lost_interrupt_is_repeated(sandbox: Sandbox) -> None:
    define = "def predict(X):\n    return [True] * len(X)"
    reply = run(sandbox, define, IGNORES_FIRST_INTERRUPT, limits=Limits(seconds=2), ask=question())
    assert errors(reply)[1] == "KeyboardInterrupt"
    assert predictions(reply).all(), "the model so far is used"


def test_next_cell_runs_after_the_limit_for_one_cell(sandbox: Sandbox) -> None:
    reply = run(sandbox, "import time; time.sleep(100)", "print('next')", limits=Limits(seconds=30, cell_seconds=1))
    assert errors(reply)[0] == "KeyboardInterrupt"
    assert text(reply, 1) == "next\n"
    assert executed(reply).metadata.grader.slow_cells == [0]


def test_cell_that_ignores_interrupts_is_killed(sandbox: Sandbox) -> None:
    deaf = "import signal, time\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: time.sleep(1)"
    began = time.monotonic()
    reply = run(sandbox, "print('before')", deaf, limits=Limits(seconds=2))
    assert time.monotonic() - began < 2 + 3 * protocol.GRACE_SECONDS
    assert text(reply, 0) == "before\n"
    assert executed(reply).metadata.grader.timeout_cell == 1


@pytest.mark.parametrize(
    "cell",
    [
        pytest.param("import os; os._exit(0)", id="leaves"),
        pytest.param("import os; os.kill(os.getpid(), 9)", id="kills itself"),
        pytest.param("import ctypes; ctypes.string_at(0)", id="segmentation fault"),
    ],
)
def test_cells_before_a_dead_kernel_are_kept(sandbox: Sandbox, cell: str) -> None:
    reply = run(sandbox, "print('reached')", cell, "print('not reached')", ask=question())
    assert reply.ended is EndReason.FINISHED
    assert text(reply, 0) == "reached\n"
    assert text(reply, 2) == ""
    assert reply.predictions is None


def test_confined_notebook_cannot_kill_its_parent(sandbox: Sandbox) -> None:
    reply = run(sandbox, "import os; os.kill(os.getppid(), 9)", "print('next')")
    assert reply.ended is EndReason.FINISHED
    assert text(reply, 1) == "next\n" or sandbox.confinement == "process"


def test_no_process_of_the_tree_survives(sandbox: Sandbox) -> None:
    daemon = """
import os, subprocess, time
subprocess.Popen(["sh", "-c", "(setsid sleep 31415 &)"])
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(31415)
    os._exit(0)
os.wait()
"""
    before = {process.pid for process in psutil.process_iter()}
    run(sandbox, daemon, "import os; os.fork(); import time; time.sleep(0.1)")
    # Use the names read with the list, because processes of other tests end in the meantime.
    left = [process.info for process in psutil.process_iter(["pid", "cmdline", "name"])]
    left = [process for process in left if process["pid"] not in before]
    assert not [process for process in left if "31415" in " ".join(process["cmdline"] or [])]
    assert not [process for process in left if "ipykernel" in (process["name"] or "")]


def test_memory_limit_of_one_process_raises_memory_error(sandbox: Sandbox) -> None:
    reply = run(sandbox, "import numpy as np; x = np.ones(3 << 28)", "print('goes on')")
    assert errors(reply)[0] in ("MemoryError", "_ArrayMemoryError")
    assert text(reply, 1) == "goes on\n"


def test_memory_limit_applies_to_the_process_tree(sandbox: Sandbox) -> None:
    greedy = """
import os, time
for _ in range(3):
    if os.fork() == 0:
        block = bytearray(700 << 20)
        for place in range(0, len(block), 4096): block[place] = 1
        time.sleep(60)
time.sleep(60)
"""
    reply = run(sandbox, "print('before')", greedy)
    assert reply.ended is EndReason.MEMORY
    assert reply.used > LIMITS.memory_limit_mb
    assert text(reply, 0) == "before\n"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems have no such order")
def test_a_machine_without_memory_ends_the_notebook_first(sandbox: Sandbox) -> None:
    lower = "try: open('/proc/self/oom_score_adj', 'wb', 0).write(b'-500')\nexcept OSError: print('refused')"
    reply = run(sandbox, "print(open('/proc/self/oom_score_adj').read())", lower)
    assert int(text(reply, 0)) == int(KILLED_FIRST)
    if sandbox.confinement != "process":  # where the administrator may lower it
        assert text(reply, 1) == "refused\n"


def test_disk_and_file_size_are_limited(sandbox: Sandbox) -> None:
    flood = "import time\nfor n in range(100):\n    open(f'{n}', 'wb').write(bytes(8 << 20)); time.sleep(0.05)"
    assert run(sandbox, flood, limits=Limits(disk_mb=64, file_mb=16)).ended is EndReason.DISK
    reply = run(sandbox, "open('big', 'wb').write(bytes(32 << 20))", limits=Limits(file_mb=16))
    assert errors(reply) == ["OSError"]


def test_process_limit_ends_the_job(sandbox: Sandbox) -> None:
    bomb = "import os, time\nfor _ in range(60):\n    if os.fork() == 0: time.sleep(60)\ntime.sleep(60)"
    reply = run(sandbox, bomb, limits=Limits(processes=40))
    assert reply.ended is EndReason.PROCESSES
    assert reply.used > 40


def test_long_output_is_cut_and_marked(sandbox: Sandbox) -> None:
    reply = run(sandbox, "for _ in range(20000): print('x' * 100)", "print('next')", limits=Limits(output_mb=0.1))
    assert len(text(reply, 0)) < 150_000
    assert "[output cut here" in text(reply, 0)
    assert text(reply, 1) == "next\n"


def test_environment_contains_no_variables_of_the_teacher(sandbox: Sandbox) -> None:
    own, system = "import os, json; print(json.dumps(dict(os.environ)))", "print(open('/proc/self/environ').read())"
    reply = run(sandbox, own, system)
    seen = json.loads(text(reply, 0))
    assert "LMS_TOKEN" not in seen
    assert "not for students" not in text(reply, 1)
    assert seen["HOME"] != os.environ.get("HOME")
    assert Path(seen["HOME"]).parent == Path(seen["TMPDIR"]).parent


def test_every_run_has_the_same_seeds(sandbox: Sandbox) -> None:
    draw = "import random, numpy as np; print(random.random(), np.random.rand(), hash('x'))"
    assert text(run(sandbox, draw), 0) == text(run(sandbox, draw), 0)


def test_hidden_inputs_arrive_after_the_last_cell_and_leave_no_trace(sandbox: Sandbox) -> None:
    look = "import os; print(sorted(os.listdir('../exchange')), sorted(os.listdir('..')))"
    nosy = f"""
import os, sys
def predict(X):
    if float(X[0, 0]) == {SECRET_ROW}:
        print("SEEN", X[0, 0]); print("SEEN", X, file=sys.stderr)
        os.write(1, b"SEEN"); os.write(2, b"SEEN")
        for path in ("../exchange/facts.json", "../out/executed.ipynb"):
            try: open(path, "a").write(str(X))
            except OSError: pass
    return (X[:, 0] > 0).astype(int)
"""
    reply = run(sandbox, look, nosy, ask=question())
    assert text(reply, 0).startswith("['public.npz'] ")
    assert predictions(reply).all(), "it was asked the hidden rows"
    for taken in (reply.executed, reply.facts):
        assert taken is not None
        assert b"SEEN 1" not in taken
        assert str(SECRET_ROW).encode() not in taken.replace(nosy.encode(), b"").replace(b"== 123456.789", b"")


def test_forged_markers_only_end_an_unconfined_notebook_early(sandbox: Sandbox) -> None:
    forge = "import time\nfor name in ('cells_ended', 'ready'): open('../out/' + name, 'w')\ntime.sleep(2)"
    reply = run(sandbox, "print('a')", forge, "print('b')", ask=question())
    assert text(reply, 0) == "a\n"
    assert text(reply, 2) == ("" if sandbox.confinement == "process" else "b\n")


def test_kernel_name_of_the_notebook_is_ignored(sandbox: Sandbox) -> None:
    notebook = nbformat.reads(notebook_bytes("print(1)").decode(), as_version=4)
    notebook.metadata.kernelspec = {"name": "conda_tensorflow_p36", "display_name": "x", "language": "python"}
    reply = sandbox.run(Job(nbformat.writes(notebook).encode(), {}, LIMITS))
    assert text(reply, 0) == "1\n"


@pytest.mark.parametrize("level", ["process", "namespaces"])
def test_close_ends_running_jobs(level: str) -> None:
    sandbox, raised = open_sandbox(level, os.environ, preload=False), []

    def work() -> None:
        try:
            run(sandbox, "import time; time.sleep(100)")
        except Stopped as stopped:
            raised.append(stopped)

    thread = threading.Thread(target=work)
    thread.start()
    time.sleep(2)
    sandbox.close()
    thread.join(15)
    assert raised and not thread.is_alive()
    with pytest.raises(Stopped):
        run(sandbox, "1")
