"""What rules say of a charge. Pure: rule set, charge, instant and counters in, assessment out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from comptoir.kernel.money import Money
from comptoir.risk.rules.counting import seconds
from comptoir.risk.types import (
    PASSED,
    STRICTNESS,
    Assessment,
    Charge,
    Concern,
    Look,
    Lookup,
    Rule,
    RuleSet,
    Total,
    subjects,
)


def concerns(rules: RuleSet, charge: Charge, now: datetime) -> list[Concern]:
    """The rules whose conditions a charge meets, in order, with what their limits have to know.

    A limit that has nobody to count for (no phone, no till) concerns nobody.
    """
    found: list[Concern] = []
    second, whose = seconds(now), None
    for rule in rules.rules:
        if not _met(rule, charge, now):
            continue
        limit = rule.limit
        if limit is None:
            found.append(Concern(rule, None))
            continue
        whose = subjects(charge, rules.scopes) if whose is None else whose
        if limit.per in whose:
            since = (second - limit.window) // limit.grain
            asked = Lookup(whose[limit.per], limit.grain, since, rule.currency or "")
            found.append(Concern(rule, asked))
    return found


def assess(found: Sequence[Concern], amount: Money, total: Callable[[Lookup], Total]) -> Assessment:
    """What the rules that concern a charge of `amount` say; `total` answers from the counters.

    The strictest action of those that fire holds. More in the counters never makes a rule fire less:
    whoever knows bounds of them knows what is certain.
    """
    looked: list[Look] = []
    strictest = -1
    for rule, asked in found:
        measured = _measured(rule, total(asked), amount) if asked is not None else None
        fired = measured is None or rule.limit is None or measured > rule.limit.most
        looked.append(Look(rule.id, fired, measured))
        if fired:
            strictest = max(strictest, STRICTNESS.index(rule.action))
    if not looked:
        return PASSED
    return Assessment(STRICTNESS[strictest] if strictest >= 0 else None, tuple(looked))


def sways(
    found: Sequence[Concern], amount: Money, total: Callable[[Lookup], Total], more: Callable[[Lookup], Total]
) -> bool:
    """Whether a limit would fire with all that `more` may add to the counters, and does not without."""
    for rule, asked in found:
        if asked is None or rule.limit is None:
            continue
        payments, minor = more(asked)
        added = minor if rule.limit.of_amount else payments
        if added and 0 <= rule.limit.most - _measured(rule, total(asked), amount) < added:
            return True
    return False


def _measured(rule: Rule, total: Total, amount: Money) -> int:
    """Payments, or minor units, with this one among them."""
    of_amount = rule.limit is not None and rule.limit.of_amount
    return total.amount + amount.minor if of_amount else total.payments + 1


def _met(rule: Rule, charge: Charge, now: datetime) -> bool:
    """Whether every condition of a rule holds."""
    return (
        (not rule.wallets or charge.wallet_id in rule.wallets)
        and (not rule.devices or charge.device in rule.devices)
        and (not rule.merchants or charge.merchant_ref in rule.merchants)
        and (not rule.terminals or _terminal(charge) in rule.terminals)
        and (not rule.issuers or charge.issuer in rule.issuers)
        and (not rule.mccs or charge.mcc in rule.mccs)
        and (not rule.countries or charge.country in rule.countries)
        and (rule.currency is None or charge.amount.currency == rule.currency)
        and (rule.above is None or charge.amount.minor > rule.above)
        and (rule.up_to is None or charge.amount.minor <= rule.up_to)
        and _in_time(rule, now)
    )


def _terminal(charge: Charge) -> str | None:
    return None if charge.till is None else f"{charge.merchant_ref}/{charge.till}"


def _in_time(rule: Rule, now: datetime) -> bool:
    """Whether now is in the rule's hours and on one of its days, on the clocks of its zone."""
    if rule.hours is None and not rule.days:
        return True
    local = now.astimezone(ZoneInfo(rule.zone))
    if rule.days and local.weekday() not in rule.days:
        return False
    if rule.hours is None:
        return True
    start, end = rule.hours
    minute = local.hour * 60 + local.minute
    return start <= minute < end if start < end else minute >= start or minute < end
