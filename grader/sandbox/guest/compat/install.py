"""Notebooks written for Keras 1 and 2 run on Keras 3: everything that understands old names, put in at once.

Nothing here draws a random number, makes a layer or changes a default: a notebook of today runs as without it.
"""

from __future__ import annotations

import contextlib
from types import ModuleType
from typing import Any

from . import arguments, history, methods, modules, old_libraries, optimizers, saving, tensorflow1
from .argument_renames import FUNCTIONS


def start(after_import: old_libraries.After) -> None:
    """``after_import(name, action)`` calls ``action`` with a module once it has been imported."""
    after_import("keras", keras_imported)
    after_import("tensorflow", tensorflow1.start)
    old_libraries.start(after_import)


def keras_imported(keras: ModuleType) -> None:
    replacements: dict[str, Any] = {}
    for part in (arguments.start, optimizers.start, methods.start, history.start, saving.start):
        # Keras moves its inner parts: where one is not found a notebook loses this part, and not its kernel.
        with contextlib.suppress(AttributeError, ImportError):
            replacements |= part(keras) or {}
    for path, words in FUNCTIONS.items():
        package, name = path.split(".")
        replacements[path] = arguments.understanding(getattr(getattr(keras, package), name), name, words)
    replacements["preprocessing.image.load_img"] = replacements["utils.load_img"]
    modules.start(replacements)
