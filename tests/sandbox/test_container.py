"""Tests of the level ``container``: the command line for both engines, and runs with a real Podman where one works.

The image of the real runs is empty, with this machine's own interpreter mounted into it, so nothing is downloaded.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import time
from functools import partial
from pathlib import Path

import psutil
import pytest

from grader.i18n.message import Message
from grader.models.assignment import Limits
from grader.models.errors import SandboxError
from grader.sandbox import image as images
from grader.sandbox import supervisor
from grader.sandbox.base import EndReason, Job
from grader.sandbox.container import NAME, container_command, find_problem, user_options
from grader.sandbox.image import Image
from grader.sandbox.job import JobFolder
from grader.sandbox.mounts import GUEST, Kind, Mount, machine_mounts
from grader.sandbox.process import ProcessSandbox
from tests.support import confined
from tests.support.notebooks import notebook_bytes

EMPTY = "localhost/grader-test-empty:1"
JOB = Job(notebook_bytes("1"), {}, Limits(memory_mb=1000, processes=50), threads=2)
# Wrapper for a machine with both versions of control groups mounted, which Podman's runtime refuses, and with limits
# that root may not raise: it hides version 2 from Podman and lowers the requested limits.
COAXED = """#!/bin/sh
[ "$1" = run ] && shift && set -- run --ulimit nproc=4096:4096 "$@"
exec unshare --mount sh -c 'umount /sys/fs/cgroup/unified && exec {podman} "$@"' podman "$@"
"""


def fake_engine(folder: Path, name: str, code: str = "exit 0") -> dict[str, str]:
    """Return an environment in which ``name`` is the only engine."""
    program = folder / name
    program.write_text(f"#!/bin/sh\n{code}\n")
    program.chmod(0o755)
    return {"PATH": str(folder), "HOME": "/home/teacher", "LMS_TOKEN": confined.TOKEN}


def words_for(environment: dict[str, str], side: str = "kernel") -> list[str]:
    folder = JobFolder(JOB)
    try:
        command = container_command(JOB, folder, environment)
        return command.kernel if side == "kernel" else command.driver
    finally:
        folder.close()


# ------------------------------------------------------------------ the command line


@pytest.mark.parametrize("side", ["driver", "kernel"])
@pytest.mark.parametrize("engine", ["podman", "docker"])
def test_command_line_confines(tmp_path: Path, engine: str, side: str) -> None:
    words = words_for(fake_engine(tmp_path, engine), side)
    assert str(tmp_path / engine) in words
    for word in ("--rm", "--read-only", "--network=none", "--cap-drop=ALL", "--security-opt=no-new-privileges"):
        assert words.index(word) < words.index("--entrypoint")
    assert words[words.index("--memory") + 1] == words[words.index("--memory-swap") + 1] == "1256m"
    assert words[words.index("--pids-limit") + 1] == "114"
    assert not [word for word in words if confined.TOKEN in word or "/home/teacher" in word]


@pytest.mark.parametrize(
    ("engine", "user", "mapped", "expected"),
    [
        pytest.param("podman", 1001, False, ["--user=1001:7", "--userns=keep-id"], id="podman"),
        pytest.param("podman", 0, False, ["--user=0:7"], id="root's podman"),
        pytest.param("docker", 1001, False, ["--user=1001:7"], id="docker as a service"),
        pytest.param("docker", 1001, True, ["--user=0:0"], id="docker without root's rights"),
    ],
)
def test_job_folder_has_the_same_owner_inside(engine: str, user: int, mapped: bool, expected: list[str]) -> None:
    assert user_options(engine, user, 7, mapped=mapped) == expected


@pytest.mark.parametrize(
    ("side", "writable"),
    [
        ("driver", {"/job/out", "/job/run"}),
        ("kernel", {"/job/work", "/job/home", "/job/tmp", "/job/exchange", "/job/run", "/tmp"}),
    ],
)
def test_only_its_part_of_the_job_folder_is_mounted(tmp_path: Path, side: str, writable: set[str]) -> None:
    words = words_for(fake_engine(tmp_path, "podman"), side)
    mounted = [words[place + 1] for place, word in enumerate(words) if word == "--mount"]
    sources = {dict(part.partition("=")[::2] for part in mount.split(","))["source"] for mount in mounted}
    assert len({Path(source).parts[:3] for source in sources}) == 1
    targets = {mount.split("target=")[1].split(",")[0]: mount.endswith(",readonly") for mount in mounted}
    assert {target for target, read_only in targets.items() if not read_only} == writable
    given = {"/job/request.json", "/job/notebook.ipynb"} if side == "driver" else set()
    assert {target for target, read_only in targets.items() if read_only} == {str(GUEST), *given}


def test_podman_is_preferred_to_docker(tmp_path: Path) -> None:
    environment = fake_engine(tmp_path, "docker")
    fake_engine(tmp_path, "podman")
    found = images.find_engine(environment)
    assert found is not None
    assert found.name == "podman"


def test_missing_engine_is_reported_with_install_commands(tmp_path: Path) -> None:
    assert "apt install podman" in str(find_problem({"PATH": str(tmp_path)}))
    with pytest.raises(SandboxError, match="podman nor docker"):
        words_for({"PATH": str(tmp_path)})


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        pytest.param(
            "echo cannot connect >&2; exit 125", "cannot connect. macOS and Windows: podman machine", id="asleep"
        ),
        pytest.param('[ "$1" = info ]', "not built yet", id="no image"),
        pytest.param('[ "$1" != run ] || { echo no cgroups >&2; exit 126; }', "no cgroups", id="cannot run"),
        pytest.param('[ "$1" != run ] || echo not confined', "not confined", id="runs without confining"),
    ],
)
def test_broken_engine_is_reported(tmp_path: Path, code: str, expected: str) -> None:
    assert expected in str(find_problem(fake_engine(tmp_path, "podman", code)))


# ------------------------------------------------------------------ the image


def test_image_is_built_once_and_announced(tmp_path: Path) -> None:
    log = tmp_path / "log"
    record = f'echo "$@" >> {log}; [ "$1" = build ] && cat "$8/requirements.txt" >> {log} && touch {tmp_path}/built\n'
    environment = fake_engine(tmp_path, "podman", f'{record}[ "$1" != image ] || [ -e {tmp_path}/built ]')
    environment["PATH"] += ":/usr/bin:/bin"
    told: list[Message] = []
    for _ in range(2):
        images.prepare(environment, told.append)
    assert len(told) == 1
    assert "15 minutes" in str(told[0])
    words = log.read_text()
    assert words.count(f"build --tag {images.own_image().tag} --build-arg PYTHON=3.") == 1
    assert "tensorflow==" in words


def test_failed_build_raises_sandbox_error(tmp_path: Path) -> None:
    environment = fake_engine(tmp_path, "docker", '[ "$1" = info ] || { echo no network >&2; exit 1; }')
    with pytest.raises(SandboxError, match="no network"):
        images.prepare(environment, lambda _: None)


def test_image_contains_the_imports_of_the_guest() -> None:
    named = images.requirements()
    assert {line.partition("==")[0] for line in named.splitlines()} == set(images.PACKAGES)
    assert named.count("==") == len(images.PACKAGES), "every package is installed here, so every line has a version"


# ------------------------------------------------------------------ a real engine


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Environment in which Podman runs containers. Tests are skipped, with Podman's message, where it cannot."""
    podman = shutil.which("podman")
    if podman is None:
        pytest.skip("podman is not installed: only the command line was tested")
    folder = tmp_path_factory.mktemp("bin")
    (folder / "podman").write_text(COAXED.format(podman=podman))
    (folder / "podman").chmod(0o755)
    plain = dict(confined.INHERITED)
    coaxed = plain | {"PATH": f"{folder}:{plain['PATH']}"}
    if subprocess.run([podman, "image", "exists", EMPTY], check=False).returncode != 0:
        subprocess.run([podman, "import", "-", EMPTY], input=empty_archive(), check=True, capture_output=True)
    problems = [find_problem(candidate, image=empty_image()) for candidate in (plain, coaxed)]
    if None not in problems:
        pytest.skip(f"{problems[0]}: only the command line was tested")
    return (plain, coaxed)[problems.index(None)]


