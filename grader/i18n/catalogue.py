"""Translations of what people read: gettext catalogues, read as text and never compiled to a file.

The English sentence in the source is the key. Python marks it with ``message("...")`` or ``text("...")``, a template
with ``_("...")``; values stand in braces. ``grader.i18n.message_extraction`` brings the catalogues up to date.
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
    """Stands for a value that differs; whatever format the sentence asks for, it is three dots."""

    def __format__(self, specification: str) -> str:
        return "…"


@dataclass(frozen=True, slots=True)
class Translation:
    """One language; a sentence that its catalogue lacks stays English."""

    language: str
    catalogue: Mapping[str, str]

    def text(self, msgid: str, /, **values: object) -> str:
        """``msgid`` in this language, with its values if it has any."""
        translated = self.catalogue.get(msgid, msgid)
        return _filled(translated, msgid, values) if values else translated

    def say(self, message: Message) -> str:
        """The sentence with its values; values that are sentences themselves are said in the same language."""
        values = {
            name: self.say(value) if isinstance(value, Message) else value for name, value in message.values.items()
        }
        return _filled(self.catalogue.get(message.template, message.template), message.template, values)

    def outline(self, messages: Iterable[Message]) -> str:
        """What sentences made from one template have in common; three dots where their values differ."""
        first, *others = messages
        values = {
            name: value if all(other.values.get(name) == value for other in others) else _Gap()
            for name, value in first.values.items()
        }
        return self.say(Message(first.template, values))

    def title(self, titles: Titles) -> str:
        """The title in this language, else in English, else in any."""
        for language in (self.language, "en", *titles):
            if titles.get(language):
                return titles[language]
        return ""


def _filled(translated: str, original: str, values: Mapping[str, object]) -> str:
    # A slip in a catalogue or in a value must not cost a class its reports.
    for template in (translated, original):
        try:
            return template.format_map(values)
        except (KeyError, ValueError, TypeError, IndexError, AttributeError):
            continue
    return original


@cache
def translation(language: str) -> Translation:
    """The translation for a tag of ``LANGUAGES``; raises ``ValueError`` for any other."""
    if language not in LANGUAGES:
        raise ValueError(f"language {language!r}: expected one of {', '.join(LANGUAGES)}")
    if language == "en":
        return Translation(language, {})
    entries = {str(entry.id): str(entry.string) for entry in read_catalogue(language) if entry.id and entry.string}
    return Translation(language, entries)


def catalogue_path(language: str) -> Path:
    return _LOCALES / language.replace("-", "_") / "LC_MESSAGES" / "grader.po"


def read_catalogue(language: str) -> Catalog:
    """The committed ``.po`` file, fuzzy and obsolete entries included; an empty catalogue where there is none."""
    # Imported here: English needs no catalogue, and a command should start fast.
    from babel.messages.catalog import Catalog  # noqa: PLC0415
    from babel.messages.pofile import read_po  # noqa: PLC0415

    path = catalogue_path(language)
    if not path.exists():
        return Catalog(locale=language.replace("-", "_"))
    return read_po(io.BytesIO(path.read_bytes()), locale=language.replace("-", "_"))
