"""Faults that every payment system meets, through the API: races, repeats, wallets that stay silent.

F numbers as in the list of faults in docs/reliability.md. Kills are in test_crashes and test_kill9, the
database's own faults in test_database.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import psycopg
import pytest

from comptoir.flows import api as flows
from comptoir.kernel.clock import utc_now
from tests.api.support import House, Shop, Traveller, pause, together
from tests.api.till import Answer
from tests.cli.processes import wait_for
from tests.conftest import Database
from tests.wallet.scripted_issuer import Act, ScriptedIssuer

pytestmark = pytest.mark.slow

SUCCESS = ("SUCCESS", "S")
REUSED = ("REPEAT_REQ_INCONSISTENT", "F")
IN_PROCESS = ("PAYMENT_IN_PROCESS", "U")
PRICE = 8080  # fen for 10.00 EUR
_foreign = itertools.count(1)


@pytest.fixture
def shop(house: House) -> Shop:
    return house.shop()


def foreign_code() -> str:
    """A code of the scripted issuer's wallet that was never shown before."""
    return f"2599{next(_foreign):014d}"


def paid(house: House, shop: Shop, traveller: Traveller, ref: str = "R1", value: str = "1000") -> str:
    answer = shop.till.pay(ref, traveller.code(), value)
    assert answer.kind == SUCCESS
    return str(answer["paymentId"])


# ---------------------------------------------------------------- F1, F2, F3: the same request again


def test_f1_fifty_identical_requests_at_once_over_two_gateways(house: House, shop: Shop) -> None:
    """One payment; every answer, now and later, is the same to the letter."""
    li = house.traveller()
    code = li.code()
    answers = together([lambda: shop.till.pay("R1", code)] * 50)
    assert {one.kind for one in answers} == {SUCCESS}
    assert all(one.body == answers[0].body for one in answers)
    assert (shop.owed, li.purse) == (1000, 1_000_000 - PRICE)
    books = house.books()
    for port in shop.till.ports:
        assert shop.till.pay("R1", code, port=port).body == answers[0].body
    assert house.books() == books
    house.assert_holds()


def test_f1_an_order_asked_for_twenty_times_has_one_code(house: House, shop: Shop) -> None:
    """One order, one code to scan; nothing moves before it is scanned."""
    answers = together([lambda: shop.till.pay("R1", None)] * 20)
    assert {one.kind for one in answers} == {IN_PROCESS}
    assert all(one.body == answers[0].body for one in answers)
    assert shop.owed == 0
    house.assert_holds()


@pytest.mark.parametrize("n", range(4))
def test_f2_the_same_id_with_another_amount_in_a_race(house: House, shop: Shop, n: int) -> None:
    """One amount wins and its requests succeed; all others are refused, and move nothing."""
    li = house.traveller()
    code = li.code()
    answers = together(
        [lambda value=value: shop.till.pay("R1", code, value) for value in ("1000", "2000") * 10]
    )
    assert Counter(one.kind for one in answers) == {SUCCESS: 10, REUSED: 10}
    [won] = {one["paymentAmount"]["value"] for one in answers if one.kind == SUCCESS}
    assert shop.owed == int(won)
    assert li.purse == 1_000_000 - int(won) * 808 // 100
    house.assert_holds()


