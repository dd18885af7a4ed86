"""A rule set tried on the past: what it would have said, charge by charge, without a database."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import count
from uuid import UUID

from comptoir.risk.rules.assessing import assess, concerns
from comptoir.risk.rules.counting import Tally, still_counting
from comptoir.risk.types import (
    NO_RULES,
    PASSED,
    STRICTNESS,
    Action,
    Assessment,
    Count,
    Past,
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

    A charge that they refuse counts for nothing from then on; one that other rules refused then is taken
    for made.
    Of what happened at one instant, what had begun earlier comes first.
    """
    ordered = tuple(rules)
    rule_set = RuleSet(rules=ordered, counting=still_counting(NO_RULES, ordered, _ALWAYS))
    tally = Tally(rule_set.counting)
    later: list[tuple[datetime, int, Past, Stage | None]] = []
    numbers = count()

    def put(at: datetime | None, one: Past, stage: Stage | None) -> None:
        if at is not None:
            heapq.heappush(later, (at, next(numbers), one, stage))

    def happen(at: datetime, one: Past, stage: Stage | None) -> Iterator[Said]:
        if stage is None:
            if one.made_at is not None:
                tally.count(Count(one.charge, one.made_at, back=True))
            return
        found = concerns(rule_set, one.charge, at)
        said = Said(one, stage, at, assess(found, one.charge.amount, tally.total))
        yield said
        if said.action is Action.REFUSE:
            return
        if stage is Stage.PAY and one.confirmed_at is not None:
            put(one.confirmed_at, one, Stage.CONFIRM)
        elif one.made_at is not None:
            tally.count(Count(one.charge, one.made_at))
            put(one.undone_at, one, None)

    for number, one in enumerate(past):
        while later and later[0][0] <= one.begun_at:
            at, _, earlier, stage = heapq.heappop(later)
            yield from happen(at, earlier, stage)
        if one.at_once:
            yield from happen(one.begun_at, one, Stage.PAY)
        else:
            put(one.confirmed_at, one, Stage.CONFIRM)
        if number % _TIDY == _TIDY - 1:
            tally.forget(one.begun_at)
    while later:
        at, _, earlier, stage = heapq.heappop(later)
        yield from happen(at, earlier, stage)


def rehearse(rules: Iterable[Rule], past: Iterable[Past], start: datetime) -> Rehearsal:
    """What `rules` would have done from `start` on; what lies before only fills their counters.

    A charge counts once for each rule that fired, whether when it was asked for, approved, or both.
    """
    charges: dict[Action | None, int] = defaultdict(int)
    lines: dict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    asked: dict[UUID, Assessment] = {}
    for said in replay(rules, past):
        one, money = said.past, said.past.charge.amount
        if one.begun_at < start:
            continue
        before = asked.pop(one.id, PASSED)
        if said.stage is Stage.PAY and one.confirmed_at and said.action is not Action.REFUSE:
            asked[one.id] = said.assessment
            continue
        charges[_stricter(before.action, said.action)] += 1
        for rule in {*before.fired, *said.assessment.fired}:
            line = lines[rule, one.charge.merchant_ref, money.currency]
            line[0], line[1], line[2] = line[0] + 1, line[1] + money.minor, line[2] + one.paid
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
