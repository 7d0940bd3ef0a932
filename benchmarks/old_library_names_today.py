"""Count which old names of NumPy, pandas, scikit-learn and SciPy work, are translated, or are refused with a reason.

    python benchmarks/old_library_names_today.py [--missing]

Prints a table by libraries, or with --missing, as JSON, the names that do none of the three: Python's own error about
an unknown name would reach the student. Every name of the listing is used as in a notebook.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import inspect
import io
import json
import sys
import warnings
from collections import Counter
from collections.abc import Iterator
from typing import Any

from grader.sandbox.guest.compat import library_listing, notes, old_libraries
from grader.sandbox.guest.record import import_hooks

MISSING = "missing"
# The sentence of the listing, and those of the libraries and of ``old_sklearn``.
REASONS = ("was part of", "was removed", "has been removed", "has been renamed", "is deprecated", "was deprecated")


def listed() -> Iterator[tuple[str, str, str]]:
    """Yield the kind, the owner and the name of all that the listing has."""
    for kind, owners in library_listing.listing().items():
        for owner, spans in owners.items():
            yield from ((kind, owner, name) for found in spans.values() for name in found.split())


def state(kind: str, owner: str, name: str) -> str:
    """Return works, translated, refused or missing for a use of the name."""
    if kind == "modules":
        return state_of_code(f"import {owner}.{name}")
    if kind == "names":
        states = [state_of_code(f"from {owner} import {name}")]
        if _exists(owner):
            states.append(state_of_code(f"import {owner} as module\nmodule.{name}"))
        return MISSING if MISSING in states else states[-1]
    target = find(owner)
    if target is None:
        return "refused"  # with its owner
    if kind == "methods":
        return state_of_code(f"target.{name}", target=target)
    return state_of_code(f"target(**words, {name}=None)", target=target, words=_required(target, name))


def state_of_code(code: str, **variables: Any) -> str:
    notes._notes.clear()
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            exec(compile(code, "<cell>", "exec"), variables)
    except (AttributeError, ImportError, TypeError) as error:
        library_listing.explain(error, error.__traceback__)
        if any(reason in str(error) for reason in REASONS):
            return "refused"
        if "words" in variables and "unexpected keyword" not in str(error):
            return "translated" if notes._notes else "works"  # the argument is accepted
        return MISSING
    except Exception:  # noqa: BLE001 - what the argument means is not wanted
        return "translated" if notes._notes else "works"
    return "translated" if notes._notes else "works"


def _exists(module: str) -> bool:
    try:
        importlib.import_module(module)
    except ImportError:
        return False
    return True


def find(path: str) -> Any:
    """Return the object at ``path`` today, None if there is none."""
    parts = path.split(".")
    for end in range(len(parts), 0, -1):
        if _exists(".".join(parts[:end])):
            value: Any = sys.modules[".".join(parts[:end])]
            for part in parts[end:]:
                value = getattr(value, part, None)
            return value
    return None


def _required(target: Any, name: str) -> dict[str, None]:
    """Return a value for each argument without which the call would not come to the old one."""
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    try:
        parameters = inspect.signature(target).parameters
    except (TypeError, ValueError):
        return {}
    return {
        each.name: None
        for each in parameters.values()
        if each.default is each.empty and each.kind in kinds and each.name != name
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Count what happens to old names of NumPy, pandas and others.")
    parser.add_argument("--missing", action="store_true", help="print the names without an answer as JSON")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    old_libraries.install(import_hooks.after_import)
    counts: Counter[tuple[str, str, str]] = Counter()
    missing = []
    for kind, owner, name in listed():
        found = state(kind, owner, name)
        missing += [f"{kind}: {owner}.{name}"] if found == MISSING else []
        counts[library_listing.LIBRARIES[owner.partition(".")[0]], kind, found] += 1
    if options.missing:
        json.dump(missing, sys.stdout)
        return
    print("| | | works | translated | refused |\n|---|---|---:|---:|---:|")
    for library in library_listing.LIBRARIES.values():
        for kind in ("modules", "names", "methods", "arguments"):
            numbers = [str(counts[library, kind, found]) for found in ("works", "translated", "refused")]
            print(f"| {library} | {kind} | {' | '.join(numbers)} |")


if __name__ == "__main__":
    main()
