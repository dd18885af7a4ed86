"""Authorizations through the signed door, with the official request and response classes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from com.alipay.ams.api.model.amount import Amount
from com.alipay.ams.api.model.capture_mode import CaptureMode
from com.alipay.ams.api.request.notify.alipay_capture_result_notify import AlipayCaptureResultNotify
from com.alipay.ams.api.request.pay.alipay_capture_request import AlipayCaptureRequest
from com.alipay.ams.api.request.pay.alipay_pay_cancel_request import AlipayPayCancelRequest
from com.alipay.ams.api.request.pay.alipay_refund_request import AlipayRefundRequest
from com.alipay.ams.api.request.pay.alipay_update_amount_request import AlipayUpdateAmountRequest
from com.alipay.ams.api.response.pay.alipay_capture_response import AlipayCaptureResponse
from com.alipay.ams.api.response.pay.alipay_pay_query_response import AlipayPayQueryResponse
from com.alipay.ams.api.response.pay.alipay_pay_response import AlipayPayResponse
from com.alipay.ams.api.response.pay.alipay_update_amount_response import AlipayUpdateAmountResponse

from comptoir.flows.api import verify_books

from .shop import Request, Shop, aside, code_of, now
from .world import OTHER_CLIENT, count, money_moved

pytestmark = pytest.mark.anyio

MANUAL = {
    "inStorePaymentScenario": "PaymentCode", "isAuthorization": True, "captureMode": CaptureMode.MANUAL.value
}  # fmt: skip


def capture(ref: str, payment_id: str, value: str, **more: Any) -> AlipayCaptureRequest:
    request = AlipayCaptureRequest()
    request.capture_request_id, request.payment_id = ref, payment_id
    request.capture_amount = Amount("EUR", value)
    for name, given in more.items():
        setattr(request, name, given)
    return request


def update(ref: str, payment_id: str, value: str) -> AlipayUpdateAmountRequest:
    request = AlipayUpdateAmountRequest()
    request.update_request_id, request.payment_id, request.amount = ref, payment_id, Amount("EUR", value)
    return request


async def authorize(shop: Shop, **changed: Any) -> str:
    answer = await shop.pay(**{"paymentFactor": MANUAL} | changed)
    assert code_of(answer) == ("SUCCESS", "S")
    return str(answer["paymentId"])


async def owed(shop: Shop) -> int:
    moved = {row[:2]: row[2] for row in await aside(money_moved)}
    return moved.get(("merchant.payable", "EUR"), 0)


async def test_a_hotel_authorizes_changes_and_captures_in_parts(shop: Shop) -> None:
    paid = AlipayPayResponse(json.dumps(raw := await shop.pay(paymentFactor=MANUAL)))
    assert (paid.result.result_code, paid.payment_amount.value) == ("SUCCESS", "1250")
    assert paid.auth_expiry_time > paid.payment_time
    assert paid.actual_payment_amount.value == "10050"
    assert "grossSettlementAmount" not in raw
    assert await owed(shop) == 0

    changed = AlipayUpdateAmountResponse(
        json.dumps(await shop.execute(update("U1", paid.payment_id, "2000")))
    )
    assert (changed.result.result_code, changed.update_request_id) == ("SUCCESS", "U1")
    assert (changed.payment_id, changed.amount.value) == (paid.payment_id, "2000")

    first = AlipayCaptureResponse(json.dumps(await shop.execute(capture("C1", paid.payment_id, "500"))))
    assert (first.result.result_code, first.result.result_status.value) == ("SUCCESS", "S")
    assert (first.capture_request_id, first.payment_id) == ("C1", paid.payment_id)
    assert (first.capture_amount.value, first.capture_amount.currency) == ("500", "EUR")
    assert first.capture_time
    again = AlipayCaptureResponse(json.dumps(await shop.execute(capture("C1", paid.payment_id, "500"))))
    assert (again.capture_id, again.capture_time) == (first.capture_id, first.capture_time)
    last = AlipayCaptureResponse(
        json.dumps(await shop.execute(capture("C2", paid.payment_id, "700", is_last_capture=True)))
    )
    assert last.result.result_code == "SUCCESS"
    assert await owed(shop) == 1200

    refund = AlipayRefundRequest()
    refund.refund_request_id, refund.payment_id, refund.capture_id = "F1", paid.payment_id, last.capture_id
    refund.refund_amount = Amount("EUR", "700")
    assert code_of(await shop.execute(refund)) == ("SUCCESS", "S")

    found = await shop.call("inquiryPayment", paymentRequestId="R1")
    answer = AlipayPayQueryResponse(json.dumps(found))
    assert (answer.payment_status.value, answer.auth_expiry_time) == ("SUCCESS", paid.auth_expiry_time)
    assert found["grossSettlementAmount"] == {"currency": "EUR", "value": "1200"}
    assert [
        (
            one.transaction_type.value,
            one.transaction_request_id,
            one.transaction_amount.value,
            one.transaction_status.value,
        )
        for one in answer.transactions
    ] == [
        ("INCREMENTAL", "U1", "2000", "SUCCESS"),
        ("CAPTURE", "C1", "500", "SUCCESS"),
        ("CAPTURE", "C2", "700", "SUCCESS"),
        ("REFUND", "F1", "700", "SUCCESS"),
    ]
    assert answer.transactions[2].transaction_id == last.capture_id
    assert await owed(shop) == 500
    report = await aside(verify_books)
    assert report.holds, report.first_difference


async def test_a_cashier_payment_is_authorized_by_the_traveller(shop: Shop) -> None:
    answer = await shop.pay(
        productCode="CASHIER_PAYMENT",
        scenario="OrderCode",
        paymentRedirectUrl="https://shop.example/thanks",
        paymentFactor={"isAuthorization": "true", "captureMode": "MANUAL"},
    )
    assert code_of(answer) == ("PAYMENT_IN_PROCESS", "U")
    assert "authExpiryTime" not in answer
    early = await shop.execute(capture("C1", answer["paymentId"], "100"))
    assert code_of(early) == ("ORDER_STATUS_INVALID", "F")
    await aside(shop.world.scan, answer["normalUrl"], now())
    assert await owed(shop) == 0
    assert code_of(await shop.execute(capture("C2", answer["paymentId"], "1250"))) == ("SUCCESS", "S")
    assert await owed(shop) == 1250


async def test_a_session_is_authorized_on_its_page(shop: Shop) -> None:
    amount = {"currency": "EUR", "value": "1250"}
    session = await shop.call(
        "createPaymentSession",
        productCode="CASHIER_PAYMENT",
        paymentRequestId="S1",
        order={"referenceOrderId": "O1", "orderDescription": "Zimmer", "orderAmount": amount},
        paymentAmount=amount,
        paymentRedirectUrl="https://hotel.example/back",
        settlementStrategy={"settlementCurrency": "EUR"},
        paymentFactor={"isAuthorization": True, "captureMode": "MANUAL"},
    )
    assert code_of(session) == ("SUCCESS", "S")
    await aside(shop.world.scan, session["normalUrl"], now())
    found = await shop.call("inquiryPayment", paymentRequestId="S1")
    assert (found["paymentStatus"], found["authExpiryTime"] > found["paymentTime"]) == ("SUCCESS", True)
    assert await owed(shop) == 0
    last = capture("C1", found["paymentId"], "1000", is_last_capture=True)
    assert code_of(await shop.execute(last)) == ("SUCCESS", "S")
    assert await owed(shop) == 1000


async def test_an_automatic_capture_is_listed(shop: Shop) -> None:
    for ref, factor in (
        ("R1", {"isAuthorization": True}),
        ("R2", {"isAuthorization": True, "captureMode": ""}),
        ("R3", {"isAuthorization": True, "captureMode": "AUTOMATIC"}),
    ):
        paid = await shop.pay(
            paymentRequestId=ref, paymentFactor=factor | {"inStorePaymentScenario": "PaymentCode"}
        )
        assert paid["grossSettlementAmount"]["value"] == "1250"
        assert "authExpiryTime" not in paid
        [listed] = (await shop.call("inquiryPayment", paymentRequestId=ref))["transactions"]
        assert (listed["transactionType"], listed["transactionAmount"]["value"]) == ("CAPTURE", "1250")
        assert code_of(await shop.execute(capture("C" + ref, paid["paymentId"], "1"))) == (
            "AUTH_NOT_FOUND",
            "F",
        )
    assert await owed(shop) == 3 * 1250


async def test_a_cancellation_voids_what_was_not_captured(shop: Shop) -> None:
    payment_id = await authorize(shop)
    cancel = AlipayPayCancelRequest()
    cancel.payment_id = payment_id
    first, again = await shop.execute(cancel), await shop.execute(cancel)
    assert (code_of(first), first["cancelTime"]) == (("SUCCESS", "S"), again["cancelTime"])
    for request, code in (
        (capture("C1", payment_id, "100"), "AUTH_CANCELLED"),
        (update("U1", payment_id, "100"), "AUTH_CANCELLED"),
    ):
        assert code_of(await shop.execute(request)) == (code, "F")
    assert (await shop.call("inquiryPayment", paymentId=payment_id))["paymentStatus"] == "CANCELLED"
    assert await owed(shop) == 0
    other = await authorize(shop, paymentRequestId="R2")
    await shop.execute(capture("C2", other, "100"))
    cancel.payment_id = other
    assert code_of(await shop.execute(cancel)) == ("PROCESS_FAIL", "F")
    assert await owed(shop) == 100


async def test_what_is_refused_names_its_reason_and_moves_nothing(shop: Shop) -> None:
    payment_id = await authorize(shop)
    body = {"captureRequestId": "C1", "paymentId": payment_id,
            "captureAmount": {"currency": "EUR", "value": "100"}}  # fmt: skip
    change = {"updateRequestId": "U1", "paymentId": payment_id, "amount": body["captureAmount"]}
    before = await aside(money_moved)
    illegal: list[tuple[str, dict[str, Any], str]] = [
        ("capture", body | {"captureRequestId": ""}, "captureRequestId"),
        ("capture", body | {"captureAmount": {"currency": "EUR", "value": "0"}}, "captureAmount.value"),
        ("capture", body | {"captureAmount": {"currency": "EUR", "value": "-1"}}, "captureAmount.value"),
        ("capture", body | {"captureType": "SOME"}, "captureType"),
        ("capture", body | {"captureType": "FINAL", "isLastCapture": False}, "captureType"),
        ("capture", {**body, "paymentId": None}, "paymentId"),
        ("updateAmount", change | {"amount": {"currency": "EUR", "value": "0"}}, "amount.value"),
        ("updateAmount", change | {"updateRequestId": "x" * 65}, "updateRequestId"),
        ("pay", {"paymentFactor": {"captureMode": "MANUAL"}}, "paymentFactor"),
        ("pay", {"paymentFactor": {"isAuthorization": True, "captureMode": "SOON"}}, "captureMode"),
        (
            "refund",
            {"refundRequestId": "F1", "paymentId": payment_id, "captureId": "C1",
             "refundAmount": body["captureAmount"]},
            "captureId",
        ),
    ]  # fmt: skip
    for name, wrong, member in illegal:
        if name == "pay":
            wrong["paymentFactor"]["inStorePaymentScenario"] = "PaymentCode"
            answer = await shop.pay(paymentRequestId="R9", **wrong)
        else:
            answer = await shop.call(name, **wrong)
        assert code_of(answer) == ("PARAM_ILLEGAL", "F"), wrong
        assert member in answer["result"]["resultMessage"], wrong
    refused: list[tuple[str, dict[str, Any], str]] = [
        ("capture", body | {"paymentId": "0" * 32}, "ORDER_NOT_EXIST"),
        ("capture", body | {"paymentId": "R1"}, "ORDER_NOT_EXIST"),
        ("updateAmount", change | {"paymentId": "R1"}, "ORDER_NOT_EXIST"),
        (
            "capture",
            body | {"captureAmount": {"currency": "EUR", "value": "1251"}},
            "CAPTURE_AMOUNT_EXCEED_AUTH_LIMIT",
        ),
        ("capture", body, "REPEAT_REQ_INCONSISTENT"),
        (
            "capture",
            body | {"captureRequestId": "C2", "captureAmount": {"currency": "USD", "value": "1"}},
            "CURRENCY_NOT_SUPPORT",
        ),
        (
            "updateAmount",
            change | {"amount": {"currency": "EUR", "value": "9999999"}},
            "PAYMENT_AMOUNT_EXCEED_LIMIT",
        ),
    ]
    for name, wrong, code in refused:
        assert code_of(await shop.call(name, **wrong)) == (code, "F"), wrong
    assert code_of(await shop.call("capture", OTHER_CLIENT, **body)) == ("ORDER_NOT_EXIST", "F")
    assert before == await aside(money_moved)
    assert await aside(count, "acquiring_payment") == 1
    assert code_of(await shop.call("capture", **body | {"captureRequestId": "C3"})) == ("SUCCESS", "S")
    assert code_of(await shop.call("updateAmount", **change | {"updateRequestId": "U2"})) == (
        "INCREMENTAL_NOT_SUPPORT",
        "F",
    )
    report = await aside(verify_books)
    assert report.holds, report.first_difference


async def test_captures_and_changes_are_notified_where_the_payment_is(shop: Shop) -> None:
    """As the official class reads it, out of what `inquireNotificationList` says would be sent."""
    payment_id = await authorize(shop, paymentNotifyUrl="https://shop.example/notify")
    await shop.execute(update("U1", payment_id, "2000"))
    await shop.execute(capture("C1", payment_id, "500"))
    await shop.execute(capture("C2", payment_id, "9999"))
    told = await shop.execute(
        Request("/ams/api/v1/notification/inquireNotificationList", {})  # the whole list
    )
    events = told["notifications"][::-1]
    kinds = [one["notifyType"] for one in events]
    assert kinds == ["PAYMENT_RESULT", "UPDATE_AMOUNT_RESULT", "CAPTURE_RESULT", "CAPTURE_RESULT"]
    authorized, changed, *captures = [one["notificationData"] for one in events]
    assert authorized["authExpiryTime"] == changed["authExpiryTime"]
    assert (changed["updateRequestId"], changed["paymentAmount"]["value"]) == ("U1", "2000")
    first, second = (AlipayCaptureResultNotify(json.dumps(one)) for one in captures)
    assert (first.capture_request_id, first.payment_id, first.notify_type) == (
        "C1", payment_id, "CAPTURE_RESULT"
    )  # fmt: skip
    assert (first.result.result_code, first.capture_amount["value"]) == ("SUCCESS", "500")
    assert first.capture_time
    assert (second.result.result_code, second.result.result_status.value) == (
        "CAPTURE_AMOUNT_EXCEED_AUTH_LIMIT", "F"
    )  # fmt: skip
