"""Tests of every reference system: shapes, exact number of parameters, a training step, saving and loading."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from reference import transfer
from reference.systems import BY_NAME, SYSTEMS, load_family

NETWORKS = [system.name for system in SYSTEMS if system.name != "line-linear"]
COUNTED = {
    "line-dropout": 4 * 2 + 8 * 5 + 9,
    "line-small": 89,
    "line-deep": 1_337,
    "mnist-wide": 843_658,
    "mnist-three": 93_322,
    "mnist-sgd": 325_282,
    "cifar10": 9_176_018,
    "cats-dogs-scratch": 3_453_121,
    "cats-dogs-augmented": 3_453_121,
    "transfer-features": 16_812_353,
    "transfer-prepared": 16_812_353,
    "transfer-frozen": 16_812_353,
    "transfer-tuned": 16_812_353,
    "pokedex": 8_678_277,
    "imdb": 1_315_937,
    "separable": 38_784,
    "separable-plain": 282_117,
}
OUTPUTS = {
    "line": 1,
    "mnist": 10,
    "cifar10": 10,
    "cats_dogs": 1,
    "transfer": 1,
    "pokedex": 5,
    "imdb": 1,
    "separable": 5,
}


def built(name: str) -> Any:
    keras.utils.set_random_seed(3)
    module: Any = load_family(BY_NAME[name])
    return module.build_model(module.CONFIGS[name])


def rows(model: Any, n: int = 2) -> np.ndarray:
    """Make inputs for a model of the course: numbers, bytes of images, or word numbers."""
    return np.random.default_rng(4).integers(0, 256, (n, *model.input_shape[1:])).astype(model.inputs[0].dtype)


def answers(model: Any, n: int = 2) -> np.ndarray:
    classes = model.output_shape[-1]
    labels = np.arange(n) % max(classes, 2)
    one_hot = "mse" in str(model.loss) or model.loss == "categorical_crossentropy"
    return keras.utils.to_categorical(labels, classes) if one_hot and classes > 1 else labels.astype("float32")


def weights(model: Any) -> list[np.ndarray]:
    return [keras.ops.convert_to_numpy(weight) for weight in model.trainable_weights]


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * name.startswith("transfer-")) for name in NETWORKS]
)
def test_system_matches_the_course(name: str, tmp_path: Path) -> None:
    """One model serves all checks, because building the largest takes a second."""
    model = built(name)
    assert model.count_params() == COUNTED[name]
    assert BY_NAME[name].parameters in (None, COUNTED[name])
    assert model.output_shape == (None, OUTPUTS.get(BY_NAME[name].module, 1))

    inputs = rows(model)
    before = weights(model)
    assert np.isfinite(model.train_on_batch(inputs, answers(model))).all()
    assert any(not np.array_equal(old, new) for old, new in zip(before, weights(model), strict=True))

    predicted = model.predict(inputs, verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras").predict(inputs, verbose=0)
    np.testing.assert_array_equal(again, predicted)


@pytest.mark.parametrize(
    "name", [name for name in NETWORKS if BY_NAME[name].module != "transfer"] + ["transfer-frozen"]
)
def test_predictions_are_float32_with_mixed_precision(name: str) -> None:
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = built(name)
    finally:
        keras.config.set_dtype_policy("float32")
    assert model.layers[1].compute_dtype == "bfloat16"
    assert model.outputs[0].dtype == "float32"


def test_frozen_base_leaves_four_trainable_weights() -> None:
    config = transfer.CONFIGS["transfer-frozen"]
    base = transfer.build_base(config)
    assert base.count_params() == 14_714_688
    assert base.output_shape == (None, 4, 4, 512) == (None, *transfer.feature_shape(config))
    model = transfer.build_model(config)
    assert len(model.trainable_weights) == 4
    model.trainable = True
    model.get_layer("vgg16").trainable = True
    assert len(model.trainable_weights) == 30


def test_fine_tuning_starts_at_the_fifth_block() -> None:
    model = transfer.build_model(transfer.CONFIGS["transfer-tuned"])
    tuned = [layer.name for layer in model.get_layer("vgg16").layers if layer.trainable and layer.weights]
    assert tuned == ["block5_conv1", "block5_conv2", "block5_conv3"]
    assert len(model.trainable_weights) == 3 * 2 + 4


def test_head_input_matches_the_base() -> None:
    head = transfer.build_head(transfer.CONFIGS["transfer-features"])
    assert head.count_params() == 2_097_665
    assert [layer.rate for layer in head.layers if isinstance(layer, keras.layers.Dropout)] == [0.5]


def test_outputs_are_probabilities() -> None:
    for name in ("mnist-three", "separable", "cats-dogs-scratch"):
        model = built(name)
        predicted = model.predict(rows(model, 5), verbose=0)
        assert (predicted >= 0).all()
        assert (predicted <= 1).all()
        if predicted.shape[1] > 1:
            np.testing.assert_allclose(predicted.sum(axis=1), 1, rtol=1e-5)


def test_names_are_unique() -> None:
    assert len(BY_NAME) == len(SYSTEMS)
    assert {system.number for system in SYSTEMS} == set(range(1, 17))
