"""Actions after an import, however the module goes about its import."""

from __future__ import annotations

import importlib
import random
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from grader.sandbox.guest.record import import_hooks

# Like OpenCV: a package that imports another module of its own name while it is being imported.
IMPORTS_ITSELF = """
import importlib, sys
if not hasattr(sys, "imported_once_more"):
    sys.imported_once_more = True
    me = sys.modules.pop(__name__)
    importlib.import_module(__name__)
    sys.modules[__name__] = me
    del sys.imported_once_more
"""
DRAWS = "import random, numpy; random.random(); numpy.random.rand()"


@pytest.mark.parametrize("source", ["x = 1", IMPORTS_ITSELF], ids=["plain", "imports itself again"])
def test_action_gets_the_imported_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str) -> None:
    name = f"seen_{len(source)}"
    (tmp_path / f"{name}.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    seen: list[ModuleType] = []
    finders = list(sys.meta_path)
    import_hooks.after_import(name, seen.append)
    try:
        assert importlib.import_module(name) is seen[-1]
    finally:
        del sys.modules[name]
    assert sys.meta_path == finders


def test_import_keeps_the_random_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "draws_numbers.py").write_text(DRAWS)
    monkeypatch.syspath_prepend(tmp_path)
    import_hooks.after_import("draws_numbers", lambda _module: None)
    python, numpy = random.getstate(), np.random.get_state(legacy=False)["state"]["key"].tolist()
    try:
        importlib.import_module("draws_numbers")
    finally:
        del sys.modules["draws_numbers"]
    assert random.getstate() == python and np.random.get_state(legacy=False)["state"]["key"].tolist() == numpy
