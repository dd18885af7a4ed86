"""What the books moved for each payment or refund: read once, in order, for a comparison."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from uuid import UUID

from django.db import connection

from comptoir.ledger.types import Role

_CHUNK = 20_000

# Holds count for nothing; what was posted counts, plus what came in and minus what went out.
_MOVEMENTS = """
SELECT t.subject_id, a.role, t.currency,
    sum(CASE WHEN (a.id = t.credit_id) = (a.side = 'credit') THEN t.amount ELSE -t.amount END)::bigint
FROM ledger_transfer t JOIN ledger_account a ON a.id IN (t.debit_id, t.credit_id)
WHERE t.phase IN ('posted', 'post') AND a.role = ANY (%s) AND split_part(t.kind, '.', 1) = ANY (%s)
GROUP BY t.subject_id, a.role, t.currency
HAVING sum(CASE WHEN (a.id = t.credit_id) = (a.side = 'credit') THEN t.amount ELSE -t.amount END) <> 0
ORDER BY t.subject_id, a.role, t.currency
"""


def movements(roles: Sequence[Role], kinds: Sequence[str]) -> Iterator[tuple[UUID, Role, str, int]]:
    """(subject, role, currency, net in minor units) of all transfers of these kinds, in order of subject.

    A kind is what stands before the point in a transfer's kind. Nets of zero are left out.
    """
    with connection.chunked_cursor() as cursor:
        cursor.execute(_MOVEMENTS, ([role.value for role in roles], list(kinds)))
        while rows := cursor.fetchmany(_CHUNK):
            for subject_id, role, currency, net in rows:
                yield subject_id, Role(role), currency, net


def balances(role: Role) -> Iterator[tuple[UUID, str, int]]:
    """(owner, currency, posted balance in minor units) of every account of a role, in order of owner."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(
            "SELECT owner_id, currency, CASE side WHEN 'credit' THEN credits_posted - debits_posted"
            " ELSE debits_posted - credits_posted END FROM ledger_account WHERE role = %s"
            " ORDER BY owner_id, currency",
            (role.value,),
        )
        while rows := cursor.fetchmany(_CHUNK):
            yield from rows
