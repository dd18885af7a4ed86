"""Limits of risk rules: what counts, within a batch and over batches, and what is given back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from comptoir.flows import api as flows
from comptoir.risk import api as risk
from comptoir.risk.api import Action
from comptoir.wallet import api as wallet
from tests.flows.risk_rules import (
    REFUSED,
    activate,
    counters,
    log,
    per,
    recounted,
    run,
    travellers,
)
from tests.flows.support import NOW, Scene, assert_books_hold, make_scene
from tests.flows.test_subscriptions import START as BEGINS
from tests.flows.test_subscriptions import begun, renewal, stands


@pytest.fixture
def scene(database: object) -> Iterator[Scene]:
    made = make_scene()
    yield made
    assert_books_hold()


@pytest.mark.parametrize("scope", ["wallet", "device", "merchant", "terminal", "issuer"])
def test_a_limit_holds_over_batches_and_within_one(scene: Scene, scope: str) -> None:
    activate(per(scope, 3))
    commands = [scene.pay(f"R{n}", 100 + n, code=scene.code(n=n), terminal_ref="T1") for n in range(3)]
    assert [one.code for one in scene.do(*commands[:2])] == [flows.OK] * 2
    more = [scene.pay(f"S{n}", 100, code=scene.code(n=5 + n), terminal_ref="T1") for n in range(3)]
    assert [one.code for one in scene.do(*more)] == [flows.OK, REFUSED, REFUSED]
    assert scene.owed() == 301
    later = NOW + timedelta(minutes=61)
    assert scene.one(scene.pay("L", 100, code=scene.code(later), terminal_ref="T1"), later).code == flows.OK
    assert counters() == recounted()


def test_strangers_in_one_batch_share_their_shops_limit(scene: Scene) -> None:
    """Decided side by side they are, but not past the limit; in the order in which they came."""
    activate(per("merchant", 5))
    many = travellers(scene, 9)
    outcomes = scene.do(*[one.pay(f"R{n}", 100) for n, one in enumerate(many)])
    assert [one.code for one in outcomes] == [flows.OK] * 5 + [REFUSED] * 4
    assert scene.owed() == 500


def test_a_batch_is_its_commands_one_after_another_when_amounts_are_limited(scene: Scene) -> None:
    """Sixty pass, then forty more do not, then small ones do until nothing is left."""
    activate({"per": "merchant", "currency": "EUR", "amount": "1.00", "within": "1h"})
    many = travellers(scene, 6)
    amounts = [60, 50, 30, 20, 10, 5]
    outcomes = scene.do(*[one.pay(f"R{n}", amounts[n]) for n, one in enumerate(many)])
    paid = [amount for amount, one in zip(amounts, outcomes, strict=True) if one.code == flows.OK]
    assert paid == [60, 30, 10]
    assert counters() == recounted()


def test_a_cancellation_makes_room_for_those_after_it_and_for_nobody_before(scene: Scene) -> None:
    activate(per("merchant", 1))
    before, after = travellers(scene, 2)
    first = scene.one(scene.pay("R1", 100)).payment
    assert first is not None
    outcomes = scene.do(before.pay("R2", 100), scene.cancel(first.id), after.pay("R3", 100))
    assert [one.code for one in outcomes] == [REFUSED, flows.OK, flows.OK]
    assert counters() == recounted() == {"merchant60": (1, 100)}


def test_a_payment_that_the_books_refuse_takes_nobodys_place(scene: Scene) -> None:
    activate(per("merchant", 2))
    poor, *others = [make_scene(balance=10, merchant_id=scene.merchant_id), *travellers(scene, 3)]
    outcomes = scene.do(poor.pay("R0", 100), *[one.pay(f"R{n}", 100) for n, one in enumerate(others, 1)])
    codes = [one.code for one in outcomes]
    assert codes == [wallet.errors.BALANCE_INSUFFICIENT, flows.OK, flows.OK, REFUSED]


def test_a_repeat_counts_once_and_a_cancellation_gives_back(scene: Scene) -> None:
    activate(per("wallet", 2))
    first = scene.pay("R1", 100)
    assert [one.code for one in scene.do(first, first, first)] == [flows.OK] * 3
    assert scene.one(first).code == flows.OK
    assert counters() == {"wallet60": (1, 100)}
    paid = scene.one(scene.pay("R2", 100, code=scene.code(n=1)))
    assert paid.payment is not None
    assert scene.one(scene.pay("R3", 100, code=scene.code(n=2))).code == REFUSED
    for _ in range(2):
        assert scene.one(scene.cancel(paid.payment.id)).code == flows.OK
    assert counters() == {"wallet60": (1, 100)}
    assert scene.one(scene.pay("R4", 100, code=scene.code(n=3))).code == flows.OK
    assert scene.one(scene.pay("R5", 100, code=scene.code(n=4))).code == REFUSED
    assert counters() == recounted()


def test_a_refund_does_not_give_back(scene: Scene) -> None:
    activate(per("wallet", 1))
    paid = scene.one(scene.pay("R1", 100))
    assert paid.payment is not None
    scene.one(scene.refund("F1", paid.payment.id, 100))
    assert scene.one(scene.pay("R2", 100, code=scene.code(n=1))).code == REFUSED


def test_what_is_held_counts_until_it_is_let_go(scene: Scene) -> None:
    activate({"per": "wallet", "currency": "EUR", "amount": "30.00", "within": "1h"})
    held = scene.one(scene.hold("R1", 10_00)).payment
    assert held is not None
    assert scene.one(scene.update("U1", held.id, 15_00)).code == flows.OK
    assert counters() == recounted() == {"wallet60": (1, 15_00)}
    # Judged as a payment of its new amount, beside what is held already.
    assert scene.one(scene.update("U2", held.id, 15_01)).code == REFUSED
    assert scene.one(scene.update("U3", held.id, 5_00)).code == flows.OK, "less is no matter of the rules"
    assert scene.one(scene.cancel(held.id)).code == flows.OK
    assert counters() == recounted() == {}
    part = scene.one(scene.hold("R2", 10_00, code=scene.code(n=1))).payment
    assert part is not None
    assert scene.one(scene.capture("C1", part.id, 1_00, last=True)).code == flows.OK
    assert counters() == recounted() == {"wallet60": (1, 10_00)}
    assert [line[:2] for line in log()] == [("update", Action.REFUSE)]


def test_rules_count_from_when_they_are_in_force(scene: Scene) -> None:
    scene.one(scene.pay("R0", 100))
    at = NOW + timedelta(seconds=1)
    assert [activate(per("wallet", 1), now=at), activate(per("wallet", 2), now=at)] == [1, 2]
    codes = [scene.one(scene.pay(f"R{n}", 100, code=scene.code(at, n)), at).code for n in range(1, 4)]
    assert codes == [flows.OK, flows.OK, REFUSED]
    # A version that goes on counting knows what was; one that stops for a while begins anew.
    activate(per("wallet", 3), now=at)
    codes = [scene.one(scene.pay(f"S{n}", 100, code=scene.code(at, n)), at).code for n in range(4, 6)]
    assert codes == [flows.OK, REFUSED]
    assert activate(now=at) == 4
    assert scene.one(scene.pay("S6", 100, code=scene.code(at, 6)), at).code == flows.OK


def test_counters_that_no_rule_can_look_at_are_forgotten(scene: Scene) -> None:
    activate(per("wallet", 9, "1h"), per("wallet", 9, "1d"), per("wallet", 9, "9d"))
    scene.one(scene.pay("R1", 100))
    forgotten = {}
    for days in (0, 1, 5, 33):
        statements = risk.forget_counters(NOW + timedelta(days=days), 100)
        forgotten[days] = [len(run(one)) for one in statements]
    assert forgotten == {0: [0, 0, 0], 1: [1, 0, 0], 5: [0, 1, 0], 33: [0, 0, 1]}


def test_the_phases_of_a_subscription_are_judged_and_counted(scene: Scene) -> None:
    scene.desk = flows.Desk(10_000)
    first, second = begun(scene, "S1"), begun(scene, "S2")
    activate(per("wallet", 1))
    outcomes = scene.do(renewal(first), renewal(second), now=BEGINS)
    assert [one.code for one in outcomes] == [flows.OK, REFUSED]
    assert counters() == {"wallet60": (1, 1000)}
    assert scene.owed() == 1000
    assert (stands(first.id).phase, stands(second.id).attempt) == (2, 2)
