"""Subscriptions as views: for the engine, the doors and the worker."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from comptoir.acquiring.types import (
    Period,
    PeriodType,
    SubscriptionChange,
    SubscriptionState,
    SubscriptionView,
    Trial,
)
from comptoir.kernel.money import Money
from comptoir.kernel.statements import Row, Rows, Statement, json_value

#: How a caller names a subscription or a change of one: (merchant id, client, request id).
RequestKey = tuple[UUID, str, str]

_SUBSCRIPTION = """
SELECT s.id, s.merchant_id, s.client_ref, s.request_ref, s.input_hash, s.description, s.currency, s.amount,
    s.ceiling, s.period_kind, s.period_count, s.state, s.created_at, s.start_at, s.anchor_at, s.anchor_phase,
    s.phase, s.attempt, s.next_at, s.end_at, s.trials, s.allow_retry, s.method_type, s.settlement_currency,
    s.notify_url, s.payment_notify_url, s.ended_at
FROM acquiring_subscription s
"""

_CHANGE = """
SELECT c.merchant_id, c.client_ref, c.request_ref, c.subscription_id, c.input_hash, c.created_at
FROM acquiring_subscription_change c
"""

_BY_ID = "JOIN unnest(%s::uuid[], %s::uuid[]) AS k (merchant_id, id) USING (merchant_id, id)"
_BY_REQUEST = "JOIN unnest(%s::uuid[], %s::text[], %s::text[]) AS k (merchant_id, client_ref, request_ref)"
_BY_REQUEST += " USING (merchant_id, client_ref, request_ref)"

_LIST = """
WHERE s.merchant_id = %s AND s.start_at >= %s AND s.start_at < %s
    AND (%s::text[] IS NULL OR s.state = ANY (%s)) ORDER BY s.id LIMIT %s OFFSET %s
"""

_COUNT = """
SELECT count(*) FROM acquiring_subscription s WHERE s.merchant_id = %s AND s.start_at >= %s
    AND s.start_at < %s AND (%s::text[] IS NULL OR s.state = ANY (%s))
"""


def subscriptions_by_id(keys: Sequence[tuple[UUID, UUID]]) -> Statement:
    """Subscriptions by (merchant id, id)."""
    return Statement(_SUBSCRIPTION + _BY_ID, [[key[i] for key in keys] for i in range(2)])


def subscriptions_by_request(keys: Sequence[RequestKey]) -> Statement:
    """Subscriptions by the caller's names."""
    return Statement(_SUBSCRIPTION + _BY_REQUEST, [[key[i] for key in keys] for i in range(3)])


def subscription_changes_by_request(keys: Sequence[RequestKey]) -> Statement:
    """Changes by the caller's names; see `decode_subscription_changes`."""
    return Statement(_CHANGE + _BY_REQUEST, [[key[i] for key in keys] for i in range(3)])


def subscriptions_page(
    merchant_id: UUID, begin: datetime, end: datetime, states: Sequence[str] | None, limit: int, offset: int
) -> list[Statement]:
    """A page of a merchant's subscriptions that start in a time, the oldest first, and how many there are."""
    wanted = list(states) if states else None
    named = (merchant_id, begin, end, wanted, wanted)
    return [Statement(_SUBSCRIPTION + _LIST, (*named, limit, offset)), Statement(_COUNT, named)]


def payments_of_subscription(
    merchant_id: UUID, subscription_id: UUID, limit: int, offset: int
) -> list[Statement]:
    """(phase, payment id) of a page of a subscription's payments, the oldest first; and the count of all."""
    where = "FROM acquiring_subscription_payment WHERE merchant_id = %s AND subscription_id = %s"
    named = (merchant_id, subscription_id)
    return [
        Statement(
            f"SELECT phase, payment_id {where} ORDER BY phase, attempt LIMIT %s OFFSET %s",
            (*named, limit, offset),
        ),
        Statement(f"SELECT count(*) {where}", named),
    ]


def due_subscriptions(now: datetime, limit: int) -> Statement:
    """(merchant id, id, client, phase, attempt) of subscriptions to be charged, the longest due first."""
    return Statement(
        "SELECT merchant_id, id, client_ref, phase, attempt FROM acquiring_subscription"
        " WHERE next_at <= %s ORDER BY next_at LIMIT %s",
        (now, limit),
    )


def decode_subscriptions(rows: Rows) -> list[SubscriptionView]:
    """Rows of any subscriptions statement as views."""
    return [_subscription(row) for row in rows]


def decode_subscription_changes(rows: Rows) -> list[SubscriptionChange]:
    """Rows of `subscription_changes_by_request` as values."""
    return [
        SubscriptionChange(
            merchant_id=row[0],
            client_ref=row[1],
            request_ref=row[2],
            subscription_id=row[3],
            input_hash=bytes(row[4]),
            created_at=row[5],
        )
        for row in rows
    ]


def _subscription(row: Row) -> SubscriptionView:
    return SubscriptionView(
        id=row[0],
        merchant_id=row[1],
        client_ref=row[2],
        request_ref=row[3],
        input_hash=bytes(row[4]),
        description=row[5],
        amount=Money(row[7], row[6]),
        ceiling=row[8],
        period=Period(PeriodType(row[9]), row[10]),
        state=SubscriptionState(row[11]),
        created_at=row[12],
        start_at=row[13],
        anchor_at=row[14],
        anchor_phase=row[15],
        phase=row[16],
        attempt=row[17],
        next_at=row[18],
        end_at=row[19],
        trials=msgspec.convert(json_value(row[20]), tuple[Trial, ...]),
        allow_retry=row[21],
        method_type=row[22],
        settlement_currency=row[23],
        notify_url=row[24],
        payment_notify_url=row[25],
        ended_at=row[26],
    )
