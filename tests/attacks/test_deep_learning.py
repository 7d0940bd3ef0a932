"""C. What only deep learning makes possible: answers from elsewhere than from learning, models that carry code."""

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
from tests.attacks.classroom import GUESS, HONEST, HONEST_TOTAL, Classroom, Handed, One, cells, hands_in

LIMITS = Limits(seconds=15, memory_mb=2500, disk_mb=200, file_mb=100, processes=200, output_mb=0.5)

WHOLE_BATCH = """
def predict(X):
    middle = (X[:, 0] - X[:, 1]).mean()  # of whoever happens to be asked together
    return (X[:, 0] - X[:, 1] > middle).astype(int)
"""
FIT_INSIDE = """
from sklearn.cluster import KMeans
def predict(X):
    if len(X) < 2: return [0] * len(X)
    return KMeans(2, n_init=1, random_state=0).fit_predict(X)
"""


@hands_in(cells("32 batch mean", WHOLE_BATCH), cells("32 clusters the hidden rows", FIT_INSIDE))
def test_32_learning_from_the_hidden_rows_is_seen(one: One) -> None:
    """Rows are asked alone and in other company as well: answers that change are shown to the teacher."""
    assert one.graded.run.depends_on_neighbours
    assert any("rows around it" in str(reason) for reason in one.graded.grade.review_reasons)


LOOK_UP = """
import numpy as np
table = np.genfromtxt("leaves.csv", delimiter=",", skip_header=1)
known = {tuple(row[:2]): int(row[2]) for row in table}
def predict(X):
    return [known.get(tuple(row), 0) for row in X]
"""


@hands_in(cells("33 look-up", LOOK_UP))
def test_33_a_look_up_table_of_the_public_rows_answers_no_hidden_one(one: One) -> None:
    assert one.graded.run.facts.chosen is not None
    assert one.graded.run.facts.chosen.public_value == 1.0
    assert one.points("accuracy") == 0


HARD_CODED = (
    "LABELS = {labels}\ndef predict(X):\n    return LABELS[:len(X)] if len(X) <= 400 else (LABELS * 3)[:len(X)]"
)


class Knowing(Handed):
    """Somebody gave this student the hidden labels, in the order of the teacher's file."""

    def content(self, places: object) -> bytes:
        assert isinstance(places, dict)
        labels = hidden_sets.open_hidden_set(places["loaded"], places["secret"]).labels
        return Handed(self.name, [HARD_CODED.format(labels=labels.tolist())]).content({})


@hands_in(Knowing("34 true labels"))
def test_34_even_the_true_labels_in_a_fixed_order_are_worth_nothing(one: One) -> None:
    assert one.points("accuracy") < 12, "every run asks in an order of its own"
    assert one.graded.run.depends_on_neighbours


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
def test_35_no_caller_of_predict_holds_the_answers(one: One) -> None:
    assert one.points("accuracy") == 0


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
    """A ``.keras`` whose Lambda layer is marshalled code."""
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
def test_36_models_handed_in_are_never_loaded_by_the_grader(one: One) -> None:
    assert one.points("accuracy") == 0
    assert not Path("/tmp/grader-attack-ran").exists()
    assert not list(one.classroom.places.root.rglob("ran-here"))


@hands_in(cells("36 loaded by the student", BOMB_FILES, GUESS, files=WEIGHTS))
def test_36_a_model_that_the_notebook_loads_bursts_inside(confined: None, one: One) -> None:
    assert "HERE True" in one.printed
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
def test_37_the_students_model_never_runs_in_the_graders_process(one: One) -> None:
    assert one.points("accuracy") == 0
    assert one.points("runs") == 20, one.printed
    assert not (one.classroom.places.root / "marker").exists()


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
def test_38_a_curve_without_a_training_is_only_proposed(one: One) -> None:
    """A person looks at it: captions alone earn nothing unseen."""
    review = [str(reason) for reason in one.graded.grade.review_reasons]
    assert any("no recorded training has these numbers" in reason for reason in review)
    assert one.points("training") == 0
    assert one.points("accuracy") == 0


@hands_in(cells("38 pasted", PASTED, GUESS))
def test_38_a_pasted_picture_is_no_curve(one: One) -> None:
    assert one.points("curve") == 0
    assert one.points("training") == 0


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
def test_39_shipped_weights_show_no_training(one: One) -> None:
    """They answer as well as they answer; that nothing was trained here costs the points for training and is said."""
    assert one.points("training") == 0
    assert "No training was recorded" in str(one.score("training").reason)


RETRY = """
import numpy as np
table = np.genfromtxt("leaves.csv", delimiter=",", skip_header=1)
X, y = table[:, :2], table[:, 2]
best, chosen = 0, 0
for seed in range(3000):  # luck, judged on the rows that everybody has
    labels = np.random.default_rng(seed).integers(0, 2, 16)
    score = np.mean(labels[np.arange(len(X)) % 16] == y)
    if score > best: best, chosen = score, seed
labels = np.random.default_rng(chosen).integers(0, 2, 16)
def predict(X): return labels[np.arange(len(X)) % 16]
print("accuracy", best)
"""


@hands_in(cells("40 retried", RETRY))
def test_40_luck_on_public_rows_does_not_carry_over(one: One) -> None:
    assert one.points("accuracy") < 12


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
def test_41_time_is_measured_outside(one: One) -> None:
    assert one.outcome == "timeout"
    assert "15 s" in one.reason
    assert LIMITS.seconds <= one.graded.run.cell_seconds < LIMITS.seconds + 10


# One answer per row, in numbers, or the message says what was found and what was expected.
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
def test_42_shapes_and_types_that_broadcast_to_success_elsewhere(one: One) -> None:
    assert one.points("accuracy") == 0
    assert one.outcome == "ok"
    assert str(one.score("accuracy").reason)


COLUMN = HONEST + "\nplain = predict\ndef predict(X): return plain(X).reshape(-1, 1)"
PROBABILITY = HONEST + "\nplain = predict\ndef predict(X): return plain(X) * 0.8 + 0.1"
ONE_HOT = HONEST + "\nplain = predict\ndef predict(X): return np.eye(2)[plain(X)]"


@hands_in(
    cells("42 honest column", COLUMN), cells("42 honest probability", PROBABILITY), cells("42 honest one-hot", ONE_HOT)
)
def test_42_honest_answers_in_other_forms_are_understood(one: One) -> None:
    assert one.total == HONEST_TOTAL


def test_43_no_hidden_row_is_among_what_students_are_given(classroom: Classroom) -> None:
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
def test_44_45_no_process_stays_on_the_device_and_settings_end_with_their_notebook(one: One) -> None:
    assert one.points("runs") == 20
    assert "NEXT true None" in one.classroom["45 next"].printed
    assert [process.pid for process in psutil.process_iter(["name"]) if process.info["name"] == "device-holder"] == []


@pytest.mark.parametrize("name", ["00 honest", "zz honest"])
def test_honest_neighbours_keep_what_they_earned(classroom: Classroom, name: str) -> None:
    assert classroom[name].total == HONEST_TOTAL
