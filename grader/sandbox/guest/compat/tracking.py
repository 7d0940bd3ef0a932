"""Stands in for wandb where it is not installed: what it was told is forgotten, and nothing is trained by it.

What would itself start trainings (a sweep's agent) is refused: a notebook whose training silently did not take place
would be graded for another model.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

from . import log
from .kinds import Kind
from .sources import refusal
from .stub_modules import Anything, nothing, offer_missing


def start() -> None:
    offer_missing(
        {
            "wandb": _wandb,
            "wandb.keras": _callbacks,
            "wandb.integration": lambda _module: None,
            "wandb.integration.keras": _callbacks,
        }
    )


class Config(dict[str, Any]):
    """Settings by name, as attributes as well: a notebook reads its own values back."""

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


class Run(Anything):
    """One run: nothing is sent anywhere."""

    id = name = "offline"
    url = dir = ""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.__dict__.update(config=config, summary=Config())


def _wandb(module: Any) -> None:
    log.note(Kind.STAND_IN, "wandb")
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
        setattr(module, name, nothing)
    for name in ("Image", "Table", "Histogram", "Artifact", "Video", "Audio", "Html", "Settings"):
        setattr(module, name, type(name, (Anything,), {}))
    for name in ("sweep", "agent", "restore", "use_artifact", "Api"):
        setattr(module, name, _refusing(f"wandb.{name}"))
    module.init, module.login, module.run, module.config, module.summary = init, login, None, run.config, Config()
    module.plot, module.__version__ = Anything(), "0"


def _refusing(name: str) -> Any:
    def refused(*_args: Any, **_kwargs: Any) -> None:
        raise ConnectionError(refusal(f"{name}()"))

    return refused


def _callbacks(module: ModuleType) -> None:
    import keras

    class WandbCallback(keras.callbacks.Callback):  # type: ignore[misc]
        """A callback of Keras that does nothing."""

        def __init__(self, *_args: Any, **_kwargs: Any) -> None:
            super().__init__()

    for name in ("WandbCallback", "WandbMetricsLogger", "WandbModelCheckpoint", "WandbEvalCallback"):
        setattr(module, name, WandbCallback)
