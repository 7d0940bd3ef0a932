"""``lr``, ``decay`` and ``epsilon=None`` of yesterday's optimizers; ``optimizer.lr``.

``decay`` is obeyed: Keras 3 would ignore it with a warning, and train with another learning rate than was written.
"""

from __future__ import annotations

import inspect
from typing import Any

from . import log
from .argument_renames import OPTIMIZER, OPTIMIZERS
from .arguments import Arguments, Prepare, said, translated, understand
from .kinds import Kind


def start(keras: Any) -> None:
    for name in OPTIMIZERS:
        optimizer = getattr(keras.optimizers, name, None)
        if optimizer is not None:
            understand(optimizer, "__init__", OPTIMIZER, prepare=_preparing(keras, optimizer))
    _learning_rate(keras.Optimizer)


def _preparing(keras: Any, optimizer: Any) -> Prepare:
    name, takes = optimizer.__name__, inspect.signature(optimizer.__init__).parameters

    def default(word: str) -> Any:
        return takes[word].default if word in takes else None

    def prepare(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Arguments:
        if "lr" in kwargs:
            kwargs = translated(name, OPTIMIZER, kwargs)
        if kwargs.get("epsilon", 0) is None and default("epsilon") is not None:
            del kwargs["epsilon"]  # which stood for Keras's own
            log.translated(f"{name}(epsilon=None)", f"{name}({said({'epsilon': default('epsilon')})})")
        rate = args[1] if len(args) > 1 else kwargs.get("learning_rate", default("learning_rate"))
        decay = kwargs.get("decay")
        if decay is not None and isinstance(rate, (int, float)):
            del kwargs["decay"]
            if decay:
                rate = _decaying(keras, name, float(rate), float(decay))
            else:
                log.note(Kind.IGNORED, f"{name}({said({'decay': decay})})")
        if type(rate) is int:
            rate = float(rate)  # as Keras now insists
        if len(args) > 1:
            return (args[0], rate, *args[2:]), kwargs
        return args, {**kwargs, "learning_rate": rate}

    return prepare


def _decaying(keras: Any, name: str, rate: float, decay: float) -> Any:
    """``rate / (1 + decay * iterations)``; its rate can still be set, as callbacks do."""
    schedule = keras.optimizers.schedules.InverseTimeDecay(rate, decay_steps=1, decay_rate=decay)
    config = schedule.get_config()
    schedule.base = keras.Variable(rate, trainable=False, name="learning_rate")
    schedule.initial_learning_rate = schedule.base
    schedule.get_config = lambda: {**config, "initial_learning_rate": float(schedule.base.numpy())}
    code = f"keras.optimizers.schedules.InverseTimeDecay({rate!r}, 1, {decay!r})"
    log.translated(f"{name}({said({'decay': decay})})", f"{name}(learning_rate={code})")
    return schedule


def _learning_rate(optimizer: Any) -> None:
    """``optimizer.lr``; and where ``decay`` was given, ``learning_rate`` is the rate before it, as it used to be."""
    today, step = optimizer.learning_rate, optimizer._backend_update_step

    def decayed(self: Any, gradients: Any, variables: Any, rate: Any) -> Any:
        return step(self, gradients, variables, today.fget(self) if hasattr(self._learning_rate, "base") else rate)

    def get(self: Any) -> Any:
        base = getattr(self._learning_rate, "base", None)
        return base if base is not None else today.fget(self)

    def set_(self: Any, value: Any) -> None:
        base = getattr(self._learning_rate, "base", None)
        if base is not None and not callable(value):
            base.assign(value)
        else:
            today.fset(self, value)

    def get_old(self: Any) -> Any:
        log.translated("optimizer.lr", "optimizer.learning_rate")
        return get(self)

    def set_old(self: Any, value: Any) -> None:
        log.translated("optimizer.lr = ...", "optimizer.learning_rate = ...")
        set_(self, value)

    optimizer._backend_update_step = decayed
    optimizer.learning_rate = property(get, set_)
    optimizer.lr = property(get_old, set_old)
