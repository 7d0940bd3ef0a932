"""Files and devices that a confined notebook can see: the interpreter (read-only), its job folder and one GPU.

Every level that can mount uses the same list. The teacher's home, temporary files, assignments and results are not on
it, so they do not exist for the notebook.
"""

from __future__ import annotations

import re
import sys
import sysconfig
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from grader.sandbox import guest as guest_package
from grader.sandbox.base import Job
from grader.sandbox.guest import protocol

GUEST_SOURCE = Path(str(guest_package.__file__)).parent
JOB = Path("/job")  # mount point of the job folder, the same for every job
GUEST = Path("/guest")
LIBRARY = Path("/library")
# Only the parts of the library that Keras opens: file names in the others contain labels of hidden sets.
LIBRARY_FOLDERS = ("datasets", "models")
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/opt/cuda", "/opt/nvidia")
# Only the parts of /etc that programs need to start, and for time zone and fonts.
ETC = ("alternatives", "fonts", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime", "mime.types", "ssl/certs")
# User and host tables of our own, which name only the notebook's user.
OWN_ETC = Path(__file__).parent / "etc"
DEVICES = ("null", "zero", "full", "random", "urandom")
HOSTED_FOLDERS = (Path("/content"), Path("/kaggle/working"), Path("/kaggle/input"))  # of Colab and Kaggle


class Kind(StrEnum):
    READ_ONLY = "read_only"  # shared with other jobs
    OWN = "own"  # read-only, of this job alone; the sides of a job meet at its sockets
    WRITABLE = "writable"
    DEVICE = "device"
    LINK = "link"  # source is the text of the link
    EMPTY = "empty"  # an empty, read-only folder
    SCRATCH = "scratch"  # a small file system in memory
    PROC = "proc"


@dataclass(frozen=True, slots=True)
class Mount:
    """A path ``source`` of the host shown at ``target`` inside."""

    kind: Kind
    target: Path
    source: Path | None = None


# ------------------------------------------------------------------ the GPU

DEV = Path("/dev")
CUDA_VISIBLE_DEVICES = "CUDA_VISIBLE_DEVICES"
# Nodes that every card needs besides its own; dxg is a GPU inside WSL, kfd and dri belong to AMD cards.
SHARED_NODES = ("nvidiactl", "nvidia-uvm", "nvidia-uvm-tools", "nvidia-modeset", "nvidia-caps", "dxg", "dri", "kfd")
CARD_NODE = re.compile(r"nvidia(\d+)")
# Allocate GPU memory on demand, because otherwise the first notebook would take all of it.
MEMORY_GROWTH = {"TF_FORCE_GPU_ALLOW_GROWTH": "true", "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}


@dataclass(frozen=True, slots=True)
class Gpu:
    """The one GPU that a notebook may use. ``name`` is a number, or the UUID of a card or of a part of one."""

    name: str
    nodes: tuple[Path, ...]
    exclusive: bool  # ``nodes`` contains no other card's node


def find_gpu(inherited: Mapping[str, str], dev: Path = DEV) -> Gpu | None:
    """Return the first GPU that ``CUDA_VISIBLE_DEVICES`` allows, else the first of the machine, else None."""
    shared = tuple(dev / name for name in SHARED_NODES if (dev / name).exists())
    numbers = sorted(int(found[1]) for path in dev.glob("nvidia*") if (found := CARD_NODE.fullmatch(path.name)))
    allowed = inherited.get(CUDA_VISIBLE_DEVICES)
    name = allowed.split(",")[0].strip() if allowed is not None else str(numbers[0]) if numbers else ""
    if name in ("", "-1") or not (numbers or shared):
        return None
    if name.isdigit() and int(name) in numbers:
        return Gpu(name, (dev / f"nvidia{int(name)}", *shared), exclusive=True)
    return Gpu(name, (*(dev / f"nvidia{number}" for number in numbers), *shared), exclusive=False)


def gpu_environment(gpu: Gpu | None, *, nodes_hidden: bool) -> dict[str, str]:
    """Return the variables that must be set before CUDA starts.

    ``nodes_hidden``: only the nodes of ``gpu`` are mounted. If they are exclusive, CUDA counts the card as number 0,
    and no variable can reach another card. Where nodes cannot be hidden, the variable alone selects the card.
    """
    if gpu is None:
        return {CUDA_VISIBLE_DEVICES: "-1", **MEMORY_GROWTH}
    return {CUDA_VISIBLE_DEVICES: "0" if nodes_hidden and gpu.exclusive else gpu.name, **MEMORY_GROWTH}


# ------------------------------------------------------------------ the files


def all_mounts(machine: Iterable[Mount], part: Iterable[Mount]) -> tuple[Mount, ...]:
    """Return every mount of one side of a job, parents before children: a Python environment may lie below /tmp."""
    return tuple(sorted((*machine, *part), key=lambda mount: len(mount.target.parts)))


def gpu_mounts(gpu: Gpu | None) -> tuple[Mount, ...]:
    """Return the device nodes of ``gpu``."""
    return tuple(Mount(Kind.DEVICE, path, path) for path in (gpu.nodes if gpu else ()))


def machine_mounts() -> tuple[Mount, ...]:
    """Return the mounts that are the same for both sides of every job on this machine."""
    mounts = [_system_mount(Path(path)) for path in SYSTEM if Path(path).exists()]
    etc = [Path("/etc") / name for name in ETC]
    mounts += [Mount(Kind.READ_ONLY, path, path) for path in etc if path.exists()]
    mounts += [Mount(Kind.READ_ONLY, Path("/etc") / own.name, own) for own in sorted(OWN_ETC.iterdir())]
    mounts += [Mount(Kind.READ_ONLY, prefix, prefix) for prefix in _python_folders()]
    mounts += [Mount(Kind.EMPTY, folder) for folder in _installed_grader()]
    mounts.append(Mount(Kind.READ_ONLY, GUEST, GUEST_SOURCE))
    mounts += [Mount(Kind.DEVICE, Path("/dev") / name, Path("/dev") / name) for name in DEVICES]
    mounts += [
        Mount(Kind.LINK, Path("/dev/fd"), Path("/proc/self/fd")),
        Mount(Kind.SCRATCH, Path("/dev/shm")),  # noqa: S108  a new file system, seen by the notebook only
        Mount(Kind.READ_ONLY, Path("/sys/devices/system/cpu"), Path("/sys/devices/system/cpu")),
        Mount(Kind.PROC, Path("/proc")),
    ]
    return tuple(mounts)


def driver_mounts(folder: Path) -> tuple[Mount, ...]:
    """Return the parts of the job folder that the driver sees."""
    given = (protocol.REQUEST, protocol.NOTEBOOK, protocol.RUN)
    return (
        *(Mount(Kind.OWN, JOB / name, folder / name) for name in given),
        Mount(Kind.WRITABLE, JOB / protocol.OUT, folder / protocol.OUT),
    )


def kernel_mounts(folder: Path, job: Job) -> tuple[Mount, ...]:
    """Return the mounts of the notebook: its folders (also under the names of Colab and Kaggle), /tmp, the library.

    Withheld files of the library are covered by their replacements.
    """
    return (
        *(Mount(Kind.WRITABLE, JOB / name, folder / name) for name in (*protocol.KERNEL_FOLDERS, protocol.RUN)),
        Mount(Kind.WRITABLE, Path("/tmp"), folder / "tmp"),  # noqa: S108  the notebook's own
        *(Mount(Kind.LINK, path, JOB / "work") for path in HOSTED_FOLDERS),
        *(_library_mounts(job.library, job.withheld) if job.library is not None else ()),
    )


def _library_mounts(library: Path, withheld: Mapping[str, Path]) -> list[Mount]:
    shown = [name for name in LIBRARY_FOLDERS if (library / name).is_dir()]
    folders = [Mount(Kind.READ_ONLY, LIBRARY / name, library / name) for name in shown]
    covers = [(LIBRARY / path, cover) for path, cover in withheld.items() if path.split("/")[0] in shown]
    return [*folders, *(Mount(Kind.READ_ONLY, target, cover) for target, cover in covers)]


def _system_mount(path: Path) -> Mount:
    """Return the mount of a system folder; on a merged system ``/bin`` is a link to ``usr/bin`` and stays one."""
    if path.is_symlink():
        return Mount(Kind.LINK, path, path.readlink())
    return Mount(Kind.READ_ONLY, path, path)


def _python_folders() -> list[Path]:
    """Return the Python environment and the interpreter it was created from, unless /usr contains them."""
    folders: list[Path] = []
    real_interpreter = Path(sys.executable).resolve().parent.parent
    for folder in (Path(sys.base_prefix), Path(sys.prefix), real_interpreter, Path(sysconfig.get_path("purelib"))):
        if not any(folder.is_relative_to(known) for known in (*folders, Path("/usr"))):
            folders.append(folder)
    return folders


def _installed_grader() -> list[Path]:
    """Return where grader is installed among the packages: its assignments contain hidden material."""
    places = {Path(sysconfig.get_path(name)) / "grader" for name in ("purelib", "platlib")}
    return sorted(place for place in places if place.is_dir())
