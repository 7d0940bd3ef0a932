"""Tables of names that Keras and TensorFlow moved or removed. ``old_keras`` applies them.

Paths of Keras are relative to ``keras``, ``tensorflow.keras`` and ``tf.keras``, which are treated alike.
"""

from __future__ import annotations

from collections.abc import Mapping

TF_KERAS = "keras._tf_keras.keras"  # tf.keras; it still has a few names that keras has lost

# Removed modules, and the present packages that have their names. The first package with a name is used.
MODULES: Mapping[str, tuple[str, ...]] = {
    **{
        f"layers.{name}": ("layers",)
        for name in (
            *("core", "convolutional", "convolutional_recurrent", "pooling", "recurrent", "cudnn_recurrent"),
            *("normalization", "normalization.batch_normalization", "embeddings", "merge", "advanced_activations"),
            *("noise", "wrappers", "local", "experimental", "experimental.preprocessing"),
            *("preprocessing", "preprocessing.image_preprocessing"),
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
    **{
        f"utils.{name}_utils": ("utils",)
        for name in ("np", "generic", "vis", "data", "io", "layer", "training", "multi_gpu")
    },
    "utils.visualize_util": ("utils",),
    "wrappers.scikit_learn": (),
    **{
        f"optimizers.{name}_{kind}": ("optimizers",)
        for name in ("adam", "sgd", "gradient_descent", "rmsprop", "adagrad", "adadelta", "adamax", "nadam", "ftrl")
        for kind in ("v2", "legacy", "experimental")
    },
}

# The same for the other modules of the listing of old releases (``old_listing``), by their first part.
_OPTIMIZERS = ("optimizers", "optimizers.schedules")
FAMILIES: Mapping[str, tuple[str, ...]] = {
    **{
        name: (name,)
        for name in ("callbacks", "initializers", "layers", "metrics", "mixed_precision", "models", "utils")
    },
    **dict.fromkeys(("optimizers", "optimizer_v1", "optimizer_v2", "optimizer_experimental"), _OPTIMIZERS),
    "callbacks_v1": ("callbacks",),
    "engine": ("layers", "models", "utils"),
    "experimental": ("optimizers.schedules",),
    "legacy": ("layers", "models"),
    "preprocessing": ("utils",),
    "saving": ("saving", "models"),
}

# Renamed objects.
NAMES: Mapping[str, str] = {
    "layers.CuDNNLSTM": "layers.LSTM",  # uses cuDNN by itself where possible
    "layers.CuDNNGRU": "layers.GRU",
    "layers.Deconvolution2D": "layers.Conv2DTranspose",
    "layers.Convolution2DTranspose": "layers.Conv2DTranspose",
    "layers.Deconv2D": "layers.Conv2DTranspose",
    "layers.Deconv3D": "layers.Conv3DTranspose",
    "layers.Deconvolution3D": "layers.Conv3DTranspose",
    "layers.SeparableConvolution2D": "layers.SeparableConv2D",
    "layers.BatchNormalizationV1": "layers.BatchNormalization",
    "layers.BatchNormalizationV2": "layers.BatchNormalization",
    **{
        f"optimizers.{name.lower()}": f"optimizers.{name}"
        for name in ("Adam", "SGD", "RMSprop", "Adagrad", "Adadelta", "Adamax", "Nadam")
    },
    **{
        f"optimizers.legacy.{name}": f"optimizers.{name}"
        for name in ("Adam", "SGD", "RMSprop", "Adagrad", "Adadelta", "Adamax", "Nadam", "Ftrl", "Optimizer")
    },
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
    **{f"{kind}.{name}": f"{kind}.binary_crossentropy" for kind in ("losses", "metrics") for name in ("bce", "BCE")},
    "mixed_precision.experimental.set_policy": "mixed_precision.set_global_policy",
    "mixed_precision.experimental.global_policy": "mixed_precision.global_policy",
    "preprocessing.image.image_dataset_from_directory": "utils.image_dataset_from_directory",
    "preprocessing.text.text_dataset_from_directory": "utils.text_dataset_from_directory",
    "utils.plot": "utils.plot_model",
}

_APPLICATIONS = (
    *("convnext", "densenet", "efficientnet", "efficientnet_v2", "imagenet_utils", "inception_resnet_v2"),
    *("inception_v3", "mobilenet", "mobilenet_v2", "mobilenet_v3", "nasnet", "resnet", "resnet50", "resnet_v2"),
    *("vgg16", "vgg19", "xception"),
)
# Present packages that get the names above, and the names that only tf.keras still has.
PACKAGES = (
    *(
        "",
        "activations",
        "applications",
        "backend",
        "callbacks",
        "constraints",
        "initializers",
        "layers",
        "losses",
        "metrics",
        "models",
    ),
    *("optimizers", "optimizers.legacy", "preprocessing", "preprocessing.image", "preprocessing.sequence"),
    *("datasets", "datasets.boston_housing", "datasets.cifar10", "datasets.cifar100", "datasets.fashion_mnist"),
    *("datasets.imdb", "datasets.mnist", "datasets.reuters"),
    *(f"applications.{name}" for name in _APPLICATIONS),
    *("mixed_precision", "optimizers.schedules", "regularizers", "saving", "utils", "wrappers"),
)

# Names of ``tf`` that moved.
TENSORFLOW: Mapping[str, str] = {
    "set_random_seed": "random.set_seed",
    "random_normal": "random.normal",
    "random_uniform": "random.uniform",
    "truncated_normal": "random.truncated_normal",
    "log": "math.log",
    "logging": "compat.v1.logging",
}

# Removed names that cannot be run faithfully. Each text follows the name: the reason, and what to write today.

_GRAPH = "is TensorFlow 1 graph code, which no longer runs. "

REMOVED_TENSORFLOW: Mapping[str, str] = {
    "Session": _GRAPH + "TensorFlow now computes every line at once: remove the session and use the values directly.",
    "InteractiveSession": _GRAPH + "Remove the session and use the values directly.",
    "placeholder": _GRAPH + "Pass the data to a function, or use keras.Input(shape).",
    "contrib": "was TensorFlow 1's collection of extras and was removed. Most of it is in keras.layers now.",
    "get_default_graph": _GRAPH + "There is no default graph: remove this line.",
    "get_default_session": _GRAPH + "There is no session: remove this line.",
    "global_variables_initializer": _GRAPH + "Variables have their values from the start: remove this line.",
    "get_variable": _GRAPH + "Use tf.Variable(value).",
    "variable_scope": _GRAPH + "Use a keras.layers.Layer, which keeps its variables.",
    "layers": _GRAPH + "Use keras.layers.",
    "app": "was TensorFlow 1's way to start a program. Call the function directly.",
    "flags": "was TensorFlow 1's way to read options. Use plain variables.",
    "estimator": "was removed with TensorFlow 1. Use a keras.Model with compile() and fit().",
    "ConfigProto": "configured TensorFlow 1's sessions, which no longer exist: remove this line.",
    "GPUOptions": "configured TensorFlow 1's sessions, which no longer exist: remove this line.",
}
REMOVED_OPTIMIZERS: Mapping[str, str] = {  # of tf.train
    name: f"is a TensorFlow 1 optimizer. Use keras.optimizers.{today}(learning_rate=...)."
    for name, today in (
        ("AdamOptimizer", "Adam"),
        ("GradientDescentOptimizer", "SGD"),
        ("RMSPropOptimizer", "RMSprop"),
        ("AdagradOptimizer", "Adagrad"),
        ("MomentumOptimizer", "SGD"),
    )
}
REMOVED_BACKEND: Mapping[str, str] = {  # of keras.backend
    "get_session": _GRAPH + "Remove the session and use the values directly.",
}
# These can still be imported, because notebooks often import more than they use. A call raises the error.
REMOVED_CALLS: Mapping[str, str] = {  # of keras
    "backend.set_session": _GRAPH + "TensorFlow configures itself: remove the session.",
    "models.model_from_yaml": "was removed because a YAML file can run code. Use model_from_json.",
    "utils.multi_gpu_model": "was removed. Build the model under tf.distribute.MirroredStrategy().scope().",
    "layers.Merge": "existed only in Keras 1. Use keras.layers.concatenate([a, b]), add, multiply ...",
    "layers.MaxoutDense": "existed only in Keras 1 and has no replacement.",
    "layers.Highway": "existed only in Keras 1 and has no replacement.",
    "layers.AtrousConvolution2D": "existed only in Keras 1. Use keras.layers.Conv2D(..., dilation_rate=...).",
    "layers.LocallyConnected1D": "was removed in Keras 3; no layer computes the same.",
    "layers.LocallyConnected2D": "was removed in Keras 3; no layer computes the same.",
}
REMOVED_METHODS: Mapping[str, str] = {  # of models
    "to_yaml": "was removed because a YAML file can run code. Use model.to_json().",
}
