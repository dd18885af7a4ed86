"""Payments at a price that was promised beforehand: that price to the fen, or nothing moves."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from comptoir.acquiring.api import PaymentState
from comptoir.acquiring.api import errors as acquiring
from comptoir.flows import api as flows
from comptoir.fx import api as fx
from comptoir.kernel.ids import new_id
from comptoir.kernel.money import Money, Rate
from comptoir.standards.ecb_rates import DailyRates
from comptoir.wallet import api as wallet
from tests.flows.support import NOW, PIN, RATES, Scene, assert_books_hold, make_merchant, make_scene

#: When a quote of NOW has run out.
LATER = NOW + timedelta(minutes=30)


@pytest.fixture
def scene(database: object) -> Iterator[Scene]:
    made = make_scene()
    yield made
    assert_books_hold()


def ask(
    scene: Scene, base: str = "EUR", currency: str = "CNY", *, promise: bool = True, now: datetime = NOW
) -> flows.Outcome:
    return scene.one(
        flows.AskPrice(merchant_id=scene.merchant_id, base=base, currency=currency, promise=promise), now
    )


def offered(scene: Scene, base: str = "EUR", now: datetime = NOW) -> fx.Quote:
    quote = ask(scene, base, now=now).quote
    assert quote is not None
    return quote


def at(quote: fx.Quote, total: Money | None = None) -> flows.AskedQuote:
    return flows.AskedQuote(id=quote.id, rate=quote.price_rate, total=total)


def dearer(scene: Scene) -> None:
    """Tomorrow's rates: a euro costs a yuan more. The desk would price anew."""
    rates = {code: Decimal(rate) for code, rate in (RATES | {"CNY": "8.9"}).items()}
    fx.record_rates(DailyRates(date(2026, 11, 23), rates), NOW, "test")
    scene.desk = flows.Desk(5)


def stored_quotes() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM fx_quote")
        return int(cursor.fetchone()[0])


def test_a_promised_price_is_stored_and_a_shown_one_is_not(scene: Scene) -> None:
    shown = ask(scene, promise=False)
    assert shown.quote is not None
    assert stored_quotes() == 0
    quote = offered(scene)
    assert (quote.pair, quote.price, quote.expires_at) == ("EUR/CNY", Decimal("7.979"), LATER)
    assert (quote.owner_id, quote.guaranteed) == (scene.merchant_id, True)
    assert stored_quotes() == 1
    assert offered(scene) == quote, "young enough to be given again"


def test_what_cannot_be_priced_says_why(scene: Scene) -> None:
    assert ask(scene, "USD").code == acquiring.CURRENCY_NOT_SUPPORTED
    assert ask(scene, currency="XAU").code == fx.RateMissing.code
    assert ask(scene, now=NOW + timedelta(days=9)).code == fx.RateStale.code
    nobody = flows.AskPrice(merchant_id=new_id(), base="EUR", currency="CNY", promise=True)
    assert scene.one(nobody).code == acquiring.MERCHANT_UNKNOWN
    assert stored_quotes() == 0


def test_a_payment_at_a_quote_costs_what_was_promised_whatever_the_rate_is_now(scene: Scene) -> None:
    quote = offered(scene)
    dearer(scene)
    paid = scene.one(scene.pay("R1", quote=at(quote, Money(7979, "CNY")))).payment
    assert paid is not None
    assert (paid.wallet_total, paid.quote_id, paid.quote_price) == (
        Money(7979, "CNY"),
        quote.id,
        Decimal("7.979"),
    )
    assert (paid.quote_from, paid.quote_until) == (quote.created_at, quote.expires_at)
    today = scene.one(scene.pay("R2", code=scene.code(n=1))).payment
    assert today is not None
    assert today.wallet_total == Money(8989, "CNY")


def test_one_quote_serves_many_payments_within_its_life(scene: Scene) -> None:
    quote = offered(scene)
    commands = [scene.pay(f"R{n}", 100, code=scene.code(n=n), quote=at(quote)) for n in range(4)]
    assert [one.code for one in scene.do(*commands)] == [flows.OK] * 4
    assert scene.purse == 1_000_000 - 4 * 798
    assert stored_quotes() == 1


def test_a_quote_holds_to_its_last_instant_and_not_beyond(scene: Scene) -> None:
    quote = offered(scene)
    late = scene.pay("R1", code=scene.code(LATER), quote=at(quote))
    refused = scene.one(late, now=LATER)
    assert (refused.code, refused.payment) == (fx.QuoteExpired.code, None)
    assert (scene.purse, scene.owed()) == (1_000_000, 0)
    last = LATER - timedelta(microseconds=1)
    # The refusal made no record, so the id is free; the quote holds a moment before.
    assert scene.one(late, now=last).code == flows.OK


