"""Translated code computes the same numbers as in Keras 1 and 2, in a warm and in a cold sandbox."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from grader.models.assignment import Limits
from grader.sandbox.base import Job, Sandbox
from grader.sandbox.process import ProcessSandbox
from tests.sandbox.guest.compat.notebooks import CellResult, run_cells
from tests.support.notebooks import notebook_bytes

# Each cell makes its own assertions; its name says which.
CELLS = {
    "begin": """
import numpy as np, keras
from keras import backend as K
from keras.models import Sequential
from keras.layers import Dense
from keras.optimizers import SGD
x = np.ones((8, 1), "float32")
y = np.zeros((8, 1), "float32")
def line(optimizer):
    model = Sequential([Dense(1, input_dim=1, use_bias=False, kernel_initializer="ones")])
    model.compile(optimizer, "mse", run_eagerly=isinstance(optimizer, str))
    return model
def weight(model):
    return float(model.get_weights()[0][0, 0])
def after(steps, rate, decay=0.0):  # the gradient of w**2 is 2 w
    w = np.float32(1)
    for step in range(steps):
        w -= np.float32(rate / (1 + decay * step)) * 2 * w
    return float(w)
""",
    "the learning rate reaches the optimizer": """
model = line(SGD(lr=0.25))
model.fit(x, y, verbose=0)
assert abs(weight(model) - after(1, 0.25)) < 1e-7
""",
    "decay is obeyed, step by step": """
model = line(SGD(lr=0.25, decay=0.5))
model.fit(x, y, epochs=4, verbose=0)
assert abs(weight(model) - after(4, 0.25, 0.5)) < 1e-6
assert abs(weight(model) - after(4, 0.25)) > 1e-3
""",
    "a decaying rate can still be set": """
model = line(SGD(lr=0.25, decay=0.5))
rates = keras.callbacks.LearningRateScheduler(lambda epoch: 0.25 if epoch == 0 else 0.1)
history = model.fit(x, y, epochs=2, verbose=0, callbacks=[rates])
w = 1 - 0.25 * 2
assert abs(weight(model) - (w - 0.1 / 1.5 * 2 * w)) < 1e-6
assert abs(history.history["lr"][-1] - 0.1) < 1e-7
""",
    "nb_epoch counts epochs": """
model = line(SGD(lr=0.1))
assert len(model.fit(x, y, nb_epoch=3, verbose=0).epoch) == 3
assert abs(weight(model) - after(3, 0.1)) < 1e-6
""",
    "an epoch of fit_generator has the steps it was given": """
class Batches(keras.utils.Sequence):
    asked = 0
    def __len__(self):
        return 3
    def __getitem__(self, place):
        return x, y
model = line(SGD(lr=0.01))
model.fit_generator(Batches(), steps_per_epoch=5, epochs=4, verbose=0, workers=1)
assert int(model.optimizer.iterations) == 20
model.fit_generator(Batches(), epochs=2, verbose=0)
assert int(model.optimizer.iterations) == 26
images = keras.preprocessing.image.ImageDataGenerator(rescale=0.5).flow(np.ones((6, 4, 4, 1)), np.zeros(6), batch_size=4)
net = Sequential([keras.layers.Flatten(input_shape=(4, 4, 1)), Dense(1)])
net.compile("sgd", "mse", run_eagerly=True)
net.fit_generator(images, samples_per_epoch=20, nb_epoch=3, verbose=0, validation_data=images, nb_val_samples=8)
assert int(net.optimizer.iterations) == 15
""",
    "predict_classes is argmax": """
inputs = np.random.RandomState(1).rand(50, 4).astype("float32")
labels = (inputs[:, 0] > 0.5).astype(int) + (inputs[:, 1] > 0.5)
def three(optimizer="adam", width=8):
    model = Sequential()
    model.add(Dense(width, input_dim=4, activation="relu"))
    model.add(Dense(3, activation="softmax"))
    model.compile(loss="categorical_crossentropy", optimizer=optimizer, metrics=["accuracy"], run_eagerly=True)
    return model
model = three()
assert (model.predict_classes(inputs) == model.predict(inputs, verbose=0).argmax(axis=1)).all()
assert (model.predict_proba(inputs) == model.predict(inputs, verbose=0)).all()
""",
    "KerasClassifier in cross_val_score": """
from keras.wrappers.scikit_learn import KerasClassifier, KerasRegressor
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
estimator = KerasClassifier(build_fn=three, epochs=2, batch_size=10, verbose=0)
scores = cross_val_score(estimator, inputs, keras.utils.to_categorical(labels), cv=KFold(n_splits=2))
assert scores.shape == (2,) and ((0 <= scores) & (scores <= 1)).all()
pipeline = Pipeline([("scaler", StandardScaler()), ("net", KerasClassifier(three, epochs=1, verbose=0))])
assert cross_val_score(pipeline, inputs, labels, cv=2).shape == (2,)
""",
    "KerasClassifier predicts the labels of its training data": """
