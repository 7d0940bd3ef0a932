"""Honest notebooks with unusual habits: each earns what it should, or a person is told before it costs points."""

from __future__ import annotations

import pytest

from grader.models.assignment import Limits
from tests.attacks.classroom import HONEST_TOTAL, Attacker, Classroom, cells, hands_in

LIMITS = Limits(seconds=120, predict_seconds=60, memory_mb=2500, disk_mb=200, file_mb=100, processes=200)

TABLE = """
import numpy as np
table = np.genfromtxt("leaves.csv", delimiter=",", skip_header=1)
X, y = table[:, :2], table[:, 2].astype(int)
"""
KERAS = """
import keras
def build(*shape, outputs=1):
    layers = [keras.Input(shape), keras.layers.Dense(16, "relu"), keras.layers.Dense(outputs, "sigmoid")]
    model = keras.Sequential(layers)
    model.compile(keras.optimizers.Adam(0.03), "binary_crossentropy", metrics=["accuracy"])
    return model
def train(model, inputs, targets=y, epochs=12):
    return model.fit(inputs, targets, epochs=epochs, batch_size=16, verbose=0)
"""
LOGISTIC = "from sklearn.linear_model import LogisticRegression\n"

# ---------------------------------------------------------------- predict(X) with habits of its own

NORMALISED = """
from sklearn.preprocessing import StandardScaler
scaler = StandardScaler().fit(X)
clf = LogisticRegression().fit(scaler.transform(X), y)
def predict(rows): return clf.predict(rows)
"""
NORMALISED_BY_HAND = """
mean, std = X.mean(axis=0), X.std(axis=0)
net = build(2); train(net, (X - mean) / std)
def predict(rows):  # of normalised rows
    return (net.predict(rows, verbose=0) > 0.5).astype(int)
"""
ONE_OR_TWO = """
clf = LogisticRegression().fit(X, y + 1)
def predict(rows): return clf.predict(rows)
"""
WORDS = """
names = np.array(["round", "long"])
clf = LogisticRegression().fit(X, y)
def predict(rows): return [str(name) for name in names[clf.predict(rows)]]
"""
OTHER_ARGUMENTS = """
net = build(2); train(net, X)
def predict(model, rows, threshold): return model.predict(rows) > threshold
"""
OWN_TRANSFORM = """
def prepare(rows): return np.log1p(rows) ** 3
net = LogisticRegression(max_iter=2000).fit(prepare(X), y)
def predict(rows): return net.predict(prepare(rows))
"""


@hands_in(
    cells("predict of normalised rows", TABLE, LOGISTIC + NORMALISED),
    cells("predict of rows normalised by hand", TABLE, KERAS, NORMALISED_BY_HAND),
    cells("predict gives 1 and 2", TABLE, LOGISTIC + ONE_OR_TWO),
    cells("predict gives words", TABLE, LOGISTIC + WORDS),
    cells("predict has other arguments", TABLE, KERAS, OTHER_ARGUMENTS),
    cells("predict transforms by itself", TABLE, LOGISTIC + OWN_TRANSFORM),
)
def test_predict_with_other_habits_earns_all_points(attacker: Attacker) -> None:
    assert attacker.points("accuracy") == 60, attacker.graded.run.facts
    assert not blocked(attacker)


# ---------------------------------------------------------------- columns cut and computed

