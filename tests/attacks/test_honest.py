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


@hands_in(
    cells("worse model last", TABLE, LOGISTIC + WORSE_LAST),
    cells("baseline called model", TABLE, LOGISTIC + BASELINE_CALLED_MODEL),
)
def test_best_of_several_models_answers(attacker: Attacker) -> None:
    assert attacker.points("accuracy") == 60, attacker.graded.run.facts
    chosen = attacker.graded.run.facts.chosen
    assert chosen is not None and chosen.source in ("first", "best_model")
    assert chosen.source in attacker.report
    assert not blocked(attacker)


def blocked(attacker: Attacker) -> bool:
    return attacker.total is None


@pytest.mark.parametrize("name", ["00 honest", "zz honest"])
def test_honest_students_keep_their_points(classroom: Classroom, name: str) -> None:
    assert classroom[name].total == HONEST_TOTAL
