"""What is put into a module as soon as it has been imported, however the module goes about it."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType

import pytest

from grader.sandbox.guest.run import instrumentation

# As OpenCV does: a package that makes room for another module of its own name while it is being imported.
ONCE_MORE = """
import importlib, sys
if not hasattr(sys, "imported_once_more"):
    sys.imported_once_more = True
    me = sys.modules.pop(__name__)
    importlib.import_module(__name__)
    sys.modules[__name__] = me
    del sys.imported_once_more
"""


@pytest.mark.parametrize("source", ["x = 1", ONCE_MORE], ids=["plain", "imports itself once more"])
def test_a_module_is_seen_when_it_has_been_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    name = f"seen_{len(source)}"
    (tmp_path / f"{name}.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    seen: list[ModuleType] = []
    finders = list(sys.meta_path)
    instrumentation._after_import(name, seen.append)
    try:
        assert importlib.import_module(name) is seen[-1]
    finally:
        del sys.modules[name]
    assert sys.meta_path == finders
