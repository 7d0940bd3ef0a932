"""Compute the visualisations of hand-made networks on the backend that Keras runs on, to compare backends.

KERAS_BACKEND=jax python -m tests.reference.on_backend answers.npz
"""

from __future__ import annotations

import sys
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from reference.visualization.activations import activation_model
from reference.visualization.filters import ascend, filter_pattern, noise, responses
from reference.visualization.gradcam import heatmap
from reference.visualization.gradients import input_gradient
from reference.visualization.layers import layer_named, maps_of_any_size

layers = keras.layers
PHOTO = np.random.default_rng(5).random((8, 8, 3), np.float32)


def with_weights(model: keras.Model, seed: int = 0) -> keras.Model:
    """Set the same weights on every backend."""
    rng = np.random.default_rng(seed)
    model.set_weights([rng.normal(0, 0.5, weight.shape).astype(np.float32) for weight in model.get_weights()])
    return model


def averaged() -> keras.Model:
    """Build one convolution, an average over places and a dense layer: its Grad-CAM is known in closed form."""
    return with_weights(
        keras.Sequential(
            [
                keras.Input((8, 8, 3)),
                layers.Conv2D(4, 1, activation="relu", name="maps"),
                layers.GlobalAveragePooling2D(),
                layers.Dense(3, activation="softmax"),
            ]
        )
    )


def nested() -> keras.Model:
    """Build a functional base with a residual connection between a rescaling and a head, as VGG16 is used."""
    photo = keras.Input((8, 8, 3))
    first = layers.Conv2D(6, 3, padding="same", activation="relu", name="first")(photo)
    second = layers.Conv2D(6, 3, padding="same", activation="relu", name="second")(first)
    base = keras.Model(photo, layers.MaxPooling2D(name="pool")(layers.Add(name="sum")([first, second])), name="base")
    head = [layers.Flatten(), layers.Dropout(0.5), layers.Dense(1, activation="sigmoid")]
    return with_weights(keras.Sequential([keras.Input((8, 8, 3)), layers.Rescaling(2.0), base, *head]))


def answers() -> dict[str, NDArray[np.float32]]:
    ops = keras.ops
    tensor = ops.convert_to_tensor(np.array([1.0, -2.0, 3.0], np.float32))
    model = nested()
    maps = maps_of_any_size(model, layer_named(model, "second"))
    start = noise(12, 3, seed=1)[np.newaxis]
    response = responses(maps, [2])
    climbed = ascend(response, start, steps=4, rate=1.0)
    found = {
        "gradient": input_gradient(lambda values: ops.sum(values**3), tensor),
        "no gradient": input_gradient(lambda values: ops.sum(ops.zeros_like(values)), tensor),
        "averaged": heatmap(averaged(), PHOTO, class_index=1),
        "nested 0": heatmap(model, PHOTO, class_index=0),
        "nested 1": heatmap(model, PHOTO, class_index=1),
        "responses": np.array(
            [ops.convert_to_numpy(response(ops.convert_to_tensor(pictures))) for pictures in (start, climbed)]
        ),
        "pattern": filter_pattern(averaged(), "maps", 0, size=12, steps=3),
        "sums": activation_model(model, 4).predict(PHOTO[np.newaxis], verbose=0)[3],
    }
    return {name: ops.convert_to_numpy(value) for name, value in found.items()}


if __name__ == "__main__":
    np.savez(sys.argv[1], **dict[str, Any](answers()))
