"""Periods by the calendar, and the phases of a subscription."""

from __future__ import annotations

from calendar import monthrange
from datetime import datetime, timedelta
from typing import NamedTuple

from comptoir.acquiring import errors
from comptoir.acquiring.errors import Refused
from comptoir.acquiring.types import (
    AgreementState,
    AgreementView,
    Period,
    PeriodType,
    SubscriptionState,
    SubscriptionView,
)
from comptoir.kernel.clock import CHINA
from comptoir.kernel.money import Money

#: A phase that could not be paid is tried again so long after it was due, as long as the next has not begun.
RETRY_AFTER = (timedelta(days=1), timedelta(days=3), timedelta(days=7))

#: No period is longer than ten years.
_LONGEST_PERIOD = {
    PeriodType.DAY: 3652,
    PeriodType.WEEK: 521,
    PeriodType.MONTH: 120,
    PeriodType.QUARTER: 40,
    PeriodType.HALF_YEAR: 20,
    PeriodType.YEAR: 10,
}
_DAYS = {PeriodType.DAY: 1, PeriodType.WEEK: 7}
_MONTHS = {PeriodType.MONTH: 1, PeriodType.QUARTER: 3, PeriodType.HALF_YEAR: 6, PeriodType.YEAR: 12}


def check_period(period: Period) -> None:
    """Refuse a period of nothing, or of more than ten years. Raises Refused."""
    longest = _LONGEST_PERIOD[period.kind]
    if not 1 <= period.count <= longest:
        raise Refused(
            f"a period of {period.kind} has 1 to {longest} of them",
            code=errors.SUBSCRIPTION_INVALID,
            field="periodRule.periodCount",
        )


def periods_after(anchor: datetime, period: Period, number: int) -> datetime:
    """When the `number`-th period after the one that begins at `anchor` begins, by the calendar of China.

    Counted from the anchor and never from the period before, so that the 31st comes back after a February: a
    day that a month does not have is its last. At the time of day of the anchor.
    """
    if period.kind in _DAYS:
        return anchor + timedelta(days=_DAYS[period.kind] * period.count * number)
    local = anchor.astimezone(CHINA)
    months = local.year * 12 + local.month - 1 + _MONTHS[period.kind] * period.count * number
    year, month = divmod(months, 12)
    day = min(local.day, monthrange(year, month + 1)[1])
    return local.replace(year=year, month=month + 1, day=day).astimezone(anchor.tzinfo)


def phase_start(one: SubscriptionView, phase: int) -> datetime:
    """When a phase of a subscription (from its anchor's on) begins."""
    return periods_after(one.anchor_at, one.period, phase - one.anchor_phase)


def is_withdrawn(asked: AgreementView, subscription: SubscriptionView | None) -> bool:
    """Whether the merchant ended the subscription that this asked for before anybody had approved it."""
    ended = (SubscriptionState.CANCELLED, SubscriptionState.TERMINATED)
    return asked.state is AgreementState.DECLINED and subscription is not None and subscription.state in ended


class RunningPhase(NamedTuple):
    """The phase that runs, 0 before the first; `begins` and `ends` where they are known."""

    number: int
    begins: datetime | None
    ends: datetime | None


def running_phase(one: SubscriptionView) -> RunningPhase:
    """The phase before the next that is charged for the first time. It keeps its begin when the anchor moves.

    Its end is where the next begins, by the terms as they are now.
    """
    number = one.phase - 1 if one.attempt == 1 else one.phase
    if number == 0:
        return RunningPhase(0, None, None)
    begins = phase_start(one, number) if number >= one.anchor_phase else one.before_anchor_at
    return RunningPhase(number, begins, phase_start(one, number + 1))


def phase_amount(one: SubscriptionView, phase: int) -> Money:
    """What a phase costs: a trial's amount if it is one's, which may be nothing, else the subscription's."""
    trial = next((t for t in one.trials if t.first <= phase <= t.last), None)
    return one.amount if trial is None else Money(trial.amount, one.amount.currency)


def next_try(one: SubscriptionView) -> datetime | None:
    """When the present phase is tried again after a failed try; None if it is not."""
    if not one.allow_retry or one.attempt > len(RETRY_AFTER):
        return None
    at = phase_start(one, one.phase) + RETRY_AFTER[one.attempt - 1]
    return at if at < phase_start(one, one.phase + 1) else None
