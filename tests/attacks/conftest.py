"""The class of each module, graded once with the confinement that this machine gives."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from grader.data import hidden_sets
from grader.files.archives.entry_names import tidy_name
from grader.models.assignment import Limits
from grader.models.errors import SandboxError
from grader.sandbox.base import Sandbox
from grader.sandbox.levels import open_sandbox
from tests.attacks.classroom import Classroom, Handed, One, Places, write_assignment

LIMITS = Limits(seconds=20, memory_mb=1500, disk_mb=200, file_mb=100, processes=200, output_mb=0.5)
NOT_SHOWN = "only limits here (confinement: process); not shown: {what}"


@pytest.fixture(scope="session")
def canary() -> str:
    return f"canary{secrets.token_hex(8)}"


@pytest.fixture(scope="session")
def sandbox(canary: str) -> Iterator[Sandbox]:
    """What ``--sandbox auto`` gives, or the level in GRADER_TEST_SANDBOX, opened by a teacher with a secret."""
    inherited = {**os.environ, "LMS_TOKEN": canary}
    try:
        opened = open_sandbox(os.environ.get("GRADER_TEST_SANDBOX", "auto"), inherited)
    except SandboxError:
        opened = open_sandbox("process", inherited)
    yield opened
    opened.close()


@pytest.fixture
def confined(request: pytest.FixtureRequest, sandbox: Sandbox) -> None:
    """For what limits alone do not stop. Never skips where the machine gives confinement."""
    if sandbox.confinement == "process":
        pytest.skip(NOT_SHOWN.format(what=request.node.originalname.removeprefix("test_").replace("_", " ")))


class Listener:
    """A service on the teacher's machine, on a port, a path and an abstract name; counts who comes."""

    def __init__(self, folder: Path) -> None:
        self.visits: list[str] = []
        self.tcp, self.path, self.abstract = (
            socket.socket(),
            socket.socket(socket.AF_UNIX),
            socket.socket(socket.AF_UNIX),
        )
        self.tcp.bind(("127.0.0.1", 0))
        self.path_name, self.abstract_name = str(folder / "docker.sock"), f"\0grader-{secrets.token_hex(4)}"
        self.path.bind(self.path_name)
        self.abstract.bind(self.abstract_name)
        for server, name in ((self.tcp, "tcp"), (self.path, "path"), (self.abstract, "abstract")):
            server.listen()
            threading.Thread(target=self._serve, args=(server, name), daemon=True).start()

    def _serve(self, server: socket.socket, name: str) -> None:
        while True:
            try:
                visitor, _ = server.accept()
            except OSError:
                return
            self.visits.append(name)
            visitor.close()

    def close(self) -> None:
        for server in (self.tcp, self.path, self.abstract):
            server.shutdown(socket.SHUT_RDWR)
            server.close()


@pytest.fixture(scope="session")
def listener(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Listener]:
    opened = Listener(tmp_path_factory.mktemp("services"))
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def planted(canary: str, listener: Listener) -> Iterator[dict[str, Any]]:
    """The canary where a teacher's secrets lie: home, /tmp, /dev/shm, another process."""
    files = [
        folder / f".grader-{canary[-6:]}-{number}"
        for number, folder in enumerate((Path.home(), Path("/tmp"), Path("/dev/shm")))
        if os.access(folder, os.W_OK)
    ]
    for file in files:
        file.write_text(canary)
    wait = "import sys; sys.stdin.read()"
    process = subprocess.Popen(
        [sys.executable, "-c", wait, canary], stdin=subprocess.PIPE, env={**os.environ, "LMS_TOKEN": canary}
    )
    yield {
        "planted": [str(file) for file in files],
        "process": process.pid,
        "grader": os.getpid(),
        "port": listener.tcp.getsockname()[1],
        "socket": listener.path_name,
        "abstract": listener.abstract_name,
    }
    process.communicate()
    for file in files:
        file.unlink()


@pytest.fixture(scope="module")
def new_classroom(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, canary: str, planted: dict[str, Any]
) -> Any:
    """A function that makes a class nobody has graded yet, with the canary in the teacher's folders."""

    def made() -> Classroom:
        places = Places(tmp_path_factory.mktemp("class"), canary, planted)
        for folder in ("config", "out"):
            (places.root / folder).mkdir()
        secret = canary.encode() * 4
        (places.root / "config" / "secret").write_bytes(secret)
        (places.out / "gradebook.db").write_text(canary)
        assert hidden_sets.load_secret(places.root / "config") == secret
        limits = getattr(request.module, "LIMITS", LIMITS)
        return Classroom(places, write_assignment(places.root / "assignment", limits), secret)

    return made


@pytest.fixture(scope="module")
def classroom(request: pytest.FixtureRequest, sandbox: Sandbox, new_classroom: Any) -> Classroom:
    """Every attacker of this module's selected tests, graded together.

    What limits alone cannot hold is not even tried without confinement: it would hit this machine.
    """
    handed: dict[str, Handed] = {}
    for item in request.session.items:
        if not isinstance(item, pytest.Function) or item.module is not request.module or not hasattr(item, "callspec"):
            continue
        each = item.callspec.params.get("one")
        if isinstance(each, Handed) and (sandbox.confinement != "process" or "confined" not in item.fixturenames):
            assert handed.setdefault(each.name, each) is each, f"two attackers called {each.name}"
    made: Classroom = new_classroom()
    made.grade(list(handed.values()), sandbox)
    return made


@pytest.fixture
def one(request: pytest.FixtureRequest) -> One:
    # ``confined`` first: it skips before a class is looked for that was not graded.
    if "confined" in request.fixturenames:
        request.getfixturevalue("confined")
    classroom: Classroom = request.getfixturevalue("classroom")
    return classroom[tidy_name(request.param.name)]
