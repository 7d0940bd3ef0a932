"""TensorBoard without its package or without a folder to write into: callback and summaries do nothing, and say so."""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .notes import Kind, note

SUMMARIES = ("scalar", "histogram", "image", "text", "audio")  # of tf.summary; they are TensorBoard's own


def _is_installed() -> bool:
    return importlib.util.find_spec("tensorboard") is not None


def install(keras: Any) -> None:
    """Let the callback do nothing where it cannot write its logs."""
    callback = keras.callbacks.TensorBoard
    for name, method in list(vars(callback).items()):
        if name.startswith("on_"):
            setattr(callback, name, _unless_inert(method))
    callback.set_model = _set_model(callback.set_model, keras.callbacks.Callback.set_model)


def _set_model(set_model: Callable[..., Any], without_logs: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(set_model)
    def choose(self: Any, model: Any) -> Any:
        self._writes_nothing = not _is_installed() or not _can_write(self.log_dir)
        if self._writes_nothing:
            note(Kind.STAND_IN, f"TensorBoard({str(self.log_dir)!r})")
            return without_logs(self, model)
        return set_model(self, model)

    return choose


def _unless_inert(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def called(self: Any, *args: Any, **kwargs: Any) -> Any:
        return None if getattr(self, "_writes_nothing", False) else method(self, *args, **kwargs)

    return called


def _can_write(folder: Any) -> bool:
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return True


def install_summaries(summary: Any) -> None:
    """Let ``tf.summary`` write nothing where it cannot."""
    if not _is_installed():
        for name in SUMMARIES:
            setattr(summary, name, _no_summary(name))
    create = summary.create_file_writer

    @functools.wraps(create)
    def create_file_writer(logdir: Any, *args: Any, **kwargs: Any) -> Any:
        if _can_write(logdir):
            return create(logdir, *args, **kwargs)
        note(Kind.STAND_IN, f"tf.summary.create_file_writer({str(logdir)!r})")
        return summary.create_noop_writer()

    summary.create_file_writer = create_file_writer


def _no_summary(name: str) -> Callable[..., Any]:
    def write(*_args: Any, **_kwargs: Any) -> bool:
        note(Kind.STAND_IN, f"tf.summary.{name}")
        return False

    return write
