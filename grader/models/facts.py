"""What a notebook's process says of itself: claims, shown, and trusted for no point that labels decide."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class Fit:
    """One training as it was recorded. ``curves`` has one value per epoch, keyed as Keras names them."""

    model: str
    epochs: int
    batch_size: int | None
    samples: int | None  # rows it was given, validation split included
    validated: bool  # on data kept from training
    seconds: float
    curves: Mapping[str, tuple[float, ...]]
    planned_epochs: int | None = None
    cut_short: bool = False  # ended by us, because its time was up


@dataclass(frozen=True, slots=True)
class Figure:
    """One picture drawn: what its lines were found to show, by their numbers and not by their captions."""

    cell: int  # index of the cell that showed it, -1 when unknown
    shows: tuple[str, ...] = ()  # recorded curves found in it: "loss", "val_loss", ...
    lines: int = 0
    caption: str = ""  # title and axis labels, for people


@dataclass(frozen=True, slots=True)
class Attempt:
    """One way the answer was looked for on the public data."""

    source: str  # "predict(X)" or the variable that holds the model
    preparation: str  # "raw", "scaler", "flattened", ...
    form: str = ""  # how its output was read: "labels", "probability", ...
    public_value: float | None = None
    problem: str = ""
    variable: str = ""  # of the notebook, used by the form: a scaler, or an order of the classes


@dataclass(frozen=True, slots=True)
class Adaptation:
    """One thing that was done so that the notebook runs here; ``kind`` is one of the guest's ``compat.notes.Kind``."""

    kind: str
    cell: int  # index of the cell that needed it, -1 when unknown
    found: str  # as the notebook has it: a name, code, a path
    used: str  # in its place


@dataclass(frozen=True, slots=True)
class Transform:
    """One way in which pictures were changed, in one cell."""

    kind: Literal["augmentation", "resizing"]
    name: str
    cell: int = -1  # index of the cell where it was seen first, -1 when unknown
    pictures: int = 0  # it was applied to one by one, before the last training ended
    trained: int = 0  # pictures of the largest training that had it in its graph or its dataset
    parameters: str = ""


@dataclass(frozen=True, slots=True)
class Network:
    """What the model that answers is built of. ``layers``: the library's class -> how many, nested models included."""

    name: str
    layers: Mapping[str, int]
    parameters: int
    trainable: int  # of the parameters
    frozen: int = 0  # layers with parameters that training leaves as they are
    input_shape: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the notebook's process says of itself: claims, shown, and trusted for no point that labels decide."""

    fits: tuple[Fit, ...] = ()
    figures: tuple[Figure, ...] = ()
    held_out_evaluations: int = 0  # evaluate() on other rows than were trained on
    chosen: Attempt | None = None
    attempts: tuple[Attempt, ...] = ()
    adaptations: tuple[Adaptation, ...] = ()
    transforms: tuple[Transform, ...] = ()
    training_pictures: int = 0  # rows of the largest training; 0 when there was none
    network: Network | None = None
    seeds: Mapping[str, int] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    device: str = ""
