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


def only(*values: Any, otherwise: str) -> Rename:
    """Return a rename of an argument that has no effect with one of ``values``, and is refused with another value."""

    def accept(value: Any) -> dict[str, Any]:
        if any(value is allowed or (type(value) is type(allowed) and value == allowed) for allowed in values):
            return {}
        raise TypeError(otherwise.replace("{value}", repr(value)))

    return accept


_TIME_MAJOR = only(
    None, False, otherwise="time_major=True is not available in Keras 3. Remove time_major= and transpose the data."
)
_MODE = only(
    0, otherwise="BatchNormalization(mode={value}) is not available: Keras kept only what was mode=0. Remove mode=."
)
_WORD_DROPOUT = only(
    *(None, 0, 0.0),
    otherwise="Embedding(dropout={value}) was part of Keras 1 and was removed: it left out whole words. "
    "No layer computes the same; keras.layers.SpatialDropout1D(rate) after it leaves out columns.",
)
_TYPE_SPEC = only(None, otherwise="type_spec= is not available in Keras 3. Write shape= and dtype=.")
_LEGACY: Renames = {
    "use_legacy_format": only(
        None, False, otherwise="use_legacy_format={value} is not available: Keras 3 has one format. Remove it."
    )
}
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
_ORDERED_RATE: Renames = {**_ORDERING, **_RATE}
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
    "time_major": _TIME_MAJOR,
}


LAYERS: Mapping[str, Renames] = {
    "Dense": {**_INIT, **_PENALTIES, "output_dim": "units", "bias": "use_bias"},
    "Conv1D": {**_CONVOLUTION, "filter_length": "kernel_size", "subsample_length": "strides"},
    **dict.fromkeys(("Conv2D", "Conv3D"), _CONVOLUTION),
    "Conv2DTranspose": {**_CONVOLUTION, "output_shape": None},  # Keras computes it
    "ConvLSTM2D": {**_CONVOLUTION, **_RECURRENT},
    "SeparableConv2D": {
        **_CONVOLUTION,
        "depthwise_init": "depthwise_initializer",
        "pointwise_init": "pointwise_initializer",
    },
    **dict.fromkeys(("MaxPooling1D", "AveragePooling1D"), _POOL_1D),
    **{f"{kind}Pooling{sides}D": _POOL for kind in ("Max", "Average") for sides in (2, 3)},
    **dict.fromkeys(("GlobalMaxPooling2D", "GlobalAveragePooling2D"), _ORDERING),
    **dict.fromkeys(
        [f"{kind}{sides}D" for kind in ("UpSampling", "ZeroPadding", "Cropping") for sides in (2, 3)], _ORDERING
    ),
    "UpSampling1D": {"length": "size"},
    **dict.fromkeys(("Dropout", "SpatialDropout1D", "GaussianDropout"), _RATE),
    **dict.fromkeys(("SpatialDropout2D", "SpatialDropout3D"), _ORDERED_RATE),
    "GaussianNoise": {"sigma": "stddev"},
    "BatchNormalization": {
        "mode": _MODE,
        "beta_init": "beta_initializer",
        "gamma_init": "gamma_initializer",
        "fused": None,
    },
    "Embedding": {
        "init": "embeddings_initializer",
        "W_regularizer": "embeddings_regularizer",
        "W_constraint": "embeddings_constraint",
        "input_length": _input_shape,
        "dropout": _WORD_DROPOUT,
        "sparse": None,
    },
    **dict.fromkeys(("LSTM", "GRU", "SimpleRNN"), _RECURRENT),
    "RNN": {"time_major": _TIME_MAJOR},
    "PReLU": {"init": "alpha_initializer"},
    "InputLayer": {
        "input_dtype": "dtype",
        "type_spec": _TYPE_SPEC,
    },
}

OPTIMIZERS = (
    *("SGD", "RMSprop", "Adam", "AdamW", "Adagrad", "Adadelta", "Adamax", "Nadam", "Ftrl", "Adafactor", "Lion"),
    "Optimizer",  # of which a notebook may derive its own
)
_GRADIENTS = (
    "{name}= is not available in Keras 3. Change the gradients in train_step(), or between tape.gradient and apply."
)
OPTIMIZER_ARGUMENTS: Renames = {
    "lr": "learning_rate",
    "jit_compile": None,
    "gradient_aggregator": only(None, otherwise=_GRADIENTS.format(name="gradient_aggregator")),
    "gradient_transformers": only(None, otherwise=_GRADIENTS.format(name="gradient_transformers")),
}
# Of single optimizers.
OPTIMIZER_EXTRAS: Mapping[str, Renames] = {
    "SGD": {"amsgrad": None},  # of Keras 2.11, where it did nothing either
    "Nadam": {
        "schedule_decay": only(
            0.004, otherwise="Nadam(schedule_decay={value}) is not available: Keras 3 has 0.004. Remove it."
        )
    },
}

