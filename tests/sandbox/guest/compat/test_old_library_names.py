"""Each name that left NumPy, pandas, scikit-learn or SciPy works, is translated, or is refused with a reason that holds."""

from __future__ import annotations

import functools
import importlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from grader.sandbox.guest.compat import library_listing, old_libraries, old_scipy, removed_library_names

ROOT = Path(__file__).parents[4]
TABLES = {
    "modules": removed_library_names.MODULES,
    "names": removed_library_names.NAMES,
    "methods": removed_library_names.METHODS,
    "arguments": removed_library_names.ARGUMENTS,
}
SENTENCES = sorted({sentence for table in TABLES.values() for sentence in table.values()})
STAND_INS = {
    "np": np,
    "pd": pd,
    "df": pd.DataFrame(),
    "series": pd.Series([pd.Timestamp(0)]),
    "index": pd.Index([1]),
    "array": np.zeros(1),
    "writer": pd.ExcelWriter,
}
PATH = re.compile(r"\b(np|pd|df|series|index|array|writer|sklearn|scipy|PIL|matplotlib|keras)((?:\.[A-Za-z_]\w*)+)")


def test_nothing_old_ends_in_an_unexplained_error() -> None:
    command = [sys.executable, "benchmarks/old_library_names_today.py", "--missing"]
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    assert json.loads(finished.stdout) == []


def find(root: str, parts: list[str]) -> Any:
    if root in STAND_INS:
        return functools.reduce(getattr, parts, STAND_INS[root])
    for end in range(len(parts), -1, -1):
        try:
            module = importlib.import_module(".".join([root, *parts[:end]]))
        except ImportError:
            continue
        return functools.reduce(getattr, parts[end:], module)
    raise ImportError(root)


@pytest.mark.parametrize("sentence", SENTENCES)
def test_what_a_sentence_says_to_write_exists(sentence: str) -> None:
    for root, rest in PATH.findall(sentence):
        if root == "keras":  # heavy; the same path is used in the tests of downloads
            continue
        assert find(root, rest.strip(".").split(".")) is not None


def rows() -> Iterator[tuple[str, str]]:
    for kind, table in TABLES.items():
        yield from ((kind, path) for path in table)


@pytest.mark.parametrize(("kind", "path"), list(rows()))
def test_a_row_is_about_a_name_that_is_missing_today(kind: str, path: str) -> None:
    separator = "(" if kind == "arguments" else "."
    owner, _, name = path.rstrip(")").rpartition(separator)
    if kind in ("modules", "names"):
        assert any(library_listing.last_release(each, path) for each in ("modules", "names"))
        return
    owners = library_listing.listing()[kind]
    mine = [each for each in owners if owner in (each.partition(".")[0], *(each.split(".", i)[-1] for i in range(9)))]
    assert any(name in library_listing.names(kind, each) for each in mine)


@pytest.mark.parametrize("path", [today for names in old_scipy.MOVED.values() for today in names.values()])
def test_a_moved_name_of_scipy_exists(path: str) -> None:
    root, *rest = path.split(".")
    assert callable(find(root, rest))


def test_translated_functions_give_what_they_gave() -> None:
    assert old_libraries.asscalar(np.array([3])) == 3
    assert old_libraries.msort(np.array([[2, 1], [1, 2]])).tolist() == [[1, 1], [2, 2]]
    assert old_libraries.asfarray([1, 2]).dtype == old_libraries.asfarray([1], dtype=int).dtype == np.float64
    assert old_libraries.asfarray([1], dtype=np.float32).dtype == np.float32


def test_an_error_of_the_notebooks_own_function_is_left_alone() -> None:
    space: dict[str, Any] = {}
    code = "def read_csv(path):\n    return path\nread_csv('a', squeeze=True)"
    with pytest.raises(TypeError, match="unexpected keyword argument 'squeeze'") as raised:
        exec(compile(code, "<cell>", "exec"), space)
    library_listing.explain(raised.value, raised.tb)
    assert "pandas" not in str(raised.value)


def test_an_attribute_that_fit_sets_is_not_called_removed() -> None:
    from sklearn.linear_model import RidgeClassifier
    from sklearn.model_selection import GridSearchCV

    for unfitted, name in ((GridSearchCV(RidgeClassifier(), {}), "best_params_"), (RidgeClassifier(), "coef_")):
        with pytest.raises(AttributeError) as raised:
            getattr(unfitted, name)
        library_listing.explain(raised.value)
        assert "removed" not in str(raised.value)
