"""What a confined notebook sees of the file system: the interpreter read-only, its own job folder, nothing else.

One list, used by every level that can mount: the teacher's home, temporary files, assignments and results are not on
it, and so do not exist.
"""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from grader.sandbox import guest as guest_package
from grader.sandbox.base import Job
from grader.sandbox.gpu import Card

JOB = Path("/job")  # where a notebook finds its job folder, the same for every job
GUEST = Path("/guest")
LIBRARY = Path("/library")
# Of the library, what Keras opens; photos and arrays for hidden sets have their answers in their names.
LIBRARY_FOLDERS = ("datasets", "models")
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/opt/cuda", "/opt/nvidia")
# Of /etc only what programs need to start, and to know the time and the fonts.
ETC = ("alternatives", "fonts", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime", "mime.types", "ssl/certs")
# What tells of users and hosts is ours: it knows of nobody but the notebook's own user.
OWN_ETC = Path(__file__).parent / "etc"
DEVICES = ("null", "zero", "full", "random", "urandom")
ELSEWHERE = (Path("/content"), Path("/kaggle/working"), Path("/kaggle/input"))  # where Colab and Kaggle have files
WRITABLE = ("work", "home", "tmp", "run", "out")  # of the job folder; the rest is read-only


class Kind(StrEnum):
    READ_ONLY = "read_only"
    WRITABLE = "writable"
    DEVICE = "device"
    LINK = "link"  # source is what the link says
    EMPTY = "empty"  # a folder with nothing in it, read-only
    SCRATCH = "scratch"  # a small file system in memory
    PROC = "proc"


@dataclass(frozen=True, slots=True)
class Mount:
    """``source`` on the host, ``target`` in the view; in the order in which they are to be made."""

    kind: Kind
    target: Path
    source: Path | None = None


def view(machine: Iterable[Mount], folder: Path, job: Job) -> tuple[Mount, ...]:
    """All that one job sees. What lies in another mount is made after it: an environment may live below /tmp."""
    return tuple(sorted((*machine, *job_view(folder, job)), key=lambda mount: len(mount.target.parts)))


def machine_view(card: Card | None = None) -> tuple[Mount, ...]:
    """Everything that is the same for every job of this machine; of its GPUs, ``card``."""
    mounts = [_system(Path(path)) for path in SYSTEM if Path(path).exists()]
    etc = [Path("/etc") / name for name in ETC]
    mounts += [Mount(Kind.READ_ONLY, path, path) for path in etc if path.exists()]
    mounts += [Mount(Kind.READ_ONLY, Path("/etc") / own.name, own) for own in sorted(OWN_ETC.iterdir())]
    mounts += [Mount(Kind.READ_ONLY, prefix, prefix) for prefix in _python_folders()]
    mounts += [Mount(Kind.EMPTY, folder) for folder in _own_packages()]
    mounts.append(Mount(Kind.READ_ONLY, GUEST, Path(str(guest_package.__file__)).parent))
    mounts += [Mount(Kind.DEVICE, Path("/dev") / name, Path("/dev") / name) for name in DEVICES]
    mounts += [Mount(Kind.DEVICE, path, path) for path in (card.nodes if card else ())]
    mounts += [
        Mount(Kind.LINK, Path("/dev/fd"), Path("/proc/self/fd")),
        Mount(Kind.SCRATCH, Path("/dev/shm")),  # noqa: S108  a fresh one, in the notebook's own view
        Mount(Kind.READ_ONLY, Path("/sys/devices/system/cpu"), Path("/sys/devices/system/cpu")),
        Mount(Kind.PROC, Path("/proc")),
    ]
    return tuple(mounts)


def job_view(folder: Path, job: Job) -> tuple[Mount, ...]:
    """One job's folder at its fixed place, with its own /tmp, under Colab's and Kaggle's names for it too.

    Of the library everything but what is withheld: over that something else is mounted.
    """
    writable = [Mount(Kind.WRITABLE, JOB / name, folder / name) for name in WRITABLE]
    return (
        Mount(Kind.READ_ONLY, JOB, folder),
        *writable,
        Mount(Kind.WRITABLE, Path("/tmp"), folder / "tmp"),  # noqa: S108  of the notebook's own view
        *(Mount(Kind.LINK, place, JOB / "work") for place in ELSEWHERE),
        *(_library_view(job.library, job.withheld) if job.library is not None else ()),
    )


def _library_view(library: Path, withheld: Mapping[str, Path]) -> list[Mount]:
    shown = [name for name in LIBRARY_FOLDERS if (library / name).is_dir()]
    folders = [Mount(Kind.READ_ONLY, LIBRARY / name, library / name) for name in shown]
    covers = [(LIBRARY / path, cover) for path, cover in withheld.items() if path.split("/")[0] in shown]
    return [*folders, *(Mount(Kind.READ_ONLY, target, cover) for target, cover in covers)]


def _system(path: Path) -> Mount:
    """``/bin`` is a link to ``usr/bin`` on a merged system, and must stay one."""
    if path.is_symlink():
        return Mount(Kind.LINK, path, path.readlink())
    return Mount(Kind.READ_ONLY, path, path)


def _python_folders() -> list[Path]:
    """The environment and the interpreter it was made from, where /usr does not hold them already."""
    folders: list[Path] = []
    real_interpreter = Path(sys.executable).resolve().parent.parent
    for folder in (Path(sys.base_prefix), Path(sys.prefix), real_interpreter, Path(sysconfig.get_path("purelib"))):
        if not any(folder.is_relative_to(known) for known in (*folders, Path("/usr"))):
            folders.append(folder)
    return folders


def _own_packages() -> list[Path]:
    """The grader itself, where it is installed among the packages: its assignments hold what students must not see."""
    places = {Path(sysconfig.get_path(name)) / "grader" for name in ("purelib", "platlib")}
    return sorted(place for place in places if place.is_dir())
