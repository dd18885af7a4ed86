"""When the phases of a subscription begin: counted from the first, by the calendar of China."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comptoir.acquiring.api import Period, PeriodType, Refused
from comptoir.acquiring.rules import check_period, periods_after
from comptoir.kernel.clock import CHINA

MONTHS = {PeriodType.MONTH: 1, PeriodType.QUARTER: 3, PeriodType.HALF_YEAR: 6, PeriodType.YEAR: 12}

anchors = st.integers(0, 40 * 365 * 24 * 3600).map(
    lambda s: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=s)
)


def china(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=CHINA).astimezone(UTC)


@pytest.mark.parametrize(
    ("anchor", "kind", "count", "days"),
    [
        ("2026-01-31T09:00", PeriodType.MONTH, 1, ["02-28", "03-31", "04-30", "05-31", "06-30", "07-31"]),
        ("2028-01-31T09:00", PeriodType.MONTH, 1, ["02-29", "03-31", "04-30"]),
        ("2026-11-30T00:00", PeriodType.MONTH, 1, ["12-30", "01-30", "02-28", "03-30"]),
        ("2026-11-30T23:59", PeriodType.QUARTER, 1, ["02-28", "05-30", "08-30", "11-30"]),
        ("2026-08-31T12:00", PeriodType.HALF_YEAR, 1, ["02-28", "08-31", "02-29"]),
        ("2028-02-29T12:00", PeriodType.YEAR, 1, ["02-28", "02-28", "02-28", "02-29"]),
        ("2026-12-30T12:00", PeriodType.DAY, 2, ["01-01", "01-03"]),
        ("2026-12-30T12:00", PeriodType.WEEK, 1, ["01-06", "01-13"]),
    ],
)
def test_month_ends_and_the_rest(anchor: str, kind: PeriodType, count: int, days: list[str]) -> None:
    begins = china(anchor)
    found = [periods_after(begins, Period(kind, count), n).astimezone(CHINA) for n in range(1, len(days) + 1)]
    assert [f"{one:%m-%d}" for one in found] == days
    assert {f"{one:%H:%M}" for one in found} == {anchor[11:]}


@given(anchors, st.sampled_from(list(MONTHS)), st.integers(1, 12), st.integers(0, 60))
def test_a_month_has_its_own_last_day_and_no_phase_drifts(
    anchor: datetime, kind: PeriodType, count: int, number: int
) -> None:
    local = anchor.astimezone(CHINA)
    found = periods_after(anchor, Period(kind, count), number).astimezone(CHINA)
    months = (found.year - local.year) * 12 + found.month - local.month
    assert months == MONTHS[kind] * count * number
    assert found.day == min(local.day, monthrange(found.year, found.month)[1])
    assert found.timetz() == local.timetz()


@given(anchors, st.sampled_from(list(PeriodType)), st.integers(1, 10), st.integers(0, 200))
def test_phases_follow_each_other_without_gap_or_overlap(
    anchor: datetime, kind: PeriodType, count: int, number: int
) -> None:
    period = Period(kind, count)
    assert periods_after(anchor, period, 0) == anchor
    one, two = periods_after(anchor, period, number), periods_after(anchor, period, number + 1)
    assert timedelta(days=1) <= two - one <= timedelta(days=366 * count)


@pytest.mark.parametrize(
    ("kind", "count"), [(PeriodType.DAY, 0), (PeriodType.MONTH, -1), (PeriodType.YEAR, 11)]
)
def test_a_period_of_nothing_or_of_an_age_is_refused(kind: PeriodType, count: int) -> None:
    with pytest.raises(Refused) as refused:
        check_period(Period(kind, count))
    assert refused.value.field == "periodRule.periodCount"
