"""Canvas's "Download Submissions": whose file an entry is.

``doejane_LATE_4567_89123_hw1.ipynb``: the sortable name in small letters without punctuation, or the group's name with
one member's id; perhaps ``LATE``; the user's id; the upload's id; the file's name. Anonymous:
``LATE_anon_a1B2c_89123_hw1.ipynb``. Typed text: ``doejane_4567_text.html``, an address: ``doejane_4567_link.html``.
The archive holds the last attempt alone. A file of a name that the student handed in before was renamed on its way in:
``hw1-1.ipynb`` ... ``hw1-7.ipynb``, then ``hw1-<UUID>.ipynb``.
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
    """A group called "Team_2" leaves a third number in ``team_2_4567_89123_hw1.ipynb``, as does a file called "3_hw1":
    which two are the ids, the other entries tell. Nobody becomes another student by a number in their name.
    """
    read = [list(_readings(entry.name)) for entry in content.entries]
    single = [one[0] for one in read if len(one) == 1]
    lengths = {_lengths(one) for one in single if one["upload"]}
    names = {one["id"]: _name(one) for one in single}
    later = not single and _second_fits_better([one for one in read if len(one) > 1])
    if not _are_uploads([one[1 if later and len(one) > 1 else 0] for one in read if one]):
        return lambda _name: None

    def parse(name: str) -> Owner | None:
        found = list(_readings(name))
        if len(found) < 2:
            return parse_name(name)
        own = [one for one in found if names.get(one["id"], _name(one)) == _name(one)]
        fitting = [one for one in own if _lengths(one) in lengths]
        return _owner((fitting or own or found)[1 if later else 0])

    return parse


def parse_name(name: str) -> Owner | None:
    """The owner of the entry ``name`` seen alone, or None when Canvas would not have named it so."""
    found = _ANONYMOUS.fullmatch(name) or _NAMED.fullmatch(name)
    return _owner(found) if found else None


def is_anonymous(origin: str) -> bool:
    """Whether Canvas hid whose entry ``origin`` is: the id in it is then in no gradebook."""
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
    """Each pair of neighbouring numbers that may be the ids of user and upload, from the left."""
    found = None if _ANONYMOUS.fullmatch(name) else _NAMED.fullmatch(name)
    while found is not None:
        yield found
        found = _IDS.fullmatch(name, found.end("id")) if found["upload"] else None


def _lengths(found: re.Match[str]) -> tuple[int, int]:
    return len(found["id"]), len(found["upload"] or "")


def _are_uploads(found: Sequence[re.Match[str]]) -> bool:
    """An upload of a student's has its id for itself; dates, as in ``hw_2026_11_24.zip``, have not."""
    ids = [(one["id"], one["upload"]) for one in found if one["upload"]]
    return len(ids) < 2 or 2 * len(set(ids)) > len(ids)


def _second_fits_better(several: Sequence[Sequence[re.Match[str]]]) -> bool:
    """Where every entry has a third number: no two uploads have the same id, and a class's files are called alike."""
    first, second = ([found[place] for found in several] for place in (0, 1))
    ids = {one["upload"] or one["id"] for one in second}
    return len(ids) == len(second) and len({one["file"] for one in second}) < len({one["file"] for one in first})


def earlier_attempts(names: Iterable[str]) -> set[str]:
    """Those of one student's file names that were handed in again: ``hw.ipynb`` where there is a ``hw-1.ipynb``."""
    attempts: dict[str, list[tuple[bool, int, str]]] = {name: [(False, 0, name)] for name in names}
    for name in list(attempts):
        again = _AGAIN.fullmatch(name)
        first = again["stem"] + again["suffix"] if again else ""
        # Without its first attempt beside it, "hw-1" may as well be the first homework.
        if again and first in attempts:
            number = again["number"]
            attempts[first].append((not number.isdigit(), int(number) if number.isdigit() else 0, name))
    return {name for series in attempts.values() for *_place, name in sorted(series)[:-1]}