def empty_archive() -> bytes:
    buffer = io.BytesIO()
    tarfile.open(fileobj=buffer, mode="w").close()
    return buffer.getvalue()


def empty_image() -> Image:
    seen = [mount for mount in machine_mounts() if mount.target.parts[1] not in ("dev", "proc", "sys", GUEST.name)]
    mounts = [
        Mount(Kind.READ_ONLY, mount.target, mount.target.resolve()) for mount in seen if mount.kind is not Kind.EMPTY
    ]
    return Image(EMPTY, sys.executable, tuple(mounts))


@pytest.fixture(scope="module")
def sandbox(environment: dict[str, str]) -> ProcessSandbox:
    return ProcessSandbox(environment, confinement=NAME, command=partial(container_command, image=empty_image()))


def test_notebook_cannot_see_or_change_the_machine(sandbox: ProcessSandbox, tmp_path: Path) -> None:
    secret = tmp_path / "labels.npy"
    secret.write_text("secret")
    seen = confined.look_around(sandbox, secret)
    if os.getuid() == 0:
        seen["written"] = [path for path in seen["written"] if path != "/dev/x"]  # root's own /dev, in memory
    confined.assert_saw_nothing(seen)


@pytest.mark.parametrize("code", [confined.SCIKIT_LEARN, confined.KERAS], ids=["scikit-learn", "keras"])
def test_honest_notebook_is_predicted(sandbox: ProcessSandbox, code: str) -> None:
    assert confined.hidden_accuracy(sandbox, code) > 0.9


