"""A payment that comes again every period: charged once a phase, tried again, changed, ended."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from com.alipay.ams.api.request.notify.alipay_subscription_notify import AlipaySubscriptionNotify
from com.alipay.ams.api.request.notify.alipay_subscription_pay_notify import AlipaySubscriptionPayNotify
from django.db import connection
from msgspec.structs import replace
from psycopg import AsyncConnection

from comptoir.acquiring import api as acquiring_api
from comptoir.acquiring.api import (
    AgreementState,
    PaymentState,
    Period,
    PeriodType,
    SubscriptionState,
    SubscriptionView,
    Trial,
)
from comptoir.acquiring.api import errors as acquiring
from comptoir.acquiring.rules import running_phase
from comptoir.db.run import read
from comptoir.flows import api as flows
from comptoir.flows.agreements import auth_code
from comptoir.flows.notifications.bodies import payment_body, subscription_body
from comptoir.flows.worker import RenewJob
from comptoir.kernel.clock import CHINA
from comptoir.kernel.ids import new_id
from comptoir.kernel.money import Money
from comptoir.wallet import api as wallet
from tests.api.support import together
from tests.conftest import Database
from tests.flows.agreements import approval, asked, exchange
from tests.flows.support import CLIENT, NOW, Scene, assert_books_hold, make_scene

#: 10.00 EUR at 7.90 plus one percent.
TEN_EUROS = 7979

#: The evening of a last of January, in China.
START = datetime(2027, 1, 31, 20, 0, tzinfo=CHINA).astimezone(UTC)
DAY = timedelta(days=1)


@pytest.fixture
def scene(database: object) -> Iterator[Scene]:
    made = make_scene()
    made.desk = flows.Desk(10_000)
    yield made
    assert_books_hold()


def terms(scene: Scene, ref: str = "S1", **changes: Any) -> flows.OpenSubscription:
    given: dict[str, Any] = {
        "agreement": asked(scene, state_ref=ref),
        "request_ref": ref,
        "input_hash": b"1" * 32,
        "description": "chocolate every month",
        "amount": Money(1000, "EUR"),
        "period": Period(PeriodType.MONTH, 1),
        "start_at": START,
        "payment_notify_url": "http://127.0.0.1:9/p",
    }
    return flows.OpenSubscription(**given | changes)


def begun(scene: Scene, ref: str = "S1", **changes: Any) -> SubscriptionView:
    """A subscription that its traveller has approved."""
    command = terms(scene, ref, **changes)
    opened = scene.one(command, now=START - DAY)
    assert opened.code == flows.OK, opened
    assert scene.one(approval(scene, command.agreement.consent_code), now=START - DAY).code == flows.OK
    return stands(command.agreement.id)


def stands(subscription_id: Any) -> SubscriptionView:
    with connection.cursor() as cursor:
        cursor.execute("SELECT merchant_id FROM acquiring_subscription WHERE id = %s", [subscription_id])
        (merchant_id,) = cursor.fetchone()
    (found,) = acquiring_api.decode_subscriptions(
        read(acquiring_api.subscriptions_by_id([(merchant_id, subscription_id)]))
    )
    return found


def renewal(one: SubscriptionView) -> flows.Renew:
    return flows.Renew(
        merchant_id=one.merchant_id,
        client_ref=CLIENT,
        subscription_id=one.id,
        phase=one.phase,
        attempt=one.attempt,
    )


def renew(scene: Scene, one: SubscriptionView, now: datetime) -> flows.Outcome:
    return scene.one(renewal(one), now=now)


def events() -> list[tuple[str, str | None]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT topic, payload->>'event' FROM db_outbox ORDER BY id")
        return list(cursor.fetchall())


def china(one: SubscriptionView) -> str:
    assert one.next_at is not None
    return f"{one.next_at.astimezone(CHINA):%Y-%m-%d %H:%M}"


def test_nothing_is_charged_before_the_approval_or_the_start(scene: Scene) -> None:
    command = terms(scene)
    opened = scene.one(command, now=START - DAY).subscription
    assert opened is not None
    assert (opened.state, opened.next_at) == (SubscriptionState.OPEN, None)
    assert renew(scene, opened, START).payment is None
    scene.one(approval(scene, command.agreement.consent_code), now=START - DAY)
    one = stands(opened.id)
    assert (one.state, one.next_at) == (SubscriptionState.ACTIVE, START)
    assert renew(scene, one, START - timedelta(seconds=1)).payment is None
    assert (scene.purse, scene.owed()) == (1_000_000, 0)
    (own,) = wallet.agreements_of(scene.wallet_id, NOW)
    assert (own.payment_limit, own.day_limit) == (500_000, 2_000_000), "the wallet's own"


def test_each_phase_is_charged_once_and_month_ends_come_back(scene: Scene) -> None:
    one = begun(scene)
    days = []
    for phase in range(1, 5):
        days.append(china(one))
        assert one.next_at is not None
        paid, again = renew(scene, one, one.next_at), renew(scene, one, one.next_at)
        assert paid.payment is not None
        assert paid.payment.state is PaymentState.SUCCESS
        assert paid.payment.request_ref == f"sub-{one.id.hex}-{phase}-1"
        assert again.payment is None
        one = stands(one.id)
        assert (one.phase, one.attempt) == (phase + 1, 1)
    assert days == ["2027-01-31 20:00", "2027-02-28 20:00", "2027-03-31 20:00", "2027-04-30 20:00"]
    assert (scene.purse, scene.owed()) == (1_000_000 - 4 * TEN_EUROS, 4000)


def test_the_same_phase_twice_in_one_batch_is_one_payment(scene: Scene) -> None:
    one = begun(scene)
    first, second = scene.do(renewal(one), renewal(one), now=START)
    assert first.payment is not None
    assert second.payment is None
    assert scene.owed() == 1000


def test_workers_that_race_charge_once(database: Database) -> None:
    scene = make_scene()
    scene.desk = flows.Desk(10_000)
    one = begun(scene)
    command, end = renewal(one), flows.EndAgreement(wallet_id=scene.wallet_id, agreement_id=one.id)

    def do(what: flows.Command) -> flows.Outcome:
        return flows.execute([what], START, flows.Desk(10_000))[0]

    outcomes = together([lambda: do(command)] * 6)
    assert sum(one.payment is not None for one in outcomes) == 1
    assert scene.owed() == 1000
    # And beside its end: the next phase is charged before it or not at all.
    later = stands(one.id)
    together([lambda: do(end), *[lambda: do(renewal(later))] * 3])
    assert scene.owed() in (1000, 2000)
    assert stands(one.id).state is SubscriptionState.TERMINATED
    assert_books_hold()


def test_trials_cost_what_was_said_and_nothing_is_no_payment(scene: Scene) -> None:
    one = begun(scene, trials=(Trial(0, 1, 1), Trial(300, 2, 3)))
    owed = []
    for _ in range(4):
        assert one.next_at is not None
        renew(scene, one, one.next_at)
        one = stands(one.id)
        owed.append(scene.owed())
    assert owed == [0, 300, 600, 1600]


def test_a_phase_that_fails_is_tried_again_and_then_left(scene: Scene) -> None:
    one = begun(scene)
    wallet.freeze(scene.wallet_id)
    tries = []
    for _ in range(4):
        assert one.next_at is not None
        tries.append(one.next_at)
        outcome = renew(scene, one, one.next_at)
        assert outcome.code == wallet.errors.WALLET_INACTIVE
        one = stands(one.id)
    assert [at - START for at in tries] == [0 * DAY, 1 * DAY, 3 * DAY, 7 * DAY]
    assert (one.phase, one.attempt, china(one)) == (2, 1, "2027-02-28 20:00")
    assert scene.purse == 1_000_000
    wallet.unfreeze(scene.wallet_id)
    assert one.next_at is not None
    assert renew(scene, one, one.next_at).code == flows.OK
    told = [topic for topic, _ in events() if topic == "notify.payment"]
    assert len(told) == 5, "every try is told"


def test_a_try_again_that_succeeds_goes_on_by_the_calendar(scene: Scene) -> None:
    poor = make_scene(balance=TEN_EUROS - 1, merchant_id=scene.merchant_id)
    poor.desk = scene.desk
    one = begun(poor)
    assert renew(poor, one, START).code == wallet.errors.BALANCE_INSUFFICIENT
    wallet.top_up(new_id(), poor.wallet_id, Money(1, "CNY"), NOW)
    one = stands(one.id)
    assert (one.phase, one.attempt, one.next_at) == (1, 2, START + DAY)
    assert renew(poor, one, START + DAY).code == flows.OK
    assert (poor.purse, china(stands(one.id))) == (0, "2027-02-28 20:00")


@pytest.mark.parametrize("kind", ["told", "short"])
def test_no_try_again_when_told_or_when_the_next_phase_begins(scene: Scene, kind: str) -> None:
    daily = Period(PeriodType.DAY, 1)
    one = begun(scene, allow_retry=False) if kind == "told" else begun(scene, period=daily)
    wallet.freeze(scene.wallet_id)
    renew(scene, one, START)
    one = stands(one.id)
    assert (one.phase, one.attempt) == (2, 1)


def test_a_suspended_merchant_waits_and_no_phase_is_lost(scene: Scene) -> None:
    one = begun(scene)
    acquiring_api.set_status(scene.merchant_id, "suspended")
    assert renew(scene, one, START).code == acquiring.MERCHANT_INACTIVE
    one = stands(one.id)
    assert (one.phase, one.attempt, one.next_at) == (1, 1, START + timedelta(hours=1))
    acquiring_api.set_status(scene.merchant_id, "active")
    assert renew(scene, one, START + timedelta(hours=1)).code == flows.OK


def test_it_ends_when_it_was_to_end(scene: Scene) -> None:
    one = begun(scene, end_at=START + timedelta(days=40))
    for _ in range(3):
        assert one.next_at is not None
        renew(scene, one, one.next_at)
        one = stands(one.id)
    assert (one.state, one.next_at, scene.owed()) == (SubscriptionState.TERMINATED, None, 2000)
    (own,) = wallet.agreements_of(scene.wallet_id, NOW)
    assert own.state is wallet.AgreementState.ENDED
    assert [event for topic, event in events() if topic == "notify.subscription"] == ["CREATE", "TERMINATE"]


@pytest.mark.parametrize("how", ["cancel", "terminate", "traveller"])
def test_whoever_ends_it_nothing_more_is_charged(scene: Scene, how: str) -> None:
    one = begun(scene)
    renew(scene, one, START)
    end: flows.Command = flows.EndSubscription(
        merchant_id=scene.merchant_id, client_ref=CLIENT, at_once=how == "terminate", request_ref="S1"
    )
    if how == "traveller":
        end = flows.EndAgreement(wallet_id=scene.wallet_id, agreement_id=one.id)
    assert [scene.one(end, now=START + DAY).code for _ in range(2)] == [flows.OK] * 2
    over = stands(one.id)
    assert over.state is (SubscriptionState.CANCELLED if how == "cancel" else SubscriptionState.TERMINATED)
    assert (over.next_at, over.ended_at) == (None, START + DAY)
    assert renew(scene, over, START + timedelta(days=100)).payment is None
    assert scene.owed() == 1000
    (own,) = wallet.agreements_of(scene.wallet_id, NOW)
    assert own.state is wallet.AgreementState.ENDED
    told = [event for topic, event in events() if topic == "notify.subscription"]
    assert told == ["CREATE", "CANCEL" if how == "cancel" else "TERMINATE"]


def change(one: SubscriptionView, ref: str = "C1", **changes: Any) -> flows.ChangeSubscription:
    given: dict[str, Any] = {
        "merchant_id": one.merchant_id,
        "client_ref": CLIENT,
        "request_ref": ref,
        "subscription_id": one.id,
        "input_hash": b"2" * 32,
        "event": "CHANGE",
    }
    return flows.ChangeSubscription(**given | changes)


def test_terms_change_from_the_next_phase_on_up_to_what_was_agreed(scene: Scene) -> None:
    one = begun(scene, ceiling=1200)
    renew(scene, one, START)
    one = stands(one.id)
    less = change(one, amount=Money(500, "EUR"), period=Period(PeriodType.WEEK, 2))
    assert [scene.one(less, now=START + DAY).code for _ in range(2)] == [flows.OK] * 2
    other = change(one, amount=Money(600, "EUR"), input_hash=b"3" * 32)
    assert scene.one(other, now=START + DAY).code == acquiring.REQUEST_REUSED
    assert (
        scene.one(change(one, "C2", amount=Money(1201, "EUR")), now=START + DAY).code
        == acquiring.SUBSCRIPTION_CEILING
    )
    assert (
        scene.one(change(one, "C3", amount=Money(1, "JPY")), now=START + DAY).code
        == acquiring.SUBSCRIPTION_INVALID
    )
    one = stands(one.id)
    assert (one.amount.minor, china(one)) == (500, "2027-02-28 20:00")
    assert one.next_at is not None
    renew(scene, one, one.next_at)
    assert (scene.owed(), china(stands(one.id))) == (1500, "2027-03-14 20:00")
    assert [event for topic, event in events() if topic == "notify.subscription"] == ["CREATE", "CHANGE"]


def test_the_next_phase_can_be_moved(scene: Scene) -> None:
    one = begun(scene)
    renew(scene, one, START)
    one = stands(one.id)
    moved = datetime(2027, 2, 10, 8, 0, tzinfo=CHINA)
    assert scene.one(change(one, "U2", event="UPDATE", next_at=moved), now=START).code == flows.OK
    one = stands(one.id)
    assert china(one) == "2027-02-10 08:00"
    renew(scene, one, moved)
    assert china(stands(one.id)) == "2027-03-10 08:00"


def test_the_next_phase_is_moved_neither_too_near_nor_beyond_a_period(scene: Scene) -> None:
    """The SDK: within one cycle, and 24 hours ahead at least, else PROCESS_FAIL."""
    one = begun(scene)
    renew(scene, one, START)
    one = stands(one.id)
    now = START + timedelta(hours=1)
    planned = datetime(2027, 2, 28, 20, 0, tzinfo=CHINA)
    latest = datetime(2027, 3, 31, 20, 0, tzinfo=CHINA)
    for at in (START, START + DAY, latest + timedelta(seconds=1), latest + 365 * DAY):
        outcome = scene.one(change(one, "U1", event="UPDATE", next_at=at), now=now)
        assert (outcome.code, outcome.field) == (acquiring.SUBSCRIPTION_DATE, "nextSubscriptionDate")
        assert stands(one.id) == one
    assert one.next_at == planned
    for number, at in enumerate((latest, planned, now + DAY)):
        moved = change(one, f"U2-{number}", event="UPDATE", next_at=at)
        assert scene.one(moved, now=now).code == flows.OK, at
        assert stands(one.id).next_at == at


def test_the_running_phase_keeps_its_begin_when_the_next_is_moved(scene: Scene) -> None:
    one = begun(scene)
    assert running_phase(one) == (0, None, None)
    renew(scene, one, START)
    one = stands(one.id)
    month = datetime(2027, 2, 28, 20, 0, tzinfo=CHINA)
    assert running_phase(one) == (1, START, month)
    for number, (what, ends) in enumerate(
        (
            ({"period": Period(PeriodType.WEEK, 1)}, month),
            ({"event": "UPDATE", "next_at": START + 5 * DAY}, START + 5 * DAY),
            ({"event": "UPDATE", "next_at": START + 3 * DAY}, START + 3 * DAY),
        )
    ):
        assert scene.one(change(one, f"C{number}", **what), now=START + DAY).code == flows.OK
        one = stands(one.id)
        assert running_phase(one) == (1, START, ends), what
    renew(scene, one, START + 3 * DAY)
    assert running_phase(stands(one.id)) == (2, START + 3 * DAY, START + 10 * DAY)


def test_before_the_first_phase_a_moved_one_leaves_no_running_phase(scene: Scene) -> None:
    one = begun(scene)
    moved = change(one, event="UPDATE", next_at=START + 2 * DAY)
    assert scene.one(moved, now=START - DAY).code == flows.OK
    assert running_phase(stands(one.id)) == (0, None, None)


def test_a_change_and_an_update_have_request_ids_of_their_own(scene: Scene) -> None:
    one = begun(scene)
    less = change(one, "X1", amount=Money(900, "EUR"))
    update = change(one, "X1", event="UPDATE", amount=Money(800, "EUR"), input_hash=b"3" * 32)
    for command in (less, update, less, update):
        assert scene.one(command, now=START - DAY).code == flows.OK
    assert stands(one.id).amount.minor == 800, "the repeats change nothing"
    for command in (less, update):
        other = replace(command, input_hash=b"4" * 32)
        assert scene.one(other, now=START - DAY).code == acquiring.REQUEST_REUSED
    told = [event for topic, event in events() if topic == "notify.subscription"]
    assert told == ["CREATE", "CHANGE", "UPDATE"]


def test_both_with_one_request_id_in_one_batch(scene: Scene) -> None:
    one = begun(scene)
    both = [
        change(one, "X1", amount=Money(900, "EUR")),
        change(one, "X1", event="UPDATE", end_at=START + 90 * DAY, input_hash=b"3" * 32),
    ]
    assert [outcome.code for outcome in scene.do(*both, now=START - DAY)] == [flows.OK] * 2
    found = stands(one.id)
    assert (found.amount.minor, found.end_at) == (900, START + 90 * DAY)


def test_what_is_asked_twice_is_one_subscription(scene: Scene) -> None:
    first = scene.one(terms(scene))
    again = scene.one(terms(scene))
    other = scene.one(terms(scene, input_hash=b"9" * 32))
    assert first.subscription is not None
    assert first.agreement is not None
    assert again.agreement == first.agreement
    assert other.code == acquiring.REQUEST_REUSED
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM acquiring_agreement")
        assert cursor.fetchone() == (1,)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"start_at": NOW - 2 * DAY}, "subscriptionStartTime"),
        ({"end_at": START}, "subscriptionEndTime"),
        ({"expires_at": NOW}, "subscriptionExpiryTime"),
        ({"period": Period(PeriodType.MONTH, 0)}, "periodRule.periodCount"),
        ({"amount": Money(1000, "USD")}, "paymentAmount.currency"),
    ],
)
def test_terms_that_cannot_be_are_refused(scene: Scene, changes: dict[str, Any], field: str) -> None:
    outcome = scene.one(terms(scene, **changes))
    assert (outcome.field, outcome.subscription) == (field, None)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT count(*) FROM acquiring_agreement), (SELECT count(*) FROM acquiring_subscription)"
        )
        assert cursor.fetchone() == (0, 0)


def test_the_merchant_is_told_which_phase_was_paid(scene: Scene) -> None:
    one = begun(scene)
    paid = renew(scene, one, START).payment
    assert paid is not None
    assert paid.notify_url == "http://127.0.0.1:9/p"
    told = AlipaySubscriptionPayNotify(payment_body(paid).decode())
    assert (told.subscription_id, told.subscription_request_id, told.phase_no) == (one.id.hex, "S1", 1)
    assert told.period_start_time == "2027-01-31T12:00:00+00:00"
    assert told.period_end_time == "2027-02-28T12:00:00+00:00"
    created = AlipaySubscriptionNotify(subscription_body(one, "CREATE").decode())
    assert created.subscription_id == one.id.hex
    assert json.loads(subscription_body(one, "CREATE"))["subscriptionStatus"] == "ACTIVE"


def test_the_worker_charges_what_is_due_and_a_broken_one_holds_up_no_other(database: Database) -> None:
    scene = make_scene()
    scene.desk = flows.Desk(10_000)
    broken, sound = begun(scene, "S1"), begun(scene, "S2")
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM wallet_agreement WHERE id = %s", [broken.id])

    async def work() -> None:
        job = RenewJob(flows.Desk(10_000))
        async with await AsyncConnection.connect(database.url, autocommit=True) as opened:
            for _ in range(3):
                assert not await job.step(opened, START)
            assert not await job.step(opened, START - DAY)

    asyncio.run(work())
    assert (stands(sound.id).phase, stands(broken.id).phase) == (2, 1)
    assert scene.owed() == 1000


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE acquiring_subscription SET state = 'terminated', next_at = NULL",
        "UPDATE acquiring_subscription_payment SET phase = 7",
        "UPDATE acquiring_subscription SET ceiling = 999, amount = 999",
        "DELETE FROM acquiring_subscription",
        "INSERT INTO acquiring_subscription_payment SELECT merchant_id, subscription_id, 1, 2, payment_id"
        " FROM acquiring_subscription_payment",
    ],
)
def test_the_proof_sees_what_does_not_agree(database: object, damage: str) -> None:
    scene = make_scene()
    scene.desk = flows.Desk(10_000)
    renew(scene, begun(scene), START)
    assert_books_hold()
    with connection.cursor() as cursor:
        cursor.execute(damage)
    assert not flows.verify_books().holds


def test_an_agreement_of_a_subscription_gives_no_tokens(scene: Scene) -> None:
    one = begun(scene)
    with connection.cursor() as cursor:
        cursor.execute("SELECT consent_code FROM acquiring_agreement")
        (code,) = cursor.fetchone()
    take = exchange(scene.merchant_id, auth_code(code))
    assert scene.one(take, now=START).code == acquiring.AUTH_CODE_INVALID
    (found,) = acquiring_api.decode_agreements(
        read(acquiring_api.agreements_by_id([(one.merchant_id, one.id)]))
    )
    assert (found.state, found.access_hash) == (AgreementState.ACTIVE, None)
