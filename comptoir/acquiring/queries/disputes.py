"""Disputes as views, and their documents: for the engine, the doors, the worker and the desk."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from comptoir.acquiring.queries.listing import NEWEST_FIRST, Place
from comptoir.acquiring.queries.payments import BY_ID, IdKey
from comptoir.acquiring.types import (
    DOCUMENT_PURPOSE,
    AcceptReason,
    DisputeKind,
    DisputeState,
    DisputeView,
    DocumentFormat,
    DocumentRole,
)
from comptoir.db.sealed import unseal
from comptoir.kernel.money import Money
from comptoir.kernel.statements import Row, Rows, Statement

_DISPUTE = """
SELECT d.id, d.merchant_id, d.payment_id, d.kind, d.amount, d.currency, d.reason_code, d.reason, d.state,
    d.created_at, d.due_at, d.look_at, d.held, d.accept_reason, d.changed_by, d.defended_at, d.ended_at
FROM acquiring_dispute d
"""


def disputes_by_id(keys: Sequence[IdKey]) -> Statement:
    """Disputes by (merchant id, id)."""
    return Statement(_DISPUTE + BY_ID, [[key[i] for key in keys] for i in range(2)])


def disputes_of_payment(merchant_id: UUID, payment_id: UUID) -> Statement:
    """All disputes of one payment, oldest first."""
    return Statement(
        _DISPUTE + "WHERE d.merchant_id = %s AND d.payment_id = %s ORDER BY d.created_at, d.id",
        (merchant_id, payment_id),
    )


def disputes_named(dispute_id: UUID) -> Statement:
    """The dispute of an id, whosever it is: for the desk."""
    return Statement(_DISPUTE + "WHERE d.id = %s", (dispute_id,))


def disputes_listed(
    limit: int, merchant_id: UUID | None, *, only_waiting: bool, after: Place | None = None
) -> Statement:
    """The newest disputes, or those below `after`: of one merchant if it is named, that wait if so asked."""
    parts: list[str] = []
    params: list[Any] = []
    if merchant_id is not None:
        parts.append("d.merchant_id = %s")
        params.append(merchant_id)
    if only_waiting:
        parts.append("d.state IN ('OPEN', 'DEFENDED')")
    if after is not None:
        parts.append("(d.created_at, d.id) < (%s, %s)")
        params += after
    where = f"WHERE {' AND '.join(parts)}" if parts else ""
    return Statement(f"{_DISPUTE} {where}{NEWEST_FIRST.format('d')}", [*params, limit])


def due_disputes(now: datetime, limit: int) -> Statement:
    """(merchant id, dispute id) of disputes that the worker has to look at."""
    return Statement(
        "SELECT merchant_id, id FROM acquiring_dispute WHERE look_at <= %s ORDER BY look_at LIMIT %s",
        (now, limit),
    )


def dispute_document(merchant_id: UUID, dispute_id: UUID, role: DocumentRole) -> Statement:
    """One document of a dispute; for `decode_document`."""
    return Statement(
        "SELECT id, format, sealed FROM acquiring_dispute_document"
        " WHERE merchant_id = %s AND dispute_id = %s AND role = %s",
        (merchant_id, dispute_id, role.value),
    )


def decode_document(rows: Rows) -> tuple[DocumentFormat, bytes] | None:
    """(format, content) of a document, or None if there is none. Raises CannotUnseal."""
    if not rows:
        return None
    document_id, kind, sealed = rows[0]
    return DocumentFormat(kind), unseal(bytes(sealed), DOCUMENT_PURPOSE, document_id.hex)


def decode_disputes(rows: Rows) -> list[DisputeView]:
    """Rows of any disputes statement as views."""
    return [_dispute(row) for row in rows]


def _dispute(row: Row) -> DisputeView:
    return DisputeView(
        id=row[0],
        merchant_id=row[1],
        payment_id=row[2],
        kind=DisputeKind(row[3]),
        amount=Money(row[4], row[5]),
        reason_code=row[6],
        reason=row[7],
        state=DisputeState(row[8]),
        created_at=row[9],
        due_at=row[10],
        look_at=row[11],
        held=row[12],
        accept_reason=AcceptReason(row[13]) if row[13] else None,
        changed_by=row[14],
        defended_at=row[15],
        ended_at=row[16],
    )
