"""What the payment engine writes of payments and of what follows them, a whole batch at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from comptoir.acquiring.types import AmountUpdateView, CaptureView, PaymentView, RefundView
from comptoir.kernel.money import Money
from comptoir.kernel.statements import Statement

_PAYMENTS = """
INSERT INTO acquiring_payment (merchant_id, id, client_ref, request_ref, input_hash, product, scenario,
    currency, amount, settlement_currency, settlement, settlement_price, state, failure_code, created_at,
    expires_at, finished_at, cancelled_at, method_type, issuer, wallet_id, authorization_id, wallet_currency,
    wallet_total, wallet_margin, quote_id, quote_price, quote_from, quote_until, customer_ref, order_code,
    refunded, wallet_refunded, margin_refunded, settlement_refunded, store_ref, terminal_ref, notify_url,
    redirect_url, details, asked_quote_id,
    capture_mode, auth_expires_at, hold_id, captured, wallet_captured,
    margin_captured, settlement_captured)
SELECT merchant_id, id, client_ref, request_ref, decode(input_hash, 'hex'), product, scenario, currency,
    amount, settlement_currency, settlement, settlement_price, state, failure_code, created_at, expires_at,
    finished_at, cancelled_at, method_type, issuer, wallet_id, authorization_id, wallet_currency,
    wallet_total, wallet_margin, quote_id, quote_price, quote_from, quote_until, customer_ref, order_code,
    refunded, wallet_refunded, margin_refunded, settlement_refunded, store_ref, terminal_ref, notify_url,
    redirect_url, details, asked_quote_id,
    capture_mode, auth_expires_at, hold_id, captured, wallet_captured,
    margin_captured, settlement_captured
FROM json_to_recordset(%s::json) AS r (merchant_id uuid, id uuid, client_ref text, request_ref text,
    input_hash text, product text, scenario text, currency text, amount bigint, settlement_currency text,
    settlement bigint, settlement_price numeric, state text, failure_code text, created_at timestamptz,
    expires_at timestamptz, finished_at timestamptz, cancelled_at timestamptz, method_type text, issuer text,
    wallet_id uuid, authorization_id uuid, wallet_currency text, wallet_total bigint, wallet_margin bigint,
    quote_id uuid, quote_price numeric, quote_from timestamptz, quote_until timestamptz, customer_ref text,
    order_code text, refunded bigint, wallet_refunded bigint, margin_refunded bigint,
    settlement_refunded bigint, store_ref text, terminal_ref text, notify_url text, redirect_url text,
    details jsonb, asked_quote_id uuid, capture_mode text, auth_expires_at timestamptz, hold_id uuid,
    captured bigint, wallet_captured bigint, margin_captured bigint, settlement_captured bigint)
ON CONFLICT (merchant_id, id) DO UPDATE SET state = excluded.state, failure_code = excluded.failure_code,
    finished_at = excluded.finished_at, cancelled_at = excluded.cancelled_at, issuer = excluded.issuer,
    wallet_id = excluded.wallet_id, authorization_id = excluded.authorization_id,
    wallet_currency = excluded.wallet_currency, wallet_total = excluded.wallet_total,
    wallet_margin = excluded.wallet_margin, quote_id = excluded.quote_id, quote_price = excluded.quote_price,
    quote_from = excluded.quote_from, quote_until = excluded.quote_until,
    customer_ref = excluded.customer_ref, refunded = excluded.refunded,
    wallet_refunded = excluded.wallet_refunded, margin_refunded = excluded.margin_refunded,
    settlement_refunded = excluded.settlement_refunded, amount = excluded.amount,
    settlement = excluded.settlement, auth_expires_at = excluded.auth_expires_at,
    hold_id = excluded.hold_id, captured = excluded.captured, wallet_captured = excluded.wallet_captured,
    margin_captured = excluded.margin_captured, settlement_captured = excluded.settlement_captured
"""

_REFUNDS = """
INSERT INTO acquiring_refund (merchant_id, id, payment_id, client_ref, request_ref, input_hash, currency,
    amount, state, failure_code, created_at, finished_at, wallet_currency, wallet_amount, wallet_margin,
    settlement_currency, settlement, reason, notify_url, capture_id, disputed, details)
SELECT merchant_id, id, payment_id, client_ref, request_ref, decode(input_hash, 'hex'), currency, amount,
    state, failure_code, created_at, finished_at, wallet_currency, wallet_amount, wallet_margin,
    settlement_currency, settlement, reason, notify_url, capture_id, disputed, details
FROM json_to_recordset(%s::json) AS r (merchant_id uuid, id uuid, payment_id uuid, client_ref text,
    request_ref text, input_hash text, currency text, amount bigint, state text, failure_code text,
    created_at timestamptz, finished_at timestamptz, wallet_currency text, wallet_amount bigint,
    wallet_margin bigint, settlement_currency text, settlement bigint, reason text, notify_url text,
    capture_id uuid, disputed boolean, details jsonb)
