"""Tests of the strict parser of ``facts.json``."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.execution.facts_parser import parse_facts
from grader.models.facts import Attempt, Facts, Figure, Fit, Network, Transform
from grader.models.run import Cell
from grader.sandbox.fake import EMPTY_FACTS

FIT: dict[str, Any] = {
    "model": "sequential",
    "epochs": 2,
    "batch_size": 32,
    "samples": 100,
    "validated": True,
    "seconds": 1.5,
    "planned_epochs": 3,
    "cut_short": True,
    "grouped": True,
    "steps": 0,
    "curves": {"loss": [0.5, 0.25]},
}
FIGURE: dict[str, Any] = {
    "count": 3,
    "shows": ["loss"],
    "lines": 1,
    "trends": ["falls"],
    "saved": False,
    "caption": "Loss",
}
ATTEMPT: dict[str, Any] = {
    "source": "model",
    "preparation": "raw",
    "form": "labels",
    "variable": "",
    "trained": True,
    "held_out_value": None,
    "public_value": 0.8,
    "problem": "",
}
TRANSFORM: dict[str, Any] = {
    "kind": "augmentation",
    "name": "RandomFlip",
    "parameters": "mode=horizontal",
    "count": 3,
    "pictures": 7,
    "trained": 64,
}
NETWORK: dict[str, Any] = {
    "name": "model",
    "layers": {"Dense": 2},
    "frozen": 1,
    "parameters": 30,
    "trainable": 20,
    "input_shape": "(None, 8)",
}
CELLS = (Cell(0, "markdown", 5), Cell(1, "code", 9, ran=True, count=1), Cell(4, "code", 9, ran=True, count=3))


def facts_json(**changes: Any) -> bytes:
    return json.dumps(EMPTY_FACTS | changes).encode()


def test_valid_facts_are_parsed() -> None:
    data = facts_json(
        fits=[FIT], figures=[FIGURE], chosen=ATTEMPT, attempts=[ATTEMPT], held_out_evaluations=2, device="GPU"
    )
    assert parse_facts(data, CELLS) == Facts(
        fits=(
            Fit(
                "sequential",
                2,
                32,
                100,
                validated=True,
                seconds=1.5,
                curves={"loss": (0.5, 0.25)},
                planned_epochs=3,
                cut_short=True,
                grouped=True,
            ),
        ),
        figures=(Figure(cell=4, shows=("loss",), lines=1, trends=("falls",), caption="Loss"),),
        held_out_evaluations=2,
        chosen=Attempt("model", "raw", "labels", 0.8, trained=True),
        attempts=(Attempt("model", "raw", "labels", 0.8, trained=True),),
        seeds={"python": 0},
        versions={"python": "3.11"},
        device="GPU",
    )


def test_transforms_and_network_are_parsed() -> None:
    facts = parse_facts(facts_json(transforms=[TRANSFORM], training_pictures=64, network=NETWORK), CELLS)
    assert facts is not None and facts.training_pictures == 64
    assert facts.transforms == (Transform("augmentation", "RandomFlip", 4, 7, 64, "mode=horizontal"),)
    assert facts.network == Network("model", {"Dense": 2}, 30, 20, 1, "(None, 8)")


def test_figure_of_an_unknown_cell_has_index_minus_one() -> None:
    facts = parse_facts(facts_json(figures=[FIGURE | {"count": 99}]), CELLS)
    assert facts is not None
    assert facts.figures[0].cell == -1


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(None, id="none"),
        pytest.param(b"", id="empty"),
        pytest.param(b"\xff\xfe\x00", id="bytes"),
        pytest.param(b"[" * 100_000, id="nested"),
        pytest.param(b"null", id="null"),
        pytest.param(b"{}", id="nothing said"),
        pytest.param(facts_json(points=100), id="a key of its own"),
        pytest.param(facts_json(device=None), id="another type"),
        pytest.param(facts_json(device="x" * 401), id="a long text"),
        pytest.param(facts_json(held_out_evaluations=-1), id="a negative count"),
        pytest.param(facts_json(held_out_evaluations=10**15), id="a huge count"),
        pytest.param(b'{"held_out_evaluations": ' + b"9" * 100_000 + b"}", id="a number of many digits"),
        pytest.param(facts_json(fits=[FIT] * 51), id="too many fits"),
        pytest.param(facts_json(fits=[FIT | {"grade": 60}]), id="a key of its own in a fit"),
        pytest.param(facts_json(fits=[FIT | {"curves": {"loss": [0.0] * 5001}}]), id="a long curve"),
        pytest.param(facts_json(fits=[FIT | {"curves": {"loss": [float("nan")]}}]), id="NaN in a curve"),
        pytest.param(facts_json(fits=[FIT | {"curves": {"loss": ["1e999"]}}]), id="infinite in a curve"),
        pytest.param(facts_json(fits=[FIT | {"seconds": float("inf")}]), id="infinite seconds"),
        pytest.param(facts_json(fits=[FIT | {"batch_size": -32}]), id="a negative batch"),
        pytest.param(facts_json(figures=[FIGURE] * 201), id="too many pictures"),
        pytest.param(facts_json(chosen=ATTEMPT | {"public_value": float("nan")}), id="NaN on the public rows"),
        pytest.param(facts_json(attempts=[ATTEMPT] * 41), id="too many attempts"),
        pytest.param(facts_json(transforms=[TRANSFORM] * 101), id="too many transforms"),
        pytest.param(facts_json(transforms=[TRANSFORM | {"kind": "magic"}]), id="another kind of transform"),
        pytest.param(facts_json(network=NETWORK | {"parameters": -1}), id="a network of fewer than no parameters"),
        pytest.param(facts_json(network=NETWORK | {"layers": {str(n): 1 for n in range(101)}}), id="too many layers"),
        pytest.param(facts_json(seeds={"a": "b"}), id="a seed that is none"),
        pytest.param(facts_json(versions={str(n): "1" for n in range(21)}), id="too many versions"),
    ],
)
def test_malformed_facts_are_rejected(data: bytes | None) -> None:
    assert parse_facts(data, CELLS) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@given(
    st.binary(max_size=200) | st.fixed_dictionaries(dict.fromkeys(EMPTY_FACTS, JSON)).map(json.dumps).map(str.encode)
)
def test_parsing_never_raises(data: bytes) -> None:
    assert isinstance(parse_facts(data, CELLS), Facts | None)
