"""File names in Canvas's "Download Submissions".

``doejane_LATE_4567_89123_hw1.ipynb``: the sortable name in lower case without punctuation, or the group's name with
the id of one member; perhaps ``LATE``; the user's id; the upload's id; the file's name. Anonymous:
``LATE_anon_a1B2c_89123_hw1.ipynb``. Typed text: ``doejane_4567_text.html``, an address: ``doejane_4567_link.html``.
The archive has the last attempt only. Canvas renames a file whose name the student submitted before: ``hw1-1.ipynb``
... ``hw1-7.ipynb``, then ``hw1-<UUID>.ipynb``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from grader.files.archives.contents import Archive
from grader.lms.identity import Naming, Owner

_FILE = r"(?:(?P<upload>[0-9]+)_(?P<file>[^/]+)|(?P<typed>(?:text|link)\.html))"
_ANONYMOUS = re.compile(rf"(?P<late>LATE_)?anon_(?P<id>[A-Za-z0-9]{{5}})_{_FILE}")
_NAMED = re.compile(rf"[^/]*?(?P<late>_LATE)?_(?P<id>[0-9]+)_{_FILE}")
_UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_AGAIN = re.compile(
    rf"(?P<stem>.+)-(?P<number>[0-9]{{1,4}}|{_UUID})(?P<suffix>(?:\.[A-Za-z][A-Za-z0-9]*)*\.[A-Za-z0-9]*)"
)


def naming(content: Archive) -> Naming:
    """Return the naming of ``content``.

    A third number makes a name ambiguous: a group called "Team_2" gives ``team_2_4567_89123_hw1.ipynb``, a file called
    "3_hw1" the like. The other entries then decide which two numbers are the ids of user and upload, so that a number
    in a name cannot turn one student into another.
    """
    read = [list(_readings(entry.name)) for entry in content.entries]
    single = [readings[0] for readings in read if len(readings) == 1]
    lengths = {_lengths(reading) for reading in single if reading["upload"]}
    names = {reading["id"]: _name(reading) for reading in single}
    later = not single and _second_fits_better([readings for readings in read if len(readings) > 1])
    if not _are_uploads([readings[1 if later and len(readings) > 1 else 0] for readings in read if readings]):
        return lambda _name: None

    def parse(name: str) -> Owner | None:
        found = list(_readings(name))
        if len(found) < 2:
            return parse_name(name)
        consistent = [reading for reading in found if names.get(reading["id"], _name(reading)) == _name(reading)]
        fitting = [reading for reading in consistent if _lengths(reading) in lengths]
        return _owner((fitting or consistent or found)[1 if later else 0])

    return parse


def parse_name(name: str) -> Owner | None:
    """Return the owner of the entry ``name``, or None if Canvas would not give an entry this name."""
    found = _ANONYMOUS.fullmatch(name) or _NAMED.fullmatch(name)
    return _owner(found) if found else None


def is_anonymous(origin: str) -> bool:
    """Return whether ``origin`` is an anonymous entry; its id is in no gradebook."""
    return _ANONYMOUS.fullmatch(origin) is not None


def _owner(found: re.Match[str]) -> Owner:
    return Owner(
        name=f"anon {found['id']}" if found.re is _ANONYMOUS else _name(found),
        rest=found["file"] or found["typed"],
        origin=found.string,
        key=found["id"],
        late=found["late"] is not None,
        order=int((found["upload"] or "0")[:18]),
        typed=found["typed"] is not None,
    )


def _name(found: re.Match[str]) -> str:
    return found.string[: found.start("late") if found["late"] else found.start("id") - 1]


_IDS = re.compile(rf"(?P<late>_LATE)?_(?P<id>[0-9]+)_{_FILE}")


def _readings(name: str) -> Iterator[re.Match[str]]:
    """Yield a match for each pair of adjacent numbers that may be the ids of user and upload, from the left."""
    found = None if _ANONYMOUS.fullmatch(name) else _NAMED.fullmatch(name)
    while found is not None:
        yield found
        found = _IDS.fullmatch(name, found.end("id")) if found["upload"] else None


def _lengths(found: re.Match[str]) -> tuple[int, int]:
    return len(found["id"]), len(found["upload"] or "")


def _are_uploads(found: Sequence[re.Match[str]]) -> bool:
    """Return whether most pairs of numbers are unique, as upload ids are; dates in ``hw_2026_11_24.zip`` are not."""
    ids = [(reading["id"], reading["upload"]) for reading in found if reading["upload"]]
    return len(ids) < 2 or 2 * len(set(ids)) > len(ids)


def _second_fits_better(several: Sequence[Sequence[re.Match[str]]]) -> bool:
    """Return whether the second pair of numbers fits better, if every entry has three numbers.

    The ids of uploads are unique, and the files of a class often have the same name.
    """
    first, second = ([readings[place] for readings in several] for place in (0, 1))
    ids = {reading["upload"] or reading["id"] for reading in second}
    first_files, second_files = ({reading["file"] for reading in readings} for readings in (first, second))
    return len(ids) == len(second) and len(second_files) < len(first_files)


def earlier_attempts(names: Iterable[str]) -> set[str]:
    """Return the file names of one student that were submitted again: ``hw.ipynb`` if there is a ``hw-1.ipynb``."""
    attempts: dict[str, list[tuple[bool, int, str]]] = {name: [(False, 0, name)] for name in names}
    for name in list(attempts):
        again = _AGAIN.fullmatch(name)
        first = again["stem"] + again["suffix"] if again else ""
        # Without a first attempt, "hw-1" may be the student's own name for the first homework.
        if again and first in attempts:
            number = again["number"]
            attempts[first].append((not number.isdigit(), int(number) if number.isdigit() else 0, name))
    return {name for series in attempts.values() for *_place, name in sorted(series)[:-1]}
