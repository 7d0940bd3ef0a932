"""The records as plain values for ``facts.json``."""

from __future__ import annotations

import math
import sys
from typing import Any

from .curve_matching import joined, matching_curves, shortened, trends
from .loop_recorder import unapplied
from .recorder import FigureRecord, FitRecord, evaluations, figures, fits, seeds

MAX_FITS = 50
LIBRARIES = ("keras", "tensorflow", "jax", "torch", "sklearn", "numpy", "pandas", "matplotlib")
_known: dict[int, dict[str, Any]] = {}  # facts of a figure, by its place


def facts() -> dict[str, Any]:
    """Return all records as plain values for ``facts.json``."""
    entries = joined([*fits, *unapplied()])
    return {
        "fits": [_fit_facts(entry) for entry in shortened(entries, MAX_FITS)],
        "figures": [_figure_facts(place, figure, entries) for place, figure in enumerate(figures)],
        "held_out_evaluations": sum(_is_held_out(rows, entries) for rows in evaluations),
        "seeds": dict(seeds),
        "versions": {
            name: str(getattr(sys.modules.get(name), "__version__", ""))[:40]
            for name in LIBRARIES
            if name in sys.modules
        }
        | {"python": sys.version.split()[0]},
        "device": _device(),
    }


def _figure_facts(place: int, figure: FigureRecord, entries: list[FitRecord]) -> dict[str, Any]:
    if place not in _known:
        _known[place] = {
            "count": figure.count,
            "shows": matching_curves(figure, entries),
            "lines": len(figure.lines),
            "trends": trends(figure),
            "saved": figure.saved,
            "caption": figure.caption,
        }
    return _known[place]


def _fit_facts(entry: FitRecord) -> dict[str, Any]:
    curves = {key: [value for value in curve if math.isfinite(value)] for key, curve in entry.curves.items()}
    return {
        "model": entry.name,
        "epochs": 0 if entry.steps else max((len(curve) for curve in entry.curves.values()), default=0),
        "batch_size": entry.batch_size if isinstance(entry.batch_size, int) else None,
        "samples": entry.samples,
        "validated": any(key.startswith("val_") for key in entry.curves),
        "seconds": round(entry.seconds, 3),
        "planned_epochs": entry.planned_epochs,
        "cut_short": entry.cut_short,
        "samples_reached": entry.samples_reached,
        "grouped": entry.grouped,
        "steps": entry.steps,
        "curves": curves,
    }


def _is_held_out(rows: int | None, entries: list[FitRecord]) -> bool:
    trained = {entry.samples for entry in entries} | {entry.trained_on for entry in entries}
    return rows is not None and rows not in trained


def _device() -> str:
    keras = sys.modules.get("keras")
    tensorflow = sys.modules.get("tensorflow")
    if tensorflow is not None and keras is not None:
        gpus = tensorflow.config.list_physical_devices("GPU")
        return f"GPU x {len(gpus)}" if gpus else "CPU"
    return "CPU"
