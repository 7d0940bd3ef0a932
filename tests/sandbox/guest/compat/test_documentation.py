"""The tables of ``docs/compatibility.md`` have the same names as the tables of the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from grader.sandbox.guest.compat import argument_renames, moved_names, old_keras, old_libraries, old_scipy, old_sklearn

PAGE = (Path(__file__).parents[4] / "docs" / "compatibility.md").read_text("utf-8")

RENAMES = [
    *argument_renames.LAYERS.values(),
    *argument_renames.CALLBACKS.values(),
    *argument_renames.FUNCTIONS.values(),
    *argument_renames.CLASSES.values(),
    *argument_renames.METHODS.values(),
    *argument_renames.LEGACY_CLASSES.values(),
    *argument_renames.LEGACY_FUNCTIONS.values(),
    *argument_renames.OPTIMIZER_EXTRAS.values(),
]
RENAMES += [
    argument_renames.OPTIMIZER_ARGUMENTS,
    argument_renames.FIT,
    argument_renames.EVALUATE,
    argument_renames.PREDICT,
    argument_renames.MODEL,
]
WITHOUT_TABLE = {
    "decay",
    "epsilon=None",
    "nb_row",
    "nb_col",
    "kernel_dim1",
    "kernel_dim2",
    "kernel_dim3",
    "batch_input_shape",
}
WITHOUT_TABLE |= {"period", "samples_per_epoch", "nb_val_samples", "val_samples", "save_format", "options"}
WITHOUT_TABLE |= {"signatures", "save_traces", "reshape", "nb_classes", "weights", "dynamic"}

EXPECTED = {
    "Removed modules": set(moved_names.MODULES),
    "Renamed objects": {
        *(f"keras.{name}" for name in moved_names.NAMES),
        *(f"tf.{name}" for name in moved_names.TENSORFLOW),
        *(f"K.{name}" for name in old_keras.BACKEND_FUNCTIONS),
        *(f'merge(mode="{mode}")' for mode in old_keras.MERGE_MODES),
    },
    "Renamed arguments": {name for table in RENAMES for name in table} | WITHOUT_TABLE,
    "Older NumPy, pandas, scikit-learn, Matplotlib": {
        *(f"np.{name}" for name in old_libraries.NUMPY),
        *old_libraries.MODULES,
        *(f"sklearn.metrics.{name}" for name in old_libraries.SKLEARN_METRICS),
        *(f"DataFrame.{name}" for name in old_libraries.PANDAS["DataFrame"]),
        *(f"np.{name}" for name in old_libraries.NUMPY_VALUES),
        *(f"pd.{name}" for name in old_libraries.PANDAS_NAMES),
        *(f"pd.rolling_{name}" for name in old_libraries.ROLLING),
        *(f"scipy.misc.{name}" for name in old_scipy.MISC),
        *(f"{module}.{name}" for module, names in old_scipy.MOVED.items() for name in names),
        *(
            f"{name}({argument}=...)"
            for classes in old_sklearn.ARGUMENTS.values()
            for name, renames in classes.items()
            for argument in renames
        ),
        "mean_squared_error(squared=False)",
        "CountVectorizer.get_feature_names",
        "pandas.io.json.json_normalize",
        "Index.is_monotonic",
        "scipy.array",
        "sklearn.ensemble.forest",
        "sklearn.datasets.samples_generator",
        "plt.cm.get_cmap",
        'plt.style.use("seaborn-...")',
        'matplotlib.use("TkAgg")',
    },
    "Refused names": {
        *(f"tf.{name}" for name in moved_names.REMOVED_TENSORFLOW),
        *(f"tf.train.{name}" for name in moved_names.REMOVED_OPTIMIZERS),
        *(f"K.{name}" for name in moved_names.REMOVED_BACKEND),
        *(f"keras.{name}" for name in moved_names.REMOVED_CALLS),
        *(f"model.{name}" for name in moved_names.REMOVED_METHODS),
    },
}


def first_column(title: str) -> set[str]:
    section = PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`([^`]+)`", row)}


@pytest.mark.parametrize("title", EXPECTED)
def test_the_page_lists_the_names_of_the_code(title: str) -> None:
    assert first_column(title) == EXPECTED[title]
