"""A shop's till: the official SDK, unchanged, as an integrator would use it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from com.alipay.ams.api.default_alipay_client import DefaultAlipayClient
from com.alipay.ams.api.exception.exception import AlipayApiException
from com.alipay.ams.api.model.amount import Amount
from com.alipay.ams.api.model.env import Env
from com.alipay.ams.api.model.merchant import Merchant
from com.alipay.ams.api.model.order import Order
from com.alipay.ams.api.model.payment_method import PaymentMethod
from com.alipay.ams.api.model.product_code_type import ProductCodeType
from com.alipay.ams.api.model.settlement_strategy import SettlementStrategy
from com.alipay.ams.api.model.store import Store
from com.alipay.ams.api.model.terminal_type import TerminalType
from com.alipay.ams.api.request.pay.alipay_pay_cancel_request import AlipayPayCancelRequest
from com.alipay.ams.api.request.pay.alipay_pay_query_request import AlipayPayQueryRequest
from com.alipay.ams.api.request.pay.alipay_pay_request import AlipayPayRequest
from com.alipay.ams.api.request.pay.alipay_refund_request import AlipayRefundRequest
from com.alipay.ams.api.request.pay.order_code_payment_request import OrderCodePaymentRequest
from com.alipay.ams.api.request.pay.user_presented_code_payment_request import (
    UserPresentedCodePaymentRequest,
)
from com.alipay.ams.api.response.pay.alipay_pay_cancel_response import AlipayPayCancelResponse
from com.alipay.ams.api.response.pay.alipay_pay_query_response import AlipayPayQueryResponse
from com.alipay.ams.api.response.pay.alipay_pay_response import AlipayPayResponse
from com.alipay.ams.api.response.pay.alipay_refund_response import AlipayRefundResponse

from comptoir.cli.demo.day.plan import Story
from comptoir.kernel.clock import isoformat, utc_now
from comptoir.kernel.ids import new_id

#: What a till repeats, with the same request id: nobody knows yet what became of it.
_UNKNOWN: Final = ("UNKNOWN_EXCEPTION", "REQUEST_TRAFFIC_EXCEED_LIMIT")
_TRIES: Final = 4
_PAUSE_SECONDS: Final = 0.5


class Till:
    """All tills of one merchant: one API client. Safe for many threads."""

    def __init__(self, client: Mapping[str, str], gateway: str, notify_url: str) -> None:
        """`client` is an entry of demo.json, `gateway` its TLS address; results are told to `notify_url`."""
        self.requests = 0
        self._notify_url = notify_url
        self._client = DefaultAlipayClient(
            gateway,
            client["client_id"],
            client["merchant_private_key"],
            client["platform_public_key"],
        )

    def pay(self, story: Story, code: str, request_id: str, amount: int | None = None) -> AlipayPayResponse:
        """Charge a scanned payment code."""
        value = str(amount or story.amount)
        request = UserPresentedCodePaymentRequest(
            request_id, _order(story), story.merchant.currency, value, code, self._notify_url
        )
        return AlipayPayResponse(self._send(request))

    def order(self, story: Story, request_id: str) -> AlipayPayResponse:
        """Set up an order; the answer carries the code to show."""
        request = OrderCodePaymentRequest(
            request_id, _order(story), story.merchant.currency, str(story.amount), self._notify_url
        )
        return AlipayPayResponse(self._send(request))

    def cashier(self, story: Story, request_id: str) -> AlipayPayResponse:
        """Begin an online payment; the answer carries the address of the cashier."""
        request = AlipayPayRequest()
        request.product_code = ProductCodeType.CASHIER_PAYMENT
        request.payment_request_id = request_id
        request.order = _order(story)
        request.payment_amount = Amount(story.merchant.currency, str(story.amount))
        request.payment_method = PaymentMethod()
        request.payment_method.payment_method_type = "ALIPAY_CN"
        request.settlement_strategy = SettlementStrategy()
        request.settlement_strategy.settlement_currency = story.merchant.settlement
        request.env = Env()
        request.env.terminal_type = TerminalType.WEB
        request.env.client_ip = "192.0.2.7"
        request.payment_redirect_url = "https://shop.example/thanks"
        request.payment_notify_url = self._notify_url
        return AlipayPayResponse(self._send(request))

    def inquire(self, payment_id: str) -> AlipayPayQueryResponse:
        """Ask how a payment stands."""
        request = AlipayPayQueryRequest()
        request.payment_id = payment_id
        return AlipayPayQueryResponse(self._send(request))

    def wait(self, payment_id: str, seconds: float = 10.0) -> AlipayPayQueryResponse:
        """Ask until a payment is final, as a till does while the customer types the PIN."""
        deadline = time.monotonic() + seconds
        while True:
            answer = self.inquire(payment_id)
            if answer.payment_status.value != "PROCESSING" or time.monotonic() > deadline:
                return answer
            time.sleep(_PAUSE_SECONDS)

    def cancel(self, payment_id: str) -> AlipayPayCancelResponse:
        """Undo a whole payment."""
        request = AlipayPayCancelRequest()
        request.payment_id = payment_id
        return AlipayPayCancelResponse(self._send(request))

    def refund(self, story: Story, payment_id: str, amount: int, request_id: str) -> AlipayRefundResponse:
        """Give back `amount` of a payment."""
        request = AlipayRefundRequest()
        request.refund_request_id = request_id
        request.payment_id = payment_id
        request.refund_amount = Amount(story.merchant.currency, str(amount))
        request.refund_reason = "returned"
        request.refund_notify_url = self._notify_url
        return AlipayRefundResponse(self._send(request))

    def _send(self, request: Any) -> str:
        """Send, and while nobody knows what became of it, send the very same again."""
        for left in reversed(range(_TRIES)):
            try:
                self.requests += 1
                body: str = self._client.execute(request)
                if not left or not any(code in body for code in _UNKNOWN):
                    return body
            except (TimeoutError, ConnectionError, AlipayApiException):
                if not left:
                    raise
            time.sleep(_PAUSE_SECONDS)
        raise AssertionError("the last try returns or raises")


def payment_id(answer: AlipayPayResponse) -> UUID:
    """Our id of the payment in an answer."""
    return UUID(answer.payment_id)


def _order(story: Story) -> Order:
    """The order as a till with the official classes describes it."""
    store = Store()
    store.reference_store_id, store.store_name, store.store_mcc = (
        story.store.ref,
        story.store.name,
        story.merchant.mcc,
    )
    merchant = Merchant()
    merchant.reference_merchant_id, merchant.merchant_mcc = story.merchant.ref, story.merchant.mcc
    merchant.merchant_name, merchant.store = story.merchant.name, store
    env = Env()
    env.store_terminal_id, env.store_terminal_request_time = story.terminal, isoformat(utc_now())
    order = Order()
    order.reference_order_id = f"{story.store.ref}-{new_id().hex[:12]}"
    order.order_description = f"{story.quantity} x {story.good.name}"
    order.order_amount = Amount(story.merchant.currency, str(story.amount))
    order.merchant, order.env = merchant, env
    return order
