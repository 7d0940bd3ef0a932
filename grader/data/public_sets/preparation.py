"""A set that everybody can get, made into data with hidden rows: which are drawn, changed, and taken out of sight."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray

from grader.data.cache import cached_sets
from grader.data.public_sets import photo_folders
from grader.data.public_sets.definitions import SETS
from grader.data.public_sets.perturbation import Pictures, changed
from grader.data.public_sets.row_sampling import drawn, others_for
from grader.data.public_sets.withholding import rewritten, withheld
from grader.models.assignment import Assignment, Data, Hidden, PublicSet

TABLE_ROWS, TABLE_PHOTOS = 2000, 100  # for finding how a model wants to be asked; photos take a large model its time
MOST_OF_TEST = 1 / 3  # of an array's test part: for every hidden row there must be others to stand in its place
MOST_OF_VALIDATION = 1 / 2  # of photos without a test part


def prepared_set(assignment: Assignment, library: Path, workspace: Path, random: RandomState) -> Assignment:
    """``assignment`` with ``data`` and ``withheld`` in the place of ``public``. Raises DatasetError."""
    assert assignment.public is not None
    workspace.mkdir(parents=True, exist_ok=True)
    make = _from_photos if SETS[assignment.public.set].is_photos else _from_arrays
    data, overlay = make(assignment.public, library, workspace, random)
    return replace(assignment, public=None, data=data, withheld=overlay)


def _from_arrays(
    public: PublicSet, library: Path, workspace: Path, random: RandomState
) -> tuple[Data, Mapping[str, Path]]:
    known, arrays = SETS[public.set], cached_sets.arrays(public.set, library)
    test, labels = arrays.x_test, arrays.y_test
    hidden = drawn(labels, min(public.rows, int(len(labels) * MOST_OF_TEST)), random)
    some = drawn(arrays.y_train, TABLE_ROWS, random)
    shown = test.copy()
    shown[hidden] = test[others_for(hidden, labels, random)]
    overlay = withheld(library, known, workspace) | rewritten(library, known, test, shown, workspace)
    data = _data(
        _saved(workspace / "public.npz", arrays.x_train[some], arrays.y_train[some]),
        _saved(workspace / "hidden.npz", changed(test[hidden], known.bounds, random), labels[hidden]),
    )
    return data, overlay


def _from_photos(
    public: PublicSet, library: Path, workspace: Path, random: RandomState
) -> tuple[Data, Mapping[str, Path]]:
    assert public.size is not None  # spec asks for it
    known, folder = SETS[public.set], cached_sets.photos(public.set, library)
    train, validation = photo_folders.listed(folder / "train"), photo_folders.listed(folder / "validation")
    if (folder / "test").is_dir():
        test = photo_folders.listed(folder / "test")
        hidden = test.only(drawn(test.labels, public.rows, random))
    else:
        rows = min(public.rows, int(len(validation.paths) * MOST_OF_VALIDATION))
        places = drawn(validation.labels, rows, random)
        hidden, validation = validation.only(places), validation.without(places)
    some = train.only(drawn(train.labels, TABLE_PHOTOS, random))
    pictures = changed(photo_folders.read(hidden.paths, public.size), known.bounds, random)
    data = _data(
        _saved(workspace / "public.npz", photo_folders.read(some.paths, public.size), some.labels),
        _saved(workspace / "hidden.npz", pictures, hidden.labels),
    )
    files = photo_folders.hand_out({"train": train, "validation": validation}, known.handed_out, workspace)
    return replace(data, files=files), withheld(library, known, workspace)


def _data(table: Path, hidden: Path) -> Data:
    """Nothing beside the notebook: what these say it is asked with, and what it never sees."""
    return Data((), table, inputs=("x",), target="y", task="classification", hidden=Hidden(file=hidden))


def _saved(path: Path, pictures: Pictures, labels: NDArray[np.int64]) -> Path:
    np.savez(path, x=pictures, y=labels)
    return path