TWO_INPUTS = """
a, b = keras.Input((1,)), keras.Input((1,))
joined = keras.layers.Concatenate()([keras.layers.Dense(8, "relu")(a), keras.layers.Dense(8, "relu")(b)])
net = keras.Model([a, b], keras.layers.Dense(1, "sigmoid")(keras.layers.Dense(16, "relu")(joined)))
net.compile(keras.optimizers.Adam(0.03), "binary_crossentropy")
train(net, [X[:, 1:], X[:, :1]], epochs=25)
"""
NAMED_INPUTS = """
a, b = keras.Input((1,), name="width"), keras.Input((2,), name="both")
joined = keras.layers.Concatenate()([a, b])
net = keras.Model({"width": a, "both": b}, keras.layers.Dense(1, "sigmoid")(keras.layers.Dense(16, "relu")(joined)))
net.compile(keras.optimizers.Adam(0.03), "binary_crossentropy")
train(net, {"width": X[:, 1:], "both": X}, epochs=25)
"""
COMPUTED = """
more = np.c_[X, X[:, 0] - X[:, 1]]
net = build(3); train(net, more)
"""
COMPUTED_AND_SCALED = """
import pandas as pd
from sklearn.preprocessing import StandardScaler
frame = pd.read_csv("leaves.csv")
frame["ratio"] = frame["length"] / (frame["width"] + 1)
features = frame[["length", "width", "ratio"]]
scaler = StandardScaler()
net = build(3); train(net, scaler.fit_transform(features))
"""
COMPUTED_FOR_A_TREE = """
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
frame = pd.read_csv("leaves.csv")
frame["longer"] = frame["length"] - frame["width"]
forest = RandomForestClassifier(30).fit(frame[["longer", "length"]], frame["kind"])
"""
SWAPPED = """
from sklearn.tree import DecisionTreeClassifier
model = DecisionTreeClassifier(max_depth=6).fit(X[:, ::-1], y)
"""


@hands_in(
    cells("two inputs", TABLE, KERAS, TWO_INPUTS),
    cells("inputs with names", TABLE, KERAS, NAMED_INPUTS),
    cells("computed column", TABLE, KERAS, COMPUTED),
    cells("computed column, scaled", TABLE, KERAS, COMPUTED_AND_SCALED),
    cells("computed column for a forest", TABLE, COMPUTED_FOR_A_TREE),
    cells("columns in another order", TABLE, SWAPPED),
)
def test_cut_and_computed_columns_are_found(attacker: Attacker) -> None:
    assert attacker.points("accuracy") > 55, attacker.graded.run.facts
    assert not blocked(attacker)


# ---------------------------------------------------------------- several models

WORSE_LAST = """
first = LogisticRegression().fit(X, y)
print(first.score(X, y))
second = LogisticRegression().fit(X[:, ::-1] * 0 + np.random.default_rng(0).normal(size=X.shape), y)
print(second.score(X, y))
"""
BASELINE_CALLED_MODEL = """
from sklearn.dummy import DummyClassifier
from sklearn.tree import DecisionTreeClassifier
model = DecisionTreeClassifier(max_depth=1).fit(X, y)
best_model = LogisticRegression().fit(X, y)
print(model.score(X, y), best_model.score(X, y))
"""


OVERFITTED_RIVAL = """
from sklearn.model_selection import train_test_split
from sklearn.tree import DecisionTreeClassifier
noisy = np.where(np.random.default_rng(1).random(len(y)) < 0.25, 1 - y, y)
A, B, a, b = train_test_split(X, noisy, random_state=0)
first = LogisticRegression().fit(A, a)
tree = DecisionTreeClassifier().fit(A, a)
print(first.score(B, b), tree.score(B, b))
"""


@hands_in(
    cells("overfitted model last", TABLE, LOGISTIC + OVERFITTED_RIVAL),
    cells("worse model last", TABLE, LOGISTIC + WORSE_LAST),
    cells("baseline called model", TABLE, LOGISTIC + BASELINE_CALLED_MODEL),
)
def test_best_of_several_models_answers(attacker: Attacker) -> None:
    assert attacker.points("accuracy") == 60, attacker.graded.run.facts
    chosen = attacker.graded.run.facts.chosen
    assert chosen is not None and chosen.source in ("first", "best_model")
    assert chosen.source in attacker.report
    assert not blocked(attacker)


# ---------------------------------------------------------------- loss curves

