"""The catalogues: complete translations with the same placeholders; rendering of messages."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog

import grader
from grader.i18n.catalogue import LANGUAGES, Translation, read_catalogue, translation
from grader.i18n.message import message
from grader.i18n.message_extraction import extracted, placeholders

PACKAGE = Path(grader.__file__).parent
TRANSLATED = [language for language in LANGUAGES if language != "en"]


@cache
def in_the_source() -> set[str]:
    return sentences(extracted())


def sentences(catalogue: Catalog) -> set[str]:
    return {str(entry.id) for entry in catalogue if entry.id}


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_sentence_is_translated_and_none_is_obsolete(language: str) -> None:
    catalogue = read_catalogue(language)
    translated = {str(entry.id) for entry in catalogue if entry.id and entry.string and not entry.fuzzy}

    assert in_the_source() - translated == set(), "missing: refresh() the catalogue, then fill these in"
    assert sentences(catalogue) - in_the_source() == set(), "left over: refresh() the catalogue"
    assert not catalogue.obsolete


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_translation_has_the_placeholders_of_its_sentence(language: str) -> None:
    differing = [
        entry.id
        for entry in read_catalogue(language)
        if entry.id and placeholders(str(entry.id)) != placeholders(str(entry.string))
    ]

    assert differing == []


def test_extraction_finds_sentences_in_modules_and_templates() -> None:
    assert {"There are no predictions.", "All students", "What happened"} <= in_the_source()


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_messages_are_literals(path: Path) -> None:
    calls = [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)]
    made = [call for call in calls if getattr(call.func, "id", getattr(call.func, "attr", "")) == "message"]

    assert [call.lineno for call in made if not (call.args and isinstance(call.args[0], ast.Constant))] == []


def test_a_message_inside_a_message_is_translated() -> None:
    words = Translation("xx", {"It is {kind}.": "Es ist {kind}.", "a picture": "ein Bild"})

    assert words.say(message("It is {kind}.", kind=message("a picture"))) == "Es ist ein Bild."


@pytest.mark.parametrize(
    ("catalogue", "expected"),
    [
        ({}, "0.81 of 1"),
        ({"{value:.2f} of {most}": "von {most}: {value:.2f}"}, "von 1: 0.81"),
        ({"{value:.2f} of {most}": "{valeu} of {most}"}, "0.81 of 1"),
    ],
    ids=["untranslated", "translated", "a slip in the catalogue"],
)
def test_a_broken_translation_falls_back_to_english(catalogue: dict[str, str], expected: str) -> None:
    assert Translation("xx", catalogue).say(message("{value:.2f} of {most}", value=0.812, most=1)) == expected


def test_braces_in_a_value_are_kept() -> None:
    assert translation("en").say(message("{name} failed", name="{path!r} {0}")) == "{path!r} {0} failed"


@pytest.mark.parametrize(
    ("titles", "chosen"),
    [
        ({"en": "Cats", "zh-TW": "貓"}, "貓"),
        ({"en": "Cats", "de": "Katzen"}, "Cats"),
        ({"de": "Katzen"}, "Katzen"),
        ({}, ""),
    ],
    ids=["own", "English", "any", "none"],
)
def test_a_title_is_shown_in_the_nearest_language(titles: dict[str, str], chosen: str) -> None:
    assert translation("zh-TW").title(titles) == chosen


def test_an_outline_keeps_equal_values() -> None:
    sentences = [message("{low:.2f} holds {full:g}", low=low, full=0.8) for low in (0.71, 0.74)]

    assert translation("en").outline(sentences) == "… holds 0.8"


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(ValueError, match="expected one of en, zh-TW"):
        translation("de")
