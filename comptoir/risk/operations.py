"""Writes: the engine's record of a whole batch, and the operator's new rule sets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from django.db import transaction

from comptoir.db.epoch import raise_epoch
from comptoir.db.run import read
from comptoir.kernel.statements import Statement
from comptoir.risk.models import RiskRuleSet
from comptoir.risk.queries import decode_rules, newest_rules
from comptoir.risk.rules.counting import GRAINS, changes, oldest_bucket, still_counting
from comptoir.risk.rules.reading import RuleSetSource, compiled, plain
from comptoir.risk.types import Count, Entry, Kind

_ENTRIES = """
INSERT INTO risk_entry (merchant_id, id, payment_id, at, version, stage, action, looked, currency, amount,
    issuer, wallet_id, device, till)
SELECT * FROM json_to_recordset(%s::json) AS r (merchant_id uuid, id uuid, payment_id uuid, at timestamptz,
    version int, stage text, action text, looked jsonb, currency text, amount bigint, issuer text,
    wallet_id uuid, device int, till text)
"""

_COUNTS = """
INSERT INTO risk_counter AS c (owner_id, scope, name, grain, bucket, currency, payments, amount)
SELECT * FROM json_to_recordset(%s::json) AS r (owner_id uuid, scope text, name text, grain int,
    bucket bigint, currency text, payments int, amount bigint)
ON CONFLICT (owner_id, scope, name, grain, bucket, currency) DO UPDATE
    SET payments = c.payments + excluded.payments, amount = c.amount + excluded.amount
"""

_FORGET = """
DELETE FROM risk_counter WHERE (owner_id, scope, name, grain, bucket, currency) IN (
    SELECT owner_id, scope, name, grain, bucket, currency FROM risk_counter
    WHERE grain = %s AND bucket < %s LIMIT %s FOR UPDATE SKIP LOCKED
) RETURNING grain
"""


def record(
    entries: Sequence[Entry], counts: Sequence[Count], counting: Mapping[Kind, datetime]
) -> list[Statement]:
    """Keep entries, and count charges: a statement each, for what there is."""
    work: list[Statement] = []
    if entries:
        work.append(Statement(_ENTRIES, (_json([_entry(one) for one in entries]),)))
    if changed := changes(counts, counting):
        names = ("owner_id", "scope", "name", "grain", "bucket", "currency", "payments", "amount")
        rows = [
            dict(zip(names, (*whose, grain, number, currency, *total), strict=True))
            for (whose, grain, number, currency), total in changed.items()
        ]
        work.append(Statement(_COUNTS, (_json(rows),)))
    return work


def forget_counters(now: datetime, limit: int) -> list[Statement]:
    """Delete, of each bucket size, up to `limit` counters that no rule can look at. One row per counter."""
    return [Statement(_FORGET, (grain, oldest_bucket(now, grain), limit)) for grain, _ in GRAINS]


def activate(source: RuleSetSource, note: str, now: datetime) -> int:
    """Put a rule set in force, from the next batch on; its version. The caller has taken the books.

    What was counted before and still is goes on; what is counted for the first time begins now.
    """
    with transaction.atomic():
        before = decode_rules(read(newest_rules()))
        counting = still_counting(before, compiled(source), now)
        row = RiskRuleSet.objects.create(
            version=before.version + 1,
            activated_at=now,
            note=note,
            source=plain(source),
            counting=[[kind.scope.value, kind.grain, since.isoformat()] for kind, since in counting.items()],
        )
        read(raise_epoch())
    return row.version


def _entry(one: Entry) -> dict[str, Any]:
    charge, assessment = one.charge, one.assessment
    return {
        "merchant_id": charge.merchant_id,
        "id": one.id,
        "payment_id": one.payment_id,
        "at": one.at,
        "version": one.version,
        "stage": one.stage.value,
        "action": assessment.action.value if assessment.action else "",
        "looked": assessment.looked,
        "currency": charge.amount.currency,
        "amount": charge.amount.minor,
        "issuer": charge.issuer,
        "wallet_id": charge.wallet_id,
        "device": charge.device,
        "till": charge.till,
    }


def _json(rows: list[dict[str, Any]]) -> str:
    return msgspec.json.encode(rows).decode()
