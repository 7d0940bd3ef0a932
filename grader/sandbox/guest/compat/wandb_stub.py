"""A stub of wandb where it is not installed: it forgets what it is told, and trains nothing by itself.

Functions that would start trainings (a sweep's agent) are refused: a notebook whose training silently did not happen
would be graded for another model.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

from .downloads import refuse
from .notes import Kind, note
from .stub_modules import Inert, do_nothing, provide_missing


def install() -> None:
    """Provide ``wandb`` and its Keras callbacks if they are not installed."""
    provide_missing(
        {
            "wandb": _fill_wandb,
            "wandb.keras": _fill_callbacks,
            "wandb.integration": lambda _module: None,
            "wandb.integration.keras": _fill_callbacks,
        }
    )


class Config(dict[str, Any]):
    """Settings by name, also as attributes: a notebook reads its own values back."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def update(self, *args: Any, allow_val_change: bool = False, **kwargs: Any) -> None:  # noqa: ARG002
        super().update(*args, **kwargs)

    def setdefaults(self, values: dict[str, Any]) -> None:
        super().update({**values, **self})


class Run(Inert):
    """A run that sends nothing."""

    id = name = "offline"
    url = dir = ""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.__dict__.update(config=config, summary=Config())


def _fill_wandb(module: Any) -> None:
    note(Kind.STAND_IN, "wandb")
    run = Run(Config())

    def init(*_args: Any, config: Any = None, **_kwargs: Any) -> Run:
        if isinstance(config, dict):
            run.config.update(config)
        elif config is not None:
            run.config.update(vars(config))
        module.run = run
        return run

    def login(*_args: Any, **_kwargs: Any) -> bool:
        return True

    for name in ("log", "finish", "watch", "save", "define_metric", "alert", "log_artifact", "unwatch", "setup"):
        setattr(module, name, do_nothing)
    for name in ("Image", "Table", "Histogram", "Artifact", "Video", "Audio", "Html", "Settings"):
        setattr(module, name, type(name, (Inert,), {}))
    for name in ("sweep", "agent", "restore", "use_artifact", "Api"):
        setattr(module, name, refuse(f"wandb.{name}"))
    module.init, module.login, module.run, module.config, module.summary = init, login, None, run.config, Config()
    module.plot, module.__version__ = Inert(), "0"


def _fill_callbacks(module: ModuleType) -> None:
    import keras

    class WandbCallback(keras.callbacks.Callback):  # type: ignore[misc]
        """A Keras callback that does nothing."""

        def __init__(self, *_args: Any, **_kwargs: Any) -> None:
            super().__init__()

    for name in ("WandbCallback", "WandbMetricsLogger", "WandbModelCheckpoint", "WandbEvalCallback"):
        setattr(module, name, WandbCallback)
