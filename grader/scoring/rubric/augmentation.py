"""Kind ``augmentation``: pictures were resized and augmented for the training, in what ran and not in words.

What it checks: what the training's graph, its dataset or its generator did to the pictures, and what was applied to
them one by one before it. The notebook's process says so itself: a claim, worth modest points.
Why it matters: a few photos become many, and the model learns the thing instead of its place in the picture.
Example: ``kind = "augmentation"``, ``resizing = true``, ``at_least = 2``, ``points = 10``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Gt

from grader.i18n.message import Message, join_list, join_sentences, message
from grader.models.assignment import Criterion
from grader.models.facts import Transform
from grader.models.grade import Score
from grader.models.run import Run

# Of the pictures of the largest training: what a training must have that had it in its graph, so that one on a few
# rows beside it does not count; and what must have been changed one by one, where each of several ways makes its own.
TRAINED_SHARE, CHANGED_SHARE = 0.25, 0.05
FEW = 10  # pictures changed one by one are a look at how it works
SHOWN = 6  # named in the reason


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
    """Where both are asked for each is half; of augmentations, in proportion to ``at_least``."""
    shares: list[float] = []
    said: list[Message] = []
    if criterion.resizing:
        used = _used(run, "resizing")
        shares.append(float(bool(used)))
        said.append(_resizing(used))
    if criterion.augmentation:
        used = _used(run, "augmentation")
        shares.append(min(1.0, len(used) / criterion.at_least))
        said.append(_augmentation(used, criterion.at_least))
        idle = [one for one in _by_name(run, "augmentation") if one.name not in {other.name for other in used}]
        if idle and shares[-1] < 1:
            said.append(message("Seen, but in no training: {what}.", what=_listed(idle)))
    share = sum(shares) / len(shares)
    return Score(
        criterion=criterion.id,
        title=criterion.title,
        points=round(criterion.points * share, 2),
        max=criterion.points,
        passed=share >= 1.0,
        reason=join_sentences(said),
        value=share,
        review=message("No training with fit() was recorded: look whether these pictures were trained on.")
        if share and not run.facts.training_pictures
        else None,
    )


def _used(run: Run, kind: str) -> list[Transform]:
    """One for each name, where a training had what it made."""
    shown = {cell.index for cell in run.cells if cell.images}
    found = []
    for one in _by_name(run, kind):
        same = [other for other in run.facts.transforms if (other.kind, other.name) == (kind, one.name)]
        # A cell that shows pictures shows how it looks, unless it changes as many as were trained on.
        working = sum(other.pictures for other in same if other.cell not in shown)
        showing = sum(other.pictures for other in same if other.cell in shown)
        most = run.facts.training_pictures
        in_graph = most > 0 and max(other.trained for other in same) >= TRAINED_SHARE * most
        if in_graph or working >= max(FEW, CHANGED_SHARE * most) or showing >= max(FEW, most):
            found.append(one)
    return found


def _by_name(run: Run, kind: str) -> list[Transform]:
    """The first of each name."""
    found: dict[str, Transform] = {}
    for one in run.facts.transforms:
        if one.kind == kind:
            found.setdefault(one.name, one)
    return list(found.values())


def _resizing(used: Sequence[Transform]) -> Message:
    if used:
        return message("The pictures were resized: {what}.", what=_listed(used))
    return message(
        "No resizing was seen of pictures that a training had. "
        "Use a Resizing layer, image_size= or target_size=, or resize()."
    )


def _augmentation(used: Sequence[Transform], wanted: int) -> Message:
    if not used:
        return message(
            "No augmentation was seen in a training. Put layers such as RandomFlip and RandomRotation into the model "
            "or into dataset.map(), or change the pictures before fit()."
        )
    if len(used) < wanted:
        return message(
            "{n} of {wanted} different augmentations were used for training: {what}.",
            n=len(used),
            wanted=wanted,
            what=_listed(used),
        )
    return message("Used for training: {what}.", what=_listed(used))


def _listed(transforms: Sequence[Transform]) -> Message:
    return join_list([_said(one) for one in transforms], SHOWN)


def _said(one: Transform) -> Message:
    if one.cell < 0:
        return message("{name}", name=one.name)
    return message("{name} (cell {cell})", name=one.name, cell=one.cell + 1)
