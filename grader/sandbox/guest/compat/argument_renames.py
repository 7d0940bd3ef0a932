"""Tables of argument names of Keras 1 and 2 and their present names. ``arguments`` applies them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

# Today's name; None for an argument without effect; or a function from the old value to today's arguments.
Rename = str | None | Callable[[Any], dict[str, Any]]
Renames = Mapping[str, Rename]


def _data_format(ordering: Any) -> dict[str, Any]:
    formats = {"tf": "channels_last", "th": "channels_first", "default": None}
    if ordering not in formats:
        raise TypeError(f"dim_ordering={ordering!r}: expected 'tf' or 'th'. Today, write data_format='channels_last'.")
    return {"data_format": formats[ordering]}


def _require_mode_0(mode: Any) -> dict[str, Any]:
    if mode != 0:
        raise TypeError(
            f"BatchNormalization(mode={mode!r}) is not available: Keras kept only what was mode=0. Remove mode=."
        )
    return {}


def _color_mode(grayscale: Any) -> dict[str, Any]:
    return {"color_mode": "grayscale" if grayscale else "rgb"}


def _unit_forget_bias(name: Any) -> dict[str, Any]:
    if name not in ("one", "ones", "zero", "zeros"):
        raise TypeError(
            f"forget_bias_init={name!r} is not available. Write unit_forget_bias=True ('one') or False ('zero')."
        )
    return {"unit_forget_bias": name in ("one", "ones")}


def _input_shape(length: Any) -> dict[str, Any]:
    return {} if length is None else {"input_shape": tuple(length) if isinstance(length, (tuple, list)) else (length,)}


def _require_not_time_major(flag: Any) -> dict[str, Any]:
    if flag:
        raise TypeError("time_major=True is not available in Keras 3. Remove time_major= and transpose the data.")
    return {}


def _refuse_dropout(rate: Any) -> dict[str, Any]:
    if rate:
        raise TypeError(
            f"Embedding(dropout={rate!r}) was part of Keras 1 and was removed: it left out whole words. "
            "No layer computes the same; keras.layers.SpatialDropout1D(rate) after it leaves out columns."
        )
    return {}


_INIT: Renames = {"init": "kernel_initializer"}
_PENALTIES: Renames = {
    "W_regularizer": "kernel_regularizer",
    "b_regularizer": "bias_regularizer",
    "W_constraint": "kernel_constraint",
    "b_constraint": "bias_constraint",
}
_ORDERING: Renames = {"dim_ordering": _data_format}
_CONVOLUTION: Renames = {
    **_INIT,
    **_PENALTIES,
    **_ORDERING,
    "nb_filter": "filters",
    "border_mode": "padding",
    "subsample": "strides",
    "atrous_rate": "dilation_rate",
    "bias": "use_bias",
}
_POOL: Renames = {**_ORDERING, "border_mode": "padding"}
_POOL_1D: Renames = {"pool_length": "pool_size", "stride": "strides", "border_mode": "padding"}
_RATE: Renames = {"p": "rate"}
_RECURRENT: Renames = {
    **_INIT,
    "output_dim": "units",
    "inner_init": "recurrent_initializer",
    "inner_activation": "recurrent_activation",
    "forget_bias_init": _unit_forget_bias,
    "W_regularizer": "kernel_regularizer",
    "U_regularizer": "recurrent_regularizer",
    "b_regularizer": "bias_regularizer",
    "dropout_W": "dropout",
    "dropout_U": "recurrent_dropout",
    "consume_less": None,
    "time_major": _require_not_time_major,
}


LAYERS: Mapping[str, Renames] = {
    "Dense": {**_INIT, **_PENALTIES, "output_dim": "units", "bias": "use_bias"},
    "Conv1D": {**_CONVOLUTION, "filter_length": "kernel_size", "subsample_length": "strides"},
    **dict.fromkeys(("Conv2D", "Conv3D", "Conv2DTranspose"), _CONVOLUTION),
    "SeparableConv2D": {
        **_CONVOLUTION,
        "depthwise_init": "depthwise_initializer",
        "pointwise_init": "pointwise_initializer",
    },
    **dict.fromkeys(("MaxPooling1D", "AveragePooling1D"), _POOL_1D),
    **{f"{kind}Pooling{sides}D": _POOL for kind in ("Max", "Average") for sides in (2, 3)},
    **dict.fromkeys(("GlobalMaxPooling2D", "GlobalAveragePooling2D"), _ORDERING),
    **dict.fromkeys(("UpSampling2D", "ZeroPadding2D", "Cropping2D"), _ORDERING),
    "UpSampling1D": {"length": "size"},
    **dict.fromkeys(("Dropout", "SpatialDropout1D", "GaussianDropout"), _RATE),
    "SpatialDropout2D": {**_ORDERING, **_RATE},
    "GaussianNoise": {"sigma": "stddev"},
    "BatchNormalization": {
        "mode": _require_mode_0,
        "beta_init": "beta_initializer",
        "gamma_init": "gamma_initializer",
        "fused": None,
    },
    "Embedding": {
        "init": "embeddings_initializer",
        "W_regularizer": "embeddings_regularizer",
        "W_constraint": "embeddings_constraint",
        "input_length": _input_shape,
        "dropout": _refuse_dropout,
    },
    **dict.fromkeys(("LSTM", "GRU", "SimpleRNN"), _RECURRENT),
    "PReLU": {"init": "alpha_initializer"},
}

OPTIMIZERS = ("SGD", "RMSprop", "Adam", "AdamW", "Adagrad", "Adadelta", "Adamax", "Nadam", "Ftrl", "Adafactor", "Lion")
OPTIMIZER_ARGUMENTS: Renames = {"lr": "learning_rate"}

_NO_EFFECT = ("workers", "use_multiprocessing", "max_queue_size", "max_q_size", "nb_worker", "pickle_safe")
_WORKERS: Renames = dict.fromkeys(_NO_EFFECT)
FIT: Renames = {**_WORKERS, "nb_epoch": "epochs"}
EVALUATE: Renames = _WORKERS
PREDICT: Renames = _WORKERS

IMAGE_GENERATOR: Renames = _ORDERING

MODEL: Renames = {"input": "inputs", "output": "outputs"}

CALLBACKS: Mapping[str, Renames] = {
    "ReduceLROnPlateau": {"epsilon": "min_delta"},
    "TensorBoard": {"batch_size": None, "write_grads": None},
}

# Of classes in packages besides layers, optimizers and callbacks.
CLASSES: Mapping[str, Renames] = {
    "constraints.MaxNorm": {"m": "max_value"},
    "constraints.MinMaxNorm": {"low": "min_value", "high": "max_value"},
    "regularizers.L1": {"l": "l1"},
    "regularizers.L2": {"l": "l2"},
}

FUNCTIONS: Mapping[str, Renames] = {
    "utils.to_categorical": {"nb_classes": "num_classes"},
    "utils.load_img": {"grayscale": _color_mode},
}
