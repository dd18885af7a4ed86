"""Subscriptions as views: for the engine, the doors and the worker."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from comptoir.acquiring.types import (
    PaymentState,
    Period,
    PeriodType,
    SubscriptionChange,
    SubscriptionsAsked,
    SubscriptionState,
    SubscriptionView,
    Trial,
)
from comptoir.kernel.money import Money
from comptoir.kernel.statements import Row, Rows, Statement, json_value

#: How a caller names a subscription: (merchant id, client, request id).
RequestKey = tuple[UUID, str, str]

#: How a caller names a change of one: (merchant id, client, CHANGE or UPDATE, request id).
ChangeKey = tuple[UUID, str, str, str]

_SUBSCRIPTION = """
SELECT s.id, s.merchant_id, s.client_ref, s.request_ref, s.input_hash, s.description, s.currency, s.amount,
    s.ceiling, s.period_kind, s.period_count, s.state, s.created_at, s.start_at, s.anchor_at, s.anchor_phase,
    s.phase, s.attempt, s.next_at, s.end_at, s.trials, s.allow_retry, s.method_type, s.settlement_currency,
    s.notify_url, s.payment_notify_url, s.ended_at, s.before_anchor_at
FROM acquiring_subscription s
"""

_CHANGE = """
SELECT c.merchant_id, c.client_ref, c.event, c.request_ref, c.subscription_id, c.input_hash, c.created_at
FROM acquiring_subscription_change c
JOIN unnest(%s::uuid[], %s::text[], %s::text[], %s::text[]) AS k (merchant_id, client_ref, event, request_ref)
    USING (merchant_id, client_ref, event, request_ref)
"""

_BY_ID = "JOIN unnest(%s::uuid[], %s::uuid[]) AS k (merchant_id, id) USING (merchant_id, id)"
_BY_REQUEST = "JOIN unnest(%s::uuid[], %s::text[], %s::text[]) AS k (merchant_id, client_ref, request_ref)"
_BY_REQUEST += " USING (merchant_id, client_ref, request_ref)"

_COUNT = "SELECT count(*) FROM acquiring_subscription s"

#: The payments of a subscription, each with the newest of its disputes.
_PAYMENTS = """
SELECT l.phase, l.payment_id, (SELECT d.id FROM acquiring_dispute d
    WHERE d.merchant_id = l.merchant_id AND d.payment_id = l.payment_id
    ORDER BY d.created_at DESC, d.id DESC LIMIT 1)
"""


def subscriptions_by_id(keys: Sequence[tuple[UUID, UUID]]) -> Statement:
    """Subscriptions by (merchant id, id)."""
    return Statement(_SUBSCRIPTION + _BY_ID, [[key[i] for key in keys] for i in range(2)])


def subscriptions_by_request(keys: Sequence[RequestKey]) -> Statement:
    """Subscriptions by the caller's names."""
    return Statement(_SUBSCRIPTION + _BY_REQUEST, [[key[i] for key in keys] for i in range(3)])


def subscription_changes_by_request(keys: Sequence[ChangeKey]) -> Statement:
    """Changes by the caller's names; see `decode_subscription_changes`."""
    return Statement(_CHANGE, [[key[i] for key in keys] for i in range(4)])


def subscriptions_page(asked: SubscriptionsAsked, limit: int, offset: int) -> list[Statement]:
    """A page of the subscriptions asked for, the earliest start first; and how many there are."""
    where = "s.merchant_id = %s AND s.start_at >= %s AND s.start_at < %s AND s.state = ANY (%s)"
    given: list[object] = [asked.merchant_id, asked.begin, asked.end, [state.value for state in asked.states]]
    for column, values in (
        ("currency", asked.currencies),
        ("method_type", asked.method_types),
        ("period_kind", asked.period_kinds),
    ):
        if values:
            where += f" AND s.{column} = ANY (%s)"
            given.append([str(value) for value in values])
    return [
        Statement(
            f"{_SUBSCRIPTION} WHERE {where} ORDER BY s.start_at, s.id LIMIT %s OFFSET %s",
            (*given, limit, offset),
        ),
        Statement(f"{_COUNT} WHERE {where}", given),
    ]


def payments_of_subscription(
    merchant_id: UUID, subscription_id: UUID, states: Sequence[PaymentState], limit: int, offset: int
) -> list[Statement]:
    """(phase, payment id, dispute id) of a page of a subscription's payments, the oldest first; and how many
    there are. Of those in one of `states`, or of all."""
    where = "FROM acquiring_subscription_payment l WHERE l.merchant_id = %s AND l.subscription_id = %s"
    given: list[object] = [merchant_id, subscription_id]
    if states:
        where += (
            " AND EXISTS (SELECT FROM acquiring_payment p WHERE p.merchant_id = l.merchant_id"
            " AND p.id = l.payment_id AND p.state = ANY (%s))"
        )
        given.append([state.value for state in states])
    return [
        Statement(
            f"{_PAYMENTS} {where} ORDER BY l.phase, l.attempt LIMIT %s OFFSET %s", (*given, limit, offset)
        ),
        Statement(f"SELECT count(*) {where}", given),
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
            event=row[2],
            request_ref=row[3],
            subscription_id=row[4],
            input_hash=bytes(row[5]),
            created_at=row[6],
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
        before_anchor_at=row[27],
    )
