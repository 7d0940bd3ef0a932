"""Networks made visible: on networks whose answer is known in closed form, on trained ones, and on every backend."""

from __future__ import annotations

import importlib.util
import io
import os
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, cast

import keras
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from numpy.typing import NDArray

from reference.visualization.activations import activation_model, activations_figure
from reference.visualization.classification import (
    class_probabilities,
    confusion_figure,
    confusion_table,
    load_model,
    misclassified_figure,
    probabilities_figure,
    save_model,
)
from reference.visualization.curves import curves_figure, smooth
from reference.visualization.filters import deprocess, filter_pattern, filters_figure, noise
from reference.visualization.gradcam import gradcam_figure, heatmap
from reference.visualization.layers import layer_named, maps_of_any_size
from reference.visualization.pictures import mosaic, text_style, to_displayable
from tests.reference.on_backend import PHOTO, answers, averaged, nested, with_weights

layers = keras.layers
ROOT = Path(__file__).parents[2]
BACKENDS = [name for name in ("tensorflow", "jax", "torch") if importlib.util.find_spec(name)]

Array = NDArray[Any]


def drawn(figure: Figure) -> Figure:
    """Drawn as a file would be: what Matplotlib warns of is an error here."""
    figure.savefig(io.BytesIO(), dpi=30)
    return figure


# ---------------------------------------------------------------- on every backend that is installed


@pytest.fixture(scope="module", params=BACKENDS)
def found(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Array]:
    if request.param == keras.config.backend():
        return answers()
    kept = tmp_path_factory.mktemp(request.param) / "answers.npz"
    command = [sys.executable, "-m", "tests.reference.on_backend", str(kept)]
    subprocess.run(command, cwd=ROOT, env={**os.environ, "KERAS_BACKEND": request.param}, check=True, timeout=120)
    with np.load(kept) as file:
        return dict(file)


def test_gradient_with_respect_to_inputs(found: dict[str, Array]) -> None:
    np.testing.assert_allclose(found["gradient"], [3, 12, 27])
    np.testing.assert_array_equal(found["no gradient"], [0, 0, 0])


def test_heatmap_of_global_average_is_the_weighted_sum_of_maps(found: dict[str, Array]) -> None:
    kernel, bias, weights, _ = averaged().get_weights()
    maps = np.maximum(PHOTO @ kernel[0, 0] + bias, 0)
    heat = np.maximum(maps @ weights[:, 1], 0)
    assert heat.max() > 0
    np.testing.assert_allclose(found["averaged"], heat / heat.max(), atol=1e-5)


def test_heatmap_inside_a_nested_residual_base(found: dict[str, Array]) -> None:
    weights = nested().get_weights()
    for class_index, sign in ((0, -1), (1, 1)):
        heat = _heat_by_hand(weights, sign)
        np.testing.assert_allclose(found[f"nested {class_index}"], heat / (heat.max() or 1), atol=1e-4)
    assert found["nested 0"].max() == 1 or found["nested 1"].max() == 1


def test_gradient_ascent_increases_the_response(found: dict[str, Array]) -> None:
    start, climbed = found["responses"]
    assert climbed > 1.5 * max(start, 0)


def test_every_backend_gives_the_same_maps_and_patterns(found: dict[str, Array]) -> None:
    assert found["pattern"].dtype == np.uint8
    here = answers_here()
    np.testing.assert_allclose(found["pattern"].astype(int), here["pattern"].astype(int), atol=1)
    np.testing.assert_allclose(found["sums"], here["sums"], rtol=1e-4, atol=1e-4)


@cache
def answers_here() -> dict[str, Array]:
    return answers()


def _heat_by_hand(weights: list[Array], sign: int) -> Array:
    """Compute the heat map from the second convolution, weighted with finite differences of the score."""
    model = nested()
    network = activation_model(model, 4)
    _, first, second, _ = network.predict(PHOTO[np.newaxis], verbose=0)
    kernel, bias = weights[-2:]

    def score(lift: Array) -> float:
        total = (first + second + lift)[0]
        pooled = total.reshape(4, 2, 4, 2, 6).max(axis=(1, 3))
        return sign * float(pooled.reshape(-1).astype(np.float64) @ kernel[:, 0] + bias[0])

    step = 1e-3
    slopes = [(score(step * unit) - score(-step * unit)) / (2 * step) for unit in np.eye(6)]
    return np.maximum((second[0] * np.array(slopes)).sum(axis=-1), 0)


