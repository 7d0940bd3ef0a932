"""Notebooks without ``predict(X)``: the model, its inputs and its outputs are found, in real kernels."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from grader.execution.predictions import parse_array
from grader.models.assignment import Limits
from grader.sandbox.base import Job, Question
from grader.sandbox.guest import protocol
from grader.sandbox.guest.output_forms import Array
from grader.sandbox.guest.probe.reshaping import resize
from grader.sandbox.namespaces import NamespaceSandbox
from tests.support.notebooks import notebook_bytes

LIMITS = Limits(seconds=120, memory_mb=4000)
PUBLIC, HIDDEN = 600, 240


@dataclass(frozen=True)
class Data:
    """A question with its hidden targets, and the file that the notebooks read."""

    question: Question
    hidden_targets: Array
    file: Path


def split(inputs: Array, targets: Array, file: Path, columns: tuple[str, ...] = ("x",)) -> Data:
    """Make the first ``PUBLIC`` rows public, and draw hidden rows from the others."""
    rows = np.random.default_rng(3).integers(PUBLIC, len(inputs), protocol.SINGLE_ROWS + protocol.BATCH_ROWS + HIDDEN)
    question = Question("classification", columns, inputs[:PUBLIC], targets[:PUBLIC], inputs[rows])
    return Data(question, targets[rows], file)


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Data:
    """Return scikit-learn's handwritten digits, resized to 28 by 28 bytes."""
    from sklearn.datasets import load_digits

    found = load_digits()
    large = resize(found.images[..., np.newaxis] * (255 / 16), 28, 28)[..., 0]
    images = np.clip(np.rint(large), 0, 255).astype(np.uint8)
    path = tmp_path_factory.mktemp("digits") / "digits.npz"
    np.savez(path, x=images[:PUBLIC], y=found.target[:PUBLIC])
    return split(images, found.target, path)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Data:
    """Return a table with columns on very different scales; the class depends on two of them, the third is noise."""
    rng = np.random.default_rng(5)
    inputs = np.column_stack([rng.normal(5000, 900, 1200), rng.normal(0, 0.01, 1200), rng.integers(0, 3, 1200)])
    targets = ((inputs[:, 1] > 0) ^ (inputs[:, 2] == 1)).astype(np.int64)
    path = tmp_path_factory.mktemp("table") / "table.csv"
    lines = [",".join(map(repr, map(float, [*row, target]))) for row, target in zip(inputs, targets, strict=True)]
    path.write_text("\n".join(["weight,slope,kind,real", *lines[:PUBLIC]]))
    return split(inputs, targets, path, ("weight", "slope", "kind"))


@dataclass(frozen=True)
class Found:
    chosen: dict[str, Any] | None
    attempts: list[dict[str, Any]]
    versions: dict[str, str]
    accuracy: float | None  # on the hidden rows


def find(sandbox: NamespaceSandbox, data: Data, *cells: str) -> Found:
    """Run a notebook and return what the probe found in it."""
    reply = sandbox.run(Job(notebook_bytes(*cells), {data.file.name: data.file}, LIMITS, question=data.question))
    assert reply.executed is not None and reply.facts is not None, reply.log
    failed = [cell["outputs"] for cell in json.loads(reply.executed)["cells"] if '"error"' in json.dumps(cell)]
    assert not failed, failed
    facts = json.loads(reply.facts)
    predictions = parse_array(reply.predictions)
    single = predictions is None or np.isfinite(predictions[: protocol.SINGLE_ROWS]).all()
    assert single, "single rows are predicted too"
    accuracy = None if predictions is None else float(np.mean(np.ravel(predictions) == data.hidden_targets))
    return Found(facts["chosen"], facts["attempts"], facts["versions"], accuracy)


LOAD = """
import numpy as np, keras
data = np.load("digits.npz")
x, y = data["x"], data["y"]
def train(model, inputs, targets=y, loss="sparse_categorical_crossentropy", epochs=4):
    model.compile(keras.optimizers.Adam(0.003), loss, metrics=["accuracy"])
    model.fit(inputs, targets, epochs=epochs, batch_size=32, verbose=0)
    return model
def dense(*shape, last="softmax", outputs=10):
    layers = [keras.Input(shape), keras.layers.Flatten(), keras.layers.Dense(48, "relu")]
    return keras.Sequential([*layers, keras.layers.Dense(outputs, last)])
"""

