"""Names that Keras once had and that no table translates, from the listing of its old releases.

``benchmarks/old_names.py`` writes the listing. A class that Keras still has elsewhere is returned; anything else is
refused with a sentence that says in which release it was last, and what to write today if that is known.
"""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from .moved_names import FAMILIES, MODULES
from .removed_names import TODAY, TODAY_OF_FAMILIES

# Read at the start: a confined notebook does not see this file. Parsed when a name is missing.
_TEXT = Path(__file__).with_name("keras_names.json").read_text("utf-8")

# Where a name is looked for today, in this order.
HOMES = (
    *("layers", "models", "losses", "metrics", "optimizers", "optimizers.schedules", "callbacks", "initializers"),
    *("regularizers", "constraints", "activations", "utils", "ops", "saving", "random", "applications", "config"),
    *("preprocessing.sequence", "mixed_precision"),
)


@functools.cache
def listing() -> dict[str, Any]:
    """Return the listing as written: names by their owner and the releases that have them."""
    loaded: dict[str, Any] = json.loads(_TEXT)
    return loaded


@functools.cache
def modules() -> Mapping[str, str]:
    """Return the last release of each module."""
    return _last_releases(listing()["modules"])


def names(kind: str, owner: str) -> Mapping[str, str]:
    """Return the last release of each of the ``owner``'s names; ``kind`` is names, arguments or methods."""
    return _last_releases(listing()[kind].get(owner, {}))


def _last_releases(spans: Mapping[str, str]) -> dict[str, str]:
    return {name: span.partition("-")[2] for span, found in spans.items() for name in found.split()}


def find_home(name: str) -> str:
    """Return the present package of Keras that has ``name``; "" if there is none."""
    packages = ((home, sys.modules.get(f"keras.{home}")) for home in HOMES)
    return next((home for home, package in packages if _has(package, name)), "")


def _has(package: ModuleType | None, name: str) -> bool:
    value = vars(package).get(name) if package is not None else None
    return value is not None and not isinstance(value, ModuleType)


def refusal(path: str, last: str) -> str:
    """Return the sentence about a name that was there until the release ``last``."""
    return f"keras.{path} was part of Keras up to {last} and was removed. {_today(path)}"


def _today(path: str) -> str:
    owner, _, name = path.rpartition(".")
    family = path.partition(".")[0]
    packages = (*MODULES.get(owner, FAMILIES.get(family, ())), *HOMES)
    for candidate in (path, *(f"{package}.{name}" for package in packages)):
        if candidate in TODAY:
            return TODAY[candidate]
    home = find_home(name)
    return f"Use keras.{home}.{name}." if home else TODAY_OF_FAMILIES.get(family, "Remove it.")
