"""Trainings that would exceed the notebook's time end early with the model so far; others run to their end."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np

from grader.models.assignment import Limits
from grader.sandbox.base import EndReason, Job, Reply
from grader.sandbox.guest.record.fit_recorder import RESERVE, Budget
from grader.sandbox.namespaces import NamespaceSandbox
from tests.support.confined import errors, question, texts
from tests.support.notebooks import notebook_bytes

BUILD = """
import keras, numpy as np, time
rng = np.random.default_rng(0)
X = rng.normal(size=(200, 2)); y = (X[:, 0] > 0).astype(int)
model = keras.Sequential([keras.layers.Dense(4, "relu"), keras.layers.Dense(1, "sigmoid")])
model.compile(keras.optimizers.Adam(0.05), "binary_crossentropy", metrics=["accuracy"])
"""
FOREVER = "history = model.fit(X, y, epochs=100_000, validation_split=0.2, verbose=0)"
AFTER = "print(len(history.history['loss']))"
LONG_EPOCH = """
class Slow(keras.utils.PyDataset):
    def __len__(self): return 10_000
    def __getitem__(self, place): time.sleep(0.05); return X[:8], y[:8]
history = model.fit(Slow(), epochs=3, verbose=0)
"""
SHORT = """
stop = keras.callbacks.EarlyStopping("loss", patience=0, min_delta=10.0)
model.fit(X, y, 32, 5, 0, [stop])
model.fit(X, y, epochs=2, verbose=0, callbacks=(keras.callbacks.TerminateOnNaN(),))
model.fit(X, y, epochs=3, verbose=0, callbacks=keras.callbacks.CallbackList([]))
try: model.fit(X, y, no_such_word=1)
except TypeError as error: print("no_such_word" in str(error))
"""


def run(sandbox: NamespaceSandbox, *cells: str, limits: Limits) -> Reply:
    return sandbox.run(Job(notebook_bytes(*cells), {}, limits, question=question()))


def fits(reply: Reply) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(reply.facts or b"{}")["fits"]
    return found


def test_endless_training_ends_after_an_epoch_and_later_cells_run(warm: NamespaceSandbox) -> None:
    reply = run(warm, BUILD, FOREVER, AFTER, limits=Limits(seconds=25))
    assert reply.ended is EndReason.FINISHED and errors(reply) == [None] * 3
    (fit,) = fits(reply)
    assert fit["cut_short"] and fit["planned_epochs"] == 100_000
    assert fit["epochs"] == len(fit["curves"]["val_loss"]) == int(texts(reply)[2]) > 1
    assert reply.cell_seconds < 25
    predictions = np.load(io.BytesIO(reply.predictions or b""))
    assert len(np.unique(predictions > 0.5)) == 2, "the model so far predicts"


def test_training_ends_within_the_time_of_a_cell(warm: NamespaceSandbox) -> None:
    reply = run(warm, BUILD, FOREVER, AFTER, limits=Limits(seconds=90, cell_seconds=15))
    assert errors(reply) == [None] * 3 and fits(reply)[0]["cut_short"]
    assert reply.cell_seconds < 45


def test_long_epoch_ends_after_a_batch(warm: NamespaceSandbox) -> None:
    reply = run(warm, BUILD, LONG_EPOCH, AFTER, limits=Limits(seconds=20))
    assert errors(reply) == [None] * 3
    assert fits(reply)[0]["cut_short"]
    assert texts(reply)[2] == "1\n"


def test_short_trainings_are_recorded_and_not_changed(warm: NamespaceSandbox) -> None:
    reply = run(warm, BUILD, SHORT, limits=Limits(seconds=60))
    assert errors(reply) == [None, None]
    found = fits(reply)
    assert [fit["cut_short"] for fit in found] == [False] * len(found)
    assert [fit["epochs"] for fit in found[:2]] == [2, 2], "the notebook's callback ended the first"
    assert [fit["planned_epochs"] for fit in found[:2]] == [5, 2]
    assert found[0]["batch_size"] == 32
    assert texts(reply)[1].strip().endswith("True")


def test_validation_in_fit_is_no_evaluation_by_the_notebook(warm: NamespaceSandbox) -> None:
    code = "model.fit(X, y, validation_split=0.2, epochs=2, verbose=0); model.evaluate(X[:50], y[:50], verbose=0)"
    reply = run(warm, BUILD, code, limits=Limits(seconds=60))
    assert json.loads(reply.facts or b"{}")["held_out_evaluations"] == 1


def test_budget_reserves_time_for_later_cells() -> None:
    budget = Budget(100.0, None)
    budget.cell_begins()
    assert budget.began is not None
    first = budget.began
    budget.cell_begins()
    assert budget.deadline() == first + 100 * (1 - RESERVE)
    short = Budget(100.0, 10.0)
    short.cell_begins()
    assert short.deadline() == short.cell_began + 10 * (1 - RESERVE)
