"""Shared by all commands: the screen, the language, exit statuses, and the teacher's folders."""

from __future__ import annotations

import os
from contextvars import ContextVar
from pathlib import Path

import platformdirs
from rich.console import Console
from rich.text import Text

from grader.cli.arguments import Language
from grader.i18n import catalogue
from grader.i18n.catalogue import Translation
from grader.i18n.message import Message
from grader.models.errors import GraderError

EXIT_OPERATOR = 1  # something that the operator can correct
EXIT_FAULT = 3  # a fault of the grader's own

CONTROL = dict.fromkeys(
    [*range(0x20), *range(0x7F, 0xA0), 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)]
)

screen, errors = Console(), Console(stderr=True)

_requested: ContextVar[Language | None] = ContextVar("requested", default=None)


def choose_translation(language: Language | None = None) -> Translation:
    """Return the translation requested now or earlier by this command, else the system's language, else English."""
    language = language or _requested.get()
    if language is not None:
        _requested.set(language)
        return catalogue.translation(language.value)
    system = next((os.environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(name)), "")
    return catalogue.translation("zh-TW" if system.startswith(("zh_TW", "zh_HK", "zh_MO", "zh_Hant")) else "en")


def plain(text: str) -> str:
    """Remove characters that move a terminal's cursor, colour it, or reverse its writing direction."""
    return text.translate(CONTROL)


def say(line: str, style: str = "") -> None:
    """Print one line on the screen, made safe by ``plain`` and never broken."""
    screen.print(Text(plain(line), style=style), soft_wrap=True)


def print_error(error: GraderError | Message) -> None:
    """Print an operator's mistake on standard error, in the chosen language, one line per problem."""
    found = error if isinstance(error, Message) else error.message
    for line in choose_translation().say(found).splitlines():
        errors.print(Text(f"grader: {plain(line)}"), style="red", soft_wrap=True)


def config_folder() -> Path:
    """Return the folder that holds the teacher's secret."""
    return platformdirs.user_config_path("grader", appauthor=False)


def processors() -> int:
    """Return the number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
