"""Fixtures: the class of attacker module, graded once with the confinement of this machine."""

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
from tests.attacks.classroom import Attacker, Classroom, Handed, Places, write_assignment

LIMITS = Limits(seconds=20, memory_mb=1500, disk_mb=200, file_mb=100, processes=200, output_mb=0.5)
SKIPPED = "not tested without confinement: {case}"


@pytest.fixture(scope="session")
def canary() -> str:
    return f"canary{secrets.token_hex(8)}"


@pytest.fixture(scope="session")
def sandbox(canary: str) -> Iterator[Sandbox]:
    """Sandbox of ``--sandbox auto`` or of the level in GRADER_TEST_SANDBOX, with a secret in its environment."""
    inherited = {**os.environ, "LMS_TOKEN": canary}
    try:
        opened = open_sandbox(os.environ.get("GRADER_TEST_SANDBOX", "auto"), inherited)
    except SandboxError:
        opened = open_sandbox("process", inherited)
    yield opened
    opened.close()


@pytest.fixture
def confined(request: pytest.FixtureRequest, sandbox: Sandbox) -> None:
    """Skip a test of attacks that limits alone do not stop, but only on machines without confinement."""
    if sandbox.confinement == "process":
        pytest.skip(SKIPPED.format(case=request.node.originalname.removeprefix("test_").replace("_", " ")))


class Listener:
    """A service on the teacher's machine, on a port, a path and an abstract name. It records connections."""

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
    """Canaries in the teacher's home, /tmp, /dev/shm and another process."""
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
    """Function that creates an ungraded class, with canaries in the teacher's folders."""

    def create() -> Classroom:
        places = Places(tmp_path_factory.mktemp("class"), canary, planted)
        for folder in ("config", "out"):
            (places.root / folder).mkdir()
        secret = canary.encode() * 4
        (places.root / "config" / "secret").write_bytes(secret)
        (places.out / "gradebook.db").write_text(canary)
        assert hidden_sets.load_secret(places.root / "config") == secret
        limits = getattr(request.module, "LIMITS", LIMITS)
        return Classroom(places, write_assignment(places.root / "assignment", limits), secret)

    return create


@pytest.fixture(scope="module")
def classroom(request: pytest.FixtureRequest, sandbox: Sandbox, new_classroom: Any) -> Classroom:
    """All attackers of this module's selected tests, graded together.

    Attacks that limits alone cannot stop do not run without confinement, because they would hit this machine.
    """
    handed: dict[str, Handed] = {}
    for item in request.session.items:
        if not isinstance(item, pytest.Function) or item.module is not request.module or not hasattr(item, "callspec"):
            continue
        attacker = item.callspec.params.get("attacker")
        if isinstance(attacker, Handed) and (sandbox.confinement != "process" or "confined" not in item.fixturenames):
            assert handed.setdefault(attacker.name, attacker) is attacker, f"two attackers called {attacker.name}"
    made: Classroom = new_classroom()
    made.grade(list(handed.values()), sandbox)
    return made


@pytest.fixture
def attacker(request: pytest.FixtureRequest) -> Attacker:
    # ``confined`` first, because it skips before an ungraded class is requested.
    if "confined" in request.fixturenames:
        request.getfixturevalue("confined")
    classroom: Classroom = request.getfixturevalue("classroom")
    return classroom[tidy_name(request.param.name)]
