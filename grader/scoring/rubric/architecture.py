"""Kind ``architecture``: what the model that answers is built of.

What it checks: how many layers of a kind it has, nested models included, and its number of parameters. The notebook's
process says so itself: a claim.
Why it matters: the homework is about a kind of network, not only about what it reaches.
Example: ``kind = "architecture"``, ``layers = { Conv2D = 2, Dense = 1 }``, ``max_parameters = 1_000_000``,
``points = 10``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from annotated_types import Gt

from grader.i18n.message import Message, join_list, message, unexpected
from grader.models.assignment import Criterion
from grader.models.facts import Network
from grader.models.grade import Score
from grader.models.run import Run

# What counts as a layer that is asked for: Keras's variants of it, and its name in PyTorch. A subclass of one of these
# counts as that one.
FAMILIES: Mapping[str, tuple[str, ...]] = {
    "Conv1D": ("SeparableConv1D", "DepthwiseConv1D", "Conv1d", "LazyConv1d"),
    "Conv2D": ("SeparableConv2D", "DepthwiseConv2D", "Conv2d", "LazyConv2d"),
    "Conv3D": ("Conv3d", "LazyConv3d"),
    "Dense": ("Linear", "LazyLinear"),
    "MaxPooling2D": ("MaxPool2d", "AdaptiveMaxPool2d"),
    "AveragePooling2D": ("AvgPool2d", "AdaptiveAvgPool2d"),
    "Dropout": ("SpatialDropout1D", "SpatialDropout2D", "AlphaDropout", "GaussianDropout", "Dropout2d"),
    "BatchNormalization": ("BatchNorm1d", "BatchNorm2d", "LazyBatchNorm2d"),
    "Flatten": (),
    "Embedding": ("EmbeddingBag",),
    "LSTM": (),
    "GRU": (),
    "SimpleRNN": ("RNN",),
}


@dataclass(frozen=True, kw_only=True)
class Architecture(Criterion):
    layers: Mapping[str, Annotated[int, Gt(0)]] = field(default_factory=dict)  # at least so many of each
    min_parameters: Annotated[int, Gt(0)] | None = None
    max_parameters: Annotated[int, Gt(0)] | None = None
    trainable_below: Annotated[int, Gt(0)] | None = None  # of a pretrained model most parameters are frozen
    kind: Literal["architecture"] = "architecture"

    def problems(self) -> Iterator[Message]:
        if not (self.layers or self.min_parameters or self.max_parameters or self.trainable_below):
            yield message(
                "layers: nothing is asked for; expected layers, min_parameters, max_parameters or trainable_below"
            )
        if self.min_parameters and self.max_parameters and self.min_parameters > self.max_parameters:
            yield unexpected("min_parameters", str(self.min_parameters), message("at most max_parameters"))


def score(criterion: Architecture, run: Run) -> Score:
    """Each thing asked for is an equal share of the points."""
    network = run.facts.network
    wishes = list(_wishes(criterion, network)) if network else []
    share = sum(met for met, _said in wishes) / len(wishes) if wishes else 0.0
    return Score(
        criterion=criterion.id,
        title=criterion.title,
        points=round(criterion.points * share, 2),
        max=criterion.points,
        passed=share >= 1.0,
        reason=_reason(network, [said for met, said in wishes if not met]),
        value=share,
    )


def _wishes(criterion: Architecture, network: Network) -> Iterator[tuple[bool, Message]]:
    """Whether each is met, and what to say when it is not."""
    for name, wanted in criterion.layers.items():
        found = sum(network.layers.get(one, 0) for one in (name, *FAMILIES.get(name, ())))
        yield (
            found >= wanted,
            message("{name}: {found} of at least {wanted} layers", name=name, found=found, wanted=wanted),
        )
    found_parameters = f"{network.parameters:,}"
    if (least := criterion.min_parameters) is not None:
        yield (
            network.parameters >= least,
            message("{found} parameters, at least {n} expected", found=found_parameters, n=f"{least:,}"),
        )
    if (most := criterion.max_parameters) is not None:
        yield (
            network.parameters <= most,
            message("{found} parameters, at most {n} expected", found=found_parameters, n=f"{most:,}"),
        )
    if criterion.trainable_below is not None:
        yield (
            network.trainable < criterion.trainable_below,
            message(
                "{found} parameters are trained, fewer than {wanted} expected: freeze layers",
                found=f"{network.trainable:,}",
                wanted=f"{criterion.trainable_below:,}",
            ),
        )


def _reason(network: Network | None, missing: list[Message]) -> Message:
    if network is None:
        return message("No Keras or PyTorch model was found to look at. Leave it in the variable model.")
    built = message(
        "{name} has {layers} layers and {parameters} parameters, {trainable} of them trained.",
        name=network.name,
        layers=sum(network.layers.values()),
        parameters=f"{network.parameters:,}",
        trainable=f"{network.trainable:,}",
    )
    if not missing:
        return built
    return message("{built} Not as asked: {what}.", built=built, what=join_list(missing))
