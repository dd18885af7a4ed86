"""Captures, changes, cancellations and expiries at the same moment: real threads, each with a connection of
its own, on a real database. Whoever is first decides; the sums never depend on who it was."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from comptoir.acquiring.api import PaymentState, PaymentView
from comptoir.acquiring.api import errors as acquiring
from comptoir.acquiring.rules import AUTHORIZATION_LIFE
from comptoir.flows import api as flows
from comptoir.wallet.api import errors as wallet
from tests.api.support import together
from tests.flows.support import NOW, Scene, assert_books_hold, make_scene

ROUNDS = range(3)


@pytest.fixture
def scene(database: object) -> Iterator[Scene]:
    made = make_scene(balance=10_000)
    yield made
    assert_books_hold()


def held(scene: Scene, minor: int = 1000) -> PaymentView:
    outcome = scene.one(scene.hold("R1", minor))
    assert outcome.payment is not None
    assert outcome.code == flows.OK
    return outcome.payment


def at_once(scene: Scene, *commands: flows.Command) -> list[flows.Outcome]:
    """Each command in a transaction and a thread of its own, with a desk of its own as a gateway has."""

    def work(command: flows.Command) -> Callable[[], flows.Outcome]:
        return lambda: flows.execute([command], NOW, flows.Desk(5))[0]

    return together([work(one) for one in commands])


@pytest.mark.parametrize("_round", ROUNDS)
def test_never_more_than_was_authorized(scene: Scene, _round: int) -> None:
    payment = held(scene)
    outcomes = at_once(scene, *[scene.capture(f"C{n}", payment.id, 300) for n in range(12)])
    assert Counter(one.code for one in outcomes) == {flows.OK: 3, acquiring.CAPTURE_EXCEEDS: 9}
    assert (scene.owed(), scene.held()) == (900, 100)
    assert scene.one(scene.capture("C99", payment.id, 100)).code == flows.OK
    assert (scene.purse, scene.available) == (10_000 - 7979,) * 2


@pytest.mark.parametrize("_round", ROUNDS)
def test_one_id_captures_once(scene: Scene, _round: int) -> None:
    payment = held(scene)
    amounts = [400, 500] * 5
    outcomes = at_once(scene, *[scene.capture("C1", payment.id, minor) for minor in amounts])
    assert Counter(one.code for one in outcomes) == {flows.OK: 5, acquiring.REQUEST_REUSED: 5}
    [won] = {one.capture.amount.minor for one in outcomes if one.capture}
    assert (scene.owed(), scene.held()) == (won, 1000 - won)


@pytest.mark.parametrize("_round", ROUNDS)
def test_a_capture_or_the_cancellation(scene: Scene, _round: int) -> None:
    payment = held(scene)
    captured, cancelled = at_once(scene, scene.capture("C1", payment.id, 1000), scene.cancel(payment.id))
    if captured.code == flows.OK:
        assert cancelled.code == acquiring.CANCEL_AFTER_CAPTURE
        assert (scene.purse, scene.available, scene.owed()) == (2021, 2021, 1000)
    else:
        assert (captured.code, cancelled.code) == (acquiring.AUTHORIZATION_CANCELLED, flows.OK)
        assert (scene.purse, scene.available, scene.owed()) == (10_000, 10_000, 0)
    assert scene.held() == 0


@pytest.mark.parametrize("_round", ROUNDS)
def test_a_capture_in_the_last_moment_or_the_expiry(scene: Scene, _round: int) -> None:
    """The gateway's clock is a moment before the end, the worker's a moment after it."""
    payment = held(scene)
    end = NOW + AUTHORIZATION_LIFE
    expire = flows.Expire(merchant_id=scene.merchant_id, payment_id=payment.id)
    captured, expired = together(
        [
            lambda: flows.execute(
                [scene.capture("C1", payment.id, 600)], end - timedelta(milliseconds=1), flows.Desk(5)
            )[0],
            lambda: flows.execute([expire], end, flows.Desk(5))[0],
        ]
    )
    assert expired.payment is not None
    assert scene.held() == 0 or captured.code == flows.OK
    scene.one(expire, end)
    again = scene.one(scene.capture("C2", payment.id, 1), end)
    assert again.code == acquiring.AUTHORIZATION_EXPIRED
    assert (scene.held(), scene.purse) == (0, scene.available)
    if captured.code == flows.OK:
        assert (scene.owed(), scene.purse) == (600, 10_000 - 4787)
        assert again.payment is not None
        assert again.payment.state is PaymentState.SUCCESS
    else:
        assert captured.code in (acquiring.AUTHORIZATION_EXPIRED, acquiring.AUTHORIZATION_CANCELLED)
        assert (scene.owed(), scene.purse) == (0, 10_000)


@pytest.mark.parametrize("_round", ROUNDS)
def test_hold_against_hold_against_payment(scene: Scene, _round: int) -> None:
    """Ten authorizations and payments of 79.79 yuan from a wallet with 100: one fits."""
    commands = [(scene.hold if n % 2 else scene.pay)(f"R{n}", 1000, code=scene.code(n=n)) for n in range(10)]
    outcomes = at_once(scene, *commands)
    assert Counter(one.code for one in outcomes) == {flows.OK: 1, wallet.BALANCE_INSUFFICIENT: 9}
    assert scene.available == 2021
    assert scene.owed() + scene.held() == 1000


@pytest.mark.parametrize("_round", ROUNDS)
def test_what_is_held_stays_held_while_it_is_captured(scene: Scene, _round: int) -> None:
    """Payments that would fit only if a capture let its rest go for a moment: none of them ever does."""
    payment = held(scene)
    captures = [scene.capture(f"C{n}", payment.id, 50) for n in range(10)]
    payments = [scene.pay(f"S{n}", 300, code=scene.code(n=1 + n % 9)) for n in range(9)]
    outcomes = at_once(scene, *[one for pair in zip(captures, payments, strict=False) for one in pair])
    assert {one.code for one in outcomes if one.capture} == {flows.OK}
    assert {one.code for one in outcomes if not one.capture} == {wallet.BALANCE_INSUFFICIENT}
    assert scene.available == 2021


@pytest.mark.parametrize("_round", ROUNDS)
def test_changes_captures_and_refunds_all_at_once(scene: Scene, _round: int) -> None:
    payment = held(scene)
    outcomes = at_once(
        scene,
        *[scene.update(f"U{n}", payment.id, 1000 + n) for n in range(4)],
        *[scene.capture(f"C{n}", payment.id, 200) for n in range(4)],
        *[scene.refund(f"F{n}", payment.id, 200) for n in range(4)],
    )
    stands = scene.one(scene.capture("C99", payment.id, 1, last=True)).payment
    assert stands is not None
    captured = 200 * sum(one.code == flows.OK for one in outcomes[4:8]) + 1
    refunded = 200 * sum(one.code == flows.OK for one in outcomes[8:])
    assert (stands.captured, stands.refunded) == (captured, refunded)
    assert (scene.owed(), scene.held()) == (captured - refunded, 0)
    assert scene.purse == scene.available
