"""Attacks on the driver, which runs the notebook from outside: its files, its processes, its clock, its messages.

Forging the run once gave 100 of 100 points, and breaking it was counted as a fault of the grader.
"""

from __future__ import annotations

from grader.models.assignment import Limits
from tests.attacks.classroom import GUESS, HONEST, HONEST_TOTAL, Attacker, Classroom, cells, hands_in

LIMITS = Limits(seconds=20, memory_mb=1500, predict_seconds=20)

# Looks for every folder that could be the job's, and writes the files that ended a run in earlier versions.
FORGE = """
import glob, json, os, time
notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [
    {"cell_type": "code", "id": "a", "metadata": {}, "source": "print('innocent')", "execution_count": 1,
     "outputs": [{"output_type": "stream", "name": "stdout", "text": "innocent"}]}]}
folders = {"/job/out", "/job", os.getcwd(), os.path.join(os.getcwd(), "..", "out")} | set(glob.glob("/tmp/grader-*/out"))
for folder in folders:
    for name, value in (("executed.ipynb", json.dumps(notebook)), ("facts.json", '{"fits": [], "chosen": null}'),
                        ("cells_ended", ""), ("ready", "")):
        try:
            os.makedirs(folder, exist_ok=True)
            path = os.path.join(folder, name)
            if os.path.lexists(path): os.unlink(path)
            with open(path, "w") as file: file.write(value)
        except OSError as error:
            print("refused", type(error).__name__)
"""


@hands_in(
    cells("forged run", "secret_trick = 1", GUESS, FORGE, "import time; time.sleep(1)", "raise ValueError('mine')")
)
def test_forged_run_neither_earns_nor_hides(confined: None, attacker: Attacker) -> None:
    assert attacker.outcome == "error" and "mine" in attacker.reason
    assert attacker.points("accuracy") == 0
    assert "secret_trick" in attacker.report and "raise ValueError" in attacker.report


LOOK = """
import os
print(sorted(os.listdir("/job")))
print([name for name in os.listdir("/proc") if name.isdigit() and "driver" in open(f"/proc/{name}/cmdline").read()])
"""


@hands_in(cells("looks around", LOOK, HONEST))
def test_notebook_sees_neither_driver_nor_its_files(confined: None, attacker: Attacker) -> None:
    assert "['exchange', 'home', 'run', 'tmp', 'work']" in attacker.printed
    assert attacker.printed.rstrip().endswith("[]")
    assert attacker.total == HONEST_TOTAL


def signals(name: str) -> str:
    """Return a cell that sends ``name`` to every process it can name, except its own."""
    return f"""
import os, signal, time
for pid in {{1, os.getppid(), *(int(name) for name in os.listdir("/proc") if name.isdigit())}} - {{os.getpid()}}:
    try:
        os.kill(pid, signal.{name})
    except (ProcessLookupError, PermissionError):
        pass
time.sleep(1)
"""


@hands_in(
    cells("interrupts", "x = 1", signals("SIGINT"), HONEST),
    cells("hangs up", "x = 1", signals("SIGHUP"), HONEST),
)
def test_signals_do_not_reach_the_driver(confined: None, attacker: Attacker) -> None:
    assert attacker.outcome in ("ok", "error"), attacker.reason
    assert "grader failed" not in attacker.reason
    assert attacker.points("accuracy") == 60


@hands_in(cells("stops the clock", signals("SIGSTOP"), "while True: pass", "late = 1"))
def test_stopped_driver_does_not_stop_the_clock(confined: None, attacker: Attacker) -> None:
    assert attacker.outcome == "timeout"
    assert attacker.graded.run.cell_seconds < LIMITS.seconds + 12


LIMIT = """
import os, resource
changed = []
for pid in [int(name) for name in os.listdir("/proc") if name.isdigit()] + [1, os.getppid()]:
    if pid == os.getpid():
        continue
    for kind in (resource.RLIMIT_CPU, resource.RLIMIT_NOFILE, resource.RLIMIT_FSIZE):
        try:
            resource.prlimit(pid, kind, (1, 1))
            changed.append(pid)
        except (OSError, ValueError):
            pass
"""


@hands_in(cells("limits others", "x = 1", LIMIT, HONEST))
def test_limits_of_the_driver_cannot_be_changed(confined: None, attacker: Attacker) -> None:
    assert "grader failed" not in attacker.reason
    assert attacker.points("accuracy") == 60


