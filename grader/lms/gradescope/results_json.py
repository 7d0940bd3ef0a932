"""``results.json`` as Gradescope documents it for autograders: the score of one submission, and its tests.

https://gradescope-autograders.readthedocs.io/en/latest/specs/#output-format
Without a score, Gradescope reports the autograder as failed. An open total is returned this way: the student then has
no grade, never a zero.
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
    """A criterion. ``output`` is shown to the student."""

    name: str
    points: float
    max: float
    output: str = ""


def results_json(
    total: float | None, tests: Sequence[Test] = (), *, output: str, seconds: float | None = None
) -> bytes:
    """Return the file's content; a ``total`` of None leaves out every score. All texts are shown as plain text."""
    document: dict[str, Any] = {
        "output": output,
        "output_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",  # the autograder's output is for instructors
    }
    if seconds is not None:
        document["execution_time"] = math.ceil(seconds)
    if total is not None and math.isfinite(total):
        document["score"] = total
        document["tests"] = [_test(number, test) for number, test in enumerate(tests, start=1)]
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, indent=2)
    return f"{text}\n".encode("utf-8", "replace")


def _test(number: int, test: Test) -> dict[str, Any]:
    return {
        "number": str(number),
        "name": test.name,
        "name_format": "text",
        "score": test.points,
        "max_score": test.max,
        "status": "passed" if test.points >= test.max else "failed",
        "output": test.output[:MAX_CHARACTERS],
        "output_format": "text",
        "visibility": "visible",
    }
