"""The public rows with their answers, on which it is tried how the notebook's model wants to be asked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..output_forms import Array

SEARCH_ROWS = 300  # every way is tried on these; the one chosen is measured on all


@dataclass(frozen=True)
class Question:
    task: str  # "classification" or "regression"
    columns: tuple[str, ...]
    inputs: Array  # (n, ...): a table's columns, pictures, sequences
    targets: Array  # (n,)

    def value(self, answers: Array) -> float:
        """Public accuracy, or the coefficient of determination against the public targets."""
        if self.task == "classification":
            return float(np.mean(answers == self.targets))
        targets = self.targets.astype(np.float64)
        spread = float(np.sum((targets - targets.mean()) ** 2))
        return 1.0 - float(np.sum((targets - answers) ** 2)) / (spread or 1.0)

    def baseline(self) -> float:
        if self.task == "classification":
            return float(np.bincount(self.targets.astype(np.int64)).max() / len(self.targets))
        return 0.0

    def sample(self) -> Question:
        """Rows from everywhere: a table may be sorted by its answers."""
        rows = np.random.default_rng(0).permutation(len(self.inputs))[:SEARCH_ROWS]
        return replace(self, inputs=self.inputs[rows], targets=self.targets[rows])


def read_question(path: Path) -> Question:
    with np.load(path, allow_pickle=False) as public:
        return Question(
            task=str(public["task"]),
            columns=tuple(str(name) for name in public["columns"]),
            inputs=public["inputs"],
            targets=public["targets"],
        )
