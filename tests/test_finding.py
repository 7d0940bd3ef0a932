"""Notebooks that promise nothing: their answers are found, in real kernels, whatever the model and its inputs are."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from grader.execution import _array
from grader.records import Limits
from grader.sandbox.base import Job, Question
from grader.sandbox.guest import protocol
from grader.sandbox.guest.forms import Array
from grader.sandbox.guest.pictures import resized
from grader.sandbox.pool import NamespaceSandbox
from tests.notebooks import notebook_bytes

LIMITS = Limits(seconds=120, memory_mb=4000)
PUBLIC, HIDDEN = 600, 240


@pytest.fixture(scope="module")
def sandbox() -> Iterator[NamespaceSandbox]:
    opened = NamespaceSandbox(os.environ)
    yield opened
    opened.close()


@dataclass(frozen=True)
class Asked:
    """A question with its hidden answers, and the file that its notebooks read."""

    question: Question
    hidden_targets: Array
    file: Path


def asked(pictures: Array, targets: Array, file: Path, columns: tuple[str, ...] = ("x",)) -> Asked:
    rows = np.random.default_rng(3).integers(PUBLIC, len(pictures), protocol.ALONE + protocol.TOGETHER + HIDDEN)
    question = Question("classification", columns, pictures[:PUBLIC], targets[:PUBLIC], pictures[rows])
    return Asked(question, targets[rows], file)


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Asked:
    """scikit-learn's handwritten digits, as 28 by 28 bytes."""
    from sklearn.datasets import load_digits

    found = load_digits()
    large = resized(found.images[..., np.newaxis] * (255 / 16), 28, 28)[..., 0]
    pictures = np.clip(np.rint(large), 0, 255).astype(np.uint8)
    path = tmp_path_factory.mktemp("digits") / "digits.npz"
    np.savez(path, x=pictures[:PUBLIC], y=found.target[:PUBLIC])
    return asked(pictures, found.target, path)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Asked:
    """Three columns of very different size; the class is in the smallest, and one column says nothing."""
    rng = np.random.default_rng(5)
    inputs = np.column_stack([rng.normal(5000, 900, 1200), rng.normal(0, 0.01, 1200), rng.integers(0, 3, 1200)])
    targets = ((inputs[:, 1] > 0) ^ (inputs[:, 2] == 1)).astype(np.int64)
    path = tmp_path_factory.mktemp("table") / "table.csv"
    lines = [",".join(map(repr, map(float, [*row, target]))) for row, target in zip(inputs, targets, strict=True)]
    path.write_text("\n".join(["weight,slope,kind,real", *lines[:PUBLIC]]))
    return asked(inputs, targets, path, ("weight", "slope", "kind"))


@dataclass(frozen=True)
class Found:
    chosen: dict[str, Any] | None
    attempts: list[dict[str, Any]]
    versions: dict[str, str]
    accuracy: float | None  # on the hidden rows