PLOT = "import matplotlib.pyplot as plt\n"
EPOCH_BY_EPOCH = """
net, losses = build(2), []
for epoch in range(8):
    losses.append(train(net, X, epochs=1).history["loss"][0])
plt.plot(losses); plt.show()
"""
BATCH_BY_BATCH = """
net, means = build(2), []
for epoch in range(6):
    losses = [net.train_on_batch(X[at:at + 20], y[at:at + 20])[0] for at in range(0, 300, 20)]
    means.append(np.mean(losses))
plt.plot(means); plt.show()
"""
TAPE = """
import tensorflow as tf
net, loss, optimizer = build(2), keras.losses.BinaryCrossentropy(), keras.optimizers.Adam(0.03)
losses = []
for epoch in range(100):
    with tf.GradientTape() as tape:
        value = loss(y[:, None], net(X.astype("float32")))
    optimizer.apply_gradients(zip(tape.gradient(value, net.trainable_variables), net.trainable_variables))
    losses.append(float(value))
plt.plot(losses); plt.show()
"""
WITHOUT_OPTIMIZER = """
import tensorflow as tf
w, losses = tf.Variable(tf.zeros((2, 1))), []
for epoch in range(30):
    with tf.GradientTape() as tape:
        value = tf.reduce_mean((tf.cast(X, tf.float32) @ w - y[:, None].astype("float32")) ** 2)
    w.assign_sub(0.001 * tape.gradient(value, w))
    losses.append(float(value))
plt.plot(losses); plt.show()
"""
SMOOTHED = """
losses = train(build(2), X, epochs=20).history["loss"]
plt.plot(np.convolve(losses, np.ones(4) / 4, mode="valid")); plt.show()
"""
AVERAGED = """
import pandas as pd
history = pd.DataFrame(train(build(2), X, epochs=20).history)
history["loss"].ewm(alpha=0.3, adjust=False).mean().plot(); plt.show()
"""
LOGARITHM = "plt.plot(np.log(train(build(2), X).history['loss'])); plt.show()"
SCATTER = "losses = train(build(2), X).history['loss']; plt.scatter(range(len(losses)), losses); plt.show()"
BARS = "losses = train(build(2), X).history['loss']; plt.bar(range(len(losses)), losses); plt.show()"
KEPT_BY_A_PIPELINE = """
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
clf = make_pipeline(StandardScaler(), MLPClassifier((8,), max_iter=20, random_state=0)).fit(X, y)
plt.plot(clf[-1].loss_curve_); plt.show()
"""
FROM_A_FILE = "plt.plot(train(build(2), X).history['loss']); plt.savefig('loss.png'); plt.close()"
SHOW_FILE = "from IPython.display import Image, display\ndisplay(Image('loss.png'))"


@hands_in(
    cells("curve of single epochs", TABLE, KERAS, PLOT + EPOCH_BY_EPOCH),
    cells("curve of batches", TABLE, KERAS, PLOT + BATCH_BY_BATCH),
    cells("curve of a tape", TABLE, KERAS, PLOT + TAPE),
    cells("curve without an optimizer", TABLE, KERAS, PLOT + WITHOUT_OPTIMIZER),
    cells("curve smoothed", TABLE, KERAS, PLOT + SMOOTHED),
    cells("curve averaged", TABLE, KERAS, PLOT + AVERAGED),
    cells("curve as logarithm", TABLE, KERAS, PLOT + LOGARITHM),
    cells("curve of points", TABLE, KERAS, PLOT + SCATTER),
    cells("curve of bars", TABLE, KERAS, PLOT + BARS),
    cells("curve kept by a pipeline", TABLE, PLOT + KEPT_BY_A_PIPELINE),
    cells("curve from a file", TABLE, KERAS, PLOT + FROM_A_FILE, SHOW_FILE),
)
def test_unusual_loss_curves_are_recognised(attacker: Attacker) -> None:
    score = attacker.score("curve")
    assert (score.points, score.review) == (10, None), (score, attacker.printed, attacker.graded.run.facts.figures)
    assert not blocked(attacker)


UNKNOWN_NUMBERS = """
clf = LogisticRegression().fit(X, y)
plt.plot([np.mean(y != (X[:, 0] > part)) / part for part in range(1, 9)]); plt.show()
"""
UNKNOWN_PICTURE = """
from PIL import Image
clf = LogisticRegression().fit(X, y)
display(Image.new("RGB", (8, 8)))
"""


