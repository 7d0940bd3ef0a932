"""The image that containers for notebooks are made of, and the engine that builds and runs it."""

from __future__ import annotations

import hashlib
import importlib.metadata
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from grader.i18n.message import Message, message
from grader.models.errors import SandboxError
from grader.sandbox.mounts import Mount
from grader.sandbox.programs import find_program

ENGINES = ("podman", "docker")
NO_ENGINE = message("Neither podman nor docker is available on this machine; `grader doctor` tells why.")
DEFINITION = Path(__file__).with_name("Containerfile")
# Packages that notebooks import, in the versions installed here. joblib is a dependency of these.
PACKAGES = (
    *("ipykernel", "jupyter_client", "keras", "matplotlib", "nbclient", "nbformat", "numpy", "pandas"),
    *("pillow", "scikit-learn", "scipy", "tensorflow"),
    *("category_encoders", "graphviz", "imageio", "ipywidgets", "keras-tuner", "mlxtend", "nltk"),
    *("opencv-python-headless", "plotly", "pydot", "scikeras", "scikit-image", "seaborn", "tensorboard", "tqdm"),
)
OPTIONAL = ("tensorflow-datasets", "xgboost")  # in the image if they are installed here
ALIASES = {"tensorflow": ("tensorflow-cpu", "tensorflow-macos")}  # other distributions of the same versions
FOLDER_PREFIX = "grader-"  # of the names of job folders
LABEL = "grader.job"  # label of a container; its value is the job folder
SECONDS_TO_ANSWER, SECONDS_TO_BUILD = 120.0, 3600.0


@dataclass(frozen=True, slots=True)
class Engine:
    """A program that runs containers. It gets the grader's environment, as engines keep their state below HOME."""

    name: str  # "podman" or "docker"
    path: str
    environment: Mapping[str, str]

    def query(self, words: list[str], seconds: float = SECONDS_TO_ANSWER) -> tuple[str, str]:
        """Run a command. Return its output and the last line of its error message ("" on success)."""
        try:
            done = subprocess.run(
                [self.path, *words],
                env=dict(self.environment),
                cwd="/",
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=seconds,
                check=False,
            )
        except (OSError, subprocess.SubprocessError) as error:
            return "", str(error)
        if done.returncode == 0:
            return done.stdout, ""
        lines = (done.stderr.strip() or done.stdout.strip()).splitlines()
        return done.stdout, lines[-1] if lines else f"exit status {done.returncode}"

    def find_problem(self) -> Message | None:
        """Return None if the engine answers, else what to start: its virtual machine or its service."""
        _, error = self.query(["info"])
        if not error:
            return None
        if self.name == "podman":
            return message("podman does not answer: {error}. macOS and Windows: podman machine start", error=error)
        return message("docker does not answer: {error}. Start Docker, or its service.", error=error)


@dataclass(frozen=True, slots=True)
class Image:
    """An image by its tag. ``mounts`` are added to each of its containers."""

    tag: str
    python: str = "/usr/local/bin/python3"
    mounts: tuple[Mount, ...] = ()

    def find_problem(self, engine: Engine) -> Message | None:
        """Return None if the image exists, else when it will be built."""
        _, error = engine.query(["image", "inspect", self.tag])
        if not error:
            return None
        return message(
            "The image for notebooks is not built yet. {engine} builds it at the first grading with --sandbox "
            "container (about 3 GB, 5 to 15 minutes, once).",
            engine=engine.name,
        )


def find_engine(inherited: Mapping[str, str]) -> Engine | None:
    """Return the installed engine. Podman comes first, because it needs no service with root's rights."""
    for name in ENGINES:
        path = find_program(name, inherited)
        if path is not None:
            return Engine(name, path, inherited)
    return None


def requirements() -> str:
    """Return one line for each package, with the version installed here."""
    pinned = [*map(_pin, PACKAGES), *(line for line in map(_pin, OPTIONAL) if "==" in line)]
    return "".join(f"{line}\n" for line in pinned)


def own_image() -> Image:
    """Return the image for this machine. Its tag is a hash of its contents, so new package versions give a new one."""
    contents = "\n".join([DEFINITION.read_text("utf-8"), requirements(), _python_version()])
    return Image(f"localhost/grader-notebook:{hashlib.sha256(contents.encode()).hexdigest()[:12]}")


def prepare(inherited: Mapping[str, str], announce: Callable[[Message], None]) -> None:
    """Build the image if it is missing, announcing it first. Raise SandboxError with the engine's last words."""
    engine, image = find_engine(inherited), own_image()
    if engine is None:
        raise SandboxError(NO_ENGINE)
    problem = engine.find_problem()
    if problem is not None:
        raise SandboxError(problem)
    remove_leftovers(engine)
    if image.find_problem(engine) is None:
        return
    announce(
        message(
            "{engine} builds the image for notebooks: about 3 GB of downloads, 5 to 15 minutes, only this once.",
            engine=engine.name,
        )
    )
    with tempfile.TemporaryDirectory(prefix="grader-image-") as folder:
        (Path(folder) / "requirements.txt").write_text(requirements(), "utf-8")
        shutil.copyfile(DEFINITION, Path(folder) / "Containerfile")
        words = ["build", "--tag", image.tag, "--build-arg", f"PYTHON={_python_version()}"]
        _, error = engine.query([*words, "--file", str(Path(folder) / "Containerfile"), folder], SECONDS_TO_BUILD)
    if error:
        raise SandboxError(
            message("{engine} could not build the image for notebooks: {error}", engine=engine.name, error=error)
        )


def remove_leftovers(engine: Engine) -> None:
    """Remove containers and volumes whose job folder is gone: Podman keeps the name of a container killed early."""
    output, _ = engine.query(["ps", "--all", "--filter", f"label={LABEL}", "--format", "{{.Names}}"])
    for name in output.split():
        folder, error = engine.query(["inspect", "--format", f'{{{{index .Config.Labels "{LABEL}"}}}}', name])
        if not error and not Path(folder.strip()).exists():
            engine.query(["rm", "--force", name])
    if sys.platform != "linux":  # elsewhere the kernel's sockets lie in a volume with the name of the job folder
        volumes, _ = engine.query(["volume", "ls", "--quiet", "--filter", f"name={FOLDER_PREFIX}"])
        for name in volumes.split():
            if name.startswith(FOLDER_PREFIX) and not (Path(tempfile.gettempdir()) / name).exists():
                engine.query(["volume", "rm", "--force", name])


def _pin(package: str) -> str:
    for installed in (package, *ALIASES.get(package, ())):
        try:
            return f"{package}=={importlib.metadata.version(installed)}"
        except importlib.metadata.PackageNotFoundError:
            continue
    return package


def _python_version() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}"
