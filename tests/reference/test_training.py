"""``python -m reference``: systems trained on small sets in the library's own layout, and what is written of it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf
from keras.src.legacy.saving import legacy_h5_format
from PIL import Image

from grader.data.cache.cached_sets import arrays
from reference import baselines, imdb, photos, pokedex, transfer
from reference.__main__ import main
from reference.baselines import Baseline, append_baseline, read_baselines
from reference.systems import BY_NAME, Session, Trained

RUN = Baseline(
    "mnist-wide", "mnist", "accuracy", 0.99, 0.98, 0.995, 10_000, None, 10, 10, 1, "float32", 12.5, 843_658,
    '"0.99" \\ 數字', "2 x CPU", "Keras 3", date(2026, 1, 2),
)  # fmt: skip


def squares(folder: Path, classes: int, per_class: int) -> Path:
    """Write a folder per class: squares of the class's own colour on noise."""
    rng = np.random.default_rng(5)
    for number in range(classes):
        (folder / f"class{number}").mkdir(parents=True)
        for index in range(per_class):
            pixels = rng.integers(0, 60, (40, 40, 3), dtype=np.uint8)
            pixels[8:32, 8:32, number % 3] = 255
            Image.fromarray(pixels).save(folder / f"class{number}" / f"{index:03d}.png")
    return folder


@pytest.fixture
def library(tmp_path: Path) -> Path:
    rng = np.random.default_rng(6)
    labels = np.arange(120) % 10
    pictures = np.zeros((120, 28, 28), np.uint8)
    for picture, label in zip(pictures, labels, strict=True):
        picture[2 * label : 2 * label + 8] = 255
    folder = tmp_path / "library"
    (folder / "datasets").mkdir(parents=True)
    noisy = np.clip(pictures + rng.integers(0, 9, pictures.shape), 0, 255).astype(np.uint8)
    np.savez(folder / "datasets" / "mnist.npz", x_train=noisy, y_train=labels, x_test=noisy[:50], y_test=labels[:50])
    for part in ("train", "validation"):
        squares(folder / "photos" / "cats-dogs" / part, 2, 8)
    return folder


def trained(tmp_path: Path, library: Path, *arguments: str) -> Baseline:
    main(["train", *arguments, "--library", str(library), "--out", str(tmp_path / "out"),
          "--baselines", str(tmp_path / "baselines.toml")])  # fmt: skip
    return read_baselines(tmp_path / "baselines.toml")[-1]