def test_f3_the_same_id_many_times_in_one_batch(house: House, shop: Shop) -> None:
    """Requests pile up behind a busy database and are committed together: still one payment an id.

    A sixth of them have another amount: only one of the two is paid.
    """
    codes = {f"R{n}": house.traveller(phones=1).code() for n in range(8)}
    port = shop.till.ports[0]
    calls = [
        lambda ref=ref, code=code, value=value: (ref, shop.till.pay(ref, code, value, port=port))
        for ref, code in codes.items()
        for value in ("1000", "1000", "1000", "1000", "1000", "1001")
    ]
    batches = batches_of(house)
    with psycopg.connect(house.url) as holder:
        holder.execute("SELECT ledger_lock()")
        waiting = together([lambda: together(calls), lambda: (pause(5), holder.rollback())])
    answers = waiting[0]
    assert batches_of(house) - batches <= 3, "the requests were not committed together"
    for ref in codes:
        mine = [answer for name, answer in answers if name == ref]  # type: ignore[misc]
        won = [one for one in mine if one.kind == SUCCESS]
        assert {one.kind for one in mine} == {SUCCESS, REUSED}
        assert len({one["paymentId"] for one in won}) == 1
        assert len(won) == (5 if won[0]["paymentAmount"]["value"] == "1000" else 1)
    with psycopg.connect(house.url) as connection:
        count = "SELECT count(*) FROM acquiring_payment WHERE merchant_id = %s"
        assert connection.execute(count, (shop.merchant_id,)).fetchone() == (8,)
    house.assert_holds()


def batches_of(house: House) -> int:
    with psycopg.connect(house.url) as connection:
        row = connection.execute("SELECT count(*) FROM ledger_batch").fetchone()
    return int(row[0]) if row else 0


# ---------------------------------------------------------------- F4, F5: a wallet that stays silent


@pytest.mark.parametrize("act", [Act.ANSWER_LOST, Act.LATE, Act.HANG])
def test_f4_silence_while_the_money_moved(house: House, shop: Shop, issuer: ScriptedIssuer, act: Act) -> None:
    """U; the worker asks by the same id until it knows: success. Nobody is charged twice."""
    code = foreign_code()
    # The worker's first question is lost as well: on a slow machine it comes before all was looked at.
    issuer.script(code, authorise=[act], query=[Act.LOST, Act.PLAIN])
    answer = shop.till.pay("R1", code)
    assert answer.status == "U"
    assert shop.owed == 0
    assert shop.till.pay("R1", code).kind == IN_PROCESS  # asking again does not charge again
    resolved(house, shop)
    assert shop.till.inquire("R1")["paymentStatus"] == "SUCCESS"
    assert shop.till.pay("R1", code).kind == SUCCESS
    [charged] = issuer.authorizations(code)
    assert issuer.moved(charged) == 1000
    assert [verb for verb, one, _ in issuer.calls() if one == charged].count("authorise") == 1
    assert (shop.owed, shop.held) == (1000, 0)
    house.assert_holds()


def test_f5_silence_and_no_money_moved(house: House, shop: Shop, issuer: ScriptedIssuer) -> None:
    """U and a hold; after the last question the payment fails, the hold is released, the wallet barred."""
    code = foreign_code()
    issuer.script(code, authorise=[Act.LOST])
    assert shop.till.pay("R1", code).kind == IN_PROCESS
    assert (shop.owed, shop.held) == (0, 1000)
    resolved(house, shop)
    assert shop.till.inquire("R1")["paymentStatus"] == "FAIL"
    assert shop.till.pay("R1", code).status == "F"
    wait_for(lambda: (house.hurry(), house.outbox("issuer.", done=False) == 0)[1])
    assert issuer.authorizations(code) == []
    barred = [one for verb, one, _ in issuer.calls() if verb == "reverse"][-1]
    assert (issuer.truth(barred), issuer.moved(barred)) == ("barred", 0)
    assert (shop.owed, shop.held) == (0, 0)
    house.assert_holds()


def test_f4_a_success_that_comes_after_the_cancellation_goes_back(
    house: House, shop: Shop, issuer: ScriptedIssuer
) -> None:
    """Cancelled while nobody knew: it stays cancelled, and the wallet's holder has their money again."""
    code = foreign_code()
    issuer.script(code, authorise=[Act.ANSWER_LOST], reverse=[Act.LOST, Act.ANSWER_LOST, Act.PLAIN])
    assert shop.till.pay("R1", code).kind == IN_PROCESS
    [charged] = issuer.authorizations(code)
    assert issuer.moved(charged) == 1000
    assert shop.till.cancel("R1").kind == SUCCESS
    wait_for(lambda: (house.hurry(), issuer.truth(charged) == "reversed")[1])
    assert shop.till.inquire("R1")["paymentStatus"] == "CANCELLED"
    assert (issuer.moved(charged), shop.owed, shop.held) == (0, 0, 0)
    house.assert_holds()


