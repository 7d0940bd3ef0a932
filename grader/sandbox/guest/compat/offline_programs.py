"""Programs without a network: installers, downloaders, ``git``, ``cp`` and ``unzip``. Standard library only.

Installers report what is installed already and install nothing. Downloaders copy the course's file, or fail at once.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import re
import shutil
import sys
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

from .handout import is_remote, last_name, refusal
from .notes import Kind
from .program import Options, Program

FAILED, GIT_FAILED, UNZIP_FAILED = 1, 128, 9  # exit statuses; unzip's for a missing archive

# ------------------------------------------------------------------ installers

MAX_REQUIREMENTS = 1 << 16  # characters of a requirements file
INSTALL_VALUES = (
    *("r", "requirement", "c", "constraint", "f", "find-links", "i", "index-url", "extra-index-url", "t", "target"),
    *("n", "name", "p", "prefix", "channel", "trusted-host", "progress-bar", "root-user-action", "proxy", "timeout"),
)
NAME = re.compile(r"[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?")
OTHER_NAMES = {"tensorflow-gpu": "tensorflow", "tensorflow-cpu": "tensorflow", "sklearn": "scikit-learn"}


def pip(program: Program) -> int:
    command = program.first_word()
    if command == "install":
        return _install(program)
    if command in ("uninstall", "download", "wheel"):
        program.print(f"pip {command}: nothing was done; packages stay unchanged while homework is graded.")
        return 0
    if importlib.util.find_spec("pip") is not None:
        sys.stdout.flush()
        os.environ.update(PIP_NO_INDEX="1", PIP_DISABLE_PIP_VERSION_CHECK="1")
        os.execv(sys.executable, [sys.executable, "-I", "-m", "pip", *program.arguments])  # noqa: S606
    return 0


def conda(program: Program) -> int:
    return _install(program) if program.first_word() in ("install", "create", "update", "upgrade") else 0


def apt(program: Program) -> int:
    """Report system programs as installed if they are on PATH."""
    words = program.options(("t", "o", "q")).rest
    for name in words[1:] if words[:1] == ["install"] else ():
        is_installed = shutil.which(name) is not None
        program.print(f"{name} is already installed." if is_installed else _not_installed(name))
        program.note(Kind.INSTALLED if is_installed else Kind.NOT_INSTALLED, name, name if is_installed else "")
    return 0


def _install(program: Program) -> int:
    options = program.options(INSTALL_VALUES)
    file = options.value("r", "requirement")
    for requirement in [*options.rest[1:], *(_read_requirements(Path(file)) if file else ())]:
        version = installed_version(distribution_name(requirement))
        found = f"Requirement already satisfied: {requirement} ({version})"
        program.print(found if version else _not_installed(requirement))
        program.note(Kind.INSTALLED if version else Kind.NOT_INSTALLED, requirement, version)
    return 0


def _not_installed(name: str) -> str:
    return f"{name} is not available and was not installed: there is no internet while homework is graded."


def _read_requirements(path: Path) -> list[str]:
    with path.open(encoding="utf-8", errors="replace") as file:
        lines = [line.partition("#")[0].strip() for line in file.read(MAX_REQUIREMENTS).splitlines()]
    return [line for line in lines if line and not line.startswith("-")]


def distribution_name(requirement: str) -> str:
    """Return the package's name in a requirement, or in the address of a repository or a wheel."""
    if "://" in requirement or requirement.endswith(".whl"):
        last = requirement.partition("#egg=")[2] or requirement.rstrip("/").rpartition("/")[2].partition("@")[0]
        requirement = last.removesuffix(".git")
        if last.endswith(".whl"):
            requirement = requirement.partition("-")[0]
    found = NAME.match(requirement.strip("\"' "))
    return found[0] if found else requirement


def installed_version(name: str) -> str:
    """Return ``"numpy 2.4.0"``, the name alone for a module without a version, or "" if it is not installed."""
    name = OTHER_NAMES.get(name.lower(), name)
    try:
        return f"{name} {importlib.metadata.version(name)}"
    except (importlib.metadata.PackageNotFoundError, ValueError):
        module = name.replace("-", "_")
    try:
        return module if module.isidentifier() and importlib.util.find_spec(module) is not None else ""
    except (ImportError, ValueError):
        return ""


# ------------------------------------------------------------------ downloaders

WGET_VALUES = (
    *("O", "output-document", "P", "directory-prefix", "o", "output-file", "U", "user-agent", "header", "t", "tries"),
    *("T", "timeout", "load-cookies", "save-cookies", "post-data", "e"),
)
CURL_VALUES = ("o", "output", "H", "header", "X", "request", "A", "user-agent", "u", "user", "d", "data", "b", "c", "e")


def wget(program: Program) -> int:
    options = program.options(WGET_VALUES)
    name = options.value("O", "output-document")
    folder = Path(options.value("P", "directory-prefix") or ".")
    return _download_all(program, options, lambda address: name or str(folder / (last_name(address) or "index.html")))


