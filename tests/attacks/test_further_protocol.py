"""Further attacks on the messages between driver and kernel: forged, lost, late, odd and endless ones.

A notebook can answer for its kernel. It must gain no points that labels decide, hide none of its cells, end in time,
and never make the run a fault of the grader.
"""

from __future__ import annotations

import nbformat
import pytest

from grader.models.assignment import Limits
from grader.sandbox.guest import protocol
from tests.attacks.classroom import GUESS, HONEST, HONEST_TOTAL, Attacker, Classroom, cells, hands_in

pytestmark = pytest.mark.slow  # minutes of waiting for limits
LIMITS = Limits(seconds=10, memory_mb=1500, disk_mb=300, processes=200, predict_seconds=10, output_mb=2)

KERNEL = """
kernel = get_ipython().kernel
session, send = kernel.session, kernel.session.send
"""
OK = '{"status": "ok", "execution_count": 1, "payload": [], "user_expressions": {}}'

# Answers the next requests of the driver before they are made: their numbers can be guessed.
FORGED_AHEAD = f"""{KERNEL}
def forging(stream, kind, content=None, parent=None, ident=None, **words):
    result = send(stream, kind, content, parent=parent, ident=ident, **words)
    if kind == "execute_reply":
        before, _, number = parent["header"]["msg_id"].rpartition("_")
        for ahead in range(1, 9):
            coming = {{"header": dict(parent["header"], msg_id=before + "_" + str(int(number) + ahead))}}
            send(stream, kind, {OK}, parent=coming, ident=ident)
            send(kernel.iopub_socket, "status", {{"execution_state": "idle"}}, parent=coming, ident=b"x")
    return result
session.send = forging
"""


def drops(condition: str) -> str:
    """Return a cell after which the kernel no longer sends the messages for which ``condition`` holds."""
    return f"""{KERNEL}
def dropping(stream, kind, content=None, **words):
    if not ({condition}):
        return send(stream, kind, content, **words)
session.send = dropping
"""


def changes(statement: str) -> str:
    """Return a cell after which ``statement`` runs before every message that the kernel sends."""
    return f"""{KERNEL}
def changing(stream, kind, content=None, parent=None, ident=None, **words):
    {statement}
    return send(stream, kind, content, parent=parent, ident=ident, **words)
session.send = changing
"""


NO_EXECUTION = f"""{KERNEL}
async def do_execute(*args, **kwargs):
    return {OK}
kernel.do_execute = do_execute
"""
NO_HANDLER = """
async def nothing(*args, **kwargs): pass
get_ipython().kernel.shell_handlers["execute_request"] = nothing
"""
LYING_MODULE = """
import json, sys, types
def report():
    with open("/job/exchange/facts.json", "w") as file:
        json.dump({"fits": [], "chosen": None, "score": 100}, file)
sys.modules["guest.probe.probe"] = types.SimpleNamespace(report=report, predict=lambda: None)
"""
LEFT_IN_LOOP = """
import asyncio, sys
async def flood():
    while True:
        await asyncio.sleep(0)
        sys.modules["guest.probe.probe"].predict = lambda: None
        print("still here")
task = asyncio.get_event_loop().create_task(flood())
"""

GAINLESS = {
    "forges replies ahead": [FORGED_AHEAD, "raise ValueError('mine')"],
    "executes nothing": [NO_EXECUTION, "raise ValueError('mine')"],
    "never replies": [drops("kind == 'execute_reply'"), "x = 1"],
    "never idle": [drops("kind == 'status' and content['execution_state'] == 'idle'"), "x = 1"],
    "handles nothing": [NO_HANDLER, "x = 1"],
    "lying module": [LYING_MODULE],
    "task in the loop": [LEFT_IN_LOOP],
}


@hands_in(*(cells(name, GUESS, *attack) for name, attack in GAINLESS.items()))
def test_kernel_that_answers_for_itself_gains_nothing(attacker: Attacker) -> None:
    assert attacker.outcome in ("ok", "error", "timeout"), attacker.reason
    assert attacker.points("accuracy") == 0
    assert attacker.graded.run.seconds < LIMITS.seconds + LIMITS.predict_seconds + 4 * protocol.GRACE_SECONDS + 30
    assert_shows_what_was_handed_in(attacker)


