"""What the payment engine writes to wallets, a whole batch at a time and in its transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from comptoir.kernel.statements import Statement
from comptoir.wallet.rules import BAD_CODES_BEFORE_LOCK, LOCK_MINUTES
from comptoir.wallet.types import (
    AgreementView,
    AuthorizationView,
    CodeUse,
    Credit,
    Spending,
    WalletCapture,
)

_AUTHORIZATIONS = """
INSERT INTO wallet_authorization (wallet_id, id, merchant_id, payment_id, payee, currency, total, margin,
    charge_currency, charge, price, quote_id, state, created_at, expires_at, spent_on, decided_at, refunded,
    captured, approved, agreement_id, device, acted_on)
SELECT * FROM json_to_recordset(%s::json) AS r (wallet_id uuid, id uuid, merchant_id uuid,
    payment_id uuid, payee text, currency text, total bigint, margin bigint, charge_currency text,
    charge bigint, price numeric, quote_id uuid, state text, created_at timestamptz,
    expires_at timestamptz, spent_on date, decided_at timestamptz, refunded bigint,
    captured bigint, approved bigint, agreement_id uuid, device int,
    acted_on int)
ON CONFLICT (wallet_id, id) DO UPDATE SET state = excluded.state, decided_at = excluded.decided_at,
    spent_on = excluded.spent_on, refunded = excluded.refunded, captured = excluded.captured,
    approved = excluded.approved, total = excluded.total, margin = excluded.margin, charge = excluded.charge,
    acted_on = excluded.acted_on
"""

_CAPTURES = """
INSERT INTO wallet_capture (wallet_id, id, authorization_id, currency, amount, charge_currency, charge,
    created_at)
SELECT * FROM json_to_recordset(%s::json) AS r (wallet_id uuid, id uuid, authorization_id uuid,
    currency text, amount bigint, charge_currency text, charge bigint, created_at timestamptz)
"""

# No ON CONFLICT: a code that is spent twice is a broken invariant and stops the batch.
_CODES = """
INSERT INTO wallet_spent_code (wallet_id, device_number, "window", n, at)
SELECT * FROM json_to_recordset(%s::json)
    AS r (wallet_id uuid, device_number int, "window" int, n smallint, at timestamptz)
"""

_GOOD_DEVICES = """
UPDATE wallet_device SET bad_codes = 0, locked_until = NULL WHERE number = ANY (%s) AND bad_codes > 0
"""

_BAD_DEVICE = """
UPDATE wallet_device SET
    bad_codes = CASE WHEN bad_codes + 1 >= %s THEN 0 ELSE bad_codes + 1 END,
    locked_until = CASE WHEN bad_codes + 1 >= %s THEN %s ELSE locked_until END
WHERE number = %s
"""

_SPENDING = """
INSERT INTO wallet_day_spending (wallet_id, "on", spent)
SELECT wallet_id, "on", sum(amount)
FROM json_to_recordset(%s::json) AS r (wallet_id uuid, "on" date, amount bigint) GROUP BY wallet_id, "on"
ON CONFLICT (wallet_id, "on") DO UPDATE SET spent = wallet_day_spending.spent + excluded.spent
"""

_GIVE_BACK = """
UPDATE wallet_day_spending s SET spent = s.spent - r.amount
FROM (SELECT wallet_id, "on", sum(amount) AS amount
    FROM json_to_recordset(%s::json) AS x (wallet_id uuid, "on" date, amount bigint)
    GROUP BY wallet_id, "on") r
WHERE s.wallet_id = r.wallet_id AND s."on" = r."on"
"""

_CREDITS = """
INSERT INTO wallet_credit (wallet_id, id, kind, currency, amount, authorization_id, note, charge_currency,
    charge, created_at)
SELECT * FROM json_to_recordset(%s::json) AS r (wallet_id uuid, id uuid, kind text, currency text,
    amount bigint, authorization_id uuid, note text, charge_currency text, charge bigint,
    created_at timestamptz)
"""


_AGREEMENTS = """
INSERT INTO wallet_agreement (wallet_id, id, merchant_id, payee, payment_limit, day_limit, state, created_at,
    ended_at)