ON CONFLICT (merchant_id, id) DO UPDATE SET state = excluded.state, failure_code = excluded.failure_code,
    finished_at = excluded.finished_at, wallet_currency = excluded.wallet_currency,
    wallet_amount = excluded.wallet_amount
"""

_CAPTURES = """
INSERT INTO acquiring_capture (merchant_id, id, payment_id, client_ref, request_ref, input_hash, currency,
    amount, state, failure_code, created_at, wallet_currency, wallet_amount, wallet_margin,
    settlement_currency, settlement, refunded)
SELECT merchant_id, id, payment_id, client_ref, request_ref, decode(input_hash, 'hex'), currency, amount,
    state, failure_code, created_at, wallet_currency, wallet_amount, wallet_margin, settlement_currency,
    settlement, refunded
FROM json_to_recordset(%s::json) AS r (merchant_id uuid, id uuid, payment_id uuid, client_ref text,
    request_ref text, input_hash text, currency text, amount bigint, state text, failure_code text,
    created_at timestamptz, wallet_currency text, wallet_amount bigint, wallet_margin bigint,
    settlement_currency text, settlement bigint, refunded bigint)
ON CONFLICT (merchant_id, id) DO UPDATE SET refunded = excluded.refunded
"""

_AMOUNT_UPDATES = """
INSERT INTO acquiring_amount_update (merchant_id, id, payment_id, client_ref, request_ref, input_hash,
    currency, amount, before_currency, before, state, failure_code, created_at)
SELECT merchant_id, id, payment_id, client_ref, request_ref, decode(input_hash, 'hex'), currency, amount,
    before_currency, before, state, failure_code, created_at
FROM json_to_recordset(%s::json) AS r (merchant_id uuid, id uuid, payment_id uuid, client_ref text,
    request_ref text, input_hash text, currency text, amount bigint, before_currency text, before bigint,
    state text, failure_code text, created_at timestamptz)
"""


def store_payments(views: Sequence[PaymentView]) -> Statement:
    """Insert new payments, or bring known ones up to date. Amounts change only while they are authorized."""
    return Statement(_PAYMENTS, (msgspec.json.encode([_payment(one) for one in views]).decode(),))


def store_refunds(views: Sequence[RefundView]) -> Statement:
    """Insert new refunds, or bring the state of known ones up to date."""
    return Statement(_REFUNDS, (msgspec.json.encode([_refund(one) for one in views]).decode(),))


def store_captures(views: Sequence[CaptureView]) -> Statement:
    """Insert new captures, or count what was refunded of known ones."""
    return Statement(_CAPTURES, (msgspec.json.encode([_capture(one) for one in views]).decode(),))


def store_amount_updates(views: Sequence[AmountUpdateView]) -> Statement:
    """Insert changes of authorized amounts."""
    return Statement(_AMOUNT_UPDATES, (msgspec.json.encode([_amount_update(one) for one in views]).decode(),))


def _payment(one: PaymentView) -> dict[str, Any]:
    row = _row(one)
    row["settlement_currency"], row["settlement"] = _split(one.settlement)
    row["wallet_currency"], row["wallet_total"] = _split(one.wallet_total)
    row["wallet_margin"] = _split(one.wallet_margin)[1]
    return row


def _refund(one: RefundView) -> dict[str, Any]:
    return _row(one) | _sides(one)


def _capture(one: CaptureView) -> dict[str, Any]:
    return _row(one) | _sides(one)


def _amount_update(one: AmountUpdateView) -> dict[str, Any]:
    row = _row(one)
    row["before_currency"], row["before"] = _split(one.before)
    return row


def _row(one: PaymentView | RefundView | CaptureView | AmountUpdateView) -> dict[str, Any]:
    """A record's members by name, with what all records have in the form of their columns."""
    row = {name: getattr(one, name) for name in one.__struct_fields__}
    row["input_hash"] = one.input_hash.hex()
    row["currency"], row["amount"] = _split(one.amount)
    return row


def _sides(one: RefundView | CaptureView) -> dict[str, Any]:
    """What moved on the side of the wallet, and of the merchant."""
    columns: dict[str, Any] = {}
    columns["wallet_currency"], columns["wallet_amount"] = _split(one.wallet_amount)
    columns["wallet_margin"] = _split(one.wallet_margin)[1]
    columns["settlement_currency"], columns["settlement"] = _split(one.settlement)
    return columns


def _split(money: Money | None) -> tuple[str | None, int | None]:
    return (None, None) if money is None else (money.currency, money.minor)
