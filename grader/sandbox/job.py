"""The job folder as the host sees it: the only place that the host shares with the driver and with student code.

The host opens files through directory descriptors taken before the student's code starts, by fixed names, without
following links, and reads up to a fixed size. It neither follows nor waits for a link, pipe or folder that the notebook
puts in place of a file.
"""

from __future__ import annotations

import errno
import io
import math
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from grader.i18n.message import message
from grader.models.errors import SandboxError
from grader.sandbox.base import Job, Question
from grader.sandbox.guest import protocol
from grader.sandbox.mounts import LIBRARY

NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
HAS_DIR_FD = os.open in os.supports_dir_fd
MEGABYTE = 1 << 20
OPEN_FILES = 4096  # descriptors of one process
LOG_BYTES = 20_000
BLOCK, ENTRY_BLOCKS = 512, 8  # an empty file counts too, so that a notebook cannot fill the disk with file names
UNMEASURABLE = (errno.EACCES, errno.ENAMETOOLONG)  # folders without the right to list them, or with too long a path
NPY_HEADER_BYTES = 4096
SESSIONS = re.compile(rb"(?<!K\.)(?<!backend\.)\b(?:Session|InteractiveSession|placeholder)\(")  # of TensorFlow 1
NUMBER_BYTES = 16  # the widest number type that predictions may have


@dataclass(frozen=True, slots=True)
class Owners:
    """Numbers of the users that run the two sides of a job, and of their common group."""

    driver: int
    kernel: int
    group: int


