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
from grader.sandbox.guest.compat.handout import LIBRARY_FOLDERS, ROOT, SYSTEM, address_key, last_name

# Top-level modules that the sandbox itself provides, because they exist only on Colab, on Kaggle or in a course.
PROVIDED = frozenset(
    ("google", "kaggle", "kaggle_secrets", "kaggle_datasets", "gdown", "wandb", "otter", "gofer", "client", "IPython")
)
MAX_PACKAGES = 50  # of a notebook
MIN_CLASS = 3  # notebooks; of fewer, nothing is said about the class
_KNOWN_PACKAGES = frozenset(canonicalize_name(package) for package in LIBRARIES.values()) | {
    *("tensorflow-gpu", "tensorflow-cpu", "sklearn", "opencv-python", "wandb", "kaggle", "gdown", "otter-grader"),
}


class Kind(StrEnum):
    """Kind of a need, in the order of the survey."""

    LIBRARY = "library"  # known, but not installed
    SET = "set"  # of the catalogue
    ADDRESS = "address"  # of a download
    SERVICE = "service"  # a call of a library that fetches from a server of its own
    FILE = "file"  # or folder: opened, but neither submitted nor of the course
    PACKAGE = "package"  # asked for with pip or a list, but not known or not a plain name: nobody is told to install it
    MODULE = "module"  # imported, but not known: a slip, or a file that was not submitted


@dataclass(frozen=True, slots=True)
class Available:
    """Everything that notebooks find when they run: the course's files, the ``[sources]`` table, and the library.

    ``files`` are names of files and folders, also of those in folders and archives.
    """

    files: frozenset[str] = frozenset()
    sources: Mapping[str, str] = field(default_factory=dict)
    library: Path | None = None
    is_complete: bool = True  # False: the assignment is not known, or gives further files when it is graded


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
    is_class_wide: bool = False  # a file that every notebook reads and nobody gives

    @property
    def is_blocking(self) -> bool:
        """Return whether the teacher should do something before the class is graded."""
        return self.is_class_wide or (self.kind is Kind.LIBRARY and not self.there)


def survey(asked: Iterable[Asked], available: Available) -> tuple[Want, ...]:
    """Return every need once: first the files that the whole class lacks, then by kind, the most frequent first."""
    students: dict[tuple[Kind, str, bool], list[str]] = {}
    readable = 0
    for notebook in asked:
        readable += notebook.needs.read_cells > 0
        for found in sorted(_wants(notebook, available)):
            students.setdefault(found, []).append(notebook.student)
    class_wide = readable if available.is_complete and readable >= MIN_CLASS else None
    wants = [
        Want(kind, name, tuple(who), there, kind is Kind.FILE and not there and len(who) == class_wide)
        for (kind, name, there), who in students.items()
    ]
    return tuple(sorted(wants, key=_place))


def _place(want: Want) -> tuple[bool, int, int, str]:
    return not want.is_class_wide, list(Kind).index(want.kind), -len(want.students), want.name


def class_wide_files(wants: Iterable[Want]) -> frozenset[str]:
    """Return the names of the files and folders that every notebook of the class reads and nobody gives."""
    return frozenset(want.name for want in wants if want.is_class_wide)


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
    paths = (path.replace("\\", "/") for path in needs.files if not ROOT.fullmatch(path))
    names = {PurePosixPath(path).name for path in paths if not path.startswith(SYSTEM)} - downloaded - {"", "..", "~"}
    present = {PurePosixPath(name).name.lower() for name in (*available.files, *available.sources)}
    present |= {part.lower() for name in notebook.own for part in PurePosixPath(name).parts}
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


def missing_libraries(wants: Iterable[Want]) -> tuple[str, ...]:
    return tuple(want.name for want in wants if want.kind is Kind.LIBRARY and not want.there)


def missing_sets(wants: Sequence[Want]) -> tuple[str, ...]:
    return tuple(want.name for want in wants if want.kind is Kind.SET and not want.there)