NOTEBOOKS = {
    "flattened by the notebook": (
        "model = train(dense(784), x.reshape(-1, 784) / 255)",
        "X / 255, flattened",
        "scores",
    ),
    "raw bytes": ("model = train(dense(28, 28), x.astype('float32'), epochs=6)", "raw", "scores"),
    "standardized": (
        "z = (x - x.mean()) / x.std(); net = train(dense(28, 28), z)",
        "(X - mean) / std, of all together",
        "scores",
    ),
    "convolutions on -1 to 1": (
        "model = train(keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Conv2D(8, 3, strides=2), "
        "keras.layers.Flatten(), keras.layers.Dense(10, 'softmax')]), x.reshape(-1, 28, 28, 1) / 127.5 - 1)",
        "X / 127.5 - 1, with a channel",
        "scores",
    ),
    "model in a dictionary": (
        "from sklearn.neighbors import KNeighborsClassifier\n"
        "models = {'near': KNeighborsClassifier(1).fit(x.reshape(len(x), -1), y)}",
        "flattened",
        "labels",
    ),
    "logits": (
        "loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)\n"
        "model = train(dense(28, 28, last=None), x / 255, loss=loss)",
        "X / 255",
        "scores",
    ),
    "one-hot": (
        "model = train(dense(28, 28), x / 255, keras.utils.to_categorical(y), 'categorical_crossentropy')",
        "X / 255",
        "scores",
    ),
    "model inside a function": (
        "def work():\n    inner = train(dense(28, 28), x / 255)\nwork()",
        "X / 255",
        "scores",
    ),
    "resized to RGB": (
        "import tensorflow as tf\n"
        "big = tf.image.grayscale_to_rgb(tf.image.resize(x[..., None], (32, 32))).numpy() / 255\n"
        "model = train(dense(32, 32, 3), big)",
        "X / 255, resized, RGB",
        "scores",
    ),
    "ImageNet preprocessing": (
        "from keras.applications.vgg16 import preprocess_input\n"
        "z = preprocess_input(np.repeat(x[..., None], 3, -1).astype('float32'))\n"
        "softer = keras.Sequential([keras.Input((28, 28, 3)), keras.layers.Rescaling(0.01), dense(28, 28, 3)])\n"
        "model = train(softer, z)",
        "RGB, BGR - mean of ImageNet",
        "scores",
    ),
    "class_indices of folders": (
        "class Flow:\n    class_indices = {name: at for at, name in enumerate('0 1 3 2 9 8 7 6 5 4'.split())}\n"
        "flow = Flow()\n"
        "model = train(dense(28, 28), x / 255, np.array([flow.class_indices[str(one)] for one in y]))",
        "X / 255",
        "scores, ordered",
    ),
    "class order without a name": (
        "model = train(dense(28, 28), x / 255, (y * 3 + 4) % 10)",
        "X / 255",
        "scores, as the public data shows",
    ),
    "subclass without an input shape": (
        "class Net(keras.Model):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.hidden, self.out = keras.layers.Dense(48, 'relu'), keras.layers.Dense(10, 'softmax')\n"
        "    def call(self, inputs):\n        return self.out(self.hidden(inputs))\n"
        "net = train(Net(), x.reshape(-1, 784) / 255)",
        "X / 255, flattened",
        "scores",
    ),
    "logistic regression": (
        "from sklearn.linear_model import LogisticRegression\n"
        "model = LogisticRegression(max_iter=60).fit(x.reshape(len(x), -1) / 255, y)",
        "X / 255, flattened",
        "labels",
    ),
    "pipeline": (
        "from sklearn.pipeline import make_pipeline\nfrom sklearn.preprocessing import StandardScaler\n"
        "from sklearn.neighbors import KNeighborsClassifier\n"
        "pipe = make_pipeline(StandardScaler(), KNeighborsClassifier(3)).fit(x.reshape(len(x), -1), y)",
        "flattened",
        "labels",
    ),
    "scaler and PCA": (
        "from sklearn.decomposition import PCA\nfrom sklearn.preprocessing import StandardScaler\n"
        "from sklearn.neighbors import KNeighborsClassifier\n"
        "scaler, pca = StandardScaler(), PCA(20)\n"
        "z = pca.fit_transform(scaler.fit_transform(x.reshape(len(x), -1) / 255.0))\n"
        "knn = KNeighborsClassifier(3).fit(z, y)",
        "X / 255, scaler, pca",
        "labels",
    ),
    "grid search": (
        "from sklearn.model_selection import GridSearchCV\nfrom sklearn.neighbors import KNeighborsClassifier\n"
        "search = GridSearchCV(KNeighborsClassifier(), {'n_neighbors': [1, 3]}, cv=2).fit(x.reshape(len(x), -1), y)",
        "flattened",
        "labels",
    ),
    "labels are words": (
        "from sklearn.neighbors import KNeighborsClassifier\n"
        "model = KNeighborsClassifier(1).fit(x.reshape(len(x), -1), np.array([f'the {n}' for n in 'jihgfedcba'])[y])",
        "flattened",
        "labels, as the public data shows",
    ),
    "labels are numbers as text": (
        "from sklearn.neighbors import KNeighborsClassifier\n"
        "model = KNeighborsClassifier(1).fit(x.reshape(len(x), -1), y.astype(str))",
        "flattened",
        "labels",
    ),
    "labels counted from 1": (
        "from sklearn.neighbors import KNeighborsClassifier\n"
        "model = KNeighborsClassifier(1).fit(x.reshape(len(x), -1), y + 1)",
        "flattened",
        "labels, counted from 1",
    ),
}


