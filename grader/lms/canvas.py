"""Canvas's "Download submissions": whose file an entry is.

``doejane_LATE_4567_89123_hw1.ipynb``: the sortable name without punctuation, perhaps ``LATE``, the user's id, the
upload's id, the file's name. Anonymous: ``LATE_anon_a1B2c_89123_hw1.ipynb``. Typed text: ``doejane_4567_text.html``,
an address: ``doejane_4567_link.html``. A file handed in again gets ``-1``, ``-2`` after its name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from grader.archive.unpacking import Archive
from grader.lms.owner import Naming, Owner

_FILE = r"(?:(?P<upload>[0-9]+)_(?P<file>[^/]+)|(?P<typed>(?:text|link)\.html))"
_ANONYMOUS = re.compile(rf"(?P<late>LATE_)?(?P<name>anon)_(?P<id>[A-Za-z0-9]{{5}})_{_FILE}")
_NAMED = re.compile(rf"(?P<name>[^/]+?)(?P<late>_LATE)?_(?P<id>[0-9]+)_{_FILE}")
_AGAIN = re.compile(r"(?P<stem>.+)-(?P<number>[0-9]{1,4})(?P<suffix>\.[^.]+)")


def naming(_content: Archive) -> Naming:
    return parse_name


def parse_name(name: str) -> Owner | None:
    """The owner of the entry ``name``, or None when Canvas would not have named it so."""
    found = _ANONYMOUS.fullmatch(name) or _NAMED.fullmatch(name)
    if found is None:
        return None
    anonymous = found.re is _ANONYMOUS
    return Owner(
        name=f"{found['name']} {found['id']}" if anonymous else found["name"],
        rest=found["file"] or found["typed"],
        origin=name,
        key=found["id"],
        late=found["late"] is not None,
        order=int((found["upload"] or "0")[:18]),
        typed=found["typed"] is not None,
    )


def earlier_attempts(names: Iterable[str]) -> set[str]:
    """Those of one student's file names that were handed in again: ``hw.ipynb`` where there is a ``hw-1.ipynb``."""
    attempts: dict[str, list[tuple[int, str]]] = {name: [(0, name)] for name in names}
    for name in list(attempts):
        again = _AGAIN.fullmatch(name)
        first = again["stem"] + again["suffix"] if again else ""
        # Without its first attempt beside it, "hw-1" may as well be the first homework.
        if again and first in attempts:
            attempts[first].append((int(again["number"]), name))
    return {name for series in attempts.values() for _number, name in sorted(series)[:-1]}
