"""Models and calls of ``fit`` for the comparison with Keras."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from .comparison import Chain

ROWS, COLUMNS = 42, 5


def table(rows: int = ROWS, columns: int = COLUMNS, kinds: int = 2) -> tuple[Any, Any]:
    """Return random inputs in float64 and labels that depend on them; the global random state stays as it is."""
    numbers = np.random.default_rng(rows)
    x = numbers.normal(size=(rows, columns))
    return x, np.digitize(x[:, 0] + x[:, 1], np.linspace(-1, 1, kinds - 1) if kinds > 2 else [0.0])


def fitted(x: Any, y: Any, **arguments: Any) -> Callable[[], dict[str, Any]]:
    return lambda: (
        {"x": x, "y": y, "batch_size": 8}
        | {key: value() if key == "callbacks" else value for key, value in arguments.items()}
    )


def sequential(*layers: Any, inputs: tuple[int, ...] | None, dtype: str | None = None, **compiled: Any) -> Any:
    import keras

    first = [] if inputs is None else [keras.Input(inputs, dtype=dtype)]
    model = keras.Sequential([*first, *(layer() for layer in layers)])
    model.compile(**{"optimizer": "adam", "loss": "mse"} | compiled)
    return model


def layer(name: str, *args: Any, **kwargs: Any) -> Callable[[], Any]:
    """Return a function that makes the layer, with its weights and seeds, when a model is built."""

    def make() -> Any:
        import keras

        return getattr(keras.layers, name)(*args, **kwargs)

    return make


def callback(name: str, *args: Any, **kwargs: Any) -> Callable[[], list[Any]]:
    def make() -> list[Any]:
        import keras

        return [getattr(keras.callbacks, name)(*args, **kwargs)]

    return make


def slower(epoch: int, rate: float) -> float:
    return rate * (0.5 if epoch else 1.0)


# ------------------------------------------------------------------ arguments of fit


def _frames() -> dict[str, Any]:
    import pandas as pd

    x, y = table()
    return {"x": pd.DataFrame(x), "y": pd.Series(y), "batch_size": 8}


def _tensors() -> dict[str, Any]:
    import tensorflow as tf

    x, y = table()
    return {"x": tf.constant(x), "y": tf.constant(y), "batch_size": 8}


def _data_set() -> dict[str, Any]:
    import tensorflow as tf

    return {"x": tf.data.Dataset.from_tensor_slices(table()).batch(8), "shuffle": False}


def _validated_by_a_data_set() -> dict[str, Any]:
    x, y = table()
    return {"x": x, "y": y, "batch_size": 8, "validation_data": _data_set()["x"]}


X, Y = table()
WEIGHTS = np.linspace(0.1, 2, ROWS)
OPTIONS: dict[str, Callable[[], dict[str, Any]]] = {
    "plain": fitted(X, Y),
    "full batches": fitted(X[:40], Y[:40]),
    "in order": fitted(X, Y, shuffle=False),
    "one batch": fitted(X, Y, batch_size=64),
    "batches of one": fitted(X, Y, batch_size=1),
    "default batches": fitted(X, Y, batch_size=None),
    "other batches": fitted(X, Y, batch_size=5),
    "fewer rows": fitted(X[:20], Y[:20]),
    "validation split": fitted(X, Y, validation_split=0.2),
    "validation data": fitted(X, Y, validation_data=(X[:9], Y[:9]), epochs=3),
    "validation batches": fitted(X, Y, validation_data=(X[:9], Y[:9]), validation_batch_size=4),
    "weighted validation": fitted(X, Y, validation_data=(X[:9], Y[:9], WEIGHTS[:9])),
    "every second epoch": fitted(X, Y, validation_split=0.3, validation_freq=2, epochs=4),
    "validated by a data set": _validated_by_a_data_set,
    "sample weights": fitted(X, Y, sample_weight=WEIGHTS),
    "weights split off": fitted(X, Y, sample_weight=WEIGHTS, validation_split=0.25),
    "class weights": fitted(X, Y, class_weight={0: 1.0, 1: 3.0}),
    "later epochs": fitted(X, Y, initial_epoch=2, epochs=4),
    "no epoch": fitted(X, Y, epochs=0),
    "single precision": fitted(X.astype("float32"), Y.astype("float32")),
    "tensors": _tensors,
    "progress bar": fitted(X, Y, verbose=1, validation_split=0.2),
    "one line": fitted(X, Y, verbose=2),
    "automatic": fitted(X, Y, verbose="auto"),
    "early stopping": fitted(
        X, Y, validation_split=0.2, epochs=6,
        callbacks=callback("EarlyStopping", patience=1, min_delta=0.5, restore_best_weights=True),
    ),
    "plateau": fitted(X, Y, callbacks=callback("ReduceLROnPlateau", monitor="loss", patience=1, min_delta=9), epochs=4),
    "schedule": fitted(X, Y, callbacks=callback("LearningRateScheduler", slower)),
    "checkpoints": fitted(X, Y, callbacks=callback("ModelCheckpoint", "best.keras", "loss", save_best_only=True)),
    "log": fitted(X, Y, callbacks=callback("CSVLogger", "log.csv")),
    "data set": _data_set,
    "order of batches": fitted(X, Y, shuffle="batch"),
    "ends at nan": fitted(X, Y, callbacks=callback("TerminateOnNaN")),
    "steps": fitted(X, Y, steps_per_epoch=3),
    "again": fitted(X, Y),
}  # fmt: skip
UNORDERED = "operations that depend on how often they ran"
# Keras does not train a model on labels in a column after others in a row.
COLUMN = {"plain": fitted(X, Y.reshape(-1, 1), validation_split=0.2), "data frame": _frames}
PLAIN = {
    "validated by a data set": "the data are not arrays in random or fixed order",
    "data set": "the data are not arrays in random or fixed order",
    "order of batches": "the data are not arrays in random or fixed order",
    "ends at nan": "callbacks that act on batches",
    "steps": "several steps per call",
}


# ------------------------------------------------------------------ models


def binary(**compiled: Any) -> Any:
    return sequential(
        layer("Dense", 6, activation="relu"), layer("Dropout", 0.3), layer("Dense", 1, activation="sigmoid"),
        inputs=(COLUMNS,), loss="binary_crossentropy", metrics=["accuracy"], **compiled,
    )  # fmt: skip


def regression(optimizer: Callable[[], Any] | str = "rmsprop", loss: Any = "mse", **compiled: Any) -> Any:
    return sequential(
        layer("Dense", 3, activation="tanh"), layer("Dense", 1), inputs=(COLUMNS,), loss=loss,
        optimizer=optimizer() if callable(optimizer) else optimizer, **compiled,
    )  # fmt: skip


def optimizer(name: str, **kwargs: Any) -> Callable[[], Any]:
    def make() -> Any:
        import keras

        return getattr(keras.optimizers, name)(**kwargs)

    return make


def decaying(**kwargs: Any) -> Any:
    import keras

    return keras.optimizers.SGD(keras.optimizers.schedules.ExponentialDecay(0.1, 3, 0.7), **kwargs)


def two_in_two_out() -> Any:
    import keras

    left, right = keras.Input((COLUMNS,), name="left"), keras.Input((2,), name="right")
    both = keras.layers.Concatenate()([keras.layers.Dense(3)(left), right])
    outputs = [
        keras.layers.Dense(1, name="number")(both),
        keras.layers.Dense(3, activation="softmax", name="kind")(both),
    ]
    model = keras.Model([left, right], outputs)
    losses = {"number": "mse", "kind": "sparse_categorical_crossentropy"}
    model.compile("adam", losses, loss_weights={"number": 0.3, "kind": 1.0}, metrics={"kind": ["accuracy"]})
    return model


def noisy() -> Any:
    """Return a model with random numbers that depend on how often their operation ran."""
    import keras
    import tensorflow as tf

    class Noise(keras.layers.Layer):  # type: ignore[misc]
        def call(self, inputs: Any) -> Any:
            return inputs + tf.random.normal(tf.shape(inputs))

    return sequential(Noise, layer("Dense", 1), inputs=(COLUMNS,))


def distance(truth: Any, found: Any) -> Any:
    import keras

    return keras.ops.mean(keras.ops.abs(keras.ops.cast(truth, found.dtype) - found) ** 1.5)


def _two_in_two_out_fits() -> dict[str, Callable[[], dict[str, Any]]]:
    right, kind = X[:, :2], table(kinds=3)[1]
    lists, words = ([X, right], [Y, kind]), ({"left": X, "right": right}, {"number": Y, "kind": kind})
    return {
        "lists": fitted(*lists),
        "by name": fitted(*words, validation_split=0.2),
        "validated": fitted(*lists, validation_data=lists),
        "weighted": fitted(*lists, sample_weight=[WEIGHTS, WEIGHTS[::-1].copy()]),
        "in order": fitted(*lists, shuffle=False),
    }


OPTIMIZERS: dict[str, Callable[[], Any]] = {
    "SGD": optimizer("SGD", momentum=0.9, nesterov=True),
    "SGD with a schedule": decaying,
    "AdamW": optimizer("AdamW", clipnorm=0.5),
    "Nadam": optimizer("Nadam"),
    "accumulated": optimizer("Adam", gradient_accumulation_steps=2),
    "averaged": optimizer("Adam", use_ema=True, ema_overwrite_frequency=3),
}
SLOW_OPTIMIZERS: dict[str, Callable[[], Any]] = {
    name: optimizer(name) for name in ("Adagrad", "Adadelta", "Adamax", "Ftrl", "Lion", "Lamb", "RMSprop", "Adafactor")
}


def _both_ways() -> Any:
    return layer("Bidirectional", layer("GRU", 3)())()


def kinds_of(x: Any) -> dict[str, Callable[[], dict[str, Any]]]:
    kinds = np.arange(len(x)) % 3
    return {"plain": fitted(x, kinds), "validation split": fitted(x, kinds, validation_split=0.25, shuffle=False)}


_NUMBERS = np.random.default_rng(1)
PICTURES = _NUMBERS.normal(size=(30, 8, 8, 2)).astype("float32")
SERIES = _NUMBERS.normal(size=(30, 6, 4)).astype("float32")
WORDS = _NUMBERS.integers(0, 20, size=(30, 7))
FLATTEN, LONGEST = layer("Flatten"), layer("GlobalMaxPooling1D")
NETWORKS: dict[str, tuple[Any, list[Callable[[], Any]]]] = {
    "convolutions": (PICTURES, [layer("Conv2D", 4, 3, activation="relu"), layer("MaxPooling2D"), FLATTEN]),
    "batch normalisation": (PICTURES, [layer("Conv2D", 4, 3), layer("BatchNormalization"), FLATTEN]),
    "augmentation": (PICTURES, [layer("RandomFlip", seed=1), layer("RandomRotation", 0.1), FLATTEN]),
    "separable": (PICTURES, [layer("SeparableConv2D", 4, 3), layer("SpatialDropout2D", 0.3), FLATTEN]),
    "LSTM": (SERIES, [layer("LSTM", 4)]),
    "GRU both ways": (SERIES, [_both_ways]),
    "simple recurrent": (SERIES, [layer("SimpleRNN", 4, dropout=0.2)]),
    "series": (SERIES, [layer("Conv1D", 4, 3), LONGEST]),
    "words": (WORDS, [layer("Embedding", 20, 4), layer("Conv1D", 4, 3, activation="relu"), LONGEST]),
    "masked words": (WORDS, [layer("Embedding", 20, 4, mask_zero=True), layer("LSTM", 3)]),
    "noise": (SERIES, [layer("LayerNormalization"), layer("GaussianNoise", 0.2), FLATTEN]),
}


def network(x: Any, layers: list[Callable[[], Any]]) -> Any:
    loss, kind = "sparse_categorical_crossentropy", layer("Dense", 3, activation="softmax")
    return sequential(*layers, kind, inputs=x.shape[1:], loss=loss, metrics=["accuracy"])


SHORT = {name: OPTIONS[name] for name in ("plain", "validation split")}
MIDDLE = {name: OPTIONS[name] for name in ("plain", "full batches", "in order", "validation split", "sample weights")}

CHAINS = [
    Chain("dense with dropout", binary, OPTIONS, PLAIN),
    Chain("two inputs and outputs", two_in_two_out, _two_in_two_out_fits()),
    Chain("not built yet", partial(sequential, layer("BatchNormalization"), layer("Dense", 1), inputs=None), SHORT),
    Chain("labels in a column", binary, COLUMN),
    Chain("custom loss", partial(regression, loss=distance, metrics=["mae"]), SHORT),
    *(Chain(name, partial(regression, made), SHORT) for name, made in OPTIMIZERS.items()),
    Chain("compiled with XLA", partial(regression, jit_compile=True), MIDDLE),
    Chain("random numbers of TensorFlow", noisy, {"plain": OPTIONS["plain"]}, {"plain": UNORDERED}),
]
SLOW_CHAINS = [
    Chain("dense, compiled with XLA", partial(binary, jit_compile=True), OPTIONS, PLAIN),
    *(Chain(name, partial(regression, made), SHORT) for name, made in SLOW_OPTIMIZERS.items()),
    *(Chain(name, partial(network, x, layers), kinds_of(x)) for name, (x, layers) in NETWORKS.items()),
]
