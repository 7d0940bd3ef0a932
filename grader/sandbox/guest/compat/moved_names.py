"""Where names lived in Keras 1 and 2, and where they live today. Tables alone; ``modules`` puts them to use.

Paths are relative to ``keras``, ``tensorflow.keras`` and ``tf.keras``, which are served alike.
"""

from __future__ import annotations

from collections.abc import Mapping

TF_KERAS = "keras._tf_keras.keras"  # tf.keras: a few names that keras itself no longer has are still there

# A module that is gone: the packages of today that have its names, first found first taken.
MODULES: Mapping[str, tuple[str, ...]] = {
    **{
        f"layers.{name}": ("layers",)
        for name in (
            "core",
            "convolutional",
            "convolutional_recurrent",
            "pooling",
            "normalization",
            "normalization.batch_normalization",
            "recurrent",
            "cudnn_recurrent",
            "embeddings",
            "merge",
            "advanced_activations",
            "noise",
            "wrappers",
            "local",
            "experimental",
            "experimental.preprocessing",
            "preprocessing",
            "preprocessing.image_preprocessing",
        )
    },
    "legacy.layers": ("layers",),
    "engine": ("layers", "models", "utils"),
    "engine.topology": ("layers", "models", "utils"),
    "engine.base_layer": ("layers",),
    "engine.input_layer": ("layers",),
    "engine.training": ("models",),
    "engine.network": ("models",),
    "engine.sequential": ("models",),
    "objectives": ("losses",),
    "initializations": ("initializers",),
    "callbacks.callbacks": ("callbacks",),
    "backend.tensorflow_backend": ("backend",),
    "preprocessing.text": (f"{TF_KERAS}.preprocessing.text",),
    "utils.np_utils": ("utils",),
    "utils.generic_utils": ("utils",),
    "utils.vis_utils": ("utils",),
    "utils.visualize_util": ("utils",),
    "utils.data_utils": ("utils",),
    "utils.io_utils": ("utils",),
    "utils.layer_utils": ("utils",),
    "utils.training_utils": ("utils",),
    "utils.multi_gpu_utils": ("utils",),
    "wrappers.scikit_learn": (),
}

# A name that has another one today.
NAMES: Mapping[str, str] = {
    "layers.CuDNNLSTM": "layers.LSTM",  # which runs on cuDNN by itself where it can
    "layers.CuDNNGRU": "layers.GRU",
    "layers.Deconvolution2D": "layers.Conv2DTranspose",
    "layers.Convolution2DTranspose": "layers.Conv2DTranspose",
    "layers.SeparableConvolution2D": "layers.SeparableConv2D",
    "layers.BatchNormalizationV1": "layers.BatchNormalization",
    "layers.BatchNormalizationV2": "layers.BatchNormalization",
    "optimizers.adam": "optimizers.Adam",
    "optimizers.sgd": "optimizers.SGD",
    "optimizers.rmsprop": "optimizers.RMSprop",
    "optimizers.adagrad": "optimizers.Adagrad",
    "optimizers.adadelta": "optimizers.Adadelta",
    "optimizers.adamax": "optimizers.Adamax",
    "optimizers.nadam": "optimizers.Nadam",
    "optimizers.legacy.Adam": "optimizers.Adam",
    "optimizers.legacy.SGD": "optimizers.SGD",
    "optimizers.legacy.RMSprop": "optimizers.RMSprop",
    "optimizers.legacy.Adagrad": "optimizers.Adagrad",
    "optimizers.legacy.Ftrl": "optimizers.Ftrl",
    "optimizers.legacy.Optimizer": "optimizers.Optimizer",
    "constraints.maxnorm": "constraints.MaxNorm",
    "constraints.nonneg": "constraints.NonNeg",
    "constraints.unitnorm": "constraints.UnitNorm",
    "initializers.uniform": "initializers.RandomUniform",
    "initializers.normal": "initializers.RandomNormal",
    "initializers.one": "initializers.Ones",
    "initializers.zero": "initializers.Zeros",
    "losses.mse": "losses.mean_squared_error",
    "losses.mae": "losses.mean_absolute_error",
    "losses.kullback_leibler_divergence": "losses.kl_divergence",
    "losses.logcosh": "losses.log_cosh",
    "metrics.mse": "metrics.mean_squared_error",
    "metrics.mae": "metrics.mean_absolute_error",
    "utils.plot": "utils.plot_model",
}

# Packages of today that are asked for the names above, and for what tf.keras alone still has.
PACKAGES = (
    "",
    "backend",
    "callbacks",
    "constraints",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "models",
    "optimizers",
    "optimizers.legacy",
    "preprocessing",
    "preprocessing.image",
    "preprocessing.sequence",
    "saving",
    "utils",
    "wrappers",
)

TENSORFLOW: Mapping[str, str] = {
    "set_random_seed": "random.set_seed",
    "random_normal": "random.normal",
    "random_uniform": "random.uniform",
    "truncated_normal": "random.truncated_normal",
    "log": "math.log",
    "logging": "compat.v1.logging",
}