def unfit(scene: Scene) -> list[flows.AskedQuote]:
    quote = offered(scene)
    stranger = make_scene(merchant_id=make_merchant())
    return [
        flows.AskedQuote(id=new_id(), rate=quote.price_rate),
        at(offered(stranger)),
        flows.AskedQuote(id=quote.id, rate=Rate("CNY", "EUR", quote.price)),
        flows.AskedQuote(id=quote.id, rate=Rate("EUR", "USD", quote.price)),
        flows.AskedQuote(id=quote.id, rate=Rate("EUR", "CNY", Decimal("7.978"))),
        at(quote, Money(7978, "CNY")),
        at(quote, Money(7979, "USD")),
    ]


def test_a_quote_that_does_not_fit_is_refused_and_moves_nothing(scene: Scene) -> None:
    for number, asked in enumerate(unfit(scene)):
        refused = scene.one(scene.pay(f"R{number}", quote=asked))
        assert (refused.code, refused.payment) == (fx.QuoteUnfit.code, None), asked
        assert (refused.field or "").startswith(("paymentQuote", "processingAmount"))
    assert (scene.purse, scene.owed()) == (1_000_000, 0)


def test_a_quote_for_another_of_the_merchants_currencies_is_refused(database: object) -> None:
    scene = make_scene(merchant_id=make_merchant(["EUR", "JPY"]))
    yen = offered(scene, "JPY")
    refused = scene.one(scene.pay("R1", quote=at(yen)))
    assert (refused.code, refused.field) == (fx.QuoteUnfit.code, "paymentQuote.quoteCurrencyPair")
    assert (scene.purse, scene.owed()) == (1_000_000, 0)


def test_a_wallet_of_another_currency_does_not_pay_at_the_quote(scene: Scene) -> None:
    dollars = ask(scene, currency="USD").quote
    assert dollars is not None
    failed = scene.one(scene.pay("R1", quote=at(dollars)))
    assert failed.code == fx.QuoteUnfit.code
    assert failed.payment is not None
    assert failed.payment.state is PaymentState.FAIL
    assert (scene.purse, scene.owed()) == (1_000_000, 0)


def test_another_issuers_code_is_not_taken_at_our_quote(scene: Scene) -> None:
    quote = offered(scene)
    refused = scene.one(scene.pay("R1", issuer="elsewhere", quote=at(quote)))
    assert (refused.code, refused.payment) == (fx.QuoteUnfit.code, None)


def test_a_repeat_with_another_quote_is_another_payment(scene: Scene) -> None:
    quote = offered(scene)
    first = scene.one(scene.pay("R1", quote=at(quote)))
    assert first.code == flows.OK
    later = NOW + timedelta(minutes=10)
    other = offered(scene, now=later)
    assert other.id != quote.id
    for asked in (at(other), None):
        assert scene.one(scene.pay("R1", quote=asked)).code == acquiring.REQUEST_REUSED
    assert scene.one(scene.pay("R1", quote=at(quote))).payment == first.payment
    # Also when the price has run out meanwhile: the payment was made, and that is the answer.
    assert scene.one(scene.pay("R1", quote=at(quote)), now=LATER).code == flows.OK
    assert scene.owed() == 1000


def test_an_order_keeps_its_quote_for_every_wallet_and_dies_with_it(scene: Scene) -> None:
    quote = offered(scene)
    shown_at = LATER - timedelta(minutes=3)
    order = scene.one(scene.order("R1", quote=at(quote)), now=shown_at).payment
    assert order is not None
    assert order.order_code is not None
    assert order.expires_at == LATER, "no longer than its price is promised"
    dearer(scene)
    first = make_scene(merchant_id=scene.merchant_id)
    for who in (first, scene):
        claim = flows.Claim(order_code=order.order_code, wallet_id=who.wallet_id)
        claimed = scene.one(claim, now=shown_at).payment
        assert claimed is not None
        assert (claimed.wallet_total, claimed.quote_id) == (Money(7979, "CNY"), quote.id)
    assert claimed.authorization_id is not None
    # Refused and free again, it still costs what was promised.
    scene.one(flows.Decline(wallet_id=scene.wallet_id, authorization_id=claimed.authorization_id), shown_at)
    again = scene.one(flows.Claim(order_code=order.order_code, wallet_id=scene.wallet_id), shown_at).payment
    assert again is not None
    assert again.authorization_id is not None
    assert again.wallet_total == Money(7979, "CNY")
    confirm = flows.Confirm(wallet_id=scene.wallet_id, authorization_id=again.authorization_id)
    late = scene.one(confirm, now=LATER)
    assert late.code == acquiring.PAYMENT_EXPIRED
    assert (scene.purse, scene.owed()) == (1_000_000, 0)


