"""consult, through the signed door: what it says of a wallet, `pay` does."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from com.alipay.ams.api.model.amount import Amount
from com.alipay.ams.api.model.env import Env
from com.alipay.ams.api.model.product_code_type import ProductCodeType
from com.alipay.ams.api.model.terminal_type import TerminalType
from com.alipay.ams.api.request.pay.alipay_pay_consult_request import AlipayPayConsultRequest
from com.alipay.ams.api.response.pay.alipay_pay_consult_response import AlipayPayConsultResponse
from django.conf import settings
from django.db import connection

from comptoir.acquiring import api as acquiring

from .shop import Request, Shop, aside, code_of, now
from .test_account import AGREEMENTS
from .world import CLIENT, count, money_moved

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Another issuer is configured before the application starts."""
    table = {
        "ELSEWHERE": {
            "connector": "tests.wallet.scripted_issuer.ScriptedIssuer",
            "prefixes": ["2810"],
            "options": {"path": str(tmp_path / "elsewhere")},
        },
    }
    monkeypatch.setattr(settings, "COMPTOIR_ISSUERS", table)


TEST_CLIENT = "SANDBOX_" + CLIENT
AUTHORIZES = {"paymentFactor": {"isAuthorization": True}}


async def ask(
    shop: Shop, value: str = "1250", currency: str = "EUR", client_id: str = CLIENT, **changed: Any
) -> dict[str, Any]:
    body = {
        "productCode": "CASHIER_PAYMENT",
        "paymentAmount": {"currency": currency, "value": value},
        "env": {"terminalType": "WEB"},
    }
    return await shop.call("consult", client_id, **body | changed)


def options(answer: dict[str, Any]) -> dict[str, str | None]:
    """Each option and why it is disabled."""
    assert code_of(answer) == ("SUCCESS", "S"), answer
    for one in answer["paymentOptions"]:
        assert one["enabled"] is ("disableReason" not in one)
    return {one["paymentMethodType"]: one.get("disableReason") for one in answer["paymentOptions"]}


async def test_online_our_wallet_pays_and_another_issuers_cannot(shop: Shop) -> None:
    before = await aside(money_moved)
    answer = await ask(shop)
    assert options(answer) == {"COMPTOIR": None, "ELSEWHERE": "CHANNEL_DISABLE"}
    own = answer["paymentOptions"][0]
    assert own["paymentMethodCategory"] == "WALLET"
    assert own["supportedCurrencies"] == ["EUR", "JPY"]
    assert own["amountLimitInfoMap"]["CNY"]["singleLimit"]["max"] == "2000000"
    assert before == await aside(money_moved)
    assert await aside(count, "acquiring_payment") == await aside(count, "fx_quote") == 0


async def test_in_a_shop_every_issuers_code_is_taken(shop: Shop) -> None:
    in_store = {"productCode": "IN_STORE_PAYMENT", "env": {"storeTerminalId": "T1"}}
    assert options(await ask(shop, **in_store)) == {"COMPTOIR": None, "ELSEWHERE": None}
    shown = in_store | {"paymentFactor": {"inStorePaymentScenario": "OrderCode"}}
    assert options(await ask(shop, **shown)) == {"COMPTOIR": None, "ELSEWHERE": "CHANNEL_DISABLE"}
    for name in ("COMPTOIR", "ELSEWHERE"):
        method = {"paymentMethodType": name, "paymentMethodId": await aside(shop.world.code, now())}
        paid = await shop.pay(paymentRequestId=name, paymentMethod=method)
        assert code_of(paid)[0] != "UNAVAILABLE_PAYMENT_METHOD", "what consult enables, pay takes"
    order = await shop.pay(
        paymentRequestId="O1", scenario="OrderCode", paymentMethod={"paymentMethodType": "ELSEWHERE"}
    )
    assert code_of(order) == ("UNAVAILABLE_PAYMENT_METHOD", "F"), "and no other"


async def test_why_a_wallet_cannot_pay(shop: Shop) -> None:
    usd = await ask(shop, currency="USD")
    assert options(usd) == dict.fromkeys(("COMPTOIR", "ELSEWHERE"), "CHANNEL_NOT_SUPPORT_CURRENCY")
    # 20,000 yuan at 8.04 are 2,487.56 euros.
    assert options(await ask(shop, "248756"))["COMPTOIR"] is None
    assert options(await ask(shop, "248757"))["COMPTOIR"] == "EXCEED_CHANNEL_LIMIT_RULE"


async def test_old_rates_stop_conversions_and_no_more(shop: Shop) -> None:
    await aside(age_rates)
    answer = await ask(shop, productCode="IN_STORE_PAYMENT")
    assert options(answer) == {"COMPTOIR": "SERVICE_DEGRADE", "ELSEWHERE": None}
    assert code_of(await shop.pay()) == ("PROCESS_FAIL", "F")


def age_rates() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE fx_reference_rate DISABLE TRIGGER USER")
        cursor.execute("UPDATE fx_reference_rate SET rate_on = %s", [(now() - timedelta(days=9)).date()])


async def test_the_merchant_may_narrow_the_choice(shop: Shop) -> None:
    store = {"productCode": "IN_STORE_PAYMENT"}
    one = await ask(shop, **store, allowedPaymentMethods=["ELSEWHERE", "CARD"])
    assert options(one) == {"ELSEWHERE": None}
    assert options(await ask(shop, **store, blockedPaymentMethods=["COMPTOIR"])) == {"ELSEWHERE": None}
    # Our wallet answers to the names that cashiers know it by.
    assert options(await ask(shop, allowedPaymentMethods=["ALIPAY_CN"])) == {"ALIPAY_CN": None}
    assert code_of(await ask(shop, allowedPaymentMethods=["CARD"])) == ("NO_PAY_OPTIONS", "F")