TABLES = {
    "pipeline with column names": (
        "from sklearn.compose import ColumnTransformer\nfrom sklearn.pipeline import make_pipeline\n"
        "from sklearn.preprocessing import OneHotEncoder, StandardScaler\nfrom sklearn.svm import SVC\n"
        "parts = ColumnTransformer([('a', StandardScaler(), ['slope']), ('b', OneHotEncoder(), ['kind'])])\n"
        "model = make_pipeline(parts, SVC()).fit(frame[['kind', 'slope', 'weight']], y)",
        "data frame",
        "labels",
    ),
    "two columns in another order": (
        "from sklearn.tree import DecisionTreeClassifier\n"
        "model = DecisionTreeClassifier().fit(frame[['kind', 'slope']], y)",
        "data frame",
        "labels",
    ),
    "scaler of two columns and a network": (
        "from sklearn.preprocessing import MinMaxScaler\n"
        "scaler = MinMaxScaler().fit(frame[['kind', 'slope']])\n"
        "model = train(keras.Sequential([keras.Input((2,)), keras.layers.Dense(16, 'relu'), "
        "keras.layers.Dense(1, 'sigmoid')]), scaler.transform(frame[['kind', 'slope']]))",
        "scaler",
        "probability",
    ),
    "standardized by hand": (
        "z = (frame[['weight', 'slope', 'kind']] - frame[['weight', 'slope', 'kind']].mean()) / frame.std()[:3]\n"
        "model = train(keras.Sequential([keras.Input((3,)), keras.layers.Dense(16, 'relu'), "
        "keras.layers.Dense(1, 'sigmoid')]), z)",
        "(X - mean) / std",
        "probability",
    ),
    "standardized, logits, second of two models": (
        "model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])  # never trained\n"
        "z = ((frame - frame.mean()) / frame.std()).to_numpy()[:, :3]\n"
        "net2 = train(keras.Sequential([keras.Input((3,)), keras.layers.Dense(16, 'relu'), keras.layers.Dense(1)]), z, "
        "keras.losses.BinaryCrossentropy(from_logits=True))",
        "(X - mean) / std",
        "logit",
    ),
    "network in a scikit-learn wrapper": (
        "from tensorflow.keras.wrappers.scikit_learn import KerasClassifier\n"
        "def build():\n"
        "    layers = keras.layers.Dense(16, 'relu'), keras.layers.Dense(1, 'sigmoid')\n"
        "    net = keras.Sequential([keras.Input((3,)), *layers])\n"
        "    net.compile(keras.optimizers.Adam(0.02), 'binary_crossentropy')\n"
        "    return net\n"
        "z = ((frame - frame.mean()) / frame.std()).to_numpy()[:, :3]\n"
        "model = KerasClassifier(build_fn=build, epochs=8, verbose=0)\n"
        "model.fit(z, y)",
        "(X - mean) / std",
        "labels",
    ),
    "own class": (
        "class Rule:\n    def predict(self, X):\n        return ((X[:, 1] > 0) ^ (X[:, 2] == 1)).astype(int)\n"
        "rule = Rule()",
        "raw",
        "labels",
    ),
}

