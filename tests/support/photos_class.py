"""Groups that hand in pictures of symbols, a notebook and a report: one that did well, and others in trouble.

The pictures are drawn with the system's fonts, as the reference does it; nothing is read from a network.
"""

from __future__ import annotations

import io
import os
import random
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import jupytext
import nbformat
import numpy as np
import pytest
from PIL import Image

from reference.bopomofo import SYMBOLS, Config, render
from reference.fonts import Font, choose, system_fonts
from reference.photos_report import write_report
from tests.support.builders import moodle_name, write_zip, zip_bytes
from tests.support.notebooks import notebook_bytes

SOLUTION = Path(__file__).parents[2] / "reference" / "solutions" / "photos.py"
CLASSES = "ㄅㄇㄉㄚ"
PER_CLASS = 24
# Clearer than the reference's: what a very small network learns in seconds.
CLEAR = Config(
    rotation=6, shear=0.05, scale=(0.75, 0.9), shift=0.05, contrast=130, light=0.1, blur=(0, 0.5), noise=(0, 5)
)
Files = Mapping[str, bytes]

NOTEBOOK = (
    """
import pathlib, zipfile
found = [path for path in pathlib.Path(".").rglob("*") if path.suffix in (".jpg", ".png")]
archives = {path.name: len(zipfile.ZipFile(path).namelist()) for path in pathlib.Path(".").rglob("*.zip")}
print(len(found), "pictures, in archives", archives)
""",
    """
import keras
import matplotlib.pyplot as plt
keras.utils.set_random_seed(1)
training, validation = keras.utils.image_dataset_from_directory(
    "pictures", image_size=(64, 64), validation_split=0.2, subset="both", seed=1, batch_size=16, verbose=False)
""",
    """
model = keras.Sequential([
    keras.Input((64, 64, 3)),
    keras.layers.RandomTranslation(0.1, 0.1, fill_mode="nearest"),
    keras.layers.RandomZoom(0.1, fill_mode="nearest"),
    keras.layers.Rescaling(1 / 127.5, offset=-1),
    keras.layers.Conv2D(16, 5, strides=2), keras.layers.BatchNormalization(momentum=0.8), keras.layers.ReLU(),
    keras.layers.MaxPooling2D(),
    keras.layers.Conv2D(32, 3), keras.layers.BatchNormalization(momentum=0.8), keras.layers.ReLU(),
    keras.layers.MaxPooling2D(),
    keras.layers.Flatten(),
    keras.layers.Dense(len(training.class_names), activation="softmax"),
])
model.compile(keras.optimizers.Adam(0.002), "sparse_categorical_crossentropy", metrics=["accuracy"])
history = model.fit(training, validation_data=validation, epochs=15, verbose=0)
""",
    """
plt.plot(history.history["loss"], label="training")
plt.plot(history.history["val_loss"], label="validation")
plt.legend()
plt.show()
""",
    "#md" + "We looked at every picture, and then at every mistake. " * 15,
)


@cache
def fonts() -> list[Font]:
    """Those of this system; a test that needs them is skipped where there are none."""
    found, _ = choose(system_fonts(), SYMBOLS)
    if not found:
        reason = "no font on this system has the symbols: install fonts-noto-cjk"
        pytest.fail(reason) if os.environ.get("GRADER_REQUIRE_FONTS") == "1" else pytest.skip(reason)
    return found


def pictures(classes: str = CLASSES, per_class: int = PER_CLASS) -> dict[str, bytes]:
    """``pictures/<symbol>/<number>.jpg``, every one drawn anew."""
    made = {}
    for symbol in classes:
        for number in range(per_class):
            rng = np.random.default_rng([ord(symbol), number])
            picture = render(symbol, fonts()[number % len(fonts())], rng, CLEAR)
            made[f"pictures/{symbol}/{number:03d}.jpg"] = jpeg(picture)
    return made


def jpeg(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


@cache
def report() -> bytes:
    with TemporaryDirectory() as folder:
        write_report(Path(folder) / "report.pdf")
        return (Path(folder) / "report.pdf").read_bytes()


def reference() -> Files:
    """Build the course's reference solution for photos in folders."""
    solution = nbformat.writes(jupytext.read(SOLUTION, fmt="py:percent")).encode()
    return {"照片分類.ipynb": solution, "report.pdf": report(), **pictures()}


def good() -> Files:
    return {"photos.ipynb": notebook_bytes(*NOTEBOOK), "report.pdf": report(), **pictures()}


def copied() -> Files:
    """Four pictures of each class, six times: brighter, smaller, mirrored, turned, under names that say nothing."""
    made = dict(good())
    for symbol in CLASSES:
        names = [name for name in made if name.startswith(f"pictures/{symbol}/")]
        originals = [made[name] for name in names[:4]]
        random.Random(ord(symbol)).shuffle(names)
        for place, name in enumerate(names):
            made[name] = _variation(originals[place % 4], place // 4)
    return made


def _variation(original: bytes, kind: int) -> bytes:
    picture = Image.open(io.BytesIO(original))
    changed = {
        0: lambda: picture,
        1: lambda: Image.eval(picture, lambda value: min(255, round(value * 1.2))),
        2: lambda: picture.resize((50, 50)),
        3: lambda: picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
        4: lambda: picture.transpose(Image.Transpose.ROTATE_90),
        5: lambda: picture.convert("L"),
    }[kind]()
    return jpeg(changed)


def in_trouble() -> Files:
    """All in a zip: a picture that is none, a class of three pictures; and a Word file with the name of a PDF."""
    made = dict(good())
    made["pictures/ㄅ/000.jpg"] = made["pictures/ㄅ/000.jpg"][:400]
    for number in range(3, PER_CLASS):
        del made[f"pictures/ㄚ/{number:03d}.jpg"]
    inside = {name: data for name, data in made.items() if name.startswith("pictures/")}
    return {"photos.ipynb": made["photos.ipynb"], "report.pdf": word_file(), "pictures.zip": zip_bytes(inside)}


def word_file() -> bytes:
    types = b'<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'
    words = "<w:document>組員 王小明</w:document>"
    return zip_bytes({"[Content_Types].xml": types, "word/document.xml": words.encode()})


def write_class(path: Path, groups: Mapping[str, Files]) -> Path:
    """Moodle's archive of what the ``groups`` handed in."""
    return write_zip(
        path,
        {
            moodle_name(group, number, name): data
            for number, (group, files) in enumerate(groups.items(), start=101)
            for name, data in files.items()
        },
    )
