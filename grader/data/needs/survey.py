"""The survey of a class: what its notebooks ask for, how many of them, and what of it this machine lacks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path, PurePosixPath

from packaging.utils import canonicalize_name

from grader.data.cache.index import State, state
from grader.data.cache.known_sets import catalogue
from grader.data.needs.libraries import LIBRARIES, is_installed
from grader.data.needs.notebook_needs import Needs
from grader.files.requirements_file import read_requirements
from grader.sandbox.guest.compat.handout import LIBRARY_FOLDERS, address_key, last_name

# Top-level modules that the sandbox itself provides, because they exist only on Colab, on Kaggle or in a course.
PROVIDED = frozenset(
    ("google", "kaggle", "kaggle_secrets", "kaggle_datasets", "gdown", "wandb", "otter", "gofer", "client", "IPython")
)
MAX_PACKAGES = 50  # of a notebook
_KNOWN_PACKAGES = frozenset(canonicalize_name(package) for package in LIBRARIES.values()) | {
    *("tensorflow-gpu", "tensorflow-cpu", "sklearn", "opencv-python", "wandb", "kaggle", "gdown", "otter-grader"),
}


class Kind(StrEnum):
    """Kind of a need, in the order of the survey."""

    LIBRARY = "library"  # known, but not installed
    SET = "set"  # of the catalogue
    ADDRESS = "address"  # of a download
    SERVICE = "service"  # a call of a library that fetches from a server of its own
    FILE = "file"  # opened, but neither submitted nor of the course
    PACKAGE = "package"  # asked for with pip or a list, but not known or not a plain name: nobody is told to install it
    MODULE = "module"  # imported, but not known: a slip, or a file that was not submitted


@dataclass(frozen=True, slots=True)
class Available:
    """Everything that notebooks find when they run: the course's files, the ``[sources]`` table, and the library."""

    files: frozenset[str] = frozenset()
    sources: Mapping[str, str] = field(default_factory=dict)
    library: Path | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """The needs of one student's notebook; ``own`` are the names of the files beside it, some of which are lists."""

    student: str
    needs: Needs
    own: frozenset[str] = frozenset()
    lists: tuple[str, ...] = ()  # texts of handed-in requirements.txt


@dataclass(frozen=True, slots=True)
class Want:
    """Something that notebooks ask for, and whether it is here."""

    kind: Kind
    name: str
    students: tuple[str, ...]
    there: bool

    @property
    def is_blocking(self) -> bool:
        """Return whether the teacher should do something before the class is graded."""
        return self.kind is Kind.LIBRARY and not self.there


def survey(asked: Iterable[Asked], available: Available) -> tuple[Want, ...]:
    """Return every need once: by kind, and the most frequent first."""
    students: dict[tuple[Kind, str, bool], list[str]] = {}
    for notebook in asked:
        for found in sorted(_wants(notebook, available)):
            students.setdefault(found, []).append(notebook.student)
    wants = (Want(kind, name, tuple(who), there) for (kind, name, there), who in students.items())
    kinds = list(Kind)
    return tuple(sorted(wants, key=lambda want: (kinds.index(want.kind), -len(want.students), want.name)))


def _wants(notebook: Asked, available: Available) -> set[tuple[Kind, str, bool]]:
    needs = notebook.needs
    own_modules = {PurePosixPath(name).stem for name in notebook.own} | {name.split("/")[0] for name in notebook.own}
    modules = needs.modules - PROVIDED - own_modules
    found = {(Kind.LIBRARY, name, is_installed(name)) for name in modules if name in LIBRARIES}
    found |= {(Kind.MODULE, name, False) for name in modules if name not in LIBRARIES and not is_installed(name)}
    found |= {(Kind.PACKAGE, name, False) for name in _unknown_packages(notebook)}
    found |= {(Kind.SET, name, has_set(name, available.library)) for name in needs.sets}
    found |= {(Kind.ADDRESS, address, _has_address(address, available)) for address in needs.addresses}
    found |= {(Kind.SERVICE, call, False) for call in needs.services}
    downloaded = {last_name(address) for address in needs.addresses}
    names = {PurePosixPath(path.replace("\\", "/")).name for path in needs.files} - downloaded
    present = {PurePosixPath(name).name.lower() for name in (*available.files, *available.sources, *notebook.own)}
    found |= {(Kind.FILE, name, name.lower() in present) for name in names}
    return found


def _unknown_packages(notebook: Asked) -> set[str]:
    """Return requirements that are neither installed nor in the table of libraries, and refused ones as written."""
    texts = ("\n".join(sorted(notebook.needs.installs)), *notebook.lists)
    unknown: set[str] = set()
    for found in map(read_requirements, texts):
        unknown |= {str(package) for package in found.packages if not _is_known(package.name)}
        unknown |= {str(problem.values["line"]) for problem in found.problems if "line" in problem.values}
    return set(sorted(unknown)[:MAX_PACKAGES])


def _is_known(package: str) -> bool:
    try:
        version(package)
    except (PackageNotFoundError, ValueError):
        return package in _KNOWN_PACKAGES
    return True


def has_set(name: str, library: Path | None) -> bool:
    return library is not None and state(catalogue()[name], library) is State.THERE


def _has_address(address: str, available: Available) -> bool:
    name = last_name(address)
    keys = {address_key(known) for known in (*available.sources, *available.files)}
    if {address_key(address), address_key(address.partition("?")[0]), address_key(name)} & keys:
        return True
    folders = [available.library / folder for folder in LIBRARY_FOLDERS] if available.library is not None else []
    return bool(name) and PurePosixPath(name).name == name and any((folder / name).is_file() for folder in folders)


def missing_sets(wants: Sequence[Want]) -> tuple[str, ...]:
    return tuple(want.name for want in wants if want.kind is Kind.SET and not want.there)