names = np.array(["low", "middle", "high"])[labels]
history = estimator.fit(inputs, names, epochs=3)
assert len(history.history["loss"]) == 3, "the arguments of fit take precedence"
classes = estimator.model.predict(inputs, verbose=0).argmax(axis=1)
assert (estimator.predict(inputs) == np.unique(names)[classes]).all()
assert estimator.predict_proba(inputs).shape == (50, 3)
assert abs(estimator.score(inputs, names) - (estimator.predict(inputs) == names).mean()) < 1e-6
assert list(estimator.classes_) == ["high", "low", "middle"]
""",
    "KerasClassifier of two classes": """
def two():
    model = Sequential([Dense(1, input_dim=4, activation="sigmoid")])
    model.compile("adam", "binary_crossentropy", metrics=["acc"], run_eagerly=True)
    return model
pair = KerasClassifier(build_fn=two, nb_epoch=3, verbose=0)
assert len(pair.fit(inputs, labels > 0).epoch) == 3
assert pair.predict_proba(inputs).shape == (50, 2)
assert cross_val_score(pair, inputs, labels > 0, cv=2, scoring="roc_auc").shape == (2,)
""",
    "GridSearchCV over epochs, optimizer and the function's own arguments": """
grid = GridSearchCV(KerasClassifier(three, verbose=0), {"epochs": [1, 2], "optimizer": ["adam"], "width": [4]},
                    cv=2, n_jobs=-1)
grid.fit(inputs, labels)
assert set(grid.best_params_) == {"epochs", "optimizer", "width"} and 0 <= grid.best_score_ <= 1
""",
    "an argument that no function accepts is refused": """
try:
    KerasClassifier(three, epoch=3)
except ValueError as error:
    assert "epoch is not a legal parameter" in str(error)
else:
    raise AssertionError
""",
    "KerasRegressor scores minus the loss": """
regressor = KerasRegressor(build_fn=lambda: line("sgd"), epochs=1, verbose=0)
regressor.fit(x, y)
assert regressor.predict(x).shape == (8,)
assert abs(regressor.score(x, y) + regressor.model.evaluate(x, y, verbose=0)) < 1e-7
assert (cross_val_score(regressor, x, y, cv=2) <= 0).all()
""",
    "a file of Keras 2 is read": """
import h5py, json
model = Sequential([Dense(3, input_dim=4, activation="relu", name="one"), Dense(2, activation="softmax", name="two")])
model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
model.save("old.h5")
zeros = {"class_name": "Zeros", "config": {}}
def layer(name, units, activation, **more):
    words = {"name": name, "trainable": True, "units": units, "activation": activation, "use_bias": True}
    return {"class_name": "Dense", "config": {**words, "bias_initializer": zeros, "kernel_constraint": None, **more}}
layers = [layer("one", 3, "relu", batch_input_shape=[None, 4], dtype="float32"), layer("two", 2, "softmax")]
config = {"class_name": "Sequential", "config": {"name": "sequential_1", "layers": layers}}
adam = {"class_name": "Adam", "config": {"lr": 0.01, "beta_1": 0.9, "decay": 0.001, "epsilon": 1e-07, "amsgrad": False}}
with h5py.File("old.h5", "r+") as file:
    file.attrs["model_config"] = json.dumps(config).encode()
    file.attrs["training_config"] = json.dumps({"optimizer_config": adam, "loss": "categorical_crossentropy",
        "metrics": ["accuracy"], "sample_weight_mode": None, "loss_weights": None}).encode()
answers = model.predict(inputs, verbose=0)
again = keras.models.load_model("old.h5")
assert (again.predict(inputs, verbose=0) == answers).all() and abs(float(again.optimizer.lr) - 0.01) < 1e-7
for text in (config, {"class_name": "Sequential", "config": layers}):
    again = keras.models.model_from_json(json.dumps({**text, "keras_version": "2.1.0", "backend": "tensorflow"}))
    again.load_weights("old.h5")
    assert (again.predict(inputs, verbose=0) == answers).all()
""",
    # Some processors cannot train with channels first; there, neither spelling runs.
    "channels first runs as in today's spelling": """
import tensorflow as tf
def trains(convolution):
    net = Sequential([keras.Input((1, 6, 6)), convolution, keras.layers.Flatten(), Dense(1)])
    assert net.output_shape == (None, 1) and net.layers[0].output.shape == (None, 2, 4, 4)
    net.compile("sgd", "mse")
    try:
        net.fit(np.ones((2, 1, 6, 6)), np.zeros(2), verbose=0)
    except tf.errors.InvalidArgumentError:
        return False
    return True
