"""A subscription that its merchant withdraws before anybody has approved it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest
from com.alipay.ams.api.request.notify.alipay_subscription_notify import AlipaySubscriptionNotify

from comptoir.acquiring import api as acquiring_api
from comptoir.acquiring.api import AgreementState, SubscriptionState
from comptoir.acquiring.api import errors as acquiring
from comptoir.db.run import read
from comptoir.flows import api as flows
from comptoir.flows.notifications.bodies import subscription_body
from comptoir.wallet import api as wallet
from tests.api.support import together
from tests.conftest import Database
from tests.flows.agreements import approval
from tests.flows.support import CLIENT, NOW, Scene, assert_books_hold, make_scene
from tests.flows.test_subscriptions import DAY, START, events, renew, stands, terms


@pytest.fixture
def scene(database: object) -> Iterator[Scene]:
    made = make_scene()
    made.desk = flows.Desk(10_000)
    yield made
    assert_books_hold()


@pytest.mark.parametrize("at_once", [False, True])
def test_one_that_nobody_has_approved_is_withdrawn(scene: Scene, at_once: bool) -> None:
    command = terms(scene)
    opened = scene.one(command, now=START - DAY)
    assert opened.subscription is not None
    end = flows.EndSubscription(
        merchant_id=scene.merchant_id, client_ref=CLIENT, at_once=at_once, request_ref="S1"
    )
    assert [scene.one(end, now=START - DAY).code for _ in range(2)] == [flows.OK] * 2
    over = stands(opened.subscription.id)
    assert over.state is (SubscriptionState.TERMINATED if at_once else SubscriptionState.CANCELLED)
    assert (over.next_at, over.ended_at) == (None, START - DAY)
    late = scene.one(approval(scene, command.agreement.consent_code), now=START - DAY)
    assert late.code == acquiring.AGREEMENT_CLOSED
    again = scene.one(command, now=START - DAY)
    assert again.agreement is not None
    assert again.agreement.state is AgreementState.DECLINED
    assert renew(scene, over, START).payment is None
    assert stands(over.id) == over
    assert not wallet.agreements_of(scene.wallet_id, NOW)
    assert (scene.purse, scene.owed()) == (1_000_000, 0)
    word = "TERMINATE" if at_once else "CANCEL"
    assert events() == [("notify.subscription", word)]
    told = AlipaySubscriptionNotify(subscription_body(over, word).decode())
    assert told.subscription_status.value == over.state.value.upper()


def test_what_was_withdrawn_is_forgotten_like_what_nobody_approved(scene: Scene) -> None:
    command = terms(scene)
    scene.one(command, now=START - DAY)
    end = flows.EndSubscription(
        merchant_id=scene.merchant_id, client_ref=CLIENT, at_once=True, request_ref="S1"
    )
    assert scene.one(end, now=START - DAY).code == flows.OK
    assert read(acquiring_api.purge_stale_agreements(START + 365 * DAY, 10))
    assert flows.verify_books().holds


def test_an_approval_that_races_a_withdrawal(database: Database) -> None:
    """Whoever comes second finds it as the first left it: nothing is charged after the end."""
    scene = make_scene()
    scene.desk = flows.Desk(10_000)
    for number in range(3):
        command = terms(scene, f"S{number}")
        scene.one(command, now=START - DAY)
        end = flows.EndSubscription(
            merchant_id=scene.merchant_id, client_ref=CLIENT, at_once=True, request_ref=f"S{number}"
        )
        agree = approval(scene, command.agreement.consent_code)

        def do(what: flows.Command) -> flows.Outcome:
            return flows.execute([what], START - DAY, flows.Desk(10_000))[0]

        ended, agreed = together([partial(do, end), partial(do, agree)])
        assert ended.code == flows.OK
        assert agreed.code in (flows.OK, acquiring.AGREEMENT_CLOSED)
        over = stands(command.agreement.id)
        assert (over.state, over.next_at) == (SubscriptionState.TERMINATED, None)
        assert renew(scene, over, START).payment is None
    assert scene.owed() == 0
    assert_books_hold()