LOAD_TABLE = """
import numpy as np, pandas as pd, keras
frame = pd.read_csv("table.csv")
y = frame["real"]
def train(model, inputs, loss="binary_crossentropy"):
    model.compile(keras.optimizers.Adam(0.02), loss)
    model.fit(inputs, y, epochs=8, verbose=0)
    return model
"""

# A fake with the parts of PyTorch that are used: the real one needs gigabytes.
TORCH = """
import sys, types
class Tensor:
    device, dtype = "cpu", np.float32
    def __init__(self, numbers): self.numbers = np.asarray(numbers)
    def to(self, what): return Tensor(self.numbers.astype(what)) if what is np.float32 else self
    def detach(self): return self
    def cpu(self): return self
    def __array__(self, dtype=None, copy=None): return self.numbers
class Module:
    training = True
    def modules(self):
        yield self
        for part in vars(self).values():
            if isinstance(part, Module): yield from part.modules()
    def parameters(self): return (part.weight for part in self.modules() if hasattr(part, "weight"))
    def eval(self):
        for part in self.modules(): part.training = False
    def __call__(self, X): return self.forward(X)
class Linear(Module):
    in_features = 784
    def __init__(self, weight): self.weight = Tensor(weight)
    def forward(self, X): return Tensor(X.numbers @ self.weight.numbers)
class no_grad:
    def __enter__(self): Module.graded = False
    def __exit__(self, *error): Module.graded = True
torch, torch.nn = types.ModuleType("torch"), types.ModuleType("torch.nn")
torch.nn.Module, torch.as_tensor, torch.no_grad, torch.__version__ = Module, Tensor, no_grad, "2.0"
sys.modules.update({"torch": torch, "torch.nn": torch.nn})
class Net(Module):
    def __init__(self, weight): self.layer = Linear(weight)
    def forward(self, X):
        assert not self.training and not self.graded
        return self.layer(X)
class Loss(Module):
    pass
weight = np.linalg.lstsq(x.reshape(-1, 784) / 255, np.eye(10)[y], rcond=0.01)[0].astype(np.float32)
net, criterion = Net(weight), Loss()
"""

NOTEBOOKS["PyTorch"] = (TORCH, "X / 255, flattened", "scores")


@pytest.fixture(scope="module")
def runs(warm: NamespaceSandbox, digits: Data, table: Data) -> Iterator[dict[str, Future[Found]]]:
    """Run all notebooks, two at a time."""
    with ThreadPoolExecutor(2) as pool:
        found = {name: pool.submit(find, warm, digits, LOAD, cells[0]) for name, cells in NOTEBOOKS.items()}
        found |= {name: pool.submit(find, warm, table, LOAD_TABLE, cells[0]) for name, cells in TABLES.items()}
        yield found


@pytest.mark.parametrize("name", [*NOTEBOOKS, *TABLES])
def test_preparation_and_decoding_are_found(runs: dict[str, Future[Found]], name: str) -> None:
    _cell, preparation, form = (NOTEBOOKS | TABLES)[name]
    found = runs[name].result()
    assert found.chosen is not None, found.attempts
    assert (found.chosen["preparation"], found.chosen["form"]) == (preparation, form), found.attempts
    assert found.accuracy is not None and found.accuracy > 0.7, found


def test_facts_hold_the_version_of_pytorch(runs: dict[str, Future[Found]]) -> None:
    assert runs["PyTorch"].result().versions["torch"] == "2.0"


