"""Models and weights saved under any name, and found again under the same one.

Keras 3 insists on suffixes. ``weights.h5`` and ``weights.hdf5`` are written as the HDF5 files that they always were,
which Keras still reads; a name without a suffix gets one, for which ``load`` looks too.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import log
from .arguments import short, understand

MODELS = (".keras", ".h5", ".hdf5")
WEIGHTS = (".weights.h5", ".weights.json", *MODELS)


def start(keras: Any) -> dict[str, Callable[..., Any]]:
    """Puts these in; gives the functions that replace those in ``keras.models`` and ``keras.saving``."""
    api = importlib.import_module("keras.src.saving.saving_api")
    for make in (_save_model, _load_model, _save_weights, _load_weights):
        name = make.__name__.removeprefix("_")
        setattr(api, name, make(getattr(api, name)))
    configs: Any = importlib.import_module("keras.src.legacy.saving.saving_utils")
    configs.model_from_config = _model_from_config(configs.model_from_config)
    understand(keras.Model, "save_weights", {"save_format": None, "options": None}, shown="model.save_weights")
    _checkpoint(keras.callbacks.ModelCheckpoint)
    homes = {"save_model": ("models", "saving"), "load_model": ("models", "saving")}
    replacements = {f"{home}.{name}": getattr(api, name) for name, places in homes.items() for home in places}
    from_json = _model_from_json(keras.models.model_from_json, configs.model_from_config)
    return {**replacements, "models.model_from_json": from_json}


def _save_model(save: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(save)
    def save_model(model: Any, filepath: Any, *args: Any, **words: Any) -> Any:
        name = str(filepath)
        if name.endswith(MODELS) or name.startswith("hf://") or words.get("zipped") is False:
            return save(model, filepath, *args, **words)
        kind = words.pop("save_format", None)
        today = name.rstrip("/") + (".h5" if kind == "h5" else ".keras")
        _note("model.save", name, today)
        return save(model, today, *args, **words)

    return save_model


def _load_model(load: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(load)
    def load_model(filepath: Any, custom_objects: Any = None, *args: Any, **words: Any) -> Any:
        path = _found("load_model", filepath, MODELS)
        if str(path).endswith((".h5", ".hdf5")):
            custom_objects = _short_losses() | dict(custom_objects or {})
        return load(path, custom_objects, *args, **words)

    return load_model


def _model_from_config(make: Callable[..., Any]) -> Callable[..., Any]:
    """Keras 2's files have ``batch_input_shape`` in a first layer; Keras 3 takes it for the shape of one row."""

    @functools.wraps(make)
    def model_from_config(config: Any, *args: Any, **words: Any) -> Any:
        layer = config.get("config") if isinstance(config, dict) else None
        layer = layer if isinstance(layer, dict) else {}
        shape = layer.get("batch_input_shape")
        if shape and config.get("class_name") != "InputLayer":
            rest = {word: value for word, value in layer.items() if word != "batch_input_shape"}
            config = {**config, "config": {**rest, "input_shape": tuple(shape[1:])}}
        return make(config, *args, **words)

    return model_from_config


def _model_from_json(make: Callable[..., Any], from_config: Callable[..., Any]) -> Callable[..., Any]:
    """Keras 2's JSON does not say from which module a class is, nor Keras 1's the name of a model."""

    @functools.wraps(make)
    def model_from_json(json_string: Any, custom_objects: Any = None) -> Any:
        config = json.loads(json_string)
        if not isinstance(config, dict) or "module" in config:
            return make(json_string, custom_objects)
        if isinstance(config.get("config"), list):
            config["config"] = {"name": "sequential", "layers": config["config"]}
        return from_config(config, custom_objects)

    return model_from_json


def _short_losses() -> dict[str, Any]:
    """Keras 3 writes ``loss="mse"`` into an HDF5 file and cannot read it again."""
    losses = importlib.import_module("keras.losses")
    names = {"mse": "squared", "mae": "absolute", "mape": "absolute_percentage", "msle": "squared_logarithmic"}
    return {abbreviated: getattr(losses, f"mean_{name}_error") for abbreviated, name in names.items()}


def _save_weights(save: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(save)
    def save_weights(model: Any, filepath: Any, *args: Any, **words: Any) -> Any:
        name = str(filepath)
        if name.endswith((".weights.h5", ".weights.json")) or words.get("max_shard_size") is not None:
            return save(model, filepath, *args, **words)
        is_hdf5 = name.endswith((".h5", ".hdf5"))
        today = f"{Path(name).with_suffix('') if is_hdf5 else name}.weights.h5"
        _note("model.save_weights", name, today)
        if not is_hdf5:
            return save(model, today, *args, **words)
        elder = importlib.import_module("keras.src.legacy.saving.legacy_h5_format")
        with elder.h5py.File(name, "w") as file:
            elder.save_weights_to_hdf5_group(file, model)
        return None

    return save_weights


def _load_weights(load: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(load)
    def load_weights(model: Any, filepath: Any, *args: Any, **words: Any) -> Any:
        return load(model, _found("model.load_weights", filepath, WEIGHTS), *args, **words)

    return load_weights


def _found(method: str, filepath: Any, suffixes: tuple[str, ...]) -> Any:
    """The file that was saved under this name, where it got a suffix."""
    name = str(filepath)
    for suffix in suffixes if not Path(name).is_file() else ():
        candidate = name.rstrip("/") + suffix
        if Path(candidate).is_file():
            _note(method, name, candidate)
            return candidate
    return filepath


_noted: set[tuple[str, str]] = set()


def _note(method: str, name: str, today: str) -> None:
    """Once for each suffix: a checkpoint may be saved a hundred times."""
    if (method, Path(name).suffix) not in _noted:
        _noted.add((method, Path(name).suffix))
        log.translated(f"{method}({short(name)})", f"{method}({short(today)})")


# ------------------------------------------------------------------ checkpoints


def _checkpoint(checkpoint: Any) -> None:
    """Any file name, which ``save`` and ``save_weights`` deal with; and ``period=``, the epochs between two files."""
    begin, end_of_epoch = checkpoint.__init__, checkpoint.on_epoch_end

    @functools.wraps(begin)
    def begun(self: Any, filepath: Any, *args: Any, **words: Any) -> None:
        period = words.pop("period", 1)
        if period != 1:
            log.translated(f"ModelCheckpoint(period={period})", "ModelCheckpoint(save_freq=...), in batches")
        begin(self, "any.weights.h5", *args, **words)  # a name that suits models and weights
        self.filepath = str(filepath)
        self._period, self._waited = period, 0

    @functools.wraps(end_of_epoch)
    def epoch_ended(self: Any, epoch: int, logs: Any = None) -> None:
        self._waited = getattr(self, "_waited", 0) + 1
        if self._waited >= getattr(self, "_period", 1):
            self._waited = 0
            end_of_epoch(self, epoch, logs)

    begun.__signature__ = inspect.signature(begin)  # type: ignore[attr-defined]
    checkpoint.__init__, checkpoint.on_epoch_end = begun, epoch_ended
