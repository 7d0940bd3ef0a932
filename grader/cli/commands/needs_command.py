"""``grader data fetch --for``: what the notebooks of a class ask for, and fetching it. Nothing of theirs is run."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

import typer

from grader.cli.arguments import Language
from grader.cli.class_survey import survey_class, wants_table
from grader.cli.commands.data_command import fetch_set
from grader.cli.terminal import EXIT_OPERATOR, choose_translation, print_error, say, screen
from grader.data.cache.cached_sets import default_library
from grader.data.cache.known_sets import catalogue
from grader.data.needs.libraries import install_command
from grader.data.needs.public_download import DownloadLimits, download
from grader.data.needs.survey import Kind, Want, missing_libraries, missing_sets
from grader.i18n.catalogue import Translation
from grader.i18n.message import message
from grader.lms.archive.submissions import read_submissions
from grader.models.errors import DatasetError, GraderError
from grader.spec import discovery

SMALL_MB, SMALL_TOTAL_MB = 60, 200  # of one set, and of all, that grader grade fetches unasked
MOST_MB = 3_000  # of all sets that --for fetches
MOST_FAILURES = 3
MOST_DOWNLOADS, MOST_DOWNLOADED = 40, 1_000_000_000  # addresses and bytes of one command
_SAFE_NAME = re.compile(r"[\w][\w. -]{0,99}")


@dataclass(frozen=True, slots=True)
class NeedsOptions:
    """The teacher's choices. ``into`` of None: addresses are listed, not downloaded."""

    assignment: str | None = None
    into: Path | None = None
    private: bool = False


def fetch_needs(paths: Sequence[Path], options: NeedsOptions, lang: Language | None) -> None:
    """List what the notebooks ask for, fetch sets of the catalogue and, into a folder, the addresses."""
    translation, library = choose_translation(lang), default_library()
    assignment = discovery.by_name(options.assignment) if options.assignment is not None else None
    with tempfile.TemporaryDirectory(prefix="grader-needs-") as workspace:
        intake = read_submissions(paths, workspace=Path(workspace), assignment=assignment)
        wants = survey_class(intake, assignment, library)
    screen.print(translation.text("{n} submissions were read; nothing of them was run.", n=len(intake)))
    if not wants:
        screen.print(translation.text("They ask for nothing that has to be fetched or installed."))
        return
    screen.print(wants_table(wants, translation))
    failed = not fetch_sets(missing_sets(wants), library, translation, most_mb=MOST_MB)
    libraries = missing_libraries(wants)
    if libraries:
        say(translation.text("Install the libraries yourself: {command}", command=install_command(libraries)), "red")
    addresses = [want for want in wants if want.kind is Kind.ADDRESS and not want.there]
    if addresses and options.into is None:
        say(translation.text("--into FOLDER downloads the {n} addresses; look at them first.", n=len(addresses)))
    elif addresses and options.into is not None:
        failed |= not _download_all(addresses, options.into, options, translation)
    if failed:
        raise typer.Exit(EXIT_OPERATOR)


def fetch_sets(
    names: Sequence[str], library: Path, translation: Translation, *, most_mb: int, each_mb: int | None = None
) -> bool:
    """Fetch sets of the catalogue up to a size, and say which were left out. Return whether none failed.

    After some failures the rest is not tried: a machine without internet would wait for each.
    """
    failures, left = 0, most_mb
    for name in names:
        known = catalogue()[name]
        if (each_mb is not None and known.megabytes > each_mb) or known.megabytes > left:
            if each_mb is None:
                say(translation.text("{name} is large; fetch it by its name: grader data fetch {name}", name=name))
            continue
        if failures >= MOST_FAILURES:
            say(translation.text("Nothing else is tried: {n} sets could not be fetched.", n=failures), "yellow")
            break
        left -= known.megabytes
        try:
            fetch_set(known, library, translation)
        except GraderError as error:
            failures += 1
            if each_mb is None:
                say(f"! {translation.say(error.message)}", "yellow")
            else:
                say("! " + translation.text("{name} could not be fetched now.", name=name), "yellow")
    return failures == 0


def _download_all(wants: Sequence[Want], into: Path, options: NeedsOptions, translation: Translation) -> bool:
    """Download addresses, say which student asked for each, and print the lines for assignment.toml."""
    lines: list[tuple[str, str]] = []
    left, good = MOST_DOWNLOADED, True
    try:
        into.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DatasetError(message("{path} cannot be used: {reason}", path=into, reason=str(error.strerror))) from error
    for number, want in enumerate(wants[:MOST_DOWNLOADS], 1):
        target = into / _file_name(want.name, number)
        who = ", ".join(want.students[:5])
        if target.exists():
            say(translation.text("{path} is there already, and stays as it is.", path=target))
            lines.append((want.name, target.name))
            continue
        say(translation.text("{url}, asked for by {who} …", url=want.name, who=who))
        limits = DownloadLimits(private=options.private)
        try:
            left -= download(want.name, target, DownloadLimits(min(limits.bytes, left), limits.seconds, limits.private))
        except DatasetError as error:
            good = False
            print_error(error)
        else:
            lines.append((want.name, target.name))
    if len(wants) > MOST_DOWNLOADS:
        say(translation.text("{n} more addresses were left out.", n=len(wants) - MOST_DOWNLOADS), "yellow")
    if lines:
        say(translation.text("Look at the files. Then, for assignment.toml (files belong to [data] as well):"))
        say("[sources]")
        for address, name in lines:
            say(f"{json.dumps(address)} = {json.dumps(name)}")
    return good


def _file_name(address: str, number: int) -> str:
    name = PurePosixPath(urlsplit(address).path).name
    return name if _SAFE_NAME.fullmatch(name) else f"download-{number}"