class JobFolder:
    """A new temporary folder for one job. ``close`` removes it.

    ``confined``: the notebook will see the paths of ``mounts``, not the paths of this machine.
    """

    def __init__(self, job: Job, *, confined: bool = True) -> None:
        # A short path, because a socket's path may have at most 107 bytes.
        self.path = Path(tempfile.mkdtemp(prefix="grader-", dir=_short_temporary_folder()))
        self._out: int | None = None
        self._exchange: int | None = None
        self._owners: Owners | None = None
        try:
            for name in (protocol.OUT, protocol.RUN, *protocol.KERNEL_FOLDERS):
                (self.path / name).mkdir(mode=0o700)
            self._out, self._exchange = self._open_folder(protocol.OUT), self._open_folder(protocol.EXCHANGE)
            for log in (self.log, self.kernel_log):
                log.touch()
            self._write_inputs(job, LIBRARY if confined else self._linked_library(job))
            self.given_mb = disk_used_mb(self.path)  # does not count towards the notebook's limit
        except SandboxError:
            self.close()
            raise
        except OSError as error:
            self.close()
            raise SandboxError(
                message("{path}: the job folder cannot be written: {error}", path=self.path, error=error.strerror)
            ) from error

    def _open_folder(self, name: str) -> int | None:
        return os.open(self.path / name, os.O_RDONLY) if HAS_DIR_FD else None

    def _write_inputs(self, job: Job, library: Path | None) -> None:
        (self.path / protocol.NOTEBOOK).write_bytes(job.notebook)
        for name, source in job.files.items():
            relative = PurePosixPath(name)
            if relative.is_absolute() or ".." in relative.parts:
                raise SandboxError(message("{name}: not a relative path inside the submission.", name=name))
            target = self.path / "work" / relative
            target.parent.mkdir(parents=True, exist_ok=True)
            _copy(source, target)
        protocol.write_json(self.path / protocol.REQUEST, _request(job, library))
        if job.question is not None:
            _write_public(self.path / protocol.EXCHANGE / protocol.PUBLIC, job.question)

    def _linked_library(self, job: Job) -> Path | None:
        """Build a library of links without the withheld files, for levels that cannot mount over them.

        The links reveal where the originals lie.
        """
        if job.library is None or not job.withheld:
            return job.library
        linked = self.path / "library"
        _link_all(job.library, linked, job.withheld)
        for name, cover in job.withheld.items():
            copy = shutil.copytree if cover.is_dir() else shutil.copyfile
            copy(cover, linked / name)
        return linked

    def give_to(self, owners: Owners) -> None:
        """Give each part to the user who needs it, for root. Call before the start.

        Nobody else can list the folder, but both users can open what they own in it.
        """
        self._owners = owners
        self.path.chmod(0o711)
        (self.path / protocol.RUN).chmod(0o711)  # the driver may connect to the kernel's sockets
        for part in self.path.iterdir():
            owner = owners.driver if part.name in protocol.DRIVER_PARTS else owners.kernel
            for parent, folders, files in os.walk(part):
                for path in (parent, *(os.path.join(parent, name) for name in (*folders, *files))):  # noqa: PTH118
                    os.chown(path, owner, owners.group, follow_symlinks=False)
            if not part.is_dir():
                os.chown(part, owner, owners.group, follow_symlinks=False)
                part.chmod(0o600)

    @property
    def log(self) -> Path:
        """Log of the driver and of the processes that start both sides. No student code can write to it."""
        return self.path / "driver.log"

    @property
    def kernel_log(self) -> Path:
        """Log of the kernel side. The notebook can write to it from its first cell on."""
        return self.path / "kernel.log"

    def exists(self, marker: str) -> bool:
        """Return whether the guest has created ``marker`` in ``out``."""
        try:
            if self._out is None:
                (self.path / "out" / marker).lstat()
            else:
                os.stat(marker, dir_fd=self._out, follow_symlinks=False)
        except OSError:
            return False
        return True

    def read(self, folder: str, name: str, limit: int) -> bytes | None:
        """Return the bytes of a regular file in the folder OUT or EXCHANGE.

        Return None if it is missing, not regular or larger than ``limit`` bytes.
        """
        try:
            descriptor = self._open(folder, name, os.O_RDONLY | NO_FOLLOW)
        except OSError:
            return None
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            return None
        with os.fdopen(descriptor, "rb") as file:
            data = file.read(limit + 1)
        return data if len(data) <= limit else None

    def read_predictions(self, question: Question | None) -> bytes | None:
        """Return the predictions' file, or None. Call it when every process of the notebook is dead."""
        if question is None:
            return None
        return self.read(protocol.EXCHANGE, protocol.PREDICTIONS, max_prediction_bytes(question))

    def put_hidden_inputs(self, question: Question) -> None:
        """Copy the hidden inputs in. Raise OSError if the notebook blocks their path."""
        buffer = io.BytesIO()
        np.save(buffer, question.hidden_inputs, allow_pickle=False)
        new = os.O_WRONLY | os.O_CREAT | os.O_EXCL | NO_FOLLOW
        with os.fdopen(self._open(protocol.EXCHANGE, protocol.HIDDEN_INPUTS, new), "wb") as file:
            if self._owners is not None:
                os.fchown(file.fileno(), self._owners.kernel, self._owners.group)
            file.write(buffer.getvalue())
        self.given_mb += buffer.tell() / MEGABYTE

    def mark_asked(self) -> None:
        """Tell the driver to have the notebook's model predict."""
        os.close(self._open(protocol.OUT, protocol.ASKED, os.O_WRONLY | os.O_CREAT | NO_FOLLOW))

    def _open(self, folder: str, name: str, flags: int) -> int:
        opened = self._exchange if folder == protocol.EXCHANGE else self._out
        if opened is None:
            return os.open(self.path / folder / name, flags, 0o600)
        return os.open(name, flags, 0o600, dir_fd=opened)

    def close(self) -> None:
        for descriptor in (self._out, self._exchange):
            if descriptor is not None:
                os.close(descriptor)
        _remove(self.path)


