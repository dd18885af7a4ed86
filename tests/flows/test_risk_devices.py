"""Which phone a payment is of, whatever way it is paid: for block lists, limits and the decision log."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from comptoir.acquiring.api import CaptureMode
from comptoir.flows import api as flows
from comptoir.risk import api as risk
from comptoir.risk.api import Action
from comptoir.wallet import api as wallet
from comptoir.wallet.api import AuthorizationState
from tests.flows.agreements import Agreed
from tests.flows.risk_rules import REFUSED, START, activate, counters, log, per, recounted
from tests.flows.support import NOW, Scene, assert_books_hold, make_scene

GONE = wallet.DeviceUnknown.code


@pytest.fixture
def scene(database: object) -> Iterator[Scene]:
    made = make_scene()
    yield made
    assert_books_hold()


def watch_of(scene: Scene) -> int:
    return wallet.enroll_device(scene.wallet_id, "watch", NOW).number


def claimed(scene: Scene, command: flows.Pay, device: int | None) -> flows.Outcome:
    """An order that this phone of the traveller's has scanned."""
    shown = scene.one(command).payment
    assert shown is not None
    code = shown.order_code or ""
    return scene.one(flows.Claim(order_code=code, wallet_id=scene.wallet_id, device=device))


def confirmed(scene: Scene, device: int | None) -> flows.Outcome:
    """What waits is approved on this phone."""
    [asked] = wallet.waiting(scene.wallet_id, NOW)
    return scene.one(
        flows.Confirm(wallet_id=scene.wallet_id, authorization_id=asked.id, device=device),
    )


def pays(scene: Scene, ref: str, device: int | None, **given: Any) -> str:
    """An order of 10.00 EUR is scanned and approved on a phone."""
    assert claimed(scene, scene.order(ref, **given), device).code == flows.IN_PROCESS
    return confirmed(scene, device).code


def phones_in_the_log() -> list[tuple[str, int | None]]:
    return [(one.stage.value, one.device) for one in reversed(risk.entries(100))]


def test_a_blocked_phone_pays_no_order_and_another_of_the_same_wallet_does(scene: Scene) -> None:
    activate({"devices": [scene.device]})
    assert pays(scene, "R1", scene.device) == REFUSED
    assert (scene.purse, scene.owed()) == (START, 0)
    assert log() == [("confirm", Action.REFUSE, ("r0",))]
    assert phones_in_the_log() == [("confirm", scene.device)]
    again = scene.one(scene.order("R1")).payment
    assert again is not None
    claim = flows.Claim(order_code=again.order_code or "", wallet_id=scene.wallet_id, device=watch_of(scene))
    assert scene.one(claim).code == flows.IN_PROCESS
    assert confirmed(scene, claim.device).code == flows.OK
    assert scene.owed() == 1000


def test_who_scanned_is_remembered_where_the_approval_does_not_say_its_phone(scene: Scene) -> None:
    activate({"devices": [scene.device]})
    claimed(scene, scene.order("R1"), scene.device)
    assert confirmed(scene, None).code == REFUSED
    assert (scene.purse, scene.owed()) == (START, 0)


def test_a_limit_counts_a_phones_payments_whatever_way_they_are_paid(scene: Scene) -> None:
    activate(per("device", 2))
    watch = watch_of(scene)
    assert scene.one(scene.pay("R1")).code == flows.OK
    assert pays(scene, "R2", scene.device) == flows.OK
    assert counters() == recounted() == {f"device60{scene.device}": (2, 2000)}
    assert pays(scene, "R3", scene.device) == REFUSED
    assert scene.one(scene.pay("R4", code=scene.code(n=1))).code == REFUSED
    assert pays(scene, "R5", watch) == flows.OK
    assert pays(scene, "R6", None) == flows.OK, "a phone that nobody knows is no matter of the limit"
    assert scene.owed() == 4000
    assert counters() == recounted() == {f"device60{scene.device}": (2, 2000), f"device60{watch}": (1, 1000)}


