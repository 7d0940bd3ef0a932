"""Time and samples that the notebook's trainings may take. The driver keeps the time too, and does not rely on this."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from .time_shares import seconds_of_share

RESERVE = 0.05  # share of the time that is kept for the cells after the training
SECONDS_TO_INTERRUPT = 2.0  # that the driver may need
LATE_TRAININGS = 3  # that a cell may begin after its time; an endless loop of trainings is interrupted


class Budget:
    """Limits of trainings. It must be notified of the start of every cell.

    ``shares`` has for each cell the share of the remaining time that it may take, see ``time_shares``.
    """

    def __init__(
        self,
        seconds: float,
        cell_seconds: float | None,
        *,
        samples: int | None = None,
        shares: Sequence[float] = (),
    ) -> None:
        self.seconds, self.cell_seconds, self.shares = seconds, cell_seconds, shares
        self.samples_left = samples  # None: no limit
        self.began: float | None = None
        self.cell_began = 0.0
        self.share = 1.0
        self.late_trainings = 0  # of the cell

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> Budget:
        """Return the budget that the driver asks for."""
        return cls(
            settings["seconds"], settings["cell_seconds"], samples=settings["samples"], shares=settings["shares"]
        )

    def cell_begins(self, place: int = 0) -> None:
        """Start the time of the cell at ``place``, and with the first cell that of the notebook."""
        self.cell_began = time.monotonic()
        self.began = self.cell_began if self.began is None else self.began
        self.share = self.shares[place] if place < len(self.shares) else 1.0
        self.late_trainings = 0

    def training_begins(self) -> None:
        """Let a cell wait for the driver's interrupt if it goes on to train although its trainings have been cut short.

        Raises KeyboardInterrupt, the driver's or its own. Inside a training the interrupt would be lost.
        """
        self.late_trainings += time.monotonic() > self.deadline()
        if self.late_trainings > LATE_TRAININGS:
            time.sleep(max(0.0, self.deadline(0.0) - time.monotonic()) + SECONDS_TO_INTERRUPT)
            raise KeyboardInterrupt

    def deadline(self, reserve: float = RESERVE) -> float:
        """Return the time, as of ``time.monotonic()``, at which a training must end."""
        began = self.began if self.began is not None else time.monotonic()
        ends = [began + self.seconds * (1 - reserve)]
        if self.share < 1:
            left = began + self.seconds - self.cell_began
            ends.append(self.cell_began + seconds_of_share(left, self.share) * (1 - reserve))
        if self.cell_seconds:
            ends.append(self.cell_began + self.cell_seconds * (1 - reserve))
        return min(ends)

    def last_moment(self) -> float:
        """Return when a training is interrupted that has not ended after a batch."""
        return self.deadline(RESERVE / 2)
