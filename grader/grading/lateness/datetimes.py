"""Parse times as people and LMSs write them, and resolve local times that a clock change makes ambiguous.

A time without a zone is local. When the clock is set back, such a time stands for two moments; when the clock is set
forward, for none. The caller chooses the reading: ``latest`` or ``earliest``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime, timezone
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


def latest(moment: datetime, zone: str | None = None) -> datetime:
    """Return ``moment`` with an offset; the later reading of an ambiguous local time."""
    return max(_readings(moment, zone), key=_to_utc)


def earliest(moment: datetime) -> datetime:
    """Return ``moment`` with an offset; the earlier reading of an ambiguous local time."""
    if not is_plausible(moment):
        return moment.replace(tzinfo=UTC)  # zone arithmetic overflows near the first and the last year
    return min(_readings(moment, None), key=_to_utc)


def is_plausible(moment: datetime) -> bool:
    """Return whether homework can be due or submitted at ``moment``; a wrong clock often says 1970 or 1980."""
    return 1990 <= moment.year <= 2200


def is_time_zone(name: str) -> bool:
    """Return whether ``name`` is a known IANA time zone."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _readings(moment: datetime, zone: str | None) -> tuple[datetime, datetime]:
    """Return both readings of a local time, with fixed offsets: arithmetic within one zone ignores clock changes."""
    if moment.tzinfo is not None:
        return moment, moment
    place = ZoneInfo(zone) if zone else None
    first, second = (moment.replace(tzinfo=place, fold=fold) for fold in (0, 1))
    return _with_fixed_offset(first), _with_fixed_offset(second)


def _with_fixed_offset(moment: datetime) -> datetime:
    offset = moment.utcoffset()
    return moment.astimezone(None if offset is None else timezone(offset))


def _to_utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


# ---------------------------------------------------------------- parsing

_CLOCK = r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2}))?"
_FORMATS = (
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


def parse_datetime(text: str) -> datetime | None:
    """Parse ``2026-11-30 23:59`` (optionally with seconds, ``T`` and an offset) or a time as Moodle writes it.

    Return None for anything else, also for a day without a time and for a year outside 1990 to 2200.
    """
    plain = unicodedata.normalize("NFKC", text).strip()
    found = next((match for form in _FORMATS if (match := re.fullmatch(form, plain, re.IGNORECASE))), None)
    if found is None:
        return None
    part = {name: value for name, value in found.groupdict().items() if value}
    month = part.get("month") or str(_MONTHS.get(part["name"][:3].lower(), 0))
    hour = int(part["hour"])
    if "half" in part:
        hour = hour % 12 + 12 * (part["half"].lower() == "pm") if 1 <= hour <= 12 else 99
    iso = f"{part['year']}-{month:0>2}-{part['day']:0>2}T{hour:02d}:{part['minute']}:{part.get('second', '00')}"
    try:
        moment = datetime.fromisoformat(iso + part.get("offset", "").upper())
    except ValueError:
        return None
    return moment if is_plausible(moment) else None