def test_f4_a_refund_without_an_answer_is_given_once(
    house: House, shop: Shop, issuer: ScriptedIssuer
) -> None:
    """U; asked again by the same id until it is certain; the traveller gets it back once."""
    code = foreign_code()
    issuer.script(code, refund=[Act.ANSWER_LOST, Act.LOST, Act.PLAIN])
    answer = shop.till.pay("R1", code)
    assert answer.kind == SUCCESS
    clicks = together([lambda: shop.till.refund("F1", answer["paymentId"], "400")] * 8)
    assert {one.kind for one in clicks} == {("REFUND_IN_PROCESS", "U")}
    found = {"refundRequestId": "F1"}
    wait_for(lambda: (house.hurry(), shop.till.call("inquiryRefund", found)["refundStatus"] == "SUCCESS")[1])
    [charged] = issuer.authorizations(code)
    assert (issuer.moved(charged), shop.owed) == (600, 600)
    assert shop.till.refund("F1", answer["paymentId"], "400").kind == SUCCESS
    house.assert_holds()


def resolved(house: House, shop: Shop) -> None:
    """Wait until the worker knows, as if the pauses between its questions had passed."""
    wait_for(lambda: (house.hurry(), shop.till.inquire("R1")["paymentStatus"] in ("SUCCESS", "FAIL"))[1])


# ---------------------------------------------------------------- F9: who ends it first