def test_real_pytorch_model_is_found(warm: NamespaceSandbox, digits: Data) -> None:
    pytest.importorskip("torch")
    cell = """
import torch
from torch import nn
net = nn.Sequential(nn.Conv2d(1, 8, 3, stride=2), nn.ReLU(), nn.Dropout(), nn.Flatten(), nn.Linear(8 * 13 * 13, 10))
inputs, targets = torch.tensor(x[:, None] / 255, dtype=torch.float32), torch.tensor(y)
optimizer = torch.optim.Adam(net.parameters(), 0.005)
for _ in range(30):
    optimizer.zero_grad()
    nn.functional.cross_entropy(net(inputs), targets).backward()
    optimizer.step()
"""
    found = find(warm, digits, LOAD, cell)
    assert found.chosen is not None, found.attempts
    assert (found.chosen["preparation"], found.chosen["form"]) == ("X / 255, channels first", "scores")
    assert found.accuracy is not None and found.accuracy > 0.7, found


def test_real_pytorch_class_trained_by_a_loop_is_found(warm: NamespaceSandbox, table: Data) -> None:
    """Train as learners do: a class of their own, a DataLoader, a loop, and the weights loaded again."""
    pytest.importorskip("torch")
    cell = """
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset
torch.manual_seed(0)
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
class Net(nn.Module):
    def __init__(self, columns):
        super().__init__()
        self.norm = nn.BatchNorm1d(columns)
        self.fc1 = nn.Linear(columns, 32)
        self.drop = nn.Dropout(0.2)
        self.fc2 = nn.Linear(32, 1)
    def forward(self, x):
        return torch.sigmoid(self.fc2(self.drop(torch.relu(self.fc1(self.norm(x))))))
x = frame[["weight", "slope", "kind"]].values.astype("float32")
inputs, targets = torch.from_numpy(x), torch.tensor(y.values, dtype=torch.float32)
loader = DataLoader(TensorDataset(inputs, targets), batch_size=32, shuffle=True)
model, criterion = Net(inputs.shape[1]).to(device), nn.BCELoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
losses = []
for epoch in range(15):
    model.train()
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(model(xb.to(device)).squeeze(1), yb.to(device))
        loss.backward()
        optimizer.step()
    losses.append(loss.item())
torch.save(model.state_dict(), "model.pth")
model.load_state_dict(torch.load("model.pth"))
"""
    found = find(warm, table, LOAD_TABLE, cell)
    assert found.chosen is not None, found.attempts
    assert (found.chosen["preparation"], found.chosen["form"]) == ("raw", "probability"), found.attempts
    assert found.accuracy is not None and found.accuracy > 0.7, found


def test_padding_of_tokens_is_found(warm: NamespaceSandbox, tmp_path: Path) -> None:
    rng = np.random.default_rng(6)
    words = rng.integers(3, 40, (1200, 9))
    targets = rng.integers(0, 3, 1200)
    words[np.arange(1200), rng.integers(0, 9, 1200)] = targets  # one token tells the class
    np.savez(tmp_path / "words.npz", x=words[:PUBLIC], y=targets[:PUBLIC])
    cell = """
x, y = data["x"], data["y"]
long = keras.utils.pad_sequences(x + 1, 12, padding="post")
layers = [keras.Input((12,)), keras.layers.Embedding(42, 8), keras.layers.GlobalMaxPooling1D()]
net = train(keras.Sequential([*layers, keras.layers.Dense(3, "softmax")]), long, y, epochs=15)
"""
    data = split(words + 1, targets, tmp_path / "words.npz")
    found = find(warm, data, LOAD.replace("digits.npz", "words.npz"), cell)
    assert found.chosen is not None, found.attempts
    assert "padded at the" in found.chosen["preparation"], "either end: the model uses only the maximum"
    assert found.accuracy is not None and found.accuracy > 0.7, found


# ---------------------------------------------------------------- nothing fits

MISFITS = """
two = keras.Model(ins := [keras.Input((28, 28)), keras.Input((3,))],
                  keras.layers.Dense(10)(keras.layers.Concatenate()([keras.layers.Flatten()(ins[0]), ins[1]])))
odd = keras.Sequential([keras.Input((5, 5, 5, 2)), keras.layers.Flatten(), keras.layers.Dense(10)])
"""


