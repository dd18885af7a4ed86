"""createPaymentSession, retrievePaymentSession: requests and responses.

docs.antom.com "createPaymentSession" and the official SDK 1.7.1, read in November 2026.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from comptoir.standards.antom.messages.payments import (
    captured_by,
    check_capture_mode,
    check_quote,
    check_time,
    check_url,
)
from comptoir.standards.antom.messages.shared import (
    Amount,
    CaptureMode,
    CustomizedInfo,
    Env,
    Order,
    PaymentFactor,
    PaymentMethod,
    ProductCode,
    Quote,
    Result,
    SettlementStrategy,
    must_be_positive,
)
from comptoir.standards.antom.messages.wire import (
    Max32,
    Max64,
    Max2048,
    Message,
    NotOpen,
    Text64,
    WrongMember,
)
from comptoir.standards.antom.times import parse_time


class OfferedMethod(Message, frozen=True):
    """One method that the merchant lets the buyer choose."""

    payment_method_type: Text64


class AvailablePaymentMethod(Message, frozen=True):
    """The methods that the merchant lets the buyer choose from."""

    payment_method_type_list: list[OfferedMethod] | None = None


class CreatePaymentSessionRequest(Message, frozen=True):
    """Open a hosted page for one payment. `payment_request_id` is the idempotency key."""

    product_code: ProductCode
    payment_request_id: Text64
    order: Order
    payment_amount: Amount
    payment_redirect_url: Max2048
    payment_method: PaymentMethod | None = None
    available_payment_method: AvailablePaymentMethod | None = None
    payment_factor: PaymentFactor | None = None
    settlement_strategy: SettlementStrategy | None = None
    payment_session_expiry_time: Max64 | None = None
    payment_expiry_time: Max64 | None = None
    payment_notify_url: Max2048 | None = None
    payment_quote: Quote | None = None
    processing_amount: Amount | None = None
    env: Env | None = None
    merchant_account_id: Max32 | None = None
    metadata: Max2048 | None = None
    customized_info: CustomizedInfo | None = None
    agreement_info: NotOpen | None = None
    automatic_tax: NotOpen | None = None
    credit_pay_plan: NotOpen | None = None
    scopes: NotOpen | None = None
    subscription: NotOpen | None = None
    subscription_info: NotOpen | None = None
    subscription_plan: NotOpen | None = None

    def __post_init__(self) -> None:
        must_be_positive(self.payment_amount, "paymentAmount")
        if not self.payment_redirect_url:
            raise WrongMember("paymentRedirectUrl", "must not be empty")
        check_url(self.payment_redirect_url, "paymentRedirectUrl")
        check_url(self.payment_notify_url, "paymentNotifyUrl")
        check_time(self.payment_session_expiry_time, "paymentSessionExpiryTime")
        check_time(self.payment_expiry_time, "paymentExpiryTime")
        check_quote(self.payment_quote, self.processing_amount)
        check_capture_mode(self.payment_factor, self.capture_mode)

    @property
    def capture_mode(self) -> CaptureMode | None:
        """Who captures, if the payment is to be authorized only."""
        return captured_by(self.payment_factor)

    @property
    def expires_at(self) -> datetime | None:
        """When the buyer's time is up (UTC), by whichever the request names of its two times comes first."""
        named = [one for one in (self.payment_session_expiry_time, self.payment_expiry_time) if one]
        return min((parse_time(one, "paymentSessionExpiryTime") for one in named), default=None)

    @property
    def method_types(self) -> list[str]:
        """What the merchant lets the buyer choose from; empty when it is left to us."""
        if self.payment_method:
            return [self.payment_method.payment_method_type]
        listed = self.available_payment_method and self.available_payment_method.payment_method_type_list
        return [one.payment_method_type for one in listed or ()]


class CreatePaymentSessionResponse(Message, frozen=True):
    """S: send the buyer to `normal_url`. The data is opaque, and the same for every repeat."""

    result: Result
    payment_session_id: str | None = None
    payment_session_data: str | None = None
    payment_session_expiry_time: str | None = None
    normal_url: str | None = None


class RetrievePaymentSessionRequest(Message, frozen=True):
    """Ask what a session is for. The Python SDK writes its one member with underscores."""

    payment_request_id: Max64 | None = None
    underscored: Max64 | None = msgspec.field(default=None, name="payment_request_id")

    def __post_init__(self) -> None:
        if not (self.payment_request_id or self.underscored):
            raise WrongMember("paymentRequestId", "is missing")


class RetrievePaymentSessionResponse(Message, frozen=True):
    """The order as it is kept: without goods, buyer and shipping."""

    result: Result
    order: dict[str, Any] | None = None
