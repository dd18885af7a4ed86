"""What rules say, without a database: conditions, limits, and the past replayed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from comptoir.kernel.money import Money
from comptoir.risk.rules import assessing
from comptoir.risk.rules.counting import Tally, changes, still_counting
from comptoir.risk.rules.reading import checked, compiled
from comptoir.risk.rules.rehearsing import rehearse, replay
from comptoir.risk.types import (
    NO_RULES,
    PASSED,
    Action,
    Assessment,
    Charge,
    Count,
    Look,
    Lookup,
    Past,
    RuleSet,
    Stage,
    Total,
)

#: A Friday, 23:30 in Brussels.
NOW = datetime(2026, 11, 27, 22, 30, tzinfo=UTC)
CHARGE = Charge(
    merchant_id=UUID(int=1),
    merchant_ref="M1",
    mcc="5944",
    country="BE",
    issuer="COMPTOIR",
    amount=Money(10_00, "EUR"),
    store_ref="S1",
    terminal_ref="T1",
    wallet_id=UUID(int=2),
    device=12_345_678,
)


def rules(*given: dict[str, Any]) -> RuleSet:
    made = compiled(
        checked({"rules": [{"id": f"r{n}", "action": "refuse"} | one for n, one in enumerate(given)]})
    )
    return RuleSet(rules=made, counting=still_counting(NO_RULES, made, datetime(1970, 1, 1, tzinfo=UTC)))


def assess(one: RuleSet, charge: Charge, now: datetime, total: Callable[[Lookup], Total]) -> Assessment:
    return assessing.assess(assessing.concerns(one, charge, now), charge.amount, total)


def nothing(_: Lookup) -> Total:
    return Total()


@pytest.mark.parametrize(
    ("condition", "other"),
    [
        ({"wallets": [str(UUID(int=2))]}, {"wallet_id": UUID(int=3)}),
        ({"wallets": [str(UUID(int=2))]}, {"wallet_id": None}),
        ({"devices": [12_345_678]}, {"device": None}),
        ({"merchants": ["M1", "M2"]}, {"merchant_ref": "M3"}),
        ({"terminals": ["M1/S1/T1"]}, {"terminal_ref": "T2"}),
        ({"terminals": ["M1/S1/T1"]}, {"terminal_ref": None}),
        ({"issuers": ["COMPTOIR"]}, {"issuer": "OTHER"}),
        ({"mccs": ["5944"]}, {"mcc": "5411"}),
        ({"countries": ["BE"]}, {"country": "FR"}),
        ({"currency": "EUR"}, {"amount": Money(10_00, "USD")}),
        ({"currency": "EUR", "above": "9.99"}, {"amount": Money(9_99, "EUR")}),
        ({"currency": "EUR", "up_to": "10.00"}, {"amount": Money(10_01, "EUR")}),
        ({"currency": "EUR", "above": "9.99", "mccs": ["5944"]}, {"mcc": "1111"}),
    ],
)
def test_a_rule_fires_when_every_condition_holds(condition: dict[str, Any], other: dict[str, Any]) -> None:
    one = rules(condition)
    assert assess(one, CHARGE, NOW, nothing).action is Action.REFUSE
    assert assess(one, replace(CHARGE, **other), NOW, nothing) == PASSED


@pytest.mark.parametrize(
    ("hours", "days", "at", "fires"),
    [
        ("22:00-06:00", None, "2026-11-27T22:30", True),  # 23:30 in Brussels
        ("22:00-06:00", None, "2026-11-27T20:59", False),  # 21:59
        ("22:00-06:00", None, "2026-11-28T04:59", True),  # 05:59
        ("22:00-06:00", None, "2026-11-28T05:00", False),  # 06:00
        ("22:00-06:00", None, "2026-07-27T20:00", True),  # 22:00 in summer
        ("09:00-17:00", None, "2026-11-27T08:00", True),  # 09:00
        ("09:00-17:00", None, "2026-11-27T16:00", False),  # 17:00
        (None, ["sat"], "2026-11-27T22:59", False),  # Friday
        (None, ["sat"], "2026-11-27T23:00", True),  # Saturday in Brussels
    ],
)
def test_hours_and_days_are_those_of_the_zone(
    hours: str | None, days: list[str] | None, at: str, fires: bool
) -> None:
    given = {"hours": hours, "days": days, "zone": "Europe/Brussels"}
    one = rules({name: value for name, value in given.items() if value})
    instant = datetime.fromisoformat(at).replace(tzinfo=UTC)
    assert (assess(one, CHARGE, instant, nothing).action is Action.REFUSE) is fires


def test_every_rule_is_looked_at_and_the_strictest_holds() -> None:
    one = rules(
        {"action": "ask_pin", "mccs": ["5944"]},
        {"action": "flag", "countries": ["BE"]},
        {"action": "refuse", "countries": ["FR"]},
        {"action": "refuse", "per": "wallet", "payments": 5, "within": "1h"},
    )
    said = assess(one, CHARGE, NOW, lambda _: Total(4, 0))
    assert said.action is Action.ASK_PIN
    assert said.looked == (Look("r0", True), Look("r1", True), Look("r3", False, 5))
    assert assess(one, CHARGE, NOW, lambda _: Total(5, 0)).action is Action.REFUSE


def test_a_limit_needs_somebody_to_count_for() -> None:
    one = rules({"per": "terminal", "payments": 0, "within": "1h"})
    assert assess(one, CHARGE, NOW, nothing).action is Action.REFUSE
    assert assess(one, replace(CHARGE, terminal_ref=None), NOW, nothing) == PASSED


def test_an_amount_is_counted_in_its_currency_alone() -> None:
    one = rules({"per": "wallet", "currency": "EUR", "amount": "25.00", "within": "1h"})
    tally = Tally(one.counting)
    tally.count(Count(CHARGE, NOW))
    tally.count(Count(replace(CHARGE, amount=Money(90_00, "USD")), NOW))
    assert assess(one, CHARGE, NOW, tally.total).looked == (Look("r0", False, 20_00),)
    tally.count(Count(CHARGE, NOW))
    assert assess(one, CHARGE, NOW, tally.total).action is Action.REFUSE


def test_what_was_made_before_a_kind_was_counted_is_not_taken_back_from_it() -> None:
    one = rules({"per": "wallet", "payments": 1, "within": "1h"})
    counting = dict.fromkeys(one.counting, NOW)
    assert changes([Count(CHARGE, NOW - timedelta(seconds=1), back=True)], counting) == {}
    assert [*changes([Count(CHARGE, NOW, back=True)], counting).values()] == [Total(-1, -10_00)]


@given(st.integers(0, 12), st.integers(0, 12), st.integers(0, 12_000), st.integers(0, 12_000))
def test_what_may_be_added_sways_exactly_when_it_changes_what_is_said(
    payments: int, more_payments: int, amount: int, more_amount: int
) -> None:
    one = rules(
        {"per": "wallet", "payments": 10, "within": "1h"},
        {"per": "merchant", "currency": "EUR", "amount": "100.00", "within": "1d"},
        {"mccs": ["5944"]},
    )
    known, more = Total(payments, amount), Total(more_payments, more_amount)
    both = Total(payments + more_payments, amount + more_amount)
    found = assessing.concerns(one, CHARGE, NOW)
    least, most = (assess(one, CHARGE, NOW, lambda _, total=total: total) for total in (known, both))
    sways = assessing.sways(found, CHARGE.amount, lambda _: known, lambda _: more)
    assert sways is (least.fired != most.fired)


windows = st.sampled_from([("10m", 600), ("2h", 7200), ("3h", 10_800), ("1d", 86_400), ("5d", 432_000)])
gaps = st.lists(st.integers(0, 90_000), min_size=1, max_size=60)


@given(windows, st.integers(0, 6), gaps)
def test_no_window_ever_holds_more_than_the_limit(
    window: tuple[str, int], most: int, gaps: list[int]
) -> None:
    text, seconds = window
    one = rules({"per": "wallet", "payments": most, "within": text})
    tally, now, paid = Tally(one.counting), NOW, []
    for gap in gaps:
        now += timedelta(seconds=gap % (seconds // 2))
        said = assess(one, CHARGE, now, tally.total)
        within = [at for at in paid if at >= now - timedelta(seconds=seconds)]
        if said.action is Action.REFUSE:
            # What is counted reaches back one bucket more at most.
            grain = next(iter(one.counting)).grain
            reach = timedelta(seconds=seconds + grain)
            assert len([at for at in paid if at > now - reach]) >= most
        else:
            assert len(within) < most
            tally.count(Count(CHARGE, now))
            paid.append(now)
        tally.forget(now)


@given(st.integers(0, 50), st.integers(0, 50_000), st.integers(0, 50), st.integers(0, 50_000))
def test_more_in_the_counters_never_makes_a_rule_fire_less(
    payments: int, amount: int, more: int, dearer: int
) -> None:
    one = rules(
        {"action": "flag", "per": "wallet", "payments": 10, "within": "1h"},
        {"action": "refuse", "per": "merchant", "currency": "EUR", "amount": "200.00", "within": "1d"},
    )
    less = assess(one, CHARGE, NOW, lambda _: Total(payments, amount))
    greater = assess(one, CHARGE, NOW, lambda _: Total(payments + more, amount + dearer))
    assert set(less.fired) <= set(greater.fired)


def past(number: int, begun: int, **members: Any) -> Past:
    at = NOW + timedelta(seconds=begun)
    return Past(
        **(
            {"id": UUID(int=number), "charge": CHARGE, "begun_at": at, "at_once": True, "made_at": at}
            | members
        )
    )


def test_a_past_charge_that_is_refused_counts_for_nothing() -> None:
    one = rules({"per": "wallet", "payments": 2, "within": "10m"})
    said = [one.assessment.action for one in replay(one.rules, [past(n, n) for n in range(5)])]
    assert said == [None, None, Action.REFUSE, Action.REFUSE, Action.REFUSE]


def test_the_past_is_gone_through_in_its_order() -> None:
    """An order approved late is looked at late; what was taken back counts until then and not after."""
    one = rules({"per": "wallet", "payments": 1, "within": "1h"})
    late = NOW + timedelta(seconds=100)
    story = [
        past(1, 0, at_once=False, confirmed_at=late, made_at=late),
        past(2, 10, undone_at=NOW + timedelta(seconds=50)),
        past(3, 20),
        past(4, 60),
        past(5, 200),
    ]
    said = [(one.past.id.int, one.stage, one.assessment.action) for one in replay(one.rules, story)]
    assert said == [
        (2, Stage.PAY, None),
        (3, Stage.PAY, Action.REFUSE),
        (4, Stage.PAY, None),
        (1, Stage.CONFIRM, Action.REFUSE),
        (5, Stage.PAY, Action.REFUSE),
    ]


def test_a_rehearsal_counts_by_rule_and_merchant_once_a_charge() -> None:
    one = rules(
        {"action": "ask_pin", "mccs": ["5944"]},
        {"action": "refuse", "per": "wallet", "payments": 1, "within": "1h"},
    )
    later = NOW + timedelta(seconds=30)
    story = [
        past(1, -60, paid=True),  # only fills the counters
        past(2, 0, confirmed_at=later, made_at=later, paid=True),
        past(3, 10, charge=replace(CHARGE, mcc="1111", wallet_id=UUID(int=9)), paid=True),
    ]
    found = rehearse(one.rules, story, NOW)
    assert found.charges == {Action.REFUSE: 1, None: 1}
    assert [(line.rule, line.merchant_ref, line.charges, line.amount, line.paid) for line in found.lines] == [
        ("r0", "M1", 1, 10_00, 1),
        ("r1", "M1", 1, 10_00, 1),
    ]