@hands_in(
    cells("curve of numbers unknown", TABLE, LOGISTIC, PLOT + UNKNOWN_NUMBERS),
    cells("curve in a picture", TABLE, LOGISTIC, UNKNOWN_PICTURE),
)
def test_pictures_that_may_be_the_curve_wait_for_a_person(attacker: Attacker) -> None:
    score = attacker.score("curve")
    assert score.points is None and score.review is not None, attacker.printed
    assert score.review in attacker.graded.grade.review_reasons
    assert attacker.total is None


# ---------------------------------------------------------------- threads

POOL = """
import time
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor(300) as pool:
    print(sum(pool.map(lambda number: time.sleep(0.5) or number, range(300))))
"""


@hands_in(cells("300 threads", TABLE, LOGISTIC, POOL, "model = LogisticRegression().fit(X, y)"))
def test_too_many_threads_fail_one_cell_only(attacker: Attacker) -> None:
    assert attacker.outcome == "error"
    assert "can't start new thread" in attacker.printed
    assert attacker.points("runs") == 15
    assert attacker.points("accuracy") == 60


# ---------------------------------------------------------------- nothing can be read

MYSTERY = """
rng = np.random.default_rng(0)
mixed = np.tanh(X @ rng.normal(size=(2, 7)))
model = LogisticRegression().fit(mixed, y)
"""
SEVERAL_UNKNOWN = """
a, b = keras.Input((2,)), keras.Input((5,))
net = keras.Model([a, b], keras.layers.Dense(1, "sigmoid")(keras.layers.Concatenate()([a, b])))
net.compile("adam", "binary_crossentropy")
train(net, [X, np.random.default_rng(0).normal(size=(300, 5))], epochs=1)
"""


@hands_in(
    cells("unreadable inputs", TABLE, LOGISTIC + MYSTERY),
    cells("unreadable second input", TABLE, KERAS, SEVERAL_UNKNOWN),
)
def test_trained_model_that_cannot_be_asked_waits_for_a_person(attacker: Attacker) -> None:
    score = attacker.score("accuracy")
    assert score.points is None
    assert "A model was trained, but no predictions" in str(score.review)
    assert score.review in attacker.graded.grade.review_reasons
    assert attacker.total is None


# ---------------------------------------------------------------- never seen training, and known trainings

RULE = "def predict(X):\n    return (X[:, 0] > X[:, 1]).astype(int)\nprint(predict(X).mean())"
WEIGHTS_FROM_ELSEWHERE = """
net = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, "sigmoid")])
net.set_weights([np.array([[5.0], [-5.0]]), np.zeros(1)])
"""
FORGED_TRAINING = (
    RULE
    + """
import sys
trained = sys.modules["guest.record.trained"]
class Learner: pass
trained.note_training(Learner())
"""
)


@hands_in(
    cells("hard-coded rule", TABLE, RULE),
    cells("weights from elsewhere", TABLE, KERAS.partition("def train")[0], WEIGHTS_FROM_ELSEWHERE),
    cells("training claimed only", TABLE, FORGED_TRAINING),
)
def test_model_never_seen_training_waits_for_a_person(attacker: Attacker) -> None:
    score = attacker.score("accuracy")
    assert score.points is None and score.value is not None and score.value > 0.9
    assert "never seen training" in str(score.review)
    assert attacker.total is None


DUMMY_TRAINING = """
model = LogisticRegression().fit(np.random.default_rng(0).normal(size=X.shape), y)
def predict(X):
    model.predict(X)
    return (X[:, 0] > X[:, 1]).astype(int)
"""


@hands_in(cells("rule behind a model", TABLE, LOGISTIC + DUMMY_TRAINING))
def test_predict_far_better_than_every_model_waits_for_a_person(attacker: Attacker) -> None:
    score = attacker.score("accuracy")
    assert score.points is None
    assert "far better" in str(score.review)


