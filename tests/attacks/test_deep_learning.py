"""C. Attacks specific to deep learning: predictions without learning, and models that contain code."""

from __future__ import annotations

import io
import pickle
import zipfile
from pathlib import Path

import numpy as np
import psutil
import pytest

from grader.data import hidden_sets
from grader.models.assignment import Limits
from tests.attacks.classroom import GUESS, HONEST, HONEST_TOTAL, Attacker, Classroom, Handed, cells, hands_in

LIMITS = Limits(seconds=15, memory_mb=2500, disk_mb=200, file_mb=100, processes=200, output_mb=0.5)

WHOLE_BATCH = """
def predict(X):
    middle = (X[:, 0] - X[:, 1]).mean()  # of the rows in the same batch
    return (X[:, 0] - X[:, 1] > middle).astype(int)
"""
FIT_INSIDE = """
from sklearn.cluster import KMeans
def predict(X):
    if len(X) < 2: return [0] * len(X)
    return KMeans(2, n_init=1, random_state=0).fit_predict(X)
"""


@hands_in(cells("32 batch mean", WHOLE_BATCH), cells("32 clusters the hidden rows", FIT_INSIDE))
def test_32_learning_from_hidden_rows_is_flagged(attacker: Attacker) -> None:
    """Some rows are predicted again, alone and in another batch; changed predictions go to review."""
    assert attacker.graded.run.depends_on_neighbours
    assert any("rows around it" in str(reason) for reason in attacker.graded.grade.review_reasons)


LOOK_UP = """
import numpy as np
table = np.genfromtxt("leaves.csv", delimiter=",", skip_header=1)
known = {tuple(row[:2]): int(row[2]) for row in table}
def predict(X):
    return [known.get(tuple(row), 0) for row in X]
"""


@hands_in(cells("33 look-up", LOOK_UP))
def test_33_lookup_table_of_public_rows_earns_nothing(attacker: Attacker) -> None:
    assert attacker.graded.run.facts.chosen is not None
    assert attacker.graded.run.facts.chosen.public_value == 1.0
    assert attacker.points("accuracy") == 0


HARD_CODED = (
    "LABELS = {labels}\ndef predict(X):\n    return LABELS[:len(X)] if len(X) <= 400 else (LABELS * 3)[:len(X)]"
)


class Knowing(Handed):
    """A student who has the hidden labels, in the order of the teacher's file."""

    def content(self, places: object) -> bytes:
        assert isinstance(places, dict)
        labels = hidden_sets.open_hidden_set(places["loaded"], places["secret"]).labels
        return Handed(self.name, [HARD_CODED.format(labels=labels.tolist())]).content({})


@hands_in(Knowing("34 true labels"))
def test_34_true_labels_in_a_fixed_order_earn_nothing(attacker: Attacker) -> None:
    assert attacker.points("accuracy") < 12, "every submission has its own order"
    assert attacker.graded.run.depends_on_neighbours


BOMB_FILES = """
import glob, pickle, zipfile
import numpy as np
for name in sorted(glob.glob("*.pkl") + glob.glob("*.npy")):
    try: np.load(name, allow_pickle=True)
    except Exception as error: print(type(error).__name__)
import os
print("HERE", os.path.exists("/tmp/grader-attack-ran"))
"""


CALLERS = """
import sys
NAMES = ("y_true", "y_test", "labels", "targets", "truth", "hidden_labels", "public_targets")
def predict(X):
    frame = sys._getframe()
    while frame:
        for space in (frame.f_locals, frame.f_globals, vars(sys.modules["__main__"])):
            for name in NAMES:
                value = space.get(name)
                if value is not None and hasattr(value, "__len__") and len(value) >= len(X): return value[:len(X)]
        frame = frame.f_back
    return [0] * len(X)
"""


@hands_in(cells("35 callers", CALLERS))
def test_35_no_caller_of_predict_has_the_labels(attacker: Attacker) -> None:
    assert attacker.points("accuracy") == 0


class Bomb:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        import os

        return os.system, ("touch ../work/ran-here; touch /tmp/grader-attack-ran",)


def pickled() -> bytes:
    return pickle.dumps(Bomb())


def object_array() -> bytes:
    buffer = io.BytesIO()
    array = np.empty(3, object)
    array[:] = [Bomb()] * 3
    np.save(buffer, array, allow_pickle=True)
    return buffer.getvalue()


def keras_archive() -> bytes:
    """Return a ``.keras`` file whose Lambda layer contains marshalled code."""
    layer = '{"class_name": "__lambda__", "config": {"code": "4wAAAA==", "defaults": null, "closure": null}}'
    config = f'{{"class_name": "Sequential", "config": {{"layers": [{{"class_name": "Lambda", "config": {{"function": {layer}}}}}]}}}}'
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("config.json", config)
        archive.writestr("metadata.json", '{"keras_version": "3.9.0"}')
        archive.writestr("model.weights.h5", b"\x89HDF\r\n\x1a\n")
    return buffer.getvalue()


