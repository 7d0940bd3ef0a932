"""Modules and names that Keras no longer has, under ``keras``, ``tensorflow.keras`` and ``tf.keras`` alike.

Each is looked for only when the notebook asks, and gives the object of today: isinstance, saving and subclassing see
nothing old.
"""

from __future__ import annotations

import importlib
import importlib.abc
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from ..record.import_hooks import AfterImport
from . import backend, log, merging, refused, wrappers
from .module_getattr import MISSING, serve
from .moved_names import MODULES, NAMES, PACKAGES, TF_KERAS

PREFIXES = (TF_KERAS, "tensorflow.keras", "keras")  # the longest first: one begins with another
Replacement = Mapping[str, Any]  # by "package.name"


def start(replacements: Replacement) -> None:
    """``replacements`` are today's functions that understand more than today's words."""
    served = _Served(replacements)
    sys.meta_path.insert(0, served)
    sys.meta_path.append(_Gone())
    for prefix in PREFIXES:
        for package in PACKAGES:
            module = sys.modules.get(_path(prefix, package))
            if module is not None:
                served.dress(module, prefix, package)


def _path(prefix: str, relative: str) -> str:
    return f"{prefix}.{relative}" if relative else prefix


def _split(name: str) -> tuple[str, str] | None:
    """Prefix and relative path of a module of Keras."""
    for prefix in PREFIXES:
        if name == prefix or name.startswith(prefix + "."):
            return prefix, name[len(prefix) + 1 :]
    return None


def shown(path: str) -> str:
    return path.replace(TF_KERAS, "tf.keras")


class _Served(AfterImport):
    """Dresses the packages of tensorflow.keras, which are imported only when a notebook does."""

    def __init__(self, replacements: Replacement) -> None:
        self.replacements = replacements

    def wants(self, name: str) -> bool:
        place = _split(name)
        return place is not None and place[1] in PACKAGES

    def loaded(self, module: ModuleType) -> None:
        place = _split(module.__name__)
        assert place is not None
        self.dress(module, *place)

    def dress(self, module: ModuleType, prefix: str, package: str) -> None:
        for path, value in self.replacements.items():
            home, _, name = path.rpartition(".")
            if home == package and hasattr(module, name):
                setattr(module, name, value)
        if package == "backend":
            backend.hide(module)
        for path in NAMES:
            home, _, name = path.rpartition(".")
            if home == package == "optimizers.legacy":
                vars(module).pop(name, None)  # there only to say that it is gone
        serve(module, lambda name: _lookup(module, prefix, package, name))


class _Gone(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """The modules that are gone. The last to be asked, so that one that exists is never hidden."""

    def find_spec(
        self, fullname: str, _path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        place = _split(fullname)
        return ModuleSpec(fullname, self, is_package=True) if place is not None and place[1] in _GONE else None

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return merging.Merging(spec.name) if spec.name.endswith(".layers.merge") else None

    def exec_module(self, module: ModuleType) -> None:
        place = _split(module.__name__)
        assert place is not None
        serve(module, _from_a_gone_module(module, *place))


# With the packages around them: "engine" for "engine.topology".
_GONE = {*MODULES, *(name.rpartition(".")[0] for name in MODULES)} - {"", *PACKAGES}


def _from_a_gone_module(module: ModuleType, prefix: str, relative: str) -> Callable[[str], Any]:
    if relative == "wrappers.scikit_learn":
        return wrappers.lookup
    homes = [home if home.startswith(TF_KERAS) else _path(prefix, home) for home in MODULES.get(relative, ())]
    sources = [importlib.import_module(home) for home in homes]

    def lookup(name: str) -> Any:
        if f"{relative}.{name}" in _GONE:
            return importlib.import_module(f"{module.__name__}.{name}")
        if name == "__all__":
            vars(module).update(
                {each: getattr(source, each) for source in reversed(sources) for each in _public(source)}
            )
            log.translated(f"from {shown(module.__name__)} import *", f"from {shown(sources[0].__name__)} import *")
            return [each for each in vars(module) if not each.startswith("_")]
        for source in sources:
            value = getattr(source, name, MISSING)
            if value is not MISSING:
                if not isinstance(value, refused.Refusing):
                    log.translated(f"{shown(module.__name__)}.{name}", f"{shown(source.__name__)}.{name}")
                return value
        return MISSING

    return lookup


def _public(module: ModuleType) -> list[str]:
    return [name for name in vars(module) if not name.startswith("_")]


def _lookup(module: ModuleType, prefix: str, package: str, name: str) -> Any:
    """A name that the package of today does not have."""
    path = f"{package}.{name}" if package else name
    if path in _GONE:
        return importlib.import_module(f"{prefix}.{path}")
    if path in refused.CALLS:
        return refused.Refusing(f"keras.{path}", refused.CALLS[path])
    if path in NAMES:
        home, _, today = NAMES[path].rpartition(".")
        log.translated(shown(f"{prefix}.{path}"), shown(f"{prefix}.{NAMES[path]}"))
        return getattr(importlib.import_module(_path(prefix, home)), today)
    if package == "backend":
        return backend.lookup(prefix, name)
    if prefix != TF_KERAS:
        elder = sys.modules.get(_path(TF_KERAS, package))
        value = getattr(elder, name, MISSING) if elder is not None and elder is not module else MISSING
        if value is not MISSING:
            log.translated(shown(f"{prefix}.{path}"), f"tf.keras.{path}")
        return value
    return MISSING