# ---------------------------------------------------------------- a network that was taught where to look


@cache
def taught() -> tuple[keras.Model, Array, Array]:
    """Train a model on a bright square in the upper left corner; a chequered one at the lower right means nothing."""
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    x = rng.uniform(0, 0.2, (256, 16, 16, 1)).astype(np.float32)
    y, decoy = rng.integers(0, 2, (2, 256))
    x[y == 1, 2:7, 2:7] = 1
    x[decoy == 1, 9:14, 9:14] = np.indices((5, 5)).sum(axis=0)[..., np.newaxis] % 2
    model = keras.Sequential(
        [
            keras.Input((16, 16, 1)),
            layers.Conv2D(8, 3, activation="relu", name="early"),
            layers.MaxPooling2D(name="pool"),
            layers.Conv2D(8, 3, padding="same", activation="relu", name="late"),
            layers.Dropout(0.2),
            layers.GlobalAveragePooling2D(),
            layers.Dense(2, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    model.fit(x, y, batch_size=32, epochs=12, verbose=0)
    return model, x, np.stack([y, decoy], axis=1)


def test_heatmap_marks_the_place_of_the_class() -> None:
    model, x, marks = taught()
    both = x[(marks == 1).all(axis=1)][:8]
    heats = np.stack([heatmap(model, photo, class_index=1) for photo in both])
    assert heats[:, :8, :8].sum() > 3 * heats[:, 8:, 8:].sum()
    assert {np.unravel_index(heat.argmax(), heat.shape) < (8, 8) for heat in heats} == {True}


@pytest.mark.parametrize("layer", [None, "late", "early"])
@pytest.mark.parametrize("class_index", [None, 0, 1])
def test_heatmap_has_the_photos_size_and_range_0_to_1(layer: str | None, class_index: int | None) -> None:
    model, x, _ = taught()
    heat = heatmap(model, x[0], layer=layer, class_index=class_index)
    assert (heat.shape, heat.dtype) == ((16, 16), np.float32)
    assert heat.min() >= 0
    assert heat.max() in (0, 1)
    np.testing.assert_array_equal(heat, heatmap(model, x[0, ..., 0], layer=layer, class_index=class_index))


def test_heatmap_does_not_change_the_model() -> None:
    model, x, _ = taught()
    before, names = model.predict(x[:8], verbose=0), [layer.name for layer in model.layers]
    heatmap(model, x[0])
    filter_pattern(model, "late", 0, size=8, steps=1)
    assert [layer.name for layer in model.layers] == names
    np.testing.assert_array_equal(model.predict(x[:8], verbose=0), before)


def test_heatmap_of_a_saturated_network_is_not_blank() -> None:
    """Behind a sigmoid at 1.0 there is no gradient left."""
    model = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.Conv2D(4, 1, activation="relu"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(1),
            layers.Activation("sigmoid"),
        ]
    )
    model.set_weights([np.full(weight.shape, 50, np.float32) for weight in model.get_weights()])
    assert model.predict(PHOTO[np.newaxis], verbose=0)[0, 0] == 1
    assert heatmap(model, PHOTO).max() == 1
    assert heatmap(model, PHOTO, class_index=0).max() == 0


# ---------------------------------------------------------------- networks as students build them


def functional() -> keras.Model:
    photo = keras.Input((8, 8, 3))
    maps = layers.Conv2D(4, 3, activation="relu", name="maps")(photo)
    return keras.Model(photo, layers.Dense(3, activation="softmax")(layers.Flatten()(maps)))


def borrowed() -> keras.Model:
    """Put the layers of one model one by one into another, as with VGG16's."""
    return keras.Sequential([keras.Input((8, 8, 3)), *functional().layers[1:]])


def own_loss() -> keras.Model:
    base = functional()
    base.compile(loss=lambda truth, guess: keras.ops.mean((truth - guess) ** 2))
    model = keras.Sequential([keras.Input((8, 8, 3)), base, layers.Dense(3)])
    model.compile(loss=lambda truth, guess: keras.ops.mean((truth - guess) ** 2))
    return model


def frozen_call() -> keras.Model:
    photo = keras.Input((8, 8, 3))
    base = keras.Sequential([keras.Input((8, 8, 3)), layers.Conv2D(4, 3, name="maps"), layers.BatchNormalization()])
    flipped = layers.RandomFlip()(keras.applications.vgg16.preprocess_input(photo))
    return keras.Model(photo, layers.Dense(3)(layers.Flatten()(layers.ReLU()(base(flipped, training=False)))))


def called_first() -> keras.Model:
    model = keras.Sequential([layers.Conv2D(4, 3, name="maps"), layers.Flatten(), layers.Dense(3)])
    model(PHOTO[np.newaxis])
    return model


@pytest.mark.parametrize("build", [functional, borrowed, own_loss, frozen_call, called_first])
def test_models_built_in_other_ways(build: Callable[[], keras.Model]) -> None:
    model = build()
    assert heatmap(model, PHOTO).shape == (8, 8)
    assert filter_pattern(model, "maps", 3, size=20, steps=2).shape == (20, 20, 3)
    shown = activation_model(model)
    assert shown.outputs[shown.output_names.index("maps")].shape == (None, 6, 6, 4)
    drawn(activations_figure(model, PHOTO))


def dense() -> keras.Model:
    return keras.Sequential([keras.Input((8,)), layers.Dense(2)])


def without_convolution() -> keras.Model:
    return keras.Sequential([keras.Input((8, 8, 3)), layers.Flatten(), layers.Dense(2)])


def diverged() -> keras.Model:
    model = averaged()
    model.set_weights([np.full(weight.shape, np.nan, np.float32) for weight in model.get_weights()])
    return model


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        pytest.param(lambda: heatmap(without_convolution(), PHOTO), "has no 2D convolution", id="no convolution"),
        pytest.param(lambda: heatmap(averaged(), PHOTO, layer="conv9"), "its layers are: maps", id="unknown layer"),
        pytest.param(lambda: heatmap(averaged(), PHOTO, class_index=3), "classes 0 to 2", id="class out of range"),
        pytest.param(lambda: heatmap(averaged(), PHOTO, class_index=-1), "classes 0 to 2", id="class below"),
        pytest.param(lambda: heatmap(averaged(), PHOTO[:5]), r"resize the pictures", id="photo of another size"),
        pytest.param(lambda: heatmap(averaged(), PHOTO[..., 0]), r"found a batch of shape", id="grey photo"),
        pytest.param(lambda: heatmap(averaged(), PHOTO * np.nan), "NaN in the photo", id="photo of NaN"),
        pytest.param(lambda: heatmap(diverged(), PHOTO), "diverged", id="heat of a diverged network"),
        pytest.param(lambda: activation_model(dense()), "expected pictures", id="no pictures"),
        pytest.param(lambda: activation_model(keras.Sequential([layers.Dense(1)])), "keras.Input", id="not built"),
        pytest.param(lambda: activation_model(without_convolution()), "no layer that gives maps", id="no maps"),
        pytest.param(lambda: filter_pattern(averaged(), "maps", 4), "filters 0 to 3", id="filter out of range"),
        pytest.param(lambda: filter_pattern(averaged(), "maps", -1), "filters 0 to 3", id="filter below"),
        pytest.param(
            lambda: maps_of_any_size(m := without_convolution(), layer_named(m, m.layers[-1].name)),
            "expected maps",
            id="dense",
        ),
        pytest.param(lambda: class_probabilities(diverged(), PHOTO[np.newaxis], 3), "1 of 1 inputs", id="diverged"),
        pytest.param(lambda: class_probabilities(averaged(), PHOTO[np.newaxis], 2), "2 class names", id="class names"),
        pytest.param(lambda: class_probabilities(averaged(), PHOTO[:0], 3), "no pictures", id="no data"),
        pytest.param(lambda: confusion_table(averaged(), [PHOTO], [3], "abc"), "expected 0 to 2", id="label too high"),
        pytest.param(lambda: confusion_table(averaged(), [PHOTO], [-1], "abc"), "expected 0 to 2", id="label below 0"),
        pytest.param(lambda: confusion_table(averaged(), [PHOTO], [0.5], "abc"), "whole numbers", id="half a label"),
        pytest.param(lambda: confusion_table(averaged(), [PHOTO], ["a"], "abc"), "whole numbers", id="named label"),
        pytest.param(lambda: confusion_table(averaged(), [PHOTO], [0, 1], "abc"), "expected 1", id="too many labels"),
        pytest.param(lambda: confusion_table(averaged(), [PHOTO], [np.nan], "abc"), "whole numbers", id="label NaN"),
        pytest.param(lambda: curves_figure({}), "call fit before", id="no history"),
        pytest.param(lambda: curves_figure({"loss": []}), "call fit before", id="no epochs"),
        pytest.param(lambda: smooth([1], 1), "smoothing factor is 1", id="smoothing 1"),
        pytest.param(lambda: smooth([1], -0.1), "smoothing factor", id="smoothing below 0"),
        pytest.param(lambda: load_model("nowhere", "weights"), "into=", id="weights into nothing"),
        pytest.param(lambda: load_model("nowhere", cast(Any, "h5")), "'json'", id="unknown way to load"),
    ],
)
def test_invalid_input_is_explained(call: Callable[[], object], expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        call()


# ---------------------------------------------------------------- activations and filters


def test_activations_equal_each_layers_output() -> None:
    model, x, _ = taught()
    shown = activation_model(model)
    assert shown.output_names == ["early", "pool", "late"]  # not the dropout, which does nothing here
    batch = x[:2]
    for name, maps in zip(shown.output_names, shown.predict(batch, verbose=0), strict=True):
        batch = keras.ops.convert_to_numpy(model.get_layer(name)(batch))
        np.testing.assert_allclose(maps, batch, atol=1e-5)
    assert len(activation_model(model, 2).outputs) == 2


def test_activations_of_a_nested_base() -> None:
    names = activation_model(nested()).output_names
    assert [name for name in names if not name.startswith("rescaling")] == ["first", "second", "sum", "pool"]


def test_activations_figure_has_a_panel_for_each_layer_and_16_channels_a_row() -> None:
    model, x, _ = taught()
    figure = drawn(activations_figure(model, x[0, ..., 0], per_row=4))
    assert [axes.get_title(loc="left").split()[0] for axes in figure.axes] == ["early", "pool", "late"]
    sheet = figure.axes[2].images[0].get_array()
    assert sheet is not None
    rows, columns = (np.ma.getmaskarray(np.ma.masked_invalid(sheet)).all(axis=axis) for axis in (1, 0))
    assert (1 + np.diff(rows).sum() // 2, 1 + np.diff(columns).sum() // 2) == (2, 4)  # 8 channels
    assert 0 <= np.nanmin(sheet) <= np.nanmax(sheet) <= 1


def test_pattern_depends_only_on_the_seed() -> None:
    model, _, _ = taught()
    pattern = filter_pattern(model, "late", 1, size=20, steps=3)
    assert (pattern.shape, pattern.dtype) == ((20, 20, 3), np.uint8)
    assert (pattern == pattern[..., :1]).all()  # a grey model's pattern is grey
    np.testing.assert_array_equal(pattern, filter_pattern(model, "late", 1, size=20, steps=3))
    assert (pattern != filter_pattern(model, "late", 1, size=20, steps=3, seed=1)).any()
    assert len({filter_pattern(model, "early", index, size=20, steps=2).tobytes() for index in range(4)}) > 1


def test_sheet_equals_single_patterns() -> None:
    model = averaged()
    figure = drawn(filters_figure(model, "maps", 2, 3, size=16))
    sheet = np.asarray(figure.axes[0].images[0].get_array())
    assert figure.axes[0].get_title(loc="left") == "maps: filters 0–3"  # there are no more
    for index, (row, column) in enumerate([(0, 0), (0, 18), (0, 36), (18, 0)]):  # gaps of 2
        alone = filter_pattern(model, "maps", index, size=16)
        np.testing.assert_allclose(sheet[row : row + 16, column : column + 16] * 255, alone, atol=1.01)


def test_deprocess_centres_on_grey_and_handles_constants() -> None:
    assert deprocess(noise(40, 3, seed=3)).mean() == pytest.approx(127.5, abs=2)
    assert (deprocess(np.full((4, 4, 1), 9, np.float32)) == 128).all()


# ---------------------------------------------------------------- pictures


@given(st.integers(1, 9), st.integers(1, 5), st.integers(0, 3), st.booleans())
def test_mosaic_places_tiles(n: int, columns: int, gap: int, coloured: bool) -> None:
    tiles = np.arange(n * 6 * (3 if coloured else 1), dtype=np.float32).reshape((n, 2, 3, *([3] if coloured else [])))
    sheet = mosaic(tiles, columns, gap=gap, background=-1)
    assert sheet.shape[:2] == (-(-n // columns) * (2 + gap) - gap, columns * (3 + gap) - gap)
    for index, tile in enumerate(tiles):
        row, column = index // columns * (2 + gap), index % columns * (3 + gap)
        np.testing.assert_array_equal(sheet[row : row + 2, column : column + 3], tile)
    assert (sheet == -1).sum() == sheet.size - tiles.size


@pytest.mark.parametrize(
    ("picture", "expected"),
    [
        pytest.param(np.array([[0, 255]], np.uint8), [[0, 1]], id="bytes"),
        pytest.param(np.array([[0, 1]], np.uint8), [[0, 1 / 255]], id="dark bytes"),
        pytest.param(np.array([[0, 0.5]]), [[0, 0.5]], id="0 to 1"),
        pytest.param(np.array([[0, 127.5]]), [[0, 0.5]], id="0 to 255"),
        pytest.param(np.array([[-100, 0, 100]]), [[0, 0.5, 1]], id="prepared for a network"),
        pytest.param(np.array([[[0.25], [1.0]]]), [[0.25, 1]], id="one channel"),
        pytest.param(np.array([[-3, -3]]), [[0, 0]], id="all the same"),
    ],
)
def test_to_displayable_ranges(picture: Array, expected: list[list[float]]) -> None:
    np.testing.assert_allclose(to_displayable(picture), expected)


def test_text_style_uses_installed_fonts() -> None:
    assert text_style()["family"][0] == "DejaVu Sans"


# ---------------------------------------------------------------- classification


def answering(activation: str | None = None) -> keras.Model:
    """Build a model whose outputs are its inputs: an image (1, n, 1) of the scores themselves."""
    return keras.Sequential([keras.Input((1, 3, 1)), layers.Flatten(), layers.Activation(activation)])


SURE = np.array([[0.9, 0.05, 0.05], [0.2, 0.7, 0.1], [0.05, 0.95, 0], [0.6, 0.4, 0]], np.float32)
LABELS = np.array([0, 1, 0, 1])  # the third is the surest mistake, the fourth another; nothing is of the third class
NAMES = ["cat", "dog", "$bird"]


@pytest.mark.parametrize(
    "labels",
    [LABELS, LABELS[:, np.newaxis], LABELS.astype(float), np.eye(3)[LABELS], LABELS == 1, LABELS.tolist()],
    ids=["numbers", "a column", "floats", "one-hot", "true or false", "a list"],
)
def test_confusion_table_counts_each_picture_once(labels: Any) -> None:
    table = confusion_table(answering(), SURE[:, np.newaxis, :, np.newaxis], labels, NAMES)
    assert table.to_numpy().tolist() == [[1, 1, 0], [1, 1, 0], [0, 0, 0]]
    assert (list(table.index), table.index.name, table.columns.name) == (NAMES, "label", "prediction")


def test_confusion_table_of_a_trained_network_adds_up() -> None:
    model, x, marks = taught()
    table = confusion_table(model, x[..., 0], marks[:, 0], ["no", "yes"])
    assert table.sum(axis=1).tolist() == np.bincount(marks[:, 0]).tolist()
    right = (model.predict(x, verbose=0).argmax(axis=1) == marks[:, 0]).sum()
    assert np.trace(table.to_numpy()) == right > 240
    figure = drawn(confusion_figure(table))
    assert figure.axes[0].get_title() == f"{right} of 256 right"


@pytest.mark.parametrize("n", [1, 12])
def test_confusion_figure_of_any_number_of_classes(n: int) -> None:
    names = [f"class {index}" for index in range(n)]
    drawn(confusion_figure(pd.DataFrame(np.zeros((n, n), int), index=names, columns=names)))


def test_misclassified_pictures_come_surest_first() -> None:
    figure = drawn(misclassified_figure(answering(), SURE[:, np.newaxis, :, np.newaxis], LABELS, NAMES, 1, 3))
    assert [axes.get_title() for axes in figure.axes] == ["cat → dog  95%", "dog → cat  60%", ""]
    assert figure.get_suptitle() == "2 of 4 misclassified: label → prediction"
    figure = drawn(misclassified_figure(answering(), SURE[:, np.newaxis, :, np.newaxis], LABELS, NAMES, 1, 1))
    assert "the 1 surest" in figure.get_suptitle()


def test_figure_without_misclassified_pictures() -> None:
    figure = drawn(misclassified_figure(answering(), SURE[:2, np.newaxis, :, np.newaxis], LABELS[:2], NAMES))
    assert figure.get_suptitle() == "0 of 2 misclassified: label → prediction"


def test_probabilities_are_drawn_beside_the_picture() -> None:
    figure = drawn(probabilities_figure(answering(), SURE[:, np.newaxis, :, np.newaxis], LABELS, NAMES, rows=3))
    left, right = figure.axes[4:6]
    assert left.get_xlabel() == "label: cat"
    assert [label.get_text() for label in right.get_yticklabels()] == NAMES
    assert [text.get_text() for text in right.texts] == ["0.050", "0.950", "0.000"]


def test_ten_most_likely_of_many_classes_are_drawn() -> None:
    model = with_weights(keras.Sequential([keras.Input((4, 4, 1)), layers.Flatten(), layers.Dense(12)]))
    figure = drawn(probabilities_figure(model, PHOTO[np.newaxis, :4, :4, :1], [0], "abcdefghijkl"))
    shown = [float(text.get_text()) for text in figure.axes[1].texts]
    assert len(shown) == 10
    assert shown == sorted(shown, reverse=True)


@pytest.mark.parametrize(
    ("outputs", "expected"),
    [
        pytest.param([[0.25]], [[0.75, 0.25]], id="sigmoid"),
        pytest.param([[-np.log(3)]], [[0.75, 0.25]], id="score of one class"),
        pytest.param([[0.75, 0.25]], [[0.75, 0.25]], id="softmax"),
        pytest.param([[np.log(3), 0.0]], [[0.75, 0.25]], id="scores"),
    ],
)
def test_probabilities_of_two_classes(outputs: list[list[float]], expected: list[list[float]]) -> None:
    outputs_are_inputs = keras.Sequential([keras.Input((len(outputs[0]),)), layers.Activation("linear")])
    np.testing.assert_allclose(class_probabilities(outputs_are_inputs, outputs, 2), expected, rtol=1e-5)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras's own, as it saves
@pytest.mark.parametrize("how", ["keras", "json", "weights"])
@pytest.mark.parametrize("build", [averaged, nested])
def test_loaded_model_predicts_the_same(tmp_path: Path, build: Callable[[], keras.Model], how: Any) -> None:
    model = with_weights(build(), seed=4)
    save_model(model, tmp_path / "new" / "folder")
    kept = load_model(tmp_path / "new" / "folder", how, into=build() if how == "weights" else None)
    batch = PHOTO[np.newaxis]
    np.testing.assert_array_equal(kept.predict(batch, verbose=0), model.predict(batch, verbose=0))


# ---------------------------------------------------------------- curves

VALUES = st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=20)


@given(VALUES, st.floats(0, 0.99))
def test_smoothing_is_the_exponential_average(values: list[float], factor: float) -> None:
    expected = pd.Series(values).ewm(alpha=1 - factor, adjust=False).mean()
    np.testing.assert_allclose(smooth(values, factor), expected, rtol=1e-6, atol=1e-6)


@given(VALUES)
def test_smoothing_of_0_keeps_the_values(values: list[float]) -> None:
    assert smooth(values, 0) == values


def test_curves_figure_has_a_panel_for_loss_and_each_metric() -> None:
    history = {"accuracy": [0.5, 0.7], "loss": [2.0, np.nan], "val_accuracy": [0.4, 0.6], "learning_rate": [1e-3, 1e-4]}
    figure = drawn(curves_figure(history))
    assert [axes.get_title() for axes in figure.axes] == ["loss", "accuracy"]
    assert [len(axes.lines) for axes in figure.axes] == [1, 2]
    smooth = drawn(curves_figure(history, smoothing=0.8))
    assert [line.get_label() for line in smooth.axes[1].lines if not str(line.get_label()).startswith("_")] == [
        "training, smoothed",
        "validation, smoothed",
    ]
    np.testing.assert_allclose(np.asarray(smooth.axes[1].lines[1].get_ydata(), float), [0.5, 0.54])


def test_curves_figure_accepts_the_history_of_fit() -> None:
    model = dense()
    model.compile(loss="mse")
    history = model.fit(np.ones((4, 8)), np.ones((4, 2)), verbose=0)
    assert [axes.get_title() for axes in drawn(curves_figure(history)).axes] == ["loss"]


def test_gradcam_figure_overlays_the_given_picture() -> None:
    model, x, _ = taught()
    figure = drawn(gradcam_figure(model, x[0], class_index=1))
    assert [axes.get_title() for axes in figure.axes[:3]] == ["photo", "evidence for class 1", "overlay"]
    picture = np.zeros((40, 60, 3), np.uint8)  # larger than what the network gets
    figure = drawn(gradcam_figure(averaged(), PHOTO * 200 - 100, picture=picture))
    assert figure.axes[2].images[1].get_extent() == [-0.5, 59.5, 39.5, -0.5]
