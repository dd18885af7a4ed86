"""What the payment engine writes of agreements, a whole batch at a time, and what may be forgotten."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from comptoir.acquiring.types import AgreementView
from comptoir.kernel.statements import Statement

#: How long a request that nobody approved stays after its time, for whoever reloads its page.
_STALE_KEPT: Final = timedelta(days=1)

_HASHES: Final = ("grant_hash", "access_hash", "refresh_hash")

_AGREEMENTS = """
INSERT INTO acquiring_agreement (merchant_id, id, client_ref, consent_code, state, state_ref, method_type,
    redirect_url, created_at, expires_at, grant_hash, grant_expires_at, access_hash, access_expires_at,
    refresh_hash, refresh_expires_at, auth_client_ref, notify_url, wallet_id, customer_ref, ended_at,
    ended_by)
SELECT merchant_id, id, client_ref, consent_code, state, state_ref, method_type, redirect_url, created_at,
    expires_at, decode(grant_hash, 'hex'), grant_expires_at, decode(access_hash, 'hex'), access_expires_at,
    decode(refresh_hash, 'hex'), refresh_expires_at, auth_client_ref, notify_url, wallet_id, customer_ref,
    ended_at, ended_by
FROM json_to_recordset(%s::json) AS r (merchant_id uuid, id uuid, client_ref text, consent_code text,
    state text, state_ref text, method_type text, redirect_url text, created_at timestamptz,
    expires_at timestamptz, grant_hash text, grant_expires_at timestamptz, access_hash text,
    access_expires_at timestamptz, refresh_hash text, refresh_expires_at timestamptz, auth_client_ref text,
    notify_url text, wallet_id uuid, customer_ref text, ended_at timestamptz, ended_by text)
ON CONFLICT (merchant_id, id) DO UPDATE SET state = excluded.state, grant_hash = excluded.grant_hash,
    grant_expires_at = excluded.grant_expires_at, access_hash = excluded.access_hash,
    access_expires_at = excluded.access_expires_at, refresh_hash = excluded.refresh_hash,
    refresh_expires_at = excluded.refresh_expires_at, wallet_id = excluded.wallet_id,
    customer_ref = excluded.customer_ref, ended_at = excluded.ended_at, ended_by = excluded.ended_by
"""

_PURGE = """
DELETE FROM acquiring_agreement WHERE (merchant_id, id) IN (
    SELECT merchant_id, id FROM acquiring_agreement
    WHERE state IN ('open', 'declined') AND expires_at < %s LIMIT %s FOR UPDATE SKIP LOCKED) RETURNING 1
"""


def store_agreements(views: Sequence[AgreementView]) -> Statement:
    """Insert new agreements, or bring known ones up to date. What was asked for never changes."""
    return Statement(_AGREEMENTS, (msgspec.json.encode([_agreement(one) for one in views]).decode(),))


def purge_stale_agreements(now: datetime, limit: int) -> Statement:
    """Forget up to `limit` requests that nobody approved in time; a row for each that was forgotten."""
    return Statement(_PURGE, (now - _STALE_KEPT, limit))


def _agreement(one: AgreementView) -> dict[str, Any]:
    row = msgspec.structs.asdict(one)
    for name in _HASHES:
        row[name] = row[name].hex() if row[name] is not None else None
    return row
