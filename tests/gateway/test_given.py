"""What a shop gives along with a payment or refund comes back with all that it is told of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from com.alipay.ams.api.request.notify.alipay_pay_result_notify import AlipayPayResultNotify
from com.alipay.ams.api.request.notify.alipay_refund_notify import AlipayRefundNotify
from com.alipay.ams.api.response.pay.alipay_inquiry_refund_response import AlipayInquiryRefundResponse
from com.alipay.ams.api.response.pay.alipay_pay_query_response import AlipayPayQueryResponse
from django.db import connection

from .shop import Shop, aside, code_of, in_store
from .test_notifications import URL, listed
from .test_sessions import create
from .world import count, money_moved

pytestmark = pytest.mark.anyio

ORDER = json.dumps({"basket": "B-7", "客": "🍫"}, ensure_ascii=False)
FIELDS = {"customizedField1": "till 3", "customizedField5": "x"}
GIVEN: dict[str, Any] = {
    "metadata": ORDER, "customizedInfo": FIELDS, "extendInfo": "{}", "merchantAccountId": "LEROY"
}  # fmt: skip
NAMES = set(GIVEN)


async def test_of_a_payment(shop: Shop) -> None:
    await shop.pay(**GIVEN, paymentNotifyUrl=URL)
    found = await shop.call("inquiryPayment", paymentRequestId="R1")
    assert {name: found[name] for name in NAMES} == GIVEN
    read = AlipayPayQueryResponse(json.dumps(found))
    assert (read.metadata, read.merchant_account_id, read.extend_info) == (ORDER, "LEROY", "{}")
    assert read.customized_info.customized_field1 == "till 3"
    [told] = await listed(shop)
    body = told["notificationData"]
    assert {name: body[name] for name in NAMES & set(body)} == {"metadata": ORDER}, "what the SDK's class has"
    assert AlipayPayResultNotify(json.dumps(body)).metadata == ORDER


async def test_of_a_session(shop: Shop) -> None:
    given = {name: GIVEN[name] for name in ("metadata", "customizedInfo", "merchantAccountId")}
    assert code_of(await create(shop, **given)) == ("SUCCESS", "S")
    found = await shop.call("inquiryPayment", paymentRequestId="S1")
    assert {name: found[name] for name in NAMES & set(found)} == given


async def test_of_a_refund(shop: Shop) -> None:
    paid = await shop.pay(metadata="the payment's own")
    body = {
        "refundRequestId": "F1", "paymentId": paid["paymentId"], "refundNotifyUrl": URL,
        "refundAmount": {"currency": "EUR", "value": "100"}, "metadata": ORDER, "customizedInfo": FIELDS,
    }  # fmt: skip
    assert code_of(await shop.call("refund", **body)) == ("SUCCESS", "S")
    found = await shop.call("inquiryRefund", refundRequestId="F1")
    assert (found["metadata"], found["customizedInfo"]) == (ORDER, FIELDS)
    read = AlipayInquiryRefundResponse(json.dumps(found))
    assert (read.metadata, read.customized_info.customized_field5) == (ORDER, "x")
    [told] = await listed(shop)
    heard = AlipayRefundNotify(json.dumps(told["notificationData"]))
    assert (heard.metadata, heard.customized_info.customized_field1) == (ORDER, "till 3")


async def test_it_is_no_part_of_what_is_a_repeat(shop: Shop) -> None:
    """The first one stays: a till that adds its clock to it must not be refused (decision 0047)."""
    body = await aside(in_store, shop.world)
    first = await shop.call("pay", **body, metadata="first")
    before = await aside(money_moved)
    again = await shop.call("pay", **body, metadata="second")
    assert (again["paymentId"], code_of(again)) == (first["paymentId"], ("SUCCESS", "S"))
    assert (await shop.call("inquiryPayment", paymentRequestId="R1"))["metadata"] == "first"
    assert before == await aside(money_moved)


async def test_nothing_given_is_nothing_kept(shop: Shop) -> None:
    paid = await shop.pay(metadata="", customizedInfo={}, extendInfo=None, merchantAccountId="")
    body = {"refundRequestId": "F1", "paymentId": paid["paymentId"], "customizedInfo": {}}
    await shop.call("refund", **body, refundAmount={"currency": "EUR", "value": "1"}, metadata="")
    for name, by in (
        ("inquiryPayment", {"paymentRequestId": "R1"}),
        ("inquiryRefund", {"refundRequestId": "F1"}),
    ):
        assert not NAMES & set(await shop.call(name, **by))
    assert await aside(kept) == (0, 0)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"metadata": "x" * 2049}, "metadata"),
        ({"metadata": {"not": "a text"}}, "metadata"),
        ({"customizedInfo": {"customizedField2": "x" * 2049}}, "customizedInfo.customizedField2"),
    ],
)
async def test_too_much_of_it_is_refused(shop: Shop, changed: dict[str, Any], field: str) -> None:
    answer = await shop.pay(**changed)
    assert code_of(answer) == ("PARAM_ILLEGAL", "F")
    assert answer["result"]["resultMessage"].startswith(field)
    assert await aside(count, "acquiring_payment") == 0
    assert code_of(await shop.pay(metadata="x" * 2048)) == ("SUCCESS", "S")


def kept() -> tuple[int, int]:
    """How many payments and refunds keep something."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT count(*) FROM acquiring_payment WHERE details ? 'given'),"
            " (SELECT count(*) FROM acquiring_refund WHERE details IS NOT NULL)"
        )
        row: tuple[int, int] = cursor.fetchone()
        return row
