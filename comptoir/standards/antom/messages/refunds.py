"""refund, inquiryRefund: requests and responses."""

from __future__ import annotations

from comptoir.standards.antom.messages.payments import check_url
from comptoir.standards.antom.messages.shared import Amount, CustomizedInfo, Quote, Result, must_be_positive
from comptoir.standards.antom.messages.wire import (
    Max32,
    Max64,
    Max256,
    Max1024,
    Max2048,
    Message,
    NotOpen,
    Text64,
    WrongMember,
)


class RefundRequest(Message, frozen=True):
    """Give back all or part, in the currency of the payment. `refund_request_id` is the idempotency key."""

    refund_request_id: Text64
    payment_id: Text64
    refund_amount: Amount
    reference_refund_id: Max64 | None = None
    refund_reason: Max256 | None = None
    refund_notify_url: Max1024 | None = None
    is_async_refund: bool | None = None
    capture_id: Max64 | None = None
    metadata: Max2048 | None = None
    customized_info: CustomizedInfo | None = None
    actual_refund_amount: NotOpen | None = None
    refund_details: NotOpen | None = None
    refund_source_account_no: NotOpen | None = None
    refund_to_bank_info: NotOpen | None = None
    split_details: NotOpen | None = None

    def __post_init__(self) -> None:
        must_be_positive(self.refund_amount, "refundAmount")
        check_url(self.refund_notify_url, "refundNotifyUrl")


class RefundResponse(Message, frozen=True):
    """S: given back. U with REFUND_IN_PROCESS: inquire. F: refused."""

    result: Result
    refund_request_id: str | None = None
    refund_id: str | None = None
    payment_id: str | None = None
    refund_amount: Amount | None = None
    actual_refund_amount: Amount | None = None
    refund_time: str | None = None
    gross_settlement_amount: Amount | None = None
    settlement_quote: Quote | None = None


class InquiryRefundRequest(Message, frozen=True):
    """Ask how a refund stands. `refund_id` wins over `refund_request_id`; one must be there."""

    refund_request_id: Max64 | None = None
    refund_id: Max64 | None = None
    merchant_account_id: Max32 | None = None

    def __post_init__(self) -> None:
        if not self.refund_id and not self.refund_request_id:
            raise WrongMember("refundId", "is missing, and so is refundRequestId: one is needed")


class InquiryRefundResponse(Message, frozen=True):
    """`result` is the inquiry's; `refund_status` is the refund's: SUCCESS, PROCESSING or FAIL."""

    result: Result
    refund_status: str | None = None
    refund_request_id: str | None = None
    refund_id: str | None = None
    refund_amount: Amount | None = None
    actual_refund_amount: Amount | None = None
    refund_time: str | None = None
    gross_settlement_amount: Amount | None = None
    settlement_quote: Quote | None = None
    metadata: str | None = None
    customized_info: CustomizedInfo | None = None