GRADIENT_DESCENT = """
w, b = np.zeros(2), 0.0
for step in range(4000):
    p = 1 / (1 + np.exp(-(X @ w + b)))
    w -= 0.1 * X.T @ (p - y) / len(y); b -= 0.1 * (p - y).mean()
def predict(rows): return (rows @ w + b > 0).astype(int)
"""
TAPE_ONLY = TAPE.replace("plt.plot(losses); plt.show()", "")
PARTIAL = """
from sklearn.linear_model import SGDClassifier
clf = SGDClassifier(loss="log_loss", random_state=0)
for epoch in range(30): clf.partial_fit(X, y, classes=[0, 1])
"""
LOADED = """
net = build(2); train(net, X); net.save("net.keras"); del net
best = keras.models.load_model("net.keras")
def predict(rows): return best.predict(rows, verbose=0)[:, 0]
"""
TORCH = """
import numpy as np
__version__ = "2.0"
class Tensor:
    def __init__(self, numbers): self.numbers, self.shape = np.asarray(numbers, float), np.shape(numbers)
    def detach(self): return self
    def cpu(self): return self
    def __float__(self): return float(self.numbers)
    def __array__(self, dtype=None, copy=None): return self.numbers
    def backward(self): pass
class nn:
    class Module:
        pass
class optim:
    class Optimizer:
        def __init__(self, params): self.param_groups = [{"params": list(params)}]
        def step(self): raise NotImplementedError
    class SGD(Optimizer):
        def step(self):
            for weight in self.param_groups[0]["params"]: weight.numbers += weight.grad
"""
USE_TORCH = """
import torch
w, losses = torch.Tensor(np.zeros(2)), []
optimizer = torch.optim.SGD([w])
for step in range(300):
    p = 1 / (1 + np.exp(-X @ w.numbers))
    loss = torch.Tensor(-np.mean(np.where(y == 1, np.log(p), np.log(1 - p))))
    w.grad = -0.1 * X.T @ (p - y) / len(y)
    loss.backward(); optimizer.step(); losses.append(float(loss))
plt.plot(losses); plt.show()
def predict(rows): return (rows @ w.numbers > 0).astype(int)
"""


@hands_in(
    cells("gradient descent by hand", TABLE, GRADIENT_DESCENT),
    cells("gradient tape", TABLE, KERAS, TAPE_ONLY),
    cells("partial fits", TABLE, PARTIAL),
    cells("loaded again", TABLE, KERAS, LOADED),
    cells("like PyTorch", TABLE, PLOT + USE_TORCH, files={"torch.py": TORCH.encode()}),
)
def test_trained_models_of_every_kind_earn_their_points(attacker: Attacker) -> None:
    assert attacker.points("accuracy") > 55, (attacker.printed, attacker.graded.run.facts)
    assert not blocked(attacker)


@hands_in(cells("like PyTorch, loss drawn", TABLE, PLOT + USE_TORCH, files={"torch.py": TORCH.encode()}))
def test_losses_of_backward_are_recorded(attacker: Attacker) -> None:
    (fit,) = attacker.graded.run.facts.fits
    assert (fit.model, fit.steps, len(fit.curves["loss"])) == ("SGD", 300, 200)
    assert attacker.points("curve") == 10


# ---------------------------------------------------------------- time of the probe

THIRTY_SLOW = """
import time
from sklearn.base import BaseEstimator, ClassifierMixin
class Slow(ClassifierMixin, BaseEstimator):
    def fit(self, X, y):
        self.done_ = True
        return self
    def predict(self, X):
        time.sleep(8)
        return np.zeros(len(X), int)
models = [Slow().fit(X, y) for number in range(30)]
"""


@hands_in(cells("30 slow models", TABLE, THIRTY_SLOW))
def test_thirty_slow_models_share_the_seconds_of_one(attacker: Attacker) -> None:
    run = attacker.graded.run
    assert run.seconds - run.cell_seconds < LIMITS.predict_seconds + 25, "30 models of 8 s would take 4 minutes"
    assert any("the time for the search was over" in attempt.problem for attempt in run.facts.attempts)


def blocked(attacker: Attacker) -> bool:
    return attacker.total is None


@pytest.mark.parametrize("name", ["00 honest", "zz honest"])
def test_honest_students_keep_their_points(classroom: Classroom, name: str) -> None:
    assert classroom[name].total == HONEST_TOTAL
