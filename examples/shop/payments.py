"""Being paid: the official SDK, as it comes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from com.alipay.ams.api.default_alipay_client import DefaultAlipayClient
from com.alipay.ams.api.model.amount import Amount
from com.alipay.ams.api.model.env import Env
from com.alipay.ams.api.model.order import Order as SdkOrder
from com.alipay.ams.api.model.payment_method import PaymentMethod
from com.alipay.ams.api.model.product_code_type import ProductCodeType
from com.alipay.ams.api.model.settlement_strategy import SettlementStrategy
from com.alipay.ams.api.model.terminal_type import TerminalType
from com.alipay.ams.api.request.pay.alipay_pay_query_request import AlipayPayQueryRequest
from com.alipay.ams.api.request.pay.alipay_pay_request import AlipayPayRequest
from com.alipay.ams.api.tools import webhook_tool

from examples.shop.orders import Order


class NotSettled(Exception):
    """Nobody knows yet: try again with the same request id."""


@dataclass(frozen=True)
class Ended:
    """How a payment stands at its end."""

    ref: str
    cents: int
    paid: bool


@dataclass(frozen=True)
class Payments:
    """One client of the payment API. `address` is where browsers and notifications reach this shop."""

    gateway: str
    client_id: str
    address: str
    platform_key: str
    private_key: str = field(repr=False)

    def begin(self, order: Order, buyer_ip: str) -> tuple[str, str]:
        """Begin to be paid for an order: the payment's id, and the page to send the buyer to.

        The order's own ref is the request id: however often this is called, there is one payment.
        Raises NotSettled.
        """
        request = AlipayPayRequest()
        request.product_code = ProductCodeType.CASHIER_PAYMENT
        request.payment_request_id = order.ref
        request.order = SdkOrder()
        request.order.reference_order_id = order.ref
        request.order.order_description = order.name
        request.order.order_amount = request.payment_amount = Amount("EUR", str(order.cents))
        request.payment_method = PaymentMethod()
        request.payment_method.payment_method_type = "CONNECT_WALLET"
        request.settlement_strategy = SettlementStrategy()
        request.settlement_strategy.settlement_currency = "EUR"
        request.env = Env()
        request.env.terminal_type = TerminalType.WEB
        request.env.client_ip = buyer_ip
        request.payment_redirect_url = f"{self.address}/orders/{order.ref}"
        request.payment_notify_url = f"{self.address}/notify"
        answer = self._send(request)
        if answer["result"]["resultStatus"] == "F":
            raise NotSettled(answer["result"]["resultMessage"])
        return answer["paymentId"], answer["normalUrl"]

    def ask(self, order: Order) -> Ended | None:
        """How the payment ended, or None while it has not. Raises NotSettled."""
        request = AlipayPayQueryRequest()
        request.payment_request_id = order.ref
        answer = self._send(request)
        if answer.get("paymentStatus") not in ("SUCCESS", "FAIL", "CANCELLED"):
            return None
        cents = _euro_cents(answer.get("paymentAmount"))
        return Ended(order.ref, cents, answer["paymentStatus"] == "SUCCESS")

    def told(self, path: str, headers: Mapping[str, str], body: str) -> Ended | None:
        """What a notification says, or None when it is not of the platform, not for us, or no result."""
        try:
            genuine = headers["client-id"] == self.client_id and webhook_tool.check_signature(
                "POST",
                path,
                self.client_id,
                headers["request-time"],
                body,
                headers["signature"],
                self.platform_key,
            )
            said = json.loads(body)
            if not genuine or said.get("notifyType") != "PAYMENT_RESULT":
                return None
            paid = said["result"]["resultStatus"] == "S"
            return Ended(said["paymentRequestId"], _euro_cents(said.get("paymentAmount")), paid)
        except Exception:  # the SDK lets its libraries' errors through, and nobody else's word counts
            return None

    def _send(self, request: AlipayPayRequest | AlipayPayQueryRequest) -> dict[str, object] | dict:
        client = DefaultAlipayClient(self.gateway, self.client_id, self.private_key, self.platform_key)
        try:
            answer: dict = json.loads(client.execute(request))  # signed, sent, and the answer verified
        except Exception as lost:
            raise NotSettled(str(lost)) from lost
        if answer["result"]["resultStatus"] == "U" and "paymentId" not in answer:
            raise NotSettled(answer["result"]["resultMessage"])
        return answer


def _euro_cents(amount: Mapping[str, str] | None) -> int:
    """An amount in euro cents; -1, which no order costs, for any other currency or none."""
    return int(amount["value"]) if amount and amount["currency"] == "EUR" else -1
