"""Reads: rules and counters for the engine, rule sets and the decision log for the operator."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from comptoir.kernel.money import Money
from comptoir.kernel.statements import Rows, Statement, json_value
from comptoir.risk.errors import VersionUnknown
from comptoir.risk.models import RiskEntry, RiskRuleSet
from comptoir.risk.rules.reading import checked, compiled
from comptoir.risk.types import (
    NO_RULES,
    Action,
    EntryView,
    Kind,
    Look,
    Lookup,
    RuleSet,
    Scope,
    Stage,
    Total,
    VersionView,
)

_NEWEST = """
SELECT version, source, counting FROM risk_rule_set ORDER BY version DESC LIMIT 1
"""

_TOTALS = """
SELECT k.place, sum(c.payments)::bigint, sum(c.amount)::bigint
FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::int[], %s::bigint[], %s::text[])
    WITH ORDINALITY AS k (owner_id, scope, name, grain, since, currency, place)
JOIN risk_counter c ON c.owner_id = k.owner_id AND c.scope = k.scope AND c.name = k.name
    AND c.grain = k.grain AND c.bucket >= k.since AND k.currency IN ('', c.currency)
GROUP BY k.place
"""


def newest_rules() -> Statement:
    """The rule set in force; for `decode_rules`."""
    return Statement(_NEWEST)


def decode_rules(rows: Rows) -> RuleSet:
    """The rule set in force; NO_RULES where none was ever activated."""
    return _rule_set(*rows[0]) if rows else NO_RULES


def totals(asked: Sequence[Lookup]) -> Statement:
    """What limits ask for, of all charges of a batch at once; for `decode_totals`."""
    return Statement(
        _TOTALS,
        (
            [one.subject.owner_id for one in asked],
            [one.subject.scope.value for one in asked],
            [one.subject.name for one in asked],
            [one.grain for one in asked],
            [one.since for one in asked],
            [one.currency for one in asked],
        ),
    )


def decode_totals(asked: Sequence[Lookup], rows: Rows) -> dict[Lookup, Total]:
    """The totals by what was asked; what nobody ever counted is not among them."""
    return {asked[place - 1]: Total(payments, amount) for place, payments, amount in rows}


def versions() -> tuple[VersionView, ...]:
    """Every rule set there was, the newest first."""
    return tuple(
        VersionView(
            version=row.version,
            activated_at=row.activated_at,
            note=row.note,
            rules=len(row.source.get("rules", ())),
            source=dict(row.source),
        )
        for row in RiskRuleSet.objects.order_by("-version")
    )


def rule_set(version: int | None = None) -> VersionView:
    """A rule set on record, by default the one in force. Raises VersionUnknown."""
    found = next((one for one in versions() if version in (None, one.version)), None)
    if found is None:
        raise VersionUnknown("there is no such rule set", field="version")
    return found


def entries(limit: int, merchant_id: UUID | None = None, payment_id: UUID | None = None) -> list[EntryView]:
    """The newest lines of the decision log, those of a merchant or payment if one is named."""
    rows = RiskEntry.objects.order_by("-at", "-id")
    if merchant_id is not None:
        rows = rows.filter(merchant_id=merchant_id)
    if payment_id is not None:
        rows = rows.filter(payment_id=payment_id)
    return [_entry(row) for row in rows[:limit]]


def _rule_set(version: int, source: Any, counting: Any) -> RuleSet:
    kept = checked(json_value(source))
    return RuleSet(
        version=version,
        rules=compiled(kept),
        sample=kept.sample,
        counting={
            Kind(Scope(scope), grain): datetime.fromisoformat(since)
            for scope, grain, since in json_value(counting)
        },
    )


def _entry(row: RiskEntry) -> EntryView:
    return EntryView(
        merchant_id=row.merchant_id,
        payment_id=row.payment_id,
        at=row.at,
        version=row.version,
        stage=Stage(row.stage),
        action=Action(row.action) if row.action else None,
        looked=tuple(msgspec.convert(one, Look) for one in row.looked),
        amount=Money(row.amount, row.currency),
        issuer=row.issuer,
        wallet_id=row.wallet_id,
        device=row.device,
        till=row.till,
    )
