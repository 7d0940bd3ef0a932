"""``grader kit``: what makes another system grade with this grader."""

from __future__ import annotations

import os
from pathlib import Path

import typer
from rich.text import Text

from grader.cli.arguments import Language
from grader.cli.gradescope_kit import autograde
from grader.cli.gradescope_kit.kit_archive import write_kit
from grader.cli.terminal import EXIT_FAULT, choose_translation, config_folder, plain, processors, say, screen
from grader.data import hidden_sets
from grader.data.cache.cached_sets import default_library
from grader.sandbox.memory import machine_memory_mb
from grader.spec import discovery


def make_gradescope_kit(assignment: str, out: Path, lang: Language | None) -> None:
    """Write the zip that Gradescope runs at each submission."""
    translation = choose_translation(lang)
    secret = hidden_sets.load_secret(config_folder())
    chosen = hidden_sets.with_warnings(discovery.by_name(assignment), secret)
    for warning in chosen.warnings:
        say(translation.say(warning), "yellow")
    written = write_kit(chosen, secret, out, language=translation.language)
    done = translation.text(
        "{path} is ready. In Gradescope: Configure Autograder, Zip file upload, and the largest container.",
        path=written,
    )
    screen.print(Text(plain(done), style="green"), soft_wrap=True)


def run_in_container(root: Path, lang: Language | None) -> None:
    """Grade the one submission below ``root``. Exits with ``EXIT_FAULT`` if it could not be judged."""
    translation = choose_translation(lang)
    machine = autograde.Machine(dict(os.environ), processors(), machine_memory_mb(), default_library())
    done = autograde.run(root, machine, translation)
    for line in done.notes:
        say(translation.say(line))
    if done.faulty:
        raise typer.Exit(EXIT_FAULT)
