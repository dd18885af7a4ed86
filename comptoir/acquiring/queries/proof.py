"""What the books ought to hold, by what payments and refunds say: for `comptoir verify`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from django.db import connection

from comptoir.kernel.money import Money

_CHUNK = 20_000

# Another issuer's wallet (no wallet id) is not in our books. A cancelled payment was either never posted, or
# posted and taken back: both come to nothing.
_EXPECTED = """
SELECT id, 'payment', settlement_currency, settlement, wallet_currency,
    CASE WHEN wallet_id IS NULL THEN 0 ELSE wallet_total END
FROM acquiring_payment WHERE state = 'SUCCESS'
UNION ALL
SELECT r.id, 'refund', r.settlement_currency, -r.settlement, p.wallet_currency,
    CASE WHEN p.wallet_id IS NULL THEN 0 ELSE -r.wallet_amount END
FROM acquiring_refund r JOIN acquiring_payment p ON p.merchant_id = r.merchant_id AND p.id = r.payment_id
WHERE r.state = 'SUCCESS'
ORDER BY 1
"""

_REFUNDED = """
SELECT p.id, p.refunded, p.settlement_refunded, p.wallet_refunded, p.margin_refunded,
    coalesce(sum(r.amount), 0), coalesce(sum(r.settlement), 0),
    coalesce(sum(r.wallet_amount) FILTER (WHERE p.wallet_id IS NOT NULL), 0),
    coalesce(sum(r.wallet_margin) FILTER (WHERE p.wallet_id IS NOT NULL), 0)
FROM acquiring_payment p
LEFT JOIN acquiring_refund r ON r.merchant_id = p.merchant_id AND r.payment_id = p.id AND r.state <> 'FAIL'
GROUP BY p.merchant_id, p.id
HAVING (p.refunded, p.settlement_refunded, p.wallet_refunded, p.margin_refunded) IS DISTINCT FROM
    (coalesce(sum(r.amount), 0), coalesce(sum(r.settlement), 0),
     coalesce(sum(r.wallet_amount) FILTER (WHERE p.wallet_id IS NOT NULL), 0),
     coalesce(sum(r.wallet_margin) FILTER (WHERE p.wallet_id IS NOT NULL), 0))
ORDER BY p.id LIMIT 1
"""


_ASKED = """
SELECT id, merchant_id, currency, amount, wallet_currency, wallet_total, asked_quote_id, quote_id,
    trim_scale(quote_price), finished_at
FROM acquiring_payment WHERE asked_quote_id IS NOT NULL AND state = 'SUCCESS' ORDER BY id
"""


class AtQuote(NamedTuple):
    """What a payment that was asked for at a quote says of its price."""

    payment_id: UUID
    merchant_id: UUID
    amount: Money
    paid: Money
    asked_id: UUID
    quote_id: UUID | None
    price: Decimal | None
    finished_at: datetime


class Expected(NamedTuple):
    """What one payment or refund moved, in minor units: to the merchant, and out of the wallet."""

    subject_id: UUID
    what: str
    settlement_currency: str
    settlement: int
    wallet_currency: str
    wallet: int


def expected_movements() -> Iterator[Expected]:
    """Every payment and refund that moved money, in order of id."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(_EXPECTED)
        while rows := cursor.fetchmany(_CHUNK):
            for row in rows:
                yield Expected(*row)


def payments_at_quotes() -> Iterator[list[AtQuote]]:
    """Every payment that was asked for at a quote and is paid, in order of id, some thousands at a time."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(_ASKED)
        while rows := cursor.fetchmany(_CHUNK):
            yield [
                AtQuote(row[0], row[1], Money(row[3], row[2]), Money(row[5], row[4]), *row[6:])
                for row in rows
            ]


def refund_difference() -> str | None:
    """The first payment whose refunded sums are not those of its refunds, in words; None if there is none."""
    with connection.cursor() as cursor:
        cursor.execute(_REFUNDED)
        row = cursor.fetchone()
    if row is None:
        return None
    return f"payment {row[0].hex}: it says {row[1]} was refunded, its refunds come to {row[5]}"


def counts() -> tuple[int, int]:
    """(payments, refunds) on record, whatever became of them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT count(*) FROM acquiring_payment), (SELECT count(*) FROM acquiring_refund)"
        )
        payments, refunds = cursor.fetchone()
    return payments, refunds