_NO_EFFECT = ("workers", "use_multiprocessing", "max_queue_size", "max_q_size", "nb_worker", "pickle_safe")
_WORKERS: Renames = dict.fromkeys(_NO_EFFECT)
FIT: Renames = {**_WORKERS, "nb_epoch": "epochs"}
EVALUATE: Renames = _WORKERS
PREDICT: Renames = _WORKERS
COMPILE: Renames = {
    "pss_evaluation_shards": None,
    "sample_weight_mode": None,  # Keras takes weights of steps by their shape
    "target_tensors": only(None, otherwise="target_tensors= is graph code of Keras 2. Give the targets to fit()."),
}

MODEL: Renames = {"input": "inputs", "output": "outputs"}

CALLBACKS: Mapping[str, Renames] = {
    "ReduceLROnPlateau": {"epsilon": "min_delta"},
    "TensorBoard": dict.fromkeys(("batch_size", "write_grads", "embeddings_layer_names", "embeddings_data")),
    "BackupAndRestore": {"save_before_preemption": None},
    "CallbackList": {"queue_length": None},
    "ProgbarLogger": dict.fromkeys(("count_mode", "stateful_metrics")),
}

# Of classes in packages besides layers, optimizers and callbacks.
CLASSES: Mapping[str, Renames] = {
    "constraints.MaxNorm": {"m": "max_value"},
    "constraints.MinMaxNorm": {"low": "min_value", "high": "max_value"},
    "regularizers.L1": {"l": "l1"},
    "regularizers.L2": {"l": "l2"},
    **{f"initializers.{name}": {"dtype": None} for name in ("RandomNormal", "RandomUniform", "TruncatedNormal")},
}
_ON_BATCH = ("train_on_batch", "test_on_batch")
# Of methods, by their class.
METHODS: Mapping[str, Renames] = {
    "layers.Layer.add_loss": {"losses": "loss", "inputs": None},
    "layers.Layer.add_weight": dict.fromkeys(("synchronization", "use_resource", "partitioner")),
    "optimizers.Optimizer.apply_gradients": dict.fromkeys(
        ("name", "experimental_aggregate_gradients", "skip_gradients_aggregation")
    ),
    "metrics.Metric.add_weight": dict.fromkeys(("synchronization", "aggregation")),
    "models.Model.compile": COMPILE,
    **{f"models.Model.{method}": {"reset_metrics": None} for method in _ON_BATCH},
}

_IDENTIFIED = ("constraints", "initializers", "layers", "losses", "metrics", "optimizers", "regularizers")
# Of functions, by all their places.
FUNCTIONS: Mapping[tuple[str, ...], Renames] = {
    ("utils.load_img", "preprocessing.image.load_img"): {"grayscale": _color_mode},
    ("utils.img_to_array", "preprocessing.image.img_to_array"): _ORDERING,
    ("utils.array_to_img", "preprocessing.image.array_to_img"): _ORDERING,
    ("Input", "layers.Input"): {"type_spec": _TYPE_SPEC},
    ("utils.serialize_keras_object", "saving.serialize_keras_object"): {"instance": "obj"},
    ("utils.deserialize_keras_object", "saving.deserialize_keras_object"): {"identifier": "config"},
    ("utils.get_source_inputs",): dict.fromkeys(("layer", "node_index")),
    **{(f"{package}.get",): {"kwargs": None} for package in ("constraints", "optimizers", "regularizers")},
    **{(f"{package}.serialize",): _LEGACY for package in _IDENTIFIED},
    **{(f"{package}.deserialize",): _LEGACY for package in _IDENTIFIED},
    ("metrics.deserialize",): {**_LEGACY, "name": "config"},
}
_AXES: Renames = {f"{name}_index": f"{name}_axis" for name in ("row", "col", "channel")}
# Of classes and functions that Keras keeps in ``keras.src.legacy.preprocessing``, by their module there.
LEGACY_CLASSES: Mapping[str, Renames] = {
    **{f"image.{name}": _ORDERING for name in ("ImageDataGenerator", "DirectoryIterator")},
    "image.NumpyArrayIterator": {**_ORDERING, "X": "x"},
    "image.Iterator": {"N": "n"},
    "text.Tokenizer": {"nb_words": "num_words"},
}
LEGACY_FUNCTIONS: Mapping[str, Renames] = {
    **{f"image.random_{name}": _AXES for name in ("rotation", "shear", "shift", "zoom")},
    "image.random_channel_shift": {**_AXES, "intensity": "intensity_range"},
    **{f"text.{name}": {"text": "input_text"} for name in ("one_hot", "text_to_word_sequence")},
}