def test_notebook_over_a_limit_is_killed_with_its_processes(sandbox: ProcessSandbox) -> None:
    daemon = "import subprocess\nsubprocess.Popen(['sh', '-c', '(setsid sleep 16180 &)'])"
    flood = "import time\nfor n in range(100):\n    open(f'{n}', 'wb').write(bytes(8 << 20)); time.sleep(0.05)"
    reply = sandbox.run(Job(notebook_bytes(daemon, flood), {}, Limits(seconds=60, disk_mb=64, file_mb=16)))
    assert reply.ended is EndReason.DISK
    assert_gone("sleep 16180")


def test_leftovers_of_a_killed_container_are_removed(sandbox: ProcessSandbox, environment: dict[str, str]) -> None:
    sandbox.run(Job(notebook_bytes("while True: pass"), {}, Limits(seconds=60, processes=1)))
    engine = images.find_engine(environment)
    assert engine is not None
    images.remove_leftovers(engine)
    assert engine.query(["ps", "--all", "--quiet", "--filter", f"label={images.LABEL}"]) == ("", "")


def test_container_ends_when_its_client_is_killed(environment: dict[str, str]) -> None:
    """Kill only the client, as happens where the engine is a service."""
    job = Job(notebook_bytes("import subprocess; subprocess.run(['sleep', '14142'])"), {}, Limits())
    folder = JobFolder(job)
    try:
        command = container_command(job, folder, environment, image=empty_image())
        sides = [json.dumps(command.driver), json.dumps(command.kernel), str(folder.kernel_log)]
        holder = subprocess.Popen(
            [sys.executable, "-I", supervisor.__file__, *sides], stdin=subprocess.PIPE, env=dict(command.environment)
        )
        wait_for("sleep 14142")
        clients = psutil.Process(holder.pid).children()
        holder.kill()
        holder.communicate()
        for client in clients:
            client.kill()
        assert_gone("sleep 14142")
    finally:
        folder.close()


def wait_for(words: str) -> None:
    deadline = time.monotonic() + 60
    while not running(words):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def assert_gone(words: str) -> None:
    deadline = time.monotonic() + 10
    while running(words):
        assert time.monotonic() < deadline, "the process outlived its notebook"
        time.sleep(0.1)


def running(words: str) -> bool:
    return any(words == " ".join(process.info["cmdline"] or []) for process in psutil.process_iter(["cmdline"]))
