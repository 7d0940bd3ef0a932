"""The whole library read again: every byte as it was fetched, and the content as it is known to be."""

from __future__ import annotations

from pathlib import Path

from grader.data.cache.content_checks import content_problems
from grader.data.cache.index import Record, State, fingerprint, read_record, record_path, state
from grader.data.cache.known_sets import KnownSet
from grader.i18n.message import Message, message


def verify(entry: KnownSet, library: Path) -> list[Message]:
    """Every problem of one set, each with what was found, what was expected and what to do; none where all is well."""
    try:
        record = read_record(entry.name, library)
    except ValueError as error:
        path = record_path(entry.name, library)
        return [message("{path}: cannot be read ({reason})", path=path, reason=str(error)), _advice(entry)]
    if record is None and state(entry, library) is State.ABSENT:
        return [message("{name} is not fetched; run: grader data fetch {name}", name=entry.name)]
    problems = [] if record is None else _changed(record, library)
    problems += content_problems(entry, library)
    return [*problems, _advice(entry)] if problems else []


def _advice(entry: KnownSet) -> Message:
    return message("Fetch it again: grader data fetch --again {name}", name=entry.name)


def _changed(record: Record, library: Path) -> list[Message]:
    problems = []
    for place, expected in record.files.items():
        path = library / place
        try:
            found = fingerprint(path)
        except FileNotFoundError:
            problems.append(message("{path}: is missing", path=path))
            continue
        except OSError as error:
            problems.append(message("{path}: cannot be read ({reason})", path=path, reason=str(error.strerror)))
            continue
        if found != expected:
            problems.append(
                message(
                    "{path}: found {size} bytes with SHA-256 {found}, expected {bytes} with {expected}",
                    path=path,
                    size=found.bytes,
                    found=found.sha256,
                    bytes=expected.bytes,
                    expected=expected.sha256,
                )
            )
    return problems