def test_training_writes_model_plots_and_a_run(
    tmp_path: Path, library: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = trained(tmp_path, library, "mnist-three", "--epochs", "2", "--seed", "3")
    assert (run.system, run.n, run.epochs, run.seed, run.parameters) == ("mnist-three", 50, 2, 3, 93_322)
    assert run.low <= run.value <= run.high
    output = capsys.readouterr().out
    assert "epoch 2/2" in output
    assert "to go" in output
    model = keras.models.load_model(tmp_path / "out" / "mnist-three.keras")
    assert model.count_params() == 93_322
    history = json.loads((tmp_path / "out" / "mnist-three.history.json").read_text())
    assert len(history["loss"]) == 2
    assert (tmp_path / "out" / "mnist-three.curves.png").stat().st_size > 5_000


def test_same_seed_gives_the_same_value(tmp_path: Path, library: Path) -> None:
    first = trained(tmp_path, library, "line-deep", "--epochs", "3", "--seed", "2")
    other = trained(tmp_path, library, "line-deep", "--epochs", "3", "--seed", "2")
    assert first.value == other.value
    assert len(read_baselines(tmp_path / "baselines.toml")) == 2


@pytest.mark.slow
def test_mixed_precision_is_recorded(tmp_path: Path, library: Path) -> None:
    mixed = trained(tmp_path, library, "mnist-three", "--epochs", "1", "--precision", "mixed_bfloat16")
    exact = trained(tmp_path, library, "line-deep", "--epochs", "1")  # which leaves Keras as it was
    assert (exact.precision, mixed.precision) == ("float32", "mixed_bfloat16")
    model = keras.models.load_model(tmp_path / "out" / "mnist-three.keras")
    assert model.layers[0].compute_dtype == "bfloat16"


def swinging(keep_best: bool) -> tuple[Trained, float]:
    """Three epochs that are right about no picture, about all, and about none; and the weight that was kept."""
    inputs, labels = np.ones((4, 1, 1, 3), np.float32), np.ones(4, np.int32)
    data = tf.data.Dataset.from_tensor_slices((inputs, labels)).batch(4)
    model = keras.Sequential([keras.Input((1, 1, 3)), keras.layers.Flatten(), keras.layers.Dense(1, "sigmoid")])
    model.compile(optimizer=keras.optimizers.SGD(0.0), loss="binary_crossentropy", metrics=["accuracy"])

    class Swing(keras.callbacks.Callback):  # type: ignore[misc]
        def on_epoch_begin(self, epoch: int, logs: object = None) -> None:
            model.set_weights([np.full((3, 1), 1.0 if epoch == 1 else -1.0), np.zeros(1)])

    split = photos.Split(data, data, data, ("none", "one"))
    session = Session(3, 1, Path(), callbacks=(Swing(),))
    result = photos.fit_and_test(model, data, split, session, keep_best=keep_best)
    return result, float(model.get_weights()[0][0, 0])


def test_keep_best_restores_the_best_epoch() -> None:
    last, weight = swinging(keep_best=False)
    assert (weight, last.history["val_accuracy"][last.kept], last.answers.round().sum()) == (-1, 0, 0)
    best, weight = swinging(keep_best=True)
    assert (weight, best.history["val_accuracy"][best.kept], best.answers.round().sum()) == (1, 1, 4)
    assert best.kept == 1


def widest_shear(degrees: float) -> float:
    """Measure in 40 tries the largest shift, in pixels, of the bottom of an upright line against its top."""
    line = np.zeros((40, 101, 101, 1), np.float32)
    line[:, :, 50] = 255
    sheared = np.asarray(photos.course_augmentation(rotation=0, shift=0, zoom=0, shear=degrees)(line, training=True))
    at = [(np.arange(101) * picture[row, :, 0]).sum() / picture[row].sum() for picture in sheared for row in (0, -1)]
    return max(abs(top - bottom) for top, bottom in zip(at[::2], at[1::2], strict=True))


def test_shear_is_an_angle_as_in_image_data_generator() -> None:
    keras.utils.set_random_seed(8)
    assert widest_shear(0.2) < 1
    assert 15 < widest_shear(20.0) < 2 * 100 * np.tan(np.radians(20))


def test_a_straight_line_reaches_the_noise(tmp_path: Path, library: Path) -> None:
    run = trained(tmp_path, library, "line-linear")
    assert run.low < 9 < run.high  # the noise has the variance 9


def test_half_of_validation_is_the_test_set_without_a_test_folder(tmp_path: Path, library: Path) -> None:
    run = trained(tmp_path, library, "cats-dogs-augmented", "--epochs", "1")
    assert run.n == 8


@pytest.fixture(scope="module")
def base_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """VGG16's base with random weights, in the file's own format."""
    keras.utils.set_random_seed(7)
    path = tmp_path_factory.mktemp("models") / "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"
    with h5py.File(path, "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, keras.applications.VGG16(weights=None, include_top=False))
    return path


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in BY_NAME if name.startswith("transfer-")])
def test_transfer_model_predicts_its_own_answers(name: str, library: Path, base_weights: Path) -> None:
    (library / "models").mkdir()
    (library / "models" / base_weights.name).symlink_to(base_weights)
    config = replace(transfer.CONFIGS[name], size=48, head_epochs=1)
    trained = transfer.train(config, Session(1, 1, library))
    np.testing.assert_allclose(
        trained.model.predict(trained.examples, verbose=0)[:, 0], trained.answers, rtol=1e-4, atol=1e-6
    )
    base = trained.model.get_layer("vgg16")
    before = keras.applications.VGG16(weights=base_weights, include_top=False, input_shape=(48, 48, 3))
    moved = {
        old.name
        for old, new in zip(before.layers, base.layers, strict=True)
        if any(not np.array_equal(a, b) for a, b in zip(old.get_weights(), new.get_weights(), strict=True))
    }
    assert moved == ({"block5_conv1", "block5_conv2", "block5_conv3"} if name == "transfer-tuned" else set())


def test_reviews_are_numbered_as_in_keras(tmp_path: Path) -> None:
    (tmp_path / "arrays").mkdir()
    words, lengths = np.array([5, 9_000, 9_996, 9_997, 20_000, 1], np.int32), np.array([5, 1])
    held: dict[str, Any] = {f"{part}_{which}": value for which in ("train", "test")
            for part, value in (("x", words), ("y", np.array([0, 1])))}  # fmt: skip
    held |= {f"x_{which}_lengths": lengths for which in ("train", "test")}
    np.savez(tmp_path / "arrays" / "imdb.npz", **held)
    config = replace(imdb.CONFIGS["imdb"], length=80)
    padded = imdb.pad_reviews(arrays("imdb", tmp_path).x_train, config)
    assert padded[0][-6:].tolist() == [1, 8, 9_003, 9_999, 2, 2]
    trained = imdb.train(replace(config, validation_split=0.5), Session(1, 1, tmp_path))
    assert trained.answers.shape == (2,)


