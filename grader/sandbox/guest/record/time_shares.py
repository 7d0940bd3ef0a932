"""Share of the remaining time that each cell may take, so that one endless cell does not take the time of the others.

Trainings need most of a notebook's time, and nobody can know how much before they have run. So a share is a part of the
time that is left when the cell begins, and what a cell leaves goes to the cells after it. The last cell that trains may
take nearly everything. The texts of the cells decide, as both sides of the job know them before the first one runs.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

TRAINS = re.compile(r"\.(?:fit\w*|train_on_batch|partial_fit|backward|minimize)\s*\(|\bGradientTape\b|\btrain\w*\s*\(")

TRAINING_BEFORE_TRAINING = 2 / 3
OTHER_BEFORE_TRAINING = 1 / 2
BEFORE_OTHERS = 0.95  # the cells after the last training draw its curves and evaluate it
LEAST_LEFT = 1.0  # seconds; less would let no cell after it run


def time_shares(sources: Sequence[str]) -> list[float]:
    """Return for each cell the share of the time left at its beginning that it may take."""
    trains = [TRAINS.search(source) is not None for source in sources]
    return [_share(trains[place], trains[place + 1 :]) for place in range(len(sources))]


def seconds_of_share(left: float, share: float) -> float:
    """Return the seconds for a cell with ``share``, of ``left`` seconds at its beginning."""
    return left if left * (1 - share) < LEAST_LEFT else left * share


def _share(trains: bool, later: Sequence[bool]) -> float:
    if any(later):
        return TRAINING_BEFORE_TRAINING if trains else OTHER_BEFORE_TRAINING
    return BEFORE_OTHERS if later else 1.0