old = keras.layers.Convolution2D(2, 3, 3, dim_ordering="th")
assert old.data_format == "channels_first" and old.kernel_size == (3, 3)
assert trains(old) == trains(keras.layers.Conv2D(2, (3, 3), data_format="channels_first"))
""",
}

MODERN = '''
import random, hashlib
import numpy as np
random.seed(0); np.random.seed(0)
import keras
keras.utils.set_random_seed(0)
inputs = keras.Input((6,))
hidden = keras.layers.BatchNormalization()(keras.layers.Dense(8, "relu")(inputs))
model = keras.Model(inputs, keras.layers.Dense(1, "sigmoid")(keras.layers.Dropout(0.3)(hidden)))
model.compile(keras.optimizers.Adam(learning_rate=0.01), "binary_crossentropy", metrics=["accuracy"])
x = np.random.rand(64, 6); y = (x.sum(axis=1) > 3).astype("float32")
history = model.fit(x, y, epochs=3, validation_split=0.25, verbose=0)
model.save("modern.keras")
keras.models.load_model("modern.keras").fit(x, y, epochs=1, verbose=0)
bits = b"".join(w.tobytes() for w in model.get_weights()) + repr(history.history).encode() + str(random.random()).encode()
print(hashlib.sha256(bits + np.random.rand(3).tobytes()).hexdigest())
'''  # fmt: skip
PLAIN = f"""
import subprocess, sys
print(subprocess.run([sys.executable, "-c", {MODERN!r}], capture_output=True, text=True).stdout, end="")
"""

OLD = """
from keras.utils import np_utils
from keras.layers.core import Dense
from keras.models import Sequential
---
import numpy as np
import tensorflow as tf
np.random.seed(7)
x = np.random.rand(40, 3)
y = np_utils.to_categorical(x.argmax(axis=1))
---
model = Sequential()
model.add(Dense(output_dim=5, init="uniform", input_dim=3))
model.add(Dense(3, activation="softmax"))
model.compile(tf.keras.optimizers.SGD(lr=0.5, decay=0.01), "categorical_crossentropy", metrics=["accuracy"])
---
history = model.fit(x, y, nb_epoch=2, verbose=0)
print(history.history["acc"], model.predict_classes(x).tolist())
---
import matplotlib.pyplot as plt
plt.style.use("seaborn-darkgrid")
from sklearn.cross_validation import train_test_split
np.float
""".split("---")


@pytest.fixture(scope="module")
def runs(warm: Sandbox) -> dict[str, list[CellResult]]:
    cold = ProcessSandbox(os.environ)
    with ThreadPoolExecutor(1) as pool:
        cold_run = pool.submit(run_cells, cold, OLD)
        done = {
            "numbers": run_cells(warm, list(CELLS.values())),
            "today": run_cells(warm, [MODERN, PLAIN]),
            "warm": run_cells(warm, OLD),
        }
        done["cold"] = cold_run.result()
    cold.close()
    return done


@pytest.fixture(scope="module")
def results(runs: dict[str, list[CellResult]]) -> dict[str, CellResult]:
    return dict(zip(CELLS, runs["numbers"], strict=True))


@pytest.mark.parametrize("name", CELLS)
def test_translated_code_computes_the_intended_numbers(results: dict[str, CellResult], name: str) -> None:
    assert results[name].error == ""


def test_a_modern_notebook_gives_the_same_bits_as_without_translation(runs: dict[str, list[CellResult]]) -> None:
    translated, plain = runs["today"]
    assert translated.error == plain.error == "" and translated.notes == ()
    assert len(translated.text) == 65 and translated.text == plain.text


EVALUATED = """
import numpy as np, keras
x, y = np.random.rand(40, 3), np.random.rand(40)
model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
model.compile("sgd", "mse", run_eagerly=True)
model.fit(x, y, validation_data=(x[:7], y[:7]), nb_epoch=3, verbose=0)
model.evaluate(x[:9], y[:9], verbose=0)
"""


def test_a_training_with_old_arguments_is_recorded_with_new_names(warm: Sandbox) -> None:
    facts = json.loads(warm.run(Job(notebook_bytes(EVALUATED), {}, Limits(seconds=60))).facts or b"")
    assert facts["fits"][0]["planned_epochs"] == facts["fits"][0]["epochs"] == 3
    assert facts["held_out_evaluations"] == 1, "evaluations inside fit do not count"


def test_cold_and_warm_sandboxes_translate_alike(runs: dict[str, list[CellResult]]) -> None:
    first, second = runs["warm"], runs["cold"]
    assert first == second
    assert [result.error for result in first] == [""] * len(OLD)
    assert all(result.notes for result in first if result not in first[1:2])
