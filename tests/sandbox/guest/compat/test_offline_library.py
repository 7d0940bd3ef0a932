"""The offline library: files that Keras would download, found by Keras itself and never written to."""

from __future__ import annotations

import io
import os
import pickle
import tarfile
from pathlib import Path

import h5py
import numpy as np
import pytest

from grader.data.cache.converters.networks import resnet50_layers, vgg16_layers
from grader.models.assignment import Limits
from grader.sandbox.base import Job
from grader.sandbox.job import JobFolder
from grader.sandbox.mounts import LIBRARY, Kind, kernel_mounts
from grader.sandbox.namespaces import NamespaceSandbox
from grader.sandbox.process import ProcessSandbox
from tests.sandbox.guest.compat.notebooks import Outputs, CourseFiles

CONVOLUTIONS = {
    f"block{block}_conv{number}": (inputs if number == 1 else outputs, outputs)
    for block, (count, inputs, outputs) in enumerate(
        [(2, 3, 64), (2, 64, 128), (3, 128, 256), (3, 256, 512), (3, 512, 512)], 1
    )
    for number in range(1, count + 1)
}
MNIST = """
import keras
(x, y), (x_test, y_test) = keras.datasets.mnist.load_data()
print(x.shape, y_test.shape, keras.datasets.fashion_mnist.__name__)
import tensorflow as tf
print(tf.keras.datasets.mnist.load_data()[0][0].shape)
"""
CIFAR = """
(x, y), _ = keras.datasets.cifar10.load_data()
print(x.shape, int(x[0, 0, 0, 0]), int(y[49_999, 0]))
"""
VGG = """
from keras.applications import VGG16
net = VGG16(weights="imagenet", include_top=False, input_shape=(32, 32, 3))
print(float(net.layers[1].get_weights()[0].max()), float(net.layers[-2].get_weights()[1].min()))
"""
RESNET = """
print([layer.name for layer in keras.applications.ResNet50(weights=None).layers if layer.weights])
"""
WRITE = """
import os
home = os.path.expanduser("~/.keras")
print(os.access(home, os.W_OK), sorted(os.listdir(home)), os.path.islink(home + "/datasets/mnist.npz"))
for path in ("/library/x", "/library/datasets/mnist.npz", home + "/datasets/mnist.npz"):
    try: open(path, "wb")
    except OSError as error: print(type(error).__name__)
keras.utils.get_file("mnist.npz", "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz",
                     force_download=True)
print(keras.datasets.mnist.load_data()[0][0].shape, os.path.islink(home + "/datasets/mnist.npz"))
"""
SHELL = (
    "!wget -q https://elsewhere.org/mnist.npz -O m.npz\nimport numpy as np\nprint(np.load('m.npz')['x_train'].shape)"
)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("library")
    for name in ("datasets", "models", "photos/cats-dogs/test/cats"):
        (folder / name).mkdir(parents=True)
    x, y = np.zeros((200, 28, 28), np.uint8), np.zeros(200, np.uint8)
    np.savez_compressed(folder / "datasets" / "mnist.npz", x_train=x, y_train=y, x_test=x[:50], y_test=y[:50])
    with tarfile.open(folder / "datasets" / "cifar-10-batches-py-target_archive", "w") as archive:
        for name in (*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"):
            # One image: Keras repeats it ten thousand times.
            batch = pickle.dumps({b"data": np.full((1, 3072), 7, np.uint8), b"labels": [3]}, protocol=3)
            member = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            member.size = len(batch)
            archive.addfile(member, io.BytesIO(batch))
    with h5py.File(folder / "models" / "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5", "w") as file:
        file.attrs["layer_names"] = list(CONVOLUTIONS)
        for name, (inputs, outputs) in CONVOLUTIONS.items():
            group = file.create_group(name)
            group.attrs["weight_names"] = ["kernel", "bias"]
            group.create_dataset("kernel", (3, 3, inputs, outputs), "f4", fillvalue=0.5, chunks=True)
            group.create_dataset("bias", (outputs,), "f4", fillvalue=0.25)
    return folder


@pytest.fixture(scope="module")
def notebook(warm: NamespaceSandbox, library: Path) -> Outputs:
    return CourseFiles({}, {}, library).run(
        warm,
        mnist=MNIST,
        cifar=CIFAR,
        vgg=VGG,
        resnet=RESNET,
        folders="import os\nprint(sorted(os.listdir('/library')), sorted(os.listdir(os.path.expanduser('~/.keras'))))",
        missing="keras.datasets.imdb.load_data()",
        weights="keras.applications.MobileNetV2()",
        write=WRITE,
        shell=SHELL,
    )


@pytest.mark.parametrize(
    ("cell", "says"),
    [
        ("mnist", "(200, 28, 28) (50,) keras.datasets.fashion_mnist\n(200, 28, 28)"),
        ("cifar", "(50000, 32, 32, 3) 7 3"),
        ("vgg", "0.5 0.25"),
        ("shell", "(200, 28, 28)"),
    ],
)
def test_keras_finds_its_files_without_a_download(notebook: Outputs, cell: str, says: str) -> None:
    assert notebook.error[cell] == ""
    assert "Downloading" not in notebook.text[cell]
    assert all(line in notebook.text[cell].splitlines() for line in says.splitlines())


def test_weights_are_in_the_order_of_keras_layers(notebook: Outputs) -> None:
    """Keras loads weights by position, not by name."""
    assert notebook.text["resnet"].splitlines()[-1] == str(resnet50_layers(top=True))
    assert list(CONVOLUTIONS) == vgg16_layers()


@pytest.mark.parametrize(
    ("cell", "name"),
    [("missing", "imdb.npz"), ("weights", "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224.h5")],
)
def test_the_error_names_a_missing_file_in_one_line(notebook: Outputs, cell: str, name: str) -> None:
    error = notebook.error[cell]
    assert error.startswith("ConnectionError: not available offline: https://storage.googleapis.com/")
    assert error.endswith(f"(the teacher can put {name} into the offline library)") and "\n" not in error


def test_a_notebook_writes_only_into_its_own_cache(notebook: Outputs, library: Path) -> None:
    assert notebook.error["write"] == ""
    lines = [line for line in notebook.text["write"].splitlines() if not line.startswith("Downloading")]
    assert lines[0] == "True ['datasets', 'models'] True"
    assert set(lines[1:4]) <= {"OSError", "PermissionError"} and len(lines) == 5
    assert lines[4] == "(200, 28, 28) False"
    assert np.load(library / "datasets" / "mnist.npz")["x_train"].shape == (200, 28, 28)


def test_a_notebook_cannot_see_the_library_photos(notebook: Outputs) -> None:
    """Their folder names are labels, and a hidden set may be drawn from them."""
    assert notebook.text["folders"].strip() == "['datasets', 'models'] ['datasets', 'models']"


def test_a_cold_sandbox_finds_the_library(library: Path) -> None:
    outputs = CourseFiles({}, {}, library).run(ProcessSandbox(os.environ), mnist="import keras\n" + MNIST)
    assert (outputs.error["mnist"], "(200, 28, 28)" in outputs.text["mnist"]) == ("", True)


def test_the_library_is_mounted_read_only(tmp_path: Path) -> None:
    for name in ("datasets", "models", "photos", "arrays"):
        (tmp_path / "library" / name).mkdir(parents=True)
    mounts = [
        mount
        for mount in kernel_mounts(tmp_path, Job(b"{}", {}, Limits(), library=tmp_path / "library"))
        if mount.target.is_relative_to(LIBRARY)
    ]
    assert [(mount.kind, mount.target, mount.source) for mount in mounts] == [
        (Kind.READ_ONLY, LIBRARY / name, tmp_path / "library" / name) for name in ("datasets", "models")
    ], "the folder names of photos are labels of hidden sets"
    assert not [
        mount for mount in kernel_mounts(tmp_path, Job(b"{}", {}, Limits())) if mount.target.is_relative_to(LIBRARY)
    ]


@pytest.mark.parametrize(("confined", "shown"), [(True, '"library": "/library"'), (False, '"library": "/home/teacher')])
def test_a_confined_notebook_does_not_see_the_real_path(confined: bool, shown: str) -> None:
    folder = JobFolder(Job(b"{}", {}, Limits(), library=Path("/home/teacher/library")), confined=confined)
    try:
        assert shown in (folder.path / "request.json").read_text()
    finally:
        folder.close()
