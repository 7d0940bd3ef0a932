"""Layers and parameters of the model that predicts."""

from __future__ import annotations

import json
from typing import Any

import pytest

from grader.models.assignment import Limits
from grader.sandbox.base import Job
from grader.sandbox.namespaces import NamespaceSandbox
from tests.support.confined import errors, texts
from tests.support.notebooks import notebook_bytes

BASE = """
import keras, numpy as np
from keras import layers
X = np.zeros((1, 12, 12, 3), "float32")
def net(*front):
    return keras.Sequential([keras.Input((12, 12, 3)), *front, layers.Flatten(), layers.Dense(1, "sigmoid")])
"""


def network(sandbox: NamespaceSandbox, cell: str) -> Any:
    reply = sandbox.run(Job(notebook_bytes(BASE, cell), {}, Limits(seconds=300)))
    assert errors(reply) == [None, None], texts(reply)
    return json.loads(reply.facts or b"{}")["network"]


def test_summary_counts_layers_and_parameters(warm: NamespaceSandbox) -> None:
    found = network(
        warm,
        "class Block(layers.Conv2D): pass\n"
        "three = [layers.Conv2D(4, 3), Block(4, 3), layers.SeparableConv2D(4, 3)]\n"
        "base = keras.Sequential([keras.Input((12, 12, 3)), *three])\n"
        "base.trainable = False\n"
        "model = keras.Sequential([base, layers.Flatten(), layers.Dense(2)])\n"
        "model.build((None, 12, 12, 3))\nmodel.extra = layers.Conv2D(8, 3)\n"
        "other = keras.Sequential([keras.Input((2,)), layers.Dense(1)])",
    )
    assert (found["name"], found["input_shape"]) == ("model", "(None, 12, 12, 3)")
    assert found["layers"] == {"Conv2D": 2, "SeparableConv2D": 1, "Flatten": 1, "Dense": 1}
    dense = 6 * 6 * 4 * 2 + 2
    assert (found["trainable"], found["frozen"]) == (dense, 3)
    assert found["parameters"] == dense + (3 * 9 * 4 + 4) + (4 * 9 * 4 + 4) + (4 * 9 + 16 + 4)


@pytest.mark.parametrize(
    ("cell", "layers"),
    [
        pytest.param(
            "class Conv2D(layers.Layer):\n    def call(self, x): return x\nmodel = net(Conv2D(), Conv2D())",
            {"Layer": 2, "Flatten": 1, "Dense": 1},
            id="own class with the name of a layer",
        ),
        pytest.param(
            "class Own(keras.Model):\n"
            "    def __init__(self):\n        super().__init__()\n"
            "        self.a = layers.Dense(3); self.b = [layers.Conv2D(2, 3)]\n"
            "    def call(self, x): return self.a(x)\n"
            "model = Own(); model(X[:1].reshape(1, -1))",
            {"Dense": 1},
            id="layer that is never built",
        ),
        pytest.param("model = 3", None, id="no model"),
    ],
)
def test_unused_and_fake_layers_do_not_count(warm: NamespaceSandbox, cell: str, layers: dict[str, int] | None) -> None:
    found = network(warm, cell)
    assert (found and found["layers"]) == layers
