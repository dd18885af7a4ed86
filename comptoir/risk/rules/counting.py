"""Counters: which bucket an instant is in, what a limit looks up, and counting itself, without a database."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from comptoir.risk.types import Count, Kind, Lookup, Rule, RuleSet, Subject, Total, subjects

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

#: Bucket sizes, each with the longest window it serves, in seconds: an hour has 60 buckets, a day 24.
GRAINS = ((60, 7_200), (3_600, 345_600), (86_400, 2_678_400))

#: The longest window of a limit: 31 days.
LONGEST_WINDOW = GRAINS[-1][1]


class Counter(NamedTuple):
    """One counter: a subject's payments of one currency in one bucket of `grain` seconds."""

    subject: Subject
    grain: int
    bucket: int
    currency: str


def grain_for(window: int) -> int:
    """The bucket size that counts for a window, both in seconds."""
    return next(grain for grain, longest in GRAINS if window <= longest)


def seconds(at: datetime) -> int:
    """Whole seconds since 1970."""
    return (at - _EPOCH) // timedelta(seconds=1)


def oldest_bucket(now: datetime, grain: int) -> int:
    """The oldest bucket that a limit may look at; older ones can be forgotten. Buckets count from 1970."""
    return (seconds(now) - dict(GRAINS)[grain]) // grain


def still_counting(before: RuleSet, rules: Iterable[Rule], now: datetime) -> dict[Kind, datetime]:
    """Since when each kind that `rules` need is counted once they follow `before`: what was goes on."""
    kinds = (Kind(rule.limit.per, rule.limit.grain) for rule in rules if rule.limit is not None)
    return {kind: before.counting.get(kind, now) for kind in kinds}


def changes(counts: Iterable[Count], counting: Mapping[Kind, datetime]) -> dict[Counter, Total]:
    """What counting `counts` adds to each counter that is kept, below zero for what is taken back.

    What was made before a kind was counted is in no counter of it, so it is not taken back either.
    """
    sums: dict[Counter, list[int]] = {}
    for one in counts:
        sign, amount, second = -1 if one.back else 1, one.charge.amount, seconds(one.at)
        whose = subjects(one.charge, {kind.scope for kind in counting})
        for kind, since in counting.items():
            if kind.scope in whose and one.at >= since:
                key = Counter(whose[kind.scope], kind.grain, second // kind.grain, amount.currency)
                kept = sums.setdefault(key, [0, 0])
                kept[0] += sign
                kept[1] += sign * amount.minor
    return {key: Total(*kept) for key, kept in sums.items()}


class Tally:
    """Counters in memory: for what is not certain yet, and for running over the past."""

    def __init__(self, counting: Mapping[Kind, datetime]) -> None:
        self._counting = counting
        self._kept: dict[tuple[Subject, int], dict[tuple[int, str], Total]] = defaultdict(dict)

    def count(self, one: Count) -> None:
        """Count a charge, or take it back."""
        for key, change in changes([one], self._counting).items():
            kept = self._kept[key.subject, key.grain]
            before = kept.get((key.bucket, key.currency), Total())
            kept[key.bucket, key.currency] = Total(
                before.payments + change.payments, before.amount + change.amount
            )

    def total(self, asked: Lookup) -> Total:
        """What a limit asks for."""
        payments = amount = 0
        for (number, currency), one in self._kept.get((asked.subject, asked.grain), {}).items():
            if number >= asked.since and asked.currency in ("", currency):
                payments, amount = payments + one.payments, amount + one.amount
        return Total(payments, amount)

    def forget(self, now: datetime) -> None:
        """Drop what no limit can look at any more."""
        for (whose, grain), kept in list(self._kept.items()):
            oldest = oldest_bucket(now, grain)
            left = {key: one for key, one in kept.items() if key[0] >= oldest}
            if left:
                self._kept[whose, grain] = left
            else:
                del self._kept[whose, grain]
