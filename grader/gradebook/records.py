"""Submissions, runs and grades as JSON, and back. Every value is the same after it, as far as it is used later.

Values of messages become text, numbers or messages. Paths below the results folder are kept relative to it, so that the
folder can be moved; other paths, such as those of the handed-in files, are only valid while the class is graded.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from numbers import Real
from pathlib import Path
from typing import Any, TypeVar

from cattrs import Converter
from cattrs.preconf.json import make_converter

from grader.i18n.message import Message

Value = TypeVar("Value")

_NOT_FINITE = {"nan", "inf", "-inf"}


class Records:
    """Conversion of values for the results in the folder ``out``."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self._converter = self._make_converter()

    def dump(self, value: object) -> str:
        """Return ``value``, a dataclass of ``grader.models``, as JSON."""
        # In ASCII: half a character, which a notebook can print, would not fit into the database.
        return json.dumps(self._converter.unstructure(value), allow_nan=False)

    def load(self, text: str, kind: type[Value]) -> Value:
        """Return the value of class ``kind``; raises ``cattrs.BaseValidationError`` or ValueError for other text."""
        return self._converter.structure(json.loads(text), kind)

    def _make_converter(self) -> Converter:
        converter = make_converter()
        converter.register_unstructure_hook(Path, self._relative)
        converter.register_structure_hook(Path, lambda text, _kind: self._absolute(text))
        converter.register_unstructure_hook(Message, _dump_message)
        converter.register_structure_hook(Message, lambda entry, _kind: _load_message(entry))
        converter.register_unstructure_hook(timedelta, lambda value: value.total_seconds())
        converter.register_structure_hook(timedelta, lambda seconds, _kind: timedelta(seconds=seconds))
        converter.register_unstructure_hook(datetime, datetime.isoformat)
        converter.register_structure_hook(datetime, lambda text, _kind: datetime.fromisoformat(text))
        converter.register_unstructure_hook(float, _dump_number)
        converter.register_structure_hook(float, lambda entry, _kind: float(entry))
        return converter

    def _relative(self, path: Path) -> str:
        return path.relative_to(self.out).as_posix() if path.is_relative_to(self.out) else str(path)

    def _absolute(self, text: str) -> Path:
        return self.out / text  # an absolute path stays as it is


def _dump_number(value: float) -> float | str:
    return value if math.isfinite(value) else str(value)


def _dump_message(text: Message) -> dict[str, Any]:
    return {"template": text.template, "values": {name: _dump_value(value) for name, value in text.values.items()}}


def _dump_value(value: object) -> object:
    if isinstance(value, Message):
        return _dump_message(value)
    if value is None or isinstance(value, bool | int | str):
        return value
    return _dump_number(float(value)) if isinstance(value, Real) else str(value)


def _load_message(entry: Mapping[str, Any]) -> Message:
    return Message(entry["template"], {name: _load_value(value) for name, value in entry["values"].items()})


def _load_value(value: object) -> object:
    if isinstance(value, Mapping):
        return _load_message(value)
    return float(value) if isinstance(value, str) and value in _NOT_FINITE else value
