"""Print a line for each epoch of a training, with an estimate of the remaining time."""

from __future__ import annotations

import time
from collections.abc import Mapping

import keras


class Progress(keras.callbacks.Callback):  # type: ignore[misc]
    """Callback that prints metrics, the epoch's duration and the remaining seconds."""

    def __init__(self, epochs: int) -> None:
        super().__init__()
        self.epochs = epochs
        self.began = self.epoch_began = 0.0

    def on_train_begin(self, logs: Mapping[str, float] | None = None) -> None:  # noqa: ARG002
        self.began = time.monotonic()

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:  # noqa: ARG002
        self.epoch_began = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        now, done = time.monotonic(), epoch + 1
        left = (now - self.began) / done * (self.epochs - done)
        values = "  ".join(f"{name} {value:.4f}" for name, value in sorted((logs or {}).items()))
        print(f"epoch {done}/{self.epochs}  {values}  {now - self.epoch_began:.1f} s, {left:.0f} s to go", flush=True)
