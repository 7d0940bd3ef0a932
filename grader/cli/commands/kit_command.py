"""``grader kit``: what makes another system grade with this grader."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from grader.cli.console import plain
from grader.cli.gradescope_kit import autograde
from grader.cli.gradescope_kit.container_memory import container_mb
from grader.cli.gradescope_kit.kit_archive import write_kit
from grader.cli.terminal import EXIT_FAULT, LangOption, config_folder, processors, screen, speech_in
from grader.data import hidden_sets
from grader.data.cache.location import default_folder
from grader.spec import discovery

app = typer.Typer(help="Let another system grade with this grader.", no_args_is_help=True)


@app.command()
def gradescope(
    assignment: Annotated[str, typer.Argument(metavar="ASSIGNMENT", help="An id, or a folder with assignment.toml.")],
    out: Annotated[Path, typer.Option(help="The zip to write.")] = Path("autograder.zip"),
    lang: LangOption = None,
) -> None:
    """Make the autograder that Gradescope runs at each submission."""
    speech = speech_in(lang)
    chosen = discovery.by_name(assignment)
    written = write_kit(chosen, hidden_sets.load_secret(config_folder()), out, language=speech.language)
    done = speech.text(
        "{path} is ready. In Gradescope: Configure Autograder, Zip file upload, and the largest container.",
        path=written,
    )
    screen.print(Text(plain(done), style="green"), soft_wrap=True)


@app.command("run", hidden=True)
def run_in_container(
    root: Annotated[Path, typer.Argument(help="Gradescope's own folder.")] = Path("/autograder"),
    lang: LangOption = None,
) -> None:
    """Grade the one submission in Gradescope's container; what is printed is for instructors."""
    speech = speech_in(lang)
    machine = autograde.Machine(dict(os.environ), processors(), container_mb(), default_folder())
    ran = autograde.run(root, machine, speech)
    for words in ran.words:
        screen.print(Text(plain(speech.say(words))), soft_wrap=True)
    if ran.faulty:
        raise typer.Exit(EXIT_FAULT)
