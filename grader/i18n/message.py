"""Translatable messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce

Titles = Mapping[str, str]  # language tag ("en", "zh-TW") -> text


@dataclass(frozen=True, slots=True)
class Message:
    """An English sentence and the values for its placeholders; a ``Translation`` renders it in a language."""

    template: str
    values: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.template.format_map(self.values)


def message(template: str, /, **values: object) -> Message:
    """Return a ``Message``. ``template`` must be a literal: it is the key of the translation catalogues."""
    return Message(template, values)


def verbatim(text: str) -> Message:
    """Return a message that reads ``text`` in every language."""
    return Message("{text}", {"text": text})


def join_list(parts: Sequence[Message | str], most: int = 20) -> Message:
    """Return the first ``most`` of ``parts``, at least one, as one list."""
    first, *others = (part if isinstance(part, Message) else verbatim(part) for part in parts[:most])
    joined = reduce(lambda left, right: message("{one}, {other}", one=left, other=right), others, first)
    return message("{one}, …", one=joined) if len(parts) > most else joined


def join_sentences(sentences: Sequence[Message]) -> Message:
    """Return ``sentences``, at least one, as one paragraph."""
    return reduce(lambda left, right: message("{one} {other}", one=left, other=right), sentences)


def join_lines(problems: Sequence[Message | str], most: int = 20) -> Message:
    """Return the first ``most`` of ``problems``, at least one, on one line each."""
    more = [message("There are more problems; these are the first.")] if len(problems) > most else []
    values = {f"line{number}": problem for number, problem in enumerate([*problems[:most], *more])}
    return Message("\n".join(f"{{{name}}}" for name in values), values)


def prefixed(place: str, problem: Message) -> Message:
    """Return ``problem`` with ``place`` directly before it: ``rubric[1].`` and ``points: missing``, for example."""
    return Message("{place}{problem}", {"place": place, "problem": problem})


def unexpected(place: str, found: Message | str, expected: Message) -> Message:
    """Return the problem that a file has ``found`` at ``place`` instead of what is ``expected``."""
    return message("{place}: found {found}, expected {expected}", place=place, found=found, expected=expected)
