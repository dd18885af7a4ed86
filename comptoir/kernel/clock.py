"""Time as an argument. Only doors and workers read a clock; everything else is told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone

Clock = Callable[[], datetime]

#: China Standard Time. Fixed: China has had no daylight saving time since 1991.
CHINA = timezone(timedelta(hours=8), "UTC+08:00")


def utc_now() -> datetime:
    """The present instant in UTC. Pass it on as an argument; do not call it in a rule."""
    return datetime.now(UTC)


def china_day(instant: datetime) -> date:
    """The business date in China of an instant."""
    return instant.astimezone(CHINA).date()


def isoformat(instant: datetime) -> str:
    """ISO 8601 with seconds and offset, the form of every time on the wire: 2026-11-23T09:20:36+00:00."""
    return instant.astimezone(UTC).isoformat(timespec="seconds")
