"""Members that would change the deal and that are not open: refused by name, and nothing moves."""

from __future__ import annotations

from typing import Any

import pytest

from .shop import Shop, aside, code_of, in_store
from .test_sessions import body as session
from .test_sessions import retrieve
from .world import count, money_moved

pytestmark = pytest.mark.anyio

AMOUNT = {"currency": "EUR", "value": "100"}
WALLET = {"paymentMethodType": "ALIPAY_CN"}

#: Of a payment and of a session, each at its place, and what official classes send there.
DEALS: dict[str, Any] = {
    "agreementInfo": {"authState": "x"},
    "subscriptionInfo": {"periodRule": {"periodType": "MONTH", "periodCount": "1"}},
    "creditPayPlan": {"installmentNum": "3", "interval": "MONTH"},
    "order.needDeclaration": True,
    "order.taxCalculationId": "T1",
    "paymentFactor.isPaymentEvaluation": "true",
    "paymentFactor.storePaymentMethodForBuyer": True,
}
OF_PAYMENTS = DEALS | {"payToMethod": WALLET, "subscriptionId": "B1"}
OF_SESSIONS = DEALS | {
    "subscriptionPlan": {"allowAccumulate": False, "periodRule": {"periodType": "WEEK"}},
    "subscription": {"subscriptionRequestId": "B1"},
    "scopes": ["AGREEMENT_PAY"],
    "automaticTax": {"enabled": True},
}
OF_REFUNDS: dict[str, Any] = {
    "refundDetails": [{"refundAmount": AMOUNT, "refundFrom": "SELLER"}],
    "splitDetails": [{"splitTo": "SELLER", "splitAmount": AMOUNT}],
    "refundToBankInfo": {"bankCode": "B", "accountHolderName": "Li Na", "accountNo": "1"},
    "refundSourceAccountNo": "1",
    "actualRefundAmount": {"currency": "CNY", "value": "1"},
}


def put(body: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    """The body with a value at a dotted place of at most two names."""
    first, _, second = path.partition(".")
    return body | {first: body.get(first, {}) | {second: value} if second else value}


def assert_not_open(answer: dict[str, Any], path: str) -> None:
    assert code_of(answer) == ("BUSINESS_NOT_SUPPORT", "F"), path
    assert answer["result"]["resultMessage"] == f"{path} is not open here"


async def test_a_payment_that_asks_for_more_is_not_taken(shop: Shop) -> None:
    before, body = await aside(money_moved), await aside(in_store, shop.world)
    for path, value in OF_PAYMENTS.items():
        assert_not_open(await shop.call("pay", **put(body, path, value)), path)
    assert before == await aside(money_moved)
    assert await aside(count, "acquiring_payment") == 0
    assert code_of(await shop.call("pay", **body)) == ("SUCCESS", "S"), "the request id was not used up"


async def test_a_session_that_asks_for_more_is_not_opened(shop: Shop) -> None:
    for path, value in OF_SESSIONS.items():
        assert_not_open(await shop.call("createPaymentSession", **put(session(), path, value)), path)
    assert await aside(count, "acquiring_payment") == 0
    assert code_of(await shop.call("createPaymentSession", **session())) == ("SUCCESS", "S")


async def test_a_refund_that_asks_for_more_gives_nothing_back(shop: Shop) -> None:
    paid = await shop.pay()
    before = await aside(money_moved)
    body = {"refundRequestId": "F1", "paymentId": paid["paymentId"], "refundAmount": AMOUNT}
    for path, value in OF_REFUNDS.items():
        assert_not_open(await shop.call("refund", **put(body, path, value)), path)
    assert before == await aside(money_moved)
    assert await aside(count, "acquiring_refund") == 0
    assert code_of(await shop.call("refund", **body)) == ("SUCCESS", "S")


@pytest.mark.parametrize(
    "nothing", [None, False, "", "false", {}, [], {"authState": None, "userLoginId": ""}, [{}]]
)
async def test_what_asks_for_nothing_is_as_absent(shop: Shop, nothing: object) -> None:
    body = await aside(in_store, shop.world)
    for path in OF_PAYMENTS:
        body = put(body, path, nothing)
    assert code_of(await shop.call("pay", **body)) == ("SUCCESS", "S")
    opened = session()
    for path in OF_SESSIONS:
        opened = put(opened, path, nothing)
    made = await shop.call("createPaymentSession", **opened)
    assert code_of(made) == ("SUCCESS", "S")
    found = await retrieve(shop)
    assert set(found["order"]) == {"referenceOrderId", "orderDescription", "orderAmount"}
