"""Models and weights that are saved under any name and found again under the same name.

Keras 3 requires certain suffixes. ``weights.h5`` and ``weights.hdf5`` are written as the HDF5 files of Keras 2, which
Keras 3 still reads. A name without a suffix gets one, and loading looks for that file too.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .argument_renames import Renames
from .arguments import accept_old_arguments, format_value, translate, with_old_arguments
from .notes import note_translation

MODEL_SUFFIXES = (".keras", ".h5", ".hdf5")
WEIGHTS_SUFFIXES = (".weights.h5", ".weights.json", *MODEL_SUFFIXES)


_OPTIONS: Renames = {"options": None}
_SAVE: Renames = {**_OPTIONS, "signatures": None, "save_traces": None}
_SAVE_WEIGHTS: Renames = {**_OPTIONS, "save_format": None}
_LOAD_WEIGHTS: Renames = {**_OPTIONS, "reshape": None}


def install(keras: Any) -> dict[str, Callable[..., Any]]:
    """Wrap saving and loading; return the replacements of functions in ``keras.models`` and ``keras.saving``."""
    api = importlib.import_module("keras.src.saving.saving_api")
    for wrap, renames in (
        (_save_model, _SAVE),
        (_load_model, _OPTIONS),
        (_save_weights, _SAVE_WEIGHTS),
        (_load_weights, _LOAD_WEIGHTS),
    ):
        name = wrap.__name__.removeprefix("_")
        setattr(api, name, with_old_arguments(wrap(getattr(api, name)), name, renames))
    configs: Any = importlib.import_module("keras.src.legacy.saving.saving_utils")
    configs.model_from_config = _model_from_config(configs.model_from_config)
    accept_old_arguments(keras.Model, "save_weights", _SAVE_WEIGHTS, shown="model.save_weights")
    if keras.config.backend() == "tensorflow":
        _load_once_built(keras.Model)
    _wrap_checkpoint(keras.callbacks.ModelCheckpoint)
    replacements = {
        f"{package}.{name}": getattr(api, name)
        for package in ("models", "saving")
        for name in ("save_model", "load_model")
    }
    from_json = _model_from_json(keras.models.model_from_json, configs.model_from_config)
    return {**replacements, "models.model_from_json": from_json}


def _save_model(save: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(save)
    def save_model(model: Any, filepath: Any, *args: Any, **kwargs: Any) -> Any:
        name = str(filepath)
        if name.endswith(MODEL_SUFFIXES) or name.startswith("hf://") or kwargs.get("zipped") is False:
            return save(model, filepath, *args, **kwargs)
        file_format = kwargs.pop("save_format", None)
        today = name.rstrip("/") + (".h5" if file_format == "h5" else ".keras")
        _note_name("model.save", name, today)
        return save(model, today, *args, **kwargs)

    return save_model


def _load_model(load: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(load)
    def load_model(filepath: Any, custom_objects: Any = None, *args: Any, **kwargs: Any) -> Any:
        path = _existing_path("load_model", filepath, MODEL_SUFFIXES)
        if str(path).endswith((".h5", ".hdf5")):
            custom_objects = _abbreviated_losses() | dict(custom_objects or {})
        return load(path, custom_objects, *args, **kwargs)

    return load_model


def _model_from_config(make: Callable[..., Any]) -> Callable[..., Any]:
    """Translate ``batch_input_shape`` of a first layer, which Keras 3 takes for the shape of one row."""

    @functools.wraps(make)
    def model_from_config(config: Any, *args: Any, **kwargs: Any) -> Any:
        layer = config.get("config") if isinstance(config, dict) else None
        layer = layer if isinstance(layer, dict) else {}
        shape = layer.get("batch_input_shape")
        if shape and config.get("class_name") != "InputLayer":
            rest = {key: value for key, value in layer.items() if key != "batch_input_shape"}
            config = {**config, "config": {**rest, "input_shape": tuple(shape[1:])}}
        return make(config, *args, **kwargs)

    return model_from_config


def _model_from_json(make: Callable[..., Any], from_config: Callable[..., Any]) -> Callable[..., Any]:
    """Read JSON of Keras 2, which has no module for a class, and of Keras 1, which has no name for a model."""

    @functools.wraps(make)
    def model_from_json(json_string: Any, custom_objects: Any = None) -> Any:
        config = json.loads(json_string)
        if not isinstance(config, dict) or "module" in config:
            return make(json_string, custom_objects)
        if isinstance(config.get("config"), list):
            config["config"] = {"name": "sequential", "layers": config["config"]}
        return from_config(config, custom_objects)

    return model_from_json


def _abbreviated_losses() -> dict[str, Any]:
    """Return losses such as "mse" by name: Keras 3 writes them into an HDF5 file but cannot read them again."""
    losses = importlib.import_module("keras.losses")
    names = {"mse": "squared", "mae": "absolute", "mape": "absolute_percentage", "msle": "squared_logarithmic"}
    return {abbreviated: getattr(losses, f"mean_{name}_error") for abbreviated, name in names.items()}


def _save_weights(save: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(save)
    def save_weights(model: Any, filepath: Any, *args: Any, **kwargs: Any) -> Any:
        name = str(filepath)
        if name.endswith((".weights.h5", ".weights.json")) or kwargs.get("max_shard_size") is not None:
            return save(model, filepath, *args, **kwargs)
        is_hdf5 = name.endswith((".h5", ".hdf5"))
        today = f"{Path(name).with_suffix('') if is_hdf5 else name}.weights.h5"
        _note_name("model.save_weights", name, today)
        if not is_hdf5:
            return save(model, today, *args, **kwargs)
        legacy = importlib.import_module("keras.src.legacy.saving.legacy_h5_format")
        with legacy.h5py.File(name, "w") as file:
            legacy.save_weights_to_hdf5_group(file, model)
        return None

    return save_weights


def _load_weights(load: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(load)
    def load_weights(model: Any, filepath: Any, *args: Any, **kwargs: Any) -> Any:
        path = _existing_path("model.load_weights", filepath, WEIGHTS_SUFFIXES)
        if not model.built and str(path).endswith(".weights.h5") and Path(path).is_file():
            model._weights_file = Path(path).absolute()
            note_translation("model.load_weights() before the first call", "model.build(shape); model.load_weights()")
            return None
        return load(model, path, *args, **kwargs)

    return load_weights


def _load_once_built(model_class: Any) -> None:
    """Load the weights of a model without layers yet, such as a subclass, in its first call, as Keras 2 did."""
    maybe_build = model_class._maybe_build

    @functools.wraps(maybe_build)
    def _maybe_build(self: Any, *args: Any, **kwargs: Any) -> None:
        maybe_build(self, *args, **kwargs)
        path = vars(self).get("_weights_file")
        if path is not None and self.built:
            self._weights_file = None
            with importlib.import_module("tensorflow").init_scope():  # the call may be part of a graph
                self.load_weights(path)

    model_class._maybe_build = _maybe_build


def _existing_path(method: str, filepath: Any, suffixes: tuple[str, ...]) -> Any:
    """Return the file that was saved under ``filepath``, with the suffix that it got."""
    name = str(filepath)
    for suffix in suffixes if not Path(name).is_file() else ():
        candidate = name.rstrip("/") + suffix
        if Path(candidate).is_file():
            _note_name(method, name, candidate)
            return candidate
    return filepath


_noted: set[tuple[str, str]] = set()


def _note_name(method: str, name: str, today: str) -> None:
    """Note a file name once per suffix: a checkpoint may be saved a hundred times."""
    if (method, Path(name).suffix) not in _noted:
        _noted.add((method, Path(name).suffix))
        note_translation(f"{method}({format_value(name)})", f"{method}({format_value(today)})")


# ------------------------------------------------------------------ checkpoints


def _wrap_checkpoint(checkpoint: Any) -> None:
    """Accept any file name, which saving handles later, and ``period=``, the number of epochs between two files."""
    init, on_epoch_end = checkpoint.__init__, checkpoint.on_epoch_end

    @functools.wraps(init)
    def __init__(self: Any, filepath: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807
        if "options" in kwargs:
            kwargs = translate("ModelCheckpoint", _OPTIONS, kwargs)
        period = kwargs.pop("period", 1)
        if period != 1:
            note_translation(f"ModelCheckpoint(period={period})", "ModelCheckpoint(save_freq=...), in batches")
        init(self, "any.weights.h5", *args, **kwargs)  # a name that is valid for models and for weights
        self.filepath = str(filepath)
        self._period, self._epochs_waited = period, 0

    @functools.wraps(on_epoch_end)
    def save_every_period(self: Any, epoch: int, logs: Any = None) -> None:
        self._epochs_waited = getattr(self, "_epochs_waited", 0) + 1
        if self._epochs_waited >= getattr(self, "_period", 1):
            self._epochs_waited = 0
            on_epoch_end(self, epoch, logs)

    __init__.__signature__ = inspect.signature(init)  # type: ignore[attr-defined]
    checkpoint.__init__, checkpoint.on_epoch_end = __init__, save_every_period
