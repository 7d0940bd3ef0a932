"""Sentences for people, with their values apart, so that each reader gets them in their own language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Message:
    """A sentence for people, its values apart, so that each reader gets it in their own language."""

    template: str
    values: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.template.format_map(self.values)


def message(template: str, /, **values: object) -> Message:
    """A ``Message``; the literal given here is what translators see."""
    return Message(template, values)
