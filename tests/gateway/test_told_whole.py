"""Inquiries tell all that is known: what the first answer did, the history, what customs may be told."""

from __future__ import annotations

import json
from typing import Any

import pytest
from com.alipay.ams.api.model.transaction_type import TransactionType
from com.alipay.ams.api.request.notify.alipay_pay_result_notify import AlipayPayResultNotify
from com.alipay.ams.api.request.notify.alipay_refund_notify import AlipayRefundNotify
from com.alipay.ams.api.response.pay.alipay_inquiry_refund_response import AlipayInquiryRefundResponse
from com.alipay.ams.api.response.pay.alipay_pay_query_response import AlipayPayQueryResponse

from .shop import Shop, aside, code_of, now
from .test_captures import authorize, capture
from .test_notifications import URL, listed
from .test_quotes import offered
from .test_sessions import body as online
from .test_sessions import create

pytestmark = pytest.mark.anyio


async def refund(shop: Shop, paid: dict[str, Any], value: str, currency: str = "EUR") -> dict[str, Any]:
    return await shop.call(
        "refund",
        refundRequestId="F1",
        paymentId=paid["paymentId"],
        refundAmount={"currency": currency, "value": value},
        refundNotifyUrl=URL,
    )


async def query(shop: Shop, ref: str = "R1") -> dict[str, Any]:
    found = await shop.call("inquiryPayment", paymentRequestId=ref)
    assert code_of(found) == ("SUCCESS", "S")
    return found


async def test_a_refund_is_told_in_three_places_to_the_same_digits(shop: Shop) -> None:
    paid = await shop.pay(currency="JPY")
    given = await refund(shop, paid, "250", "JPY")
    assert given["settlementQuote"]["quoteCurrencyPair"] == "JPY/EUR"
    found = await shop.call("inquiryRefund", refundRequestId="F1")
    [told] = await listed(shop)
    for name in (
        "grossSettlementAmount",
        "settlementQuote",
        "actualRefundAmount",
        "refundTime",
        "refundAmount",
    ):
        assert found[name] == given[name] == told["notificationData"][name], name
    assert given["actualRefundAmount"]["currency"] == "CNY"
    value = given["actualRefundAmount"]["value"]
    read = AlipayInquiryRefundResponse(json.dumps(found))
    assert (read.actual_refund_amount.value, read.settlement_quote.quote_currency_pair) == (value, "JPY/EUR")
    assert AlipayRefundNotify(json.dumps(told["notificationData"])).refund_status == "SUCCESS"
    [step] = (await query(shop))["transactions"]
    assert step["grossSettlementAmount"] == given["grossSettlementAmount"]
    assert step["settlementQuote"] == given["settlementQuote"]


async def test_a_refund_that_failed_has_no_amounts(shop: Shop) -> None:
    paid = await shop.pay(currency="JPY")
    assert code_of(await refund(shop, paid, "1251", "JPY")) == ("REFUND_AMOUNT_EXCEED", "F")
    found = await shop.call("inquiryRefund", refundRequestId="F1")
    assert found["refundStatus"] == "FAIL"
    assert not {"settlementQuote", "grossSettlementAmount", "actualRefundAmount"} & set(found)


async def test_a_canceled_payment_keeps_its_history(shop: Shop) -> None:
    paid = await shop.pay()
    assert code_of(await refund(shop, paid, "1251")) == ("REFUND_AMOUNT_EXCEED", "F")
    done = await shop.call("cancel", paymentRequestId="R1")
    found = await query(shop)
    assert found["paymentStatus"] == "CANCELLED"
    refused, undone = found["transactions"]
    assert (refused["transactionType"], refused["transactionStatus"]) == ("REFUND", "FAIL")
    assert undone == {
        "transactionResult": {
            "resultCode": "SUCCESS", "resultStatus": "S", "resultMessage": "success",
        },
        "transactionId": paid["paymentId"],
        "transactionType": "CANCEL",
        "transactionStatus": "SUCCESS",
        "transactionAmount": {"currency": "EUR", "value": "1250"},
        "transactionRequestId": "R1",
        "transactionTime": done["cancelTime"],
    }  # fmt: skip
    read = AlipayPayQueryResponse(json.dumps(found))
    assert [one.transaction_type for one in read.transactions] == [
        TransactionType.REFUND,
        TransactionType.CANCEL,
    ]