def test_expiry_and_approval_at_once_end_the_payment_once(scene: Scene) -> None:
    """Threads race the last instant: either it was paid at the quote, or nothing moved."""
    quote = offered(scene)
    order = scene.one(scene.order("R1", quote=at(quote)), now=LATER - timedelta(minutes=1)).payment
    assert order is not None
    assert order.order_code is not None
    before = LATER - timedelta(seconds=1)
    claim = flows.Claim(order_code=order.order_code, wallet_id=scene.wallet_id)
    claimed = scene.one(claim, now=before).payment
    assert claimed is not None
    assert claimed.authorization_id is not None
    confirm = flows.Confirm(wallet_id=scene.wallet_id, authorization_id=claimed.authorization_id)
    expire = flows.Expire(merchant_id=scene.merchant_id, payment_id=order.id)

    def run(command: flows.Command, now: datetime) -> str:
        try:
            return flows.execute([command], now, flows.Desk(5))[0].code
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        tries = [(confirm, before), (expire, LATER), (confirm, LATER), (expire, LATER)] * 2
        codes = list(pool.map(lambda one: run(*one), tries))
    paid = flows.OK in codes
    assert paid or acquiring.PAYMENT_EXPIRED in codes
    assert (scene.purse, scene.owed()) == ((1_000_000 - 7979, 1000) if paid else (1_000_000, 0))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    minor=st.integers(1, 10_000_000),
    margin=st.integers(0, 1000),
    then=st.decimals("0.01", "100", places=4),
    since=st.decimals("0.01", "100", places=4),
)
def test_the_price_is_the_quotes_to_the_fen(minor: int, margin: int, then: Decimal, since: Decimal) -> None:
    """Whatever amount, margin and rates: what a wallet pays is the amount times the price of the quote."""
    table = fx.RateTable(date(2026, 11, 20), {"CNY": then})
    book = fx.QuoteBook()
    quote = book.quote(table, UUID(int=1), "EUR", "CNY", margin, NOW)
    amount = Money(minor, "EUR")
    try:
        parts = fx.split(amount, quote)
    except fx.AmountTooSmall:
        assert minor * then <= Decimal("0.5")
        return
    exact = quote.price * minor
    assert abs(parts.total.minor - exact) <= Decimal("0.5")
    assert parts.mid_part.minor + parts.margin_part.minor == parts.total.minor
    # The next day's table changes nothing of a quote that was given.
    fresh = fx.QuoteBook().quote(
        fx.RateTable(date(2026, 11, 21), {"CNY": since}), UUID(int=1), "EUR", "CNY", margin, NOW
    )
    assert fx.split(amount, quote) == parts
    assert (fresh.price == quote.price) == (fresh.mid == quote.mid)


TAMPERED = {
    "another quote's": (
        "UPDATE acquiring_payment SET asked_quote_id = quote_id",
        "a quote that its merchant",
    ),
    "its price": ("UPDATE acquiring_payment SET quote_price = 7", "was not paid at the quote"),
    "its time": (
        "UPDATE acquiring_payment SET finished_at = finished_at + interval '31 minutes'",
        "after its quote had expired",
    ),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_verify_finds_a_payment_that_was_not_made_at_its_quote(what: str, database: object) -> None:
    scene = make_scene()
    quote = offered(scene)
    assert scene.one(scene.pay("R1", quote=at(quote))).code == flows.OK
    assert_books_hold()
    statement, words = TAMPERED[what]
    with connection.cursor() as cursor:
        if what == "another quote's":
            cursor.execute("UPDATE acquiring_payment SET quote_id = gen_random_uuid(), asked_quote_id = NULL")
        cursor.execute(statement)
    report = flows.verify_books()
    assert words in (report.first_difference or "")


def test_a_large_payment_waits_at_its_quote_and_is_paid_at_it(scene: Scene) -> None:
    quote = offered(scene)
    waiting = scene.one(scene.pay("R1", 20_000, quote=at(quote))).payment
    assert waiting is not None
    assert waiting.authorization_id is not None
    assert waiting.state is PaymentState.PROCESSING
    dearer(scene)
    wallet.check_pin(scene.wallet_id, PIN, NOW)
    confirm = flows.Confirm(wallet_id=scene.wallet_id, authorization_id=waiting.authorization_id)
    done = scene.one(confirm).payment
    assert done is not None
    assert done.wallet_total == Money(159_580, "CNY")
    assert scene.purse == 1_000_000 - 159_580


def test_f15_a_capture_days_later_is_at_the_price_of_the_authorization(scene: Scene) -> None:
    """Its quote has run out and rates have moved: what was held is taken at the price that was promised."""
    held = scene.one(scene.hold("A", 1000))
    assert held.payment is not None
    promised, until = held.payment.wallet_total, held.payment.quote_until
    assert promised == Money(7979, "CNY")
    dearer(scene)
    later = NOW + timedelta(days=2)
    assert until is not None
    assert until < later
    assert scene.one(scene.capture("C1", held.payment.id, 400), now=later).code == flows.OK
    assert scene.one(scene.capture("C2", held.payment.id, 600), now=later).code == flows.OK
    assert (scene.purse, scene.owed()) == (1_000_000 - promised.minor, 1000)