def _copy(source: Path, target: Path) -> None:
    """Copy a file, or a folder of the teacher's. Leave out a link or a pipe: a student may have put it there since."""
    if source.is_dir() and not source.is_symlink():
        shutil.copytree(source, target, copy_function=shutil.copyfile, dirs_exist_ok=True)
        return
    try:
        descriptor = os.open(source, os.O_RDONLY | NO_FOLLOW)
    except OSError as error:
        if error.errno == errno.ELOOP:
            return
        raise
    with os.fdopen(descriptor, "rb") as file:
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            with target.open("wb") as copy:
                shutil.copyfileobj(file, copy, MEGABYTE)


def _link_all(library: Path, linked: Path, withheld: Iterable[str]) -> None:
    """Link everything in ``library`` except ``withheld``; only folders that contain a withheld path are created."""
    linked.mkdir()
    for path in library.iterdir():
        below = [name.removeprefix(f"{path.name}/") for name in withheld if name.startswith(f"{path.name}/")]
        if below:
            _link_all(path, linked / path.name, below)
        elif path.name not in withheld:
            (linked / path.name).symlink_to(path)


def log_tail(log: Path) -> str:
    """Return the last 20,000 bytes of a log, to explain a fault of the grader."""
    with suppress(OSError), os.fdopen(os.open(log, os.O_RDONLY | NO_FOLLOW), "rb") as file:
        state = os.fstat(file.fileno())
        if stat.S_ISREG(state.st_mode):
            file.seek(max(0, state.st_size - LOG_BYTES))
            return file.read(LOG_BYTES).decode("utf-8", "replace")
    return ""


def max_prediction_bytes(question: Question) -> int:
    """Return the largest size of valid predictions: one column for each of up to 1,000 classes."""
    columns = 1000 if question.task == "classification" else 1
    return NPY_HEADER_BYTES + len(question.hidden_inputs) * columns * NUMBER_BYTES


def disk_used_mb(folder: Path) -> float:
    """Return the disk space occupied below ``folder``; sparse files count as stored, links are not followed.

    Return infinity if a folder below cannot be listed: it could hold anything.
    """
    blocks, folders = 0, [(os.fspath(folder), _identity(folder.stat()))]
    while folders:  # no recursion, because the notebook decides how deep its folders are
        path, identity = folders.pop()
        try:
            states = list_folder(path, identity)
        except OSError as error:
            if error.errno in UNMEASURABLE and os.name == "posix":
                return math.inf
            continue  # deleted in the meantime
        for name, state in states:
            blocks += max(ENTRY_BLOCKS, getattr(state, "st_blocks", 0))
            if stat.S_ISDIR(state.st_mode):
                folders.append((f"{path}{os.sep}{name}", _identity(state)))
    return blocks * BLOCK / MEGABYTE


def _identity(state: os.stat_result) -> tuple[int, int]:
    return state.st_dev, state.st_ino


def list_folder(path: str, identity: tuple[int, int]) -> list[tuple[str, os.stat_result]]:
    """Return the names in a folder with their states.

    Return [] if ``path`` has become another folder: the notebook may put a link to all of the disk in its place.
    """
    if os.scandir not in os.supports_fd:
        return _states(path)
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        return _states(descriptor) if _identity(os.fstat(descriptor)) == identity else []
    finally:
        os.close(descriptor)


def _states(folder: str | int) -> list[tuple[str, os.stat_result]]:
    states = []
    with os.scandir(folder) as entries:
        for entry in entries:
            with suppress(FileNotFoundError):  # deleted in the meantime
                states.append((entry.name, entry.stat(follow_symlinks=False)))
    return states


