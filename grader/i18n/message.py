"""Sentences for people, with their values apart, so that each reader gets them in their own language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce

Titles = Mapping[str, str]  # language tag ("en", "zh-TW") -> text


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


def listed(parts: Sequence[Message | str], most: int = 20) -> Message:
    """``parts``, of which there is one at least, as a list."""
    first, *others = (part if isinstance(part, Message) else message("{name}", name=part) for part in parts[:most])
    whole = reduce(lambda one, other: message("{one}, {other}", one=one, other=other), others, first)
    return message("{one}, …", one=whole) if len(parts) > most else whole


def joined(sentences: Sequence[Message]) -> Message:
    """Sentences, one at least, one after the other."""
    return reduce(lambda one, other: message("{one} {other}", one=one, other=other), sentences)


def lines(problems: Sequence[Message], most: int = 20) -> Message:
    """Problems, one at least, a line each."""
    said = [*problems[:most], *[message("There are more problems; these are the first.")] * (len(problems) > most)]
    return reduce(lambda first, second: message("{first}\n{second}", first=first, second=second), said)
