"""Show a classifier's results: confusion table, misclassified pictures and probabilities; save and load models."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import keras
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import confusion_matrix

from reference.visualization.pictures import as_inputs, draw, text_style

RIGHT, WRONG = "tab:green", "tab:red"
SHOWN = 10  # bars beside a picture

Way = Literal["keras", "json", "weights"]


def class_probabilities(model: keras.Model, x: ArrayLike, classes: int) -> NDArray[np.float32]:
    """Return the probability of each class for each picture, (n, classes).

    A single output is the probability of class 1 of two. Outputs outside [0, 1] are logits; the softmax or sigmoid that
    the model left to its loss is applied to them.
    """
    outputs = model.predict(as_inputs(model, x), verbose=0)
    wanted = (1, 2) if classes == 2 else (classes,)
    if outputs.ndim != 2 or outputs.shape[1] not in wanted:
        raise ValueError(
            f"model {model.name!r} returns {outputs.shape} for {classes} class names, expected (n, {classes})"
        )
    if strange := int((~np.isfinite(outputs)).any(axis=1).sum()):
        raise ValueError(
            f"model {model.name!r} returns NaN or infinity for {strange} of {len(outputs)} inputs: the inputs "
            "contain NaN, or the training has diverged (a smaller learning rate)"
        )
    scores = outputs.min() < 0 or outputs.max() > 1.001  # a softmax in half precision may slightly exceed 1
    if outputs.shape[1] == 1:
        probability = keras.ops.sigmoid(outputs) if scores else outputs
        second = keras.ops.convert_to_numpy(probability)
        return np.concatenate([1 - second, second], axis=1)
    probabilities: NDArray[np.float32] = keras.ops.convert_to_numpy(keras.ops.softmax(outputs) if scores else outputs)
    return probabilities


def confusion_table(model: keras.Model, x: ArrayLike, y: ArrayLike, class_names: Sequence[str]) -> pd.DataFrame:
    """Return the counts of predicted classes (columns) for each label (rows), with zeros for classes that never occur.

    ``y`` holds the class of each picture, from 0, as (n,), (n, 1) or one-hot (n, classes).
    """
    predicted = class_probabilities(model, x, len(class_names)).argmax(axis=1)
    return count_confusions(_labels(y, len(predicted), len(class_names)), predicted, class_names)


def count_confusions(labels: ArrayLike, predicted: ArrayLike, class_names: Sequence[str]) -> pd.DataFrame:
    """Return the confusion table of labels (n,) and predicted classes (n,)."""
    counts = confusion_matrix(labels, predicted, labels=range(len(class_names)))
    return pd.DataFrame(
        counts, index=pd.Index(class_names, name="label"), columns=pd.Index(class_names, name="prediction")
    )


def confusion_figure(table: pd.DataFrame) -> Figure:
    """Return a figure of a confusion table; colours show shares of the row, so that rare classes are visible."""
    counts = table.to_numpy()
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    side = max(4.0, 0.4 * len(table) + 1.5)
    figure = Figure(figsize=(side + 0.8, side), layout="compressed")
    axes = figure.subplots()
    scale = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    figure.colorbar(scale, ax=axes, shrink=0.8, label="share of the row")
    for row, column in zip(*np.nonzero(counts), strict=True):
        colour = "white" if shares[row, column] > 0.5 else "black"
        axes.text(column, row, counts[row, column], ha="center", va="center", color=colour, fontsize=8)
    names = [str(name) for name in table.index]
    tilted: dict[str, Any] = (
        {"rotation": 45, "ha": "right", "rotation_mode": "anchor"} if max(map(len, names)) > 3 else {}
    )
    axes.set_xticks(range(len(names)), names, **text_style(), **tilted)
    axes.set_yticks(range(len(names)), names, **text_style())
    right = counts.trace()
    axes.set(xlabel="prediction", ylabel="label", title=f"{right} of {counts.sum()} right")
    return figure


def misclassified_figure(  # noqa: PLR0913, PLR0917  size of the grid after the arguments common to all figures
    model: keras.Model, x: ArrayLike, y: ArrayLike, class_names: Sequence[str], rows: int = 5, columns: int = 5
) -> Figure:
    """Return a figure of misclassified pictures, the most confident first: label → prediction, its probability."""
    pictures = np.asarray(x)
    probabilities = class_probabilities(model, pictures, len(class_names))
    labels = _labels(y, len(probabilities), len(class_names))
    predicted, sureness = probabilities.argmax(axis=1), probabilities.max(axis=1)
    wrong = np.flatnonzero(predicted != labels)
    surest = wrong[np.argsort(-sureness[wrong], kind="stable")][: rows * columns]

    filled = max(1, -(-len(surest) // columns))
    figure = Figure(figsize=(1.7 * columns, 1.9 * filled + 0.5), layout="constrained")
    cells = figure.subplots(filled, columns, squeeze=False).ravel()
    for axes in cells:
        axes.set_axis_off()
    for axes, index in zip(cells, surest, strict=False):
        draw(axes, pictures[index])
        title = f"{class_names[labels[index]]} → {class_names[predicted[index]]}  {sureness[index]:.0%}"
        axes.set_title(title, fontsize=9, **text_style())
    shown = "" if len(surest) == len(wrong) else f", the {len(surest)} surest"
    figure.suptitle(f"{len(wrong)} of {len(labels)} misclassified{shown}: label → prediction")
    return figure


def probabilities_figure(
    model: keras.Model, x: ArrayLike, y: ArrayLike, class_names: Sequence[str], rows: int = 5
) -> Figure:
    """Return a figure of the first pictures with the probability of each class, or of the ten most likely."""
    pictures = np.asarray(x)[:rows]
    probabilities = class_probabilities(model, pictures, len(class_names))
    labels = _labels(np.asarray(y)[:rows], len(probabilities), len(class_names))
    bars = min(SHOWN, len(class_names))
    figure = Figure(figsize=(7, (0.24 * bars + 0.6) * len(pictures)), layout="constrained")
    panels = figure.subplots(len(pictures), 2, squeeze=False, width_ratios=(1, 2))
    for (left, right), picture, row, label in zip(panels, pictures, probabilities, labels, strict=True):
        draw(left, picture)
        left.set_xlabel(f"label: {class_names[label]}", **text_style())
        _bars(right, row, int(label), class_names)
    return figure


def save_model(model: keras.Model, folder: Path | str) -> None:
    """Save the model in ``folder`` as ``model.keras``, and again as architecture and weights."""
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    model.save(place / "model.keras")
    (place / "architecture.json").write_text(model.to_json(indent=2), encoding="utf-8")
    model.save_weights(place / "model.weights.h5")


def load_model(folder: Path | str, how: Way = "keras", *, into: keras.Model | None = None) -> keras.Model:
    """Return the model that :func:`save_model` saved.

    ``keras`` loads it compiled; ``json`` builds the architecture and loads the weights; ``weights`` loads the weights
    into the model ``into``, which the same code built. The last two are not compiled.
    """
    place = Path(folder)
    match how:
        case "keras":
            return keras.saving.load_model(place / "model.keras")
        case "json":
            into = keras.models.model_from_json((place / "architecture.json").read_text(encoding="utf-8"))
        case "weights" if into is None:
            raise ValueError("how='weights' needs a model to load the weights into: pass into=build_model(...)")
        case "weights":
            pass
        case _:
            raise ValueError(f"how is {how!r}, expected 'keras', 'json' or 'weights'")
    into.load_weights(place / "model.weights.h5")
    return into


def _labels(y: ArrayLike, n: int, classes: int) -> NDArray[np.int64]:
    """Return class numbers (n,) from any of the accepted forms of ``y``."""
    given = np.asarray(y)
    labels = given.argmax(axis=1) if given.ndim == 2 and given.shape[1] > 1 else given.reshape(-1)
    is_number = np.issubdtype(labels.dtype, np.number) or labels.dtype == bool
    if len(labels) != n or not is_number or not np.isfinite(labels).all() or np.any(labels != np.trunc(labels)):
        raise ValueError(
            f"y is {given.dtype} of shape {given.shape}, expected {n} classes as whole numbers, or one-hot"
        )
    if n and not 0 <= labels.min() <= labels.max() < classes:
        raise ValueError(
            f"y has classes {labels.min()} to {labels.max()}, expected 0 to {classes - 1}, one for each class name"
        )
    return labels.astype(np.int64)


def _bars(axes: Axes, probabilities: NDArray[np.float32], label: int, class_names: Sequence[str]) -> None:
    shown = np.arange(len(class_names)) if len(class_names) <= SHOWN else np.argsort(-probabilities)[:SHOWN]
    predicted = int(probabilities.argmax())
    colours = [RIGHT if index == label else WRONG if index == predicted else "lightgray" for index in shown]
    bars = axes.barh(range(len(shown)), probabilities[shown], color=colours)
    axes.bar_label(bars, [f"{value:.3f}" for value in probabilities[shown]], padding=3, fontsize=8)
    axes.set_yticks(range(len(shown)), [class_names[int(index)] for index in shown], **text_style(), fontsize=8)
    axes.set(xlim=(0, 1.15), xticks=[0, 0.5, 1])
    axes.invert_yaxis()  # the first class on top
    axes.spines[["top", "right"]].set_visible(False)
