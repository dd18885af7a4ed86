"""Time zones of the IANA database: by which clock the shops of a place keep their day.

The names and the rules come with the package ``tzdata``, so every machine knows the same ones. Which zone
a country has is said by its table ``zone.tab`` (RFC 6557, February 2012): for a country with several, the
table names first the one of its capital or most of its people, for every country of Europe at least.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from importlib.resources import files
from typing import Final
from zoneinfo import ZoneInfo

from comptoir.kernel.errors import InvalidValue

#: Of a country that the table does not know.
_NOWHERE: Final = "UTC"


def validate(name: str) -> str:
    """`name` itself, if it is a time zone's, such as Europe/Brussels. Raises InvalidValue."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise InvalidValue(f"{name[:64]!r} is no time zone: Europe/Brussels is one") from None
    return name


def of_country(country: str) -> str:
    """The zone of a country (ISO 3166-1 alpha-2); its first one where it has several, UTC where unknown."""
    return _first_zones().get(country, _NOWHERE)


def day_of(instant: datetime, zone: str) -> date:
    """The date on the wall at an instant."""
    return instant.astimezone(ZoneInfo(zone)).date()


def bounds_of(day: date, zone: str) -> tuple[datetime, datetime]:
    """When a day begins and when the next one does, in UTC: 23, 24 or 25 hours apart."""
    begin, end = (
        datetime.combine(one, time.min, ZoneInfo(zone)).astimezone(UTC) for one in (day, day + timedelta(1))
    )
    return begin, end


@cache
def _first_zones() -> dict[str, str]:
    first: dict[str, str] = {}
    for line in (files("tzdata") / "zoneinfo" / "zone.tab").read_text("utf-8").splitlines():
        if not line.startswith("#"):
            country, _, zone, *_ = line.split("\t")
            first.setdefault(country, zone)
    return first
