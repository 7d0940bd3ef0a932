"""Old optimizer arguments (``lr``, ``decay``, ``epsilon=None``) and the attribute ``optimizer.lr``.

``decay`` is obeyed: Keras 3 would ignore it with a warning and train with another learning rate.
"""

from __future__ import annotations

import inspect
from typing import Any

from .argument_renames import OPTIMIZER_ARGUMENTS, OPTIMIZER_EXTRAS, OPTIMIZERS
from .arguments import Arguments, Prepare, accept_old_arguments, format_arguments, translate
from .notes import Kind, note, note_translation


def install(keras: Any) -> None:
    """Wrap the constructors of the optimizers, and add ``optimizer.lr``."""
    for name in OPTIMIZERS:
        optimizer = getattr(keras.optimizers, name, None)
        if optimizer is not None:
            renames = {**OPTIMIZER_ARGUMENTS, **OPTIMIZER_EXTRAS.get(name, {})}
            accept_old_arguments(optimizer, "__init__", renames, prepare=_prepare_for(keras, optimizer))
    _add_learning_rate_properties(keras.Optimizer)


def _prepare_for(keras: Any, optimizer: Any) -> Prepare:
    """Return a function that translates ``lr``, ``decay`` and ``epsilon=None`` for the class ``optimizer``."""
    name, parameters = optimizer.__name__, inspect.signature(optimizer.__init__).parameters

    def default(argument: str) -> Any:
        return parameters[argument].default if argument in parameters else None

    def prepare(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Arguments:
        if "lr" in kwargs:
            kwargs = translate(name, OPTIMIZER_ARGUMENTS, kwargs)
        if kwargs.get("epsilon", 0) is None and default("epsilon") is not None:
            del kwargs["epsilon"]  # None meant the default of Keras
            note_translation(f"{name}(epsilon=None)", f"{name}({format_arguments({'epsilon': default('epsilon')})})")
        rate = args[1] if len(args) > 1 else kwargs.get("learning_rate", default("learning_rate"))
        decay = kwargs.get("decay")
        if decay is not None and isinstance(rate, (int, float)):
            del kwargs["decay"]
            if decay:
                rate = _decay_schedule(keras, name, float(rate), float(decay))
            else:
                note(Kind.IGNORED, f"{name}({format_arguments({'decay': decay})})")
        if type(rate) is int:
            rate = float(rate)  # Keras 3 requires a float
        if len(args) > 1:
            return (args[0], rate, *args[2:]), kwargs
        return args, {**kwargs, "learning_rate": rate}

    return prepare


def _decay_schedule(keras: Any, name: str, rate: float, decay: float) -> Any:
    """Return the schedule ``rate / (1 + decay * iterations)``; callbacks can still set its rate."""
    schedule = keras.optimizers.schedules.InverseTimeDecay(rate, decay_steps=1, decay_rate=decay)
    config = schedule.get_config()
    schedule.base = keras.Variable(rate, trainable=False, name="learning_rate")
    schedule.initial_learning_rate = schedule.base
    schedule.get_config = lambda: {**config, "initial_learning_rate": float(schedule.base.numpy())}
    code = f"keras.optimizers.schedules.InverseTimeDecay({rate!r}, 1, {decay!r})"
    note_translation(f"{name}({format_arguments({'decay': decay})})", f"{name}(learning_rate={code})")
    return schedule


def _add_learning_rate_properties(optimizer: Any) -> None:
    """Add ``lr``, and make ``learning_rate`` the rate before decay where ``decay`` was given, as in Keras 2."""
    learning_rate, update_step = optimizer.learning_rate, optimizer._backend_update_step

    def update_with_decayed_rate(self: Any, gradients: Any, variables: Any, rate: Any) -> Any:
        decays = hasattr(self._learning_rate, "base")
        return update_step(self, gradients, variables, learning_rate.fget(self) if decays else rate)

    def get_rate(self: Any) -> Any:
        base = getattr(self._learning_rate, "base", None)
        return base if base is not None else learning_rate.fget(self)

    def set_rate(self: Any, value: Any) -> None:
        base = getattr(self._learning_rate, "base", None)
        if base is not None and not callable(value):
            base.assign(value)
        else:
            learning_rate.fset(self, value)

    def get_lr(self: Any) -> Any:
        note_translation("optimizer.lr", "optimizer.learning_rate")
        return get_rate(self)

    def set_lr(self: Any, value: Any) -> None:
        note_translation("optimizer.lr = ...", "optimizer.learning_rate = ...")
        set_rate(self, value)

    optimizer._backend_update_step = update_with_decayed_rate
    optimizer.learning_rate = property(get_rate, set_rate)
    optimizer.lr = property(get_lr, set_lr)
