"""A rule set tried on the past: what it would have said, charge by charge, without a database."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import count
from uuid import UUID

from msgspec.structs import replace

from comptoir.risk.rules.assessing import assess, concerns
from comptoir.risk.rules.counting import Tally, still_counting
from comptoir.risk.types import (
    NO_RULES,
    PASSED,
    STRICTNESS,
    Action,
    Assessment,
    Charge,
    Count,
    Past,
    PastChange,
    Rehearsal,
    RehearsalLine,
    Rule,
    RuleSet,
    Said,
    Stage,
)

#: Counters that nobody can look at any more are dropped after every so many charges.
_TIDY = 20_000

_ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)


def replay(rules: Iterable[Rule], past: Iterable[Past]) -> Iterator[Said]:
    """What `rules` would have said of past charges, which come in the order in which they began.

    A charge that they refuse counts for nothing from then on, and an authorization that they do not let grow
    stays as it was; what other rules refused then is taken for made.
    Of what happened at one instant, what had begun earlier comes first.
    """
    ordered = tuple(rules)
    rule_set = RuleSet(rules=ordered, counting=still_counting(NO_RULES, ordered, _ALWAYS))
    tally = Tally(rule_set.counting)
    later: list[tuple[datetime, int, Iterator[datetime | Said]]] = []
    numbers = count()

    def go_on(life: Iterator[datetime | Said]) -> Iterator[Said]:
        for step in life:
            if not isinstance(step, Said):
                heapq.heappush(later, (step, next(numbers), life))
                return
            yield step

    for number, one in enumerate(past):
        while later and later[0][0] <= one.begun_at:
            yield from go_on(heapq.heappop(later)[2])
        yield from go_on(_life(one, rule_set, tally))
        if number % _TIDY == _TIDY - 1:
            tally.forget(one.begun_at)
    while later:
        yield from go_on(heapq.heappop(later)[2])


def _life(one: Past, rules: RuleSet, tally: Tally) -> Iterator[datetime | Said]:
    """One charge from its beginning to its end: each instant that it waits for, and what is said of it."""

    def look(stage: Stage, at: datetime, charge: Charge, change: Past | PastChange = one) -> Said:
        assessment = assess(concerns(rules, charge, at), charge.amount, tally.total)
        return Said(one, stage, at, charge, change.paid, change.unasked, assessment)

    charge = one.charge
    if one.at_once:
        yield (said := look(Stage.PAY, one.begun_at, charge))
        if said.action is Action.REFUSE:
            return
    if one.confirmed_at is not None:
        yield one.confirmed_at
        charge = replace(charge, device=one.confirmed_on)
        yield (said := look(Stage.CONFIRM, one.confirmed_at, charge))
        if said.action is Action.REFUSE:
            return
    if one.made_at is None:
        return
    tally.count(Count(charge, one.made_at))
    for change in one.changes:
        yield change.at
        changed = replace(charge, amount=change.amount)
        if changed.amount.minor > charge.amount.minor:
            yield (said := look(Stage.UPDATE, change.at, changed, change))
            if said.action is Action.REFUSE:
                continue
        tally.count(Count(charge, one.made_at, back=True))
        tally.count(Count(changed, one.made_at))
        charge = changed
    if one.undone_at is not None:
        yield one.undone_at
        tally.count(Count(charge, one.made_at, back=True))


def rehearse(rules: Iterable[Rule], past: Iterable[Past], start: datetime) -> Rehearsal:
    """What `rules` would have done from `start` on; what lies before only fills their counters.

    A charge counts once for each rule that fired, whether when it was asked for, approved, or both. That an
    authorization was made larger counts as a charge of the new amount.
    """
    charges: dict[Action | None, int] = defaultdict(int)
    lines: dict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    asked: dict[UUID, Assessment] = {}
    for said in replay(rules, past):
        one, money = said.past, said.charge.amount
        if one.begun_at < start:
            continue
        before = asked.pop(one.id, PASSED)
        if said.stage is Stage.PAY and one.confirmed_at and said.action is not Action.REFUSE:
            asked[one.id] = said.assessment
            continue
        charges[_stricter(before.action, said.action)] += 1
        for rule in {*before.fired, *said.assessment.fired}:
            line = lines[rule, one.charge.merchant_ref, money.currency]
            line[0], line[1], line[2] = line[0] + 1, line[1] + money.minor, line[2] + said.paid
    actions = {rule.id: rule.action for rule in rules}
    return Rehearsal(
        charges=dict(charges),
        lines=tuple(
            RehearsalLine(rule, actions[rule], merchant, currency, *numbers)
            for (rule, merchant, currency), numbers in sorted(lines.items())
        ),
    )


def _stricter(*said: Action | None) -> Action | None:
    return max((one for one in said if one is not None), key=STRICTNESS.index, default=None)
