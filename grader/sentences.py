"""Several ``Message``s as one: what stands between them each language says itself."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

from grader.records import Message, message


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
