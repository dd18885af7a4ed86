"""Contradictions of issuers: recorded with the decision that met them, judged once, closed by people."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from django.db import transaction

from comptoir.acquiring.errors import ConflictClosed, ConflictUnknown, MerchantInvalid
from comptoir.acquiring.models import Conflict
from comptoir.acquiring.queries.conflicts import conflict
from comptoir.acquiring.types import ConflictView
from comptoir.kernel.statements import Statement

_LONGEST_NOTE = 256


def store_conflicts(views: Sequence[ConflictView]) -> Statement:
    """Insert conflicts; one that is there already (the same claim, told again) stays as it is."""
    return Statement(
        """
        INSERT INTO acquiring_conflict
            (merchant_id, id, payment_id, issuer, recorded, claimed, opened_at, note)
        SELECT merchant_id, id, payment_id, issuer, recorded, claimed, opened_at, note
        FROM json_to_recordset(%s::json) AS r (merchant_id uuid, id uuid, payment_id uuid, issuer text,
            recorded text, claimed text, opened_at timestamptz, note text)
        ON CONFLICT DO NOTHING
        """,
        (msgspec.json.encode(views).decode(),),
    )


def judge_conflicts(merchant_id: UUID, payment_id: UUID, verdict: str, now: datetime) -> Statement:
    """What the issuer answers when asked again. A verdict that agrees with our record closes the conflict."""
    return Statement(
        """
        UPDATE acquiring_conflict SET verdict = %s, judged_at = %s,
            closed_at = CASE WHEN recorded = %s THEN %s::timestamptz END,
            note = CASE WHEN recorded = %s THEN 'asked again, it agrees with our record' ELSE note END
        WHERE merchant_id = %s AND payment_id = %s AND verdict IS NULL AND closed_at IS NULL
        """,
        (verdict, now, verdict, now, verdict, merchant_id, payment_id),
    )


@transaction.atomic
def close_conflict(conflict_id: UUID, note: str, now: datetime) -> ConflictView:
    """People have seen to it; `note` says how. Raises ConflictUnknown, ConflictClosed, MerchantInvalid."""
    if not 1 <= len(note.strip()) <= _LONGEST_NOTE or "\0" in note:
        raise MerchantInvalid(f"a note of 1 to {_LONGEST_NOTE} characters is wanted", field="note")
    row = Conflict.objects.select_for_update().filter(id=conflict_id).first()
    if row is None:
        raise ConflictUnknown(f"there is no conflict {conflict_id.hex}", field="conflict")
    if row.closed_at is not None:
        raise ConflictClosed("this conflict is closed already", field="conflict")
    Conflict.objects.filter(id=conflict_id, merchant_id=row.merchant_id).update(
        closed_at=now, note=note.strip()
    )
    return conflict(conflict_id)
