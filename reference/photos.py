"""Read folders of photos in batches, augment them as in the course, and train on them.

``keras.utils.image_dataset_from_directory`` and preprocessing layers replace ImageDataGenerator.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf  # reads and augments pictures, whichever backend trains

from grader.data.cache.cached_sets import photos
from grader.i18n.message import verbatim
from grader.models.errors import DatasetError
from reference.systems import Session, Trained


@dataclass(frozen=True, slots=True)
class Split:
    """Three ``tf.data.Dataset`` of ``(pictures, labels)``: (batch, size, size, 3) uint8, (batch,) int32."""

    train: Any
    validation: Any
    test: Any
    classes: tuple[str, ...]


def read_split(name: str, library: Path, *, size: int, batch_size: int, seed: int) -> Split:
    """Return the set ``name`` of the library; without a ``test`` folder, half of the validation set is the test set."""
    folder = photos(name, library)

    def read(part: str, **more: Any) -> Any:
        return keras.utils.image_dataset_from_directory(
            folder / part, label_mode="int", image_size=(size, size), batch_size=None, seed=seed, verbose=False, **more
        )

    train = read("train")
    if (folder / "test").is_dir():
        validation, test = read("validation", shuffle=False), read("test", shuffle=False)
    else:
        validation, test = read("validation", validation_split=0.5, subset="both")
    classes = tuple(train.class_names)
    return Split(
        _shuffled(train, batch_size, seed), _cached(validation).batch(batch_size), test.batch(batch_size), classes
    )


def read_own(folder: Path, *, size: int, batch_size: int, seed: int) -> Split:
    """Read a folder with a subfolder for each class: 80 % for training, 20 % for both validation and testing.

    The article on the small VGG uses this split.
    """
    train, rest = keras.utils.image_dataset_from_directory(
        folder, label_mode="int", image_size=(size, size), batch_size=None, seed=seed, verbose=False,
        validation_split=0.2, subset="both",
    )  # fmt: skip
    classes = tuple(train.class_names)
    kept = _cached(rest).batch(batch_size)
    return Split(_shuffled(train, batch_size, seed), kept, kept, classes)


def _cached(pictures: Any) -> Any:
    """Cache the pictures in memory as bytes, so that the disk is read once."""
    return pictures.map(lambda x, y: (tf.cast(x, tf.uint8), y)).cache()


def _shuffled(pictures: Any, batch_size: int, seed: int) -> Any:
    return _cached(pictures).shuffle(len(pictures), seed=seed).batch(batch_size)


def augment_pictures(train: Any, augment: keras.Layer) -> Any:
    """Return ``train`` with every picture changed at random in each epoch; float32, 0 to 255."""
    return train.map(lambda x, y: (augment(x, training=True), y), num_parallel_calls=2).prefetch(2)


def course_augmentation(
    *, rotation: float = 40.0, shift: float = 0.2, shear: float = 0.2, zoom: float = 0.2
) -> keras.layers.Pipeline:
    """Return a layer that rotates, shears, shifts, zooms and flips pictures left to right, on any backend.

    Rotation and shear are in degrees, as in ImageDataGenerator, shifts and zoom are shares of the picture. The course's
    shear of 0.2 degrees moves the edge of a photo by half a pixel.
    """
    slope = math.tan(math.radians(shear))
    return keras.layers.Pipeline(
        [
            keras.layers.RandomFlip("horizontal"),
            keras.layers.RandomRotation(rotation / 360, fill_mode="nearest"),
            keras.layers.RandomTranslation(shift, shift, fill_mode="nearest"),
            keras.layers.RandomShear(slope, slope, fill_mode="nearest"),
            keras.layers.RandomZoom(zoom, zoom, fill_mode="nearest"),
        ]
    )


def load_all(dataset: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return all pictures ``(n, size, size, 3)`` and labels ``(n,)``, read in one pass, since the order may change."""
    pictures, labels = zip(*((np.asarray(x), np.asarray(y)) for x, y in dataset), strict=True)
    return np.concatenate(pictures), np.concatenate(labels)


# ---------------------------------------------------------------- training


def own_pictures(system: str, session: Session) -> Path:
    """Return the session's folder of pictures; raise ``DatasetError`` if it is missing."""
    expected = "expected --data FOLDER with a subfolder of pictures for each class"
    if session.folder is None:
        raise DatasetError(verbatim(f"{system}: {expected}"))
    if not session.folder.is_dir():
        raise DatasetError(verbatim(f"{system}: {session.folder} is not a folder; {expected}"))
    return session.folder


def fit_and_test(
    model: keras.Model, pictures: Any, split: Split, session: Session, *, keep_best: bool = False
) -> Trained:
    """Train on ``pictures``, which may be the augmented training set of ``split``, and test on the test set.

    ``model`` gets the weights of its last epoch, or with ``keep_best`` of the first epoch with the highest validation
    accuracy.
    """
    callbacks = list(session.callbacks)
    if keep_best:
        callbacks.append(
            keras.callbacks.EarlyStopping(
                "val_accuracy", mode="max", patience=session.epochs, restore_best_weights=True
            )
        )
    fitted = model.fit(
        pictures,
        validation_data=split.validation,
        shuffle=False,  # the dataset is shuffled already
        epochs=session.epochs,
        callbacks=callbacks,
        verbose=0,
    )
    kept = int(np.argmax(fitted.history["val_accuracy"])) if keep_best else -1
    return evaluate(model, fitted.history, split, kept)


def evaluate(model: keras.Model, history: dict[str, list[float]], split: Split, kept: int = -1) -> Trained:
    """Return the trained model with its predictions for the test pictures.

    They have the shape (n,) for a model with one output for two classes, else (n, classes).
    """
    examples, truth = load_all(split.test)
    answers = model.predict(examples, verbose=0)
    if answers.shape[1] < len(split.classes):
        answers = answers[:, 0]  # (n,): the probability of the second class
    return Trained(model, history, answers, truth, split.classes, examples, kept)
