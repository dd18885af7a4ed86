"""Paying without being asked each time: what an agreement allows, and everything it does not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
from com.alipay.ams.api.request.notify.alipay_auth_notify import AlipayAuthNotify
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st

from comptoir.acquiring import api as acquiring_api
from comptoir.acquiring.api import AgreementEnd, AgreementState, PaymentState
from comptoir.acquiring.api import errors as acquiring
from comptoir.acquiring.rules import ACCESS_TIME, AUTH_CODE_TIME, CONSENT_TIME, REFRESH_TIME
from comptoir.flows import api as flows
from comptoir.flows.agreements import auth_code, digest, token_pair
from comptoir.flows.notifications.bodies import agreement_body
from comptoir.kernel.ids import new_id
from comptoir.kernel.money import Money
from comptoir.wallet import api as wallet
from tests.api.support import together
from tests.conftest import Database
from tests.flows.agreements import Agreed, approval, asked, exchange
from tests.flows.support import NOW, Scene, assert_books_hold, make_merchant, make_scene

#: 10.00 EUR at 7.90 plus one percent.
TEN_EUROS = 7979


@pytest.fixture
def scene(database: object) -> Iterator[Scene]:
    made = make_scene()
    yield made
    assert_books_hold()


def outbox() -> list[tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT topic, payload->>'event' FROM db_outbox WHERE topic = 'notify.agreement' ORDER BY id"
        )
        return list(cursor.fetchall())


def test_an_agreement_pays_without_anybody_being_asked(scene: Scene) -> None:
    agreed = Agreed(scene)
    outcome = scene.one(agreed.pay("R1"))
    assert (outcome.code, scene.purse, scene.owed()) == (flows.OK, 1_000_000 - TEN_EUROS, 1000)
    assert outcome.payment is not None
    assert outcome.payment.customer_ref == agreed.view.customer_ref
    again = scene.one(agreed.pay("R1"))
    assert (again.payment, scene.owed()) == (outcome.payment, 1000)
    (own,) = wallet.agreements_of(scene.wallet_id, NOW)
    assert (own.payee, own.spent, own.payment_limit, own.day_limit) == (
        "Chocolaterie Sablon", TEN_EUROS, 100_000, 500_000,
    )  # fmt: skip
    assert outbox() == [("notify.agreement", "TOKEN_CREATED")]


def test_what_an_agreement_paid_is_refunded_and_cancelled_like_any_payment(scene: Scene) -> None:
    agreed = Agreed(scene)
    first, second = scene.one(agreed.pay("R1")).payment, scene.one(agreed.pay("R2")).payment
    assert first is not None
    assert second is not None
    assert scene.one(scene.refund("F1", first.id, 400)).code == flows.OK
    assert scene.one(scene.cancel(second.id)).code == flows.OK
    assert scene.owed() == 600
    (own,) = wallet.agreements_of(scene.wallet_id, NOW)
    assert own.spent == 1_000_000 - scene.purse, "what came back is not spent"


def test_a_request_may_be_repeated_but_not_with_another_token(scene: Scene) -> None:
    one, other = Agreed(scene), Agreed(scene)
    assert scene.one(one.pay("R1")).code == flows.OK
    assert scene.one(other.pay("R1")).code == acquiring.REQUEST_REUSED
    assert scene.owed() == 1000


@pytest.mark.parametrize("kind", ["unknown", "foreign", "expired", "revoked", "ended", "refresh", "code"])
def test_a_token_that_is_not_good_moves_nothing(scene: Scene, kind: str) -> None:
    agreed, now = Agreed(scene), NOW
    pay = agreed.pay("R1")
    match kind:
        case "unknown":
            pay = agreed.pay("R1", token="x" * 43)
        case "foreign":
            pay = agreed.pay("R1", merchant_id=make_merchant())
        case "expired":
            now = NOW + ACCESS_TIME
            scene.desk = flows.Desk(10_000)
        case "revoked":
            assert scene.one(agreed.revoke).code == flows.OK
        case "ended":
            assert scene.one(agreed.end).code == flows.OK
        case "refresh":
            pay = agreed.pay("R1", token=agreed.tokens.refresh)
        case "code":
            pay = agreed.pay("R1", token=agreed.code)
    outcome = scene.one(pay, now=now)
    assert outcome.code == acquiring.ACCESS_TOKEN_INVALID
    assert outcome.payment is not None
    assert (outcome.payment.state, outcome.payment.wallet_id) == (PaymentState.FAIL, None)
    assert (scene.purse, scene.owed()) == (1_000_000, 0)
    assert scene.one(pay, now=now).code == acquiring.ACCESS_TOKEN_INVALID, "the refusal is kept"


def test_limits_of_the_agreement_hold_beside_those_of_the_wallet(scene: Scene) -> None:
    agreed = Agreed(scene, payment_limit=TEN_EUROS, day_limit=2 * TEN_EUROS)
    assert scene.one(agreed.pay("R1", 1001)).code == wallet.errors.PAYMENT_LIMIT
    codes = [one.code for one in scene.do(*(agreed.pay(f"S{n}") for n in range(3)))]
    assert codes == [flows.OK, flows.OK, wallet.errors.DAY_LIMIT]
    # Another shop's agreement has a limit of its own, and tomorrow in China is another day.
    assert scene.one(Agreed(scene).pay("T1")).code == flows.OK
    assert scene.one(agreed.pay("R2"), now=NOW + timedelta(hours=8)).code == flows.OK
    assert scene.owed() == 4000


def test_an_empty_or_frozen_wallet_is_not_debited(database: object) -> None:
    poor = make_scene(balance=TEN_EUROS - 1)
    agreed = Agreed(poor)
    assert poor.one(agreed.pay("R1")).code == wallet.errors.BALANCE_INSUFFICIENT
    wallet.freeze(poor.wallet_id)
    assert poor.one(agreed.pay("R2")).code == wallet.errors.WALLET_INACTIVE
    assert (poor.purse, poor.owed()) == (TEN_EUROS - 1, 0)
    assert_books_hold()


@pytest.mark.parametrize(
    "limits",
    [
        {"payment_limit": 0},
        {"payment_limit": -1},
        {"payment_limit": 500_001},
        {"day_limit": 2_000_001},
        {"payment_limit": 300, "day_limit": 200},
    ],
)
def test_limits_that_cannot_be_are_refused(scene: Scene, limits: dict[str, int]) -> None:
    opened = asked(scene)
    scene.one(opened)
    assert scene.one(approval(scene, opened.consent_code, **limits)).code == wallet.errors.AGREEMENT_LIMITS
    assert wallet.agreements_of(scene.wallet_id, NOW) == ()


@given(
    no_pin=st.integers(0, 10**6), payment=st.integers(0, 10**6), day=st.integers(0, 10**6),
    at_once=st.none() | st.integers(-5, 10**6), a_day=st.none() | st.integers(-5, 10**6),
)  # fmt: skip
@settings(max_examples=500)
def test_no_agreement_goes_beyond_its_wallet(
    no_pin: int, payment: int, day: int, at_once: int | None, a_day: int | None
) -> None:
    no_pin, payment, day = sorted((no_pin, payment, day))
    purse = wallet.WalletView(
        id=new_id(), holder_id=new_id(), display_name="", currency="CNY", state=wallet.WalletState.ACTIVE,
        no_pin_limit=no_pin, payment_limit=payment, day_limit=day,
    )  # fmt: skip
    limits = wallet.agreement_limits(purse, at_once, a_day)
    if limits is not None:
        assert 0 < limits[0] <= limits[1]
        assert limits[0] <= payment
        assert limits[1] <= day
        assert at_once in (None, limits[0])
        assert a_day in (None, limits[1])
    if at_once is None and a_day is None and no_pin:
        assert limits == (no_pin, payment)


def test_an_approval_is_one_wallets_and_can_be_repeated(scene: Scene) -> None:
    other = make_scene(merchant_id=scene.merchant_id)
    opened = asked(scene)
    assert scene.one(approval(scene, "0" * 32)).code == acquiring.AGREEMENT_UNKNOWN
    scene.one(opened)
    first, again, second = scene.do(
        approval(scene, opened.consent_code),
        approval(scene, opened.consent_code),
        approval(other, opened.consent_code),
    )
    assert (first.code, again.code, second.code) == (flows.OK, flows.OK, acquiring.AGREEMENT_CLOSED)
    assert wallet.agreements_of(other.wallet_id, NOW) == ()
    assert (
        scene.one(flows.DeclineAgreement(consent_code=opened.consent_code)).code == acquiring.AGREEMENT_CLOSED
    )


def test_nobody_can_approve_what_was_declined_or_is_too_late(scene: Scene) -> None:
    declined, late = asked(scene), asked(scene)
    scene.do(declined, late)
    refuse = flows.DeclineAgreement(consent_code=declined.consent_code)
    assert [scene.one(refuse).code, scene.one(refuse).code] == [flows.OK, flows.OK]
    assert scene.one(approval(scene, declined.consent_code)).code == acquiring.AGREEMENT_CLOSED
    outcome = scene.one(approval(scene, late.consent_code), now=NOW + CONSENT_TIME)
    assert outcome.code == acquiring.AGREEMENT_CLOSED
    assert wallet.agreements_of(scene.wallet_id, NOW) == ()
    assert outbox() == []


def test_a_suspended_merchant_cannot_ask(scene: Scene) -> None:
    acquiring_api.set_status(scene.merchant_id, "suspended")
    assert scene.one(asked(scene)).code == acquiring.MERCHANT_INACTIVE
    assert scene.one(asked(scene, merchant_id=new_id())).code == acquiring.MERCHANT_UNKNOWN


def test_a_code_makes_one_pair_of_tokens(scene: Scene) -> None:
    opened = asked(scene)
    code = auth_code(opened.consent_code)
    scene.one(opened)
    take = exchange(scene.merchant_id, code)
    assert scene.one(take).code == acquiring.AUTH_CODE_INVALID, "nobody has approved"
    scene.one(approval(scene, opened.consent_code))
    stranger = exchange(make_merchant(), code)
    assert scene.one(stranger).code == acquiring.AUTH_CODE_INVALID
    assert scene.one(exchange(scene.merchant_id, code, refresh=True)).code == acquiring.REFRESH_TOKEN_INVALID
    first, again = scene.do(take, take)
    assert (first.code, again.code, again.agreement) == (flows.OK, flows.OK, first.agreement)
    tokens = token_pair(digest(code), refresh=False)
    renewal = exchange(scene.merchant_id, tokens.refresh, refresh=True)
    assert scene.one(renewal).code == flows.OK
    # Once its tokens have been replaced the code is good for nothing.
    assert scene.one(take).code == acquiring.AUTH_CODE_INVALID
    assert outbox() == [("notify.agreement", "TOKEN_CREATED")]


def test_a_code_lives_ten_minutes(scene: Scene) -> None:
    opened = asked(scene)
    scene.do(opened)
    scene.one(approval(scene, opened.consent_code))
    take = exchange(scene.merchant_id, auth_code(opened.consent_code))
    assert scene.one(take, now=NOW + AUTH_CODE_TIME).code == acquiring.AUTH_CODE_EXPIRED
    assert scene.one(take, now=NOW + AUTH_CODE_TIME - timedelta(seconds=1)).code == flows.OK


def test_refreshing_replaces_both_tokens_at_once(scene: Scene) -> None:
    agreed = Agreed(scene)
    renewal = exchange(scene.merchant_id, agreed.tokens.refresh, refresh=True)
    fresh = token_pair(digest(agreed.tokens.refresh), refresh=True)
    first = scene.one(renewal, now=NOW + timedelta(days=1))
    again = scene.one(renewal, now=NOW + timedelta(days=2))
    assert (first.code, again.code, again.agreement) == (flows.OK, flows.OK, first.agreement)
    assert scene.one(agreed.pay("R1")).code == acquiring.ACCESS_TOKEN_INVALID
    assert scene.one(agreed.pay("R2", token=fresh.access)).code == flows.OK
    assert first.agreement is not None
    assert first.agreement.access_expires_at == NOW + timedelta(days=1) + ACCESS_TIME
    late = exchange(scene.merchant_id, fresh.refresh, refresh=True)
    too_late = NOW + timedelta(days=1) + REFRESH_TIME
    assert scene.one(late, now=too_late).code == acquiring.REFRESH_TOKEN_INVALID


def test_tokens_are_good_from_their_place_in_a_batch_on(scene: Scene) -> None:
    """What a shop is given and what it does with it may come to the books together: in that order."""
    agreed = Agreed(scene)
    renewal = exchange(scene.merchant_id, agreed.tokens.refresh, refresh=True)
    fresh = token_pair(digest(agreed.tokens.refresh), refresh=True)
    again = exchange(scene.merchant_id, fresh.refresh, refresh=True)
    outcomes = scene.do(
        agreed.pay("R1"), renewal, agreed.pay("R2"), agreed.pay("R3", token=fresh.access), again
    )
    refused = acquiring.ACCESS_TOKEN_INVALID
    assert [one.code for one in outcomes] == [flows.OK, flows.OK, refused, flows.OK, flows.OK]
    assert scene.owed() == 2000


@pytest.mark.parametrize("by", ["merchant", "traveller"])
def test_either_side_ends_it_for_good_and_both_are_told(scene: Scene, by: str) -> None:
    agreed = Agreed(scene)
    command = agreed.revoke if by == "merchant" else agreed.end
    first = scene.one(command)
    again = scene.one(command, now=NOW + timedelta(hours=1))
    assert first.agreement is not None
    assert first.agreement.state is AgreementState.ENDED
    assert first.agreement.ended_by == AgreementEnd(by)
    assert again.agreement == first.agreement
    (own,) = wallet.agreements_of(scene.wallet_id, NOW)
    assert (own.state, own.ended_at) == (wallet.AgreementState.ENDED, NOW)
    renewal = exchange(scene.merchant_id, agreed.tokens.refresh, refresh=True)
    assert scene.one(renewal).code == acquiring.REFRESH_TOKEN_INVALID
    assert outbox() == [("notify.agreement", "TOKEN_CREATED"), ("notify.agreement", "TOKEN_CANCELED")]


def test_nobody_ends_the_agreement_of_others(scene: Scene) -> None:
    agreed, other = Agreed(scene), make_scene(merchant_id=scene.merchant_id)
    theirs = flows.EndAgreement(wallet_id=other.wallet_id, agreement_id=agreed.view.id)
    assert scene.one(theirs).code == wallet.errors.AGREEMENT_UNKNOWN
    foreign = flows.RevokeToken(merchant_id=make_merchant(), access_hash=digest(agreed.tokens.access))
    assert scene.one(foreign).code == acquiring.ACCESS_TOKEN_INVALID
    assert scene.one(agreed.pay("R1")).code == flows.OK


def test_an_approval_that_was_never_used_can_be_ended(scene: Scene) -> None:
    opened = asked(scene)
    scene.do(opened)
    scene.one(approval(scene, opened.consent_code))
    end = flows.EndAgreement(wallet_id=scene.wallet_id, agreement_id=opened.id)
    assert scene.one(end).code == flows.OK
    take = exchange(scene.merchant_id, auth_code(opened.consent_code))
    assert scene.one(take).code == acquiring.AUTH_CODE_INVALID


def test_an_end_beside_payments_in_one_batch_holds_from_its_place_on(scene: Scene) -> None:
    agreed = Agreed(scene)
    before, _, after = scene.do(agreed.pay("R1"), agreed.end, agreed.pay("R2"))
    assert (before.code, after.code) == (flows.OK, acquiring.ACCESS_TOKEN_INVALID)
    assert scene.owed() == 1000


def test_an_end_that_races_payments_is_before_or_after_each(database: Database) -> None:
    """Threads on connections of their own: what was paid was paid before the end, and nothing after."""
    scene = make_scene()
    agreed = Agreed(scene)
    scene.desk = flows.Desk(5)

    def do(command: flows.Command) -> flows.Outcome:
        return flows.execute([command], NOW, flows.Desk(5))[0]

    pays = [agreed.pay(f"R{n}", 100) for n in range(12)]
    work: list[flows.Command] = [*pays[:6], agreed.end, agreed.revoke, *pays[6:]]
    outcomes = together([lambda one=one: do(one) for one in work])  # type: ignore[misc]
    codes = [one.code for one in outcomes]
    paid = codes.count(flows.OK) - 2
    assert codes.count(acquiring.ACCESS_TOKEN_INVALID) == 12 - paid
    assert scene.owed() == 100 * paid
    assert do(agreed.pay("R99", 100)).code == acquiring.ACCESS_TOKEN_INVALID
    assert outbox() == [("notify.agreement", "TOKEN_CREATED"), ("notify.agreement", "TOKEN_CANCELED")]
    assert_books_hold()


def test_many_exchanges_at_once_make_one_pair(database: Database) -> None:
    scene = make_scene()
    opened = asked(scene)
    scene.do(opened)
    scene.one(approval(scene, opened.consent_code))
    take = exchange(scene.merchant_id, auth_code(opened.consent_code))
    outcomes = together([lambda: flows.execute([take], NOW, flows.Desk(5))[0]] * 8)
    assert {one.code for one in outcomes} == {flows.OK}
    assert len({one.agreement.access_expires_at for one in outcomes if one.agreement}) == 1
    assert outbox() == [("notify.agreement", "TOKEN_CREATED")]


def test_what_nobody_approved_is_forgotten_a_day_later(scene: Scene) -> None:
    stale, kept = asked(scene), Agreed(scene)
    scene.one(stale)

    def purge(days: float) -> int:
        statement = acquiring_api.purge_stale_agreements(NOW + CONSENT_TIME + timedelta(days=days), 100)
        with connection.cursor() as cursor:
            cursor.execute(statement.sql, statement.params)
            return len(cursor.fetchall())

    assert (purge(0.9), purge(1.1), purge(400)) == (0, 1, 0)
    assert scene.one(kept.pay("R1")).code == flows.OK


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE acquiring_agreement SET state = 'active', ended_at = NULL, ended_by = NULL",
        "UPDATE wallet_agreement SET state = 'active', ended_at = NULL",
        "DELETE FROM wallet_agreement",
        "DELETE FROM acquiring_agreement",
        "UPDATE wallet_agreement SET ended_at = created_at - interval '1 minute'",
        "UPDATE wallet_agreement SET payment_limit = 7978",
        "UPDATE wallet_authorization SET agreement_id = payment_id",
    ],
)
def test_the_proof_sees_what_does_not_agree(database: object, change: str) -> None:
    scene = make_scene()
    agreed = Agreed(scene)
    scene.do(agreed.pay("R1"), agreed.end)
    assert_books_hold()
    with connection.cursor() as cursor:
        cursor.execute(change)
    assert not flows.verify_books().holds


def test_the_tables_hold_no_code_and_no_token(database: object) -> None:
    scene = make_scene()
    agreed = Agreed(scene)
    scene.do(agreed.pay("R1"), agreed.end)
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        tables = [row[0] for row in cursor.fetchall()]
        dump = ""
        for table in tables:
            cursor.execute(f"SELECT row_to_json(t)::text FROM {table} t")
            dump += "\n".join(str(row[0]) for row in cursor.fetchall())
    assert agreed.view.consent_code in dump
    for secret in (agreed.code, *agreed.tokens):
        assert secret not in dump
    assert Money(TEN_EUROS, "CNY").minor  # the payment is there


def test_a_merchant_is_told_which_token_it_is_about(scene: Scene) -> None:
    agreed = Agreed(scene)
    created = json.loads(agreement_body(agreed.view, "TOKEN_CREATED"))
    assert created == {
        "authorizationNotifyType": "TOKEN_CREATED",
        "result": {"resultCode": "SUCCESS", "resultStatus": "S", "resultMessage": "success"},
        "authState": "customer 7",
        "accessToken": agreed.tokens.access,
        "userId": agreed.view.customer_ref,
    }
    ended = scene.one(agreed.end).agreement
    assert ended is not None
    told = AlipayAuthNotify(agreement_body(ended, "TOKEN_CANCELED").decode())
    assert (told.access_token, told.reason) == (agreed.tokens.access, "ended by the traveller")


def test_under_another_master_key_tokens_go_on_and_are_told_no_more(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    agreed = Agreed(scene)
    monkeypatch.setattr("comptoir.flows.agreements.derived_key", lambda purpose: b"another".ljust(32))
    assert "accessToken" not in json.loads(agreement_body(agreed.view, "TOKEN_CREATED"))
    assert scene.one(agreed.pay("R1")).code == flows.OK


@pytest.mark.parametrize("who", ["client", "merchant"])
def test_no_real_wallet_agrees_with_a_test(scene: Scene, who: str) -> None:
    command = asked(scene, sandbox=who == "client")
    if who == "merchant":
        with connection.cursor() as cursor:
            cursor.execute("UPDATE acquiring_merchant SET sandbox = true")
    assert scene.one(command).code == acquiring.NOT_SIMULATED
    with connection.cursor() as cursor:
        cursor.execute("UPDATE acquiring_merchant SET sandbox = false")
        cursor.execute("SELECT count(*) FROM acquiring_agreement")
        assert cursor.fetchone() == (0,)