def test_what_comes_undone_is_taken_back_from_the_phone_that_paid(scene: Scene) -> None:
    activate(per("device", 1))
    claimed(scene, scene.order("R1"), scene.device)
    paid = confirmed(scene, scene.device).payment
    assert paid is not None
    assert pays(scene, "R2", scene.device) == REFUSED
    assert scene.one(scene.cancel(paid.id)).code == flows.OK
    assert counters() == recounted() == {}
    assert pays(scene, "R3", scene.device) == flows.OK


def test_a_code_of_the_watch_that_is_approved_on_the_phone_is_the_phones_payment(database: object) -> None:
    careful = make_scene(limits=wallet.Limits(no_pin=0, payment=500_000, day=2_000_000))
    phone = watch_of(careful)
    activate(per("device", 1), sample=1)
    for ref, code in (("R1", "phone"), ("R2", "phone"), ("R3", None)):
        careful.one(careful.pay(ref, code=careful.code(n=int(ref[1]))))
        device = phone if code else careful.device
        assert confirmed(careful, device).code == (REFUSED if ref == "R2" else flows.OK)
    assert (
        counters() == recounted() == {f"device60{phone}": (1, 1000), f"device60{careful.device}": (1, 1000)}
    )
    shown = careful.device
    assert phones_in_the_log() == [
        *(("pay", shown), ("confirm", phone)),
        *(("pay", shown), ("confirm", phone)),
        *(("pay", shown), ("confirm", shown)),
    ]
    assert_books_hold()


def test_what_a_phone_scanned_is_no_news_of_the_codes_it_showed(scene: Scene) -> None:
    claimed(scene, scene.order("R1"), scene.device)
    since = NOW - timedelta(minutes=1)
    assert wallet.code_news(scene.wallet_id, scene.device, since).authorization is None
    assert confirmed(scene, scene.device).code == flows.OK
    assert wallet.code_news(scene.wallet_id, scene.device, since).authorization is None


def test_an_authorization_of_a_phone_grows_only_as_the_phone_may(scene: Scene) -> None:
    command = scene.order("R1", capture_mode=CaptureMode.MANUAL)
    assert claimed(scene, command, scene.device).code == flows.IN_PROCESS
    held = confirmed(scene, scene.device).payment
    assert held is not None
    activate({"devices": [scene.device]})
    assert scene.one(scene.update("U1", held.id, 12_00)).code == REFUSED
    assert scene.one(scene.update("U2", held.id, 8_00)).code == flows.OK
    assert phones_in_the_log() == [("update", scene.device)]


def test_a_debit_under_an_agreement_is_of_no_phone(scene: Scene) -> None:
    agreed = Agreed(scene)
    activate({"devices": [scene.device]}, per("device", 0), sample=1)
    assert scene.one(agreed.pay("R1", 500)).code == flows.OK
    assert phones_in_the_log() == [("pay", None)]
    assert counters() == recounted() == {}


def removed(scene: Scene) -> int:
    wallet.revoke_device(scene.wallet_id, scene.device)
    return scene.device


def lost(scene: Scene) -> int:
    """Frozen for a lost phone, and let pay again: the phone stays out."""
    wallet.freeze_lost(scene.wallet_id, NOW)
    wallet.unfreeze_own(scene.wallet_id)
    return scene.device


def anothers(scene: Scene) -> int:
    return make_scene(merchant_id=scene.merchant_id).device


def nobodys(scene: Scene) -> int:
    return 10_000_000


@pytest.mark.parametrize("whose", [removed, lost, anothers, nobodys])
def test_on_a_phone_that_is_not_the_wallets_nothing_is_scanned_or_approved(
    scene: Scene, whose: Callable[[Scene], int]
) -> None:
    assert claimed(scene, scene.order("R1"), scene.device).code == flows.IN_PROCESS
    number = whose(scene)
    refused = confirmed(scene, number)
    assert (refused.code, scene.purse, scene.owed()) == (GONE, START, 0)
    [asked] = wallet.waiting(scene.wallet_id, NOW)
    assert (asked.state, asked.acted_on) == (AuthorizationState.WAITING, scene.device)
    other = scene.one(scene.order("R2")).payment
    assert other is not None
    claim = flows.Claim(order_code=other.order_code or "", wallet_id=scene.wallet_id, device=number)
    assert scene.one(claim).code == GONE
    assert wallet.waiting(scene.wallet_id, NOW) == (asked,)
    # On a phone that is the wallet's it goes on.
    assert confirmed(scene, watch_of(scene)).code == flows.OK
    assert scene.owed() == 1000


