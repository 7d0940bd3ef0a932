"""Trainings by Keras alone and in pieces, compared bit for bit."""

from __future__ import annotations

import contextlib
import io
import os
import random
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from grader.sandbox.guest.training import fit as grouped

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


@dataclass(frozen=True)
class Chain:
    """A model and several calls of its ``fit``, one after another; ``fits`` gives the arguments of each by its name."""

    name: str
    build: Callable[[], Any]  # a compiled model
    fits: Mapping[str, Callable[[], dict[str, Any]]]
    plain: Mapping[str, str] = field(default_factory=dict)  # reason for Keras alone, by the name of the fit


@dataclass
class Traces:
    """What a training leaves behind; everything but the times is compared."""

    arrays: list[np.ndarray[Any, Any]]
    history: Any
    draws: list[Any]
    printed: list[str]
    seen: list[Any]
    reasons: tuple[str, ...] | None = None


@contextlib.contextmanager
def both_ways() -> Iterator[Callable[[bool], None]]:
    """Give a switch between Keras' own ``fit`` (False) and ``fit`` in pieces (True), however few the steps."""
    import keras

    plain = keras.Model.__dict__.get("fit")
    grouped.hook(keras, fewest_steps=0)
    in_pieces = keras.Model.fit

    def switch(on: bool) -> None:
        if on or plain is not None:
            keras.Model.fit = in_pieces if on else plain
        else:
            with contextlib.suppress(AttributeError):
                del keras.Model.fit

    try:
        yield switch
    finally:
        switch(False)


def run(chain: Chain, folder: Path) -> Iterator[tuple[str, Traces]]:
    """Yield the name of each fit of ``chain`` and what it left behind, from the same seed."""
    import keras

    keras.utils.set_random_seed(7)
    model = chain.build()
    for name, arguments in chain.fits.items():
        with contextlib.chdir(folder):
            yield name, _train(model, arguments())


def _train(model: Any, arguments: dict[str, Any]) -> Traces:
    import tensorflow as tf

    epochs = _watcher()
    callbacks = arguments.pop("callbacks", [])
    printed = io.StringIO()
    grouped.reasons_of_last_training()
    with contextlib.redirect_stdout(printed):
        history = model.fit(**{"verbose": 0, "epochs": 2} | arguments, callbacks=[*callbacks, epochs])
    reasons = grouped.reasons_of_last_training()
    variables = [*model.variables, *model.optimizer.variables, *model.metrics_variables]
    return Traces(
        arrays=[np.asarray(variable.value) for variable in variables],
        history=(history.epoch, history.history, history.params),
        draws=[random.random(), np.random.random(), tf.random.normal([2]).numpy().tolist(), _keras_draw()],
        printed=_without_times(printed.getvalue()),
        seen=[*epochs.seen, model.stop_training],
        reasons=reasons,
    )


def _keras_draw() -> Any:
    import keras

    return np.asarray(keras.random.normal((2,))).tolist()


def _watcher() -> Any:
    import keras

    class Watcher(keras.callbacks.Callback):  # type: ignore[misc]
        """Callback at the ends of epochs that keeps the logs, the order of the calls and the optimizer's steps."""

        def __init__(self) -> None:
            super().__init__()
            self.seen: list[Any] = []

        def _keep(self, call: str, logs: Any) -> None:
            steps = int(self.model.optimizer.iterations)
            self.seen.append((call, steps, {key: (type(value), value) for key, value in (logs or {}).items()}))

        def on_train_begin(self, logs: Any = None) -> None:
            self._keep("train begins", logs)

        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            self._keep(f"{epoch} begins", logs)

        def on_test_begin(self, logs: Any = None) -> None:
            self._keep("test begins", logs)

        def on_test_end(self, logs: Any = None) -> None:
            self._keep("test ends", logs)

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self._keep(f"{epoch} ends", logs)

        def on_train_end(self, logs: Any = None) -> None:
            self._keep("train ends", logs)

    return Watcher()


def _without_times(text: str) -> list[str]:
    """Return the last state of every printed line, without times."""
    lines = [re.split(r"[\r\x08]+", line.rstrip("\r\x08"))[-1] for line in text.split("\n")]
    plain = [re.sub(r"\x1b\[[\d;]*m", "", line) for line in lines]
    return [re.sub(r"\d+(\.\d+)?(us|ms|s)\b(/step|/epoch)?", "TIME", line).rstrip() for line in plain]


def differences(keras: Traces, pieces: Traces) -> list[str]:
    """Return what is not the same in every bit."""
    found = [
        f"array {number}"
        for number, (one, other) in enumerate(zip(keras.arrays, pieces.arrays, strict=True))
        if one.dtype != other.dtype or one.shape != other.shape or one.tobytes() != other.tobytes()
    ]
    # As texts, since NaN is not equal to itself.
    return found + [
        f"{part}: {one} instead of {other}"
        for part in ("history", "draws", "printed", "seen")
        if (other := repr(getattr(keras, part))) != (one := repr(getattr(pieces, part)))
    ]
