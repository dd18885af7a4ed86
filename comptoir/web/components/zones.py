"""Where a visitor's clock stands: in the time zone of the shop's country, or in China's."""

from __future__ import annotations

from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from comptoir.standards import time_zones

CHINA_ZONE: Final = ZoneInfo("Asia/Shanghai")


@lru_cache(maxsize=256)
def zone_of(country: str) -> ZoneInfo:
    """The zone of a country (ISO 3166-1 alpha-2); UTC for one that has none."""
    return ZoneInfo(time_zones.of_country(country))
