"""``results.json`` as Gradescope documents it for autograders: one submission's score, and its tests.

https://gradescope-autograders.readthedocs.io/en/latest/specs/#output-format
Without a score, on top or in a test, Gradescope takes the autograder for failed: that is how what is open is said. A
student then has no grade, never a zero.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

MAX_CHARACTERS = 10_000  # of one test's output


@dataclass(frozen=True, slots=True)
class Test:
    """One criterion. ``output`` is what the student reads."""

    name: str
    points: float
    max: float
    output: str = ""


def results_json(
    total: float | None, tests: Sequence[Test] = (), *, output: str, seconds: float | None = None
) -> bytes:
    """The file's content; a ``total`` of None leaves out every score. All texts are shown as plain text."""
    document: dict[str, Any] = {
        "output": output,
        "output_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",  # what the autograder prints is the instructors'
    }
    if seconds is not None:
        document["execution_time"] = math.ceil(seconds)
    if total is not None and math.isfinite(total):
        document["score"] = total
        document["tests"] = [_test(number, one) for number, one in enumerate(tests, start=1)]
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, indent=2)
    return f"{text}\n".encode("utf-8", "replace")


def _test(number: int, one: Test) -> dict[str, Any]:
    return {
        "number": str(number),
        "name": one.name,
        "name_format": "text",
        "score": one.points,
        "max_score": one.max,
        "status": "passed" if one.points >= one.max else "failed",
        "output": one.output[:MAX_CHARACTERS],
        "output_format": "text",
        "visibility": "visible",
    }
