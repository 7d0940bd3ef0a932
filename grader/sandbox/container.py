"""The level ``container``: a cold start in a container of rootless Podman or Docker, for macOS, Windows, and Linux
machines that give no namespaces otherwise. The engine's own rules are tightened, and ours put on top.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from grader.i18n.message import Message, message
from grader.models.assignment import Limits
from grader.models.errors import SandboxError
from grader.sandbox import guest as guest_package
from grader.sandbox import keep_stdin_open
from grader.sandbox.base import Job
from grader.sandbox.guest import protocol
from grader.sandbox.image import LABEL, Engine, Image, find_engine, own_image, remove_leftovers
from grader.sandbox.job import JobFolder, environment
from grader.sandbox.mounts import GUEST, JOB, Kind, Mount, job_view
from grader.sandbox.process import Command

NAME = "container"
SCRATCH = "64m"  # of /dev/shm, and of the folder for the kernel's sockets
OPEN_FILES = 4096
MORE_MEMORY_MB, MORE_PROCESSES = 256, 64  # than the limit: where the watch can see inside, it is the one that speaks
PATH = "/usr/local/bin:/usr/bin:/bin"
TRIAL = """
import os, socket
alone = os.getpid() < 10 and {name for _, name in socket.if_nameindex()} <= {"lo"}
print("confined" if alone and "CapEff:\\t0000000000000000" in open("/proc/self/status").read() else "not confined")
"""


def container_command(
    job: Job, folder: JobFolder, inherited: Mapping[str, str], *, image: Image | None = None
) -> Command:
    """The worker in a container that sees its job folder and nothing else of this machine.

    Raises SandboxError when there is no engine. The image must have been built (``image.prepare``).
    """
    engine = find_engine(inherited)
    if engine is None:
        raise SandboxError("neither podman nor docker is to be had on this machine; `grader doctor` says why")
    image = image or own_image()
    # Copied, because an engine in a virtual machine sees temporary folders and not where Python has its packages.
    shutil.copytree(
        Path(str(guest_package.__file__)).parent, folder.path / "guest", ignore=shutil.ignore_patterns("__pycache__")
    )
    python = [image.python, *protocol.PYTHON_OPTIONS, "-c", protocol.bootstrap("boot.container_init", GUEST), str(JOB)]
    run = [*_run(engine, job, folder.path.resolve(), image), *_with_environment(job, inherited), *python]
    return Command([sys.executable, "-I", "-B", keep_stdin_open.__file__, *run], dict(inherited), own_limits=True)


def available(inherited: Mapping[str, str], *, image: Image | None = None) -> Message | None:
    """None when a program really ran confined just now; otherwise what stands in the way, and what to do."""
    engine = find_engine(inherited)
    if engine is None:
        return message(
            "Neither Podman nor Docker is installed. Debian and Ubuntu: sudo apt install podman. "
            "Fedora: sudo dnf install podman. macOS and Windows: Podman Desktop or Docker Desktop."
        )
    image = image or own_image()
    problem = engine.problem() or image.problem(engine)
    if problem is not None:
        return problem
    remove_leftovers(engine)
    job = Job(b"{}", {}, Limits())
    folder = JobFolder(job)
    try:
        (folder.path / "guest").mkdir()
        run = [*_run(engine, job, folder.path.resolve(), image), *_with_environment(job, {})]
        found, words = engine.asked([*run[1:], image.python, "-c", TRIAL])
    finally:
        folder.close()
    if found.strip() == "confined":
        return None
    return message("{engine} cannot run a container here: {error}", engine=engine.name, error=words or found)


def _run(engine: Engine, job: Job, folder: Path, image: Image) -> list[str]:
    """Everything up to the program; its first word is the engine."""
    limits = job.limits
    memory = f"{limits.memory_mb + MORE_MEMORY_MB}m"
    mounts = [word for mount in (*image.mounts, *_job_mounts(folder, job)) for word in _mounted(mount)]
    return [
        *(engine.path, "run", "--rm", "--interactive", "--pull=never", "--log-driver=none"),
        *("--name", folder.name, "--label", f"{LABEL}={folder}", "--hostname", "notebook"),
        *("--network=none", "--ipc=private", "--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges"),
        # Red Hat's labels would forbid the job folder too; setting new ones takes a walk through it for each job.
        "--security-opt=label=disable",
        *_user(engine),
        *("--memory", memory, "--memory-swap", memory, "--pids-limit", str(limits.processes + MORE_PROCESSES)),
        *("--ulimit", "core=0:0", "--ulimit", f"nofile={OPEN_FILES}:{OPEN_FILES}", "--shm-size", SCRATCH),
        *mounts,
        # In memory: not every virtual machine's shared folders can hold a socket.
        *("--tmpfs", f"{JOB / 'run'}:rw,nosuid,nodev,size={SCRATCH},mode=1777"),
        *("--workdir", str(JOB / "work"), "--entrypoint", "/usr/bin/env", image.tag),
    ]


def _job_mounts(folder: Path, job: Job) -> list[Mount]:
    """Links cannot be mounted: the image has them."""
    mounts = [mount for mount in job_view(folder, job) if mount.target != JOB / "run" and mount.kind is not Kind.LINK]
    return [*mounts, Mount(Kind.READ_ONLY, GUEST, folder / "guest")]


def _mounted(mount: Mount) -> list[str]:
    words = f"type=bind,source={mount.source},target={mount.target.as_posix()}"
    return ["--mount", f"{words},readonly" if mount.kind is Kind.READ_ONLY else words]


def _with_environment(job: Job, inherited: Mapping[str, str]) -> list[str]:
    """What follows the name of ``env``: of what the engine sets nothing stays, a proxy's password included."""
    passed = {name: inherited[name] for name in ("KERAS_BACKEND", "TZ") if name in inherited}
    ours = environment(JOB, job.threads, passed) | {"PATH": PATH}
    return ["-i", *(f"{name}={value}" for name, value in ours.items())]


def _user(engine: Engine) -> list[str]:
    if sys.platform == "win32":
        return ["--user=1000:1000"]
    mapped = engine.name == "docker" and sys.platform == "linux" and os.getuid() != 0 and _makes_root_inside(engine)
    return user_inside(engine.name, os.getuid(), os.getgid(), mapped=mapped)


def _makes_root_inside(engine: Engine) -> bool:
    kind, _ = engine.asked(["info", "--format", "{{.SecurityOptions}} {{.OperatingSystem}}"])
    return "rootless" in kind or "Desktop" in kind


def user_inside(engine: str, user: int, group: int, *, mapped: bool) -> list[str]:
    """The one whom the job folder belongs to, and who can read the hidden inputs that are put into it.

    Podman can keep an ordinary user the same inside; ``mapped``: this Docker makes whoever runs it root there.
    """
    if mapped:
        return ["--user=0:0"]
    keep = ["--userns=keep-id"] if engine == "podman" and user != 0 else []
    return [f"--user={user}:{group}", *keep]
