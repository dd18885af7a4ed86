"""What a store, or one of its tills, took in a day: summed by the database, by hour and by wallet."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection

from comptoir.acquiring.queries.listing import ON_WALL
from comptoir.acquiring.types import DaySum, DayTotals
from comptoir.kernel.money import Money

# What is paid over the code on the wall belongs to no till. It is summed apart, beside each of them.
_AT_TILL: Final = f"(%(terminal)s::text IS NULL OR p.terminal_ref = %(terminal)s OR {ON_WALL})"

# An authorization counts with what was captured of it. Hours are those of the store's clock.
_SALES: Final = f"""
SELECT extract(hour FROM p.created_at AT TIME ZONE %(zone)s)::int, p.issuer, p.currency, {ON_WALL}, count(*),
    sum(CASE WHEN p.capture_mode IS NULL THEN p.amount ELSE p.captured END)::bigint
FROM acquiring_payment p
WHERE p.merchant_id = %(merchant)s AND p.store_ref = %(store)s AND p.created_at >= %(begin)s
    AND p.created_at < %(end)s AND {_AT_TILL}
    AND p.state = 'SUCCESS' AND (p.capture_mode IS NULL OR p.captured > 0)
GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
"""  # noqa: S608 - ours

_REFUNDS: Final = f"""
SELECT p.issuer, r.currency, {ON_WALL}, count(*), sum(r.amount)::bigint
FROM acquiring_refund r JOIN acquiring_payment p ON p.merchant_id = r.merchant_id AND p.id = r.payment_id
WHERE r.merchant_id = %(merchant)s AND r.created_at >= %(begin)s AND r.created_at < %(end)s
    AND r.state <> 'FAIL' AND NOT r.disputed AND p.store_ref = %(store)s AND {_AT_TILL}
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""  # noqa: S608 - ours


def day_totals(
    merchant_id: UUID,
    store_ref: str,
    begin: datetime,
    end: datetime,
    zone: str,
    terminal_ref: str | None = None,
) -> DayTotals:
    """What was sold from `begin` until before `end`, and what was given back meanwhile, of whichever day.

    With a `terminal_ref` it is what that till took, and, marked `on_wall`, what the whole store took over its
    code on the wall. `zone` is the store's. Payments that were canceled are not sales; refunds that an issuer
    has not answered yet count as given, and what goes back over disputes does not.
    """
    asked: dict[str, Any] = {
        "merchant": merchant_id,
        "store": store_ref,
        "begin": begin,
        "end": end,
        "zone": zone,
        "terminal": terminal_ref,
    }
    with connection.cursor() as cursor:
        cursor.execute(_SALES, asked)
        sales = tuple(
            DaySum(issuer, Money(minor, currency), count, hour, on_wall)
            for hour, issuer, currency, on_wall, count, minor in cursor.fetchall()
        )
        cursor.execute(_REFUNDS, asked)
        refunds = tuple(
            DaySum(issuer, Money(minor, currency), count, on_wall=on_wall)
            for issuer, currency, on_wall, count, minor in cursor.fetchall()
        )
    return DayTotals(sales, refunds)
