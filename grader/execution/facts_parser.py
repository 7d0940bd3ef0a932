"""Strict parser of the guest's ``facts.json``, which is untrusted: any other form or size is rejected as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from grader.models.facts import Adaptation, Attempt, Facts, Figure, Fit, Network, Transform
from grader.models.run import Cell
from grader.sandbox.guest.compat.notes import Kind

Text = Annotated[str, Field(max_length=400)]
Count = Annotated[int, Field(ge=0, le=10**12)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Curve = Annotated[tuple[Number, ...], Field(max_length=5000)]


class _Claim(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=False)


class _Fit(_Claim):
    model: Text
    epochs: Count
    batch_size: Count | None
    samples: Count | None
    validated: bool
    seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    planned_epochs: Count | None
    cut_short: bool
    samples_reached: bool = False
    grouped: bool = False
    steps: Count
    curves: Annotated[dict[Text, Curve], Field(max_length=100)]


class _Figure(_Claim):
    count: int  # In [count]
    shows: Annotated[tuple[Text, ...], Field(max_length=100)]
    lines: Count
    trends: Annotated[tuple[Literal["falls", "rises"], ...], Field(max_length=2)]
    saved: bool
    caption: Text


class _Attempt(_Claim):
    source: Text
    preparation: Text
    form: Text
    variable: Text
    trained: bool
    public_value: Number | None
    held_out_value: Number | None
    problem: Text


class _Adaptation(_Claim):
    kind: Kind
    count: int  # In [count]
    found: Text
    used: Text


class _Transform(_Claim):
    kind: Literal["augmentation", "resizing"]
    name: Text
    parameters: Text
    count: int  # In [count]
    pictures: Count
    trained: Count


class _Network(_Claim):
    name: Text
    layers: Annotated[dict[Text, Count], Field(max_length=100)]
    frozen: Count
    parameters: Count
    trainable: Count
    input_shape: Text


class _Facts(_Claim):
    fits: Annotated[tuple[_Fit, ...], Field(max_length=50)]
    figures: Annotated[tuple[_Figure, ...], Field(max_length=200)]
    held_out_evaluations: Count
    chosen: _Attempt | None
    rival: _Attempt | None
    trained_models: Count
    attempts: Annotated[tuple[_Attempt, ...], Field(max_length=40)]
    adaptations: Annotated[tuple[_Adaptation, ...], Field(max_length=100)]
    transforms: Annotated[tuple[_Transform, ...], Field(max_length=100)]
    training_pictures: Count
    network: _Network | None
    seeds: Annotated[dict[Text, Count], Field(max_length=10)]
    versions: Annotated[dict[Text, Text], Field(max_length=20)]
    device: Text


def parse_facts(data: bytes | None, cells: tuple[Cell, ...]) -> Facts | None:
    """Return the facts, or None unless ``data`` has exactly the guest's form. ``cells`` give the cells' indices."""
    if data is None:
        return None
    try:
        claims = _Facts.model_validate_json(data)
    except ValidationError:
        return None
    places = {cell.count: cell.index for cell in cells if cell.count is not None}
    return Facts(
        fits=tuple(Fit(**dict(fit)) for fit in claims.fits),
        figures=tuple(_figure(figure, places) for figure in claims.figures),
        held_out_evaluations=claims.held_out_evaluations,
        chosen=Attempt(**dict(claims.chosen)) if claims.chosen else None,
        rival=Attempt(**dict(claims.rival)) if claims.rival else None,
        trained_models=claims.trained_models,
        attempts=tuple(Attempt(**dict(attempt)) for attempt in claims.attempts),
        adaptations=tuple(
            Adaptation(claim.kind.value, places.get(claim.count, -1), claim.found, claim.used)
            for claim in claims.adaptations
        ),
        transforms=tuple(_transform(claim, places) for claim in claims.transforms),
        training_pictures=claims.training_pictures,
        network=Network(**dict(claims.network)) if claims.network else None,
        seeds=claims.seeds,
        versions=claims.versions,
        device=claims.device,
    )


def _figure(claim: _Figure, places: Mapping[int, int]) -> Figure:
    return Figure(
        cell=places.get(claim.count, -1),
        shows=claim.shows,
        lines=claim.lines,
        trends=claim.trends,
        saved=claim.saved,
        caption=claim.caption,
    )


def _transform(claim: _Transform, places: Mapping[int, int]) -> Transform:
    return Transform(
        kind=claim.kind,
        name=claim.name,
        cell=places.get(claim.count, -1),
        pictures=claim.pictures,
        trained=claim.trained,
        parameters=claim.parameters,
    )
