"""What is wrong with a ``grades.json`` that somebody edited by hand, in words that name the student."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails


def problems_in(error: ValidationError, data: bytes) -> Iterator[str]:
    """A line for each problem in ``data``: whose it is and where, what was expected and what was found."""
    try:
        submissions = json.loads(data.decode("utf-8-sig"))["submissions"]
    except (ValueError, KeyError, TypeError):
        submissions = []
    yield from (_problem(one, submissions) for one in error.errors())


def _problem(error: ErrorDetails, submissions: Any) -> str:
    place = ".".join(map(str, error["loc"]))
    match error["loc"]:
        case ("submissions", int(number), *_):
            place = f"{_name(submissions, number)}: {place}"
    found = "" if error["type"] in ("missing", "json_invalid") else f" (found {json.dumps(error['input'])[:80]})"
    return f"  {place}: {error['msg']}{found}" if place else f"  {error['msg']}"


def _name(submissions: Any, number: int) -> str:
    """What the submission says of its student, though something in it is wrong."""
    try:
        return str(submissions[number]["student"]["name"])
    except (KeyError, TypeError, IndexError):
        return "?"
