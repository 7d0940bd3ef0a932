"""Converters for weights of published networks: the HDF5 files that ``keras.applications`` loads.

The layout is the one of Keras before version 3: a group per layer, in the order of the network, with the layer's arrays
in the order of an attribute. Keras loads by this order, not by name.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from grader.data.cache.cached_sets import MODELS, WEIGHT_FILES
from grader.data.cache.converters.packages import Material
from grader.i18n.message import message
from grader.models.errors import DatasetError

Layers = Mapping[str, Mapping[str, npt.NDArray[Any]]]  # layer -> its arrays by name, in Keras' order

VGG16_BLOCKS = (2, 2, 3, 3, 3)
RESNET50_STAGES = (3, 4, 6, 3)
TOP = "predictions"
NORMALISATION = ("gamma", "beta", "moving_mean", "moving_variance")


def keras_weights(material: Material) -> None:
    """Copy Keras' own files."""
    names = [place.rpartition("/")[2] for place in material.known.facts.parameters]
    for name, path in zip(names, material.named(*names), strict=True):
        shutil.copyfile(path, material.target(f"{MODELS}/{name}"))


# ---------------------------------------------------------------- VGG16


def vgg16_layers() -> list[str]:
    return [f"block{block}_conv{conv}" for block, convs in enumerate(VGG16_BLOCKS, 1) for conv in range(1, convs + 1)]


def vgg16_onnx(material: Material) -> None:
    """Convert a frozen network that contains VGG16. Array names start with the layer: ``block1_conv1_1/...``."""
    file = next((path for name, path in material.files.items() if name.endswith("vgg16.onnx")), None)
    if file is None:
        material.named("vgg16.onnx")
        return
    found: dict[str, dict[str, npt.NDArray[Any]]] = {}
    for name, array in _initializers(file):
        layer = re.search(r"(block\d_conv\d)_\d+/", name)
        if layer and array.ndim in (1, 4):
            # ONNX has (out, in, height, width); Keras has (height, width, in, out).
            kernel_or_bias = {"kernel": array.transpose(2, 3, 1, 0)} if array.ndim == 4 else {"bias": array}
            found.setdefault(layer[1], {}).update(kernel_or_bias)
    write_weights(material.target(WEIGHT_FILES["vgg16", False]), _ordered(found, vgg16_layers()))


def _initializers(file: Path) -> Iterator[tuple[str, npt.NDArray[Any]]]:
    try:
        import onnx
        from onnx import numpy_helper
    except ImportError as error:
        raise DatasetError(
            message("this package can be read only with onnx; run: pip install 'grader[data]'")
        ) from error
    for tensor in onnx.load(str(file)).graph.initializer:
        yield tensor.name, numpy_helper.to_array(tensor)


# ---------------------------------------------------------------- ResNet50


def resnet50_layers(*, top: bool) -> list[str]:
    """Return the layers in Keras' order for ResNet50: a shortcut before the convolution that it is added to."""
    first = [*_pairs("1"), *_pairs("2"), "0_conv", "3_conv", "0_bn", "3_bn"]
    other = [*_pairs("1"), *_pairs("2"), *_pairs("3")]
    layers = [
        f"conv{stage}_block{block}_{part}"
        for stage, blocks in enumerate(RESNET50_STAGES, 2)
        for block in range(1, blocks + 1)
        for part in (first if block == 1 else other)
    ]
    return ["conv1_conv", "conv1_bn", *layers, *([TOP] if top else [])]


def _pairs(number: str) -> tuple[str, str]:
    return f"{number}_conv", f"{number}_bn"


def resnet50_tfjs(material: Material) -> None:
    """Convert a tfjs layers model with the names of Keras 2.0: ``res2a_branch2a``, ``bn2a_branch2a``, ``fc1000``."""
    files = {name.rpartition("/")[2]: path for name, path in material.files.items() if "ResNet50/" in name}
    if "model.json" not in files:
        material.named("model.json")
    manifest = json.loads(files["model.json"].read_bytes())["weightsManifest"]
    found: dict[str, dict[str, npt.NDArray[Any]]] = {}
    for group in manifest:
        content = b"".join(files[name].read_bytes() for name in group["paths"])
        at = 0
        for weight in group["weights"]:
            size = int(np.prod(weight["shape"]))
            array = np.frombuffer(content, "<f4", size, at).reshape(weight["shape"])
            at += array.nbytes
            layer, name = weight["name"].split("/")
            found.setdefault(_resnet_name(layer), {})[name] = array
    for top in (True, False):
        write_weights(material.target(WEIGHT_FILES["resnet50", top]), _ordered(found, resnet50_layers(top=top)))


def _resnet_name(old: str) -> str:
    """Translate ``bn3b_branch2c`` to ``conv3_block2_3_bn``. Branch 1 is the shortcut, which now has the number 0."""
    known = {"conv1": "conv1_conv", "bn_conv1": "conv1_bn", "fc1000": TOP, "probs": TOP}
    parts = re.fullmatch(r"(res|bn)(\d)([a-f])_branch(\d)([abc]?)", old)
    if parts is None:
        return known.get(old, old)
    kind, stage, block, branch, letter = parts.groups()
    number = 0 if branch == "1" else "abc".index(letter) + 1
    return f"conv{stage}_block{'abcdef'.index(block) + 1}_{number}_{'conv' if kind == 'res' else 'bn'}"


# ---------------------------------------------------------------- HDF5


def _ordered(found: Layers, layers: list[str]) -> Layers:
    missing = [layer for layer in layers if layer not in found]
    if missing:
        raise DatasetError(message("the layers {names} are missing", names=", ".join(missing)))
    order = ("kernel", "bias", *NORMALISATION)
    return {layer: {name: found[layer][name] for name in order if name in found[layer]} for layer in layers}


def write_weights(path: Path, layers: Layers) -> None:
    import h5py

    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = list(layers)
        file.attrs["backend"] = "tensorflow"
        for layer, arrays in layers.items():
            group = file.create_group(layer)
            group.attrs["weight_names"] = [f"{layer}/{name}:0" for name in arrays]
            for name, array in arrays.items():
                group.create_dataset(f"{layer}/{name}:0", data=array)
