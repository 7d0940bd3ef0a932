"""Texts for outcomes, and hints on errors."""

from __future__ import annotations

import pytest

from grader.models.run import CellError, Outcome
from grader.report.advice import OUTCOMES, WHAT_TO_DO, hint


@pytest.mark.parametrize(
    ("name", "text", "advice"),
    [
        ("SyntaxError", "Missing parentheses in call to 'print'. Did you mean print(...)? (1.py, line 1)", "Python 2"),
        ("SyntaxError", "multiple exception types must be parenthesized (1.py, line 3)", "Python 2"),
        ("SyntaxError", "invalid syntax (1.py, line 3)", "missing bracket"),
        ("NameError", "name 'xrange' is not defined", "Python 2"),
        ("NameError", "name 'modle' is not defined", "not defined before"),
        ("ModuleNotFoundError", "No module named 'cPickle'", "Python 2"),
        ("ModuleNotFoundError", "No module named 'tensorflow.contrib'", "TensorFlow 1"),
        ("ModuleNotFoundError", "No module named 'torch'", "not installed"),
        ("ImportError", "cannot import name 'placeholder' from 'tensorflow' (/usr/lib/x.py)", "TensorFlow 1"),
        ("AttributeError", "tf.Session is TensorFlow 1 graph code, which cannot be run any more.", "TensorFlow 1"),
        ("AttributeError", "'list' object has no attribute 'shape'", "no attribute of this name"),
        ("NameError", "name 'x' is not defined", "not defined before"),
        ("FileNotFoundError", "[Errno 2]", "open them by their plain names"),
        ("ModuleNotFoundError", "No module named 'google.colab'", "not installed"),
        ("ValueError", "Input 0 of layer is incompatible", "Two shapes"),
        ("ValueError", "could not convert string to float: 'yes'", "text was found"),
        ("InvalidArgumentError", "Incompatible shapes: [32,1] vs. [32]", "Two shapes"),
        ("ResourceExhaustedError", "OOM when allocating tensor", "smaller batches"),
        ("KeyboardInterrupt", "", "time limit"),
        ("Exception", "URL fetch failure on https://storage", "no internet"),
        ("SyntaxError", "invalid syntax", "missing bracket"),
    ],
)
def test_a_common_error_has_a_hint(name: str, text: str, advice: str) -> None:
    assert advice in str(hint(CellError(name, text)))


def test_an_unknown_error_has_no_hint() -> None:
    assert hint(CellError("MyOwnError", "oops")) is None


@pytest.mark.parametrize("outcome", Outcome)
def test_every_outcome_has_a_text_and_advice(outcome: Outcome) -> None:
    assert str(OUTCOMES[outcome])
    assert str(WHAT_TO_DO[outcome])
