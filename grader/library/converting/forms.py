"""Every form in which a set is found, and what makes the library's own of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from grader.library.converting import cifar, digits, imdb, networks, pictures, typefaces
from grader.library.converting.packages import Material

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
    "photo-folders": pictures.photo_folders,
    "pet-images": pictures.pet_images,
    "grocery-table": pictures.grocery_table,
    "typefaces": typefaces.typefaces,
}