async def test_steps_of_what_is_not_paid_are_listed_too(shop: Shop) -> None:
    waiting = await shop.pay(value="10000")
    assert code_of(await refund(shop, waiting, "1")) == ("ORDER_STATUS_INVALID", "F")
    [step] = (await query(shop))["transactions"]
    assert (step["transactionRequestId"], step["transactionStatus"]) == ("F1", "FAIL")
    await shop.call("cancel", paymentRequestId="R1")
    kinds = [one["transactionType"] for one in (await query(shop))["transactions"]]
    assert kinds == ["REFUND", "CANCEL"]


async def test_what_was_held_and_let_go_is_void(shop: Shop) -> None:
    held = await authorize(shop)
    assert "transactions" not in await query(shop)
    await shop.call("cancel", paymentId=held)
    [step] = (await query(shop))["transactions"]
    assert (step["transactionType"], step["transactionId"]) == ("VOID", held)


async def test_yuan_that_customs_may_be_told_of(shop: Shop) -> None:
    paid = await shop.pay(paymentNotifyUrl=URL)
    assert (await query(shop))["customsDeclarationAmount"] == paid["actualPaymentAmount"]
    [told] = await listed(shop)
    heard = AlipayPayResultNotify(json.dumps(told["notificationData"]))
    assert heard.customs_declaration_amount == paid["actualPaymentAmount"]
    assert paid["actualPaymentAmount"] == {"currency": "CNY", "value": "10050"}
    await refund(shop, paid, "250")
    assert (await query(shop))["customsDeclarationAmount"]["value"] == "10050", "what the buyer paid"


async def test_of_an_authorization_what_was_captured_may_be_declared(shop: Shop) -> None:
    held = await authorize(shop)
    assert "customsDeclarationAmount" not in await query(shop)
    assert code_of(await shop.execute(capture("C1", held, "500"))) == ("SUCCESS", "S")
    assert (await query(shop))["customsDeclarationAmount"] == {"currency": "CNY", "value": "4020"}


async def test_at_a_quote_the_processed_amount_is_told(shop: Shop) -> None:
    paid = await shop.pay(paymentQuote=await offered(shop))
    assert paid["processingAmount"] == paid["actualPaymentAmount"]
    assert (await query(shop))["processingAmount"] == paid["processingAmount"]
    assert "processingAmount" not in await shop.pay(paymentRequestId="R2", value="100")


async def test_a_shop_that_lost_the_answer_finds_the_page_again(shop: Shop) -> None:
    made = await create(shop)
    cashier = online(paymentRequestId="C1", paymentMethod={"paymentMethodType": "ALIPAY_CN"})
    answered = await shop.call("pay", **cashier)
    for ref, url in (("S1", made["normalUrl"]), ("C1", answered["normalUrl"])):
        form = (await query(shop, ref))["redirectActionForm"]
        assert form == {"method": "GET", "redirectUrl": url, "actionFormType": "RedirectActionForm"}
    assert (
        AlipayPayQueryResponse(json.dumps(await query(shop, "C1"))).redirect_action_form.redirect_url == url
    )
    await aside(shop.world.scan, answered["normalUrl"], now())
    await shop.call("cancel", paymentRequestId="S1")
    for ref in ("S1", "C1"):
        assert "redirectActionForm" not in await query(shop, ref)
    shown = await shop.pay(scenario="OrderCode")
    assert "orderCodeForm" in shown
    assert "redirectActionForm" not in await query(shop), "the till shows it"
