"""Objects that report no usable input."""

from __future__ import annotations

from grader.sandbox.guest.probe.input_spec import InputSpec, read_input_spec
from grader.sandbox.guest.probe.model_discovery import fitted_models
from tests.support.hostile_objects import LiesAboutClass, Raises


def test_object_that_raises_has_an_empty_input_spec() -> None:
    assert read_input_spec(Raises()) == InputSpec()


def test_object_that_lies_about_its_class_is_no_model() -> None:
    assert list(fitted_models({"other": LiesAboutClass(), "model": LiesAboutClass()})) == []
