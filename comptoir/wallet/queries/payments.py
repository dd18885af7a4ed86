"""One payment as its traveller looks it up: in full, by its id, or by the code that was shown for it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from comptoir.kernel.money import Money
from comptoir.kernel.statements import Rows
from comptoir.standards.payment_code import window_of
from comptoir.wallet.queries.engine import authorizations, decode_authorizations, newest_by_device
from comptoir.wallet.types import (
    AuthorizationView,
    CodeNews,
    Credit,
    CreditKind,
    PaymentRecord,
    WalletCapture,
)

_CAPTURES = """
SELECT id, currency, amount, charge_currency, charge, created_at FROM wallet_capture
WHERE wallet_id = %s AND authorization_id = %s AND created_at >= %s ORDER BY created_at, id
"""

_CREDITS = """
SELECT id, kind, currency, amount, note, created_at, charge_currency, charge FROM wallet_credit
WHERE wallet_id = %s AND authorization_id = %s AND created_at >= %s ORDER BY created_at, id
"""

_SCANNED = """
SELECT "window" * 10 + n, at FROM wallet_spent_code
WHERE wallet_id = %s AND device_number = %s AND "window" >= %s
"""


def authorization(wallet_id: UUID, authorization_id: UUID) -> AuthorizationView | None:
    """What this wallet was asked under this id, whatever became of it; None for what is not its own."""
    statement = authorizations([(wallet_id, authorization_id)])
    return decode_authorizations(_rows(statement.sql, statement.params)).get(authorization_id)


def payment_record(wallet_id: UUID, authorization_id: UUID) -> PaymentRecord | None:
    """One payment in full, its captures and what came back in order; None for what is not this wallet's."""
    asked = authorization(wallet_id, authorization_id)
    if asked is None:
        return None
    # Nothing about a payment is older than it: so the index over the wallet's statement is entered late.
    key = (wallet_id, authorization_id, asked.created_at)
    captures = tuple(
        WalletCapture(
            id=row[0],
            wallet_id=wallet_id,
            authorization_id=authorization_id,
            amount=Money(row[2], row[1]),
            charge=Money(row[4], row[3]),
            created_at=row[5],
        )
        for row in _rows(_CAPTURES, key)
    )
    credits = tuple(
        Credit(
            id=row[0],
            wallet_id=wallet_id,
            kind=CreditKind(row[1]),
            amount=Money(row[3], row[2]),
            created_at=row[5],
            authorization_id=authorization_id,
            note=row[4],
            charge=None if row[7] is None else Money(row[7], row[6]),
        )
        for row in _rows(_CREDITS, key)
    )
    return PaymentRecord(asked, captures, credits)


def code_news(wallet_id: UUID, device: int, since: datetime) -> CodeNews:
    """What became of the codes that this device of the wallet has shown since then.

    A payment that waits, was made, or holds money; a code that was presented in vain is only `scanned_at`.
    """
    statement = newest_by_device(wallet_id, device, since)
    found = decode_authorizations(_rows(statement.sql, statement.params))
    newest = max(found.values(), key=lambda one: (one.created_at, one.id), default=None)
    scanned = _rows(_SCANNED, (wallet_id, device, window_of(since) - 1))
    latest = max((at for _, at in scanned if at >= since), default=None)
    return CodeNews(newest, latest, frozenset(used for used, _ in scanned))


def _rows(sql: str, params: Sequence[Any]) -> Rows:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()
