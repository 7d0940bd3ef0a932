"""MNIST as TensorFlow 1's tutorial gave it: splits, scale, one-hot labels and batches."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from grader.sandbox.base import Sandbox
from grader.sandbox.guest.compat import mnist_tutorial
from tests.sandbox.guest.compat.notebooks import run_notebooks


@pytest.fixture(autouse=True)
def mnist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put 60 training and 20 test rows where Keras keeps MNIST; row n has n in its first pixel and the label n % 10."""
    monkeypatch.setenv("HOME", str(tmp_path))
    rows = np.arange(80, dtype=np.uint8)
    images, labels = np.zeros((80, 28, 28), np.uint8), rows % 10
    images[:, 0, 0] = rows
    path = tmp_path / ".keras" / "datasets" / "mnist.npz"
    path.parent.mkdir(parents=True)
    np.savez(path, x_train=images[:60], y_train=labels[:60], x_test=images[60:], y_test=labels[60:])


def test_rows_are_split_and_scaled_as_in_the_tutorial() -> None:
    found = mnist_tutorial.read_data_sets("MNIST_data/", one_hot=True, validation_size=10)
    assert [part.num_examples for part in found] == [50, 10, 20]
    assert found.train.images.shape == (50, 784) and found.train.images.dtype == np.float32
    assert found.validation.images[3, 0] == np.float32(3) / np.float32(255)
    assert found.test.labels.shape == (20, 10) and found.test.labels[5].argmax() == 65 % 10
    plain = mnist_tutorial.read_data_sets("MNIST_data/", dtype=np.uint8, reshape=False, validation_size=10)
    assert plain.train.images.shape == (50, 28, 28, 1) and plain.train.labels.tolist() == [
        n % 10 for n in range(10, 60)
    ]
    assert plain.train.images[0, 0, 0, 0] == 10


def test_batches_go_through_all_rows_before_any_comes_again() -> None:
    train = mnist_tutorial.read_data_sets("MNIST_data/", dtype=np.uint8, validation_size=10).train
    batches = [train.next_batch(20) for _ in range(5)]
    assert [(len(images), len(labels)) for images, labels in batches] == [(20, 20)] * 5
    seen = np.concatenate([images[:, 0] for images, _labels in batches])
    assert sorted(seen[:50]) == sorted(seen[50:]) == list(range(10, 60))
    assert seen[:50].tolist() != seen[50:].tolist(), "each time in a new order"
    assert all((images[:, 0] % 10 == labels).all() for images, labels in batches)
    assert train.epochs_completed == 1


def test_a_notebook_imports_it_under_its_old_name(warm: Sandbox) -> None:
    cells = ["from tensorflow.examples.tutorials.mnist import input_data", "print(input_data.read_data_sets.__name__)"]
    results = run_notebooks(warm, {"tutorial": cells})["tutorial"]
    assert [result.error for result in results] == ["", ""]
