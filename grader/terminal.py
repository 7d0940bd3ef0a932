"""What every command of the line shares: where it prints, and in which language it speaks."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import platformdirs
import typer
from rich.console import Console

from grader.language import Translation, translation

EXIT_OPERATOR = 1  # something that the operator has to put right

screen, errors = Console(), Console(stderr=True)


class Language(StrEnum):
    en = "en"
    zh_tw = "zh-TW"


LangOption = Annotated[Language | None, typer.Option(help="Language of reports and messages; else the system's.")]


def speech_in(lang: Language | None) -> Translation:
    """The language asked for, else the system's, else English."""
    if lang is not None:
        return translation(lang.value)
    system = next((os.environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(name)), "")
    return translation("zh-TW" if system.startswith(("zh_TW", "zh_HK", "zh_MO", "zh_Hant")) else "en")


def config_folder() -> Path:
    """Where the teacher's secret is."""
    return platformdirs.user_config_path("grader", appauthor=False)


def processors() -> int:
    """As many as this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
