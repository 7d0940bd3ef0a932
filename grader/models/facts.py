"""Facts that the guest recorded inside the notebook's process.

Student code can forge them. They are shown in reports, but never decide points that depend on hidden labels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class Fit:
    """A recorded training. ``curves`` has one value per epoch, under the names that Keras uses."""

    model: str
    epochs: int
    batch_size: int | None
    samples: int | None  # training rows, including a validation split
    validated: bool  # on data not used for training
    seconds: float
    curves: Mapping[str, tuple[float, ...]]
    planned_epochs: int | None = None
    cut_short: bool = False  # ended by the guest at the limit of time or of samples
    samples_reached: bool = False  # at the limit of samples
    steps: int = 0  # batches of a training loop that the notebook wrote itself; 0 for a call of fit
    grouped: bool = False  # several steps of Keras ran in one graph call, with the same result


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure. The curves in it are recognised by the values of its lines, not by its captions."""

    cell: int  # index of the cell that showed it, -1 if unknown
    shows: tuple[str, ...] = ()  # recorded curves found in it: "loss", "val_loss", ...
    lines: int = 0
    trends: tuple[str, ...] = ()  # "falls" or "rises", of its lines
    saved: bool = False  # into a file, which a later cell may show
    caption: str = ""  # title and axis labels, for display


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt to get predictions for the public data."""

    source: str  # "predict(X)" or the variable that holds the model
    preparation: str  # "raw", "scaler", "flattened", ...
    form: str = ""  # decoding of the output: "labels", "probability", ...
    public_value: float | None = None
    problem: str = ""
    variable: str = ""  # of the notebook, used by the form: a scaler, or an order of the classes
    held_out_value: float | None = None  # on public rows that the model was not trained on
    trained: bool = False  # a training of the model, or for predict(X) of any model, was recorded


@dataclass(frozen=True, slots=True)
class Adaptation:
    """A change that lets an old notebook run; ``kind`` is a value of the guest's ``compat.notes.Kind``."""

    kind: str
    cell: int  # index of the cell that needed it, -1 if unknown
    found: str  # name, code or path in the notebook
    used: str  # its replacement


@dataclass(frozen=True, slots=True)
class Transform:
    """A kind of image transformation, in one cell."""

    kind: Literal["augmentation", "resizing"]
    name: str
    cell: int = -1  # index of the cell where it was first seen, -1 if unknown
    pictures: int = 0  # images it was applied to one at a time, before the last training ended
    trained: int = 0  # images in the largest training with it in the model or the dataset
    parameters: str = ""


@dataclass(frozen=True, slots=True)
class Network:
    """Structure of the model that predicts. ``layers`` counts layers by class, including nested models."""

    name: str
    layers: Mapping[str, int]
    parameters: int
    trainable: int  # of the parameters
    frozen: int = 0  # layers whose parameters are not trained
    input_shape: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """All facts that the guest recorded. Forgeable by student code, see the module."""

    fits: tuple[Fit, ...] = ()
    figures: tuple[Figure, ...] = ()
    held_out_evaluations: int = 0  # calls of evaluate() on rows not used for training
    chosen: Attempt | None = None
    rival: Attempt | None = None  # the best of the candidates that were not chosen
    trained_models: int = 0  # models whose training was recorded
    attempts: tuple[Attempt, ...] = ()
    adaptations: tuple[Adaptation, ...] = ()
    transforms: tuple[Transform, ...] = ()
    training_pictures: int = 0  # rows of the largest training; 0 without one
    network: Network | None = None
    seeds: Mapping[str, int] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    device: str = ""
