"""Image transforms are recorded when they run: in graphs, datasets, generators and image by image."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from grader.execution.facts_parser import parse_facts
from grader.models.assignment import Limits
from grader.models.run import Cell, Outcome, Run
from grader.sandbox.base import Job
from grader.sandbox.namespaces import NamespaceSandbox
from grader.scoring.rubric import augmentation
from grader.scoring.rubric.augmentation import Augmentation
from tests.support.confined import errors, texts
from tests.support.notebooks import notebook_bytes

LIMITS = Limits(seconds=300)  # enough on a busy machine

BASE = """
import keras, numpy as np, tensorflow as tf
from keras import layers
rng = np.random.default_rng(0)
X = rng.random((64, 12, 12, 3)).astype("float32"); y = rng.integers(0, 2, 64)
def net(*front):
    made = keras.Sequential([keras.Input((12, 12, 3)), *front, layers.Flatten(), layers.Dense(1, "sigmoid")])
    made.compile("sgd", "binary_crossentropy")
    return made
def train(x, y=None, *front):
    model = net(*front)
    model.fit(x, y, epochs=1, verbose=0)
    return model
"""
FOLDER = """
import os
from PIL import Image
for name in "ab":
    os.makedirs(f"photos/{name}", exist_ok=True)
    for n in range(16): Image.fromarray((X[n] * 255).astype("uint8")).save(f"photos/{name}/{n}.png")
"""
# A fake package beside the notebook with the structure of the real one: enough to call its objects.
ALBUMENTATIONS = """
import os
os.makedirs("albumentations/core")
open("albumentations/core/__init__.py", "w").close()
open("albumentations/core/transforms_interface.py", "w").write('''
class BasicTransform:
    def __init__(self, p=0.5): self.p = p
    def __call__(self, *, image): return {"image": image}
''')
open("albumentations/__init__.py", "w").write('''
from .core.transforms_interface import BasicTransform
class HorizontalFlip(BasicTransform): pass
class Resize(BasicTransform): pass
class Normalize(BasicTransform): pass
class Compose:
    def __init__(self, parts): self.parts = parts
    def __call__(self, *, image):
        for part in self.parts: image = part(image=image)["image"]
        return {"image": image}
''')
import albumentations as A
change = A.Compose([A.Resize(), A.HorizontalFlip(p=1), A.Normalize()])
weak = A.HorizontalFlip(p=0)
train(np.stack([weak(image=change(image=one)["image"])["image"] for one in X]), y)
"""
TORCHVISION = """
import os
os.makedirs("torchvision/transforms")
open("torchvision/__init__.py", "w").close()
open("torchvision/transforms/__init__.py", "w").write('''
class RandomHorizontalFlip:
    def __init__(self, p=0.5): self.p = p
    def forward(self, img): return img
    def __call__(self, img): return self.forward(img)
class RandomRotation:
    def __init__(self, degrees): self.degrees = [-degrees, degrees]
    def __call__(self, img): return img
class ToTensor:
    def __call__(self, img): return img
''')
from torchvision import transforms as T
steps = [T.RandomHorizontalFlip(), T.RandomRotation(0), T.ToTensor()]
for one in X:
    for step in steps: one = step(one)
