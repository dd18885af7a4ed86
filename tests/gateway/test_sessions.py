"""createPaymentSession and retrievePaymentSession, through the signed door and with the official classes."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from com.alipay.ams.api.model.amount import Amount
from com.alipay.ams.api.model.order import Order
from com.alipay.ams.api.model.product_code_type import ProductCodeType
from com.alipay.ams.api.model.settlement_strategy import SettlementStrategy
from com.alipay.ams.api.request.pay.alipay_payment_session_request import AlipayPaymentSessionRequest
from com.alipay.ams.api.request.pay.alipay_retrieve_payment_session_request import (
    AlipayRetrievePaymentSessionRequest,
)
from com.alipay.ams.api.response.pay.alipay_payment_session_response import AlipayPaymentSessionResponse
from com.alipay.ams.api.response.pay.alipay_retrieve_payment_session_response import (
    AlipayRetrievePaymentSessionResponse,
)

from comptoir.flows.api import Claim, Confirm, Desk, execute, verify_books
from comptoir.wallet import api as wallet

from .shop import Request, Shop, aside, code_of, now
from .world import CLIENT, OTHER_CLIENT, World, count, money_moved

pytestmark = pytest.mark.anyio

#: The double slash is on the wire, and in the signature.
RETRIEVE = "/ams/api//v1/payments/retrievePaymentSession"


def body(**changed: Any) -> dict[str, Any]:
    return {
        "productCode": "CASHIER_PAYMENT",
        "paymentRequestId": "S1",
        "order": {
            "referenceOrderId": "O1",
            "orderDescription": "巧克力",
            "orderAmount": {"currency": "EUR", "value": "1250"},
            "goods": [{"referenceGoodsId": "G1", "goodsName": "Pralines"}],
            "buyer": {"buyerEmail": "li.na@example.com"},
        },
        "paymentAmount": {"currency": "EUR", "value": "1250"},
        "paymentRedirectUrl": "https://shop.example/back",
        "settlementStrategy": {"settlementCurrency": "EUR"},
    } | changed


async def create(shop: Shop, client_id: str = CLIENT, /, **changed: Any) -> dict[str, Any]:
    return await shop.call("createPaymentSession", client_id, **body(**changed))


async def retrieve(shop: Shop, ref: str = "S1", client_id: str = CLIENT) -> dict[str, Any]:
    return await shop.execute(Request(RETRIEVE, {"paymentRequestId": ref}), client_id)


async def test_a_session_is_opened_once_and_paid_once(shop: Shop) -> None:
    before = await aside(money_moved)
    made = await create(shop)
    assert code_of(made) == ("SUCCESS", "S")
    assert made["normalUrl"].endswith("/c/" + made["paymentSessionData"])
    left = datetime.fromisoformat(made["paymentSessionExpiryTime"]) - now()
    assert timedelta(minutes=59) < left <= timedelta(hours=1)
    assert await create(shop) == made, "the same session, to the letter"
    assert before == await aside(money_moved)
    found = await shop.call("inquiryPayment", paymentRequestId="S1")
    assert (found["paymentStatus"], found["paymentId"]) == ("PROCESSING", made["paymentSessionId"])

    await aside(shop.world.scan, made["normalUrl"], now())
    found = await shop.call("inquiryPayment", paymentRequestId="S1")
    assert (found["paymentStatus"], found["actualPaymentAmount"]["value"]) == ("SUCCESS", "10050")
    assert await create(shop) == made
    assert await aside(count, "acquiring_payment") == 1
    assert (await aside(verify_books)).holds


async def test_a_session_and_a_payment_do_not_share_an_id(shop: Shop) -> None:
    await create(shop)
    for changed in ({"paymentAmount": {"currency": "EUR", "value": "1251"}},
                    {"paymentMethod": {"paymentMethodType": "ALIPAY_CN"}}):  # fmt: skip
        assert code_of(await create(shop, **changed)) == ("REPEAT_REQ_INCONSISTENT", "F")
    assert code_of(await shop.pay(paymentRequestId="S1")) == ("REPEAT_REQ_INCONSISTENT", "F")
    cashier = body(paymentMethod={"paymentMethodType": "ALIPAY_CN"}, paymentRequestId="C1")
    assert code_of(await shop.call("pay", **cashier)) == ("PAYMENT_IN_PROCESS", "U")
    assert code_of(await create(shop, **cashier)) == ("REPEAT_REQ_INCONSISTENT", "F")
    assert code_of(await retrieve(shop, "C1")) == ("ORDER_NOT_EXIST", "F")


async def test_retrieve_has_the_order_and_nothing_of_the_buyer(shop: Shop) -> None:
    await create(shop)
    found = await retrieve(shop)
    assert code_of(found) == ("SUCCESS", "S")
    assert found["order"] == {
        "referenceOrderId": "O1",
        "orderDescription": "巧克力",
        "orderAmount": {"currency": "EUR", "value": "1250"},
    }
    for ref, client_id in (("S1", OTHER_CLIENT), ("S2", CLIENT)):
        missing = await retrieve(shop, ref, client_id)
        assert (code_of(missing), "order" in missing) == (("ORDER_NOT_EXIST", "F"), False)
    nothing = await shop.execute(Request(RETRIEVE, {}))
    assert code_of(nothing) == ("PARAM_ILLEGAL", "F")


async def test_a_session_ends_with_its_time_or_by_the_merchant(shop: Shop) -> None:
    soon = (now() + timedelta(minutes=5)).isoformat()
    for number, changed in enumerate(
        ({"paymentSessionExpiryTime": soon}, {"paymentExpiryTime": soon},
         {"paymentExpiryTime": soon, "paymentSessionExpiryTime": "2099-01-01T00:00:00Z"})
    ):  # fmt: skip
        made = await create(shop, paymentRequestId=f"E{number}", **changed)
        ends = datetime.fromisoformat(made["paymentSessionExpiryTime"])
        assert abs(ends - datetime.fromisoformat(soon)) < timedelta(seconds=1)
    far = await create(shop, paymentSessionExpiryTime="2099-01-01T00:00:00Z")
    assert datetime.fromisoformat(far["paymentSessionExpiryTime"]) <= now() + timedelta(hours=1)
    assert code_of(await shop.call("cancel", paymentRequestId="S1")) == ("SUCCESS", "S")
    for answer in (await create(shop, paymentSessionExpiryTime="2099-01-01T00:00:00Z"), await retrieve(shop)):
        assert code_of(answer) == ("ORDER_IS_CANCELED", "F")
        assert "normalUrl" not in answer


async def test_a_session_may_outlive_its_price_and_is_priced_anew(shop: Shop) -> None:
    """The traveller who comes late is asked again at a price that holds; the old one cannot be confirmed."""
    made = await create(shop)
    digits, world = made["paymentSessionData"], shop.world

    def late() -> tuple[str, str, int]:
        then = now()
        since = then + timedelta(minutes=45)
        execute([Claim(order_code=digits, wallet_id=world.wallet_id)], then, Desk(5))
        [asked] = wallet.waiting(world.wallet_id, then)
        stale = execute([Confirm(wallet_id=world.wallet_id, authorization_id=asked.id)], since, Desk(5))[0]
        execute([Claim(order_code=digits, wallet_id=world.wallet_id)], since, Desk(5))
        [fresh] = wallet.waiting(world.wallet_id, since)
        paid = execute([Confirm(wallet_id=world.wallet_id, authorization_id=fresh.id)], since, Desk(5))[0]
        return stale.code, paid.code, len({asked.id, fresh.id})

    assert await aside(late) == ("fx.quote_expired", "ok", 2)
    assert (await aside(verify_books)).holds
    assert await aside(balance, world) == 500_000 - 10_050


def balance(world: World) -> int:
    return {row[:2]: row[2] for row in money_moved()}[("wallet.balance", "CNY")]


@pytest.mark.parametrize(
    ("changed", "code", "name"),
    [
        ({"paymentRedirectUrl": None}, "PARAM_ILLEGAL", "paymentRedirectUrl"),
        ({"paymentRedirectUrl": "javascript:alert(1)"}, "PARAM_ILLEGAL", "paymentRedirectUrl"),
        ({"paymentSessionExpiryTime": "soon"}, "PARAM_ILLEGAL", "paymentSessionExpiryTime"),
        ({"paymentSessionExpiryTime": "2020-01-01T00:00:00Z"}, "PARAM_ILLEGAL", "paymentSessionExpiryTime"),
        ({"paymentAmount": {"currency": "EUR", "value": "0"}}, "PARAM_ILLEGAL", "paymentAmount.value"),
        ({"paymentAmount": {"currency": "USD", "value": "1"}}, "CURRENCY_NOT_SUPPORT", "paymentAmount"),
        ({"productCode": "IN_STORE_PAYMENT"}, "BUSINESS_NOT_SUPPORT", "IN_STORE_PAYMENT"),
        ({"agreementInfo": {"authState": "x"}}, "BUSINESS_NOT_SUPPORT", "agreementInfo"),
        ({"paymentFactor": {"captureMode": "MANUAL"}}, "PARAM_ILLEGAL", "paymentFactor.captureMode"),
        ({"paymentMethod": {"paymentMethodType": "CARD"}}, "UNAVAILABLE_PAYMENT_METHOD", "paymentMethodType"),
        (
            {"availablePaymentMethod": {"paymentMethodTypeList": [{"paymentMethodType": "CARD"}]}},
            "UNAVAILABLE_PAYMENT_METHOD",
            "paymentMethodType",
        ),
    ],
)
async def test_what_no_session_can_be_is_refused_and_leaves_the_id_free(
    shop: Shop, changed: dict[str, Any], code: str, name: str
) -> None:
    answer = await create(shop, **changed)
    assert code_of(answer) == (code, "F")
    assert name in answer["result"]["resultMessage"]
    assert await aside(count, "acquiring_payment") == 0
    assert code_of(await create(shop)) == ("SUCCESS", "S")


async def test_the_official_classes(shop: Shop) -> None:
    request = AlipayPaymentSessionRequest()
    request.product_code = ProductCodeType.CASHIER_PAYMENT
    request.payment_request_id = "S1"
    request.order = Order()
    request.order.reference_order_id, request.order.order_description = "O1", "x"
    request.order.order_amount = request.payment_amount = Amount("EUR", "1250")
    request.payment_redirect_url = "https://shop.example/back"
    request.settlement_strategy = SettlementStrategy()
    request.settlement_strategy.settlement_currency = "EUR"
    made = AlipayPaymentSessionResponse(json.dumps(await shop.execute(request)))
    assert made.result.result_code == "SUCCESS"
    assert made.normal_url.endswith(made.payment_session_data)
    assert datetime.fromisoformat(made.payment_session_expiry_time) > datetime.now(UTC)
    ask = AlipayRetrievePaymentSessionRequest()
    ask.payment_request_id = "S1"
    found = AlipayRetrievePaymentSessionResponse(json.dumps(await shop.execute(ask)))
    assert found.order["orderAmount"] == {"currency": "EUR", "value": "1250"}
