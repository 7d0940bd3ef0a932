"""Folders of photos as training wants them: batches read as they are needed, and the course's augmentation.

``keras.utils.image_dataset_from_directory`` and preprocessing layers do what ImageDataGenerator did.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf  # reads and augments pictures beside any backend that trains

from grader.data.cache.cached_sets import photos
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
    """The set ``name`` of the library. Where it has no ``test`` folder, the second half of its validation is one."""
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
        _shuffled(train, batch_size, seed), _kept(validation).batch(batch_size), test.batch(batch_size), classes
    )


def read_own(folder: Path, *, size: int, batch_size: int, seed: int) -> Split:
    """A folder for each class: 80 % to train on, 20 % to validate and to test, as the small VGG's article has it."""
    train, rest = keras.utils.image_dataset_from_directory(
        folder, label_mode="int", image_size=(size, size), batch_size=None, seed=seed, verbose=False,
        validation_split=0.2, subset="both",
    )  # fmt: skip
    classes = tuple(train.class_names)
    kept = _kept(rest).batch(batch_size)
    return Split(_shuffled(train, batch_size, seed), kept, kept, classes)


def _kept(pictures: Any) -> Any:
    """Read from the disk once, and kept as the bytes that they are."""
    return pictures.map(lambda x, y: (tf.cast(x, tf.uint8), y)).cache()


def _shuffled(pictures: Any, batch_size: int, seed: int) -> Any:
    return _kept(pictures).shuffle(len(pictures), seed=seed).batch(batch_size)


def augmented(train: Any, augment: keras.Layer) -> Any:
    """``train`` with every picture changed at random, anew in every epoch; float32, 0 to 255."""
    return train.map(lambda x, y: (augment(x, training=True), y), num_parallel_calls=2).prefetch(2)


def course_augmentation(
    *, rotation: float = 40.0, shift: float = 0.2, shear: float = 0.2, zoom: float = 0.2
) -> keras.layers.Pipeline:
    """Rotation and shear in degrees, as ImageDataGenerator took them, shifts and zoom as shares of the picture.

    And left for right. The course's shear of 0.2 is half a pixel at the edge of a photo. On any backend.
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


def gathered(dataset: Any) -> tuple[np.ndarray, np.ndarray]:
    """All pictures ``(n, size, size, 3)`` and labels ``(n,)``, read once: the order may be another the next time."""
    pictures, labels = zip(*((np.asarray(x), np.asarray(y)) for x, y in dataset), strict=True)
    return np.concatenate(pictures), np.concatenate(labels)


# ---------------------------------------------------------------- one way to train on them


def own_pictures(system: str, session: Session) -> Path:
    """The folder that the session names; raises DatasetError where there is none."""
    expected = "expected --data FOLDER with a folder of pictures for each class"
    if session.folder is None:
        raise DatasetError(f"{system}: {expected}")
    if not session.folder.is_dir():
        raise DatasetError(f"{system}: {session.folder} is no folder; {expected}")
    return session.folder


def fit_and_test(
    model: keras.Model, pictures: Any, split: Split, session: Session, *, keep_best: bool = False
) -> Trained:
    """Trains on ``pictures``, the split's own or changed ones, and tests on the split's.

    ``model`` ends with the weights of its last epoch, or of the first one with the highest validation accuracy.
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
        shuffle=False,  # the dataset does
        epochs=session.epochs,
        callbacks=callbacks,
        verbose=0,
    )
    kept = int(np.argmax(fitted.history["val_accuracy"])) if keep_best else -1
    return tested(model, fitted.history, split, kept)


def tested(model: keras.Model, history: dict[str, list[float]], split: Split, kept: int = -1) -> Trained:
    """With its answers for the test pictures: (n,) of a model with one output for two classes, else (n, classes)."""
    examples, truth = gathered(split.test)
    answers = model.predict(examples, verbose=0)
    if answers.shape[1] < len(split.classes):
        answers = answers[:, 0]  # (n,): the probability of the second of two
    return Trained(model, history, answers, truth, split.classes, examples, kept)
