"""Environment of the other graders: nbgrader and otter-grader from PyPI, with the frameworks installed here."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import platformdirs

# The same versions in both environments: the graders are compared, not two versions of TensorFlow.
SHARED = ("tensorflow-cpu", "tensorflow", "keras", "numpy", "scikit-learn", "pandas", "matplotlib", "ipykernel")
PEERS = ("nbgrader", "otter-grader")
LIST = "import json, importlib.metadata as m; print(json.dumps({d.name: d.version for d in m.distributions()}))"


class Unavailable(Exception):  # noqa: N818
    """Error that a peer cannot run here; the text gives the reason."""


@dataclass(frozen=True, slots=True)
class Environment:
    python: Path
    versions: dict[str, str]

    def run(self, *words: str | Path, cwd: Path, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run ``python -m words``. With ``check``, raise Unavailable with the last line of a failed command."""
        command = [str(self.python), "-m", *map(str, words)]
        done = subprocess.run(command, cwd=cwd, env=self._variables(cwd), text=True, capture_output=True, check=False)
        if check and done.returncode:
            last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
            raise Unavailable(f"{' '.join(map(str, words[:2]))}: exit {done.returncode}: {''.join(last)}")
        return done

    def _variables(self, cwd: Path) -> dict[str, str]:
        """Return variables that hide the user's settings and select the kernel of this environment."""
        home = cwd / ".home"
        home.mkdir(exist_ok=True)
        path = f"{self.python.parent}{os.pathsep}{os.environ.get('PATH', '')}"
        return {"PATH": path, "HOME": str(home), "USERPROFILE": str(home), "TF_CPP_MIN_LOG_LEVEL": "3"}


def here_versions() -> dict[str, str]:
    """Return the installed versions of the packages in ``SHARED``."""
    found = {}
    for name in SHARED:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def open_environment() -> Environment:
    """Return the environment, created at the first use in the user's cache folder (minutes, 2 GB).

    Raise Unavailable if the packages cannot be installed from PyPI.
    """
    wanted = [*PEERS, *(f"{name}=={number}" for name, number in here_versions().items())]
    mark = hashlib.sha256(" ".join([*wanted, sys.version]).encode()).hexdigest()[:12]
    folder = Path(platformdirs.user_cache_dir("grader")) / f"peers-{mark}"
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    if not (folder / "complete").exists():
        print(f"Installing {', '.join(PEERS)} into {folder} ...", flush=True)
        _install(folder, python, wanted)
        (folder / "complete").touch()
    listed = subprocess.run([python, "-c", LIST], text=True, capture_output=True, check=True)
    versions = {name.replace("_", "-"): number for name, number in json.loads(listed.stdout).items()}
    return Environment(python, {name: versions[name] for name in (*PEERS, *SHARED) if name in versions})


def _install(folder: Path, python: Path, wanted: list[str]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    try:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True, capture_output=True)
        subprocess.run([python, "-m", "pip", "install", "-q", *wanted], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        words = (getattr(error, "stderr", b"") or str(error).encode()).decode(errors="replace").strip().splitlines()
        raise Unavailable(f"{' '.join(PEERS)}: cannot be installed: {words[-1] if words else error}") from error
