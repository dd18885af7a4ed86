"""Where a visitor's clock stands: in the time zone of the shop's country, or in China's."""

from __future__ import annotations

from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from babel.core import get_global

CHINA_ZONE: Final = ZoneInfo("Asia/Shanghai")

#: Countries with several zones where most people live in this one.
_MAIN: Final = {
    "CN": "Asia/Shanghai",
    "CY": "Asia/Nicosia",
    "DE": "Europe/Berlin",
    "ES": "Europe/Madrid",
    "FR": "Europe/Paris",
    "GB": "Europe/London",
    "NL": "Europe/Amsterdam",
    "PT": "Europe/Lisbon",
    "US": "America/New_York",
}


@lru_cache(maxsize=256)
def zone_of(country: str) -> ZoneInfo:
    """The zone of a country (ISO 3166-1 alpha-2); UTC for one that has none."""
    if country in _MAIN:
        return ZoneInfo(_MAIN[country])
    zones = sorted(zone for zone, territory in get_global("zone_territories").items() if territory == country)
    return ZoneInfo(zones[0]) if zones else ZoneInfo("UTC")
