"""Turn a public dataset into assignment data: draw hidden rows, perturb them, and withhold the originals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.random import RandomState

from grader.data.cache import cached_sets
from grader.data.public_sets.definitions import SETS
from grader.data.public_sets.hidden_rows import Images, Labels, draw_replacements, draw_stratified, perturb
from grader.data.public_sets.photo_folders import hand_out, list_photos, read_photos
from grader.data.public_sets.withholding import rewrite_test_part, withhold
from grader.models.assignment import Assignment, Data, Hidden, PublicSet

TABLE_ROWS, TABLE_PHOTOS = 2000, 100  # rows to try a model on; photos are few because large models need time
MOST_OF_TEST = 1 / 3  # of an array's test part: every hidden row needs another row in its place
MOST_OF_VALIDATION = 1 / 2  # of the validation photos, when the set has no test part


def prepare_public_set(assignment: Assignment, library: Path, workspace: Path, random: RandomState) -> Assignment:
    """Return ``assignment`` with ``data`` and ``withheld`` in place of ``public``. Raises DatasetError."""
    assert assignment.public is not None
    workspace.mkdir(parents=True, exist_ok=True)
    make = _from_photos if SETS[assignment.public.set].is_photos else _from_arrays
    data, overlay = make(assignment.public, library, workspace, random)
    return assignment.with_data(data, overlay)


def _from_arrays(
    public: PublicSet, library: Path, workspace: Path, random: RandomState
) -> tuple[Data, Mapping[str, Path]]:
    definition, arrays = SETS[public.set], cached_sets.arrays(public.set, library)
    test, labels = arrays.x_test, arrays.y_test
    hidden = draw_stratified(labels, min(public.rows, int(len(labels) * MOST_OF_TEST)), random)
    some = draw_stratified(arrays.y_train, TABLE_ROWS, random)
    shown = test.copy()
    shown[hidden] = test[draw_replacements(hidden, labels, random)]
    overlay = withhold(library, definition, workspace)
    overlay |= rewrite_test_part(library, definition, test, shown, workspace=workspace)
    data = _data(
        _save(workspace / "public.npz", arrays.x_train[some], arrays.y_train[some]),
        _save(workspace / "hidden.npz", perturb(test[hidden], definition.bounds, random), labels[hidden]),
    )
    return data, overlay


def _from_photos(
    public: PublicSet, library: Path, workspace: Path, random: RandomState
) -> tuple[Data, Mapping[str, Path]]:
    assert public.size is not None  # checked by spec
    definition, folder = SETS[public.set], cached_sets.photos(public.set, library)
    train, validation = list_photos(folder / "train"), list_photos(folder / "validation")
    if (folder / "test").is_dir():
        test = list_photos(folder / "test")
        hidden = test.only(draw_stratified(test.labels, public.rows, random))
    else:
        rows = min(public.rows, int(len(validation.paths) * MOST_OF_VALIDATION))
        places = draw_stratified(validation.labels, rows, random)
        hidden, validation = validation.only(places), validation.without(places)
    some = train.only(draw_stratified(train.labels, TABLE_PHOTOS, random))
    images = perturb(read_photos(hidden.paths, public.size), definition.bounds, random)
    data = _data(
        _save(workspace / "public.npz", read_photos(some.paths, public.size), some.labels),
        _save(workspace / "hidden.npz", images, hidden.labels),
    )
    files = hand_out({"train": train, "validation": validation}, definition.handed_out, workspace)
    return replace(data, files=files), withhold(library, definition, workspace)


def _data(table: Path, hidden: Path) -> Data:
    """Return data without files beside the notebook."""
    return Data((), table, inputs=("x",), target="y", task="classification", hidden=Hidden(file=hidden))


def _save(path: Path, images: Images, labels: Labels) -> Path:
    np.savez(path, x=images, y=labels)
    return path
