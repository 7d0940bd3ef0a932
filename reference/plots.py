"""Write the pictures beside a trained model: curves, confusions, activations, filters and Grad-CAM."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
from matplotlib.figure import Figure

from reference.baselines import predicted_classes
from reference.systems import System, Trained
from reference.visualization.activations import activations_figure
from reference.visualization.classification import (
    confusion_figure,
    count_confusions,
    misclassified_figure,
    probabilities_figure,
)
from reference.visualization.curves import curves_figure
from reference.visualization.filters import filters_figure
from reference.visualization.gradcam import gradcam_figure
from reference.visualization.layers import layers_of

SHOWN = 300  # examples to choose mistakes from
SMOOTHING = 0.8  # as in the course, for fine-tuning


def plot_training(system: System, trained: Trained, out: Path) -> None:
    """Write ``NAME.curves.png``, and ``NAME.line.png`` or ``NAME.confusion|mistakes|probabilities.png``."""
    if trained.history:
        smoothing = SMOOTHING if system.name == "transfer-tuned" else 0.0
        _save(curves_figure(trained.history, smoothing=smoothing), out, f"{system.name}.curves")
    if system.metric == "mean_squared_error":
        _save(line_figure(trained), out, f"{system.name}.line")
    elif trained.examples is not None:
        table = count_confusions(trained.truth, predicted_classes(trained), trained.classes)
        _save(confusion_figure(table), out, f"{system.name}.confusion")
        some = np.random.default_rng(0).permutation(len(trained.truth))[:SHOWN]  # folders are sorted by class
        seen = trained.model, trained.examples[some], trained.truth[some], trained.classes
        _save(misclassified_figure(*seen), out, f"{system.name}.mistakes")
        _save(probabilities_figure(*seen), out, f"{system.name}.probabilities")


def plot_photo(model: keras.Model, photo: Path, out: Path) -> None:
    """Write ``activations.png`` and ``gradcam.png`` of a photo, and ``filters.png`` of a lower layer.

    The filters are those of the convolution a third of the way up (VGG16's ``block3_conv1``): the noise at the start of
    the ascent does not activate higher ones.
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
    """Return a figure of the test points and the model's predictions for them."""
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
