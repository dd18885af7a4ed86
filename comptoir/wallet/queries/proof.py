"""What each wallet ought to hold, by its own movements: for `comptoir verify`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple
from uuid import UUID

from django.db import connection

_CHUNK = 20_000

_EXPECTED = """
SELECT w.id, w.currency, coalesce(c.total, 0) - coalesce(a.taken, 0), coalesce(a.held, 0),
    coalesce(a.refunded, 0), coalesce(c.back, 0), coalesce(a.captured, 0), coalesce(t.total, 0)
FROM wallet_wallet w
LEFT JOIN (SELECT wallet_id, sum(amount)::bigint AS total,
        sum(amount) FILTER (WHERE kind <> 'top_up')::bigint AS back
    FROM wallet_credit GROUP BY wallet_id) c ON c.wallet_id = w.id
LEFT JOIN (SELECT wallet_id, sum(amount)::bigint AS total FROM wallet_capture GROUP BY wallet_id) t
    ON t.wallet_id = w.id
LEFT JOIN (SELECT wallet_id, sum(CASE state WHEN 'authorised' THEN total ELSE captured END)::bigint AS taken,
        sum(captured)::bigint AS captured, sum(refunded)::bigint AS refunded,
        sum(total - captured) FILTER (WHERE state = 'held')::bigint AS held
    FROM wallet_authorization WHERE state IN ('authorised', 'held', 'released') GROUP BY wallet_id) a
    ON a.wallet_id = w.id
ORDER BY w.id, w.currency
"""


_AGREEMENTS = """
SELECT a.wallet_id, a.id, a.merchant_id, a.state = 'ended',
    (SELECT count(*) FROM wallet_authorization d
        WHERE d.wallet_id = a.wallet_id AND d.agreement_id = a.id AND d.state = 'authorised'
            AND (d.merchant_id <> a.merchant_id OR d.total > a.payment_limit
                OR d.decided_at < a.created_at OR d.decided_at > a.ended_at))
FROM wallet_agreement a ORDER BY a.wallet_id, a.id
"""

_STRAY = """
SELECT d.id FROM wallet_authorization d
WHERE d.agreement_id IS NOT NULL AND NOT EXISTS (
    SELECT FROM wallet_agreement a WHERE a.wallet_id = d.wallet_id AND a.id = d.agreement_id)
ORDER BY d.wallet_id, d.id LIMIT 1
"""


def agreements_kept() -> Iterator[tuple[UUID, UUID, UUID, bool, int]]:
    """(wallet, agreement, merchant, ended, debits it did not allow), in order of wallet and agreement.

    A debit is not allowed when it is another merchant's, above the agreement's limit, or was decided before
    the agreement began or after it ended.
    """
    with connection.chunked_cursor() as cursor:
        cursor.execute(_AGREEMENTS)
        while rows := cursor.fetchmany(_CHUNK):
            yield from rows


def stray_debit() -> UUID | None:
    """An authorization under an agreement that the wallet never made; None if there is none."""
    with connection.cursor() as cursor:
        cursor.execute(_STRAY)
        row = cursor.fetchone()
    return row[0] if row else None


class ExpectedWallet(NamedTuple):
    """A wallet by its own records, in minor units.

    `balance` by its movements and `held` by its authorizations; what its authorizations count as refunded
    and as captured, and what credits and captures there are for it.
    """

    wallet_id: UUID
    currency: str
    balance: int
    held: int
    refunded: int
    credited: int
    captured: int
    taken: int


def expected_balances() -> Iterator[ExpectedWallet]:
    """Every wallet, in order of wallet and currency."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(_EXPECTED)
        while rows := cursor.fetchmany(_CHUNK):
            yield from map(ExpectedWallet._make, rows)
