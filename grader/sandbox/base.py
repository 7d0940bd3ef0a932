"""What every sandbox takes and gives. Behind this protocol the confinement may be anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from grader.models.assignment import Limits


@dataclass(frozen=True, slots=True)
class Question:
    """What the notebook's model is asked. The public rows come with their answers, the hidden ones without."""

    task: str  # "classification" or "regression"
    columns: tuple[str, ...]  # of a table; otherwise the array's name
    public_inputs: NDArray[np.generic]  # (n, ...): a table's columns, pictures, sequences
    public_targets: NDArray[np.generic]  # (n,)
    hidden_inputs: NDArray[np.generic]  # (rows, ...), in the order they are to be asked
    # The first rows are asked one by one, then some together, then the rest: see guest.protocol.batches.


@dataclass(frozen=True, slots=True)
class Job:
    """One notebook to execute. ``files`` maps safe relative POSIX paths to files or folders, which lie beside it."""

    notebook: bytes  # nbformat 4 JSON without saved outputs, ours to run as it is
    files: Mapping[str, Path]
    limits: Limits
    threads: int = 1
    question: Question | None = None
    sources: Mapping[str, str] = field(default_factory=dict)  # an address, or a plain name, -> one of ``files``
    library: Path | None = None  # a folder laid out as KERAS_HOME, for every notebook to read
    withheld: Mapping[str, Path] = field(default_factory=dict)  # path in ``library`` -> what is there instead


class Ended(StrEnum):
    FINISHED = "finished"  # by itself
    TIMEOUT = "timeout"  # killed: the interruption was ignored
    MEMORY = "memory"
    DISK = "disk"
    PROCESSES = "processes"
    DIED = "died"  # the driver was killed, by the notebook or the machine
    FAULT = "fault"  # the driver failed by itself


@dataclass(frozen=True, slots=True)
class Reply:
    """The bytes that came out, unread: bounded in size, but as hostile as the notebook.

    ``executed`` and ``facts`` were taken before the hidden inputs went in, so nothing in them can tell of these.
    """

    ended: Ended
    executed: bytes | None = None
    facts: bytes | None = None
    predictions: bytes | None = None
    seconds: float = 0.0
    cell_seconds: float = 0.0  # wall clock from the first cell to the last
    peak_memory_mb: float = 0.0
    used: float = 0.0  # of the limit that was met, in the limit's unit
    log: str = ""  # the driver's own last words, for a fault


class Sandbox(Protocol):
    """``run`` may be called from several threads at once; ``close`` ends every run that is still going."""

    @property
    def confinement(self) -> str:
        """The level's name as reports give it."""

    def run(self, job: Job) -> Reply:
        """Raises SandboxError when the machine, not the notebook, is at fault; Stopped after ``close``."""

    def close(self) -> None: ...
