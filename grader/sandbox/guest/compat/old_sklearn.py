"""Old arguments, methods and modules of scikit-learn; only those that mean the same today."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from types import ModuleType
from typing import Any

from . import library_listing
from .argument_renames import Renames, only
from .arguments import accept_old_arguments
from .notes import note_translation
from .stub_modules import MISSING, Fill, add_lookup, is_read_by_a_library, provide_missing

_MEAN = "GridSearchCV(iid={value}) was removed: the mean over the folds is unweighted today. Remove iid=."
_CLASSES = (
    "LogisticRegression(multi_class={value}) was removed. For two classes, remove it if it is 'ovr'. For more, remove "
    "it if it is 'multinomial', and use sklearn.multiclass.OneVsRestClassifier(LogisticRegression(...)) if it is 'ovr'."
)
_NORMALIZE = "LinearRegression(normalize={value}) was removed. Remove normalize=: the predictions are the same."
_ESTIMATOR: Renames = {"base_estimator": "estimator"}
_NO_PRESORT: Renames = {"presort": None}

# Arguments by module and class. None: it has no effect on the result.
ARGUMENTS: Mapping[str, Mapping[str, Renames]] = {
    "sklearn.preprocessing": {"OneHotEncoder": {"sparse": "sparse_output"}},
    "sklearn.cluster": {
        "AgglomerativeClustering": {"affinity": "metric"},
        "FeatureAgglomeration": {"affinity": "metric"},
        "KMeans": {"n_jobs": None, "precompute_distances": None},
    },
    "sklearn.ensemble": {
        **dict.fromkeys(
            ("AdaBoostClassifier", "AdaBoostRegressor", "BaggingClassifier", "BaggingRegressor"), _ESTIMATOR
        ),
        **dict.fromkeys(("GradientBoostingClassifier", "GradientBoostingRegressor"), _NO_PRESORT),
    },
    "sklearn.linear_model": {
        "LinearRegression": {"normalize": only(False, otherwise=_NORMALIZE)},
        "LogisticRegression": {"multi_class": only("auto", otherwise=_CLASSES)},
        "RANSACRegressor": _ESTIMATOR,
    },
    "sklearn.manifold": {"TSNE": {"n_iter": "max_iter"}},
    "sklearn.model_selection": {
        "GridSearchCV": {"iid": only(False, otherwise=_MEAN)},
        "RandomizedSearchCV": {"iid": only(False, otherwise=_MEAN.replace("Grid", "Randomized"))},
    },
    "sklearn.tree": dict.fromkeys(("DecisionTreeClassifier", "DecisionTreeRegressor"), _NO_PRESORT),
}

# Modules whose names moved elsewhere than to the package that they were in.
_HOMES = {
    "sklearn.feature_extraction.stop_words": "sklearn.feature_extraction.text",
    "sklearn.datasets.base": "sklearn.utils",
}
_NOT_MOVED = ("sklearn.externals.", "sklearn.utils.")

AfterImport = Callable[[str, Callable[[ModuleType], None]], None]


def install(after_import: AfterImport) -> None:
    provide_missing(_InnerModules())
    for module in ARGUMENTS:
        after_import(module, _accept_arguments)
    after_import("sklearn.feature_extraction.text", _add_feature_names)


def _accept_arguments(module: ModuleType) -> None:
    for name, renames in ARGUMENTS[module.__name__].items():
        today = inspect.signature(getattr(module, name)).parameters
        missing = {old: rename for old, rename in renames.items() if old not in today}
        if missing:
            accept_old_arguments(getattr(module, name), "__init__", missing)


def _add_feature_names(text: Any) -> None:
    if hasattr(text.CountVectorizer, "get_feature_names"):
        return

    def get_feature_names(self: Any) -> list[str]:
        note_translation("get_feature_names()", "get_feature_names_out()")
        return list(self.get_feature_names_out())

    text.CountVectorizer.get_feature_names = get_feature_names


# ------------------------------------------------------------------ modules inside packages


class _InnerModules(Mapping[str, Fill]):
    """The modules that became private, such as ``sklearn.ensemble.forest``: their classes are those of the package."""

    def __contains__(self, name: object) -> bool:
        path = str(name)
        if not path.startswith("sklearn.") or path.count(".") < 2 or path.startswith(_NOT_MOVED):
            return False
        package, _, last = path.rpartition(".")
        is_function = hasattr(sys.modules.get(package), last)  # importing a module would replace it in the package
        is_old = bool(library_listing.last_release("modules", path))
        return is_old and not is_function and not is_read_by_a_library()

    def __getitem__(self, name: str) -> Fill:
        return _fill_inner_module

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def _fill_inner_module(module: ModuleType) -> None:
    path = module.__name__
    old_names = library_listing.names("names", path)
    homes = [importlib.import_module(path.rpartition(".")[0])]
    if path in _HOMES:
        homes.append(importlib.import_module(_HOMES[path]))

    def find(name: str) -> Any:
        """Return today's home of a name, None if it has none."""
        if name not in old_names:
            return None
        found = (home for home in homes if not isinstance(getattr(home, name, module), ModuleType))
        return next(found, None)

    def lookup(name: str) -> Any:
        if name == "__all__":
            return [old for old in old_names if find(old) is not None]
        home = find(name)
        if home is None:
            return MISSING
        note_translation(f"{path}.{name}", f"{home.__name__}.{name}")
        return getattr(home, name)

    add_lookup(module, lookup)