"""

# cells after BASE, expected augmentations and resizings of a training
USED: dict[str, tuple[list[str], list[str], list[str]]] = {
    "layers in the model": (
        ["train(X, y, layers.Resizing(8, 8), layers.RandomFlip(), layers.RandomRotation(0.1), layers.RandomZoom(0))"],
        ["RandomFlip", "RandomRotation"],
        ["Resizing"],
    ),
    "nested layers and a subclass": (
        [
            "class Mine(layers.RandomContrast): pass\n"
            "front = keras.Sequential([Mine(0.2), layers.RandomBrightness((-0.2, 0.2), value_range=(0, 1))])\n"
            "train(X, y, front)"
        ],
        ["RandomContrast", "RandomBrightness"],
        [],
    ),
    "dataset.map": (
        [
            "front = keras.Sequential([layers.RandomFlip(), layers.RandomTranslation(0.1, 0.1)])\n"
            "def change(x, y):\n"
            "    if tf.random.uniform(()) > 0.5: x = tf.image.flip_up_down(x)\n"
            "    x = tf.image.random_brightness(tf.image.resize(x, (12, 12)), 0.1)\n"
            "    return front(tf.image.random_hue(x, 0.0), training=True), y\n"
            "data = tf.data.Dataset.from_tensor_slices((X, y)).shuffle(64).map(change).batch(8).cache().prefetch(1)\n"
            "train(data)"
        ],
        ["RandomFlip", "RandomTranslation", "tf.image.flip_up_down", "tf.image.random_brightness"],
        ["tf.image.resize"],
    ),
    "dataset iterated into arrays": (
        [
            "data = tf.data.Dataset.from_tensor_slices((X, y))\n"
            "data = data.map(lambda x, y: (tf.image.flip_left_right(x), y)).batch(8)\n"
            "parts = list(data.as_numpy_iterator())\n"
            "train(np.concatenate([X] + [x for x, _ in parts]), np.concatenate([y] + [y for _, y in parts]))"
        ],
        ["tf.image.flip_left_right"],
        [],
    ),
    "ImageDataGenerator": (
        [
            FOLDER,
            "from tensorflow.keras.preprocessing.image import ImageDataGenerator\n"
            "made = ImageDataGenerator( rotation_range=20, zoom_range=0, width_shift_range=0., horizontal_flip=True)\n"
            "train(made.flow_from_directory('photos', target_size=(12, 12), class_mode='binary'))",
        ],
        ["ImageDataGenerator(horizontal_flip)", "ImageDataGenerator(rotation_range)"],
        ["flow_from_directory(target_size)"],
    ),
    "image by image": (
        [
            "from PIL import Image, ImageOps, ImageEnhance\n"
            "import cv2\n"
            "import scipy.ndimage\n"
            "made = []\n"
            "for one in X:\n"
            "    photo = Image.fromarray((one * 255).astype('uint8')).resize((12, 12))\n"
            "    made += [photo.rotate(10), photo.rotate(0), ImageOps.mirror(photo)]\n"
            "    made += [ImageEnhance.Contrast(photo).enhance(2), cv2.flip(one, 1), np.rot90(one), np.rot90(one, 4)]\n"
            "    made += [scipy.ndimage.rotate(one, 5, reshape=False)]\n"
            "train(np.array([np.array(one) for one in made]), np.repeat(y, 8))"
        ],
        ["PIL.Image.Image.rotate", "PIL.ImageEnhance.enhance", "PIL.ImageOps.mirror", "cv2.flip", "np.rot90",
         "scipy.ndimage.rotate"],
        ["PIL.Image.Image.resize"],
    ),
    "image_dataset_from_directory": (
        [FOLDER, "train(keras.utils.image_dataset_from_directory('photos', image_size=(12, 12), verbose=False))"],
        [],
        ["image_dataset_from_directory(image_size)"],
    ),
    "load_img": (
        [
            FOLDER,
            "read = lambda n: keras.utils.load_img(f'photos/a/{n}.png', target_size=(12, 13)).crop((0, 0, 12, 12))\n"
            "read_ones = np.stack([np.array(read(n)) for n in range(16)])",
        ],
        [],
        ["load_img(target_size)"],
    ),
    "imresize of old SciPy": (
        ["from scipy.misc import imresize\nsmall = [imresize((image * 255).astype('uint8'), (6, 6)) for image in X]"],
        [],
        ["scipy.misc.imresize"],
    ),
    "torchvision": ([TORCHVISION], ["torchvision.RandomHorizontalFlip"], []),
    "albumentations": ([ALBUMENTATIONS], ["albumentations.HorizontalFlip"], ["albumentations.Resize"]),
}  # fmt: skip

# Code that only looks like augmentation: no real training used it. All cells run in one notebook, in this order.
UNUSED: dict[str, str] = {
    "text only": "print('RandomFlip RandomRotation ImageDataGenerator(rotation_range=40)')\n'tf.image.flip_up_down'",
    "defined but not run": "front = keras.Sequential([layers.RandomFlip(), layers.RandomRotation(0.2)])",
    "called once": "front(np.zeros((1, 12, 12, 3)), training=True)",
    "shown in a figure": (
        "import matplotlib.pyplot as plt\nshown = layers.RandomRotation(0.2)\n"
        "for n in range(9): plt.subplot(3, 3, n + 1); plt.imshow(np.clip(shown(X[:5], training=True)[0], 0, 1))\n"
        "plt.show()"
    ),
    "strength zero": (
        "zero = [layers.RandomZoom(0.0), layers.RandomTranslation(0, 0), layers.RandomContrast(0)]\n"
        "train(X, y, layers.RandomRotation(0), *zero)"
    ),
    "generator without effect": (
        "from keras.preprocessing.image import ImageDataGenerator\n"
        "train(ImageDataGenerator(rescale=1, rotation_range=0, shear_range=0.0).flow(X, y))"
    ),
    "dataset without a training": (
        "tf.data.Dataset.from_tensor_slices(X).map(tf.image.random_flip_left_right).batch(8)"
    ),
    "training on few rows": "train(X[:4], y[:4], layers.RandomFlip())",
    "training of zero epochs": "model = net(layers.RandomBrightness(0.1))\nmodel.fit(X, y, epochs=0, verbose=0)",
    "calls by libraries": (
        "for _ in range(20): plt.imshow(X[0]); plt.close()\n"
        "train(X, y, layers.UpSampling2D(2, interpolation='bilinear'))"
    ),
    "after the training": "layers.RandomFlip()(X, training=True)\nfor one in X: np.fliplr(one)",
}


def run_cells(sandbox: NamespaceSandbox, *cells: str) -> Run:
    reply = sandbox.run(Job(notebook_bytes(*cells), {}, LIMITS))
    assert errors(reply) == [None] * len(cells), texts(reply)
    executed = json.loads(reply.executed or b"{}")["cells"]
    shown = [sum("image/png" in output.get("data", {}) for output in cell["outputs"]) for cell in executed]
    run = tuple(
        Cell(n, "code", 9, ran=True, images=shown[n], count=cell["execution_count"]) for n, cell in enumerate(executed)
    )
    facts = parse_facts(reply.facts, run)
    assert facts is not None, reply.facts
    return Run(Outcome.OK, cells=run, facts=facts)


def used(run: Run, kind: str) -> list[str]:
    return sorted(transform.name for transform in augmentation._used(run, kind))


@pytest.fixture(scope="module")
def seen(warm: NamespaceSandbox) -> Run:
    """Run all cases of ``USED`` in one notebook."""
    return run_cells(warm, BASE, *(cell for cells, _augmentations, _resizings in USED.values() for cell in cells))


@pytest.mark.parametrize("case", USED)
def test_transforms_of_a_training_are_recorded(seen: Run, case: str) -> None:
    before = list(USED)[: list(USED).index(case)]
    first = 1 + sum(len(USED[earlier][0]) for earlier in before)
    cells, augmentations, resizings = USED[case]
    own = tuple(found for found in seen.facts.transforms if first <= found.cell < first + len(cells))
    run = replace(seen, facts=replace(seen.facts, transforms=own, training_pictures=64))
    assert used(run, "augmentation") == sorted(augmentations), own
    assert used(run, "resizing") == sorted(resizings), own


def test_unused_transforms_earn_nothing(warm: NamespaceSandbox) -> None:
    run = run_cells(warm, BASE, *UNUSED.values())
    assert run.facts.training_pictures == 64
    assert used(run, "augmentation") == used(run, "resizing") == [], run.facts.transforms
    assert augmentation.score(Augmentation("a", 10), run).points == 0


WATCHED = """
import inspect, random, PIL.Image, cv2
from PIL import Image

