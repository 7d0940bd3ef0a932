"""Trainings that would exceed the notebook's time end early with the model so far; others run to their end."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import pytest

from grader.models.assignment import Limits
from grader.sandbox.base import EndReason, Job, Reply
from grader.sandbox.guest.record.budget import LATE_TRAININGS, RESERVE, Budget
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
# A batch that does not end, and a validation that takes longer than the rest of the time.
LONG_BATCH = """
class Stuck(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        if batch == 2: time.sleep(600)
history = model.fit(X, y, batch_size=10, epochs=3, verbose=0, validation_data=(X, y), callbacks=[Stuck()])
print("ended")
"""
LONG_VALIDATION = """
class Slow(keras.utils.PyDataset):
    def __len__(self): return 10_000
    def __getitem__(self, place): time.sleep(0.05); return X[:8], y[:8]
history = model.fit(X, y, epochs=300, verbose=0, validation_data=Slow())
"""
PLOT = """
h = history.history
assert len(h["loss"]) == len(h["val_loss"]) == len(h["accuracy"]) == len(h["val_accuracy"]) == len(history.epoch) == 1
print(np.isfinite(h["loss"]).all(), np.isfinite(h["val_loss"]).all(), model.predict(X[:3], verbose=0).shape)
"""
SAMPLES = """
one = model.fit(X, y, epochs=3, batch_size=50, verbose=0, validation_split=0.5)
two = model.fit(X[:100], y[:100], epochs=90, batch_size=30, verbose=0)
print(len(one.history["loss"]), len(two.history["loss"]), int(model.optimizer.iterations))
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
    reply = run(warm, BUILD, FOREVER, AFTER, limits=Limits(seconds=16))
    assert reply.ended is EndReason.FINISHED and errors(reply) == [None] * 3
    (fit,) = fits(reply)
    assert fit["cut_short"] and fit["planned_epochs"] == 100_000
    assert fit["epochs"] == len(fit["curves"]["val_loss"]) == int(texts(reply)[2]) > 1
    assert reply.cell_seconds < 16
    predictions = np.load(io.BytesIO(reply.predictions or b""))
    assert len(np.unique(predictions > 0.5)) == 2, "the model so far predicts"


def test_a_notebook_cannot_switch_on_training_in_pieces(warm: NamespaceSandbox) -> None:
    switch = "import os\nos.environ['GRADER_PLAIN_KERAS'] = '0'"
    training = "model.fit(X, y, epochs=30, batch_size=4, verbose=0)"
    reply = run(warm, switch, BUILD, training, limits=Limits(seconds=90))
    assert errors(reply) == [None] * 3
    assert not fits(reply)[0]["grouped"]


def test_training_ends_within_the_time_of_a_cell(warm: NamespaceSandbox) -> None:
    reply = run(warm, BUILD, FOREVER, AFTER, limits=Limits(seconds=90, cell_seconds=15))
    assert errors(reply) == [None] * 3 and fits(reply)[0]["cut_short"]
    assert reply.cell_seconds < 45


def test_long_epoch_ends_after_a_batch(warm: NamespaceSandbox) -> None:
    reply = run(warm, BUILD, LONG_EPOCH, AFTER, limits=Limits(seconds=14))
    assert errors(reply) == [None] * 3
    assert fits(reply)[0]["cut_short"]
    assert texts(reply)[2] == "1\n"


def test_a_stuck_batch_keeps_the_model_and_a_history_to_plot(warm: NamespaceSandbox) -> None:
    reply = run(warm, BUILD, LONG_BATCH, PLOT, limits=Limits(seconds=26))
    assert errors(reply) == [None] * 3, texts(reply)
    assert texts(reply)[1].strip().endswith("ended"), "the cell continues after fit"
    assert texts(reply)[2] == "True False (3, 1)\n", "what was never validated is NaN"
    (fit,) = fits(reply)
    assert fit["cut_short"] and fit["epochs"] == 1


@pytest.mark.slow
def test_a_long_validation_is_cut_short_with_the_training(warm: NamespaceSandbox) -> None:
    reply = run(warm, BUILD, LONG_VALIDATION, PLOT, limits=Limits(seconds=30))
    assert errors(reply) == [None] * 3, texts(reply)
    assert texts(reply)[2] == "True True (3, 1)\n"
    assert fits(reply)[0]["cut_short"]


def test_an_endless_cell_leaves_time_for_the_training_after_it(warm: NamespaceSandbox) -> None:
    endless = "while True: pass"
    reply = run(warm, BUILD, endless, FOREVER, AFTER, limits=Limits(seconds=26))
    assert errors(reply) == [None, "KeyboardInterrupt", None, None]
    assert int(texts(reply)[3]) > 1
    assert reply.cell_seconds < 26
    notes = json.loads(reply.executed or b"{}")["metadata"]["grader"]
    assert notes["shared_cells"] == [1] and notes["timeout_cell"] is None and notes["slow_cells"] == []


def test_an_endless_loop_of_trainings_is_interrupted(warm: NamespaceSandbox) -> None:
    loop = "while True: history = model.fit(X, y, epochs=1, verbose=0)"
    reply = run(warm, BUILD, loop, AFTER, limits=Limits(seconds=40, cell_seconds=4))
    assert errors(reply) == [None, "KeyboardInterrupt", None]
    assert int(texts(reply)[2]) == 1
    assert reply.cell_seconds < 20
    assert json.loads(reply.executed or b"{}")["metadata"]["grader"]["slow_cells"] == [1], "it was the time limit"


def test_training_ends_after_the_samples_of_the_assignment(warm: NamespaceSandbox) -> None:
    reply = run(warm, BUILD, SAMPLES, limits=Limits(seconds=90, samples=1000))
    assert errors(reply) == [None, None]
    # 3 epochs of 100 samples in 2 batches; then 100 samples in 4 batches for each of 7 epochs
    assert texts(reply)[1] == f"3 7 {3 * 2 + 7 * 4}\n"
    first, second = fits(reply)
    assert not first["cut_short"] and second["cut_short"] and second["samples_reached"]


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


def test_a_cell_may_begin_three_trainings_after_its_time() -> None:
    budget = Budget(0.0, None)
    budget.cell_begins()
    for _ in range(LATE_TRAININGS):
        budget.training_begins()
    with pytest.raises(KeyboardInterrupt):
        budget.training_begins()
    budget.cell_begins(1)
    budget.training_begins()


def test_budget_reserves_time_for_later_cells() -> None:
    budget = Budget(100.0, None)
    budget.cell_begins()
    assert budget.began is not None
    first = budget.began
    budget.cell_begins()
    assert budget.deadline() == first + 100 * (1 - RESERVE)
    shared = Budget(100.0, None, shares=[0.5, 1.0])
    shared.cell_begins(0)
    assert shared.deadline() == shared.cell_began + 50 * (1 - RESERVE) < shared.last_moment() < shared.cell_began + 50
    shared.cell_begins(1)
    assert shared.deadline() == (shared.began or 0.0) + 100 * (1 - RESERVE)
    short = Budget(100.0, 10.0)
    short.cell_begins()
    assert short.deadline() == short.cell_began + 10 * (1 - RESERVE)