@pytest.mark.parametrize("n", range(10))
def test_f9_confirm_cancel_and_expiry_in_a_race(house: House, shop: Shop, n: int) -> None:
    """One of them ends the payment; the books say what the state says; the merchant is told once."""
    li = house.traveller(phones=1)
    answer = shop.till.pay("R1", None, "1000", paymentNotifyUrl="http://127.0.0.1:9/n")
    digits = answer["orderCodeForm"]["codeDetails"][0]["codeValue"].rpartition("/")[2]
    house.do(flows.Claim(order_code=digits, wallet_id=li.wallet_id))
    [asked] = li.waiting()
    payment_id = UUID(answer["paymentId"])
    confirm = flows.Confirm(wallet_id=li.wallet_id, authorization_id=asked)
    expire = flows.Expire(merchant_id=shop.merchant_id, payment_id=payment_id)
    late = utc_now() + timedelta(days=2)
    acts: list[Callable[[], object]] = [
        lambda: house.do(confirm),
        lambda: house.do(confirm),
        lambda: house.do(expire, now=late) if n % 2 else None,
        lambda: shop.till.cancel("R1") if n % 3 else None,
    ]
    confirmed = [one[0].code == flows.OK for one in together(acts)[:2]]  # type: ignore[index]
    status = shop.till.inquire("R1")["paymentStatus"]
    paid_in_the_end = 1000 if status == "SUCCESS" else 0
    assert (shop.owed, li.purse) == (paid_in_the_end, 1_000_000 - paid_in_the_end * 808 // 100)
    assert any(confirmed) or status != "SUCCESS"
    if n % 6 == 0:
        assert (status, confirmed) == ("SUCCESS", [True, True])  # nobody was in the way
    told = notices(house, payment_id)
    assert told == 1 or (told == 0 and status == "CANCELLED")
    house.assert_holds()


def test_f9_an_order_that_nobody_pays_is_closed_by_the_worker(house: House, shop: Shop) -> None:
    """Soon after its time, without anybody asking; then it can neither be paid nor come to life again."""
    li = house.traveller(phones=1)
    soon = (utc_now() + timedelta(seconds=8)).isoformat(timespec="seconds")
    order = shop.till.pay("R1", None, paymentExpiryTime=soon, paymentNotifyUrl="http://127.0.0.1:9/n")
    digits = order["orderCodeForm"]["codeDetails"][0]["codeValue"].rpartition("/")[2]
    house.do(flows.Claim(order_code=digits, wallet_id=li.wallet_id))
    [asked] = li.waiting()
    wait_for(lambda: shop.till.inquire("R1")["paymentStatus"] == "FAIL")
    [late] = house.do(flows.Confirm(wallet_id=li.wallet_id, authorization_id=asked))
    assert late.code != flows.OK
    assert shop.till.pay("R1", None, paymentExpiryTime=soon).kind == ("ORDER_IS_CLOSED", "F")
    assert (shop.owed, li.purse, notices(house, UUID(order["paymentId"]))) == (0, 1_000_000, 1)
    house.assert_holds()


def notices(house: House, subject_id: UUID) -> int:
    with psycopg.connect(house.url) as connection:
        wanted = "SELECT count(*) FROM db_outbox WHERE topic = 'notify.payment' AND subject_id = %s"
        row = connection.execute(wanted, (subject_id,)).fetchone()
    return int(row[0]) if row else 0


# ---------------------------------------------------------------- F10: too much given back


def test_f10_a_double_click_on_refund(house: House, shop: Shop) -> None:
    """The same id twenty times at once: one refund, one answer."""
    li = house.traveller()
    payment_id = paid(house, shop, li)
    answers = together([lambda: shop.till.refund("F1", payment_id, "400")] * 20)
    assert {one.kind for one in answers} == {SUCCESS}
    assert all(one.body == answers[0].body for one in answers)
    assert (shop.owed, li.purse) == (600, 1_000_000 - PRICE + 3232)
    assert shop.till.refund("F1", payment_id, "401").kind == REUSED
    house.assert_holds()


def test_f10_many_refunds_at_once_never_exceed_the_payment(house: House, shop: Shop) -> None:
    """Twelve of 3.00 out of 10.00: three are given, nine refused, and nothing is rounded away."""
    li = house.traveller()
    payment_id = paid(house, shop, li)
    answers = together([lambda n=n: shop.till.refund(f"F{n}", payment_id, "300") for n in range(12)])
    assert Counter(one.kind for one in answers) == {SUCCESS: 3, ("REFUND_AMOUNT_EXCEED", "F"): 9}
    assert shop.till.refund("F99", payment_id, "100").kind == SUCCESS
    assert (shop.owed, li.purse) == (0, 1_000_000)
    house.assert_holds()


@pytest.mark.parametrize("n", range(5))
def test_f10_refunds_and_a_cancellation_in_a_race(house: House, shop: Shop, n: int) -> None:
    """Either the cancellation gives all back and no refund does, or the refunds and no cancellation."""
    li = house.traveller(phones=1)
    payment_id = paid(house, shop, li)
    calls: list[Callable[[], Answer]] = [lambda: shop.till.cancel("R1")] * 3
    calls += [lambda k=k: shop.till.refund(f"F{k}", payment_id, "400") for k in range(3)]
    answers = together(calls[n:] + calls[:n])
    answers = answers[6 - n :] + answers[: 6 - n]
    cancelled = {one.kind == SUCCESS for one in answers[:3]}
    given = sum(one.kind == SUCCESS for one in answers[3:])
    assert (cancelled, given) in (({True}, 0), ({False}, 2))
    assert shop.owed == (0 if True in cancelled else 200)
    assert li.purse == (1_000_000 if True in cancelled else 1_000_000 - 1616)
    house.assert_holds()


# ---------------------------------------------------------------- F11: over-refund by rounding or currency


@pytest.mark.parametrize(
    ("currency", "value", "parts", "too_much", "last"),
    [
        ("EUR", "1000", ["333"] * 3, "2", "1"),
        ("JPY", "1000", ["333"] * 3, "2", "1"),  # no decimals: a part is 4.99 fen, and comes to the whole
        ("IDR", "2000000", ["666600"] * 3, "300", "200"),  # whole rupiah only
        ("USD", "1", [], "2", "1"),
    ],
)
def test_f11_parts_that_do_not_divide_come_to_the_whole(
    house: House, shop: Shop, currency: str, value: str, parts: list[str], too_much: str, last: str
) -> None:
    """Compared in the charged currency and its minor units: no unit more goes back, and in the end all."""
    li = house.traveller()
    answer = shop.till.pay("R1", li.code(), value, currency)
    assert answer.kind == SUCCESS
    payment_id, refunds = str(answer["paymentId"]), itertools.count(1)

    def refund(amount: str, of: str = currency) -> Answer:
        return shop.till.refund(f"F{next(refunds)}", payment_id, amount, of)

    for part in parts:
        assert refund(part).kind == SUCCESS
    balances = shop.owed, li.purse
    assert refund(too_much).kind == ("REFUND_AMOUNT_EXCEED", "F")
    for other in {"EUR", "JPY", "IDR", "USD"} - {currency}:
        assert refund("100", other).status == "F"
    if currency == "IDR":
        assert refund("50").kind == ("PARAM_ILLEGAL", "F")
    assert (shop.owed, li.purse) == balances
    assert refund(last).kind == SUCCESS
    assert (shop.owed, li.purse) == (0, 1_000_000)
    assert refund(last).kind == ("REFUND_AMOUNT_EXCEED", "F")
    house.assert_holds()


# ---------------------------------------------------------------- F12: parts that do not divide


def test_f12_thirty_captures_and_refunds_at_once_come_to_the_whole(house: House, shop: Shop) -> None:
    """10.00 EUR cost 80.80 CNY; thirds and sevenths of it have fractions of a fen everywhere."""
    li = house.traveller()
    payment_id = str(shop.till.authorize("R1", li.code())["paymentId"])
    values = [7, 11, 13, 17, 19, 23, 29, 31, 37, 41] * 3 + [316]
    answers = together(
        [lambda n=n, v=v: shop.till.capture(f"C{n}", payment_id, str(v)) for n, v in enumerate(values)]
    )
    assert {one.kind for one in answers} == {SUCCESS}
    assert (shop.owed, shop.held, li.purse) == (1000, 0, 1_000_000 - PRICE)
    refunds = together(
        [lambda n=n, v=v: shop.till.refund(f"F{n}", payment_id, str(v)) for n, v in enumerate(values)]
    )
    assert {one.kind for one in refunds} == {SUCCESS}
    assert (shop.owed, li.purse) == (0, 1_000_000)
    house.assert_holds()


# ---------------------------------------------------------------- F13: the last money in the wallet


def test_f13_forty_payments_at_once_from_a_wallet_that_can_afford_seven(house: House, shop: Shop) -> None:
    """Exactly seven succeed, whichever; the wallet is never overdrawn."""
    li = house.traveller(7 * PRICE + PRICE - 1, phones=4)
    codes = [li.code() for _ in range(40)]
    answers = together([lambda n=n: shop.till.pay(f"R{n}", codes[n]) for n in range(40)])
    assert Counter(one.kind for one in answers) == {SUCCESS: 7, ("USER_BALANCE_NOT_ENOUGH", "F"): 33}
    assert (shop.owed, li.purse) == (7000, PRICE - 1)
    house.assert_holds()


def test_f13_authorizations_captures_and_payments_at_once(house: House, shop: Shop) -> None:
    """The wallet affords four. What is held for one is captured meanwhile, never beyond, never by others."""
    li = house.traveller(4 * PRICE, phones=4)
    held = str(shop.till.authorize("A", li.code())["paymentId"])
    codes = [li.code() for _ in range(12)]
    answers = together(
        [lambda n=n: shop.till.authorize(f"A{n}", codes[n]) for n in range(6)]
        + [lambda n=n: shop.till.pay(f"R{n}", codes[n]) for n in range(6, 12)]
        + [lambda n=n: shop.till.capture(f"C{n}", held, "150") for n in range(10)]
    )
    taken, captured = Counter(one.kind for one in answers[:12]), Counter(one.kind for one in answers[12:])
    assert taken == {SUCCESS: 3, ("USER_BALANCE_NOT_ENOUGH", "F"): 9}
    assert captured == {SUCCESS: 6, ("CAPTURE_AMOUNT_EXCEED_AUTH_LIMIT", "F"): 4}
    assert shop.owed + shop.held == 4000
    assert li.available == 0
    house.assert_holds()


def test_f13_the_same_capture_many_times_over_two_gateways(house: House, shop: Shop) -> None:
    li = house.traveller()
    payment_id = str(shop.till.authorize("R1", li.code())["paymentId"])
    answers = together([lambda: shop.till.capture("C1", payment_id, "333")] * 20)
    assert {one.kind for one in answers} == {SUCCESS}
    assert all(one.body == answers[0].body for one in answers)
    assert (shop.owed, shop.held) == (333, 667)
    house.assert_holds()


@pytest.mark.parametrize("n", range(3))
def test_f13_an_authorization_ends_while_it_is_captured(house: House, shop: Shop, n: int) -> None:
    """The worker lets go of what is left the moment the time is up; captures race it."""
    li = house.traveller()
    payment_id = str(shop.till.authorize("R1", li.code())["paymentId"])

    def end() -> None:
        with psycopg.connect(house.url) as connection:
            connection.execute("SELECT ledger_lock()")
            connection.execute(
                "UPDATE acquiring_payment SET auth_expires_at = now() WHERE id = %s", (UUID(payment_id),)
            )

    together([end, *[lambda k=k: shop.till.capture(f"C{k}", payment_id, "100") for k in range(8)]])
    wait_for(lambda: shop.held == 0)
    assert shop.till.capture("C99", payment_id, "100").kind == ("AUTH_EXPIRED", "F")
    again = [shop.till.capture(f"C{k}", payment_id, "100").kind for k in range(8)]
    assert set(again) <= {SUCCESS, ("AUTH_EXPIRED", "F")}
    captured = again.count(SUCCESS)
    assert shop.owed == 100 * captured
    assert li.purse == li.available == 1_000_000 - PRICE * captured // 10
    found = shop.till.inquire("R1")
    assert found["paymentStatus"] == ("SUCCESS" if captured else "CANCELLED")
    house.assert_holds()


# ---------------------------------------------------------------- F15: rates of long ago


def test_f15_a_stale_rate_is_refused_not_used(database: Database, tmp_path: Path) -> None:
    """Nothing moves at a rate older than allowed; with a fresh one the next payment goes through."""
    house = House(database.url, tmp_path, rates_on=utc_now().date() - timedelta(days=9))
    try:
        strict = house.gateway(COMPTOIR_FX_MAX_AGE_DAYS="5")
        shop, li = house.shop(), house.traveller()
        before = house.books()[0]
        by_code = shop.till.pay("R1", li.code())
        converted = shop.till.pay("R2", None, "1000", "JPY")
        assert by_code.status == converted.status == "F"
        order = shop.till.pay("R3", None)  # no conversion yet: the price is made when it is scanned
        assert order.kind == IN_PROCESS
        digits = order["orderCodeForm"]["codeDetails"][0]["codeValue"].rpartition("/")[2]
        strict_desk = flows.Desk(5)
        claim = flows.Claim(order_code=digits, wallet_id=li.wallet_id)
        [refused] = flows.execute([claim], utc_now(), strict_desk)
        assert refused.code == "fx.rate_stale"
        assert house.books()[0] == before
        house.assert_holds()
        house.record_rates(utc_now().date())
        strict.stop()
        strict.start()
        assert shop.till.pay("R4", li.code()).kind == SUCCESS
        assert (shop.owed, li.purse) == (1000, 1_000_000 - PRICE)
        house.assert_holds()
    finally:
        house.close()
