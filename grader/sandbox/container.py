"""The level ``container``: a cold start in two containers of rootless Podman or Docker, one for each side of a job.

For macOS, Windows, and Linux machines without other namespaces. The engine's own confinement is tightened, and the
grader's system call filter is added. The two containers share only the folder of the kernel's sockets.
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
from grader.sandbox.base import Job
from grader.sandbox.guest import protocol
from grader.sandbox.image import LABEL, NO_ENGINE, Engine, Image, find_engine, own_image, remove_leftovers
from grader.sandbox.job import OPEN_FILES, JobFolder, notebook_environment
from grader.sandbox.mounts import GUEST, GUEST_SOURCE, JOB, Kind, Mount, driver_mounts, kernel_mounts
from grader.sandbox.process import Command

NAME = "container"
SCRATCH = "64m"  # size of /dev/shm
# The engine's limits are higher than the assignment's, so that the monitor reports first where it can see inside.
EXTRA_MEMORY_MB, EXTRA_PROCESSES = 256, 64
PATH = "/usr/local/bin:/usr/bin:/bin"
TRIAL = """
import os, socket
isolated = os.getpid() < 10 and {name for _, name in socket.if_nameindex()} <= {"lo"}
print("confined" if isolated and "CapEff:\\t0000000000000000" in open("/proc/self/status").read() else "not confined")
"""


def container_command(
    job: Job, folder: JobFolder, inherited: Mapping[str, str], *, image: Image | None = None
) -> Command:
    """Return the command for both sides, each in a container that sees only its part of the job folder.

    The image must have been built (``image.prepare``). Raise SandboxError if there is no engine.
    """
    engine = find_engine(inherited)
    if engine is None:
        raise SandboxError(NO_ENGINE)
    image = image or own_image()
    # Copied, because an engine in a virtual machine sees temporary folders but not the installed Python packages.
    shutil.copytree(GUEST_SOURCE, folder.path / "guest", ignore=shutil.ignore_patterns("__pycache__"))
    python = [image.python, *protocol.PYTHON_OPTIONS, "-c", protocol.bootstrap("boot.container_init", GUEST)]
    driver, kernel = (
        [*_run_options(engine, job, folder.path.resolve(), image, side), *_env_options(job, inherited), *python]
        for side in protocol.SIDES
    )
    return Command([*driver, "driver", str(JOB)], [*kernel, "kernel", str(JOB)], dict(inherited), own_limits=True)


def find_problem(inherited: Mapping[str, str], *, image: Image | None = None) -> Message | None:
    """Run a small program confined. Return None if it worked, else the obstacle and its remedy."""
    engine = find_engine(inherited)
    if engine is None:
        return message(
            "Neither Podman nor Docker is installed. Debian and Ubuntu: sudo apt install podman. "
            "Fedora: sudo dnf install podman. macOS and Windows: Podman Desktop or Docker Desktop."
        )
    image = image or own_image()
    problem = engine.find_problem() or image.find_problem(engine)
    if problem is not None:
        return problem
    remove_leftovers(engine)
    job = Job(b"{}", {}, Limits())
    folder = JobFolder(job)
    try:
        (folder.path / "guest").mkdir()
        run = [*_run_options(engine, job, folder.path.resolve(), image, "kernel"), *_env_options(job, {})]
        output, error = engine.query([*run[1:], image.python, "-c", TRIAL])
    finally:
        folder.close()
    if output.strip() == "confined":
        return None
    return message("{engine} cannot run a container here: {error}", engine=engine.name, error=error or output)


def _run_options(engine: Engine, job: Job, folder: Path, image: Image, side: str) -> list[str]:
    """Return the command line up to the program inside; its first word is the engine."""
    limits = job.limits
    mounts = [*image.mounts, *_container_mounts(folder, job, side)]
    memory = f"{limits.memory_limit_mb + EXTRA_MEMORY_MB}m"
    return [
        *(engine.path, "run", "--rm", "--interactive", "--pull=never", "--log-driver=none"),
        *("--name", f"{folder.name}-{side}", "--label", f"{LABEL}={folder}", "--hostname", "notebook"),
        *("--network=none", "--ipc=private", "--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges"),
        # SELinux labels would forbid access to the job folder, and relabelling would visit every file of each job.
        "--security-opt=label=disable",
        *_user(engine),
        *("--memory", memory, "--memory-swap", memory, "--pids-limit", str(limits.processes + EXTRA_PROCESSES)),
        *("--ulimit", "core=0:0", "--ulimit", f"nofile={OPEN_FILES}:{OPEN_FILES}", "--shm-size", SCRATCH),
        *(word for mount in mounts for word in _mount_options(mount)),
        *_socket_folder(folder),
        *("--workdir", "/", "--entrypoint", "/usr/bin/env", image.tag),
    ]


def _container_mounts(folder: Path, job: Job, side: str) -> list[Mount]:
    """Return one side's mounts without links, which an engine cannot mount and the image contains instead."""
    mounts = driver_mounts(folder) if side == "driver" else kernel_mounts(folder, job)
    shown = [mount for mount in mounts if mount.target != JOB / protocol.RUN and mount.kind is not Kind.LINK]
    return [*shown, Mount(Kind.READ_ONLY, GUEST, folder / "guest")]


def _socket_folder(folder: Path) -> list[str]:
    """Return the mount of the folder of the kernel's sockets, which both containers share.

    Engines in a virtual machine cannot keep a socket in a folder of this machine; there it is a volume, which the
    engine creates with the first container.
    """
    target = (JOB / protocol.RUN).as_posix()
    if sys.platform == "linux":
        return ["--mount", f"type=bind,source={folder / protocol.RUN},target={target}"]
    return ["--mount", f"type=volume,source={folder.name},target={target}"]


def _mount_options(mount: Mount) -> list[str]:
    words = f"type=bind,source={mount.source},target={mount.target.as_posix()}"
    return ["--mount", f"{words},readonly" if mount.kind in (Kind.READ_ONLY, Kind.OWN) else words]


def _env_options(job: Job, inherited: Mapping[str, str]) -> list[str]:
    """Return arguments of ``env``. Variables set by the engine are dropped, as a proxy's may hold a password."""
    passed = {name: inherited[name] for name in ("KERAS_BACKEND", "TZ") if name in inherited}
    variables = notebook_environment(JOB, job.threads, passed) | {"PATH": PATH}
    return ["-i", *(f"{name}={value}" for name, value in variables.items())]


def _user(engine: Engine) -> list[str]:
    if sys.platform == "win32":
        return ["--user=1000:1000"]
    mapped = engine.name == "docker" and sys.platform == "linux" and os.getuid() != 0 and _maps_user_to_root(engine)
    return user_options(engine.name, os.getuid(), os.getgid(), mapped=mapped)


def _maps_user_to_root(engine: Engine) -> bool:
    kind, _ = engine.query(["info", "--format", "{{.SecurityOptions}} {{.OperatingSystem}}"])
    return "rootless" in kind or "Desktop" in kind


def user_options(engine: str, user: int, group: int, *, mapped: bool) -> list[str]:
    """Return options for the user inside: the owner of the job folder, who can read the hidden inputs put into it.

    Podman can keep an ordinary user's number inside. ``mapped``: this Docker maps the caller to root inside.
    """
    if mapped:
        return ["--user=0:0"]
    keep = ["--userns=keep-id"] if engine == "podman" and user != 0 else []
    return [f"--user={user}:{group}", *keep]
