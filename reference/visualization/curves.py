"""Draw learning curves: loss and metrics per epoch, for training and validation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import keras
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

TRAINING, VALIDATION = "tab:blue", "tab:orange"


def smooth(values: Sequence[float], factor: float) -> list[float]:
    """Return the exponential moving average: ``factor`` times the last average plus ``1 - factor`` times the value.

    ``factor`` is in [0, 1): 0 leaves the values unchanged.
    """
    if not 0 <= factor < 1:
        raise ValueError(f"smoothing factor is {factor}, expected a number from 0 up to, but not including, 1")
    averages: list[float] = []
    for value in values:
        averages.append(factor * averages[-1] + (1 - factor) * value if averages else float(value))
    return averages


def curves_figure(
    history: keras.callbacks.History | Mapping[str, Sequence[float]], *, smoothing: float = 0.0
) -> Figure:
    """Return a figure with a panel for the loss and for each metric; training and, if present, validation.

    ``history`` is the return value of ``fit``. With ``smoothing`` (0.8 suits fine-tuning) the values themselves are
    drawn pale behind the smoothed curve.
    """
    values: Mapping[str, Sequence[float]] = getattr(history, "history", history)
    measured = [name for name in values if not name.startswith("val_") and name not in ("learning_rate", "lr")]
    names = sorted(measured, key=lambda name: name != "loss")  # Keras sorts alphabetically
    if not names or not values[names[0]]:
        raise ValueError(f"the history has no epochs, only {sorted(values)}: call fit before drawing")
    figure = Figure(figsize=(5.5 * len(names), 4), layout="constrained")
    for axes, name in zip(figure.subplots(1, len(names), squeeze=False)[0], names, strict=True):
        _curve(axes, values[name], "training", TRAINING, smoothing)
        if f"val_{name}" in values:
            _curve(axes, values[f"val_{name}"], "validation", VALIDATION, smoothing)
        axes.set(title=name.replace("_", " "), xlabel="epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.25)
        axes.legend()
    return figure


def _curve(axes: Axes, values: Sequence[float], label: str, colour: str, smoothing: float) -> None:
    epochs = range(1, len(values) + 1)
    if smoothing:
        axes.plot(epochs, values, color=colour, alpha=0.25, linewidth=1)
        label = f"{label}, smoothed"
    marker = "o" if len(values) <= 30 else None  # a single epoch has no line
    axes.plot(epochs, smooth(values, smoothing), color=colour, label=label, marker=marker, markersize=3)
