"""Time zones: which one a country's shops have, and where a day begins and ends in it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from comptoir.kernel.errors import InvalidValue
from comptoir.standards.time_zones import bounds_of, day_of, of_country, validate


@pytest.mark.parametrize(
    ("country", "zone"),
    [
        ("BE", "Europe/Brussels"), ("NL", "Europe/Amsterdam"), ("FR", "Europe/Paris"),
        ("DE", "Europe/Berlin"), ("ES", "Europe/Madrid"), ("PT", "Europe/Lisbon"), ("GB", "Europe/London"),
        ("GR", "Europe/Athens"), ("CN", "Asia/Shanghai"), ("ZZ", "UTC"),
    ],
)  # fmt: skip
def test_a_country_has_the_clock_of_its_capital(country: str, zone: str) -> None:
    assert of_country(country) == zone
    assert validate(zone) == zone


@pytest.mark.parametrize("name", ["", "Brussels", "Europe/Bruges", "../etc/passwd", "/etc/localtime", "a\0b"])
def test_what_is_no_time_zone_is_refused(name: str) -> None:
    with pytest.raises(InvalidValue):
        validate(name)


def test_a_day_is_as_long_as_the_clock_says() -> None:
    def hours(day: date) -> timedelta:
        begin, end = bounds_of(day, "Europe/Brussels")
        return end - begin

    assert bounds_of(date(2026, 11, 26), "Europe/Brussels") == (
        datetime(2026, 11, 25, 23, tzinfo=UTC),
        datetime(2026, 11, 26, 23, tzinfo=UTC),
    )
    assert hours(date(2026, 3, 29)) == timedelta(hours=23)
    assert hours(date(2026, 10, 25)) == timedelta(hours=25)


def test_every_instant_is_in_the_day_it_is_said_to_be_in() -> None:
    zone = "Europe/Brussels"
    instant = datetime(2026, 3, 28, tzinfo=UTC)
    while instant < datetime(2026, 3, 31, tzinfo=UTC):
        begin, end = bounds_of(day_of(instant, zone), zone)
        assert begin <= instant < end
        instant += timedelta(minutes=30)
