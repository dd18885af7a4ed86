"""Risk rules through the engine's own flow, on a real database: what is refused, asked the PIN for, kept."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from comptoir.acquiring.api import PaymentState
from comptoir.flows import api as flows
from comptoir.kernel.ids import new_id
from comptoir.risk import api as risk
from comptoir.risk.api import Action
from comptoir.wallet import api as wallet
from tests.flows.agreements import Agreed
from tests.flows.risk_rules import (
    REFUSED,
    START,
    activate,
    counters,
    log,
    make_pay,
    per,
    recounted,
    travellers,
    trips,
)
from tests.flows.support import NOW, Scene, assert_books_hold, make_scene


@pytest.fixture
def scene(database: object) -> Iterator[Scene]:
    made = make_scene()
    yield made
    assert_books_hold()


BLOCKS = ("wallets", "devices", "merchants", "terminals", "issuers", "mccs", "countries")


@pytest.mark.parametrize("what", BLOCKS)
def test_what_is_blocked_is_refused_and_nothing_moves(scene: Scene, what: str) -> None:
    ref = scene.merchant_id.hex[-20:]
    blocked = {
        "wallets": scene.wallet_id.hex,
        "devices": scene.device,
        "merchants": ref,
        "terminals": f"{ref}/S1/T1",
        "issuers": "COMPTOIR",
        "mccs": "5441",
        "countries": "BE",
    }
    activate({what: [blocked[what]]})
    command = scene.pay("R1", store_ref="S1", terminal_ref="T1")
    first, again = scene.one(command), scene.one(command)
    assert (first.code, again.code) == (REFUSED, REFUSED)
    assert first.payment is not None
    assert first.payment == again.payment
    assert (first.payment.state, scene.purse, scene.owed()) == (PaymentState.FAIL, START, 0)
    assert log() == [("pay", Action.REFUSE, ("r0",))], "a repeat is answered, not judged again"
    # The code is spent: it cannot be tried at another till until a rule lets it pass.
    assert scene.one(scene.pay("R2", code=command.code)).code == wallet.errors.CODE_USED


def test_what_is_not_blocked_pays_and_leaves_no_trace(scene: Scene) -> None:
    activate({"mccs": ["5944"]}, {"wallets": [new_id().hex]}, per("terminal", 0))
    assert scene.one(scene.pay("R1")).code == flows.OK
    assert log() == []


def test_an_amount_window_in_hours_of_the_day(scene: Scene) -> None:
    activate({"currency": "EUR", "above": "9.99", "hours": "10:00-11:00", "zone": "Europe/Brussels"})
    assert scene.one(scene.pay("R1", 999)).code == flows.OK
    assert scene.one(scene.pay("R2", 1000, code=scene.code(n=1))).code == REFUSED
    later = NOW + timedelta(hours=1)
    assert scene.one(scene.pay("R3", 1000, code=scene.code(later)), now=later).code == flows.OK


def test_a_small_payment_may_be_asked_the_pin_for(scene: Scene) -> None:
    activate({"action": "ask_pin", "currency": "EUR", "above": "5.00"})
    assert scene.one(scene.pay("R1", 500)).code == flows.OK
    waiting = scene.one(scene.pay("R2", 501, code=scene.code(n=1)))
    assert (waiting.code, scene.owed()) == (flows.IN_PROCESS, 500)
    [asked] = wallet.waiting(scene.wallet_id, NOW)
    confirm = flows.Confirm(wallet_id=scene.wallet_id, authorization_id=asked.id)
    assert scene.one(confirm).code == flows.OK
    assert scene.owed() == 1001
    assert log() == [("pay", Action.ASK_PIN, ("r0",)), ("confirm", Action.ASK_PIN, ("r0",))]


def test_a_flag_lets_pass_and_is_kept(scene: Scene) -> None:
    activate({"action": "flag", "countries": ["BE"]})
    assert scene.one(scene.pay("R1")).code == flows.OK
    assert log() == [("pay", Action.FLAG, ("r0",))]


def test_passed_payments_are_sampled_when_asked_for(scene: Scene) -> None:
    activate({"mccs": ["5944"]}, sample=1)
    assert scene.one(scene.pay("R1")).code == flows.OK
    assert log() == [("pay", None, ())]


def test_what_the_wallet_refuses_is_no_matter_of_the_rules(database: object) -> None:
    poor = make_scene(limits=wallet.Limits(no_pin=100, payment=100, day=100))
    activate({"countries": ["BE"]})
    assert poor.one(poor.pay("R1")).code == wallet.errors.PAYMENT_LIMIT
    assert log() == []


def test_a_batch_asks_nothing_for_rules_that_do_not_count_and_little_for_those_that_do(scene: Scene) -> None:
    """One more statement to load when a rule counts; none otherwise. What is written goes with the rest."""

    trips(scene, scene.pay("R0"))
    bare = trips(scene, scene.pay("R1", code=scene.code(n=1)))
    activate({"mccs": ["5944"]}, {"action": "ask_pin", "currency": "EUR", "above": "900.00"})
    assert sum(map(len, trips(scene, scene.pay("R2", code=scene.code(n=2))))) == sum(map(len, bare)) + 1
    assert trips(scene, scene.pay("R3", code=scene.code(n=3))) == bare, "the rules are in memory now"
    activate(*(per(scope, 99) for scope in risk.Scope), per("wallet", 99, "3d"), per("merchant", 99, "9d"))
    trips(scene, scene.pay("R4", code=scene.code(n=4)))
    counted = trips(scene, scene.pay("R5", code=scene.code(n=5)), make_pay(scene))
    flat = [sql for trip in counted for sql in trip]
    assert len(flat) == sum(map(len, bare)) + 1
    assert sum("risk_counter" in sql for sql in flat) == 2


def test_what_waits_is_judged_again_when_it_is_approved(database: object) -> None:
    """Ten codes scanned at once cannot be approved one after another past the limit."""
    careful = make_scene(limits=wallet.Limits(no_pin=0, payment=500_000, day=2_000_000))
    activate(per("wallet", 2))
    careful.do(*[careful.pay(f"R{n}", 100, code=careful.code(n=n)) for n in range(4)])
    asked = wallet.waiting(careful.wallet_id, NOW)
    confirms = [flows.Confirm(wallet_id=careful.wallet_id, authorization_id=one.id) for one in asked]
    outcomes = careful.do(*confirms)
    assert sorted(one.code for one in outcomes) == [flows.OK, flows.OK, REFUSED, REFUSED]
    assert careful.owed() == 200
    assert [one.code for one in careful.do(*confirms)] == [one.code for one in outcomes]
    refused = [one.payment for one in outcomes if one.code == REFUSED]
    assert {one.state for one in refused if one} == {PaymentState.FAIL}
    assert [line[:2] for line in log()] == [("confirm", Action.REFUSE)] * 2
    assert_books_hold()


def test_a_larger_amount_cannot_be_asked_the_pin_for(scene: Scene) -> None:
    activate({"action": "ask_pin", "currency": "EUR", "above": "10.00"})
    held = scene.one(scene.hold("R1", 10_00)).payment
    assert held is not None
    assert scene.one(scene.update("U1", held.id, 10_01)).code == REFUSED
    assert scene.one(scene.update("U1", held.id, 10_01)).code == REFUSED
    assert scene.one(scene.update("U2", held.id, 9_00)).code == flows.OK


def test_an_agreement_is_judged_and_nobody_can_be_asked_the_pin_for_it(scene: Scene) -> None:
    agreed = Agreed(scene)
    activate(per("wallet", 2), {"action": "ask_pin", "currency": "EUR", "above": "5.00"})
    assert [one.code for one in scene.do(agreed.pay("R1", 500), agreed.pay("R2", 501))] == [flows.OK, REFUSED]
    assert [one.code for one in scene.do(agreed.pay("R3", 500), agreed.pay("R4", 500))] == [flows.OK, REFUSED]
    assert counters() == recounted() == {"wallet60": (2, 1000)}
    assert scene.owed() == 1000
    assert [line[1] for line in log()] == [Action.ASK_PIN, Action.REFUSE]


def test_an_order_that_one_wallet_may_not_pay_is_free_for_another(scene: Scene) -> None:
    activate({"wallets": [scene.wallet_id.hex]})
    [other] = travellers(scene, 1)
    order = scene.one(scene.order("R1", 2000)).payment
    assert order is not None
    assert order.order_code is not None

    def try_it(wallet_id: Any) -> list[str]:
        scene.one(flows.Claim(order_code=order.order_code or "", wallet_id=wallet_id))
        [asked] = wallet.waiting(wallet_id, NOW)
        confirm = flows.Confirm(wallet_id=wallet_id, authorization_id=asked.id)
        return [scene.one(confirm).code for _ in range(2)]

    assert try_it(scene.wallet_id) == [REFUSED, REFUSED]
    assert (scene.purse, scene.owed()) == (START, 0)
    assert try_it(other.wallet_id) == [flows.OK, flows.OK]
    assert (scene.purse, scene.owed()) == (START, 2000)


def test_a_block_of_a_merchant_that_nobody_knows_is_refused(scene: Scene) -> None:
    for mistake in ({"merchants": ["M404"]}, {"terminals": ["M404/S/T"]}):
        with pytest.raises(risk.RulesInvalid, match="M404"):
            activate(mistake)
    assert risk.versions() == ()
    assert scene.one(scene.pay("R1")).code == flows.OK


@pytest.mark.parametrize("table", ["risk_rule_set", "risk_entry"])
def test_rule_sets_and_the_log_are_never_changed(scene: Scene, table: str) -> None:
    activate({"action": "flag", "countries": ["BE"]})
    scene.one(scene.pay("R1", 100))
    for change in (f"UPDATE {table} SET version = 9", f"DELETE FROM {table}", f"TRUNCATE {table}"):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(change)