WEIGHTS = {
    "a.pkl": pickled(),
    "b.npy": object_array(),
    "model.keras": keras_archive(),
    "model.h5": b"\x89HDF\r\n\x1a\n",
}


@hands_in(cells("36 shipped models", GUESS, files=WEIGHTS))
def test_36_submitted_models_are_never_loaded_by_the_grader(attacker: Attacker) -> None:
    assert attacker.points("accuracy") == 0
    assert not Path("/tmp/grader-attack-ran").exists()
    assert not list(attacker.classroom.places.root.rglob("ran-here"))


@hands_in(cells("36 loaded by the student", BOMB_FILES, GUESS, files=WEIGHTS))
def test_36_model_loaded_by_the_notebook_runs_code_only_inside(confined: None, attacker: Attacker) -> None:
    assert "HERE True" in attacker.printed
    assert not Path("/tmp/grader-attack-ran").exists()


SIDE_EFFECTS = """
import keras, os
import numpy as np
class Sly(keras.layers.Layer):
    def call(self, x):
        try: open(PLACES["marker"], "w").write("100")
        except OSError: pass
        return x * 0
class Perfect(keras.metrics.Metric):
    def update_state(self, *a, **k): open("metric-ran", "w")
    def result(self): return 1.0
table = np.genfromtxt("leaves.csv", delimiter=",", skip_header=1)
model = keras.Sequential([keras.Input((2,)), Sly(), keras.layers.Dense(1, "sigmoid")])
model.compile("sgd", "binary_crossentropy", metrics=[Perfect(name="accuracy")])
model.fit(table[:50, :2], table[:50, 2], epochs=2, verbose=0)
keras.Model.evaluate = lambda *a, **k: [0.0, 1.0]
keras.metrics.BinaryAccuracy.result = lambda self: 1.0
"""


@hands_in(cells("37 sly layer", "'PLACES'", SIDE_EFFECTS))
def test_37_model_never_runs_in_the_process_of_the_grader(attacker: Attacker) -> None:
    assert attacker.points("accuracy") == 0
    assert attacker.points("runs") == 20, attacker.printed
    assert not (attacker.classroom.places.root / "marker").exists()


HISTORY = """
import matplotlib.pyplot as plt
class History: history = {"loss": [0.9, 0.5, 0.1, 0.01], "val_loss": [0.9, 0.6, 0.2, 0.1]}
history = History()
print("Epoch 30/30 - loss: 0.0100 - accuracy: 0.9990 - val_accuracy: 0.9980")
plt.plot(history.history["loss"], label="loss"); plt.title("loss"); plt.show()
"""
PASTED = """
import base64
from IPython.display import Image, display
display(Image(base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")))
"""


@hands_in(cells("38 drawn by hand", HISTORY, GUESS))
def test_38_curve_without_training_needs_review(attacker: Attacker) -> None:
    """Captions alone earn points only after review by a person."""
    review = [str(reason) for reason in attacker.graded.grade.review_reasons]
    assert any("no recorded training has these values" in reason for reason in review)
    assert attacker.points("training") == 0
    assert attacker.points("accuracy") == 0


@hands_in(cells("38 pasted", PASTED, GUESS))
def test_38_pasted_image_is_not_a_curve(attacker: Attacker) -> None:
    assert attacker.points("curve") == 0
    assert attacker.points("training") == 0


SHIPPED_WEIGHTS = """
import numpy as np
weights = np.load("weights.npy")
def predict(X): return (X @ weights > 0).astype(int)
"""


def weights() -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.array([1.0, -1.0]))
    return buffer.getvalue()


@hands_in(cells("39 shipped weights", SHIPPED_WEIGHTS, files={"weights.npy": weights()}))
def test_39_submitted_weights_earn_no_training_points(attacker: Attacker) -> None:
    """Predictions count as usual; the missing training costs the points for training, with a reason."""
    assert attacker.points("training") == 0
    assert "No training was recorded" in str(attacker.score("training").reason)


RETRY = """
import numpy as np
table = np.genfromtxt("leaves.csv", delimiter=",", skip_header=1)
X, y = table[:, :2], table[:, 2]
best, chosen = 0, 0
for seed in range(3000):  # luck, measured on the public rows
    labels = np.random.default_rng(seed).integers(0, 2, 16)
    score = np.mean(labels[np.arange(len(X)) % 16] == y)
    if score > best: best, chosen = score, seed
labels = np.random.default_rng(chosen).integers(0, 2, 16)
def predict(X): return labels[np.arange(len(X)) % 16]
print("accuracy", best)
"""


