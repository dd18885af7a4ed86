"""Payments through the engine's own flow, on a real database: what moves, and what does not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from comptoir.acquiring.api import PaymentState, Product, RefundState
from comptoir.acquiring.api import errors as acquiring
from comptoir.flows import api as flows
from comptoir.kernel.money import Money
from comptoir.wallet import api as wallet
from tests.flows.support import NOW, Scene, assert_books_hold, make_merchant, make_scene

#: 10.00 EUR at 7.90 plus one percent.
TEN_EUROS = 7979


@pytest.fixture
def scene(database: object) -> Iterator[Scene]:
    made = make_scene()
    yield made
    assert_books_hold()


def test_a_scanned_code_pays_at_once(scene: Scene) -> None:
    outcome = scene.one(scene.pay("R1"))
    assert (outcome.code, scene.purse, scene.owed()) == (flows.OK, 1_000_000 - TEN_EUROS, 1000)
    payment = outcome.payment
    assert payment is not None
    assert payment.state is PaymentState.SUCCESS
    assert (payment.wallet_total, payment.wallet_margin) == (Money(TEN_EUROS, "CNY"), Money(79, "CNY"))


def test_a_repeat_gets_the_first_answer_and_moves_nothing(scene: Scene) -> None:
    first = scene.one(scene.pay("R1"))
    again = scene.one(scene.pay("R1"))
    assert first.payment is not None
    assert again.payment is not None
    assert again.payment == first.payment
    assert str(again.payment.quote_price) == str(first.payment.quote_price), "to the digit"
    assert again.code == flows.OK
    assert scene.purse == 1_000_000 - TEN_EUROS


def test_the_same_request_twice_in_one_batch_makes_one_payment(scene: Scene) -> None:
    outcomes = scene.do(*[scene.pay("R1")] * 7)
    assert len({o.payment.id for o in outcomes if o.payment}) == 1
    assert {o.code for o in outcomes} == {flows.OK}
    assert scene.owed() == 1000


def test_the_same_request_with_another_amount_is_refused_even_in_one_batch(scene: Scene) -> None:
    first, second = scene.do(scene.pay("R1", 1000), scene.pay("R1", 2000))
    assert (first.code, second.code) == (flows.OK, acquiring.REQUEST_REUSED)
    assert scene.one(scene.pay("R1", 3000)).code == acquiring.REQUEST_REUSED
    assert scene.owed() == 1000


def test_a_code_pays_once(scene: Scene) -> None:
    first, second = scene.do(scene.pay("R1"), scene.pay("R2"))
    assert (first.code, second.code) == (flows.OK, wallet.errors.CODE_USED)
    assert second.payment is not None
    assert second.payment.state is PaymentState.FAIL
    assert scene.owed() == 1000
    # The refusal is kept: the same request never gets another answer.
    assert scene.one(scene.pay("R2")).code == wallet.errors.CODE_USED


def test_two_codes_of_one_wallet_in_one_batch_share_its_balance(database: object) -> None:
    poor = make_scene(balance=TEN_EUROS + 10)
    first, second = poor.do(poor.pay("R1"), poor.pay("R2", code=poor.code(n=1)))
    assert (first.code, second.code) == (flows.OK, wallet.errors.BALANCE_INSUFFICIENT)
    assert (poor.purse, poor.owed()) == (10, 1000)
    assert_books_hold()


def test_two_codes_of_one_wallet_in_one_batch_share_its_day_limit(database: object) -> None:
    limited = make_scene(limits=wallet.Limits(no_pin=TEN_EUROS, payment=TEN_EUROS, day=TEN_EUROS + 10))
    first, second = limited.do(limited.pay("R1"), limited.pay("R2", code=limited.code(n=1)))
    assert (first.code, second.code) == (flows.OK, wallet.errors.DAY_LIMIT)
    # Tomorrow in China is another day.
    later = NOW + timedelta(hours=8)
    assert limited.one(limited.pay("R3", code=limited.code(later)), now=later).code == flows.OK
    assert_books_hold()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"code": "281234567801234567"}, wallet.errors.CODE_INVALID),
        ({"code": "130123456789012345"}, wallet.errors.CODE_INVALID),
        ({"code": ""}, wallet.errors.CODE_INVALID),
    ],
)
def test_a_code_that_is_nobodys_is_refused(scene: Scene, change: dict[str, str], code: str) -> None:
    outcome = scene.one(scene.pay("R1", **change))
    assert outcome.code == code
    assert (scene.purse, scene.owed()) == (1_000_000, 0)


def test_an_old_code_is_expired_not_guessed(scene: Scene) -> None:
    late = NOW + timedelta(minutes=3)
    assert scene.one(scene.pay("R1"), now=late).code == wallet.errors.CODE_EXPIRED
    assert scene.owed() == 0


def test_an_empty_wallet_does_not_stop_the_others(database: object) -> None:
    rich, poor = make_scene(), make_scene(balance=0)
    poor.merchant_id, poor.desk = rich.merchant_id, rich.desk
    codes = [o.code for o in rich.do(poor.pay("P1"), rich.pay("R1"), poor.pay("P2", code=poor.code(n=1)))]
    assert codes == [wallet.errors.BALANCE_INSUFFICIENT, flows.OK, wallet.errors.BALANCE_INSUFFICIENT]
    assert (poor.purse, rich.owed()) == (0, 1000)
    assert_books_hold()


@pytest.mark.parametrize(
    ("given", "code", "field"),
    [
        ({"currency": "USD"}, acquiring.CURRENCY_NOT_SUPPORTED, "paymentAmount.currency"),
        (
            {"settlement_currency": "USD"},
            acquiring.SETTLEMENT_NOT_CONTRACTED,
            "settlementStrategy.settlementCurrency",
        ),
        ({"expires_at": NOW - timedelta(seconds=1)}, acquiring.EXPIRY_INVALID, "paymentExpiryTime"),
    ],
)
def test_what_may_not_be_asked_does_not_use_up_the_request(
    scene: Scene, given: dict[str, object], code: str, field: str
) -> None:
    refused = scene.one(scene.pay("R1", **given))
    assert (refused.code, refused.field, refused.payment) == (code, field, None)
    assert scene.one(scene.pay("R1")).code == flows.OK


def test_a_larger_amount_waits_for_the_traveller(scene: Scene) -> None:
    waiting = scene.one(scene.pay("R1", 20_000))
    assert waiting.code == flows.IN_PROCESS
    assert waiting.payment is not None
    assert (scene.purse, scene.owed()) == (1_000_000, 0)
    confirm = flows.Confirm(wallet_id=scene.wallet_id, authorization_id=waiting.payment.authorization_id)
    done, again = scene.do(confirm, confirm)
    assert (done.code, again.code) == (flows.OK, flows.OK)
    assert (scene.purse, scene.owed()) == (1_000_000 - 159_580, 20_000)
    assert scene.one(scene.pay("R1", 20_000)).code == flows.OK


def test_nobody_else_can_confirm(scene: Scene) -> None:
    other = make_scene(merchant_id=scene.merchant_id)
    waiting = scene.one(scene.pay("R1", 20_000))
    assert waiting.payment is not None
    stolen = flows.Confirm(wallet_id=other.wallet_id, authorization_id=waiting.payment.authorization_id)
    assert scene.one(stolen).code == wallet.errors.AUTHORIZATION_UNKNOWN
    assert (scene.owed(), other.purse) == (0, 1_000_000)


def test_a_declined_code_fails(scene: Scene) -> None:
    waiting = scene.one(scene.pay("R1", 20_000))
    assert waiting.payment is not None
    decline = flows.Decline(wallet_id=scene.wallet_id, authorization_id=waiting.payment.authorization_id)
    assert scene.one(decline).code == wallet.errors.DECLINED
    confirm = flows.Confirm(wallet_id=scene.wallet_id, authorization_id=waiting.payment.authorization_id)
    assert scene.one(confirm).code == wallet.errors.AUTHORIZATION_CLOSED
    assert scene.owed() == 0


def test_an_order_is_claimed_then_confirmed(scene: Scene) -> None:
    order = scene.one(scene.order("O1"))
    assert order.code == flows.IN_PROCESS
    assert order.payment is not None
    assert order.payment.order_code
    other = make_scene(merchant_id=scene.merchant_id)
    first = scene.one(flows.Claim(order_code=order.payment.order_code, wallet_id=other.wallet_id))
    taken = scene.one(flows.Claim(order_code=order.payment.order_code, wallet_id=scene.wallet_id))
    assert first.payment is not None
    assert taken.payment is not None
    assert taken.payment.wallet_total == Money(TEN_EUROS, "CNY")
    late = flows.Confirm(wallet_id=other.wallet_id, authorization_id=first.payment.authorization_id)
    paid = flows.Confirm(wallet_id=scene.wallet_id, authorization_id=taken.payment.authorization_id)
    assert [o.code for o in scene.do(late, paid)] == [wallet.errors.AUTHORIZATION_CLOSED, flows.OK]
    assert (other.purse, scene.purse, scene.owed()) == (1_000_000, 1_000_000 - TEN_EUROS, 1000)


def test_a_confirmation_without_money_leaves_the_order_open(database: object) -> None:
    poor = make_scene(balance=100)
    order = poor.one(poor.order("O1", product=Product.CASHIER))
    assert order.payment is not None
    assert order.payment.order_code is not None
    claimed = poor.one(flows.Claim(order_code=order.payment.order_code, wallet_id=poor.wallet_id))
    assert claimed.payment is not None
    confirm = flows.Confirm(wallet_id=poor.wallet_id, authorization_id=claimed.payment.authorization_id)
    assert poor.one(confirm).code == wallet.errors.BALANCE_INSUFFICIENT
    wallet.top_up(order.payment.id, poor.wallet_id, Money(100_000, "CNY"), NOW)
    assert poor.one(confirm).code == flows.OK
    assert_books_hold()


def test_an_open_payment_expires_and_cannot_be_confirmed_any_more(scene: Scene) -> None:
    waiting = scene.one(scene.pay("R1", 20_000))
    assert waiting.payment is not None
    expire = flows.Expire(merchant_id=scene.merchant_id, payment_id=waiting.payment.id)
    assert scene.one(expire).code == flows.IN_PROCESS, "not due yet"
    late = waiting.payment.expires_at
    confirm = flows.Confirm(wallet_id=scene.wallet_id, authorization_id=waiting.payment.authorization_id)
    both = scene.do(confirm, expire, now=late)
    assert [o.code for o in both] == [acquiring.PAYMENT_EXPIRED] * 2
    assert (scene.purse, scene.owed()) == (1_000_000, 0)


def test_a_paid_payment_does_not_expire(scene: Scene) -> None:
    paid = scene.one(scene.pay("R1"))
    assert paid.payment is not None
    late = NOW + timedelta(days=1)
    assert (
        scene.one(flows.Expire(merchant_id=scene.merchant_id, payment_id=paid.payment.id), now=late).code
        == "ok"
    )
    assert scene.owed() == 1000


def test_cancelling_a_paid_payment_gives_everything_back(scene: Scene) -> None:
    paid = scene.one(scene.pay("R1"))
    assert paid.payment is not None
    first = scene.one(scene.cancel(ref="R1"))
    again = scene.one(scene.cancel(paid.payment.id), now=NOW + timedelta(minutes=1))
    assert first.payment is not None
    assert again.payment is not None
    assert (first.code, again.payment.cancelled_at) == (flows.OK, first.payment.cancelled_at)
    assert (scene.purse, scene.owed()) == (1_000_000, 0)
    assert scene.one(scene.pay("R1")).code == acquiring.PAYMENT_CANCELLED
    assert scene.one(scene.refund("F1", paid.payment.id, 100)).code == acquiring.PAYMENT_CANCELLED


def test_pay_and_cancel_in_one_batch_leave_nothing(scene: Scene) -> None:
    paid, cancelled = scene.do(scene.pay("R1"), scene.cancel(ref="R1"))
    assert (paid.code, cancelled.code) == (flows.OK, flows.OK)
    assert (scene.purse, scene.owed()) == (1_000_000, 0)


def test_a_cancelled_order_cannot_be_paid_late(scene: Scene) -> None:
    waiting = scene.one(scene.pay("R1", 20_000))
    assert waiting.payment is not None
    confirm = flows.Confirm(wallet_id=scene.wallet_id, authorization_id=waiting.payment.authorization_id)
    cancelled, late = scene.do(scene.cancel(waiting.payment.id), confirm)
    assert (cancelled.code, late.code) == (flows.OK, wallet.errors.AUTHORIZATION_CLOSED)
    assert scene.purse == 1_000_000


def test_the_cancel_window_closes_a_quarter_past_midnight_in_china(scene: Scene) -> None:
    first, second = scene.one(scene.pay("R1")), scene.one(scene.pay("R2", code=scene.code(n=1)))
    assert first.payment is not None
    assert second.payment is not None
    closing = NOW.replace(hour=16, minute=15)
    assert scene.one(scene.cancel(first.payment.id), now=closing - timedelta(seconds=1)).code == flows.OK
    assert scene.one(scene.cancel(second.payment.id), now=closing).code == acquiring.CANCEL_WINDOW
    assert scene.owed() == 1000


def test_cancel_of_what_is_not_there(scene: Scene) -> None:
    assert scene.one(scene.cancel(ref="never")).code == acquiring.PAYMENT_UNKNOWN
    other = make_merchant()
    paid = scene.one(scene.pay("R1"))
    assert paid.payment is not None
    foreign = flows.Cancel(merchant_id=other, client_ref="x", payment_id=paid.payment.id)
    assert scene.one(foreign).code == acquiring.PAYMENT_UNKNOWN
    assert scene.owed() == 1000


def test_refunds_add_up_to_the_payment_and_no_further(scene: Scene) -> None:
    paid = scene.one(scene.pay("R1"))
    assert paid.payment is not None
    pid = paid.payment.id
    outcomes = scene.do(*[scene.refund(f"F{i}", pid, 333) for i in range(4)], scene.refund("F9", pid, 1))
    assert [o.code for o in outcomes] == [flows.OK] * 3 + [acquiring.REFUND_EXCEEDS, flows.OK]
    assert (scene.purse, scene.owed()) == (1_000_000, 0)
    assert scene.one(scene.refund("F3", pid, 333)).code == acquiring.REFUND_EXCEEDS


def test_a_double_refund_click_refunds_once(scene: Scene) -> None:
    paid = scene.one(scene.pay("R1"))
    assert paid.payment is not None
    first, second = scene.do(*[scene.refund("F1", paid.payment.id, 400)] * 2)
    assert first.refund is not None
    assert first.refund == second.refund
    assert first.refund.state is RefundState.SUCCESS
    assert scene.owed() == 600
    assert scene.one(scene.refund("F1", paid.payment.id, 401)).code == acquiring.REQUEST_REUSED
    assert scene.one(scene.cancel(paid.payment.id)).code == acquiring.CANCEL_AFTER_REFUND


def test_refunds_that_cannot_be(scene: Scene) -> None:
    waiting = scene.one(scene.pay("R1", 20_000))
    paid = scene.one(scene.pay("R2", code=scene.code(n=1)))
    assert waiting.payment is not None
    assert paid.payment is not None
    assert scene.one(scene.refund("F1", waiting.payment.id, 1)).code == acquiring.PAYMENT_NOT_PAID
    assert scene.one(scene.refund("F2", paid.payment.id, 1, "USD")).code == acquiring.REFUND_CURRENCY
    late = NOW + timedelta(days=366)
    assert scene.one(scene.refund("F3", paid.payment.id, 1), now=late).code == acquiring.REFUND_WINDOW
    assert scene.one(scene.refund("F4", scene.wallet_id, 1)).code == acquiring.PAYMENT_UNKNOWN
    assert scene.owed() == 1000


def test_stale_rates_are_refused(scene: Scene) -> None:
    late = NOW + timedelta(days=10)
    outcome = scene.one(scene.pay("R1", code=scene.code(late)), now=late)
    assert outcome.code == "fx.rate_stale"
    assert (scene.purse, scene.owed()) == (1_000_000, 0)


@pytest.mark.parametrize(
    ("currency", "minor", "settlement", "owed"),
    [("JPY", 1760, "EUR", 1000), ("USD", 1100, "EUR", 1000), ("SEK", 11_000, "SEK", 11_000)],
)
def test_currencies_settle_at_the_mid_rate(
    database: object, currency: str, minor: int, settlement: str, owed: int
) -> None:
    merchant_id = make_merchant((currency,), settlement)
    scene = make_scene(merchant_id=merchant_id)
    outcome = scene.one(scene.pay("R1", minor, currency, settlement_currency=settlement))
    assert (outcome.code, scene.owed(settlement)) == (flows.OK, owed)
    assert outcome.payment is not None
    back = scene.one(scene.refund("F1", outcome.payment.id, minor, currency))
    assert (back.code, scene.owed(settlement), scene.purse) == (flows.OK, 0, 1_000_000)
    assert_books_hold()
