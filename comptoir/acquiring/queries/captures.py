"""Captures, and changes of authorized amounts, as views: for the engine, the doors and the worker."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from comptoir.acquiring.queries.payments import BY_ID, BY_REQUEST, IdKey, RequestKey, money_or_none
from comptoir.acquiring.types import AmountUpdateView, CaptureView, StepState
from comptoir.kernel.money import Money
from comptoir.kernel.statements import Row, Rows, Statement

_CAPTURE = """
SELECT c.id, c.merchant_id, c.payment_id, c.client_ref, c.request_ref, c.input_hash, c.currency, c.amount,
    c.state, c.failure_code, c.created_at, c.wallet_currency, c.wallet_amount, c.wallet_margin,
    c.settlement_currency, c.settlement, c.refunded
FROM acquiring_capture c
"""

_UPDATE = """
SELECT u.id, u.merchant_id, u.payment_id, u.client_ref, u.request_ref, u.input_hash, u.currency, u.amount,
    u.before_currency, u.before, u.state, u.failure_code, u.created_at
FROM acquiring_amount_update u
"""

_OF_PAYMENTS = """
JOIN unnest(%s::uuid[], %s::uuid[]) AS k (merchant_id, payment_id) USING (merchant_id, payment_id)
ORDER BY u.created_at, u.id
"""


def captures_by_request(keys: Sequence[RequestKey]) -> Statement:
    """Captures by the caller's names."""
    return Statement(_CAPTURE + BY_REQUEST, [[key[i] for key in keys] for i in range(3)])


def captures_by_id(keys: Sequence[IdKey]) -> Statement:
    """Captures by our names."""
    return Statement(_CAPTURE + BY_ID, [[key[i] for key in keys] for i in range(2)])


def captures_of_payment(merchant_id: UUID, payment_id: UUID) -> Statement:
    """All captures of one payment, oldest first."""
    return Statement(
        _CAPTURE + "WHERE c.merchant_id = %s AND c.payment_id = %s ORDER BY c.created_at, c.id",
        (merchant_id, payment_id),
    )


def amount_updates_by_request(keys: Sequence[RequestKey]) -> Statement:
    """Changes of authorized amounts by the caller's names."""
    return Statement(_UPDATE + BY_REQUEST, [[key[i] for key in keys] for i in range(3)])


def amount_updates_by_id(keys: Sequence[IdKey]) -> Statement:
    """Changes of authorized amounts by our names."""
    return Statement(_UPDATE + BY_ID, [[key[i] for key in keys] for i in range(2)])


def amount_updates_of_payments(keys: Sequence[IdKey]) -> Statement:
    """All changes of some payments' authorized amounts, oldest first."""
    return Statement(_UPDATE + _OF_PAYMENTS, [[key[i] for key in keys] for i in range(2)])


def decode_captures(rows: Rows) -> list[CaptureView]:
    """Rows of any captures statement as views."""
    return [_capture(row) for row in rows]


def decode_amount_updates(rows: Rows) -> list[AmountUpdateView]:
    """Rows of any amount updates statement as views."""
    return [_update(row) for row in rows]


def _capture(row: Row) -> CaptureView:
    return CaptureView(
        id=row[0],
        merchant_id=row[1],
        payment_id=row[2],
        client_ref=row[3],
        request_ref=row[4],
        input_hash=bytes(row[5]),
        amount=Money(row[7], row[6]),
        state=StepState(row[8]),
        failure_code=row[9],
        created_at=row[10],
        wallet_amount=money_or_none(row[12], row[11]),
        wallet_margin=money_or_none(row[13], row[11]),
        settlement=money_or_none(row[15], row[14]),
        refunded=row[16],
    )


def _update(row: Row) -> AmountUpdateView:
    return AmountUpdateView(
        id=row[0],
        merchant_id=row[1],
        payment_id=row[2],
        client_ref=row[3],
        request_ref=row[4],
        input_hash=bytes(row[5]),
        amount=Money(row[7], row[6]),
        before=Money(row[9], row[8]),
        state=StepState(row[10]),
        failure_code=row[11],
        created_at=row[12],
    )
