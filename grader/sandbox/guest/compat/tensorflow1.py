"""Names of TensorFlow 1: the few that only moved, and a clear word about those that nothing can run any more."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from . import log, refused
from .module_getattr import MISSING, serve
from .moved_names import TENSORFLOW


def start(tensorflow: ModuleType) -> None:
    def lookup(name: str) -> Any:
        if name in refused.TENSORFLOW:
            refused.refuse(f"tf.{name}", refused.TENSORFLOW[name])
        if name not in TENSORFLOW:
            return MISSING
        log.translated(f"tf.{name}", f"tf.{TENSORFLOW[name]}")
        value: Any = tensorflow
        for step in TENSORFLOW[name].split("."):
            value = getattr(value, step)
        return value

    def lookup_train(name: str) -> Any:
        if name in refused.TENSORFLOW_TRAIN:
            refused.refuse(f"tf.train.{name}", refused.TENSORFLOW_TRAIN[name])
        return MISSING

    serve(tensorflow, lookup)
    serve(tensorflow.train, lookup_train)
