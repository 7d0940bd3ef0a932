"""The files that a job sees: a new root folder with nothing but the mounts of a list. Standard library only.

A file of the machine is shown through an overlay of the job's own, if the machine permits it. Two jobs then see
different inodes of the same library: locks, leases and access times of one job do not exist for the other, and a list
of mounts does not name the teacher's folders. See mount_setattr(2), pivot_root(2) and Linux's overlayfs.rst.
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..protocol import EMPTY_PROC_FOLDERS, FROZEN_PROC_FILES, SHOWN_PROC_ENTRIES

libc = ctypes.CDLL(None, use_errno=True)

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18
MNT_DETACH = 2
ATTR_READ_ONLY, ATTR_NOSUID, ATTR_NODEV = 1, 2, 4
AT_FDCWD, AT_RECURSIVE = -100, 0x8000
SYS_MOUNT_SETATTR = 442  # the same on every architecture
SYS_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
SCRATCH_BYTES = 256 << 20
# Below the new root, and removed before any student code runs.
OLD, EMPTY, PARENTS, COPY = ".old", ".empty", ".parents", ".copy"


def build_view(view: list[dict[str, str]], root: Path) -> None:
    """Replace the root folder by one that holds only the mounts of ``view``."""
    _mount(None, "/", None, MS_REC | MS_PRIVATE)
    _mount("tmpfs", str(root), "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755,size=16m")
    for name in (OLD, EMPTY, PARENTS):
        (root / name).mkdir()
    _cover(root / EMPTY)
    for entry in view:
        _add_entry(entry["kind"], entry.get("source") or "", root / entry["target"].lstrip("/"), root)
    for staged in (root / EMPTY, *(root / PARENTS).iterdir()):
        _unmount(staged)
        staged.rmdir()
    check(libc.syscall(SYS_PIVOT_ROOT[platform.machine()], bytes(root), bytes(root / OLD)), "pivot_root")
    os.chdir("/")
    _unmount(Path("/", OLD))
    for name in (OLD, PARENTS):
        Path("/", name).rmdir()
    _restrict(Path("/"), ATTR_READ_ONLY, recursive=False)


def _add_entry(kind: str, source: str, target: Path, root: Path) -> None:
    if kind == "link":
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(source)
        return
    if kind == "empty":
        _cover(target)
        return
    _make_mount_point(target, folder=kind in ("proc", "scratch") or Path(source).is_dir())
    if kind == "proc":
        _mount_proc(target, root)
    elif kind == "scratch":
        _mount("tmpfs", str(target), "tmpfs", MS_NOSUID | MS_NODEV, f"mode=1777,size={SCRATCH_BYTES}")
    elif kind == "read_only":
        _show(Path(source), target, root)
    else:
        _mount(source, str(target), None, MS_BIND | MS_REC)
        _restrict(target, ATTRIBUTES[kind], recursive=True)


# Device nodes are read-only as well: their mode and times cannot be changed, but the devices can be written.
ATTRIBUTES = {
    "own": ATTR_READ_ONLY | ATTR_NOSUID | ATTR_NODEV,
    "writable": ATTR_NOSUID | ATTR_NODEV,
    "device": ATTR_READ_ONLY | ATTR_NOSUID,
}


# ------------------------------------------------------------------ read-only files


def _show(source: Path, target: Path, root: Path) -> None:
    """Mount ``source`` read-only at ``target``, as inodes of this job if possible."""
    if source.is_dir():
        _show_folder(source, target, root)
        return
    source = source.resolve()  # a link leads out of the overlay
    state = source.parent.stat()
    parent = root / PARENTS / f"{state.st_dev}-{state.st_ino}"
    if not parent.exists():
        parent.mkdir()
        _show_folder(source.parent, parent, root)
    _bind(parent / source.name, target)


def _show_folder(source: Path, target: Path, root: Path) -> None:
    with _opened(source) as layer, _opened(root / EMPTY) as empty:
        # Descriptors instead of paths, because a list of mounts shows the options.
        options = f"lowerdir=/proc/self/fd/{layer}:/proc/self/fd/{empty}"  # without a writable layer, two are needed
        try:
            _mount("overlay", str(target), "overlay", MS_RDONLY | MS_NOSUID | MS_NODEV, options)
        except OSError:  # older than Linux 5.11, something mounted below, or a file system that cannot be a layer
            _bind(source, target)


@contextmanager
def _opened(folder: Path) -> Iterator[int]:
    descriptor = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _bind(source: Path, target: Path) -> None:
    _mount(str(source), str(target), None, MS_BIND | MS_REC)
    _restrict(target, ATTR_READ_ONLY | ATTR_NOSUID | ATTR_NODEV, recursive=True)


# ------------------------------------------------------------------ /proc


def _mount_proc(target: Path, root: Path) -> None:
    """Mount a /proc that shows this job's processes, and of the machine only what libraries ask for.

    Counters of the whole machine would tell what other notebooks do; they show one moment for ever. Settings are
    read-only: root may write them without any capability, even from inside.
    """
    frozen = {name: (Path("/proc") / name).read_bytes() for name in FROZEN_PROC_FILES}
    _mount("proc", str(target), "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    for entry in [entry for entry in target.iterdir() if not (entry.name.isdigit() or entry.is_symlink())]:
        if entry.is_dir():
            _bind(entry, entry) if entry.name in SHOWN_PROC_ENTRIES else _cover(entry)
        elif entry.name not in SHOWN_PROC_ENTRIES:
            copy = root / COPY
            copy.write_bytes(frozen.get(entry.name, b""))
            _bind(copy, entry)
            copy.unlink()  # the mount keeps the file
    for name in EMPTY_PROC_FOLDERS:
        _cover(target / name)


# ------------------------------------------------------------------ mounts


def _cover(target: Path) -> None:
    """Hide the contents of ``target`` if that folder exists."""
    if target.is_dir():
        _mount("tmpfs", str(target), "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV, "mode=0555,size=4k")


def _make_mount_point(target: Path, *, folder: bool) -> None:
    if folder:
        target.mkdir(parents=True, exist_ok=True)
    elif not target.exists():  # a file of a read-only mount can be a mount point, but no new file can be made there
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()


def _restrict(target: Path, attributes: int, *, recursive: bool) -> None:
    arguments = struct.pack("QQQQ", attributes, 0, 0, 0)  # struct mount_attr: set, clear, propagation, userns
    flags = AT_RECURSIVE if recursive else 0
    result = libc.syscall(SYS_MOUNT_SETATTR, AT_FDCWD, str(target).encode(), flags, arguments, len(arguments))
    check(result, f"mount_setattr {target}")


def _mount(source: str | None, target: str, kind: str | None, flags: int, options: str = "") -> None:
    encoded = [None if text is None else text.encode() for text in (source, target, kind)]
    check(libc.mount(*encoded, ctypes.c_ulong(flags), options.encode() or None), f"mount {target}")


def _unmount(target: Path) -> None:
    check(libc.umount2(bytes(target), MNT_DETACH), f"umount {target}")


def check(result: int, action: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{action}: {os.strerror(number)}")