@pytest.mark.parametrize("blocked", ["COMPTOIR", "ALIPAY_CN", "CONNECT_WALLET"])
async def test_our_wallet_is_blocked_by_any_of_its_names(shop: Shop, blocked: str) -> None:
    left = await ask(shop, productCode="IN_STORE_PAYMENT", blockedPaymentMethods=[blocked])
    assert options(left) == {"ELSEWHERE": None}
    named = {"allowedPaymentMethods": ["ALIPAY_CN", "COMPTOIR"], "blockedPaymentMethods": [blocked]}
    assert code_of(await ask(shop, **named)) == ("NO_PAY_OPTIONS", "F")


async def test_what_an_agreement_can_pay(shop: Shop) -> None:
    agreed = {"productCode": "AGREEMENT_PAYMENT"}
    assert options(await ask(shop, **agreed)) == {"COMPTOIR": None, "ELSEWHERE": "CHANNEL_DISABLE"}
    assert options(await ask(shop, "248757", **agreed))["COMPTOIR"] == "EXCEED_CHANNEL_LIMIT_RULE"
    assert options(await ask(shop, **agreed, **AUTHORIZES))["COMPTOIR"] == "CHANNEL_DISABLE"


async def test_another_issuers_wallet_authorizes_nothing(shop: Shop) -> None:
    found = options(await ask(shop, productCode="IN_STORE_PAYMENT", **AUTHORIZES))
    assert found == {"COMPTOIR": None, "ELSEWHERE": "CHANNEL_DISABLE"}


async def test_what_a_test_client_can_try(shop: Shop) -> None:
    """Simulated wallets have no limits and need no rates; agreements and authorizations are not simulated."""
    await aside(age_rates)
    answer = await ask(shop, "9999999", client_id=TEST_CLIENT)
    assert options(answer)["COMPTOIR"] is None
    assert "amountLimitInfoMap" not in answer["paymentOptions"][0]
    for changed in ({"productCode": "AGREEMENT_PAYMENT"}, AUTHORIZES):
        assert options(await ask(shop, client_id=TEST_CLIENT, **changed))["COMPTOIR"] == "CHANNEL_DISABLE"


async def test_a_test_client_is_told_what_is_not_simulated(shop: Shop) -> None:
    before = await aside(money_moved)
    for body in ({}, {"rateType": "TRADE"}):
        refused = await shop.call("inquireExchangeRate", TEST_CLIENT, **body)
        assert code_of(refused) == ("BUSINESS_NOT_SUPPORT", "F")
    assert await aside(count, "fx_quote") == 0
    shown = await shop.call("inquireExchangeRate", TEST_CLIENT, rateType="REFERENCE")
    assert code_of(shown) == ("SUCCESS", "S")
    asked = Request("/ams/sandbox/api/v1/authorizations/consult", AGREEMENTS["consult"])
    assert code_of(await shop.execute(asked, TEST_CLIENT)) == ("BUSINESS_NOT_SUPPORT", "F")
    paid = await shop.pay(
        TEST_CLIENT,
        productCode="AGREEMENT_PAYMENT",
        paymentMethod={"paymentMethodType": "ALIPAY_CN", "paymentMethodId": "token"},
    )
    assert code_of(paid) == ("BUSINESS_NOT_SUPPORT", "F")
    assert before == await aside(money_moved)


@pytest.mark.parametrize(
    ("changed", "code", "name"),
    [
        ({"env": None}, "PARAM_ILLEGAL", "env.terminalType"),
        ({"env": {"terminalType": "PHONE"}}, "PARAM_ILLEGAL", "env.terminalType"),
        ({"productCode": None}, "PARAM_ILLEGAL", "productCode"),
        ({"value": "0"}, "PARAM_ILLEGAL", "paymentAmount.value"),
        ({"settlementStrategy": {"settlementCurrency": "USD"}}, "SETTLE_CONTRACT_NOT_MATCH", "settlement"),
    ],
)
async def test_what_cannot_be_answered_is_named(
    shop: Shop, changed: dict[str, Any], code: str, name: str
) -> None:
    answer = await ask(shop, **changed)
    assert code_of(answer) == (code, "F")
    assert name in answer["result"]["resultMessage"]


async def test_a_suspended_merchant_has_no_options(shop: Shop) -> None:
    await aside(acquiring.set_status, shop.world.merchant_id, "suspended")
    assert code_of(await ask(shop)) == ("INVALID_MERCHANT_STATUS", "F")


async def test_the_official_classes_ask_and_read(shop: Shop) -> None:
    request = AlipayPayConsultRequest()
    request.product_code = ProductCodeType.CASHIER_PAYMENT
    request.payment_amount = Amount("EUR", "1250")
    request.env = Env()
    request.env.terminal_type = TerminalType.WAP
    answer = AlipayPayConsultResponse(json.dumps(await shop.execute(request)))
    found = {one.payment_method_type: (one.enabled, one.disable_reason) for one in answer.payment_options}
    assert found == {"COMPTOIR": (True, None), "ELSEWHERE": (False, "CHANNEL_DISABLE")}
