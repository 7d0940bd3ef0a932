"""Every form in which a set is found, and what makes the library's own of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from grader.data.cache.converters import cifar, digits, fonts, imdb, networks, photo_sets
from grader.data.cache.converters.packages import Material

CONVERT: Mapping[str, Callable[[Material], None]] = {
    "mnist-npz": digits.mnist_npz,
    "mnist-idx": digits.mnist_idx,
    "fashion-idx": digits.fashion_idx,
    "cifar-archive": cifar.archive,
    "cifar-sprites": cifar.sprites,
    "imdb-npz": imdb.official,
    "imdb-reviews": imdb.reviews,
    "keras-weights": networks.keras_weights,
    "vgg16-onnx": networks.vgg16_onnx,
    "resnet50-tfjs": networks.resnet50_tfjs,
    "photo-folders": photo_sets.photo_folders,
    "pet-images": photo_sets.pet_images,
    "grocery-table": photo_sets.grocery_table,
    "typefaces": fonts.typefaces,
}
