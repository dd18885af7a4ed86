"""merchantAccountId: the caller's own account or none; another one is refused wherever it is named."""

from __future__ import annotations

from typing import Any

import pytest

from .shop import Request, Shop, aside, code_of, in_store
from .test_subscriptions import plain
from .world import count, money_moved

pytestmark = pytest.mark.anyio

AMOUNT = {"currency": "EUR", "value": "1250"}
ORDER = {"referenceOrderId": "O1", "orderDescription": "x", "orderAmount": AMOUNT}

#: Each operation whose request has the member, and a body for it.
BODIES: dict[str, dict[str, Any]] = {
    "inquiryPayment": {"paymentRequestId": "R1"},
    "cancel": {"paymentRequestId": "R1"},
    "inquiryRefund": {"refundRequestId": "F1"},
    "inquireExchangeRate": {},
    "consult": {
        "productCode": "CASHIER_PAYMENT",
        "paymentAmount": AMOUNT,
        "env": {"terminalType": "WEB"},
    },
    "createPaymentSession": {
        "productCode": "CASHIER_PAYMENT",
        "paymentRequestId": "S1",
        "order": ORDER,
        "paymentAmount": AMOUNT,
        "paymentRedirectUrl": "https://shop.example/back",
    },
}


AGREEMENTS: dict[str, dict[str, Any]] = {
    "consult": {
        "customerBelongsTo": "ALIPAY_CN",
        "authRedirectUrl": "https://shop.example/back",
        "scopes": ["AGREEMENT_PAY"],
        "authState": "x",
        "terminalType": "WEB",
    },
    "applyToken": {"grantType": "AUTHORIZATION_CODE", "customerBelongsTo": "ALIPAY_CN", "authCode": "x"},
    "revoke": {"accessToken": "x"},
}


async def test_another_account_agrees_on_nothing(shop: Shop) -> None:
    for name, body in AGREEMENTS.items():
        request = Request("/ams/api/v1/authorizations/" + name, body | {"merchantAccountId": "OTHER"})
        refused = await shop.execute(request)
        assert code_of(refused) == ("PARAM_ILLEGAL", "F"), name
        assert refused["result"]["resultMessage"].startswith("merchantAccountId")
    assert await aside(count, "acquiring_agreement") == 0


async def test_another_account_subscribes_to_nothing(shop: Shop) -> None:
    body = plain(merchantAccountId="OTHER")
    refused = await shop.execute(Request("/ams/api/v1/subscriptions/create", body))
    assert code_of(refused) == ("PARAM_ILLEGAL", "F")
    assert refused["result"]["resultMessage"].startswith("merchantAccountId")


async def test_another_account_is_refused_and_nothing_happens(shop: Shop) -> None:
    paid = await shop.pay(merchantAccountId="LEROY")
    assert code_of(paid) == ("SUCCESS", "S")
    before = await aside(money_moved)
    bodies = BODIES | {"pay": await aside(lambda: in_store(shop.world, paymentRequestId="R2"))}
    for name, body in bodies.items():
        for account in ("OTHER", "leroy", "0"):
            refused = await shop.call(name, **body, merchantAccountId=account)
            assert code_of(refused) == ("PARAM_ILLEGAL", "F"), (name, account)
            assert "LEROY" in refused["result"]["resultMessage"]
    assert before == await aside(money_moved)
    assert await aside(count, "acquiring_payment") == 1
    assert (await shop.call("inquiryPayment", paymentRequestId="R1"))["paymentStatus"] == "SUCCESS"


@pytest.mark.parametrize("account", ["LEROY", "", None])
async def test_the_own_account_or_none_is_as_if_it_were_not_there(shop: Shop, account: str | None) -> None:
    await shop.pay()
    for name, body in BODIES.items():
        if name == "cancel":
            continue
        with_it = await shop.call(name, **body, merchantAccountId=account)
        without = await shop.call(name, **body)
        assert with_it["result"] == without["result"], name
    cancelled = await shop.call("cancel", **BODIES["cancel"], merchantAccountId=account)
    assert code_of(cancelled) == ("SUCCESS", "S")
