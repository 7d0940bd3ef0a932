"""Count which names, arguments and methods of old Keras work here, are translated, or are refused with a reason.

    python benchmarks/old_names_today.py [--missing]

Prints a table by releases, or with --missing, as JSON, the names that do none of the three: Python's own error about an
unknown name would reach the student. Every name of the listing is imported.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import inspect
import json
import os
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from grader.sandbox.guest.compat import install, layer_attributes, notes, old_keras, old_listing
from grader.sandbox.guest.record import import_hooks

REASONS = ("was part of Keras up to", "is TensorFlow 1 graph code")
MISSING = "missing"
# Arguments that are taken as **kwargs. test_old_names.py runs them.
OF_LAYERS = {"name", "dtype", "trainable", "activity_regularizer", "input_dim", "input_length", "input_shape"}
OF_LAYERS |= {"batch_input_shape", "dynamic", "weights", "implementation"}
OF_KERNELS = {"nb_row", "nb_col", "kernel_dim1", "kernel_dim2", "kernel_dim3"}
BY_KEYWORDS = {
    "callbacks.LambdaCallback": {"on_batch_begin", "on_batch_end"},
    "callbacks.ModelCheckpoint": {"options", "period"},
    "layers.LeakyReLU": {"alpha"},
    "layers.dot": {"normalize"},
    "models.Sequential": {"layers"},
    "regularizers.l1_l2": {"l1", "l2"},
    "utils.deserialize_keras_object": {"module_objects", "printable_module_name"},
}
# Functions that pass all arguments on, or take any.
PASS_ON = {"fit_generator", "evaluate_generator", "predict_generator", "predict_classes", "predict_proba"}
PASS_ON |= {"plot_model", "model_to_dot", "add_metric", "add_update", "get_losses_for", "get_updates_for", "merge"}
PASS_ON |= {"save", "save_model", "load_weights", "minimize"}
# Methods that notebooks define and Keras calls, or that only Keras itself called.
OF_KERAS = {"call", "compute_mask", "compute_output_shape", "from_config", "add_variable_from_reference"}
# Attributes that only instances have.
OF_INSTANCES = {"activity_regularizer", "built", "name", "clipnorm", "clipvalue", "global_clipnorm"}


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


# ------------------------------------------------------------------ arguments and methods


def listed(kind: str) -> Iterator[tuple[str, str, str]]:
    """Yield the owner, the name and the releases of each argument or method."""
    for owner, spans in old_listing.listing()[kind].items():
        for span, found in spans.items():
            yield from ((owner, name, span) for name in found.split())


def find(path: str) -> Any:
    """Return the object at ``path`` in Keras, None if there is none today."""
    value: Any = importlib.import_module("keras")
    home, _, name = path.rpartition(".")
    with contextlib.suppress(ImportError):
        value, path = importlib.import_module(f"keras.{home}"), name
    try:
        for part in path.split("."):
            value = getattr(value, part)
    except AttributeError:
        return None
    return None if isinstance(value, old_keras.RemovedFunction) else value


def state_of_argument(owner: str, name: str) -> str:
    target, last = find(owner), owner.rpartition(".")[2]
    if target is None:
        return "refused"  # with its owner
    try:
        signature = inspect.signature(target).parameters
    except (TypeError, ValueError):
        return "works"  # an attribute
    if name in signature or last in OF_KERAS:
        return "works"
    is_layer = inspect.isclass(target) and issubclass(target, find("layers.Layer"))
    translated = _old_arguments(target) | BY_KEYWORDS.get(owner, set()) | (OF_KERNELS if is_layer else set())
    if name in translated or last in PASS_ON or (owner.startswith("optimizers.") and name == "decay"):
        return "translated"
    takes_any = any(parameter.kind is parameter.VAR_KEYWORD for parameter in signature.values())
    of_bases = OF_LAYERS if is_layer else _parameters_of_optimizers() if owner == "optimizers.Optimizer" else set()
    return "works" if takes_any and name in of_bases else MISSING


def _parameters_of_optimizers() -> set[str]:
    return {name for base in find("optimizers.Optimizer").__mro__[1:] for name in inspect.signature(base).parameters}


def _old_arguments(target: Any) -> set[str]:
    constructors = [vars(base).get("__init__") for base in target.__mro__] if inspect.isclass(target) else [target]
    return {name for each in constructors for name in getattr(each, "old_arguments", ())}


def state_of_method(owner: str, name: str) -> str:
    target = find(owner)
    static = inspect.getattr_static(target, name, None)
    if static is None and any(name in removed for removed in layer_attributes.removed_from(target)):
        return "refused"
    if static is not None or name in OF_INSTANCES:
        return "translated" if ".compat." in _module_of(static) else "works"
    return MISSING


def _module_of(attribute: Any) -> str:
    value = getattr(attribute, "fget", None) or attribute
    return str(getattr(value, "__module__", None) or type(value).__module__)


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
    for kind, state_of in (("arguments", state_of_argument), ("methods", state_of_method)):
        for owner, name, span in listed(kind):
            state = state_of(owner, name)
            missing += [f"{owner}({name}=)" if kind == "arguments" else f"{owner}.{name}"] if state == MISSING else []
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
