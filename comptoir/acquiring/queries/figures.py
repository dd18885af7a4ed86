"""What a merchant sold, in figures for charts: counted and summed by the database, in one pass each.

A sale is a payment that succeeded and was not canceled, on the local day and hour at which it was asked for;
of an authorization, what was captured of it. Times are those of one zone, which the caller names.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec

from comptoir.kernel.statements import Rows, Statement


class FiguresFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Of whom and of when: made from `start` until before `end`. `zone` is an IANA name: Europe/Brussels.

    `edges` are the limits between basket sizes, ascending, in minor units of `currency`.
    """

    merchant_id: UUID
    start: datetime
    end: datetime
    zone: str
    currency: str
    edges: tuple[int, ...]
    store_ref: str | None = None


class Sum(msgspec.Struct, frozen=True):
    """So many sales that together come to so many minor units."""

    count: int = 0
    amount: int = 0


class Sales(msgspec.Struct, frozen=True, kw_only=True):
    """Sales in one currency. Weekdays count from Monday, 1. `baskets[n]` is below the n-th edge, the last one
    not below any. The store None: payments that name none. What had no sales is not there."""

    total: Sum
    days: dict[date, Sum]
    hours: dict[tuple[int, int], Sum]
    stores: dict[str | None, Sum]
    baskets: tuple[Sum, ...]
    refunded: int


class Refusals(msgspec.Struct, frozen=True, kw_only=True):
    """What became of scanned codes: all that were, those that paid, and why the others were refused.

    A code that a till never sent, or that was refused before any payment was recorded (a merchant or a
    currency that is not served, a signature that does not hold), is not among them.
    """

    scanned: int
    paid: int
    reasons: dict[str, int]

    @property
    def refused(self) -> int:
        """Codes that ended without a payment."""
        return sum(self.reasons.values())


_CHOSEN = """FROM acquiring_payment
WHERE merchant_id = %s AND created_at >= %s AND created_at < %s AND (%s::text IS NULL OR store_ref = %s)"""

_SALES = f"""
WITH sale AS (
    SELECT created_at AT TIME ZONE %s AS local, store_ref, refunded,
        CASE WHEN capture_mode IS NULL THEN amount ELSE captured END AS taken
    {_CHOSEN} AND currency = %s AND state = 'SUCCESS' AND (capture_mode IS NULL OR captured > 0)
), shown AS (
    SELECT local::date AS day, extract(isodow FROM local)::int AS weekday,
        extract(hour FROM local)::int AS hour, store_ref, width_bucket(taken, %s::bigint[]) AS basket,
        taken, refunded
    FROM sale
)
SELECT grouping(day, hour, store_ref, basket), day, weekday, hour, store_ref, basket, count(*),
    coalesce(sum(taken), 0)::bigint, coalesce(sum(refunded), 0)::bigint
FROM shown GROUP BY GROUPING SETS ((), (day), (weekday, hour), (store_ref), (basket))
"""  # noqa: S608 - a constant in a constant

_REFUSALS = f"""
SELECT state, failure_code, count(*) {_CHOSEN}
    AND scenario = 'PaymentCode' AND state <> 'PROCESSING'
GROUP BY state, failure_code
"""

_CURRENCIES = f"""
SELECT currency, count(*) {_CHOSEN} AND state = 'SUCCESS' GROUP BY currency ORDER BY 2 DESC, 1
"""


def sales(wanted: FiguresFilter) -> Statement:
    """Everything about sales at once; for `decode_sales`."""
    params = (wanted.zone, *_chosen(wanted), wanted.currency, list(wanted.edges))
    return Statement(_SALES, params)


def decode_sales(rows: Rows, edges: Sequence[int]) -> Sales:
    """The rows of `sales`, asked for with the same edges."""
    total, refunded = Sum(), 0
    days: dict[date, Sum] = {}
    hours: dict[tuple[int, int], Sum] = {}
    stores: dict[str | None, Sum] = {}
    baskets = [Sum()] * (len(edges) + 1)
    for grouped, day, weekday, hour, store, basket, count, amount, back in rows:
        found = Sum(count, amount)
        match grouped:  # a bit of (day, hour, store, basket) is 1 when the set was not grouped by it
            case 0b0111:
                days[day] = found
            case 0b1011:
                hours[weekday, hour] = found
            case 0b1101:
                stores[store] = found
            case 0b1110:
                baskets[basket] = found
            case _:
                total, refunded = found, back
    return Sales(
        total=total,
        days=dict(sorted(days.items())),
        hours=hours,
        stores=dict(sorted(stores.items(), key=lambda one: -one[1].amount)),
        baskets=tuple(baskets),
        refunded=refunded,
    )


def refusals(wanted: FiguresFilter) -> Statement:
    """What became of scanned codes, in whatever currency; for `decode_refusals`."""
    return Statement(_REFUSALS, _chosen(wanted))


def decode_refusals(rows: Rows) -> Refusals:
    """The rows of `refusals`. A payment that was canceled afterwards had been paid."""
    reasons: dict[str, int] = {}
    paid = 0
    for state, reason, count in rows:
        if state == "FAIL":
            reasons[reason or ""] = count
        else:
            paid += count
    reasons = dict(sorted(reasons.items(), key=lambda one: (-one[1], one[0])))
    return Refusals(scanned=paid + sum(reasons.values()), paid=paid, reasons=reasons)


def currencies_sold(wanted: FiguresFilter) -> Statement:
    """Rows (currency, number of sales), the most sales first."""
    return Statement(_CURRENCIES, _chosen(wanted))


def _chosen(wanted: FiguresFilter) -> tuple[object, ...]:
    return wanted.merchant_id, wanted.start, wanted.end, wanted.store_ref, wanted.store_ref
