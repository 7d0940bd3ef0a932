"""Sets of a few examples, packed like the packages of the registries."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import struct
import tarfile
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from grader.data.cache import known_sets
from grader.data.cache.known_sets import Facts, KnownSet, Package, Source

MNIST = Facts(shape=(28, 28), train=(2, 3), test=(1, 1))
IDX_NAMES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


def known_set(name: str, facts: Facts, *sources: Source) -> KnownSet:
    """Return a set of the catalogue with other facts and sources, which needs 1 MB."""
    known = known_sets.known_set(name)
    return replace(known, facts=facts, megabytes=1, sources=sources or known.sources)


def package(url: str, content: bytes) -> Package:
    return Package((url,), len(content), f"sha256:{hashlib.sha256(content).hexdigest()}")


# ---------------------------------------------------------------- archives


def npm(files: Mapping[str, bytes], top: str = "package/") -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(f"{top}{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def wheel(files: Mapping[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


def debian(files: Mapping[str, bytes], data: str = "data.tar.gz") -> bytes:
    """Return an ``ar`` archive; a member of odd length is followed by one byte."""
    members = {"debian-binary": b"2.0\n", "control.tar.gz": b"odd", data: npm(files, "./usr/share/")}
    packed = b"!<arch>\n"
    for name, content in members.items():
        header = f"{name:<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(content):<10}`\n"
        packed += header.encode() + content + b"\n" * (len(content) % 2)
    return packed


# ---------------------------------------------------------------- contents


def idx(array: npt.NDArray[Any]) -> bytes:
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def mnist_files(seed: int = 0) -> dict[str, bytes]:
    """Return five training images with the labels 0 1 1 0 1, and two test images."""
    draw = np.random.default_rng(seed)
    return {
        IDX_NAMES[0]: idx(draw.integers(0, 256, (5, 28, 28), np.uint8)),
        IDX_NAMES[1]: idx(np.array([0, 1, 1, 0, 1], np.uint8)),
        IDX_NAMES[2]: idx(draw.integers(0, 256, (2, 28, 28), np.uint8)),
        IDX_NAMES[3]: idx(np.array([1, 0], np.uint8)),
    }


def mnist_package(seed: int = 0) -> bytes:
    return npm({f"data/{name}": content for name, content in mnist_files(seed).items()})


def fashion_package() -> bytes:
    return debian(
        {f"datasets/fashion-mnist/{name}.gz": gzip.compress(content) for name, content in mnist_files().items()}
    )


def image(colour: tuple[int, int, int] = (200, 10, 10), form: str = "JPEG", side: int = 8) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (side, side), colour).save(stream, form)
    return stream.getvalue()


def sprite(images: npt.NDArray[Any]) -> bytes:
    """Return a PNG with one of the ``(n, 32, 32, 3)`` images in each row."""
    stream = io.BytesIO()
    Image.fromarray(images.reshape(len(images), 1024, 3)).save(stream, "PNG")
    return stream.getvalue()


def reviews() -> bytes:
    """Return two reviews for each quarter: bad test, bad training, good test, good training."""
    texts = [
        "the bad; test",
        "the awful",
        "the BAD train",
        "the sad",
        "the good test",
        "a fine",
        "the good train",
        "ok",
    ]
    return json.dumps([{"t": text, "s": int(number >= 4)} for number, text in enumerate(texts)]).encode()


def write(folder: Path, files: Mapping[str, bytes]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder
