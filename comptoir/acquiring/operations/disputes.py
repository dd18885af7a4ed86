"""What is written of disputes: the records by the engine, a document sealed before it goes there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from uuid import UUID

import msgspec

from comptoir.acquiring.rules import document_format
from comptoir.acquiring.types import DOCUMENT_PURPOSE, DisputeView, Document, DocumentRole
from comptoir.db.sealed import seal
from comptoir.kernel.ids import derived_id
from comptoir.kernel.statements import Statement

_DISPUTES = """
INSERT INTO acquiring_dispute (merchant_id, id, payment_id, kind, currency, amount, reason_code, reason,
    state, held, created_at, due_at, look_at, accept_reason, changed_by, defended_at, ended_at)
SELECT * FROM json_to_recordset(%s::json) AS r (merchant_id uuid, id uuid, payment_id uuid, kind text,
    currency text, amount bigint, reason_code text, reason text, state text, held boolean,
    created_at timestamptz, due_at timestamptz, look_at timestamptz, accept_reason text, changed_by text,
    defended_at timestamptz, ended_at timestamptz)
ON CONFLICT (merchant_id, id) DO UPDATE SET state = excluded.state, look_at = excluded.look_at,
    accept_reason = excluded.accept_reason, changed_by = excluded.changed_by,
    defended_at = excluded.defended_at, ended_at = excluded.ended_at
"""

# No ON CONFLICT: a second document of a role is a broken invariant and stops the batch.
_DOCUMENTS = """
INSERT INTO acquiring_dispute_document (merchant_id, dispute_id, role, id, format, size, sha256, sealed,
    created_at)
SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::text[], %s::uuid[], %s::text[], %s::int[], %s::bytea[],
    %s::bytea[], %s::timestamptz[])
"""


def seal_document(content: bytes, role: DocumentRole, dispute_id: UUID) -> Document:
    """Check what a document is, and seal it for its dispute. Raises DocumentUnfit."""
    kind = document_format(content)
    document_id = derived_id("dispute-document", dispute_id.hex, role.value)
    sealed = seal(content, DOCUMENT_PURPOSE, document_id.hex)
    return Document(document_id, role, kind, len(content), sha256(content).digest(), sealed)


def store_disputes(views: Sequence[DisputeView]) -> Statement:
    """Insert new disputes, or bring the state of known ones up to date."""
    rows = []
    for one in views:
        row = msgspec.structs.asdict(one)
        row["currency"], row["amount"] = one.amount.currency, one.amount.minor
        rows.append(row)
    return Statement(_DISPUTES, (msgspec.json.encode(rows).decode(),))


def store_documents(documents: Sequence[tuple[DisputeView, Document]], now: datetime) -> Statement:
    """Keep documents of disputes."""
    return Statement(
        _DOCUMENTS,
        (
            [dispute.merchant_id for dispute, _ in documents],
            [dispute.id for dispute, _ in documents],
            [one.role.value for _, one in documents],
            [one.id for _, one in documents],
            [one.format.value for _, one in documents],
            [one.size for _, one in documents],
            [one.sha256 for _, one in documents],
            [one.sealed for _, one in documents],
            [now] * len(documents),
        ),
    )
