"""A JSON schema of ``results.json`` after Gradescope's documentation; other keys are refused."""

from __future__ import annotations

from typing import Any

from jsonschema import Draft202012Validator

_FORMAT = {"enum": ["text", "html", "simple_format", "md", "ansi"]}
_VISIBILITY = {"enum": ["hidden", "after_due_date", "after_published", "visible"]}
_TEST: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "score": {"type": "number"},
        "max_score": {"type": "number"},
        "status": {"enum": ["passed", "failed"]},
        "name": {"type": "string"},
        "name_format": _FORMAT,
        "number": {"type": "string"},
        "output": {"type": "string"},
        "output_format": _FORMAT,
        "tags": {"type": "array", "items": {"type": "string"}},
        "visibility": _VISIBILITY,
        "extra_data": {"type": "object"},
    },
}
VALIDATOR = Draft202012Validator(
    {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "score": {"type": "number"},
            "execution_time": {"type": "integer"},
            "output": {"type": "string"},
            "output_format": _FORMAT,
            "test_output_format": _FORMAT,
            "test_name_format": _FORMAT,
            "visibility": _VISIBILITY,
            "stdout_visibility": _VISIBILITY,
            "extra_data": {"type": "object"},
            "tests": {"type": "array", "items": _TEST},
            "leaderboard": {"type": "array"},
        },
    }
)


def has_a_score(document: dict[str, Any]) -> bool:
    """Check for the score that Gradescope requires; without it the autograder counts as failed."""
    return "score" in document or any("score" in test for test in document.get("tests", []))
