"""What we tell merchants unasked, and the one answer that counts as heard.

A notification is a signed POST to the merchant's address; the path without the query is signed. It
is repeated until the acknowledgment is exact: resultCode SUCCESS, resultStatus S, resultMessage success
(docs.antom.com, "Payment notification").
"""

from __future__ import annotations

from comptoir.standards.antom.errors import ParamIllegal
from comptoir.standards.antom.messages.shared import (
    Amount,
    CustomizedInfo,
    PspCustomerInfo,
    Quote,
    Result,
)
from comptoir.standards.antom.messages.wire import Codec, Message
from comptoir.standards.antom.results import ResultCode


class PaymentNotification(Message, frozen=True):
    """notifyPayment. There is no status member: the result is the payment's (S or F).

    With `update_request_id` it is that of a change of the authorized amount.
    """

    notify_type: str
    result: Result
    payment_request_id: str
    payment_id: str
    payment_amount: Amount
    payment_create_time: str
    payment_time: str | None = None
    auth_expiry_time: str | None = None
    update_request_id: str | None = None
    payment_method_type: str | None = None
    psp_customer_info: PspCustomerInfo | None = None
    payment_quote: Quote | None = None
    gross_settlement_amount: Amount | None = None
    settlement_quote: Quote | None = None
    customs_declaration_amount: Amount | None = None
    metadata: str | None = None


class SubscriptionPaymentNotification(PaymentNotification, frozen=True, kw_only=True):
    """notifySubscriptionPayment: notifyPayment of what a subscription's phase `phase_no` was charged with."""

    subscription_request_id: str
    subscription_id: str
    period_start_time: str
    period_end_time: str
    phase_no: int


class CaptureNotification(Message, frozen=True):
    """notifyCapture. The result is the capture's (S or F)."""

    notify_type: str
    result: Result
    capture_request_id: str
    payment_id: str
    capture_id: str
    capture_amount: Amount
    capture_time: str | None = None


class RefundNotification(Message, frozen=True):
    """notifyRefund."""

    notify_type: str
    result: Result
    refund_status: str
    refund_request_id: str
    refund_id: str
    refund_amount: Amount
    actual_refund_amount: Amount | None = None
    refund_time: str | None = None
    gross_settlement_amount: Amount | None = None
    settlement_quote: Quote | None = None
    metadata: str | None = None
    customized_info: CustomizedInfo | None = None


class Acknowledgement(Message, frozen=True):
    """A merchant's answer to a notification."""

    result: Result


_ACK = Codec(Acknowledgement)


def is_acknowledged(body: bytes) -> bool:
    """Whether a merchant's answer (HTTP 200 is the caller's to check) says that it was heard.

    An SDK that could not verify our signature answers with status U: that is not heard.
    """
    try:
        result = _ACK.decode(body).result
    except ParamIllegal:
        return False
    return result == Result.of(ResultCode.SUCCESS)
