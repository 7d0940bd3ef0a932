"""What people read, in their own language: gettext catalogues, read as text and never compiled to a file.

The English sentence in the source is the key. Python marks it with ``message("...")`` or ``text("...")``, a template
with ``_("...")``; values stand in braces. After changing a sentence, bring the catalogues up to date with
``python -c "from grader.i18n.catalogue import refresh; refresh()"`` and fill in what is empty in the ``.po`` file.
"""

from __future__ import annotations

import ast
import io
import string
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from grader.i18n.message import Message, Titles

LANGUAGES = ("en", "zh-TW")

_PACKAGE = Path(__file__).parents[1]
_KEYWORDS = {"message": None, "text": None, "_": None}
# The guest runs in the student's process and speaks to the host in facts, not in sentences.
_METHODS = [
    ("sandbox/guest/**", "ignore"),
    ("**.py", "grader.i18n.catalogue:marked_sentences"),
    ("report/templates/**.html", "jinja2.ext.babel_extract"),
]


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


# ---------------------------------------------------------------- keeping the catalogues


def catalogue_path(language: str) -> Path:
    return _PACKAGE / "i18n" / "locale" / language.replace("-", "_") / "LC_MESSAGES" / "grader.po"


def read_catalogue(language: str) -> Catalog:
    """The committed ``.po`` file, fuzzy and obsolete entries included; an empty catalogue where there is none."""
    path = catalogue_path(language)
    if not path.exists():
        return Catalog(locale=language.replace("-", "_"))
    return read_po(io.BytesIO(path.read_bytes()), locale=language.replace("-", "_"))


def extracted(package: Path = _PACKAGE) -> Catalog:
    """Every sentence marked for translation under ``package``, with the files that use it."""
    template = Catalog(project="grader", charset="utf-8")
    found = extract_from_dir(package, method_map=_METHODS, keywords=_KEYWORDS)
    for filename, _line, sentence, _comments, _context in found:
        if isinstance(sentence, str) and sentence:
            template.add(sentence, locations=[(filename, 0)])
    return template


def marked_sentences(
    file: IO[bytes],
    keywords: Iterable[str],
    _comment_tags: object,
    options: object,  # noqa: ARG001
) -> Iterator[tuple[int, str, str, list[str]]]:
    """Yield the line, function, sentence and comments of every marked call in a Python file, as Babel expects them.

    Read from the syntax tree: Babel's own extractor works on tokens and has taken docstrings for sentences.
    """
    for node in ast.walk(ast.parse(file.read())):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        sentence = node.args[0]
        if name in keywords and isinstance(sentence, ast.Constant) and isinstance(sentence.value, str):
            yield node.lineno, name, sentence.value, []


def placeholders(sentence: str) -> set[str]:
    """The names in braces that a sentence wants filled."""
    return {name for _text, name, _format, _conversion in string.Formatter().parse(sentence) if name}


def refresh() -> None:
    """Write new sentences into the catalogues, empty, and take out those that the source no longer has."""
    template = extracted()
    for language in LANGUAGES[1:]:
        catalogue = read_catalogue(language)
        created = catalogue.creation_date
        catalogue.update(template, no_fuzzy_matching=True)
        catalogue.creation_date = created  # else every refresh is a change
        target = io.BytesIO()
        write_po(target, catalogue, width=120, sort_output=True, ignore_obsolete=True, include_lineno=False)
        path = catalogue_path(language)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(target.getvalue())
