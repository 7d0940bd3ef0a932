"""``grader doctor --attack``: harmless attacks on this machine from inside a notebook, and which of them succeed."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import nbformat
import numpy as np
import psutil
import typer

from grader.cli.arguments import Language, Level
from grader.cli.doctor import Finding, State, doctor_table
from grader.cli.terminal import EXIT_OPERATOR, choose_translation, errors, screen
from grader.i18n.message import Message, message
from grader.models.assignment import Limits
from grader.sandbox.base import Job, Reply, Sandbox
from grader.sandbox.levels import open_sandbox

PROCESSES = 64


@dataclass(frozen=True, slots=True)
class Attack:
    """``code`` sets ``succeeded``; an exception means that the attack was refused. See ``CELL`` for what it may use."""

    title: Message
    code: str
    tolerated: Message | None = None  # advice, if some levels of confinement do not stop it


ATTACKS: Mapping[str, Attack] = {
    "file": Attack(message("Read a file of the teacher"), 'succeeded = PLACES["token"] in open(PLACES["file"]).read()'),
    "process": Attack(
        message("See another program's password"),
        """
for number in filter(str.isdigit, os.listdir("/proc")):
    words = open(f"/proc/{number}/cmdline").read()
    succeeded = succeeded or "sys.stdin.read()" in words and PLACES["token"] in words
""",
    ),
    "memory": Attack(
        message("Look into the grader's memory"), "succeeded = libc.ptrace(0x4206, os.getppid(), 0, 0) == 0"
    ),
    "network": Attack(
        message("Reach a service of this machine"),
        """
import socket
socket.create_connection(("127.0.0.1", PLACES["port"]), 2).close()
succeeded = True
""",
    ),
    "signal": Attack(
        message("End another program"),
        """
import signal
succeeded = f"{PLACES['token']}" in open(f"/proc/{PLACES['process']}/cmdline").read()
if succeeded:
    os.kill(PLACES["process"], signal.SIGKILL)
""",
    ),
    "packages": Attack(
        message("Change an installed package"),
        """
path = os.path.join(os.path.dirname(PLACES["library"]), PLACES["token"])
open(path, "x").close()
os.unlink(path)
succeeded = True
""",
    ),
    "results": Attack(
        message("Write into the folder of the results"),
        'open(os.path.join(os.path.dirname(os.getcwd()), "out", "attack"), "x").close()\nsucceeded = True',
    ),
    "mount": Attack(
        message("Create namespaces and mounts"),
        """
child = os.fork()
if child == 0:
    os._exit(0 if libc.unshare(0x10020000) == 0 else 1)
succeeded = os.waitpid(child, 0)[1] == 0
""",
    ),
    "lease": Attack(
        message("Hold up the imports of other notebooks"),
        """
import fcntl
fcntl.fcntl(os.open(PLACES["library"], os.O_RDONLY), 1024, fcntl.F_RDLCK)
succeeded = True
""",
    ),
    "locks": Attack(
        message("Receive a message from another notebook"),
        """
