"""Agreements through the signed door, with the official SDK's own request and response classes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from com.alipay.ams.api.model.customer_belongs_to import CustomerBelongsTo
from com.alipay.ams.api.model.grant_type import GrantType
from com.alipay.ams.api.model.scope_type import ScopeType
from com.alipay.ams.api.model.terminal_type import TerminalType
from com.alipay.ams.api.request.auth.alipay_auth_apply_token_request import AlipayAuthApplyTokenRequest
from com.alipay.ams.api.request.auth.alipay_auth_consult_request import AlipayAuthConsultRequest
from com.alipay.ams.api.request.auth.alipay_auth_query_token_request import AlipayAuthQueryTokenRequest
from com.alipay.ams.api.request.auth.alipay_auth_revoke_token_request import AlipayAuthRevokeTokenRequest
from com.alipay.ams.api.response.auth.alipay_auth_apply_token_response import AlipayAuthApplyTokenResponse
from com.alipay.ams.api.response.auth.alipay_auth_consult_response import AlipayAuthConsultResponse
from com.alipay.ams.api.response.auth.alipay_auth_query_token_response import AlipayAuthQueryTokenResponse

from comptoir.flows import api as flows
from comptoir.flows.agreements import auth_code

from .shop import PATHS, Request, Shop, aside, code_of, now
from .world import OTHER_CLIENT, count, money_moved

pytestmark = pytest.mark.anyio

CONSULT = {
    "customerBelongsTo": "ALIPAY_CN",
    "authRedirectUrl": "https://shop.example/back",
    "scopes": ["AGREEMENT_PAY"],
    "authState": "customer 7",
    "terminalType": "WEB",
}


def asks(scopes: Any = (ScopeType.AGREEMENT_PAY,)) -> AlipayAuthConsultRequest:
    request = AlipayAuthConsultRequest()
    request.customer_belongs_to = CustomerBelongsTo.ALIPAY_CN
    request.auth_redirect_url = "https://shop.example/back"
    request.auth_notify_url = "https://shop.example/notify"
    request.scopes = list(scopes) if isinstance(scopes, tuple) else scopes
    request.auth_state = "customer 7"
    request.terminal_type = TerminalType.WEB
    return request


def exchange(code: str | None = None, refresh: str | None = None) -> AlipayAuthApplyTokenRequest:
    request = AlipayAuthApplyTokenRequest()
    request.grant_type = GrantType.AUTHORIZATION_CODE if code else GrantType.REFRESH_TOKEN
    request.customer_belongs_to = CustomerBelongsTo.ALIPAY_CN
    request.auth_code, request.refresh_token = code, refresh
    return request


async def authorizations(shop: Shop, name: str, client: str | None = None, **body: Any) -> dict[str, Any]:
    request = Request(PATHS.replace("payments", "authorizations") + name, body)
    return await (shop.execute(request, client) if client else shop.execute(request))


async def agreed(shop: Shop, notify_url: str | None = None) -> tuple[AlipayAuthApplyTokenResponse, str]:
    """The traveller has scanned the page and approved; the tokens, and the code that they were made from."""
    asked = asks()
    asked.auth_notify_url = notify_url or asked.auth_notify_url
    page = AlipayAuthConsultResponse(json.dumps(await shop.execute(asked)))
    code = page.normal_url.rpartition("/")[2]
    await aside(
        shop.world.do, flows.ApproveAgreement(consent_code=code, wallet_id=shop.world.wallet_id), now()
    )
    answer = await shop.execute(exchange(auth_code(code)))
    return AlipayAuthApplyTokenResponse(json.dumps(answer)), auth_code(code)


def debit(token: str, ref: str = "R1", value: str = "1250", **changed: Any) -> dict[str, Any]:
    amount = {"currency": "EUR", "value": value}
    return {
        "productCode": "AGREEMENT_PAYMENT",
        "paymentRequestId": ref,
        "order": {"referenceOrderId": "O1", "orderDescription": "每月巧克力", "orderAmount": amount},
        "paymentAmount": amount,
        "paymentMethod": {"paymentMethodType": "ALIPAY_CN", "paymentMethodId": token},
    } | changed


async def test_consult_approve_apply_pay_refresh_query_and_revoke(
    shop: Shop, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    answer = await shop.execute(asks())
    page = AlipayAuthConsultResponse(json.dumps(answer))
    assert (page.result.result_code, page.result.result_status.value) == ("SUCCESS", "S")
    assert page.normal_url.startswith("http://localhost:8400/a/")
    assert page.auth_code_form.code_details[0].code_value == page.normal_url

    tokens, code = await agreed(shop)
    assert tokens.result.result_code == "SUCCESS"
    assert len(tokens.access_token) == len(tokens.refresh_token) == 43
    assert tokens.access_token_expiry_time < tokens.refresh_token_expiry_time
    again = AlipayAuthApplyTokenResponse(json.dumps(await shop.execute(exchange(code))))
    assert (again.access_token, again.refresh_token) == (tokens.access_token, tokens.refresh_token)

    paid = await shop.call("pay", **debit(tokens.access_token))
    assert code_of(paid) == ("SUCCESS", "S")
    assert paid["actualPaymentAmount"] == {"currency": "CNY", "value": "10050"}
    assert paid["pspCustomerInfo"]["pspCustomerId"] == tokens.psp_customer_info.psp_customer_id
    found = await shop.call("inquiryPayment", paymentRequestId="R1")
    assert (found["paymentStatus"], found["paymentId"]) == ("SUCCESS", paid["paymentId"])

    fresh = AlipayAuthApplyTokenResponse(
        json.dumps(await shop.execute(exchange(refresh=tokens.refresh_token)))
    )
    assert fresh.access_token not in (None, tokens.access_token)
    assert code_of(await shop.call("pay", **debit(tokens.access_token, "R2"))) == (
        "INVALID_ACCESS_TOKEN",
        "F",
    )
    assert code_of(await shop.call("pay", **debit(fresh.access_token, "R3"))) == ("SUCCESS", "S")

    ask, end = AlipayAuthQueryTokenRequest(), AlipayAuthRevokeTokenRequest()
    ask.access_token = end.access_token = fresh.access_token
    stands = AlipayAuthQueryTokenResponse(json.dumps(await shop.execute(ask)))
    assert (stands.token_status_type, stands.access_token) == ("ACTIVE", fresh.access_token)
    moved = await aside(money_moved)
    for _ in range(2):
        assert code_of(await shop.execute(end)) == ("SUCCESS", "S")
    assert (await shop.execute(ask))["tokenStatusType"] == "REVOKED"
    assert code_of(await shop.call("pay", **debit(fresh.access_token, "R4"))) == ("INVALID_ACCESS_TOKEN", "F")
    assert code_of(await shop.execute(exchange(refresh=fresh.refresh_token))) == (
        "INVALID_REFRESH_TOKEN",
        "F",
    )
    assert await aside(money_moved) == moved

    logged = caplog.text + "".join(capfd.readouterr())
    for secret in (code, tokens.access_token, tokens.refresh_token, fresh.access_token, fresh.refresh_token):
        assert secret not in logged


async def test_a_token_is_one_merchants(shop: Shop) -> None:
    tokens, code = await agreed(shop)
    before = await aside(money_moved)
    refused = await shop.call("pay", OTHER_CLIENT, **debit(tokens.access_token))
    assert code_of(refused) == ("INVALID_ACCESS_TOKEN", "F")
    for name, body, expected in (
        ("revoke", {"accessToken": tokens.access_token}, "INVALID_ACCESS_TOKEN"),
        ("query", {"accessToken": tokens.access_token}, "INVALID_ACCESS_TOKEN"),
        (
            "applyToken",
            {"grantType": "AUTHORIZATION_CODE", "customerBelongsTo": "ALIPAY_CN", "authCode": code},
            "INVALID_AUTHCODE",
        ),
    ):
        answer = await authorizations(shop, name, OTHER_CLIENT, **body)
        assert code_of(answer) == (expected, "F")
        assert answer.keys() == {"result"}
    assert await aside(money_moved) == before
    assert code_of(await shop.call("pay", **debit(tokens.access_token))) == ("SUCCESS", "S")


@pytest.mark.parametrize(
    ("changed", "code", "named"),
    [
        ({"customerBelongsTo": "GCASH"}, "UNAVAILABLE_PAYMENT_METHOD", "customerBelongsTo"),
        ({"customerBelongsTo": ""}, "PARAM_ILLEGAL", "customerBelongsTo"),
        ({"scopes": []}, "PARAM_ILLEGAL", "scopes"),
        ({"scopes": ["AGREEMENT_PAY", "NONSENSE"]}, "PARAM_ILLEGAL", "scopes"),
        ({"scopes": ["BASE_USER_INFO"]}, "BUSINESS_NOT_SUPPORT", "scopes"),
        ({"scopes": ["AGREEMENT_PAY", "SEND_OTP"]}, "BUSINESS_NOT_SUPPORT", "SEND_OTP"),
        ({"authState": None}, "PARAM_ILLEGAL", "authState"),
        ({"authState": "x" * 257}, "PARAM_ILLEGAL", "authState"),
        ({"terminalType": "TOASTER"}, "PARAM_ILLEGAL", "terminalType"),
        ({"authRedirectUrl": "javascript:alert(1)"}, "PARAM_ILLEGAL", "authRedirectUrl"),
        ({"authRedirectUrl": "https://shop.example@evil.example/"}, "PARAM_ILLEGAL", "authRedirectUrl"),
        ({"authRedirectUrl": "https:///back"}, "PARAM_ILLEGAL", "authRedirectUrl"),
        ({"authRedirectUrl": "https://evil.example\\@shop.example/"}, "PARAM_ILLEGAL", "authRedirectUrl"),
        ({"authRedirectUrl": "https://shop.example/\r\nSet-Cookie: a=b"}, "PARAM_ILLEGAL", "authRedirectUrl"),
        ({"authRedirectUrl": "https://[shop"}, "PARAM_ILLEGAL", "authRedirectUrl"),
        ({"authNotifyUrl": "ftp://shop.example"}, "PARAM_ILLEGAL", "authNotifyUrl"),
    ],
)
async def test_a_consult_that_is_wrong_is_told_where(
    shop: Shop, changed: dict[str, Any], code: str, named: str
) -> None:
    answer = await authorizations(shop, "consult", **CONSULT | changed)
    assert code_of(answer) == (code, "F")
    assert named in answer["result"]["resultMessage"]
    assert answer.keys() == {"result"}
    assert await aside(count, "acquiring_agreement") == 0


@pytest.mark.parametrize(
    ("name", "body", "code", "named"),
    [
        ("applyToken", {"grantType": "AUTHORIZATION_CODE"}, "PARAM_ILLEGAL", "authCode"),
        ("applyToken", {"grantType": "REFRESH_TOKEN"}, "PARAM_ILLEGAL", "refreshToken"),
        ("applyToken", {"grantType": "PASSWORD"}, "PARAM_ILLEGAL", "grantType"),
        ("applyToken", {"grantType": "AUTHORIZATION_CODE", "authCode": "no"}, "INVALID_AUTHCODE", ""),
        ("applyToken", {"grantType": "REFRESH_TOKEN", "refreshToken": "no"}, "INVALID_REFRESH_TOKEN", ""),
        ("revoke", {}, "PARAM_ILLEGAL", "accessToken"),
        ("revoke", {"accessToken": "no"}, "INVALID_ACCESS_TOKEN", ""),
        ("query", {"accessToken": ""}, "PARAM_ILLEGAL", "accessToken"),
    ],
)
async def test_tokens_that_are_wrong_are_told_where(
    shop: Shop, name: str, body: dict[str, Any], code: str, named: str
) -> None:
    answer = await authorizations(shop, name, **{"customerBelongsTo": "ALIPAY_CN"} | body)
    assert code_of(answer) == (code, "F")
    assert named in answer["result"]["resultMessage"]


async def test_a_debit_without_a_token_is_told_where(shop: Shop) -> None:
    body = debit("x") | {"paymentMethod": {"paymentMethodType": "ALIPAY_CN"}}
    answer = await shop.call("pay", **body)
    assert code_of(answer) == ("PARAM_ILLEGAL", "F")
    assert answer["result"]["resultMessage"].startswith("paymentMethod.paymentMethodId")
    assert await aside(count, "acquiring_payment") == 0


async def test_the_sdk_may_send_one_scope_without_a_list(shop: Shop) -> None:
    assert code_of(await shop.execute(asks(ScopeType.AGREEMENT_PAY))) == ("SUCCESS", "S")