def find(sandbox: NamespaceSandbox, one: Asked, *cells: str) -> Found:
    reply = sandbox.run(Job(notebook_bytes(*cells), {one.file.name: one.file}, LIMITS, question=one.question))
    assert reply.executed is not None and reply.facts is not None, reply.log
    failed = [cell["outputs"] for cell in json.loads(reply.executed)["cells"] if '"error"' in json.dumps(cell)]
    assert not failed, failed
    facts = json.loads(reply.facts)
    answers = _array(reply.predictions)
    accuracy = None if answers is None else float(np.mean(np.ravel(answers) == one.hidden_targets))
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
    "flattened by the model": ("model = train(dense(28, 28), x / 255.0)", "X / 255", "scores"),
    "raw bytes": ("model = train(dense(28, 28), x.astype('float32'), epochs=6)", "raw", "scores"),
    "from -1 to 1": (
        "model = train(dense(28, 28, 1), x[..., None] / 127.5 - 1)",
        "X / 127.5 - 1, with a channel",
        "scores",
    ),
    "standardised": (
        "z = (x - x.mean()) / x.std(); net = train(dense(28, 28), z)",
        "(X - mean) / std, of all together",
        "scores",
    ),
    "convolutions": (
        "model = train(keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Conv2D(8, 3, strides=2), "
        "keras.layers.Flatten(), keras.layers.Dense(10, 'softmax')]), x.reshape(-1, 28, 28, 1) / 255)",
        "X / 255, with a channel",
        "scores",
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
    "lost in a function": (
        "def work():\n    inner = train(dense(28, 28), x / 255)\nwork()",
        "X / 255",
        "scores",
    ),
    "in a dictionary": (
        "nets = {'wide': train(dense(784), x.reshape(-1, 784) / 255)}",
        "X / 255, flattened",
        "scores",
    ),
    "larger and in colours": (
        "import tensorflow as tf\n"
        "big = tf.image.grayscale_to_rgb(tf.image.resize(x[..., None], (32, 32))).numpy() / 255\n"
        "model = train(dense(32, 32, 3), big)",
        "X / 255, resized, RGB",
        "scores",
    ),
    "as ImageNet's networks": (
        "from keras.applications.vgg16 import preprocess_input\n"
        "z = preprocess_input(np.repeat(x[..., None], 3, -1).astype('float32'))\n"
        "softer = keras.Sequential([keras.Input((28, 28, 3)), keras.layers.Rescaling(0.01), dense(28, 28, 3)])\n"
        "model = train(softer, z)",
        "RGB, BGR - mean of ImageNet",
        "scores",
    ),
    "folders in the order of their names": (
        "class Flow:\n    class_indices = {name: at for at, name in enumerate(sorted(map(str, range(10)), reverse=True))}\n"
        "flow = Flow()\n"
        "model = train(dense(28, 28), x / 255, np.array([flow.class_indices[str(one)] for one in y]))",
        "X / 255",
        "scores, in the order of flow.class_indices",
    ),
    "an order that nobody tells": (
        "model = train(dense(28, 28), x / 255, (y * 3 + 4) % 10)",
        "X / 255",
        "scores, as the public data shows",
    ),
    "a subclass that says nothing": (
        "class Net(keras.Model):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.hidden, self.out = keras.layers.Dense(48, 'relu'), keras.layers.Dense(10, 'softmax')\n"
        "    def call(self, inputs):\n        return self.out(self.hidden(inputs))\n"
        "net = train(Net(), x.reshape(-1, 784) / 255)",
        "X / 255, flattened",
        "scores",
    ),
    "a line of scikit-learn": (
        "from sklearn.linear_model import LogisticRegression\n"
        "model = LogisticRegression(max_iter=60).fit(x.reshape(len(x), -1) / 255, y)",
        "flattened",
        "labels",
    ),
    "a pipeline": (
        "from sklearn.pipeline import make_pipeline\nfrom sklearn.preprocessing import StandardScaler\n"
        "from sklearn.neighbors import KNeighborsClassifier\n"
        "pipe = make_pipeline(StandardScaler(), KNeighborsClassifier(3)).fit(x.reshape(len(x), -1), y)",
        "flattened",
        "labels",
    ),
    "components of what was scaled": (
        "from sklearn.decomposition import PCA\nfrom sklearn.preprocessing import StandardScaler\n"
        "from sklearn.neighbors import KNeighborsClassifier\n"
        "scaler, pca = StandardScaler(), PCA(20)\n"
        "z = pca.fit_transform(scaler.fit_transform(x.reshape(len(x), -1) / 255.0))\n"
        "knn = KNeighborsClassifier(3).fit(z, y)",
        "X / 255, scaler, pca",
        "labels",
    ),
    "a search for parameters": (
        "from sklearn.model_selection import GridSearchCV\nfrom sklearn.neighbors import KNeighborsClassifier\n"
        "search = GridSearchCV(KNeighborsClassifier(), {'n_neighbors': [1, 3]}, cv=2).fit(x.reshape(len(x), -1), y)",
        "flattened",
        "labels",
    ),
    "labels that are words": (
        "from sklearn.neighbors import KNeighborsClassifier\n"
        "model = KNeighborsClassifier(1).fit(x.reshape(len(x), -1), np.array([f'the {n}' for n in 'jihgfedcba'])[y])",
        "flattened",
        "labels, as the public data shows",
    ),
    "labels that are numbers in words": (
        "from sklearn.neighbors import KNeighborsClassifier\n"
        "model = KNeighborsClassifier(1).fit(x.reshape(len(x), -1), y.astype(str))",
        "flattened",
        "labels",
    ),
    "counted from 1": (
        "from sklearn.neighbors import KNeighborsClassifier\n"
        "model = KNeighborsClassifier(1).fit(x.reshape(len(x), -1), y + 1)",
        "flattened",
        "labels, counted from 1",
    ),
}


@pytest.mark.parametrize(("cell", "preparation", "form"), NOTEBOOKS.values(), ids=NOTEBOOKS)
def test_pictures(sandbox: NamespaceSandbox, digits: Asked, cell: str, preparation: str, form: str) -> None:
    found = find(sandbox, digits, LOAD, cell)
    assert found.chosen is not None, found.attempts
    assert (found.chosen["preparation"], found.chosen["form"]) == (preparation, form), found.attempts
    assert found.accuracy is not None and found.accuracy > 0.7, found