def assert_shows_what_was_handed_in(attacker: Attacker) -> None:
    assert attacker.graded.submission.notebook is not None
    handed = nbformat.read(attacker.graded.submission.notebook, as_version=4)
    assert ["".join(cell["source"]) for cell in attacker.cells] == [cell.source for cell in handed.cells]
    assert "predict" in attacker.report


ODD_FRAMES = """
kernel = get_ipython().kernel
head = [b"x", b"<IDS|MSG>", b""]
for frames in ([b"x"], head[:2], head + [b"{}"] * 4, [b""] * 50, [b"y" * 3_000_000]):
    kernel.iopub_socket.send_multipart(frames)
"""
NUMBERS = """
from IPython.display import display
display({"application/json": {"a": [0] * 3_000_000}, "text/plain": "x"}, raw=True)
"""
ONE_UPDATE_IN_MANY = """
from IPython.display import HTML, display, update_display
for n in range(60): display(HTML("x"), display_id="same")
update_display(HTML("y" * 1_500_000), display_id="same")
"""
COMMS = """
from comm import create_comm
state = {"_model_module": "@jupyter-widgets/output", "_model_name": "OutputModel", "msg_id": "", "outputs": []}
for n in range(200):
    opened = create_comm(target_name="jupyter.widget", data={"state": state, "buffer_paths": []})
opened.send({"method": "update", "state": {"msg_id": get_ipython().kernel.get_parent("shell")["header"]["msg_id"]}})
print("shown")
"""
SENT = f"""{KERNEL}
parent = kernel.get_parent("shell")
for kind in ("kernel_info_reply", "shutdown_reply", "debug_event", "input_request", "inspect_reply", "oops", ""):
    send(kernel.iopub_socket, kind, {{"status": "ok", "prompt": "?", "restart": True}}, parent=parent, ident=b"x")
error = {{"ename": "E", "evalue": "v" * 9000, "traceback": ["t" * 190] * 100}}
for n in range(300):
    send(kernel.iopub_socket, "error", error, parent=parent)
"""
REWRITTEN = """
import glob, os
folder = "/job/run" if os.path.isdir("/job/run") else os.path.join(os.getcwd(), "..", "run")
for path in glob.glob(folder + "/*"):
    os.unlink(path)
for name in ("connection.json", "k-1", "k-2", "k-3", "k-4", "k-5"):
    open(os.path.join(folder, name), "w").write('{"key": "", "transport": "tcp"}')
"""
PAYLOADS = """
shell = get_ipython()
shell.set_next_input("innocent = 5", replace=True)
shell.payload_manager.write_payload({"source": "page", "data": {"text/plain": "innocent"}, "start": 0})
shell.payload_manager.write_payload({"source": "ask_exit", "keepkernel": False})
"""
DATES = changes(
    """
    original = session.msg_header
    for date in ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999+14:00", "NaN", -5, [], "2026-13-45T99:99:99Z"):
        session.msg_header = lambda kind, date=date: dict(original(kind), date=date)
        if stream is kernel.iopub_socket: send(stream, "status", {"execution_state": "busy"}, parent=parent, ident=ident)
    session.msg_header = original"""
)
IDLE_FIRST = "if kind == 'stream': send(stream, 'status', {'execution_state': 'idle'}, parent=parent)"
CLEARED = "from IPython.display import clear_output\nfor n in range(300): print(n); clear_output(wait=True)"
HARMLESS = {
    "one update in many": [ONE_UPDATE_IN_MANY],
    "rewrites the connection": [REWRITTEN],
    "payloads": [PAYLOADS],
    "long header": [changes("session.username = 'u' * 1_000_000")],
    "count in words": [changes("content = dict(content or {}, execution_count='words')")],
    "count of another cell": [changes("content = dict(content or {}, execution_count=2)")],
    "clears and captures": [CLEARED, "%%capture\nprint('hidden')"],
    "long line": ["print('a' * 1_500_000)"],
}
HARMFUL = {
    "odd frames": [ODD_FRAMES],
    "many numbers": [NUMBERS],
    "comm flood": [COMMS],
    "sends other kinds": [SENT],
    "dates": [DATES],
    "idle first": [changes(IDLE_FIRST), "print('one')\nprint('two')"],
}