def curl(program: Program) -> int:
    options = program.options(CURL_VALUES)
    name = options.value("o", "output")
    use_remote_name = bool(options.flags & {"O", "remote-name"})
    url = options.values.get("url")
    options.rest += [url] if url else []
    return _download_all(program, options, lambda address: name or (last_name(address) if use_remote_name else "-"))


def gdown(program: Program) -> int:
    """Run ``gdown ID``, ``gdown --id ID`` or ``gdown ADDRESS``."""
    options = program.options(("O", "output", "id"))
    words = [options.values["id"]] if "id" in options.values else options.rest
    options.rest = [word if is_remote(word) else f"https://drive.google.com/uc?id={word}" for word in words]
    name = options.value("O", "output")
    return _download_all(program, options, lambda address: name or _drive_name(program, address))


def _drive_name(program: Program, address: str) -> str:
    path = program.handout.file_for(address)
    return path.name if path else ""


def _download_all(program: Program, options: Options, target: Callable[[str], str]) -> int:
    addresses = [word if "://" in word else f"https://{word}" for word in options.rest]
    if not addresses:
        program.print_error(f"{program.name}: no address was given")
        return FAILED
    return max(_download(program, address, target(address)) for address in addresses)


def _download(program: Program, address: str, target: str) -> int:
    """Copy the course's file to ``target``, or print it for "-"."""
    path = program.handout.file_for(address)
    if path is None or not is_remote(address):
        program.print_error(refusal(address))
        return FAILED
    program.note(Kind.DOWNLOAD, address, path.name)
    if target == "-":
        sys.stdout.flush()
        sys.stdout.buffer.write(path.read_bytes())
        return 0
    place = Path(target)
    if place.is_dir():
        place /= path.name
    place.parent.mkdir(parents=True, exist_ok=True)
    if not (place.exists() and place.samefile(path)):
        shutil.copyfile(path, place)
    program.print(f"{place}: copied from the course's file {path.name} instead of {address[:200]}")
    return 0


def kaggle(program: Program) -> int:
    """Run ``kaggle datasets download -d owner/name`` or ``kaggle competitions download -c name``."""
    options = program.options(("d", "dataset", "c", "competition", "p", "path", "f", "file"))
    dataset = options.value("d", "dataset", "c", "competition") or "".join(options.rest[2:3])
    if "download" not in options.rest or not dataset:
        program.print_error(refusal(" ".join(["kaggle", *program.arguments])))
        return FAILED
    file, name = options.value("f", "file"), dataset.rpartition("/")[2]
    folder = Path(options.value("p", "path") or ".")
    for known in filter(None, (file, f"{name}.zip", name)):
        path = program.handout.file_for(known)
        if path is not None:
            return _download(program, f"https://www.kaggle.com/{known}", str(folder / path.name))
    program.print_error(refusal(f"kaggle {dataset}"))
    return FAILED


def git(program: Program) -> int:
    """Run the installed git, except for commands that need a network."""
    words = [word for word in program.arguments if not word.startswith("-")]
    if words[:1] == ["lfs"]:
        return 0
    if words[:1] and words[0] in ("clone", "pull", "fetch", "push") and any(map(_is_repository, words[1:])):
        program.print_error(refusal(next(filter(_is_repository, words[1:]))))
        return GIT_FAILED
    return program.run_installed(program.arguments)


def _is_repository(word: str) -> bool:
    return is_remote(word) or word.startswith(("git@", "git://", "ssh://"))


# ------------------------------------------------------------------ files under paths from elsewhere


def cp(program: Program) -> int:
    """Run the installed cp; all names but the last are read and may be paths from elsewhere."""
    words = list(program.arguments)
    names = [index for index, word in enumerate(words) if not word.startswith("-")]
    for index in names[:-1]:
        words[index] = program.existing(words[index])
    return program.run_installed(words)


def unzip(program: Program) -> int:
    """Run the installed unzip, or unpack with Python; existing files are overwritten without a question."""
    words = list(program.arguments)
    first = next((index for index, word in enumerate(words) if not word.startswith("-")), None)
    if first is None:
        program.print_error("unzip: no archive was given")
        return UNZIP_FAILED
    words[first] = program.existing(words[first])
    if shutil.which("unzip", path="/usr/local/bin:/usr/bin:/bin") is not None:
        may_ask = not {"-n", "-l", "-t", "-p", "-v", "-Z"} & set(words)
        return program.run_installed(["-o", *words] if may_ask else words)
    options = program.options(("d", "x"))
    archive = Path(words[first])
    if not archive.is_file():
        program.print_error(f"unzip: cannot find {archive}")
        return UNZIP_FAILED
    with zipfile.ZipFile(archive) as opened:
        if "l" in options.flags:
            program.print("\n".join(opened.namelist()))
            return 0
        opened.extractall(options.value("d") or ".", members=options.rest[1:] or None)
    if "q" not in options.flags:
        program.print(f"{archive}: unpacked")
    return 0


PROGRAMS: Mapping[str, Callable[[Program], int]] = {
    **{program.__name__: program for program in (pip, conda, apt, wget, curl, gdown, kaggle, git, cp, unzip)},
    "pip3": pip,
    "mamba": conda,
    "apt-get": apt,
}
