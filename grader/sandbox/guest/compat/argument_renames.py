"""Words of Keras 1 and 2 for arguments, and today's. Tables alone; ``arguments`` puts them to use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

# Today's name; None for what has no effect any more; or a function from the old value to today's words.
Word = str | None | Callable[[Any], dict[str, Any]]
Words = Mapping[str, Word]


def _data_format(ordering: Any) -> dict[str, Any]:
    formats = {"tf": "channels_last", "th": "channels_first", "default": None}
    if ordering not in formats:
        raise TypeError(f"dim_ordering={ordering!r}: expected 'tf' or 'th'; today it is data_format='channels_last'")
    return {"data_format": formats[ordering]}


def _only_mode_0(mode: Any) -> dict[str, Any]:
    if mode != 0:
        raise TypeError(
            f"BatchNormalization(mode={mode!r}) normalised in a way that Keras no longer has; today there is what "
            "mode=0 was. Leave mode out."
        )
    return {}


def _color_mode(grayscale: Any) -> dict[str, Any]:
    return {"color_mode": "grayscale" if grayscale else "rgb"}


def _unit_forget_bias(name: Any) -> dict[str, Any]:
    if name not in ("one", "ones", "zero", "zeros"):
        raise TypeError(f"forget_bias_init={name!r}: today there is unit_forget_bias=True ('one') or False ('zero')")
    return {"unit_forget_bias": name in ("one", "ones")}


def _input_shape(length: Any) -> dict[str, Any]:
    return {} if length is None else {"input_shape": tuple(length) if isinstance(length, (tuple, list)) else (length,)}


_INIT: Words = {"init": "kernel_initializer"}
_PENALTIES: Words = {
    "W_regularizer": "kernel_regularizer",
    "b_regularizer": "bias_regularizer",
    "W_constraint": "kernel_constraint",
    "b_constraint": "bias_constraint",
}
_ORDERING: Words = {"dim_ordering": _data_format}
_CONVOLUTION: Words = {
    **_INIT,
    **_PENALTIES,
    **_ORDERING,
    "nb_filter": "filters",
    "border_mode": "padding",
    "subsample": "strides",
    "atrous_rate": "dilation_rate",
    "bias": "use_bias",
}
_CONVOLUTION_1D: Words = {
    **_CONVOLUTION,
    "filter_length": "kernel_size",
    "subsample_length": "strides",
}
_POOL: Words = {**_ORDERING, "border_mode": "padding"}
_POOL_1D: Words = {"pool_length": "pool_size", "stride": "strides", "border_mode": "padding"}
_RECURRENT: Words = {
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
    "time_major": lambda flag: _only_false("time_major", flag),
}


def _only_false(word: str, flag: Any) -> dict[str, Any]:
    if flag:
        raise TypeError(
            f"{word}=True is something that Keras can no longer do. Leave {word} out and transpose the data."
        )
    return {}


LAYERS: Mapping[str, Words] = {
    "Dense": {**_INIT, **_PENALTIES, "output_dim": "units", "bias": "use_bias"},
    "Conv1D": _CONVOLUTION_1D,
    "Conv2D": _CONVOLUTION,
    "Conv3D": _CONVOLUTION,
    "Conv2DTranspose": _CONVOLUTION,
    "SeparableConv2D": {
        **_CONVOLUTION,
        "depthwise_init": "depthwise_initializer",
        "pointwise_init": "pointwise_initializer",
    },
    "MaxPooling1D": _POOL_1D,
    "AveragePooling1D": _POOL_1D,
    "MaxPooling2D": _POOL,
    "AveragePooling2D": _POOL,
    "MaxPooling3D": _POOL,
    "AveragePooling3D": _POOL,
    "GlobalMaxPooling2D": _ORDERING,
    "GlobalAveragePooling2D": _ORDERING,
    "UpSampling1D": {"length": "size"},
    "UpSampling2D": _ORDERING,
    "ZeroPadding2D": _ORDERING,
    "Cropping2D": _ORDERING,
    "Dropout": {"p": "rate"},
    "SpatialDropout1D": {"p": "rate"},
    "SpatialDropout2D": {**_ORDERING, "p": "rate"},
    "GaussianDropout": {"p": "rate"},
    "GaussianNoise": {"sigma": "stddev"},
    "BatchNormalization": {
        "mode": _only_mode_0,
        "beta_init": "beta_initializer",
        "gamma_init": "gamma_initializer",
        "fused": None,
    },
    "Embedding": {
        "init": "embeddings_initializer",
        "W_regularizer": "embeddings_regularizer",
        "W_constraint": "embeddings_constraint",
        "input_length": _input_shape,
    },
    "LSTM": _RECURRENT,
    "GRU": _RECURRENT,
    "SimpleRNN": _RECURRENT,
    "PReLU": {"init": "alpha_initializer"},
}

OPTIMIZERS = ("SGD", "RMSprop", "Adam", "AdamW", "Adagrad", "Adadelta", "Adamax", "Nadam", "Ftrl", "Adafactor", "Lion")
OPTIMIZER: Words = {"lr": "learning_rate"}

_WORKERS: Words = {
    "workers": None,
    "use_multiprocessing": None,
    "max_queue_size": None,
    "max_q_size": None,
    "nb_worker": None,
    "pickle_safe": None,
}
FIT: Words = {**_WORKERS, "nb_epoch": "epochs"}
EVALUATE: Words = _WORKERS
PREDICT: Words = _WORKERS

IMAGES: Words = _ORDERING  # ImageDataGenerator

MODEL: Words = {"input": "inputs", "output": "outputs"}

CALLBACKS: Mapping[str, Words] = {
    "ReduceLROnPlateau": {"epsilon": "min_delta"},
    "TensorBoard": {"batch_size": None, "write_grads": None},
}

FUNCTIONS: Mapping[str, Words] = {
    "utils.to_categorical": {"nb_classes": "num_classes"},
    "utils.load_img": {"grayscale": _color_mode},
}