@hands_in(cells("40 retried", RETRY))
def test_40_luck_on_public_rows_earns_little(attacker: Attacker) -> None:
    assert attacker.points("accuracy") < 12


FAKE_TIME = """
import datetime, signal, time
real = time.sleep
time.time = time.monotonic = time.perf_counter = time.process_time = lambda: 0.0
signal.setitimer = signal.alarm = lambda *a: 0
asked = 0
while True:
    asked += 1
    real(0.1)
"""


@hands_in(cells("41 fake time", GUESS, FAKE_TIME, "x = 1"))
def test_41_time_is_measured_outside_the_notebook(attacker: Attacker) -> None:
    assert attacker.outcome == "timeout"
    assert "15 s" in attacker.reason
    assert LIMITS.seconds <= attacker.graded.run.cell_seconds < LIMITS.seconds + 10


# Anything but one number for each row is rejected with a message.
SHAPES = {
    "all pairs": "np.zeros((len(X), len(X)))",
    "empty": "np.array([])",
    "extra rows": "np.zeros(len(X) + 1)",
    "one row": "np.zeros(1)",
    "scalar": "0",
    "three axes": "np.zeros((len(X), 1, 1))",
    "lying": "np.zeros((1, len(X)))",
    "objects": "np.array([None] * len(X), dtype=object)",
    "ragged": "[[0], [0, 1]] * (len(X) // 2) + [[0]] * (len(X) % 2)",
    "masked": "np.ma.masked_all(len(X))",
    "half NaN": "np.where(np.arange(len(X)) % 2, np.nan, 1.0)",
    "minus one": "np.full(len(X), -1)",
    "strings": "np.array(['1'] * len(X))",
    "booleans": "np.zeros(len(X), bool)",
    "dates": "np.zeros(len(X), 'datetime64[s]')",
    "records": "np.zeros(len(X), [('a', int)])",
    "both classes": "np.full((len(X), 2), 1.0)",
}


@hands_in(
    *(cells(f"42 {name}", f"import numpy as np\ndef predict(X):\n    return {value}") for name, value in SHAPES.items())
)
def test_42_wrong_shapes_and_types_earn_nothing(attacker: Attacker) -> None:
    assert attacker.points("accuracy") == 0
    assert attacker.outcome == "ok"
    assert str(attacker.score("accuracy").reason)


COLUMN = HONEST + "\nplain = predict\ndef predict(X): return plain(X).reshape(-1, 1)"
PROBABILITY = HONEST + "\nplain = predict\ndef predict(X): return plain(X) * 0.8 + 0.1"
ONE_HOT = HONEST + "\nplain = predict\ndef predict(X): return np.eye(2)[plain(X)]"


@hands_in(
    cells("42 honest column", COLUMN), cells("42 honest probability", PROBABILITY), cells("42 honest one-hot", ONE_HOT)
)
def test_42_honest_predictions_in_other_forms_are_accepted(attacker: Attacker) -> None:
    assert attacker.total == HONEST_TOTAL


def test_43_public_rows_contain_no_hidden_row(classroom: Classroom) -> None:
    data = classroom.assignment.data
    assert data is not None
    public = {row.tobytes() for row in hidden_sets.public_table(data).inputs}
    assert not public & {row.tobytes() for row in classroom.hidden_inputs}


HOLDER = """
import ctypes, os, time
os.environ["CUDA_VISIBLE_DEVICES"] = "0,1,2,3"
os.environ["TF_FORCE_GPU_ALLOW_GROWTH"] = "false"
os.environ["XLA_FLAGS"] = "evil"
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        ctypes.CDLL(None).prctl(15, b"device-holder")
        time.sleep(600)
    os._exit(0)
os.wait()
"""
NEXT = """
import os
print("NEXT", os.environ.get("TF_FORCE_GPU_ALLOW_GROWTH"), os.environ.get("XLA_FLAGS"))
"""


@hands_in(cells("44 daemon", HOLDER, GUESS), cells("45 next", NEXT, HONEST))
def test_44_45_processes_and_settings_end_with_their_notebook(attacker: Attacker) -> None:
    assert attacker.points("runs") == 20
    assert "NEXT true None" in attacker.classroom["45 next"].printed
    assert [process.pid for process in psutil.process_iter(["name"]) if process.info["name"] == "device-holder"] == []


@pytest.mark.parametrize("name", ["00 honest", "zz honest"])
def test_honest_students_keep_their_points(classroom: Classroom, name: str) -> None:
    assert classroom[name].total == HONEST_TOTAL