def both(function, *args, **words):
    found = []
    for one in (function, function.__wrapped__):
        np.random.seed(3); random.seed(3); keras.utils.set_random_seed(3); tf.random.set_seed(3)
        found.append(np.asarray(one(*args, **words)))
        found.append([np.random.rand(), random.random(), float(keras.random.uniform((1,))[0])])
    return np.array_equal(found[0], found[2]) and found[1] == found[3]

photo = Image.fromarray((X[0] * 255).astype("uint8"))
print(both(tf.image.random_flip_left_right, X), both(cv2.flip, X[0], 1), both(np.rot90, X[0], k=3),
      both(Image.Image.resize, photo, (5, 5)))
call = layers.RandomRotation.call
print(*(np.array_equal(call(made(), X), call.__wrapped__(made(), X)) for made in
        (lambda: layers.RandomRotation(0.1, seed=1), lambda: layers.RandomFlip(seed=1), lambda: layers.Resizing(4, 4))))
print(inspect.signature(layers.RandomFlip().call), "size" in inspect.signature(Image.Image.resize).parameters,
      "aspect" in tf.image.resize.__doc__, cv2.resize.__name__, np.rot90.__module__)
model = net(layers.RandomFlip())
for x in (tf.data.Dataset.from_tensor_slices((X, y)).batch(8), ([X], y), "no data"):
    try: print("fit", model.fit(*(x if isinstance(x, tuple) else (x,)), epochs=1, verbose=0).epoch)
    except Exception as error: print("fit", type(error).__name__)
"""


def test_watched_functions_keep_results_and_signatures(warm: NamespaceSandbox) -> None:
    reply = warm.run(Job(notebook_bytes(BASE, WATCHED), {}, LIMITS))
    printed = texts(reply)[1].splitlines()
    assert printed[:3] == ["True True True True", "True True True", "(data, training=True) True True resize numpy"]
    assert [line for line in printed if line.startswith("fit")] == ["fit [0]", "fit [0]", "fit ValueError"]