def test_a_repeat_from_a_phone_that_was_removed_since_gets_the_answer_it_had(scene: Scene) -> None:
    claimed(scene, scene.order("R1"), scene.device)
    [asked] = wallet.waiting(scene.wallet_id, NOW)
    confirm = flows.Confirm(wallet_id=scene.wallet_id, authorization_id=asked.id, device=scene.device)
    first = scene.one(confirm)
    removed(scene)
    assert scene.one(confirm) == first
    assert (first.code, scene.owed()) == (flows.OK, 1000)


def dry_run(*rules: dict[str, Any]) -> risk.Rehearsal:
    named = [{"id": f"r{number}", "action": "refuse"} | one for number, one in enumerate(rules)]
    return flows.rehearse(risk.checked({"rules": named}), NOW, NOW + timedelta(hours=1))


def lines(found: risk.Rehearsal) -> list[tuple[str, int, int, int]]:
    return [(one.rule, one.charges, one.amount, one.paid) for one in found.lines]


def test_a_dry_run_sees_the_phone_on_which_was_approved(scene: Scene) -> None:
    pays(scene, "R1", scene.device)
    pays(scene, "R2", watch_of(scene))
    found = dry_run({"devices": [scene.device]})
    assert (found.charges, lines(found)) == ({None: 1, Action.REFUSE: 1}, [("r0", 1, 1000, 1)])


def test_a_dry_run_shows_what_would_not_have_been_made_larger(scene: Scene) -> None:
    held = scene.one(scene.hold("R1", 10_00)).payment
    assert held is not None
    for ref, minor in (("U1", 15_00), ("U2", 8_00), ("U3", 12_00)):
        assert scene.one(scene.update(ref, held.id, minor)).code == flows.OK
    activate({"currency": "EUR", "above": "20.00"})
    assert scene.one(scene.update("U4", held.id, 25_00)).code == REFUSED
    # 10.00 and 12.00 pass; 15.00 was made, 25.00 was refused by other rules.
    found = dry_run({"currency": "EUR", "above": "13.00"})
    assert (found.charges, lines(found)) == ({None: 2, Action.REFUSE: 2}, [("r0", 2, 40_00, 1)])


def test_a_dry_run_counts_an_authorization_with_the_amount_it_would_have_had(scene: Scene) -> None:
    held = scene.one(scene.hold("R1", 10_00)).payment
    assert held is not None
    assert scene.one(scene.update("U1", held.id, 15_00)).code == flows.OK
    assert scene.one(scene.pay("R2", 4_00, code=scene.code(n=1))).code == flows.OK
    limit = {"per": "wallet", "currency": "EUR", "within": "1h"}
    # Judged as a payment of 15.00 beside the 10.00 that are held already.
    assert lines(dry_run(limit | {"amount": "24.99"})) == [("r0", 1, 15_00, 1)]
    # Made so large, it leaves no room for the 4.00; refused, it would have.
    assert lines(dry_run(limit | {"amount": "25.00"})) == []
    assert lines(dry_run(limit | {"amount": "18.99"}, {"currency": "EUR", "above": "14.00"})) == [
        ("r0", 1, 15_00, 1),
        ("r1", 1, 15_00, 1),
    ]


def test_a_dry_run_knows_that_nobody_can_be_asked_for_more(scene: Scene) -> None:
    held = scene.one(scene.hold("R1", 10_00)).payment
    assert held is not None
    assert scene.one(scene.update("U1", held.id, 15_00)).code == flows.OK
    ask = {"action": "ask_pin", "currency": "EUR", "above": "12.00"}
    assert dry_run(ask).charges == {None: 1, Action.REFUSE: 1}
