"""Train the course's reference systems and list their results.

python -m reference list
python -m reference train NAME [--epochs N] [--seed N] [--out DIR] [--data FOLDER]
python -m reference draw MODEL.keras PHOTO [--out DIR]
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from datetime import date
from pathlib import Path

from grader.data.cache.cached_sets import default_library
from grader.models.errors import GraderError
from reference import baselines
from reference.baselines import Baseline
from reference.systems import BY_NAME, SYSTEMS, VIEWS, Session, System, Trained, load_family

SEED = 1
PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")  # bfloat16 for newer processors, both for GPUs


def main(arguments: list[str] | None = None) -> None:
    options = _parser().parse_args(arguments)
    try:
        {"list": _list, "train": _train, "draw": _draw}[options.command](options)
    except (GraderError, OSError, ValueError) as error:
        sys.exit(f"reference: {error}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m reference", description="Train the course's reference systems.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="list all systems, the course's results and the measured ones")
    training = commands.add_parser("train", help="train a system; its result is added to baselines.toml")
    training.add_argument("name", choices=sorted(BY_NAME), metavar="NAME", help="one of: python -m reference list")
    training.add_argument("--epochs", type=int, help="default: as many as in the course")
    training.add_argument("--seed", type=int, default=SEED)
    training.add_argument(
        "--precision", choices=PRECISIONS, default=PRECISIONS[0], help="number type; 16 bits take about half the time"
    )
    training.add_argument("--out", type=Path, default=Path("reference-out"), help="folder for the model and plots")
    training.add_argument("--data", type=Path, help="folder of your own pictures, with a subfolder for each class")
    training.add_argument("--library", type=Path, default=default_library(), help="library of grader data fetch")
    training.add_argument("--baselines", type=Path, default=baselines.FILE, help="file for the result")
    drawing = commands.add_parser("draw", help="draw activations, Grad-CAM and filters of a trained network")
    drawing.add_argument("model", type=Path, metavar="MODEL.keras")
    drawing.add_argument("photo", type=Path, metavar="PHOTO")
    drawing.add_argument("--out", type=Path, default=Path("reference-out"), help="folder for the pictures")
    return parser


def _list(_options: argparse.Namespace) -> None:
    measured = baselines.read_baselines()
    print(f"{'':3} {'name':20} {'what':42} {'course':28} measured")
    for system in SYSTEMS:
        runs = [run for run in measured if run.system == system.name]
        print(f"{system.number:3} {system.name:20} {system.title:42} {system.course:28} {_summary(runs)}")
    for number, title, drawn_by in VIEWS:
        print(f"{number:3} {'':20} {title:42} {'':28} {drawn_by}")


def _summary(runs: list[Baseline]) -> str:
    if not runs:
        return "-"
    values = [run.value for run in runs]
    epochs = sorted({run.epochs for run in runs})
    last = f"{values[0]:.4f} ({runs[0].low:.4f}-{runs[0].high:.4f})" if len(runs) == 1 else ""
    spread = f"{sum(values) / len(values):.4f} ({min(values):.4f}-{max(values):.4f} in {len(runs)} runs)"
    return f"{last or spread}, {'/'.join(map(str, epochs))} epochs"


def _train(options: argparse.Namespace) -> None:
    import keras  # noqa: PLC0415  takes five seconds; the list does not need it

    from reference.plots import plot_training  # noqa: PLC0415
    from reference.progress import Progress  # noqa: PLC0415

    system = BY_NAME[options.name]
    epochs = system.epochs if options.epochs is None else options.epochs
    options.out.mkdir(parents=True, exist_ok=True)
    session = Session(epochs, options.seed, options.library, options.data, (Progress(epochs),))
    keras.config.set_dtype_policy(options.precision)
    module = load_family(system)
    began = time.monotonic()
    trained = module.train(module.CONFIGS[system.name], session)
    seconds = time.monotonic() - began
    baseline = _baseline(system, trained, session, options.precision, seconds)
    _save(system, trained, options.out)
    plot_training(system, trained, options.out)
    baselines.append_baseline(baseline, options.baselines)
    print(
        f"{system.name}: {baseline.metric} {baseline.value:.4f} ({baseline.low:.4f}-{baseline.high:.4f}, "
        f"n = {baseline.n}) in {seconds:.0f} s; the course: {system.course}. Model and plots: {options.out}"
    )


def _baseline(system: System, trained: Trained, session: Session, precision: str, seconds: float) -> Baseline:
    value = baselines.measure(system, trained)
    validated = trained.history.get("val_accuracy")
    count_params = getattr(trained.model, "count_params", None)
    return Baseline(
        system=system.name,
        dataset=system.dataset if session.folder is None else session.folder.name,
        metric=system.metric,
        value=round(value.value, 5),
        low=round(value.low, 5),
        high=round(value.high, 5),
        n=value.n,
        validation=round(validated[trained.kept], 5) if validated else None,
        epochs=session.epochs,
        course_epochs=system.epochs,
        seed=session.seed,
        precision=precision,
        seconds=round(seconds, 1),
        parameters=count_params() if count_params else system.parameters or 0,
        course=system.course,
        hardware=baselines.describe_hardware(),
        versions=baselines.describe_versions(),
        date=date.today(),
    )


def _save(system: System, trained: Trained, out: Path) -> None:
    if hasattr(trained.model, "save"):
        trained.model.save(out / f"{system.name}.keras")
        history = {key: [float(value) for value in curve] for key, curve in trained.history.items()}
        (out / f"{system.name}.history.json").write_text(json.dumps(history), encoding="utf-8")


def _draw(options: argparse.Namespace) -> None:
    import keras  # noqa: PLC0415  takes five seconds; the list does not need it

    from reference.plots import plot_photo  # noqa: PLC0415

    plot_photo(keras.models.load_model(options.model), options.photo, options.out)
    print(f"activations.png, gradcam.png and filters.png are in {options.out}")


if __name__ == "__main__":
    main()
