"""The pictures beside a trained model: its curves, what it confuses, what its layers see and what decided."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
from matplotlib.figure import Figure

from reference.baselines import answered
from reference.systems import System, Trained
from reference.visualization.activations import activations_figure
from reference.visualization.classification import (
    confusion_figure,
    counted,
    misclassified_figure,
    probabilities_figure,
)
from reference.visualization.curves import curves_figure
from reference.visualization.filters import filters_figure
from reference.visualization.gradcam import gradcam_figure
from reference.visualization.layers import layers_of

SHOWN = 300  # examples that a page of mistakes is chosen from
SMOOTHING = 0.8  # the course's, for fine-tuning


def plot_training(system: System, trained: Trained, out: Path) -> None:
    """``NAME.curves.png``, and of a line the points, of pictures ``NAME.confusion|mistakes|probabilities.png``."""
    if trained.history:
        smoothing = SMOOTHING if system.name == "transfer-tuned" else 0.0
        _save(curves_figure(trained.history, smoothing=smoothing), out, f"{system.name}.curves")
    if system.metric == "mean_squared_error":
        _save(line_figure(trained), out, f"{system.name}.line")
    elif trained.examples is not None:
        table = counted(trained.truth, answered(trained), trained.classes)
        _save(confusion_figure(table), out, f"{system.name}.confusion")
        some = np.random.default_rng(0).permutation(len(trained.truth))[:SHOWN]  # a folder is sorted by its classes
        seen = trained.model, trained.examples[some], trained.truth[some], trained.classes
        _save(misclassified_figure(*seen), out, f"{system.name}.mistakes")
        _save(probabilities_figure(*seen), out, f"{system.name}.probabilities")


def plot_photo(model: keras.Model, photo: Path, out: Path) -> None:
    """What the model makes of a photo: ``activations.png``, ``gradcam.png``, and ``filters.png`` of a lower layer.

    The filters are those of the convolution a third of the way up (VGG16's ``block3_conv1``): higher ones stay silent
    on the noise that the climb begins with.
    """
    _n, height, width, channels = model.input_shape
    loaded = keras.utils.load_img(
        photo, target_size=(height, width), color_mode="rgb" if channels == 3 else "grayscale"
    )
    pixels = keras.utils.img_to_array(loaded)
    _save(activations_figure(model, pixels), out, "activations")
    _save(gradcam_figure(model, pixels), out, "gradcam")
    convolutions = [layer.name for layer in layers_of(model) if isinstance(layer, keras.layers.Conv2D)]
    _save(filters_figure(model, convolutions[len(convolutions) // 3]), out, "filters")


def line_figure(trained: Trained) -> Figure:
    """The points that were kept back, and what the model answers for them."""
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    x = np.asarray(trained.examples)[:, 0]
    order = np.argsort(x)
    answers: Any = np.asarray(trained.answers)
    axes.scatter(x, trained.truth, s=6, alpha=0.4, label="points")
    axes.plot(x[order], answers[order], color="tab:red", linewidth=2, label="model")
    axes.set(xlabel="x", ylabel="y")
    axes.legend()
    return figure


def _save(figure: Figure, out: Path, name: str) -> None:
    out.mkdir(parents=True, exist_ok=True)
    figure.savefig(out / f"{name}.png", dpi=110)