SELECT wallet_id, id, merchant_id, payee, payment_limit, day_limit, state, created_at, ended_at
FROM json_to_recordset(%s::json) AS r (wallet_id uuid, id uuid, merchant_id uuid, payee text,
    payment_limit bigint, day_limit bigint, state text, created_at timestamptz, ended_at timestamptz)
ON CONFLICT (wallet_id, id) DO UPDATE SET state = excluded.state, ended_at = excluded.ended_at
"""


def store_agreements(views: Sequence[AgreementView]) -> Statement:
    """Insert new agreements, or bring the state of known ones up to date."""
    return Statement(_AGREEMENTS, (_json(msgspec.structs.asdict(one) for one in views),))


def store_authorizations(views: Sequence[AuthorizationView]) -> Statement:
    """Insert new authorizations, or bring the state of known ones up to date."""
    return Statement(
        _AUTHORIZATIONS,
        (
            _json(
                {
                    "wallet_id": one.wallet_id,
                    "id": one.id,
                    "merchant_id": one.merchant_id,
                    "payment_id": one.payment_id,
                    "payee": one.payee,
                    "currency": one.total.currency,
                    "total": one.total.minor,
                    "margin": one.margin,
                    "charge_currency": one.charge.currency,
                    "charge": one.charge.minor,
                    "price": one.price,
                    "quote_id": one.quote_id,
                    "state": one.state.value,
                    "created_at": one.created_at,
                    "expires_at": one.expires_at,
                    "spent_on": one.spent_on,
                    "decided_at": one.decided_at,
                    "refunded": one.refunded,
                    "captured": one.captured,
                    "approved": one.approved,
                    "agreement_id": one.agreement_id,
                    "device": one.device,
                    "acted_on": one.acted_on,
                }
                for one in views
            ),
        ),
    )


def store_wallet_captures(captures: Sequence[WalletCapture]) -> Statement:
    """Record money that left wallets by captures; the postings are the ledger's."""
    return Statement(
        _CAPTURES,
        (
            _json(
                {
                    "wallet_id": one.wallet_id,
                    "id": one.id,
                    "authorization_id": one.authorization_id,
                    "currency": one.amount.currency,
                    "amount": one.amount.minor,
                    "charge_currency": one.charge.currency,
                    "charge": one.charge.minor,
                    "created_at": one.created_at,
                }
                for one in captures
            ),
        ),
    )


def spend_codes(uses: Sequence[CodeUse]) -> list[Statement]:
    """Record codes as spent; their devices' count of wrong codes starts afresh."""
    return [
        Statement(_CODES, (_json(msgspec.structs.asdict(one) for one in uses),)),
        Statement(_GOOD_DEVICES, ([one.device_number for one in uses],)),
    ]


def count_bad_code(device_number: int, now: datetime) -> Statement:
    """Count a wrong code against a device; after BAD_CODES_BEFORE_LOCK in a row it is refused for a while."""
    locked_until = now + timedelta(minutes=LOCK_MINUTES)
    return Statement(_BAD_DEVICE, (BAD_CODES_BEFORE_LOCK, BAD_CODES_BEFORE_LOCK, locked_until, device_number))


def add_spending(spendings: Sequence[Spending]) -> Statement:
    """Count what wallets spent on a day towards their day limit."""
    return Statement(_SPENDING, (_json(msgspec.structs.asdict(one) for one in spendings),))


def give_back_spending(spendings: Sequence[Spending]) -> Statement:
    """Take back what was counted for payments that were cancelled, and for money held that was let go."""
    return Statement(_GIVE_BACK, (_json(msgspec.structs.asdict(one) for one in spendings),))


def store_credits(credits: Sequence[Credit]) -> Statement:
    """Record money that came into wallets; the postings are the ledger's."""
    return Statement(
        _CREDITS,
        (
            _json(
                {
                    "wallet_id": one.wallet_id,
                    "id": one.id,
                    "kind": one.kind.value,
                    "currency": one.amount.currency,
                    "amount": one.amount.minor,
                    "authorization_id": one.authorization_id,
                    "note": one.note,
                    "charge_currency": one.charge and one.charge.currency,
                    "charge": one.charge and one.charge.minor,
                    "created_at": one.created_at,
                }
                for one in credits
            ),
        ),
    )


def _json(rows: Iterable[dict[str, Any]]) -> str:
    return msgspec.json.encode(list(rows)).decode()
