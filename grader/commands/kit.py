"""``grader kit``: what makes another system grade with this grader."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from grader import datasets, shelf
from grader.commands.console import plain
from grader.commands.terminal import EXIT_FAULT, LangOption, config_folder, processors, screen, speech_in
from grader.kit import running
from grader.kit.memory import container_mb
from grader.kit.writing import write_kit
from grader.library.place import default_folder

app = typer.Typer(help="Let another system grade with this grader.", no_args_is_help=True)


@app.command()
def gradescope(
    assignment: Annotated[str, typer.Argument(metavar="ASSIGNMENT", help="An id, or a folder with assignment.toml.")],
    out: Annotated[Path, typer.Option(help="The zip to write.")] = Path("autograder.zip"),
    lang: LangOption = None,
) -> None:
    """Make the autograder that Gradescope runs at each submission."""
    speech = speech_in(lang)
    chosen = shelf.by_name(assignment)
    written = write_kit(chosen, datasets.load_secret(config_folder()), out, language=speech.language)
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
    machine = running.Machine(dict(os.environ), processors(), container_mb(), default_folder())
    ran = running.run(root, machine, speech)
    for words in ran.words:
        screen.print(Text(plain(speech.say(words))), soft_wrap=True)
    if ran.faulty:
        raise typer.Exit(EXIT_FAULT)
