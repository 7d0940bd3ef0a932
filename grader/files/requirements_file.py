"""Package lists of courses and students: ``requirements.txt`` and ``environment.yml``, read as text.

Nothing is installed, fetched or opened. Only plain names with versions are accepted: an option, an address or a path
would decide where code comes from, so each such line is refused with its reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import yaml
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from grader.i18n.message import Message, message

MAX_CHARACTERS, MAX_LINES = 1 << 16, 500
MAX_BRACKETS = 1_000  # the time to read nested ones grows with the square of their number
SHOWN = 80  # characters of a refused line
NOT_PACKAGES = {"python", "pip", "wheel", "setuptools"}  # part of every environment
CONDA_NAMES = {  # name at conda -> name at PyPI
    "pytorch": "torch",
    "opencv": "opencv-python",
    "py-opencv": "opencv-python",
    "py-xgboost": "xgboost",
    "graphviz": "",  # the system's program; the Python package is called python-graphviz
    "python-graphviz": "graphviz",
    "matplotlib-base": "matplotlib",
    "tensorflow-gpu": "tensorflow",
    "tensorflow-base": "tensorflow",
}
_COMMENT = re.compile(r"(^|\s)#.*$")
_HASH = re.compile(r"\s--hash[=\s]\S+")
_ADDRESS = re.compile(r"://|^\s*(git|hg|svn|bzr)\+|\s@\s|^\w[\w.\[\]-]*@")
_PATH = re.compile(r"^[./~\\]|^[A-Za-z]:\\|\.(whl|zip|tar\.gz|tgz)(\s|$)")
_CONDA = re.compile(r"(?:[\w/.-]+::)?([A-Za-z0-9][\w.-]*)\s*([=<>!~][^\s]*)?(?:\s+(\S+))?\s*$")


@dataclass(frozen=True, slots=True)
class Package:
    """A plain requirement, for example ``scikit-image>=0.20``."""

    name: str  # normalised as PyPI does: lower case, with "-"
    versions: str = ""  # version specifier, for example ">=0.20,<1"; "" for any version
    extras: tuple[str, ...] = ()

    def __str__(self) -> str:
        extras = f"[{','.join(self.extras)}]" if self.extras else ""
        return f"{self.name}{extras}{self.versions}"


@dataclass(frozen=True, slots=True)
class Requirements:
    """The packages that a file asks for, each once, and its refused lines with the reason."""

    packages: tuple[Package, ...] = ()
    problems: tuple[Message, ...] = ()


def read_requirements(text: str, name: str = "requirements.txt") -> Requirements:
    """Return the packages of a ``requirements.txt``. ``name`` is the file's name in messages."""
    whole = "\n".join(text[:MAX_CHARACTERS].removeprefix("\ufeff").splitlines())  # one kind of line ending
    numbered = enumerate(re.sub(r"\\\n", "\0", whole).split("\n"), 1)
    lines = [(line, _HASH.sub("", _COMMENT.sub("", entry.replace("\0", " "))).strip()) for line, entry in numbered]
    found = _collect((_requirement(name, line, entry) for line, entry in lines[:MAX_LINES] if entry))
    return _with_limit(found, name, cut=len(text) > MAX_CHARACTERS or len(lines) > MAX_LINES)


def read_environment(text: str, name: str = "environment.yml") -> Requirements:
    """Return the packages of conda's ``environment.yml``, also those of its ``pip:`` list, by their names at PyPI."""
    if text.count("[") + text.count("{") > MAX_BRACKETS:
        return Requirements(problems=(message("{path}: has more brackets than a list of packages", path=name),))
    try:
        content = yaml.safe_load(text[:MAX_CHARACTERS])
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        return Requirements(problems=(message("{path}: not valid YAML: {reason}", path=name, reason=reason),))
    entries = content.get("dependencies") if isinstance(content, dict) else None
    if not isinstance(entries, list):
        return Requirements(problems=(message("{path}: has no list called dependencies", path=name),))
    found = _collect(_environment_entries(name, entries[:MAX_LINES]))
    return _with_limit(found, name, cut=len(text) > MAX_CHARACTERS or len(entries) > MAX_LINES)


def _environment_entries(name: str, entries: list[object]) -> Iterator[Package | Message | None]:
    for number, entry in enumerate(entries, 1):
        if isinstance(entry, dict) and isinstance(entry.get("pip"), list):
            for inner in entry["pip"][:MAX_LINES]:
                if line := _COMMENT.sub("", _shown(inner)).strip():
                    yield _requirement(name, number, line)
        elif isinstance(entry, str):
            yield _conda_requirement(name, number, entry)
        else:
            yield _refused(name, number, _shown(entry), message("a package's name was expected"))


def _shown(entry: object) -> str:
    """Return an entry as text. Lists are only named: with aliases a short file can hold one of any size."""
    return str(entry) if isinstance(entry, str | int | float) else f"({type(entry).__name__})"


def _conda_requirement(name: str, number: int, entry: str) -> Package | Message | None:
    """Translate conda's ``numpy=1.26=py311_0``, in which one sign of equality stands for every release of 1.26."""
    found = _CONDA.match(entry.strip())
    if found is None or "://" in entry:
        return _refused(name, number, entry, message("a package's name was expected"))
    package, versions = found[1].lower(), found[2] or (f"={found[3]}" if found[3] else "")
    package = CONDA_NAMES.get(package, package)
    if not package:
        return None
    exact = re.match(r"=(?!=)([\w.]+\w)(?:\.?\*)?(?:=.*)?$", versions)  # with a build, conda's last part is left out
    versions = f"=={exact[1]}.*" if exact else re.sub(r"(==[\w.*]+)=.*$", r"\1", versions)
    return _requirement(name, number, f"{package}{versions}")


def _requirement(name: str, number: int, line: str) -> Package | Message | None:
    """Return the package of a line, why it is refused, or None for one that does not apply to this Python."""
    if line.startswith("-"):
        return _refused(name, number, line, message("options are not read, only names of packages"))
    if _ADDRESS.search(line):
        return _refused(name, number, line, message("an address is not followed, only a package of PyPI by its name"))
    if _PATH.search(line):
        return _refused(name, number, line, message("a file is not installed, only a package of PyPI by its name"))
    try:
        required = Requirement(line)
        applies = required.marker is None or required.marker.evaluate()
    except (InvalidRequirement, ValueError, RecursionError):
        return _refused(name, number, line, message("a package's name was expected, with a version at most"))
    if not applies or canonicalize_name(required.name) in NOT_PACKAGES:
        return None
    return Package(canonicalize_name(required.name), str(required.specifier), tuple(sorted(required.extras)))


def _refused(name: str, number: int, line: str, reason: Message) -> Message:
    shown = line.strip() if len(line.strip()) <= SHOWN else f"{line.strip()[:SHOWN]}…"
    return message(
        "{path}, entry {number}: {line} is ignored: {reason}", path=name, number=number, line=shown, reason=reason
    )


def _collect(entries: Iterable[Package | Message | None]) -> Requirements:
    found = list(entries)
    packages = dict.fromkeys(entry for entry in found if isinstance(entry, Package))
    return Requirements(tuple(packages), tuple(entry for entry in found if isinstance(entry, Message)))


def _with_limit(found: Requirements, name: str, *, cut: bool) -> Requirements:
    if not cut:
        return found
    too_long = message(
        "{path}: is longer than {lines} lines or {kb} kB; the rest was not read",
        path=name, lines=MAX_LINES, kb=MAX_CHARACTERS >> 10,
    )  # fmt: skip
    return Requirements(found.packages, (*found.problems, too_long))