def test_models_that_do_not_fit_are_noted(warm: NamespaceSandbox, digits: Data) -> None:
    found = find(warm, digits, LOAD, MISFITS)
    assert (found.chosen, found.accuracy) == (None, None)
    problems = {attempt["source"]: attempt["problem"] for attempt in found.attempts}
    assert problems["two"] == "ValueError: the model takes 2 inputs; define predict(X) to prepare them"
    assert "the model takes rows of shape (5, 5, 5, 2); the data has rows of shape (28, 28)" in problems["odd"]


def test_predict_gets_the_raw_images(warm: NamespaceSandbox, digits: Data) -> None:
    predict = (
        "def predict(X):\n    assert X.shape[1:] == (28, 28) and X.dtype == np.uint8\n    return np.zeros(len(X), int)"
    )
    found = find(warm, digits, LOAD, "model = train(dense(28, 28), x / 255)", predict)
    first = found.attempts[0]
    assert (first["source"], first["preparation"], first["problem"]) == ("predict(X)", "raw", "")
    assert found.chosen is not None and found.chosen["source"] == "model", "predict(X) is no better than guessing"
    assert found.accuracy is not None and found.accuracy > 0.7


# ---------------------------------------------------------------- hostile objects

HOSTILE = """
import sys, numpy as np
from sklearn.base import BaseEstimator
from sklearn.neighbors import KNeighborsClassifier
guest = sys.modules["guest.protocol"]
guest.ATTEMPT_SECONDS = 0.5  # so that this test is short
class Says:
    def __init__(self, **words): self.__dict__.update(words)
class Raises:
    def __getattr__(self, name): raise RuntimeError(name)
class Endless(BaseEstimator):
    def __init__(self): self.done_ = True
    def fit(self, X, y): pass
    def predict(self, X):
        while True: pass
class Liar(keras.Sequential):
    shape = (None, 28)
    @property
    def input_shape(self): return self.shape
def liar(shape):
    made = Liar([keras.Input((28, 28)), keras.layers.Flatten(), keras.layers.Dense(10)])
    made.shape = shape
    return made
class Unprintable(Exception):
    def __str__(self): raise self
class Fails(BaseEstimator):
    def __init__(self): self.done_ = True
    def fit(self, X, y): pass
    def predict(self, X): raise Unprintable
raises, names = Raises(), Says(classes_=np.arange(10**7)[::-1], class_indices={n: "x" for n in range(10)})
more = Says(class_indices={str(n): 10**30 + n for n in range(10)}, class_names=[np, None, 1, 2])
backwards = Says(class_indices={str(9 - n): n for n in range(10)}, transform=lambda X: 1 / 0)
good = KNeighborsClassifier(1).fit(x.reshape(len(x), -1), y)
huge, deep = liar((None, 10**9)), liar((None, *[10**4] * 50))
failing, endless = Fails(), Endless()
class Nobody:
    predict = print
    @property
    def __class__(self): raise RuntimeError
nobody = Nobody()
class Slow:
    @property
    def classes_(self):
        while True: pass
slow = Slow()
"""


def test_hostile_objects_are_noted_and_skipped(warm: NamespaceSandbox, digits: Data) -> None:
    found = find(warm, digits, LOAD, HOSTILE)
    problems = {attempt["source"]: attempt["problem"] for attempt in found.attempts}
    assert all("impossible input shape" in problems[name] for name in ("huge", "deep"))
    assert problems["failing"] == "Unprintable"
    assert problems["endless"].startswith("TimeoutError")
    assert found.chosen is not None and found.chosen["source"] == "good"
    assert found.accuracy is not None and found.accuracy > 0.8


BATCH_STATISTICS = """
class Net:
    def predict(self, X):
        bright = X.mean(axis=(1, 2))
        return (bright > bright.mean()).astype(int)
net = Net()
"""


def test_model_with_batch_statistics_predicts_differently_alone(warm: NamespaceSandbox, digits: Data) -> None:
    reply = warm.run(Job(notebook_bytes(BATCH_STATISTICS), {}, LIMITS, question=digits.question))
    predictions = parse_array(reply.predictions)
    assert predictions is not None and not predictions[: protocol.SINGLE_ROWS].any()
    assert 0.2 < predictions[protocol.SINGLE_ROWS + protocol.BATCH_ROWS :].mean() < 0.8
