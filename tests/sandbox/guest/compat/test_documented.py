"""The tables of ``docs/compatibility.md`` and those of the code name the same things."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from grader.sandbox.guest.compat import (
    argument_renames,
    backend,
    merging,
    moved_names,
    old_libraries,
    pictures,
    refused,
)

PAGE = (Path(__file__).parents[4] / "docs" / "compatibility.md").read_text("utf-8")

WORDS = [*argument_renames.LAYERS.values(), *argument_renames.CALLBACKS.values(), *argument_renames.FUNCTIONS.values()]
WORDS += [
    argument_renames.OPTIMIZER,
    argument_renames.FIT,
    argument_renames.EVALUATE,
    argument_renames.PREDICT,
    argument_renames.MODEL,
    argument_renames.IMAGES,
]
BY_HAND = {
    "decay",
    "epsilon=None",
    "nb_row",
    "nb_col",
    "kernel_dim1",
    "kernel_dim2",
    "kernel_dim3",
    "batch_input_shape",
}
BY_HAND |= {"period", "samples_per_epoch", "nb_val_samples", "val_samples", "save_format", "options"}

EXPECTED = {
    "Modules that are gone": set(moved_names.MODULES),
    "Names that have another one": {
        *(f"keras.{name}" for name in moved_names.NAMES),
        *(f"tf.{name}" for name in moved_names.TENSORFLOW),
        *(f"K.{name}" for name in backend.OWN),
        *(f'merge(mode="{mode}")' for mode in merging.MODES),
    },
    "Words for arguments": {word for table in WORDS for word in table} | BY_HAND,
    "Older NumPy, pandas, scikit-learn, Matplotlib": {
        *(f"np.{name}" for name in old_libraries.NUMPY),
        *old_libraries.MODULES,
        *(f"sklearn.metrics.{name}" for name in old_libraries.SKLEARN_METRICS),
        *(f"DataFrame.{name}" for name in old_libraries.PANDAS["DataFrame"]),
        *(f"scipy.misc.{name}" for name in pictures.TODAY),
        "mean_squared_error(squared=False)",
        "OneHotEncoder(sparse=...)",
        "plt.cm.get_cmap",
        'plt.style.use("seaborn-...")',
        'matplotlib.use("TkAgg")',
    },
    "Refused, with what to write today": {
        *(f"tf.{name}" for name in refused.TENSORFLOW),
        *(f"tf.train.{name}" for name in refused.TENSORFLOW_TRAIN),
        *(f"K.{name}" for name in refused.BACKEND),
        *(f"keras.{name}" for name in refused.CALLS),
        *(f"model.{name}" for name in refused.MODEL),
    },
}


def first_column(title: str) -> set[str]:
    section = PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`([^`]+)`", row)}


@pytest.mark.parametrize("title", EXPECTED)
def test_the_page_names_what_the_code_knows(title: str) -> None:
    assert first_column(title) == EXPECTED[title]
