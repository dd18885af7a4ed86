"""Agreements as views: for the engine, the doors, the worker and `comptoir verify`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple
from uuid import UUID

from django.db import connection

from comptoir.acquiring.types import AgreementEnd, AgreementState, AgreementView
from comptoir.kernel.statements import Row, Rows, Statement

_CHUNK = 20_000

#: A merchant and the SHA-256 of a code or token it presents.
HashKey = tuple[UUID, bytes]

_AGREEMENT = """
SELECT a.id, a.merchant_id, a.client_ref, a.consent_code, a.state, a.state_ref, a.method_type, a.redirect_url,
    a.created_at, a.expires_at, a.grant_hash, a.grant_expires_at, a.access_hash, a.access_expires_at,
    a.refresh_hash, a.refresh_expires_at, a.auth_client_ref, a.notify_url, a.wallet_id, a.customer_ref,
    a.ended_at, a.ended_by
FROM acquiring_agreement a
"""

_BY_ID = "JOIN unnest(%s::uuid[], %s::uuid[]) AS k (merchant_id, id) USING (merchant_id, id)"
_BY_ACCESS = (
    "JOIN unnest(%s::uuid[], %s::bytea[]) AS k (merchant_id, hash)"
    " ON a.merchant_id = k.merchant_id AND a.access_hash = k.hash"
)
# Two look-ups by key: one with OR would read all of a merchant's agreements.
_BY_GRANT = """
JOIN (SELECT g.merchant_id, g.id FROM acquiring_agreement g
        JOIN unnest(%s::uuid[], %s::bytea[]) AS k (merchant_id, hash)
            ON g.merchant_id = k.merchant_id AND g.grant_hash = k.hash
    UNION SELECT g.merchant_id, g.id FROM acquiring_agreement g
        JOIN unnest(%s::uuid[], %s::bytea[]) AS k (merchant_id, hash)
            ON g.merchant_id = k.merchant_id AND g.refresh_hash = k.hash
) found USING (merchant_id, id)
"""

_IN_FORCE = """
SELECT wallet_id, id, merchant_id, state = 'ended' FROM acquiring_agreement
WHERE state IN ('approved', 'active', 'ended') ORDER BY wallet_id, id
"""


def agreements_by_id(keys: Sequence[tuple[UUID, UUID]]) -> Statement:
    """Agreements by (merchant id, id)."""
    return Statement(_AGREEMENT + _BY_ID, [[key[i] for key in keys] for i in range(2)])


def agreements_by_access(keys: Sequence[HashKey]) -> Statement:
    """A merchant's agreements by their present access tokens, whatever became of them."""
    return Statement(_AGREEMENT + _BY_ACCESS, [[key[i] for key in keys] for i in range(2)])


def agreements_by_grant(keys: Sequence[HashKey]) -> Statement:
    """A merchant's agreements by what tokens are made from: an authorization code, or a refresh token."""
    columns = [[key[i] for key in keys] for i in range(2)]
    return Statement(_AGREEMENT + _BY_GRANT, columns * 2)


def agreements_by_code(codes: Sequence[str]) -> Statement:
    """Agreements by the code of their page."""
    return Statement(_AGREEMENT + "WHERE a.consent_code = ANY (%s)", (list(codes),))


def decode_agreements(rows: Rows) -> list[AgreementView]:
    """Rows of any agreements statement as views."""
    return [_agreement(row) for row in rows]


class InForce(NamedTuple):
    """An agreement that a wallet once approved, as the merchant's side knows it."""

    wallet_id: UUID
    id: UUID
    merchant_id: UUID
    ended: bool


def approved_agreements() -> Iterator[InForce]:
    """Every agreement that a wallet approved, ended or not, in order of wallet and id."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(_IN_FORCE)
        while rows := cursor.fetchmany(_CHUNK):
            for row in rows:
                yield InForce(*row)


def _agreement(row: Row) -> AgreementView:
    return AgreementView(
        id=row[0],
        merchant_id=row[1],
        client_ref=row[2],
        consent_code=row[3],
        state=AgreementState(row[4]),
        state_ref=row[5],
        method_type=row[6],
        redirect_url=row[7],
        created_at=row[8],
        expires_at=row[9],
        grant_hash=bytes(row[10]),
        grant_expires_at=row[11],
        access_hash=_bytes(row[12]),
        access_expires_at=row[13],
        refresh_hash=_bytes(row[14]),
        refresh_expires_at=row[15],
        auth_client_ref=row[16],
        notify_url=row[17],
        wallet_id=row[18],
        customer_ref=row[19],
        ended_at=row[20],
        ended_by=AgreementEnd(row[21]) if row[21] else None,
    )


def _bytes(value: bytes | memoryview | None) -> bytes | None:
    return None if value is None else bytes(value)
