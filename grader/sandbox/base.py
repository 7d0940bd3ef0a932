"""Interface of a sandbox: the job it takes, the reply it gives, and the ``Sandbox`` protocol."""

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
    """Rows for the notebook's model to predict. The public rows come with their labels, the hidden rows without."""

    task: str  # "classification" or "regression"
    columns: tuple[str, ...]  # column names of a table, or the name of the array
    public_inputs: NDArray[np.generic]  # (n, ...): table columns, images or sequences
    public_targets: NDArray[np.generic]  # (n,)
    hidden_inputs: NDArray[np.generic]  # (rows, ...), in the order in which the model predicts them
    # The first rows are predicted one at a time, the next in a small batch, then the rest: guest.protocol.batches.


@dataclass(frozen=True, slots=True)
class Job:
    """A notebook to execute. ``files`` maps safe relative POSIX paths to files or folders placed beside it."""

    notebook: bytes  # nbformat 4 JSON without saved outputs, ready to run
    files: Mapping[str, Path]
    limits: Limits
    threads: int = 1
    question: Question | None = None
    sources: Mapping[str, str] = field(default_factory=dict)  # URL or plain file name -> a key of ``files``
    library: Path | None = None  # a folder laid out as KERAS_HOME, readable by every notebook
    withheld: Mapping[str, Path] = field(default_factory=dict)  # path in ``library`` -> its replacement
    longer: frozenset[int] = frozenset()  # cells that have half of the time left instead of ``limits.cell_seconds``


class EndReason(StrEnum):
    """Reason why a job ended."""

    FINISHED = "finished"  # the driver reached its end
    TIMEOUT = "timeout"  # killed after ignoring the interruption
    MEMORY = "memory"
    DISK = "disk"
    PROCESSES = "processes"
    DIED = "died"  # the driver was killed, by the machine
    FAULT = "fault"  # the driver failed for a reason of its own


@dataclass(frozen=True, slots=True)
class Reply:
    """Unparsed bytes that a job left behind, limited in size.

    ``facts`` and ``predictions`` are as untrusted as the notebook. ``executed`` is the driver's; its outputs are not.
    ``executed`` and ``facts`` are read before the hidden inputs are copied in, so they cannot contain any of them.
    """

    ended: EndReason
    started: bool = True  # the first cell may have run; before, only the grader's own code can have failed
    executed: bytes | None = None
    facts: bytes | None = None
    predictions: bytes | None = None
    seconds: float = 0.0
    cell_seconds: float = 0.0  # wall clock from the first cell to the last
    peak_memory_mb: float = 0.0
    by_kernel: bool = False  # the kernel enforced the limit that was reached; otherwise it was measured
    used: float = 0.0  # amount used when a limit was reached, in the limit's unit
    log: str = ""  # end of the driver's log, to explain a fault; no student code can write to it


class Sandbox(Protocol):
    """Executes jobs. ``run`` may be called from several threads at once; ``close`` ends every running job."""

    @property
    def confinement(self) -> str:
        """Name of the confinement level, as shown in reports."""

    def run(self, job: Job) -> Reply:
        """Execute ``job``. Raise SandboxError if the machine is at fault, Stopped after ``close``."""

    def close(self) -> None: ...
