"""What was done to pictures, told by what ran: in graphs, datasets, generators and one by one. And what did not run."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from grader.execution.facts_parser import read_facts
from grader.models.assignment import Limits
from grader.models.run import Cell, Outcome, Run
from grader.sandbox.base import Job
from grader.sandbox.pool import NamespaceSandbox
from grader.scoring.rubric import augmentation
from grader.scoring.rubric.augmentation import Augmentation
from tests.support.confined import errors, texts
from tests.support.notebooks import notebook_bytes

LIMITS = Limits(seconds=300)  # a busy machine is no fault of a notebook

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
# A package of that name beside the notebook, as the library is built: enough to see its objects called.
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

# cells after BASE -> augmentations and resizings that a training had
SEEN: dict[str, tuple[list[str], list[str], list[str]]] = {
    "layers in the model": (
        ["train(X, y, layers.Resizing(8, 8), layers.RandomFlip(), layers.RandomRotation(0.1), layers.RandomZoom(0))"],
        ["RandomFlip", "RandomRotation"],
        ["Resizing"],
    ),
    "nested, a subclass": (
        [
            "class Mine(layers.RandomContrast): pass\n"
            "front = keras.Sequential([Mine(0.2), layers.RandomBrightness((-0.2, 0.2), value_range=(0, 1))])\n"
            "train(X, y, front)"
        ],
        ["RandomContrast", "RandomBrightness"],
        [],
    ),
    "in dataset.map": (
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
    "a dataset iterated into arrays": (
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
    "pictures one by one": (
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
    "a folder of photos": (
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
    "torchvision": ([TORCHVISION], ["torchvision.RandomHorizontalFlip"], []),
    "albumentations": ([ALBUMENTATIONS], ["albumentations.HorizontalFlip"], ["albumentations.Resize"]),
}  # fmt: skip

# What looks like it and is not: nothing of it was in a training worth the name. All in one notebook, in this order.
UNUSED: dict[str, str] = {
    "words alone": "print('RandomFlip RandomRotation ImageDataGenerator(rotation_range=40)')\n'tf.image.flip_up_down'",
    "defined and never run": "front = keras.Sequential([layers.RandomFlip(), layers.RandomRotation(0.2)])",
    "called once": "front(np.zeros((1, 12, 12, 3)), training=True)",
    "shown to the reader": (
        "import matplotlib.pyplot as plt\nshown = layers.RandomRotation(0.2)\n"
        "for n in range(9): plt.subplot(3, 3, n + 1); plt.imshow(np.clip(shown(X[:5], training=True)[0], 0, 1))\n"
        "plt.show()"
    ),
    "without strength": (
        "zero = [layers.RandomZoom(0.0), layers.RandomTranslation(0, 0), layers.RandomContrast(0)]\n"
        "train(X, y, layers.RandomRotation(0), *zero)"
    ),
    "a generator that changes nothing": (
        "from keras.preprocessing.image import ImageDataGenerator\n"
        "train(ImageDataGenerator(rescale=1, rotation_range=0, shear_range=0.0).flow(X, y))"
    ),
    "a dataset that no training had": (
        "tf.data.Dataset.from_tensor_slices(X).map(tf.image.random_flip_left_right).batch(8)"
    ),
    "a training on a few rows beside it": "train(X[:4], y[:4], layers.RandomFlip())",
    "a training of no epochs": "model = net(layers.RandomBrightness(0.1))\nmodel.fit(X, y, epochs=0, verbose=0)",
    "what libraries do themselves": (
        "for _ in range(20): plt.imshow(X[0]); plt.close()\n"
        "train(X, y, layers.UpSampling2D(2, interpolation='bilinear'))"
    ),
    "after the training": "layers.RandomFlip()(X, training=True)\nfor one in X: np.fliplr(one)",
}


def ran(sandbox: NamespaceSandbox, *cells: str) -> Run:
    reply = sandbox.run(Job(notebook_bytes(*cells), {}, LIMITS))
    assert errors(reply) == [None] * len(cells), texts(reply)
    made = json.loads(reply.executed or b"{}")["cells"]
    shown = [sum("image/png" in one.get("data", {}) for one in cell["outputs"]) for cell in made]
    places = tuple(
        Cell(n, "code", 9, ran=True, images=shown[n], count=cell["execution_count"]) for n, cell in enumerate(made)
    )
    facts = read_facts(reply.facts, places)
    assert facts is not None, reply.facts
    return Run(Outcome.OK, cells=places, facts=facts)


def used(run: Run, kind: str) -> list[str]:
    return sorted(one.name for one in augmentation._used(run, kind))


@pytest.fixture(scope="module")
def seen(warm: NamespaceSandbox) -> Run:
    """All of ``SEEN`` in one notebook."""
    return ran(warm, BASE, *(cell for cells, _augmentations, _resizings in SEEN.values() for cell in cells))


@pytest.mark.parametrize("case", SEEN)
def test_what_a_training_had_is_seen(seen: Run, case: str) -> None:
    before = list(SEEN)[: list(SEEN).index(case)]
    first = 1 + sum(len(SEEN[one][0]) for one in before)
    cells, augmentations, resizings = SEEN[case]
    own = tuple(one for one in seen.facts.transforms if first <= one.cell < first + len(cells))
    run = replace(seen, facts=replace(seen.facts, transforms=own, training_pictures=64))
    assert used(run, "augmentation") == sorted(augmentations), own
    assert used(run, "resizing") == sorted(resizings), own


def test_what_no_training_had_earns_nothing(warm: NamespaceSandbox) -> None:
    run = ran(warm, BASE, *UNUSED.values())
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


def test_nothing_changes_by_being_watched(warm: NamespaceSandbox) -> None:
    reply = warm.run(Job(notebook_bytes(BASE, WATCHED), {}, LIMITS))
    printed = texts(reply)[1].splitlines()
    assert printed[:3] == ["True True True True", "True True True", "(data, training=True) True True resize numpy"]
    assert [line for line in printed if line.startswith("fit")] == ["fit [0]", "fit [0]", "fit ValueError"]


def architecture(sandbox: NamespaceSandbox, *cells: str) -> Any:
    return ran(sandbox, BASE, *cells).facts.network


def test_what_the_model_is_built_of(warm: NamespaceSandbox) -> None:
    network = architecture(
        warm,
        "class Block(layers.Conv2D): pass\n"
        "three = [layers.Conv2D(4, 3), Block(4, 3), layers.SeparableConv2D(4, 3)]\n"
        "base = keras.Sequential([keras.Input((12, 12, 3)), *three])\n"
        "base.trainable = False\n"
        "model = keras.Sequential([base, layers.Flatten(), layers.Dense(2)])\n"
        "model.build((None, 12, 12, 3))\nmodel.extra = layers.Conv2D(8, 3)\n"
        "other = keras.Sequential([keras.Input((2,)), layers.Dense(1)])",
    )
    assert network.name == "model" and network.input_shape == "(None, 12, 12, 3)"
    assert network.layers == {"Conv2D": 2, "SeparableConv2D": 1, "Flatten": 1, "Dense": 1}
    dense = 6 * 6 * 4 * 2 + 2
    assert (network.trainable, network.frozen) == (dense, 3)
    assert network.parameters == dense + (3 * 9 * 4 + 4) + (4 * 9 * 4 + 4) + (4 * 9 + 16 + 4)


@pytest.mark.parametrize(
    ("cells", "layers"),
    [
        (
            "class Conv2D(layers.Layer):\n    def call(self, x): return x\nmodel = net(Conv2D(), Conv2D())",
            {"Layer": 2, "Flatten": 1, "Dense": 1},
        ),
        (
            "class Own(keras.Model):\n"
            "    def __init__(self):\n        super().__init__()\n"
            "        self.a = layers.Dense(3); self.b = [layers.Conv2D(2, 3)]\n"
            "    def call(self, x): return self.a(x)\n"
            "model = Own(); model(X[:1].reshape(1, -1))",
            {"Dense": 1},
        ),
        ("model = 3", None),
    ],
    ids=["a class that takes a layer's name", "a layer that is never built", "no model"],
)
def test_names_and_idle_layers_are_no_architecture(
    warm: NamespaceSandbox, cells: str, layers: dict[str, int] | None
) -> None:
    network = architecture(warm, cells)
    assert (network and dict(network.layers)) == layers
