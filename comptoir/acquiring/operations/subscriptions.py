"""What the payment engine writes of subscriptions, a whole batch at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from comptoir.acquiring.types import SubscriptionChange, SubscriptionPayment, SubscriptionView
from comptoir.kernel.statements import Statement

_SUBSCRIPTIONS = """
INSERT INTO acquiring_subscription (merchant_id, id, client_ref, request_ref, input_hash, description,
    currency, amount, ceiling, period_kind, period_count, state, created_at, start_at, anchor_at,
    anchor_phase, phase, attempt, next_at, end_at, trials, allow_retry, method_type, settlement_currency,
    notify_url, payment_notify_url, ended_at, before_anchor_at)
SELECT merchant_id, id, client_ref, request_ref, decode(input_hash, 'hex'), description, currency, amount,
    ceiling, period_kind, period_count, state, created_at, start_at, anchor_at, anchor_phase, phase, attempt,
    next_at, end_at, trials, allow_retry, method_type, settlement_currency, notify_url, payment_notify_url,
    ended_at, before_anchor_at
FROM json_to_recordset(%s::json) AS r (merchant_id uuid, id uuid, client_ref text, request_ref text,
    input_hash text, description text, currency text, amount bigint, ceiling bigint, period_kind text,
    period_count int, state text, created_at timestamptz, start_at timestamptz, anchor_at timestamptz,
    anchor_phase int, phase int, attempt smallint, next_at timestamptz, end_at timestamptz, trials jsonb,
    allow_retry boolean, method_type text, settlement_currency text, notify_url text, payment_notify_url text,
    ended_at timestamptz, before_anchor_at timestamptz)
ON CONFLICT (merchant_id, id) DO UPDATE SET description = excluded.description, amount = excluded.amount,
    period_kind = excluded.period_kind, period_count = excluded.period_count, state = excluded.state,
    start_at = excluded.start_at, anchor_at = excluded.anchor_at, anchor_phase = excluded.anchor_phase,
    phase = excluded.phase, attempt = excluded.attempt, next_at = excluded.next_at, end_at = excluded.end_at,
    ended_at = excluded.ended_at, before_anchor_at = excluded.before_anchor_at
"""

_CHANGES = """
INSERT INTO acquiring_subscription_change (merchant_id, client_ref, event, request_ref, subscription_id,
    input_hash, created_at)
SELECT merchant_id, client_ref, event, request_ref, subscription_id, decode(input_hash, 'hex'), created_at
FROM json_to_recordset(%s::json) AS r (merchant_id uuid, client_ref text, event text, request_ref text,
    subscription_id uuid, input_hash text, created_at timestamptz)
"""

# No ON CONFLICT: a try that is charged twice is a broken invariant and stops the batch.
_PAYMENTS = """
INSERT INTO acquiring_subscription_payment (merchant_id, subscription_id, phase, attempt, payment_id)
SELECT merchant_id, subscription_id, phase, attempt, payment_id
FROM json_to_recordset(%s::json) AS r (merchant_id uuid, subscription_id uuid, phase int, attempt smallint,
    payment_id uuid)
"""


def store_subscriptions(views: Sequence[SubscriptionView]) -> Statement:
    """Insert new subscriptions, or bring known ones up to date."""
    return Statement(_SUBSCRIPTIONS, (msgspec.json.encode([_subscription(one) for one in views]).decode(),))


def store_subscription_changes(changes: Sequence[SubscriptionChange]) -> Statement:
    """Record changes under their request ids."""
    rows = [msgspec.structs.asdict(one) | {"input_hash": one.input_hash.hex()} for one in changes]
    return Statement(_CHANGES, (msgspec.json.encode(rows).decode(),))


def store_subscription_payments(payments: Sequence[SubscriptionPayment]) -> Statement:
    """Record which payments phases were charged with."""
    return Statement(_PAYMENTS, (msgspec.json.encode(payments).decode(),))


def _subscription(one: SubscriptionView) -> dict[str, Any]:
    row = msgspec.structs.asdict(one)
    row["input_hash"] = one.input_hash.hex()
    row["currency"], row["amount"] = one.amount.currency, one.amount.minor
    row["period_kind"], row["period_count"] = one.period.kind, one.period.count
    return row
