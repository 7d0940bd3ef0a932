"""Trainings in pieces give the bits of Keras: a table of models, data, options and callbacks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .chains import CHAINS, COLUMNS, SLOW_CHAINS, fitted, layer, sequential, table
from .comparison import Chain, both_ways, differences, run


@pytest.fixture(scope="module")
def switch() -> Iterator[Callable[[bool], None]]:
    with both_ways() as switch:
        yield switch


def check(chain: Chain, switch: Callable[[bool], None], folder: Path) -> None:
    switch(False)
    keras = dict(run(chain, folder))
    switch(True)
    pieces = dict(run(chain, folder))
    assert {name: differences(keras[name], pieces[name]) for name in keras} == {name: [] for name in keras}
    assert {name: traces.reasons for name, traces in pieces.items()} == {
        name: (chain.plain[name],) if name in chain.plain else () for name in keras
    }


@pytest.mark.slow
@pytest.mark.parametrize("chain", CHAINS, ids=lambda chain: chain.name)
def test_training_in_pieces_gives_the_bits_of_keras(
    chain: Chain, switch: Callable[[bool], None], tmp_path: Path
) -> None:
    check(chain, switch, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("chain", SLOW_CHAINS, ids=lambda chain: chain.name)
def test_larger_training_in_pieces_gives_the_bits_of_keras(
    chain: Chain, switch: Callable[[bool], None], tmp_path: Path
) -> None:
    check(chain, switch, tmp_path)


@pytest.mark.slow
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    units=st.lists(st.integers(1, 7), max_size=2),
    activation=st.sampled_from(["relu", "tanh", "selu", "gelu"]),
    dropout=st.sampled_from([0.0, 0.2]),
    optimizer=st.sampled_from(["adam", "sgd", "rmsprop", "adagrad"]),
    loss=st.sampled_from(["mse", "mae", "huber", "binary_crossentropy"]),
    rows=st.integers(3, 60),
    batch_size=st.integers(1, 20),
    epochs=st.integers(1, 4),
    shuffle=st.booleans(),
    validation_split=st.sampled_from([0.0, 0.3]),
)
def test_generated_training_in_pieces_gives_the_bits_of_keras(
    switch: Callable[[bool], None], tmp_path: Path, **drawn: Any
) -> None:
    layers = [layer("Dense", count, activation=drawn["activation"]) for count in drawn["units"]]
    layers += [layer("Dropout", drawn["dropout"]), layer("Dense", 1, activation="sigmoid")]
    build = partial(sequential, *layers, inputs=(COLUMNS,), optimizer=drawn["optimizer"], loss=drawn["loss"])
    words = {name: drawn[name] for name in ("batch_size", "epochs", "shuffle", "validation_split")}
    fit = fitted(*table(drawn["rows"]), **words)
    check(Chain("generated", build, {"first": fit, "second": fit}), switch, tmp_path)


def test_the_tables_have_sixty_combinations_each() -> None:
    assert sum(len(chain.fits) for chain in CHAINS) >= 60
    assert sum(len(chain.fits) for chain in SLOW_CHAINS) >= 60