def test_missing_set_is_one_line(tmp_path: Path, library: Path) -> None:
    with pytest.raises(SystemExit, match="grader data fetch cifar10"):
        trained(tmp_path, library, "cifar10", "--epochs", "1")
    assert not (tmp_path / "baselines.toml").exists()


@pytest.mark.parametrize("name", ["pokedex", "separable"])
def test_own_pictures_need_a_folder(name: str, tmp_path: Path, library: Path) -> None:
    with pytest.raises(SystemExit, match="--data FOLDER"):
        trained(tmp_path, library, name)
    with pytest.raises(SystemExit, match=r"typo is not a folder.*--data FOLDER"):
        trained(tmp_path, library, name, "--data", str(tmp_path / "typo"))


@pytest.mark.slow
def test_separable_convolutions_take_any_number_of_classes(tmp_path: Path, library: Path) -> None:
    folder = squares(tmp_path / "own", 3, 10)
    assert trained(tmp_path, library, "separable", "--epochs", "1", "--data", str(folder)).n == 6


@pytest.mark.slow
def test_small_vgg_trains_and_classifies(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, model = squares(tmp_path / "own", 3, 15), tmp_path / "small.keras"
    pokedex.main(["train", str(folder), "--model", str(model), "--epochs", "2"])
    pokedex.main(["classify", str(model), str(folder / "class1" / "000.png")])
    output = capsys.readouterr().out.splitlines()[-3:]
    assert {line.split()[-1] for line in output} == {"class0", "class1", "class2"}
    assert sum(float(line.split("%")[0]) for line in output) == pytest.approx(100, abs=0.2)


@pytest.mark.parametrize(
    ("arguments", "output"),
    [
        (["classify", "nowhere.keras", "nowhere.png"], "nowhere.labels.json"),
        (["train", "nowhere"], "nowhere"),
    ],
)
def test_small_vgg_reports_missing_files(arguments: list[str], output: str, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=output):
        pokedex.main([arguments[0], *(str(tmp_path / name) for name in arguments[1:])])


def test_runs_are_appended_unchanged(tmp_path: Path) -> None:
    append_baseline(RUN, tmp_path / "b.toml")
    append_baseline(RUN, tmp_path / "b.toml")
    assert read_baselines(tmp_path / "b.toml") == (RUN, RUN)


def test_recorded_runs_are_of_known_systems() -> None:
    for run in read_baselines():
        assert run.system in BY_NAME
        assert run.low <= run.value <= run.high
        assert BY_NAME[run.system].parameters in (None, run.parameters)


def test_probabilities_become_classes() -> None:
    binary = Trained(None, {}, np.array([0.2, 0.8, 0.6]), np.array([0, 1, 0]))
    several = Trained(None, {}, np.eye(3), np.arange(3))
    assert baselines.measure(BY_NAME["cats-dogs-scratch"], binary).value == pytest.approx(2 / 3)
    assert baselines.measure(BY_NAME["mnist-wide"], several).value == 1


def test_draw_writes_all_figures(tmp_path: Path) -> None:
    inputs = keras.Input((40, 40, 3))
    maps = keras.layers.Conv2D(4, 3, activation="relu")(keras.layers.Rescaling(1 / 255)(inputs))
    maps = keras.layers.Conv2D(4, 3, activation="relu")(keras.layers.MaxPooling2D()(maps))
    pooled = keras.layers.GlobalAveragePooling2D()(maps)
    keras.Model(inputs, keras.layers.Dense(2, activation="softmax")(pooled)).save(tmp_path / "model.keras")
    photo = squares(tmp_path / "own", 1, 1) / "class0" / "000.png"
    main(["draw", str(tmp_path / "model.keras"), str(photo), "--out", str(tmp_path / "drawn")])
    assert {path.name for path in (tmp_path / "drawn").iterdir()} == {"activations.png", "gradcam.png", "filters.png"}


def test_all_systems_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    main(["list"])
    output = capsys.readouterr().out
    assert all(name in output for name in BY_NAME)
