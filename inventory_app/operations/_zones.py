"""The time zone of the person who reads: where a day begins, and what clock a time is told by."""

import re
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

UTC_NAME = "UTC"
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_+-]{0,31}(/[A-Za-z0-9_+-]{1,32}){0,2}")


@lru_cache(maxsize=1_000)
def zone_of(name: str) -> ZoneInfo | None:
    """Return the zone of this name; None when this computer knows none."""
    if not _NAME.fullmatch(name):
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        # Whatever a browser may send: a name that is none, a folder, a file that holds no zone.
        return None


def known_zone(name: str) -> str:
    """Return the name of the zone if this computer knows it, else UTC."""
    return name if zone_of(name) else UTC_NAME


def beginning(day: date, zone: str) -> datetime:
    """Return when the day begins there, in UTC; of a clock put forward at midnight, the moment it is put."""
    # Fold 0: of a midnight that is skipped this is the moment of the jump, of one that comes twice the first.
    return datetime.combine(day, time(), zone_of(zone) or UTC).astimezone(UTC)


def end(day: date, zone: str) -> datetime:
    """Return when the day is over there, in UTC: when the next one begins."""
    return beginning(day + timedelta(days=1), zone)


def at(local: datetime, zone: str) -> datetime:
    """Return the moment a clock there shows `local` (the first, should it show it twice), in UTC."""
    return local.replace(tzinfo=zone_of(zone) or UTC).astimezone(UTC)


def clock(moment: datetime, zone: str) -> datetime:
    """Return what a clock there shows at a moment."""
    return moment.astimezone(zone_of(zone) or UTC)


def zone_words(zone: str, moment: datetime) -> str:
    """Say the zone as people know it, with how far it is from UTC then: "Europe/Berlin (UTC+1)"."""
    if zone == UTC_NAME:
        return UTC_NAME
    minutes = int((clock(moment, zone).utcoffset() or timedelta()).total_seconds() // 60)
    hours, rest = divmod(abs(minutes), 60)
    offset = f"{'−' if minutes < 0 else '+'}{hours}{f':{rest:02}' if rest else ''}"
    return f"{zone.replace('_', ' ')} (UTC{offset})"
