"""Keep the catalogues up to date: extract the sentences that the source marks for translation.

After changing a sentence, run ``python -m grader.i18n.message_extraction`` and fill in the empty entries of the ``.po``
file.
"""

from __future__ import annotations

import ast
import io
import string
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import write_po

from grader.i18n.catalogue import LANGUAGES, catalogue_path, read_catalogue

_PACKAGE = Path(__file__).parents[1]
_KEYWORDS = {"message": None, "text": None, "_": None}
# The guest runs in the student's process and reports facts to the host, no sentences.
_METHODS = [
    ("sandbox/guest/**", "ignore"),
    ("**.py", "grader.i18n.message_extraction:marked_sentences"),
    ("report/templates/**.html", "jinja2.ext.babel_extract"),
]


def extracted(package: Path = _PACKAGE) -> Catalog:
    """Return every sentence marked for translation under ``package``, with the files that use it."""
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

    The syntax tree is used because Babel's own extractor works on tokens and mistook docstrings for sentences.
    """
    for node in ast.walk(ast.parse(file.read())):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        sentence = node.args[0]
        if name in keywords and isinstance(sentence, ast.Constant) and isinstance(sentence.value, str):
            yield node.lineno, name, sentence.value, []


def placeholders(sentence: str) -> set[str]:
    """Return the names in braces in a sentence."""
    return {name for _text, name, _format, _conversion in string.Formatter().parse(sentence) if name}


def refresh() -> None:
    """Add new sentences to the catalogues without a translation, and remove those that the source no longer has."""
    template = extracted()
    for language in LANGUAGES[1:]:
        catalogue = read_catalogue(language)
        created = catalogue.creation_date
        catalogue.update(template, no_fuzzy_matching=True)
        catalogue.creation_date = created  # otherwise every refresh would change the file
        target = io.BytesIO()
        write_po(target, catalogue, width=120, sort_output=True, ignore_obsolete=True, include_lineno=False)
        path = catalogue_path(language)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(target.getvalue())


if __name__ == "__main__":
    refresh()
