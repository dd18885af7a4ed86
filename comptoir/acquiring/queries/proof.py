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
# posted and taken back: both come to nothing. An authorization moves nothing by itself, its captures do.
_EXPECTED = """
SELECT id, 'payment', settlement_currency, settlement, wallet_currency,
    CASE WHEN wallet_id IS NULL THEN 0 ELSE wallet_total END
FROM acquiring_payment WHERE state = 'SUCCESS' AND capture_mode IS DISTINCT FROM 'MANUAL'
UNION ALL
SELECT c.id, 'capture', c.settlement_currency, c.settlement, c.wallet_currency, c.wallet_amount
FROM acquiring_capture c JOIN acquiring_payment p ON p.merchant_id = c.merchant_id AND p.id = c.payment_id
WHERE c.state = 'SUCCESS' AND p.capture_mode = 'MANUAL'
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

_CAPTURED = """
SELECT p.id, p.captured, p.settlement_captured, p.wallet_captured, p.margin_captured, s.amount
FROM acquiring_payment p
CROSS JOIN LATERAL (
    SELECT coalesce(sum(c.amount), 0) AS amount, coalesce(sum(c.settlement), 0) AS settlement,
        coalesce(sum(c.wallet_amount), 0) AS wallet, coalesce(sum(c.wallet_margin), 0) AS margin
    FROM acquiring_capture c
    WHERE c.merchant_id = p.merchant_id AND c.payment_id = p.id AND c.state = 'SUCCESS'
) s
WHERE p.capture_mode IS NOT NULL
    AND (p.captured, p.settlement_captured, p.wallet_captured, p.margin_captured)
        IS DISTINCT FROM (s.amount, s.settlement, s.wallet, s.margin)
ORDER BY p.id LIMIT 1
"""

_CAPTURE_REFUNDED = """
SELECT c.id, c.refunded, s.amount
FROM acquiring_capture c
CROSS JOIN LATERAL (
    SELECT coalesce(sum(r.amount), 0) AS amount FROM acquiring_refund r
    WHERE r.merchant_id = c.merchant_id AND r.payment_id = c.payment_id AND r.capture_id = c.id
        AND r.state <> 'FAIL'
) s
WHERE c.refunded <> s.amount
ORDER BY c.id LIMIT 1
"""

_HELD = """
SELECT id, 'authorization', settlement_currency, settlement - settlement_captured, wallet_currency,
    wallet_total - wallet_captured
FROM acquiring_payment WHERE hold_id IS NOT NULL
UNION ALL
SELECT r.id, 'refund', r.settlement_currency, -r.settlement, r.wallet_currency, coalesce(-r.wallet_amount, 0)
FROM acquiring_refund r LEFT JOIN acquiring_dispute d ON d.merchant_id = r.merchant_id AND d.id = r.id
WHERE r.state = 'PROCESSING' AND d.held IS NOT FALSE
ORDER BY 1
"""


_DISPUTED = """
SELECT coalesce(d.id, r.id), coalesce(d.state, 'unknown'), coalesce(r.state, 'not there')
FROM (SELECT * FROM acquiring_dispute WHERE kind = 'CHARGEBACK') d
FULL JOIN (SELECT * FROM acquiring_refund WHERE disputed) r
    ON r.merchant_id = d.merchant_id AND r.id = d.id AND r.payment_id = d.payment_id
    AND r.currency = d.currency AND r.amount = d.amount
WHERE r.state IS DISTINCT FROM CASE WHEN d.state IN ('OPEN', 'DEFENDED') THEN 'PROCESSING'
    WHEN d.state IN ('ACCEPTED', 'LOST') THEN 'SUCCESS' WHEN d.state IN ('WON', 'CANCELLED') THEN 'FAIL' END
ORDER BY 1 LIMIT 1
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
    """What one record moved or holds, in minor units: to the merchant, and out of the wallet."""

    subject_id: UUID
    what: str
    settlement_currency: str
    settlement: int
    wallet_currency: str
    wallet: int


