"""What every command of the line shares: where it prints, and in which language it speaks."""

from __future__ import annotations

import os
from contextvars import ContextVar
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import platformdirs
import typer
from rich.console import Console
from rich.text import Text

from grader.cli.console import plain
from grader.grading.handback import HandedBack
from grader.i18n.catalogue import Translation, translation
from grader.lms.export.upload_hints import places

EXIT_OPERATOR = 1  # something that the operator has to put right
EXIT_FAULT = 3  # something of the grader's own failed
MOST_NOTES = 30

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


_asked: ContextVar[Language | None] = ContextVar("asked", default=None)


def speech_in(lang: Language | None = None) -> Translation:
    """The language asked for, by this command before or now, else the system's, else English."""
    lang = lang or _asked.get()
    if lang is not None:
        _asked.set(lang)
        return translation(lang.value)
    system = next((os.environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(name)), "")
    return translation("zh-TW" if system.startswith(("zh_TW", "zh_HK", "zh_MO", "zh_Hant")) else "en")


def config_folder() -> Path:
    """Where the teacher's secret is."""
    return platformdirs.user_config_path("grader", appauthor=False)


def processors() -> int:
    """As many as this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def show_upload(handed: HandedBack, folder: Path, speech: Translation) -> None:
    """What was written into ``folder``, where it is uploaded, and what to know before."""
    if handed.files:
        screen.print(speech.text("To upload, in {path}:", path=folder.resolve()), soft_wrap=True)
    for line in places(handed.files, folder):
        _say(f"  {speech.say(line)}")
    for note in handed.notes[:MOST_NOTES]:
        _say(f"! {speech.say(note)}", "yellow")
    if len(handed.notes) > MOST_NOTES:
        _say("! " + speech.text("… and {n} more of these.", n=len(handed.notes) - MOST_NOTES), "yellow")


def _say(line: str, style: str = "") -> None:
    screen.print(Text(plain(line), style=style), soft_wrap=True)
