"""System 14: a small VGG for pictures of five classes; train it, or classify a picture.

    python -m reference.pokedex train FOLDER --model small-vgg.keras
    python -m reference.pokedex classify small-vgg.keras PICTURE

Source: K. Simonyan and A. Zisserman, ICLR 2015, reduced to 96 x 96 pixels and five convolutions, each followed by batch
normalisation (S. Ioffe and C. Szegedy, ICML 2015) after its ReLU.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras

from grader.models.errors import DatasetError
from reference.photos import augment_pictures, course_augmentation, fit_and_test, own_pictures, read_own
from reference.systems import Session, Trained

EPOCHS, SEED = 100, 1


@dataclass(frozen=True)
class Config:
    size: int = 96
    classes: int = 5
    blocks: tuple[tuple[int, ...], ...] = ((32,), (64, 64), (128, 128))  # filters of the convolutions before each pool
    pools: tuple[int, ...] = (3, 2, 2)
    hidden: int = 1024
    learning_rate: float = 1e-3
    batch_size: int = 32


CONFIGS = {"pokedex": Config()}


def build_model(config: Config, epochs: int = EPOCHS) -> keras.Model:
    """Return a model: ``(n, size, size, 3)`` 0 to 255 -> ``(n, classes)`` probabilities, compiled for class numbers.

    The learning rate decays with the number of steps, more slowly for more ``epochs``.
    """
    layers: list[keras.Layer] = [keras.Input((config.size, config.size, 3)), keras.layers.Rescaling(1 / 255)]
    for filters, pool in zip(config.blocks, config.pools, strict=True):
        for width in filters:
            layers += [
                keras.layers.Conv2D(width, 3, activation="relu", padding="same"),
                keras.layers.BatchNormalization(),
            ]
        layers += [keras.layers.MaxPooling2D(pool), keras.layers.Dropout(0.25)]
    layers += [
        keras.layers.Flatten(),
        keras.layers.Dense(config.hidden, activation="relu"),
        keras.layers.BatchNormalization(),
        keras.layers.Dropout(0.5),
        keras.layers.Dense(config.classes, activation="softmax", dtype="float32"),
    ]
    model = keras.Sequential(layers)
    falling = keras.optimizers.schedules.InverseTimeDecay(
        config.learning_rate, decay_steps=1, decay_rate=config.learning_rate / epochs
    )
    optimizer = keras.optimizers.Adam(falling)
    model.compile(optimizer=optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def train(config: Config, session: Session) -> Trained:
    folder = own_pictures("pokedex", session)
    keras.utils.set_random_seed(session.seed)
    split = read_own(folder, size=config.size, batch_size=config.batch_size, seed=session.seed)
    model = build_model(replace(config, classes=len(split.classes)), session.epochs)
    pictures = augment_pictures(split.train, course_augmentation(rotation=25, shift=0.1))
    return fit_and_test(model, pictures, split, session)


# ---------------------------------------------------------------- command line


def classify(model: keras.Model, classes: tuple[str, ...], picture: Path) -> dict[str, float]:
    """Return the probability of each class, the most likely first. ``picture`` is any file that Pillow reads."""
    _n, height, width, _channels = model.input_shape
    pixels = keras.utils.img_to_array(keras.utils.load_img(picture, target_size=(height, width)))
    probabilities = model.predict(pixels[None], verbose=0)[0]
    ranked = sorted(zip(classes, map(float, probabilities), strict=True), key=lambda pair: -pair[1])
    return dict(ranked)


def labels_file(model: Path) -> Path:
    """Return the file with a saved model's class names, in the order of its outputs."""
    return model.with_suffix(".labels.json")


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m reference.pokedex", description="A small VGG for five classes.")
    commands = parser.add_subparsers(dest="command", required=True)
    training = commands.add_parser("train", help="train on a folder with a subfolder of pictures for each class")
    training.add_argument("folder", type=Path)
    training.add_argument("--model", type=Path, default=Path("small-vgg.keras"))
    training.add_argument("--epochs", type=int, default=EPOCHS)
    training.add_argument("--seed", type=int, default=SEED)
    classifying = commands.add_parser("classify", help="classify a picture")
    classifying.add_argument("model", type=Path)
    classifying.add_argument("picture", type=Path)
    options = parser.parse_args(arguments)
    try:
        _train(options) if options.command == "train" else _classify(options)
    except (OSError, ValueError, DatasetError) as error:
        sys.exit(f"pokedex: {error}")


def _train(options: argparse.Namespace) -> None:
    from reference.progress import Progress  # noqa: PLC0415  needs Keras

    config = CONFIGS["pokedex"]
    session = Session(options.epochs, options.seed, Path(), options.folder, (Progress(options.epochs),))
    trained: Any = train(config, session)
    trained.model.save(options.model)
    labels_file(options.model).write_text(json.dumps(trained.classes, ensure_ascii=False), encoding="utf-8")
    right = (trained.answers.argmax(axis=1) == trained.truth).mean()
    print(f"{options.model}: accuracy {right:.3f} on {len(trained.truth)} test pictures")


def _classify(options: argparse.Namespace) -> None:
    classes = tuple(json.loads(labels_file(options.model).read_text(encoding="utf-8")))
    for name, probability in classify(keras.models.load_model(options.model), classes, options.picture).items():
        print(f"{probability:6.1%}  {name}")


if __name__ == "__main__":
    main()
