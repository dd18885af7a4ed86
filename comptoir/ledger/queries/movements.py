"""What the books moved for each payment or refund: read once, in order, for a comparison."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from uuid import UUID

from django.db import connection

from comptoir.kernel.money import Money
from comptoir.ledger.types import Phase, Posting, Role

_CHUNK = 20_000

_POSTINGS = """
SELECT t.subject_id, t.kind, t.phase, t.amount, t.currency, d.role, c.role, b.recorded_at
FROM ledger_transfer t
JOIN ledger_account d ON d.id = t.debit_id JOIN ledger_account c ON c.id = t.credit_id
JOIN ledger_batch b ON b.seq = t.batch_seq
WHERE t.owner_id = %s AND t.subject_id = ANY (%s) ORDER BY t.batch_seq, t.position
"""

_SUMMED = """
SELECT t.subject_id, a.role, t.currency,
    sum(CASE WHEN (a.id = t.credit_id) = (a.side = 'credit') THEN t.amount ELSE -t.amount END)::bigint
FROM ledger_transfer t JOIN ledger_account a ON a.id IN (t.debit_id, t.credit_id)
WHERE {which} AND a.role = ANY (%s) AND split_part(t.kind, '.', 1) = ANY (%s)
GROUP BY t.subject_id, a.role, t.currency
HAVING sum(CASE WHEN (a.id = t.credit_id) = (a.side = 'credit') THEN t.amount ELSE -t.amount END) <> 0
ORDER BY t.subject_id, a.role, t.currency
"""

# What was posted counts, plus what came in and minus what went out.
_MOVEMENTS = _SUMMED.format(which="t.phase IN ('posted', 'post')")

_HOLDS = _SUMMED.format(
    which="t.phase = 'pending' AND NOT EXISTS (SELECT FROM ledger_transfer r"
    " WHERE r.owner_id = t.owner_id AND r.pending_id = t.id)"
)


def movements(roles: Sequence[Role], kinds: Sequence[str]) -> Iterator[tuple[UUID, Role, str, int]]:
    """(subject, role, currency, net in minor units) of all transfers of these kinds, in order of subject.

    A kind is what stands before the point in a transfer's kind. Nets of zero are left out.
    """
    return _summed(_MOVEMENTS, roles, kinds)


def holds(roles: Sequence[Role], kinds: Sequence[str]) -> Iterator[tuple[UUID, Role, str, int]]:
    """As `movements`, of the holds of these kinds that stand: what posting them whole would move."""
    return _summed(_HOLDS, roles, kinds)


def _summed(sql: str, roles: Sequence[Role], kinds: Sequence[str]) -> Iterator[tuple[UUID, Role, str, int]]:
    with connection.chunked_cursor() as cursor:
        cursor.execute(sql, ([role.value for role in roles], list(kinds)))
        while rows := cursor.fetchmany(_CHUNK):
            for subject_id, role, currency, net in rows:
                yield subject_id, Role(role), currency, net


def postings(owner_id: UUID, subjects: Sequence[UUID]) -> list[Posting]:
    """What an owner's transfers moved about these payments, refunds and captures, in order of recording."""
    with connection.cursor() as cursor:
        cursor.execute(_POSTINGS, (owner_id, list(subjects)))
        rows = cursor.fetchall()
    return [
        Posting(
            subject_id=subject_id,
            kind=kind,
            phase=Phase(phase),
            amount=Money(amount, currency),
            debit=Role(debit),
            credit=Role(credit),
            recorded_at=recorded_at,
        )
        for subject_id, kind, phase, amount, currency, debit, credit, recorded_at in rows
    ]


def balances(role: Role) -> Iterator[tuple[UUID, str, int, int]]:
    """(owner, currency, posted, held to leave) of every account of a role, in order of owner; minor units."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(
            "SELECT owner_id, currency, CASE side WHEN 'credit' THEN credits_posted - debits_posted"
            " ELSE debits_posted - credits_posted END,"
            " CASE side WHEN 'credit' THEN debits_pending ELSE credits_pending END"
            " FROM ledger_account WHERE role = %s ORDER BY owner_id, currency",
            (role.value,),
        )
        while rows := cursor.fetchmany(_CHUNK):
            yield from rows


def crossing(owners: Sequence[UUID]) -> UUID | None:
    """The first transfer between an account of these owners and one of anybody else, or None."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT t.id FROM ledger_transfer t JOIN ledger_account d ON d.id = t.debit_id"
            " JOIN ledger_account c ON c.id = t.credit_id"
            " WHERE (d.owner_id = ANY (%s)) <> (c.owner_id = ANY (%s)) LIMIT 1",
            (list(owners), list(owners)),
        )
        row = cursor.fetchone()
    return None if row is None else row[0]
