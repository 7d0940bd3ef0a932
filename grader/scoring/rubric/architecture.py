"""Kind ``architecture``: the layers and the size of the model that predicts.

What it checks: the number of layers of a type, nested models included, and the number of parameters. The notebook's
own process reports them, so they could be forged.
Why it matters: the homework is about a kind of network, not only about its result.
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
from grader.models.grade import Score, scored
from grader.models.run import Run

# Keras layer -> its variants in Keras and its names in PyTorch, which count as well. Subclasses count as their base.
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
    layers: Mapping[str, Annotated[int, Gt(0)]] = field(default_factory=dict)  # type -> at least this many
    min_parameters: Annotated[int, Gt(0)] | None = None
    max_parameters: Annotated[int, Gt(0)] | None = None
    trainable_below: Annotated[int, Gt(0)] | None = None  # for a pretrained model whose parameters are mostly frozen
    kind: Literal["architecture"] = "architecture"

    def problems(self) -> Iterator[Message]:
        if not (self.layers or self.min_parameters or self.max_parameters or self.trainable_below):
            yield message(
                "layers: nothing is asked for; expected layers, min_parameters, max_parameters or trainable_below"
            )
        if self.min_parameters and self.max_parameters and self.min_parameters > self.max_parameters:
            yield unexpected("min_parameters", str(self.min_parameters), message("at most max_parameters"))


def score(criterion: Architecture, run: Run) -> Score:
    """Give an equal share of the points for each requirement."""
    network = run.facts.network
    requirements = list(_requirements(criterion, network)) if network else []
    share = sum(met for met, _problem in requirements) / len(requirements) if requirements else 0.0
    points = round(criterion.points * share, 2)
    reason = _reason(network, [problem for met, problem in requirements if not met])
    return scored(criterion, points, reason, passed=share >= 1.0, value=share)


def _requirements(criterion: Architecture, network: Network) -> Iterator[tuple[bool, Message]]:
    """Yield for each requirement whether it is met, and the sentence that says it is not."""
    for name, wanted in criterion.layers.items():
        found = sum(network.layers.get(layer, 0) for layer in (name, *FAMILIES.get(name, ())))
        problem = message("{name}: {found} of at least {wanted} layers", name=name, found=found, wanted=wanted)
        yield found >= wanted, problem
    found_parameters = f"{network.parameters:,}"
    if (least := criterion.min_parameters) is not None:
        problem = message("{found} parameters, at least {n} expected", found=found_parameters, n=f"{least:,}")
        yield network.parameters >= least, problem
    if (most := criterion.max_parameters) is not None:
        problem = message("{found} parameters, at most {n} expected", found=found_parameters, n=f"{most:,}")
        yield network.parameters <= most, problem
    if (below := criterion.trainable_below) is not None:
        problem = message(
            "{found} parameters are trained, fewer than {wanted} expected: freeze layers",
            found=f"{network.trainable:,}",
            wanted=f"{below:,}",
        )
        yield network.trainable < below, problem


def _reason(network: Network | None, missing: list[Message]) -> Message:
    if network is None:
        return message("No Keras or PyTorch model was found. Keep the model in a variable named model.")
    built = message(
        "{name} has {layers} layers and {parameters} parameters, {trainable} of them trained.",
        name=network.name,
        layers=sum(network.layers.values()),
        parameters=f"{network.parameters:,}",
        trainable=f"{network.trainable:,}",
    )
    if not missing:
        return built
    return message("{built} Requirements not met: {what}.", built=built, what=join_list(missing))
