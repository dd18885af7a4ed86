"""What stands in an account: now, as recorded at an instant, or as effective at an instant."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from comptoir.ledger.errors import AccountUnknown
from comptoir.ledger.types import AccountView, Balance, Role, Side

_NOW = """
SELECT side, currency, debits_posted, credits_posted, debits_pending, credits_pending
FROM ledger_account WHERE id = %s
"""

_ACCOUNTS = """
SELECT id, owner_id, role, floor, opened_at, closed_at, side, currency, debits_posted, credits_posted,
    debits_pending, credits_pending
FROM ledger_account
WHERE (%s::uuid IS NULL OR owner_id = %s) AND (%s::text IS NULL OR role = %s)
ORDER BY role, currency, owner_id
"""

# Batches are numbered in order of recording, so the last one up to the instant decides.
_RECORDED = """
SELECT a.side, a.currency, coalesce(b.debits_posted, 0), coalesce(b.credits_posted, 0),
    coalesce(b.debits_pending, 0), coalesce(b.credits_pending, 0)
FROM ledger_account a
LEFT JOIN LATERAL (
    SELECT * FROM ledger_balance WHERE account_id = a.id AND batch_seq <= (
        SELECT seq FROM ledger_batch WHERE recorded_at <= %s ORDER BY recorded_at DESC, seq DESC LIMIT 1)
    ORDER BY batch_seq DESC LIMIT 1
) b ON true
WHERE a.id = %s
"""

# Transfers whose effective time differs from their recording are few and have an index of their own:
# those recorded later but effective by then come in (+1), those recorded but effective later go out (-1).
_BACKDATED = """
SELECT coalesce(sum(w.sign * t.amount) FILTER (WHERE t.debit_id = %(account)s), 0)::bigint,
    coalesce(sum(w.sign * t.amount) FILTER (WHERE t.credit_id = %(account)s), 0)::bigint
FROM ledger_transfer t
JOIN ledger_batch b ON b.seq = t.batch_seq
CROSS JOIN LATERAL (SELECT CASE
    WHEN t.effective_at <= %(at)s AND b.recorded_at > %(at)s THEN 1
    WHEN t.effective_at > %(at)s AND b.recorded_at <= %(at)s THEN -1 ELSE 0 END AS sign) w
WHERE t.effective_at IS NOT NULL AND t.phase = 'posted'
    AND (t.debit_id = %(account)s OR t.credit_id = %(account)s)
"""


def balance(account_id: UUID) -> Balance:
    """The account as it stands. Raises AccountUnknown."""
    return _read(_NOW, (account_id,), account_id)


def balance_at(account_id: UUID, at: datetime) -> Balance:
    """The account as the books knew it at the instant `at` (recorded time). Raises AccountUnknown."""
    return _read(_RECORDED, (at, account_id), account_id)


def balance_effective(account_id: UUID, at: datetime) -> Balance:
    """The account as it truly was at `at`: with what was recorded later but took effect by then.

    Only posted transfers can be backdated; holds count at their recorded time. Raises AccountUnknown.
    """
    recorded = balance_at(account_id, at)
    with connection.cursor() as cursor:
        cursor.execute(_BACKDATED, {"account": account_id, "at": at})
        debits, credits = cursor.fetchone()
    return Balance(
        recorded.side,
        recorded.currency,
        recorded.debits_posted + debits,
        recorded.credits_posted + credits,
        recorded.debits_pending,
        recorded.credits_pending,
    )


def _read(sql: str, params: Sequence[Any], account_id: UUID) -> Balance:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        row = cursor.fetchone()
    if row is None:
        raise AccountUnknown(f"account {account_id.hex} is not in the books")
    side, currency, *sums = row
    return Balance(Side(side), currency, *sums)


def accounts(owner_id: UUID | None = None, role: Role | None = None) -> list[AccountView]:
    """Every account, or those of an owner or of a role, in order of role, currency and owner."""
    with connection.cursor() as cursor:
        cursor.execute(_ACCOUNTS, (owner_id, owner_id, role and role.value, role and role.value))
        rows = cursor.fetchall()
    return [
        AccountView(
            account, owner, Role(name), floor, opened_at, closed_at, Balance(Side(side), currency, *sums)
        )
        for account, owner, name, floor, opened_at, closed_at, side, currency, *sums in rows
    ]
