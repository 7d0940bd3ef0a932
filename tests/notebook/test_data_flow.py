"""Reading of code without running it: whether it trains, and whether a name depends on the data."""

from __future__ import annotations

import pytest

from grader.notebook.data_flow import calls_training, depends_on_data

FILES = {"leaves.csv"}
LOAD = 'import numpy as np\ntable = np.genfromtxt("leaves.csv", delimiter=",")\nX, y = table[:, :2], table[:, 2]'


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        pytest.param("model.fit(X, y)", True, id="fit"),
        pytest.param("for b in data:\n    net.train_on_batch(*b)", True, id="batches"),
        pytest.param("learn = model.partial_fit", True, id="not called by name"),
        pytest.param("loss.backward()\noptimizer.step()", True, id="PyTorch"),
        pytest.param("%run training.py", True, id="another file"),
        pytest.param("def broken(:", True, id="cannot be read"),
        pytest.param("exec(text)", True, id="code from text"),
        pytest.param("# model.fit(X, y)\nprint('model.fit(X, y)')", False, id="comment and text"),
        pytest.param("model = build()\nX_train, outfit = 1, 2", False, id="other words"),
        pytest.param("", False, id="nothing"),
    ],
)
def test_training_is_found_in_code_only(code: str, expected: bool) -> None:
    assert calls_training(["x = 1", code]) is expected


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("w = np.linalg.lstsq(X, y)[0]\ndef predict(X):\n    return X @ w", id="least squares"),
        pytest.param("w = 0\nfor row in X:\n    w = w + row\npredict = lambda rows: rows @ w", id="loop"),
        pytest.param("def learn(m): m.see(X)\nnet = Net()\nlearn(net)\ndef predict(r): return net(r)", id="method"),
        pytest.param("class Near:\n    def __init__(self): self.rows = X\npredict = Near()", id="class"),
        pytest.param("from helper import predict", id="module of the student"),
        pytest.param("from os import *", id="of unknown origin"),
        pytest.param("w = []\nw.append(X.mean())\ndef predict(rows): return rows > w[0]", id="appended"),
    ],
)
def test_predict_that_learns_depends_on_the_data(code: str) -> None:
    assert depends_on_data([LOAD, code], "predict", FILES, {"helper"})


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("def predict(X):\n    return (X[:, 0] > X[:, 1]).astype(int)", id="rule"),
        pytest.param("predict = lambda X: np.where(X[:, 0] > X[:, 1], 1, 0)", id="lambda"),
        pytest.param("w = np.array([1, -1])\ndef predict(X):\n    z = X @ w\n    return z > 0", id="constants"),
        pytest.param("w = np.load('weights.npy')\ndef predict(X):\n    return X @ w > 0", id="weights from a file"),
        pytest.param("def predict(X): return X[:, 0] > 5\nprint(np.mean(predict(X) == y))", id="evaluated"),
        pytest.param("class Rule:\n    def __call__(self, X): return X[:, 0] > 5\npredict = Rule()", id="class"),
    ],
)
def test_hard_coded_rule_does_not_depend_on_the_data(code: str) -> None:
    assert not depends_on_data([LOAD, code], "predict", FILES)
