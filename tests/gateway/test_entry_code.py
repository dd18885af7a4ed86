"""Payments that begin with the code on the shop's wall: a page instead of a code, and then like any other."""

from __future__ import annotations

from typing import Any

import pytest
from com.alipay.ams.api.model.amount import Amount
from com.alipay.ams.api.model.env import Env
from com.alipay.ams.api.model.merchant import Merchant
from com.alipay.ams.api.model.order import Order
from com.alipay.ams.api.model.store import Store
from com.alipay.ams.api.request.pay.entry_code_payment_request import EntryCodePaymentRequest

from .shop import Shop, aside, code_of, now
from .world import count, money_moved

pytestmark = pytest.mark.anyio

BACK = "https://shop.example/back"
WALLET = "Mozilla/5.0 (Linux; Android 16) AlipayClient/10.8.0"


async def test_an_entry_code_leads_to_a_page(shop: Shop) -> None:
    before = await aside(money_moved)
    entered = {"scenario": "EntryCode", "env": {"userAgent": WALLET}, "paymentRedirectUrl": BACK}
    answer = await shop.pay(**entered)
    assert code_of(answer) == ("PAYMENT_IN_PROCESS", "U")
    assert answer["normalUrl"].startswith("http://localhost:8400/c/")
    assert "orderCodeForm" not in answer
    assert (await shop.pay(**entered))["normalUrl"] == answer["normalUrl"]
    assert before == await aside(money_moved)
    await aside(shop.world.scan, answer["normalUrl"], now())
    paid = await shop.pay(**entered)
    assert code_of(paid) == ("SUCCESS", "S")
    assert "normalUrl" not in paid
    assert (await shop.call("inquiryPayment", paymentRequestId="R1"))["paymentStatus"] == "SUCCESS"


async def test_an_entry_code_payment_of_the_official_class(shop: Shop) -> None:
    order = Order()
    order.reference_order_id, order.order_description = "O1", "巧克力"
    order.order_amount = Amount("EUR", "700")
    order.merchant = Merchant()
    order.merchant.reference_merchant_id, order.merchant.merchant_mcc = "M1", "5441"
    order.merchant.merchant_name = "Chocolatier Leroy"
    order.merchant.store = Store()
    order.merchant.store.reference_store_id, order.merchant.store.store_name = "S1", "Leroy"
    order.merchant.store.store_mcc = "5441"
    order.env = Env()
    order.env.user_agent = WALLET
    request = EntryCodePaymentRequest("R1", order, "EUR", "700", payment_redirect_url=BACK)
    assert "normalUrl" in await shop.execute(request)
    assert (await shop.call("cancel", paymentRequestId="R1"))["result"]["resultStatus"] == "S"
    assert code_of(await shop.execute(request)) == ("ORDER_IS_CANCELED", "F")


LACKING: list[tuple[dict[str, Any], str]] = [
    ({"paymentRedirectUrl": BACK}, "order.env.userAgent"),
    ({"paymentRedirectUrl": BACK, "env": {"userAgent": ""}}, "order.env.userAgent"),
    ({"paymentRedirectUrl": BACK, "env": {"terminalType": "WAP"}}, "order.env.userAgent"),
    ({"env": {"userAgent": WALLET}}, "paymentRedirectUrl"),
    ({"env": {"userAgent": WALLET}, "paymentRedirectUrl": "javascript:x"}, "paymentRedirectUrl"),
]


async def test_what_an_entry_code_payment_lacks_is_named(shop: Shop) -> None:
    before = await aside(money_moved)
    for given, name in LACKING:
        answer = await shop.pay(scenario="EntryCode", **given)
        assert code_of(answer) == ("PARAM_ILLEGAL", "F"), given
        assert answer["result"]["resultMessage"].startswith(name), given
    assert before == await aside(money_moved)
    assert await aside(count, "acquiring_payment") == 0
