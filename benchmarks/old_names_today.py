"""Count which names of old releases of Keras work here, are translated, or are refused with a reason.

    python benchmarks/old_names_today.py [--missing]

Prints a table by releases, or with --missing, as JSON, the names that do none of the three: Python's own error about an
unknown name would reach the student. Every name of the listing is imported.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
from collections import Counter
from collections.abc import Iterator

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from grader.sandbox.guest.compat import install, notes, old_listing
from grader.sandbox.guest.record import import_hooks

REASONS = ("was part of Keras up to", "is TensorFlow 1 graph code")
MISSING = "missing"


def names() -> Iterator[tuple[str, str, str]]:
    """Yield the kind, the path and the releases of each module and name."""
    listing = old_listing.listing()
    for span, found in listing["modules"].items():
        yield from (("modules", path, span) for path in found.split())
    for owner, spans in listing["names"].items():
        for span, found in spans.items():
            yield from (("names", f"{owner}.{name}" if owner else name, span) for name in found.split())


def state_of_import(statement: str) -> str:
    notes._notes.clear()
    try:
        exec(statement, {})
    except (ImportError, AttributeError) as error:
        return "refused" if any(reason in str(error) for reason in REASONS) else MISSING
    return "translated" if notes.all_notes() else "works"


def import_statement(prefix: str, kind: str, path: str) -> str:
    if kind == "modules":
        return f"import {prefix}.{path}"
    owner, _, name = path.rpartition(".")
    return f"from {prefix}{'.' if owner else ''}{owner} import {name}"


def main() -> None:
    parser = argparse.ArgumentParser(description="Count what happens to the names of old releases of Keras.")
    parser.add_argument("--missing", action="store_true", help="print the names without an answer as JSON")
    options = parser.parse_args()
    install.install_old_names(import_hooks.after_import)
    importlib.import_module("keras")
    importlib.import_module("tensorflow")
    counts: Counter[tuple[str, str, str]] = Counter()
    missing = []
    for kind, path, span in names():
        for prefix in ("keras", "tensorflow.keras") if path else ():
            state = state_of_import(import_statement(prefix, kind, path))
            missing += [f"{prefix}.{path}"] if state == MISSING else []
            if prefix == "keras":
                counts[kind, _last_major(span), state] += 1
    if options.missing:
        json.dump(missing, sys.stdout)
        return
    print("| | last in | works | translated | refused |\n|---|---|---:|---:|---:|")
    for kind, last in sorted({key[:2] for key in counts}):
        numbers = [str(counts[kind, last, state]) for state in ("works", "translated", "refused")]
        print(f"| {kind} | {last} | {' | '.join(numbers)} |")


def _last_major(span: str) -> str:
    """Return "Keras 1", "Keras 2.0 to 2.5" or "Keras 2.6 to 2.15" for the last release of a span."""
    major, minor = map(int, span.rpartition("-")[2].split(".")[:2])
    return "Keras 1" if major == 1 else "Keras 2.0 to 2.5" if minor < 6 else "Keras 2.6 to 2.15"


if __name__ == "__main__":
    main()
