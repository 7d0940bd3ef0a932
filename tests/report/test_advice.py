"""Hints about errors of notebooks that were written for Python 2 or TensorFlow 1."""

from __future__ import annotations

import pytest

from grader.models.run import CellError
from grader.report.advice import hint


@pytest.mark.parametrize(
    ("name", "text", "says"),
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
    ],
)
def test_an_error_gets_a_hint(name: str, text: str, says: str) -> None:
    advice = hint(CellError(name, text))
    assert advice is not None and says in advice.template