import fcntl
try:
    fcntl.flock(os.open(PLACES["library"], os.O_RDONLY), fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError:
    succeeded = True
""",
        tolerated=message("Use --sandbox namespaces, or --jobs 1: then no other notebook is running."),
    ),
    "cores": Attack(
        message("Take all processor cores"),
        """
before = os.sched_getaffinity(0)
os.sched_setaffinity(0, range(os.cpu_count()))
succeeded = len(os.sched_getaffinity(0)) > len(before)
""",
    ),
    "space": Attack(
        message("Reserve disk space at once"),
        """
file = os.open("big", os.O_CREAT | os.O_RDWR)
succeeded = libc.fallocate(file, 0, ctypes.c_long(0), ctypes.c_long(1 << 20)) == 0
""",
    ),
}
CELL = """
import ctypes, json, os
libc = ctypes.CDLL(None)
PLACES, succeeded = {places!r}, False
try:
{code}
except Exception:
    pass
print(json.dumps([{name!r}, bool(succeeded)]))
"""
BOMB = """
import ctypes, os, time
ctypes.CDLL(None).prctl(15, {name!r}.encode())
for _ in range(1000):
    try:
        if os.fork() == 0:
            time.sleep(600)
    except OSError:
        time.sleep(0.01)
"""


def attack_machine(level: Level, lang: Language | None) -> None:
    """Try every attack and print the findings. Exits with ``EXIT_OPERATOR`` if one succeeds."""
    translation = choose_translation(lang)
    with errors.status(translation.text("Attacking this machine from a notebook; this takes some ten seconds …")):
        sandbox = open_sandbox(level.value, os.environ, preload=False)
        try:
            findings = try_attacks(sandbox)
        finally:
            sandbox.close()
    screen.print(translation.text("Confinement: {level}", level=sandbox.confinement))
    screen.print(doctor_table(findings, translation))
    if any(finding.state is State.MISSING for finding in findings):
        raise typer.Exit(EXIT_OPERATOR)


def try_attacks(sandbox: Sandbox) -> list[Finding]:
    """Return a finding for every attack: ``OK`` if it was stopped."""
    with _planted() as places:
        cells = [
            CELL.format(places=places, name=name, code="\n".join(f"    {line}" for line in attack.code.splitlines()))
            for name, attack in ATTACKS.items()
        ]
        succeeded = _results(_run(sandbox, cells, Limits(seconds=60)))
    findings = [_finding(attack, succeeded.get(name)) for name, attack in ATTACKS.items()]
    return [*findings, _bomb(sandbox)]


def _run(sandbox: Sandbox, cells: list[str], limits: Limits) -> Reply:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    return sandbox.run(Job(str(nbformat.writes(notebook)).encode(), {}, limits))


@contextmanager
def _planted() -> Iterator[dict[str, object]]:
    """Plant a secret file, a program with a secret, a service, and a lock on a library's file."""
    token = f"secret-{secrets.token_hex(8)}"
    with ExitStack() as stack:
        file = stack.enter_context(tempfile.NamedTemporaryFile("w", prefix="grader-attack-"))
        file.write(token)
        file.flush()
        waiting = [sys.executable, "-I", "-c", "import sys; sys.stdin.read()", token]
        process = stack.enter_context(subprocess.Popen(waiting, stdin=subprocess.PIPE, cwd="/", env={}))
        service = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        library = stack.enter_context(Path(np.__file__).open("rb"))
        if sys.platform != "win32":
            import fcntl  # noqa: PLC0415  does not exist on Windows

            with suppress(OSError):
                fcntl.flock(library, fcntl.LOCK_SH | fcntl.LOCK_NB)
        yield {
            "token": token,
            "file": file.name,
            "process": process.pid,
            "port": service.getsockname()[1],
            "library": library.name,
        }


def _results(reply: Reply) -> dict[str, bool]:
    """Return the attacks that ran, and whether each succeeded."""
    executed = nbformat.reads((reply.executed or b'{"cells": []}').decode(), as_version=4)
    outputs = [output for cell in executed.cells for output in cell.get("outputs", ())]
    lines = "".join(output.text for output in outputs if output.get("name") == "stdout").splitlines()
    return dict(json.loads(line) for line in lines)


def _finding(attack: Attack, succeeded: bool | None) -> Finding:
    if succeeded is None:
        return Finding(attack.title, State.NOTE, message("not tried: the notebook ended before it"))
    if not succeeded:
        return Finding(attack.title, State.OK, message("stopped"))
    if attack.tolerated is not None:
        return Finding(attack.title, State.NOTE, message("not stopped at this level"), attack.tolerated)
    return Finding(attack.title, State.MISSING, message("succeeded"), message("Use another level of confinement."))


def _bomb(sandbox: Sandbox) -> Finding:
    """Start processes without end; none may be left, and the job must not run until its time is up."""
    name = f"bomb-{secrets.token_hex(4)}"
    limits = Limits(seconds=60, processes=PROCESSES)
    reply = _run(sandbox, [BOMB.format(name=name)], limits)
    left = [process for process in psutil.process_iter(["name"]) if process.info["name"] == name]
    for process in left:
        with suppress(psutil.Error):
            process.kill()
    stopped = not left and reply.seconds < limits.seconds
    return _finding(Attack(message("Start processes without end"), ""), not stopped)