@hands_in(*(cells(name, "x = 1", *attack, HONEST) for name, attack in HARMLESS.items()))
def test_unusual_messages_cost_an_honest_model_nothing(attacker: Attacker) -> None:
    assert attacker.outcome == "ok", attacker.reason
    assert attacker.points("accuracy") == 60, attacker.reason
    assert_shows_what_was_handed_in(attacker)


@hands_in(*(cells(name, "x = 1", *attack, HONEST) for name, attack in HARMFUL.items()))
def test_odd_messages_hide_no_cell_and_are_no_fault(attacker: Attacker) -> None:
    assert attacker.outcome in ("ok", "error", "timeout"), attacker.reason
    assert attacker.total is not None and attacker.total <= HONEST_TOTAL
    assert_shows_what_was_handed_in(attacker)


# Speaks the sockets' protocol badly, once the driver connects again: a frame of four exabytes.
ZMTP = """
import glob, socket, time
waiting, kept = [], []
for path in glob.glob("/job/run/k-*"):
    os.unlink(path)
    server = socket.socket(socket.AF_UNIX); server.bind(path); server.listen(); server.setblocking(False)
    waiting.append(server)
end = time.time() + 4
while time.time() < end:
    for server in waiting:
        try: visitor, _ = server.accept()
        except OSError: continue
        kept.append(visitor)
        visitor.setblocking(True)
        visitor.send(bytes([255, 0, 0, 0, 0, 0, 0, 0, 1, 127, 3, 0]) + b"NULL".ljust(20, bytes(1)) + bytes(32))
        visitor.send(bytes([4, 26, 5]) + b"READY" + bytes([11]) + b"Socket-Type" + bytes([0, 0, 0, 3]) + b"PUB")
        visitor.send(bytes([2, 64, 0, 0, 0, 0, 0, 0, 0]) + b"x" * 1000)
    time.sleep(0.02)
"""
NEW_KERNEL = """
import glob
for path in glob.glob("/job/run/k-*"): os.unlink(path)
from ipykernel.kernelapp import launch_new_instance
launch_new_instance(["-f", "/job/run/connection.json"])
"""
PROGRAMS = {
    "becomes sleep": "import time; time.sleep(60)",
    "becomes a new kernel": NEW_KERNEL,
    "speaks badly": ZMTP,
}


def becomes(program: str) -> str:
    """Return a cell that replaces the kernel's process by another program, which can take over its sockets."""
    return f"import os, sys\nos.execv(sys.executable, [sys.executable, '-c', {'import os' + chr(10) + program!r}])"


@hands_in(*(cells(name, GUESS, becomes(program), "late = 1") for name, program in PROGRAMS.items()))
def test_kernel_that_becomes_another_program_ends_in_time(confined: None, attacker: Attacker) -> None:
    assert attacker.outcome in ("error", "timeout"), attacker.reason
    assert attacker.points("accuracy") == 0
    assert attacker.graded.run.seconds < LIMITS.seconds + 4 * protocol.GRACE_SECONDS + 30
    assert_shows_what_was_handed_in(attacker)


CLIENT = """
import sys
from jupyter_client.blocking import BlockingKernelClient
client = BlockingKernelClient(connection_file=sys.argv[1])
client.load_connection_file()
client.start_channels()
client.execute("predict = lambda X: [1] * len(X)")
client.shutdown()
"""
SHUTDOWN = f"""
import os, subprocess, sys, time
folder = "/job/run" if os.path.isdir("/job/run") else os.path.join(os.getcwd(), "..", "run")
subprocess.Popen([sys.executable, "-c", {CLIENT!r}, os.path.join(folder, "connection.json")], start_new_session=True)
time.sleep(4)
"""


@hands_in(cells("shuts itself down", GUESS, SHUTDOWN, "late = 1"))
def test_child_with_the_key_of_the_messages_harms_only_its_own_notebook(attacker: Attacker) -> None:
    assert attacker.outcome in ("ok", "error", "timeout"), attacker.reason
    assert attacker.points("accuracy") == 0


def test_neighbours_keep_their_grades(classroom: Classroom) -> None:
    assert classroom["00 honest"].total == classroom["zz honest"].total == HONEST_TOTAL
    assert all(grade["total"] is not None for grade in classroom.grades.values())
