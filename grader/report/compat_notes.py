"""What was done so that a notebook runs here, in sentences for its author: two lists."""

from __future__ import annotations

from collections.abc import Sequence

from grader.i18n.message import Message, message
from grader.models.facts import Adaptation
from grader.sandbox.guest.compat.notes import Kind

# We translated this for you: with today's spelling, so that it is learnt.
_TRANSLATED = {
    Kind.TRANSLATED: message("{found} is written {used} today."),
    Kind.IGNORED: message("{found} has no effect any more and was left out."),
    Kind.CAUTION: message(
        "{found} runs, but means something else than it used to. It was left as it is; what was meant is probably "
        "{used}."
    ),
}
# This would not run elsewhere.
_ELSEWHERE = {
    Kind.FILE: message("{found} was not handed in; the course's own {used} was read instead."),
    Kind.DOWNLOAD: message("{found} was not downloaded, for there is no internet here; the copy {used} was taken."),
    Kind.PLACE: message("{found} exists on Colab or Kaggle only; here it does nothing."),
    Kind.UPLOAD: message("{found} asks for a file; the course's own {used} was given."),
    Kind.INSTALLED: message("{found} was not installed anew: {used} is here already."),
    Kind.NOT_INSTALLED: message("{found} was asked for, is not here, and was not installed."),
    Kind.INSTEAD: message("{found} is not here; {used} was taken instead."),
    Kind.STAND_IN: message("{found} is not here; something that does nothing stands in for it."),
}
_SENTENCES = _TRANSLATED | _ELSEWHERE


def translated(adaptations: Sequence[Adaptation]) -> list[tuple[Adaptation, Message]]:
    return _said(adaptations, _TRANSLATED)


def elsewhere(adaptations: Sequence[Adaptation]) -> list[tuple[Adaptation, Message]]:
    return _said(adaptations, _ELSEWHERE)


def _said(adaptations: Sequence[Adaptation], kinds: dict[Kind, Message]) -> list[tuple[Adaptation, Message]]:
    return [
        (each, Message(_SENTENCES[Kind(each.kind)].template, {"found": each.found, "used": each.used}))
        for each in adaptations
        if each.kind in kinds
    ]
