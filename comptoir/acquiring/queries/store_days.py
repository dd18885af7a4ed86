"""What a store, or one of its tills, took in a day: summed by the database, by hour and by wallet."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection

from comptoir.acquiring.types import DaySum, DayTotals
from comptoir.kernel.money import Money

# An authorization counts with what was captured of it. Hours are those of the store's clock.
_SALES: Final = """
SELECT extract(hour FROM created_at AT TIME ZONE %(zone)s)::int, issuer, currency, count(*),
    sum(CASE WHEN capture_mode IS NULL THEN amount ELSE captured END)::bigint
FROM acquiring_payment
WHERE merchant_id = %(merchant)s AND store_ref = %(store)s AND created_at >= %(begin)s
    AND created_at < %(end)s AND (%(terminal)s::text IS NULL OR terminal_ref = %(terminal)s)
    AND state = 'SUCCESS' AND (capture_mode IS NULL OR captured > 0)
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""

_REFUNDS: Final = """
SELECT p.issuer, r.currency, count(*), sum(r.amount)::bigint
FROM acquiring_refund r JOIN acquiring_payment p ON p.merchant_id = r.merchant_id AND p.id = r.payment_id
WHERE r.merchant_id = %(merchant)s AND r.created_at >= %(begin)s AND r.created_at < %(end)s
    AND r.state <> 'FAIL' AND NOT r.disputed AND p.store_ref = %(store)s
    AND (%(terminal)s::text IS NULL OR p.terminal_ref = %(terminal)s)
GROUP BY 1, 2 ORDER BY 1, 2
"""


def day_totals(
    merchant_id: UUID,
    store_ref: str,
    begin: datetime,
    end: datetime,
    zone: str,
    terminal_ref: str | None = None,
) -> DayTotals:
    """What was sold from `begin` until before `end`, and what was given back meanwhile, of whichever day.

    `zone` is the store's. Payments that were canceled are not sales; refunds that an issuer has not answered
    yet count as given, and what goes back over disputes does not.
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
            DaySum(issuer, Money(minor, currency), count, hour)
            for hour, issuer, currency, count, minor in cursor.fetchall()
        )
        cursor.execute(_REFUNDS, asked)
        refunds = tuple(
            DaySum(issuer, Money(minor, currency), count)
            for issuer, currency, count, minor in cursor.fetchall()
        )
    return DayTotals(sales, refunds)
