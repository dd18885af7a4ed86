"""Payments and refunds as views, a whole batch at a time: for the engine, the doors and the worker."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from uuid import UUID

from django.db import connection

from comptoir.acquiring.types import (
    CaptureMode,
    PaymentState,
    PaymentView,
    Product,
    RefundState,
    RefundView,
    Scenario,
)
from comptoir.kernel.money import Money
from comptoir.kernel.statements import Row, Rows, Statement, json_value

#: How a caller names a payment or refund: (merchant id, client, request id).
RequestKey = tuple[UUID, str, str]
#: How we name it: (merchant id, id).
IdKey = tuple[UUID, UUID]

# trim_scale: the columns have a fixed scale, a rate its own, so a repeat is told the same digits.
PAYMENT = """
SELECT p.id, p.merchant_id, p.client_ref, p.request_ref, p.input_hash, p.product, p.scenario, p.currency,
    p.amount, p.settlement_currency, p.settlement, trim_scale(p.settlement_price), p.state, p.failure_code,
    p.created_at, p.expires_at, p.finished_at, p.cancelled_at, p.method_type, p.issuer, p.wallet_id,
    p.authorization_id, p.wallet_currency, p.wallet_total, p.wallet_margin, p.quote_id,
    trim_scale(p.quote_price), p.quote_from, p.quote_until, p.customer_ref, p.order_code, p.refunded,
    p.wallet_refunded, p.margin_refunded, p.settlement_refunded, p.store_ref, p.terminal_ref, p.notify_url,
    p.redirect_url, p.details, p.asked_quote_id, p.capture_mode, p.auth_expires_at, p.hold_id, p.captured,
    p.wallet_captured, p.margin_captured, p.settlement_captured
FROM acquiring_payment p
"""

REFUND = """
SELECT r.id, r.merchant_id, r.payment_id, r.client_ref, r.request_ref, r.input_hash, r.currency, r.amount,
    r.state, r.failure_code, r.created_at, r.finished_at, r.wallet_currency, r.wallet_amount, r.wallet_margin,
    r.settlement_currency, r.settlement, r.reason, r.notify_url, r.capture_id, r.disputed,
    r.details
FROM acquiring_refund r
"""

_DUE = """
(SELECT merchant_id, id, expires_at AS due_at FROM acquiring_payment
WHERE state = 'PROCESSING' AND expires_at <= %s ORDER BY expires_at LIMIT %s)
UNION ALL
(SELECT merchant_id, id, auth_expires_at FROM acquiring_payment
WHERE hold_id IS NOT NULL AND auth_expires_at <= %s ORDER BY auth_expires_at LIMIT %s)
ORDER BY due_at LIMIT %s
"""

BY_REQUEST = "JOIN unnest(%s::uuid[], %s::text[], %s::text[]) AS k (merchant_id, client_ref, request_ref)"
BY_REQUEST += " USING (merchant_id, client_ref, request_ref)"
BY_ID = "JOIN unnest(%s::uuid[], %s::uuid[]) AS k (merchant_id, id) USING (merchant_id, id)"

_OF_OTHERS = """
WHERE p.issuer IS NOT NULL AND p.wallet_id IS NULL AND p.created_at >= %s AND p.created_at < %s
ORDER BY p.created_at, p.id
"""
_CHUNK = 5_000


def payments_by_request(keys: Sequence[RequestKey]) -> Statement:
    """Payments by the caller's names."""
    return Statement(PAYMENT + BY_REQUEST, [[key[i] for key in keys] for i in range(3)])


def payments_by_id(keys: Sequence[IdKey]) -> Statement:
    """Payments by our names."""
    return Statement(PAYMENT + BY_ID, [[key[i] for key in keys] for i in range(2)])


def payments_by_order_code(codes: Sequence[str]) -> Statement:
    """Payments by the order code a shop shows."""
    return Statement(PAYMENT + "WHERE p.order_code = ANY (%s)", (list(codes),))


