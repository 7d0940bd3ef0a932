"""Kind ``augmentation``: pictures were resized and augmented for the training.

What it checks: the transforms in the training's graph, dataset or generator, and those applied to the pictures one by
one before it. The notebook's own process reports them, so they could be forged: worth modest points.
Why it matters: augmentation multiplies a few photos, and the model learns the object instead of its position.
Example: ``kind = "augmentation"``, ``resizing = true``, ``at_least = 2``, ``points = 10``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Gt

from grader.i18n.message import Message, join_list, join_sentences, message, verbatim
from grader.models.assignment import Criterion
from grader.models.facts import Transform
from grader.models.grade import Score, scored
from grader.models.run import Run

# Shares of the pictures of the largest training. A transform in a training's graph counts from the first share on, so
# that a second training on a few rows does not count. A transform applied one by one counts from the second share on,
# because several transforms may each make a part of the pictures.
TRAINED_SHARE, CHANGED_SHARE = 0.25, 0.05
FEW = 10  # fewer pictures changed one by one are only a demonstration
MOST_NAMED = 6


@dataclass(frozen=True, kw_only=True)
class Augmentation(Criterion):
    resizing: bool = False
    augmentation: bool = True
    at_least: Annotated[int, Gt(0)] = 1  # different augmentations
    kind: Literal["augmentation"] = "augmentation"

    def problems(self) -> Iterator[Message]:
        if not (self.resizing or self.augmentation):
            yield message("augmentation: nothing is asked for; expected augmentation = true or resizing = true")


def score(criterion: Augmentation, run: Run) -> Score:
    """Score resizing and augmentation, half each where both are asked for; augmentation in proportion to ``at_least``.

    Without a recorded training a person must check what the pictures were used for.
    """
    shares: list[float] = []
    sentences: list[Message] = []
    if criterion.resizing:
        used = _used(run, "resizing")
        shares.append(float(bool(used)))
        sentences.append(_about_resizing(used))
    if criterion.augmentation:
        used = _used(run, "augmentation")
        shares.append(min(1.0, len(used) / criterion.at_least))
        sentences.append(_about_augmentation(used, criterion.at_least))
        unused = [seen for seen in _by_name(run, "augmentation") if seen.name not in {other.name for other in used}]
        if unused and shares[-1] < 1:
            sentences.append(message("In the notebook, but not used in a training: {what}.", what=_names(unused)))
    share = sum(shares) / len(shares)
    return scored(
        criterion,
        round(criterion.points * share, 2),
        join_sentences(sentences),
        passed=share >= 1.0,
        value=share,
        review=message("No training with fit() was recorded: check whether these pictures were used for training.")
        if share and not run.facts.training_pictures
        else None,
    )


def _used(run: Run, kind: str) -> list[Transform]:
    """Return one transform of each name whose pictures were used in a training."""
    showing_cells = {cell.index for cell in run.cells if cell.images}
    found = []
    for transform in _by_name(run, kind):
        same = [other for other in run.facts.transforms if (other.kind, other.name) == (kind, transform.name)]
        # A cell that shows pictures demonstrates a transform, unless it changes as many as were trained on.
        working = sum(other.pictures for other in same if other.cell not in showing_cells)
        showing = sum(other.pictures for other in same if other.cell in showing_cells)
        most = run.facts.training_pictures
        in_graph = most > 0 and max(other.trained for other in same) >= TRAINED_SHARE * most
        if in_graph or working >= max(FEW, CHANGED_SHARE * most) or showing >= max(FEW, most):
            found.append(transform)
    return found


def _by_name(run: Run, kind: str) -> list[Transform]:
    """Return the first transform of each name."""
    found: dict[str, Transform] = {}
    for transform in run.facts.transforms:
        if transform.kind == kind:
            found.setdefault(transform.name, transform)
    return list(found.values())


def _about_resizing(used: Sequence[Transform]) -> Message:
    if used:
        return message("The pictures were resized: {what}.", what=_names(used))
    return message("No training used resized pictures. Use a Resizing layer, image_size= or target_size=, or resize().")


def _about_augmentation(used: Sequence[Transform], wanted: int) -> Message:
    if not used:
        return message(
            "No training used augmentation. Put layers such as RandomFlip and RandomRotation into the model "
            "or into dataset.map(), or change the pictures before fit()."
        )
    if len(used) < wanted:
        return message(
            "{n} of {wanted} different augmentations were used for training: {what}.",
            n=len(used),
            wanted=wanted,
            what=_names(used),
        )
    return message("Used for training: {what}.", what=_names(used))


def _names(transforms: Sequence[Transform]) -> Message:
    return join_list([_name(transform) for transform in transforms], MOST_NAMED)


def _name(transform: Transform) -> Message:
    if transform.cell < 0:
        return verbatim(transform.name)
    return message("{name} (cell {cell})", name=transform.name, cell=transform.cell + 1)
