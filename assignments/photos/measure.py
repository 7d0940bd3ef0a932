"""Print the table in README.md: the reference solution's accuracy on held-out pictures.

    PYTHONPATH=. python assignments/photos/measure.py --fonts FOLDER... [--seeds 1 2 3 4 5] [--symbols ㄅㄆㄇㄈ]

Run it from the top of a checkout. For each seed the symbols are drawn again and split as a group's pictures are, with
the seed as secret; then the reference notebook runs on the training side. A seed takes about two minutes on two cores.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import runpy
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from grader.data.group_photos.group_assignment import prepare
from grader.models.assignment import Assignment
from grader.models.submission import Attachment, Student, Submission
from grader.spec.loader import load_assignment
from reference.bopomofo import SYMBOLS, Config, Dataset, write_dataset
from reference.fonts import Font, choose, fonts_under, system_fonts

SOLUTION = Path(__file__).parents[2] / "reference" / "solutions" / "photos.py"
REFERENCE = "reference solution"


def group_submission(folder: Path) -> Submission:
    """Return the submission of a group with the pictures in ``folder``, without a notebook."""
    paths = sorted(path for path in (folder / "pictures").rglob("*") if path.suffix in (".jpg", ".png"))
    attachments = tuple(Attachment(path.relative_to(folder).as_posix(), path) for path in paths)
    return Submission(Student("reference", "reference"), attachments=attachments)


def measure(seed: int, fonts: list[Font], dataset: Dataset, assignment: Assignment) -> dict[str, float]:
    """Return the accuracy of each model on the held-out pictures, 0.0 to 1.0, their number ``n`` and the seconds."""
    with tempfile.TemporaryDirectory() as place:
        made, work, workspace = (Path(place) / name for name in ("made", "work", "workspace"))
        workspace.mkdir()
        write_dataset(made / "pictures", fonts, dataset, Config())
        own = prepare(group_submission(made), assignment, f"the secret of seed {seed}".encode().ljust(32), workspace)
        for file in own.submission.attachments:
            (work / file.name).parent.mkdir(parents=True, exist_ok=True)
            (work / file.name).write_bytes(file.path.read_bytes())
        hidden = np.load(own.assignment.data.hidden.file, allow_pickle=False)
        X, y = hidden["x"], hidden["y"]  # (n, 64, 64, 3) uint8, (n,)
        guesses = baselines(*training_side(work / "pictures"), X)
        started = time.perf_counter()
        guesses[REFERENCE] = train_reference(work).predict(X, verbose=0).argmax(axis=1)
        seconds = time.perf_counter() - started
    accuracies = {name: float((guess == y).mean()) for name, guess in guesses.items()}
    return {**accuracies, "always the same class": np.bincount(y).max() / len(y), "n": len(y), "seconds": seconds}


def train_reference(work: Path) -> Any:
    """Return the model of the reference notebook, run in ``work`` without output."""
    os.environ["MPLBACKEND"] = "agg"
    with contextlib.chdir(work), contextlib.redirect_stdout(io.StringIO()):
        return runpy.run_path(str(SOLUTION))["model"]


def training_side(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return pictures ``(n, 64, 64, 3)`` and class numbers in the order of the sorted folder names."""
    classes = sorted(path for path in folder.iterdir() if path.is_dir())
    found = [(path, number) for number, folder in enumerate(classes) for path in sorted(folder.iterdir())]
    pictures = [np.asarray(Image.open(path).convert("RGB").resize((64, 64))) for path, _ in found]
    return np.stack(pictures), np.array([number for _, number in found])


def baselines(X: np.ndarray, y: np.ndarray, hidden: np.ndarray) -> dict[str, np.ndarray]:
    """Return predictions ``(n,)`` for ``hidden`` of models without convolution, on 16 × 16 grey pictures."""

    def small(pictures: np.ndarray) -> np.ndarray:
        grey = pictures.mean(axis=3).reshape(len(pictures), 16, 4, 16, 4).mean(axis=(2, 4)).reshape(len(pictures), -1)
        return (grey - grey.mean(axis=1, keepdims=True)) / grey.std(axis=1, keepdims=True)

    models = {
        "logistic regression on 16 × 16 greys": LogisticRegression(C=0.01, max_iter=300),
        "nearest neighbour on 16 × 16 greys": KNeighborsClassifier(1),
    }
    return {name: model.fit(small(X), y).predict(small(hidden)) for name, model in models.items()}


def main() -> None:
    """Print a line for each model: mean over seeds, standard deviation, range; then the distance of the threshold."""
    parser = argparse.ArgumentParser(description="What the reference solution reaches.")
    parser.add_argument("--fonts", type=Path, nargs="+", help="folders of fonts; default: the system's fonts")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    parser.add_argument("--symbols", default=SYMBOLS)
    parser.add_argument("--per-class", type=int, default=40)
    options = parser.parse_args()
    assignment = load_assignment(Path(__file__).parent)
    fonts, _ = choose(system_fonts() if options.fonts is None else fonts_under(options.fonts), options.symbols)
    runs: dict[str, list[float]] = {}
    for seed in options.seeds:
        run = measure(seed, fonts, Dataset(options.symbols, options.per_class, seed), assignment)
        print(f"seed {seed}:", ", ".join(f"{name} {value:.3f}" for name, value in run.items()), flush=True)
        for name, value in run.items():
            runs.setdefault(name, []).append(value)
    print(f"{len(options.symbols)} classes of {options.per_class}, {len(fonts)} fonts, n = {runs.pop('n')}")
    print(f"seconds {np.mean(runs.pop('seconds')):.0f}")
    for name, values in sorted(runs.items(), key=lambda item: np.mean(item[1])):
        spread = np.std(values, ddof=1) if len(values) > 1 else float("nan")
        print(f"{name:40} {np.mean(values):.3f} (sd {spread:.3f})  {min(values):.3f}-{max(values):.3f}")
    threshold = next(rule.full_at for rule in assignment.rubric if rule.kind == "metric")
    best = np.array(runs[REFERENCE])
    distance = (best.mean() - threshold) / best.std(ddof=1) if len(best) > 1 else float("nan")
    print(f"the threshold {threshold:.2f} lies {distance:.1f} standard deviations below the reference solution")


if __name__ == "__main__":
    main()