def notebook_environment(folder: Path, threads: int, inherited: Mapping[str, str]) -> dict[str, str]:
    """Return all environment variables of a notebook, with only a few harmless ones of the teacher's."""
    passed = ["LD_LIBRARY_PATH", "KERAS_BACKEND", "SYSTEMROOT", "TZ"]
    if sys.platform == "win32":
        passed.append("PATH")  # on other systems it would reveal the teacher's folders
    count = str(threads)
    variables = {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), "/usr/local/bin", "/usr/bin", "/bin"]),
        "USER": "student",
        "LOGNAME": "student",
        "HOME": str(folder / "home"),
        "USERPROFILE": str(folder / "home"),
        "TMPDIR": str(folder / "tmp"),
        "TEMP": str(folder / "tmp"),
        "LANG": "C.UTF-8",
        "PIP_RETRIES": "0",  # fail at once, because there is no network
        "PYTHONHASHSEED": "0",
        "PYTHONUTF8": "1",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "MPLCONFIGDIR": str(folder / "home" / ".matplotlib"),
        "IPYTHONDIR": str(folder / "home" / ".ipython"),
        "JUPYTER_PLATFORM_DIRS": "1",
        "HDF5_USE_FILE_LOCKING": "FALSE",  # another notebook may hold a lock on a file of the library
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "OMP_NUM_THREADS": count,
        "OPENBLAS_NUM_THREADS": count,
        "MKL_NUM_THREADS": count,
        "TF_NUM_INTRAOP_THREADS": count,
        "TF_NUM_INTEROP_THREADS": "1",
    }
    return variables | {name: inherited[name] for name in passed if name in inherited}


def _request(job: Job, library: Path | None) -> dict[str, object]:
    """Return the request that the driver reads; it passes ``kernel`` on. ``library`` is its path inside."""
    limits = job.limits
    return {
        "seconds": limits.seconds,
        "cell_seconds": limits.cell_seconds,
        "longer": sorted(job.longer),
        "predict_seconds": limits.predict_seconds,
        "output_bytes": int(limits.output_mb * MEGABYTE),
        "predict": job.question is not None,
        "kernel": {
            "seconds": limits.seconds,
            "cell_seconds": limits.cell_seconds,
            "samples": limits.samples,
            "predict_seconds": limits.predict_seconds,
            "processes": limits.processes,
            "files": sorted(job.files),
            "sources": dict(job.sources),
            "library": str(library) if job.library is not None else None,
            "sessions": SESSIONS.search(job.notebook) is not None,
            "rlimits": _rlimits(job),
        },
    }


def _rlimits(job: Job) -> dict[str, int]:
    """Return limits for single processes; ``monitor`` enforces the limits of the whole process tree."""
    limits = job.limits
    rlimits = {
        "RLIMIT_CORE": 0,
        "RLIMIT_NOFILE": OPEN_FILES,
        "RLIMIT_FSIZE": limits.file_mb * MEGABYTE,
        "RLIMIT_CPU": int(limits.seconds + 2 * limits.predict_seconds + protocol.START_SECONDS) * max(2, job.threads),
    }
    if not Path("/dev/nvidia0").exists():
        # Without a GPU, whose driver maps more than it uses, this turns excessive allocation into a MemoryError.
        rlimits["RLIMIT_DATA"] = limits.memory_limit_mb * MEGABYTE
    return rlimits


def _write_public(path: Path, question: Question) -> None:
    np.savez(
        path,
        inputs=question.public_inputs,
        targets=question.public_targets,
        task=np.array(question.task),
        columns=np.array(question.columns),
    )


def _short_temporary_folder() -> str | None:
    """Return None for the system's folder, unless a socket's path would get too long (macOS: 49 characters)."""
    return "/tmp" if sys.platform != "win32" and len(tempfile.gettempdir()) > 48 else None  # noqa: S108


def _remove(folder: Path) -> None:
    """Delete ``folder``, even where it is unreadable or nested deeper than Python can follow."""
    with suppress(RecursionError):
        shutil.rmtree(folder, ignore_errors=True)
    if folder.exists() and os.name == "posix":
        for command in (["chmod", "-R", "u+rwx"], ["rm", "-r", "-f"]):
            words = [*command, os.fspath(folder)]
            subprocess.run(words, check=False, stderr=subprocess.DEVNULL, cwd="/", env={"PATH": os.defpath})
