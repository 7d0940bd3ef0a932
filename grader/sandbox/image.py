"""The image that notebooks run in where a container confines them, and the engine that builds and runs it."""

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

ENGINES = ("podman", "docker")
DEFINITION = Path(__file__).with_name("Containerfile")
# What notebooks import, in the versions that this machine has. joblib, SciPy and Pillow come with these.
PACKAGES = (
    *("ipykernel", "jupyter_client", "keras", "matplotlib", "nbclient", "nbformat", "numpy", "pandas"),
    *("pillow", "scikit-learn", "scipy", "tensorflow"),
)
ALSO_AS = {"tensorflow": ("tensorflow-cpu", "tensorflow-macos")}  # other names for the same versions
LABEL = "grader.job"  # its value is the job folder
SECONDS_TO_ASK, SECONDS_TO_BUILD = 120.0, 3600.0


@dataclass(frozen=True, slots=True)
class Engine:
    """A program that runs containers. ``environment`` is the grader's own: engines keep their state below HOME."""

    name: str  # "podman" or "docker"
    path: str
    environment: Mapping[str, str]

    def asked(self, words: list[str], seconds: float = SECONDS_TO_ASK) -> tuple[str, str]:
        """What it printed, and its last line of complaint ("" when it succeeded)."""
        try:
            done = subprocess.run(
                [self.path, *words],
                env=dict(self.environment),
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

    def problem(self) -> Message | None:
        """None when it answers; a machine or a service that has not been started is told of."""
        _, error = self.asked(["info"])
        if not error:
            return None
        if self.name == "podman":
            return message("podman does not answer: {error}. macOS and Windows: podman machine start", error=error)
        return message("docker does not answer: {error}. Start Docker, or its service.", error=error)


@dataclass(frozen=True, slots=True)
class Image:
    """``mounts`` are added to every container that is made of it."""

    tag: str
    python: str = "/usr/local/bin/python3"
    mounts: tuple[Mount, ...] = ()

    def problem(self, engine: Engine) -> Message | None:
        _, error = engine.asked(["image", "inspect", self.tag])
        if not error:
            return None
        return message(
            "The image for notebooks is not built yet: {engine} builds it at the first grading with --sandbox "
            "container (some 3 GB, 5 to 15 minutes, once).",
            engine=engine.name,
        )


def find_engine(inherited: Mapping[str, str]) -> Engine | None:
    """Podman before Docker: it needs no service with the rights of root."""
    for name in ENGINES:
        path = shutil.which(name, path=inherited.get("PATH"))
        if path is not None:
            return Engine(name, path, inherited)
    return None


def requirements() -> str:
    """One line per package, in the version that is installed here."""
    return "".join(f"{line}\n" for line in map(_pinned, PACKAGES))


def own_image() -> Image:
    """Named for what it is made of: another version of a package is another image."""
    made_of = "\n".join([DEFINITION.read_text("utf-8"), requirements(), _python()])
    return Image(f"localhost/grader-notebook:{hashlib.sha256(made_of.encode()).hexdigest()[:12]}")


def prepare(inherited: Mapping[str, str], tell: Callable[[Message], None]) -> None:
    """Builds the image where it is missing, saying so. Raises SandboxError with what the engine said last."""
    engine, image = find_engine(inherited), own_image()
    if engine is None:
        raise SandboxError("neither podman nor docker is to be had on this machine")
    problem = engine.problem()
    if problem is not None:
        raise SandboxError(str(problem))
    remove_leftovers(engine)
    if image.problem(engine) is None:
        return
    tell(
        message(
            "{engine} builds the image for notebooks: some 3 GB from the network, 5 to 15 minutes, this once.",
            engine=engine.name,
        )
    )
    with tempfile.TemporaryDirectory(prefix="grader-image-") as folder:
        (Path(folder) / "requirements.txt").write_text(requirements(), "utf-8")
        shutil.copyfile(DEFINITION, Path(folder) / "Containerfile")
        words = ["build", "--tag", image.tag, "--build-arg", f"PYTHON={_python()}"]
        _, error = engine.asked([*words, "--file", str(Path(folder) / "Containerfile"), folder], SECONDS_TO_BUILD)
    if error:
        raise SandboxError(f"{engine.name} could not build the image for notebooks: {error}")


def remove_leftovers(engine: Engine) -> None:
    """Containers whose job folder is gone: killed with their grader, Podman leaves their names behind."""
    listed, _ = engine.asked(["ps", "--all", "--filter", f"label={LABEL}", "--format", "{{.Names}}"])
    for name in listed.split():
        folder, error = engine.asked(["inspect", "--format", f'{{{{index .Config.Labels "{LABEL}"}}}}', name])
        if not error and not Path(folder.strip()).exists():
            engine.asked(["rm", "--force", name])


def _pinned(package: str) -> str:
    for installed in (package, *ALSO_AS.get(package, ())):
        try:
            return f"{package}=={importlib.metadata.version(installed)}"
        except importlib.metadata.PackageNotFoundError:
            continue
    return package


def _python() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}"
