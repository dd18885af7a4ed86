"""What each wallet ought to hold, by its own movements: for `comptoir verify`."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from django.db import connection

_CHUNK = 20_000

_EXPECTED = """
SELECT w.id, w.currency, coalesce(c.total, 0) - coalesce(a.total, 0), coalesce(a.refunded, 0),
    coalesce(c.back, 0)
FROM wallet_wallet w
LEFT JOIN (SELECT wallet_id, sum(amount)::bigint AS total,
        sum(amount) FILTER (WHERE kind <> 'top_up')::bigint AS back
    FROM wallet_credit GROUP BY wallet_id) c ON c.wallet_id = w.id
LEFT JOIN (SELECT wallet_id, sum(total)::bigint AS total, sum(refunded)::bigint AS refunded
    FROM wallet_authorization WHERE state = 'authorised' GROUP BY wallet_id) a ON a.wallet_id = w.id
ORDER BY w.id, w.currency
"""


def expected_balances() -> Iterator[tuple[UUID, str, int, int, int]]:
    """(wallet, currency, balance by its movements, refunded by its authorizations, credited back).

    Amounts in minor units; in order of wallet and currency.
    """
    with connection.chunked_cursor() as cursor:
        cursor.execute(_EXPECTED)
        while rows := cursor.fetchmany(_CHUNK):
            yield from rows
