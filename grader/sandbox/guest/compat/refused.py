"""What cannot be run faithfully any more: the name, what it was, and what to write today."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

_GRAPH = "is TensorFlow 1 graph code, which cannot be run any more. "

TENSORFLOW: Mapping[str, str] = {
    "Session": _GRAPH + "Today every line is computed at once: leave the session out and use the values themselves.",
    "InteractiveSession": _GRAPH + "Leave the session out and use the values themselves.",
    "placeholder": _GRAPH + "Give the data to a function, or use keras.Input(shape).",
    "contrib": "was TensorFlow 1's collection of extras and is gone. Most of it is in keras.layers now.",
    "get_default_graph": _GRAPH + "There is no default graph: leave the line out.",
    "get_default_session": _GRAPH + "There is no session: leave the line out.",
    "global_variables_initializer": _GRAPH + "Variables have their values from the start: leave the line out.",
    "get_variable": _GRAPH + "Use tf.Variable(value).",
    "variable_scope": _GRAPH + "Use a keras.layers.Layer, which keeps its variables.",
    "layers": _GRAPH + "Use keras.layers.",
    "app": "was TensorFlow 1's way to start a program. Call the function yourself.",
    "flags": "was TensorFlow 1's way to read options. Use plain variables.",
    "estimator": "is gone with TensorFlow 1. Use a keras.Model with compile() and fit().",
    "ConfigProto": "configured TensorFlow 1's sessions. There are none any more: leave it out.",
    "GPUOptions": "configured TensorFlow 1's sessions. There are none any more: leave it out.",
}
TENSORFLOW_TRAIN: Mapping[str, str] = {
    name: f"is a TensorFlow 1 optimizer. Use keras.optimizers.{today}(learning_rate=...)."
    for name, today in (
        ("AdamOptimizer", "Adam"),
        ("GradientDescentOptimizer", "SGD"),
        ("RMSPropOptimizer", "RMSprop"),
        ("AdagradOptimizer", "Adagrad"),
        ("MomentumOptimizer", "SGD"),
    )
}
BACKEND: Mapping[str, str] = {
    "gradients": _GRAPH + "Use 'with tf.GradientTape() as tape:' and tape.gradient(loss, variables).",
    "function": _GRAPH + "Use keras.Model(inputs, outputs) and call it with data.",
    "placeholder": _GRAPH + "Use keras.Input(shape).",
    "get_session": _GRAPH + "Leave the session out and use the values themselves.",
    "learning_phase": _GRAPH + "Say training=True or training=False when calling the model.",
    "set_learning_phase": _GRAPH + "Say training=True or training=False when calling the model.",
}
# These may be imported, for a notebook often imports more than it uses; used, they say why not.
CALLS: Mapping[str, str] = {
    "backend.set_session": _GRAPH + "TensorFlow sets itself up: leave the session out.",
    "models.model_from_yaml": "was taken out of Keras, for a YAML file can run code. Use model_from_json.",
    "utils.multi_gpu_model": "is gone. Build the model under tf.distribute.MirroredStrategy().scope().",
    "layers.Merge": "was Keras 1's. Use the functional API: keras.layers.concatenate([a, b]), add, multiply ...",
    "layers.MaxoutDense": "was Keras 1's and has no layer of today in its place.",
    "layers.Highway": "was Keras 1's and has no layer of today in its place.",
    "layers.AtrousConvolution2D": "was Keras 1's. Use keras.layers.Conv2D(..., dilation_rate=...).",
    "layers.LocallyConnected1D": "is gone from Keras 3; no layer of today computes the same.",
    "layers.LocallyConnected2D": "is gone from Keras 3; no layer of today computes the same.",
}
MODEL: Mapping[str, str] = {"to_yaml": "was taken out of Keras, for a YAML file can run code. Use model.to_json()."}


def refuse(name: str, why: str) -> NoReturn:
    raise AttributeError(f"{name} {why}")


class Refusing:
    """Stands where a name was; calling it says why it is gone."""

    def __init__(self, name: str, why: str) -> None:
        self._name, self._why = name, why

    def __call__(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        raise NotImplementedError(f"{self._name} {self._why}")
