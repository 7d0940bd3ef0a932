"""What every command of the line shares: where it prints, and in which language it speaks."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from grader.language import Translation, translation

EXIT_OPERATOR = 1  # something that the operator has to put right

screen, errors = Console(), Console(stderr=True)


class Language(StrEnum):
    en = "en"
    zh_tw = "zh-TW"


LangOption = Annotated[Language | None, typer.Option(help="Language of reports and messages; else the system's.")]
DueOption = Annotated[
    str | None, typer.Option(metavar="TIME", help='When it was due: "2026-11-30 23:59", with +08:00 if elsewhere.')
]
LateOption = Annotated[
    str | None,
    typer.Option(metavar="POLICY", help="What lateness costs: none, zero, percent:10[:50], late-days:3[:10]."),
]
ExtensionsOption = Annotated[
    Path | None, typer.Option(metavar="CSV", help="Who has more time: a table of students with Due, Days or Hours.")
]
RosterOption = Annotated[
    Path | None, typer.Option(metavar="CSV", help="The class list: whatever table has names, numbers or addresses.")
]


def speech_in(lang: Language | None) -> Translation:
    """The language asked for, else the system's, else English."""
    if lang is not None:
        return translation(lang.value)
    system = next((os.environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(name)), "")
    return translation("zh-TW" if system.startswith(("zh_TW", "zh_HK", "zh_MO", "zh_Hant")) else "en")