def expected_movements() -> Iterator[Expected]:
    """Every payment, capture and refund that moved money, in order of id."""
    return _expected(_EXPECTED)


def expected_holds() -> Iterator[Expected]:
    """Every authorization whose money is held, with what is left of it to be captured, and every refund that
    is not decided, in order of id."""
    return _expected(_HELD)


def _expected(sql: str) -> Iterator[Expected]:
    with connection.chunked_cursor() as cursor:
        cursor.execute(sql)
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


def capture_difference() -> str | None:
    """The first authorization, or capture, whose sums are not those of its captures, or of its refunds."""
    with connection.cursor() as cursor:
        cursor.execute(_CAPTURED)
        if row := cursor.fetchone():
            return f"payment {row[0].hex}: it says {row[1]} was captured, its captures come to {row[5]}"
        cursor.execute(_CAPTURE_REFUNDED)
        if row := cursor.fetchone():
            return f"capture {row[0].hex}: it says {row[1]} was refunded, its refunds come to {row[2]}"
    return None


def counts() -> tuple[int, int]:
    """(payments, refunds) on record, whatever became of them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT count(*) FROM acquiring_payment), (SELECT count(*) FROM acquiring_refund)"
        )
        payments, refunds = cursor.fetchone()
    return payments, refunds


# What was never approved may be forgotten beside a subscription that was withdrawn.
_SUBSCRIPTIONS = """
SELECT s.id, 'it and its agreement do not say the same'
FROM acquiring_subscription s
LEFT JOIN acquiring_agreement a ON a.merchant_id = s.merchant_id AND a.id = s.id
WHERE s.state <> 'open' AND (s.state = 'active') <> COALESCE(a.state = 'active', false)
UNION ALL
SELECT l.subscription_id, 'a phase was paid twice, or not by the payment that it says'
FROM acquiring_subscription_payment l
LEFT JOIN acquiring_subscription s ON s.merchant_id = l.merchant_id AND s.id = l.subscription_id
LEFT JOIN acquiring_payment p ON p.merchant_id = l.merchant_id AND p.id = l.payment_id
WHERE s.id IS NULL OR p.request_ref IS DISTINCT FROM
        'sub-' || replace(l.subscription_id::text, '-', '') || '-' || l.phase || '-' || l.attempt
    OR p.amount > s.ceiling
    OR (p.state IN ('SUCCESS', 'CANCELLED') AND EXISTS (SELECT FROM acquiring_subscription_payment later
        WHERE later.merchant_id = l.merchant_id AND later.subscription_id = l.subscription_id
            AND later.phase = l.phase AND later.attempt > l.attempt))
LIMIT 1
"""


def subscription_difference() -> str | None:
    """The first subscription that contradicts its agreement or its payments, in words; None if none does."""
    with connection.cursor() as cursor:
        cursor.execute(_SUBSCRIPTIONS)
        row = cursor.fetchone()
    return f"subscription {row[0].hex}: {row[1]}" if row else None


def sandbox_merchants() -> list[UUID]:
    """The ids of all test merchants."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM acquiring_merchant WHERE sandbox")
        return [row[0] for row in cursor.fetchall()]


def sandbox_difference(simulated: str) -> str | None:
    """The first payment where a test merchant met a real wallet, or a real merchant a simulated one, in
    words; None if there is none. `simulated` is what the names of simulated wallets begin with."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT p.id, p.issuer FROM acquiring_payment p JOIN acquiring_merchant m ON m.id = p.merchant_id"
            " WHERE starts_with(p.issuer, %s) <> m.sandbox LIMIT 1",
            (simulated,),
        )
        row = cursor.fetchone()
    return None if row is None else f"payment {row[0].hex}: its wallet is {row[1]}, its merchant is not so"


def dispute_difference() -> str | None:
    """The first chargeback whose refund is not as the dispute says, in words; None if there is none."""
    with connection.cursor() as cursor:
        cursor.execute(_DISPUTED)
        row = cursor.fetchone()
    return None if row is None else f"dispute {row[0].hex}: it is {row[1]}, its refund is {row[2]}"