def refunds_by_request(keys: Sequence[RequestKey]) -> Statement:
    """Refunds by the caller's names."""
    return Statement(REFUND + BY_REQUEST, [[key[i] for key in keys] for i in range(3)])


def refunds_by_id(keys: Sequence[IdKey]) -> Statement:
    """Refunds by our names."""
    return Statement(REFUND + BY_ID, [[key[i] for key in keys] for i in range(2)])


def refunds_of_payment(merchant_id: UUID, payment_id: UUID) -> Statement:
    """All refunds of one payment that were asked for, oldest first."""
    return Statement(
        REFUND
        + "WHERE r.merchant_id = %s AND r.payment_id = %s AND NOT r.disputed ORDER BY r.created_at, r.id",
        (merchant_id, payment_id),
    )


def due_payments(now: datetime, limit: int) -> Statement:
    """(merchant id, payment id) of payments whose time is up and that nobody closed yet: those that nobody
    paid, and authorizations whose money is still held."""
    return Statement(_DUE, (now, limit, now, limit, limit))


def payments_of_others(start: datetime, end: datetime) -> Iterator[PaymentView]:
    """Payments by other issuers' wallets made from `start` until before `end`, the oldest first."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(PAYMENT + _OF_OTHERS, (start, end))
        while rows := cursor.fetchmany(_CHUNK):
            yield from map(_payment, rows)


def decode_payments(rows: Rows) -> list[PaymentView]:
    """Rows of any payments statement as views."""
    return [_payment(row) for row in rows]


def decode_refunds(rows: Rows) -> list[RefundView]:
    """Rows of any refunds statement as views."""
    return [_refund(row) for row in rows]


def _payment(row: Row) -> PaymentView:
    return PaymentView(
        id=row[0],
        merchant_id=row[1],
        client_ref=row[2],
        request_ref=row[3],
        input_hash=bytes(row[4]),
        product=Product(row[5]),
        scenario=Scenario(row[6]) if row[6] else None,
        amount=Money(row[8], row[7]),
        settlement=Money(row[10], row[9]),
        settlement_price=row[11],
        state=PaymentState(row[12]),
        failure_code=row[13],
        created_at=row[14],
        expires_at=row[15],
        finished_at=row[16],
        cancelled_at=row[17],
        method_type=row[18],
        issuer=row[19],
        wallet_id=row[20],
        authorization_id=row[21],
        wallet_total=money_or_none(row[23], row[22]),
        wallet_margin=money_or_none(row[24], row[22]),
        quote_id=row[25],
        quote_price=row[26],
        quote_from=row[27],
        quote_until=row[28],
        customer_ref=row[29],
        order_code=row[30],
        refunded=row[31],
        wallet_refunded=row[32],
        margin_refunded=row[33],
        settlement_refunded=row[34],
        store_ref=row[35],
        terminal_ref=row[36],
        notify_url=row[37],
        redirect_url=row[38],
        details=json_value(row[39]),
        asked_quote_id=row[40],
        capture_mode=CaptureMode(row[41]) if row[41] else None,
        auth_expires_at=row[42],
        hold_id=row[43],
        captured=row[44],
        wallet_captured=row[45],
        margin_captured=row[46],
        settlement_captured=row[47],
    )


def _refund(row: Row) -> RefundView:
    return RefundView(
        id=row[0],
        merchant_id=row[1],
        payment_id=row[2],
        client_ref=row[3],
        request_ref=row[4],
        input_hash=bytes(row[5]),
        amount=Money(row[7], row[6]),
        state=RefundState(row[8]),
        failure_code=row[9],
        created_at=row[10],
        finished_at=row[11],
        wallet_amount=money_or_none(row[13], row[12]),
        wallet_margin=money_or_none(row[14], row[12]),
        settlement=money_or_none(row[16], row[15]),
        reason=row[17],
        notify_url=row[18],
        capture_id=row[19],
        disputed=row[20],
        details=None if row[21] is None else json_value(row[21]),
    )


def money_or_none(minor: int | None, currency: str | None) -> Money | None:
    """An amount out of two columns that are empty together."""
    return None if minor is None or currency is None else Money(minor, currency)