def sends(expression: str) -> str:
    """Return a cell that sends a display message with the content ``expression`` as the kernel itself would."""
    return f"""
kernel = get_ipython().kernel
kernel.session.send(kernel.iopub_socket, *{expression}, parent=kernel.get_parent("shell"), ident=kernel.topic("x"))
"""


RAW = """
import json
kernel = get_ipython().kernel
session = kernel.session
parent = kernel.get_parent("shell")
deep = b"[" * 200_000 + b"]" * 200_000
content = b'{"name": "stdout", "text": "words of mine", "x": ' + deep + b"}"
header = session.msg_header("stream")
parts = [session.pack(header), session.pack(parent["header"]), session.pack({}), content]
frames = [b"x", b"<IDS|MSG>", session.sign(parts), *parts]
kernel.iopub_socket.send_multipart(frames)
"""

ODD = [
    """("stream", {"name": "stdout", "text": 5})""",
    """("stream", {"name": ["x"], "text": {"a": 1}})""",
    """("stream", [])""",
    """("display_data", {"data": {"text/plain": 5, "image/png": [1]}, "metadata": 7, "transient": 3})""",
    """("display_data", {"data": "words of mine", "metadata": {}})""",
    """("execute_result", {"data": {"text/plain": "\\ud800"}, "metadata": {}, "execution_count": "words of mine"})""",
    """("error", {"ename": 5, "evalue": None, "traceback": "words of mine"})""",
    """("error", {"ename": "words of mine"})""",
    """("status", {"execution_state": 5})""",
    """("clear_output", {"wait": "x"})""",
    """("update_display_data", {"data": {}, "metadata": {}, "transient": {"display_id": ["x"]}})""",
]


@hands_in(
    cells("deep message", "x = 1", RAW, HONEST),
    *(cells(f"odd message {number}", "x = 1", sends(content), HONEST) for number, content in enumerate(ODD)),
)
def test_odd_messages_are_no_fault_of_the_grader(attacker: Attacker) -> None:
    assert attacker.outcome in ("ok", "error", "timeout"), attacker.reason
    assert attacker.total is not None
    assert "words of mine" not in attacker.reason
    assert all("words of mine" not in str(reason) for reason in attacker.graded.grade.review_reasons)


REWRITE = """
shell = get_ipython()
original = shell.run_cell
def other(code, *args, **kwargs):
    return original("print('innocent')", *args, **kwargs)
shell.run_cell = other
"""


@hands_in(cells("rewrites itself", "x = 1", REWRITE, "shown_source = 5", GUESS))
def test_report_shows_the_cells_that_were_handed_in(attacker: Attacker) -> None:
    sources = ["".join(cell["source"]) for cell in attacker.cells]
    assert sources == ["x = 1", REWRITE, "shown_source = 5", GUESS]
    assert attacker.points("accuracy") == 0


BLOCK = """
import os
for name in ("inputs.npy", "predictions.npy", "facts.json"):
    for folder in ("/job/exchange", os.path.join(os.getcwd(), "..", "exchange")):
        try:
            os.symlink("/etc/passwd", os.path.join(folder, name))
        except OSError:
            pass
"""


@hands_in(cells("blocks the exchange", BLOCK, HONEST))
def test_blocked_exchange_costs_only_its_own_predictions(attacker: Attacker) -> None:
    assert attacker.outcome in ("ok", "error"), attacker.reason
    assert attacker.total is not None and attacker.total <= HONEST_TOTAL
    assert "root:" not in attacker.everything.decode("utf-8", "replace")
    assert attacker.classroom["zz honest"].total == HONEST_TOTAL


@hands_in(
    cells(
        "writes to its log",
        "import os\nfor n in range(3, 64):\n    try: os.write(n, b'isolation failed: words of mine\\n' * 20)\n    except OSError: pass\nos.write(2, b'isolation failed: words of mine\\n')",
        "import os; os._exit(3)",
    )
)
def test_words_of_a_notebook_are_never_the_graders(attacker: Attacker) -> None:
    assert attacker.outcome in ("error", "timeout"), attacker.reason
    assert "words of mine" not in attacker.reason
    assert attacker.total is not None


def test_every_grade_of_the_class_is_known(classroom: Classroom) -> None:
    assert classroom["zz honest"].total == HONEST_TOTAL
    assert all(grade["total"] is not None for grade in classroom.grades.values())
