"""The whole way: the official Python SDK, the door, the engine, a real database, and the books."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable
from typing import Any

import psycopg
import pytest

from comptoir.identity import api as identity
from tests.conftest import Database

from .conftest import exchange
from .shop import Shop, aside, code_of, in_store, now
from .world import CLIENT, OTHER_CLIENT, count, money_moved

pytestmark = pytest.mark.anyio


async def test_a_small_payment_is_paid_at_once(shop: Shop) -> None:
    before = await aside(money_moved)
    body = await aside(in_store, shop.world)
    answer = await shop.call("pay", **body)
    assert code_of(answer) == ("SUCCESS", "S")
    assert answer["paymentAmount"] == {"currency": "EUR", "value": "1250"}
    assert answer["actualPaymentAmount"] == {"currency": "CNY", "value": "10050"}
    assert answer["paymentQuote"]["quoteCurrencyPair"] == "EUR/CNY"
    assert answer["paymentQuote"]["quotePrice"] == pytest.approx(8.04)
    assert answer["paymentQuote"]["guaranteed"] is True
    assert answer["grossSettlementAmount"] == {"currency": "EUR", "value": "1250"}
    assert answer["paymentTime"] == answer["paymentCreateTime"]
    moved = {row[:2]: row[2] for row in await aside(money_moved)}
    assert moved[("merchant.payable", "EUR")] == 1250
    assert moved[("wallet.balance", "CNY")] == 500_000 - 10_050
    assert before != await aside(money_moved)
    again = await shop.call("pay", **body)
    assert (again["paymentId"], code_of(again)) == (answer["paymentId"], ("SUCCESS", "S"))
    other = await shop.call("pay", **body | {"paymentAmount": {"currency": "EUR", "value": "1251"}})
    assert code_of(other) == ("REPEAT_REQ_INCONSISTENT", "F")
    assert "paymentId" not in other
    assert await aside(count, "acquiring_payment") == 1


async def test_inquiries(shop: Shop) -> None:
    paid = await shop.pay()
    for by in (
        {"paymentId": paid["paymentId"]},
        {"paymentRequestId": "R1"},
        {"paymentId": "", "paymentRequestId": "R1"},
    ):
        found = await shop.call("inquiryPayment", **by)
        assert code_of(found) == ("SUCCESS", "S")
        assert (found["paymentStatus"], found["paymentResultCode"]) == ("SUCCESS", "SUCCESS")
        for name in ("paymentId", "paymentAmount", "actualPaymentAmount", "paymentTime", "paymentQuote"):
            assert found[name] == paid[name], name
    for by in ({"paymentId": "nonsense"}, {"paymentId": "0" * 32}, {"paymentRequestId": "R2"},
               {"paymentId": "0" * 32, "paymentRequestId": "R1"}):  # fmt: skip
        assert code_of(await shop.call("inquiryPayment", **by)) == ("ORDER_NOT_EXIST", "F")
    assert code_of(await shop.call("inquiryPayment")) == ("PARAM_ILLEGAL", "F")


async def test_nobody_sees_or_touches_the_payments_of_another_merchant(shop: Shop) -> None:
    paid = await shop.pay()
    before = await aside(money_moved)
    mine, amount = paid["paymentId"], {"currency": "EUR", "value": "1"}
    for name, body in [
        ("inquiryPayment", {"paymentId": mine}),
        ("inquiryPayment", {"paymentRequestId": "R1"}),
        ("cancel", {"paymentId": mine}),
        ("cancel", {"paymentRequestId": "R1"}),
        ("refund", {"refundRequestId": "F1", "paymentId": mine, "refundAmount": amount}),
    ]:
        assert code_of(await shop.call(name, OTHER_CLIENT, **body)) == ("ORDER_NOT_EXIST", "F")
    assert before == await aside(money_moved)
    refunded = await shop.call("refund", refundRequestId="F1", paymentId=mine, refundAmount=amount)
    for by in ({"refundId": refunded["refundId"]}, {"refundRequestId": "F1"}):
        assert code_of(await shop.call("inquiryRefund", OTHER_CLIENT, **by)) == ("REFUND_NOT_EXIST", "F")


async def test_a_larger_payment_waits_for_the_traveller(shop: Shop) -> None:
    answer = await shop.pay(value="10000")
    assert code_of(answer) == ("PAYMENT_IN_PROCESS", "U")
    assert not {"normalUrl", "orderCodeForm", "paymentTime", "actualPaymentAmount"} & set(answer)
    found = await shop.call("inquiryPayment", paymentRequestId="R1")
    assert (found["paymentStatus"], found["paymentResultCode"]) == ("PROCESSING", "PAYMENT_IN_PROCESS")
    assert "actualPaymentAmount" not in found
    await aside(shop.world.confirm, now())
    found = await shop.call("inquiryPayment", paymentRequestId="R1")
    assert found["paymentStatus"] == "SUCCESS"
    assert found["actualPaymentAmount"] == {"currency": "CNY", "value": "80400"}


async def test_an_order_code_is_shown_and_scanned(shop: Shop) -> None:
    answer = await shop.pay(scenario="ORDERCODE")
    assert code_of(answer) == ("PAYMENT_IN_PROCESS", "U")
    [detail] = answer["orderCodeForm"]["codeDetails"]
    assert detail["displayType"] == "TEXT"
    assert answer["orderCodeForm"]["expireTime"]
    await aside(shop.world.scan, detail["codeValue"], now())
    assert (await shop.call("inquiryPayment", paymentRequestId="R1"))["paymentStatus"] == "SUCCESS"


async def test_a_cashier_payment_has_a_page(shop: Shop) -> None:
    body = {
        "productCode": "CASHIER_PAYMENT",
        "paymentRequestId": "C1",
        "order": {
            "referenceOrderId": "O1",
            "orderDescription": "x",
            "orderAmount": {"currency": "EUR", "value": "500"},
        },
        "paymentAmount": {"currency": "EUR", "value": "500"},
        "paymentMethod": {"paymentMethodType": "ALIPAY_CN"},
        "paymentRedirectUrl": "https://shop.example/back",
        "settlementStrategy": {"settlementCurrency": "EUR"},
        "env": {"terminalType": "WEB"},
    }
    answer = await shop.call("pay", **body)
    assert code_of(answer) == ("PAYMENT_IN_PROCESS", "U")
    assert "orderCodeForm" not in answer
    assert (await shop.call("pay", **body))["normalUrl"] == answer["normalUrl"]
    await aside(shop.world.scan, answer["normalUrl"], now())
    assert code_of(await shop.call("pay", **body)) == ("SUCCESS", "S")


async def test_cancel_gives_back_and_says_so_again(shop: Shop) -> None:
    before = await aside(money_moved)
    paid = await shop.pay()
    first = await shop.call("cancel", paymentRequestId="R1")
    assert code_of(first) == ("SUCCESS", "S")
    assert (first["paymentId"], first["paymentRequestId"]) == (paid["paymentId"], "R1")
    assert await shop.call("cancel", paymentId=paid["paymentId"]) == first
    after = {row[:2]: row[2] for row in await aside(money_moved) if row[2]}
    assert after == {row[:2]: row[2] for row in before}
    found = await shop.call("inquiryPayment", paymentRequestId="R1")
    assert (found["paymentStatus"], found["paymentResultCode"]) == ("CANCELLED", "ORDER_IS_CANCELED")
    for wrong in ({"paymentRequestId": "R9"}, {"paymentId": "nonsense", "paymentRequestId": "R1"}):
        assert code_of(await shop.call("cancel", **wrong)) == ("ORDER_NOT_EXIST", "F")


async def test_refunds(shop: Shop) -> None:
    paid = await shop.pay()
    half = {
        "refundRequestId": "F1",
        "paymentId": paid["paymentId"],
        "refundAmount": {"currency": "EUR", "value": "625"},
    }
    first = await shop.call("refund", **half)
    assert code_of(first) == ("SUCCESS", "S")
    assert first["grossSettlementAmount"] == {"currency": "EUR", "value": "625"}
    assert await shop.call("refund", **half) == first
    assert code_of(await shop.call("cancel", paymentRequestId="R1")) == ("PROCESS_FAIL", "F")
    moved = await aside(money_moved)
    too_much = half | {"refundRequestId": "F2", "refundAmount": {"currency": "EUR", "value": "626"}}
    assert code_of(await shop.call("refund", **too_much)) == ("REFUND_AMOUNT_EXCEED", "F")
    reused = half | {"refundAmount": {"currency": "EUR", "value": "624"}}
    assert code_of(await shop.call("refund", **reused)) == ("REPEAT_REQ_INCONSISTENT", "F")
    other = half | {"refundRequestId": "F3", "refundAmount": {"currency": "JPY", "value": "1"}}
    assert code_of(await shop.call("refund", **other)) == ("CURRENCY_NOT_SUPPORT", "F")
    unknown = half | {"refundRequestId": "F4", "paymentId": "nonsense"}
    assert code_of(await shop.call("refund", **unknown)) == ("ORDER_NOT_EXIST", "F")
    assert moved == await aside(money_moved)
    for by in ({"refundId": first["refundId"]}, {"refundRequestId": "F1"}):
        found = await shop.call("inquiryRefund", **by)
        assert (code_of(found), found["refundStatus"]) == (("SUCCESS", "S"), "SUCCESS")
        assert (found["refundAmount"], found["refundTime"]) == (first["refundAmount"], first["refundTime"])
    assert (await shop.call("inquiryRefund", refundRequestId="F2"))["refundStatus"] == "FAIL"
    assert code_of(await shop.call("inquiryRefund", refundRequestId="F9")) == ("REFUND_NOT_EXIST", "F")
    listed = (await shop.call("inquiryPayment", paymentRequestId="R1"))["transactions"]
    done = [one for one in listed if one["transactionStatus"] == "SUCCESS"]
    assert [one["transactionRequestId"] for one in done] == ["F1"]


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"value": "12345678901234567"}, "PARAM_ILLEGAL", "order.orderAmount.value"),
    ({"value": "-1"}, "PARAM_ILLEGAL", "order.orderAmount.value"),
    ({"value": "1.00"}, "PARAM_ILLEGAL", "order.orderAmount.value"),
    ({"value": "0"}, "PARAM_ILLEGAL", "order.orderAmount.value"),
    ({"currency": "JPY", "value": "12.5"}, "PARAM_ILLEGAL", "order.orderAmount.value"),
    ({"currency": "USD"}, "CURRENCY_NOT_SUPPORT", "paymentAmount.currency"),
    (
        {"settlementStrategy": {"settlementCurrency": "USD"}},
        "SETTLE_CONTRACT_NOT_MATCH",
        "settlementStrategy",
    ),
    ({"paymentExpiryTime": "2020-01-01T00:00:00Z"}, "PARAM_ILLEGAL", "paymentExpiryTime"),
    (
        {"paymentMethod": {"paymentMethodType": "CARD", "paymentMethodId": "x"}},
        "UNAVAILABLE_PAYMENT_METHOD",
        "paymentMethodType",
    ),
]


async def test_what_is_refused_moves_nothing_and_uses_no_id_up(shop: Shop) -> None:
    before = await aside(money_moved)
    for changed, code, name in REFUSED:
        answer = await shop.pay(**changed)
        assert code_of(answer) == (code, "F"), changed
        assert name in answer["result"]["resultMessage"], changed
    assert before == await aside(money_moved)
    assert await aside(count, "acquiring_payment") == 0
    assert code_of(await shop.pay()) == ("SUCCESS", "S")


async def test_codes_that_are_spent_or_foreign(shop: Shop) -> None:
    code = await aside(shop.world.code, now())
    assert code_of(await shop.pay(code=code)) == ("SUCCESS", "S")
    before = await aside(money_moved)
    used = await shop.pay(code=code, paymentRequestId="R2")
    assert code_of(used) == ("INVALID_PAYMENT_CODE", "F")
    assert code_of(await shop.pay(code="134567890123456789", paymentRequestId="R3")) == (
        "INVALID_PAYMENT_CODE",
        "F",
    )
    assert before == await aside(money_moved)


async def test_fifty_at_once_make_one_payment(shop: Shop) -> None:
    body = await aside(in_store, shop.world)
    answers = await asyncio.gather(*(shop.call("pay", **body) for _ in range(50)))
    assert {code_of(one) for one in answers} == {("SUCCESS", "S")}
    assert len({one["paymentId"] for one in answers}) == 1
    moved = {row[:2]: row[2] for row in await aside(money_moved)}
    assert moved[("merchant.payable", "EUR")] == 1250


async def test_a_revoked_key_and_a_suspended_client_stop(shop: Shop) -> None:
    await aside(identity.set_client_status, "SANDBOX_" + CLIENT, identity.ClientStatus.SUSPENDED)
    assert code_of(await shop.pay("SANDBOX_" + CLIENT)) == ("INVALID_CLIENT_STATUS", "F")
    await aside(lambda: identity.revoke_key("SANDBOX_" + OTHER_CLIENT, 1, now=now()))
    assert code_of(await shop.pay("SANDBOX_" + OTHER_CLIENT)) == ("KEY_NOT_FOUND", "F")
    assert await aside(count, "acquiring_payment") == 0


async def test_reading_survives_connections_that_died(shop: Shop, database: Database) -> None:
    paid = await shop.pay()
    inquiries = [shop.call("inquiryPayment", paymentId=paid["paymentId"]) for _ in range(8)]
    await asyncio.gather(*inquiries)  # the pool has grown
    with psycopg.connect(database.url, autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    found = await shop.call("inquiryPayment", paymentId=paid["paymentId"])
    assert found["paymentStatus"] == "SUCCESS"
    assert code_of(await shop.pay(paymentRequestId="R2")) == ("SUCCESS", "S")


async def test_health(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    well = await exchange(shop.app, "GET", "/healthz", [], [b""])
    assert (well.status, json.loads(well.body)) == (200, {"status": "ok"})
    posted = await exchange(shop.app, "POST", "/healthz", [], [b""])
    assert posted.result["resultCode"] == "NO_INTERFACE_DEF"

    async def away(*_: Any) -> Awaitable[None]:
        raise ConnectionError

    monkeypatch.setattr("comptoir.gateway.app.read", away)
    ill = await exchange(shop.app, "GET", "/healthz", [], [b""])
    assert (ill.status, json.loads(ill.body)) == (503, {"status": "down"})
