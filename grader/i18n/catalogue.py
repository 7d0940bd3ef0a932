"""Translations for people: gettext catalogues, read as text and never compiled to a file.

The English sentence in the source is the key. Python marks it with ``message("...")`` or ``text("...")``, a template
with ``_("...")``; placeholders stand in braces. ``grader.i18n.message_extraction`` updates the catalogues.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from grader.i18n.message import Message, Titles

if TYPE_CHECKING:
    from babel.messages.catalog import Catalog

LANGUAGES = ("en", "zh-TW")

_LOCALES = Path(__file__).parent / "locale"


class _Gap:
    """Placeholder for a value that differs between messages; any format gives an ellipsis."""

    def __format__(self, specification: str) -> str:
        return "…"


@dataclass(frozen=True, slots=True)
class Translation:
    """Translation to one language; sentences missing from its catalogue stay English."""

    language: str
    catalogue: Mapping[str, str]

    def text(self, msgid: str, /, **values: object) -> str:
        """Return ``msgid`` in this language with its placeholders filled."""
        translated = self.catalogue.get(msgid, msgid)
        return _fill(translated, msgid, values) if values else translated

    def say(self, message: Message) -> str:
        """Return the message in this language; values that are messages are translated, too."""
        values = {
            name: self.say(value) if isinstance(value, Message) else value for name, value in message.values.items()
        }
        return _fill(self.catalogue.get(message.template, message.template), message.template, values)

    def outline(self, messages: Iterable[Message]) -> str:
        """Return messages of one template as one sentence, with an ellipsis for values that differ."""
        first, *others = messages
        values = {
            name: value if all(other.values.get(name) == value for other in others) else _Gap()
            for name, value in first.values.items()
        }
        return self.say(Message(first.template, values))

    def title(self, titles: Titles) -> str:
        """Return the title in this language, else in English, else in any language."""
        for language in (self.language, "en", *titles):
            if titles.get(language):
                return titles[language]
        return ""


def _fill(translated: str, original: str, values: Mapping[str, object]) -> str:
    # A mistake in a catalogue or in a value must not stop a class's reports.
    for template in (translated, original):
        try:
            return template.format_map(values)
        except (KeyError, ValueError, TypeError, IndexError, AttributeError):
            continue
    return original


@cache
def translation(language: str) -> Translation:
    """Return the translation for a tag of ``LANGUAGES``; raises ``ValueError`` for any other."""
    if language not in LANGUAGES:
        raise ValueError(f"language {language!r}: expected one of {', '.join(LANGUAGES)}")
    if language == "en":
        return Translation(language, {})
    entries = {str(entry.id): str(entry.string) for entry in read_catalogue(language) if entry.id and entry.string}
    return Translation(language, entries)


def catalogue_path(language: str) -> Path:
    return _LOCALES / language.replace("-", "_") / "LC_MESSAGES" / "grader.po"


def read_catalogue(language: str) -> Catalog:
    """Return the committed ``.po`` file with fuzzy and obsolete entries; an empty catalogue if there is none."""
    # Imported here: English needs no catalogue, and a command should start fast.
    from babel.messages.catalog import Catalog  # noqa: PLC0415
    from babel.messages.pofile import read_po  # noqa: PLC0415

    path = catalogue_path(language)
    if not path.exists():
        return Catalog(locale=language.replace("-", "_"))
    return read_po(io.BytesIO(path.read_bytes()), locale=language.replace("-", "_"))
