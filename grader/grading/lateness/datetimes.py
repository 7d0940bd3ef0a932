"""Moments as people and systems write them, and as arithmetic needs them.

Those without a zone are local. Where a clock set back makes one of them two moments, or a clock set forward makes it
none, the caller says which is meant: the ``latest`` or the ``earliest``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime, timezone
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


def latest(moment: datetime, zone: str | None = None) -> datetime:
    """``moment`` with an offset; of two that a local time may be, the later."""
    return max(_readings(moment, zone), key=_instant)


def earliest(moment: datetime) -> datetime:
    """``moment`` with an offset; of two that a local time may be, the earlier."""
    if not is_plausible(moment):
        return moment.replace(tzinfo=UTC)  # calendars give up there
    return min(_readings(moment, None), key=_instant)


def is_plausible(moment: datetime) -> bool:
    """Whether homework may be handed in or due then: wrong clocks say 1970, and no calendar reckons with the year 1."""
    return 1990 <= moment.year <= 2200


def _readings(moment: datetime, zone: str | None) -> tuple[datetime, datetime]:
    """Both that a local time may be, with fixed offsets: arithmetic on a zone's own times forgets clock changes."""
    if moment.tzinfo is not None:
        return moment, moment
    place = ZoneInfo(zone) if zone else None
    first, second = (moment.replace(tzinfo=place, fold=fold) for fold in (0, 1))
    return _fixed(first), _fixed(second)


def _fixed(moment: datetime) -> datetime:
    offset = moment.utcoffset()
    return moment.astimezone(None if offset is None else timezone(offset))


def _instant(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


def is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


# ---------------------------------------------------------------- as it is written

_CLOCK = r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2}))?"
_SHAPES = (
    rf"(?P<year>\d{{4}})[-/](?P<month>\d{{1,2}})[-/](?P<day>\d{{1,2}})(?:T|\s+){_CLOCK}\s*(?P<offset>Z|[+-]\d{{2}}:?\d{{2}})?",
    # Moodle in Chinese and in English: "2026年 11月 30日(一) 23:59", "Monday, 30 November 2026, 11:59 PM".
    rf"(?P<year>\d{{4}})年\s*(?P<month>\d{{1,2}})月\s*(?P<day>\d{{1,2}})日\s*(?:\([^()]{{1,4}}\)|,)?\s*{_CLOCK}",
    rf"(?:[a-z]+,\s*)?(?P<day>\d{{1,2}})\s+(?P<name>[a-z]{{3,9}})\s+(?P<year>\d{{4}}),?\s+{_CLOCK}(?:\s*(?P<half>am|pm))?",
)
_MONTHS: Mapping[str, int] = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), start=1
    )
}


def parsed_moment(text: str) -> datetime | None:
    """``2026-11-30 23:59``, with seconds, a ``T`` and an offset if wanted, or as Moodle writes it; None for all else, a
    day without a time too.
    """
    plain = unicodedata.normalize("NFKC", text).strip()
    found = next((match for shape in _SHAPES if (match := re.fullmatch(shape, plain, re.IGNORECASE))), None)
    if found is None:
        return None
    part = {name: value for name, value in found.groupdict().items() if value}
    month = part.get("month") or str(_MONTHS.get(part["name"][:3].lower(), 0))
    hour = int(part["hour"])
    if "half" in part:
        hour = hour % 12 + 12 * (part["half"].lower() == "pm") if 1 <= hour <= 12 else 99
    written = f"{part['year']}-{month:0>2}-{part['day']:0>2}T{hour:02d}:{part['minute']}:{part.get('second', '00')}"
    try:
        moment = datetime.fromisoformat(written + part.get("offset", "").upper())
    except ValueError:
        return None
    return moment if is_plausible(moment) else None
