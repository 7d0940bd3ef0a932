"""Facts compared with the code and with their own numbers: which points wait for a person, and what is only said."""

from __future__ import annotations

from dataclasses import replace

import pytest

from grader.execution.evidence import PREDICT, Code, Findings, examine
from grader.models.facts import Attempt, Facts, Figure, Fit

LOAD = 'table = np.genfromtxt("leaves.csv")\nX, y = table[:, :2], table[:, 2]'
TRAINS = Code([LOAD, "model.fit(X, y)\ndef predict(rows): return model.predict(rows)"], {}, {"leaves.csv"})
RULE = Code([LOAD, "def predict(X): return X[:, 0] > X[:, 1]"], {}, {"leaves.csv"})
BY_HAND = Code([LOAD, "w = solve(X, y)\ndef predict(rows): return rows @ w"], {}, {"leaves.csv"})
MODEL = Attempt("model", "raw", "labels", 0.8, trained=True)
OWN = replace(MODEL, source=PREDICT)
FIT = Fit("model", 2, 32, 100, validated=False, seconds=1.0, curves={"loss": (0.5, 0.4)})
TRAINED = Facts(fits=(FIT,), trained_models=1, chosen=MODEL)


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        pytest.param(TRAINED, TRAINS, id="trained model"),
        pytest.param(replace(TRAINED, chosen=OWN), TRAINS, id="predict with a trained model"),
        pytest.param(
            replace(TRAINED, chosen=OWN, rival=replace(MODEL, public_value=0.71)), TRAINS, id="a little better than it"
        ),
        pytest.param(replace(TRAINED, rival=replace(MODEL, public_value=0.81)), TRAINS, id="a rival nearly as good"),
        pytest.param(replace(TRAINED, rival=replace(MODEL, public_value=None)), TRAINS, id="a rival without a value"),
    ],
)
def test_honest_facts_raise_no_question(facts: Facts, code: Code) -> None:
    assert examine(facts, code, predicted=True) == Findings()


@pytest.mark.parametrize(
    ("facts", "code", "expected"),
    [
        pytest.param(None, TRAINS, "never seen training", id="no facts"),
        pytest.param(Facts(), TRAINS, "never seen training", id="no candidate"),
        pytest.param(Facts(chosen=replace(OWN, trained=False)), RULE, "never seen training", id="rule"),
        pytest.param(replace(TRAINED, chosen=OWN), RULE, "never seen training", id="training claimed only"),
        pytest.param(
            replace(TRAINED, chosen=OWN, rival=replace(MODEL, public_value=0.6)), TRAINS, "far better", id="far better"
        ),
    ],
)
def test_points_without_a_known_training_are_withheld(facts: Facts | None, code: Code, expected: str) -> None:
    findings = examine(facts, code, predicted=True)
    assert expected in str(findings.withheld)
    assert examine(facts, code, predicted=False).withheld is None


@pytest.mark.parametrize(
    ("facts", "code", "expected"),
    [
        pytest.param(Facts(chosen=replace(OWN, trained=False)), BY_HAND, "computes it by itself", id="by hand"),
        pytest.param(
            replace(TRAINED, rival=replace(MODEL, source="b", public_value=0.9)), TRAINS, "b answers", id="rival"
        ),
        pytest.param(
            replace(TRAINED, fits=(replace(FIT, curves={"val_accuracy": (0.5, 0.95)}),)),
            TRAINS,
            "accuracy of 0.950, but model reaches 0.800",
            id="reported more than read",
        ),
        pytest.param(replace(TRAINED, figures=(Figure(-1, ("loss",)),)), TRAINS, "does not exist", id="cell"),
    ],
)
def test_smaller_doubts_are_said_without_withholding(facts: Facts, code: Code, expected: str) -> None:
    findings = examine(facts, code, predicted=True)
    assert findings.withheld is None
    assert any(expected in str(doubt) for doubt in findings.doubts)


def test_training_without_code_that_trains_contradicts_itself() -> None:
    assert "no cell trains anything" in str(examine(TRAINED, BY_HAND, predicted=False).contradicted)
    module = replace(BY_HAND, modules={"helper.py": "def work(model): model.fit(1)"})
    assert examine(TRAINED, module, predicted=False).contradicted is None
