"""The Alipay+ family (``/aps/api/v1``): what an acquirer asks of those who hold the wallets.

Differs from a till's messages in its words: there is no productCode, the merchant stands in the order,
`paymentResult` is the payment's where a till reads paymentStatus, and cancel is called cancelPayment.
Sources: the official MCP SDK and docs.alipayplus.com, read in November 2026 (fields: antom-api.md §6.3).

`paymentRequestId` in every answer and `actualPaymentAmount` go beyond the documented members: the first
lets the asker hold an answer against its own question, the second says what the traveller paid.
"""

from __future__ import annotations

from datetime import datetime

from comptoir.standards.antom.messages.payments import check_time, check_url, need_one
from comptoir.standards.antom.messages.shared import (
    Amount,
    InStorePaymentScenario,
    Order,
    OrderCodeForm,
    PaymentMethod,
    Quote,
    Result,
    SettlementStrategy,
    Transaction,
    must_be_positive,
)
from comptoir.standards.antom.messages.wire import (
    Max16,
    Max64,
    Max256,
    Max2048,
    Message,
    NotOpen,
    Text64,
    WrongMember,
)
from comptoir.standards.antom.times import parse_time


class AcquirerPaymentFactor(Message, frozen=True):
    """What kind of payment is meant; exactly one of the three kinds is true."""

    is_in_store_payment: bool | None = None
    is_cashier_payment: bool | None = None
    is_agreement_payment: bool | None = None
    in_store_payment_scenario: InStorePaymentScenario | None = None
    presentment_mode: Max16 | None = None
    is_payment_evaluation: NotOpen | None = None


class AcquirerPayRequest(Message, frozen=True):
    """pay. `payment_request_id` is the idempotency key; the order names the acquirer's merchant."""

    payment_request_id: Text64
    order: Order
    payment_amount: Amount
    payment_method: PaymentMethod
    payment_factor: AcquirerPaymentFactor
    settlement_strategy: SettlementStrategy | None = None
    payment_expiry_time: Max64 | None = None
    payment_redirect_url: Max2048 | None = None
    payment_notify_url: Max2048 | None = None

    def __post_init__(self) -> None:
        must_be_positive(self.payment_amount, "paymentAmount")
        check_url(self.payment_redirect_url, "paymentRedirectUrl")
        check_url(self.payment_notify_url, "paymentNotifyUrl")
        check_time(self.payment_expiry_time, "paymentExpiryTime")
        if self.order.merchant is None:
            raise WrongMember("order.merchant", "is missing: the merchant that is paid")
        factor = self.payment_factor
        kinds = (factor.is_in_store_payment, factor.is_cashier_payment, factor.is_agreement_payment)
        if sum(kind is True for kind in kinds) != 1:
            raise WrongMember(
                "paymentFactor", "must have one of isInStorePayment, isCashierPayment, isAgreementPayment"
            )
        if factor.is_cashier_payment and not self.payment_redirect_url:
            raise WrongMember("paymentRedirectUrl", "is missing")
        if factor.is_in_store_payment:
            self._check_in_store(factor.in_store_payment_scenario)

    def _check_in_store(self, scenario: InStorePaymentScenario | None) -> None:
        if scenario is None:
            raise WrongMember("paymentFactor.inStorePaymentScenario", "is missing")
        if scenario is InStorePaymentScenario.PAYMENT_CODE and not self.payment_method.payment_method_id:
            raise WrongMember("paymentMethod.paymentMethodId", "is missing: the scanned payment code")

    @property
    def expires_at(self) -> datetime | None:
        """When the buyer's time is up (UTC), if the request says so."""
        return parse_time(self.payment_expiry_time, "paymentExpiryTime") if self.payment_expiry_time else None


class AcquirerPayResponse(Message, frozen=True):
    """S: paid. U with PAYMENT_IN_PROCESS: the traveller has to act. F: refused."""

    result: Result
    acquirer_id: str | None = None
    psp_id: str | None = None
    payment_request_id: str | None = None
    payment_id: str | None = None
    payment_amount: Amount | None = None
    payment_time: str | None = None
    actual_payment_amount: Amount | None = None
    normal_url: str | None = None
    order_code_form: OrderCodeForm | None = None


class AcquirerInquiryResponse(Message, frozen=True):
    """inquiryPayment: `result` is the inquiry's, `payment_result` the payment's."""

    result: Result
    payment_result: Result | None = None
    acquirer_id: str | None = None
    psp_id: str | None = None
    payment_request_id: str | None = None
    payment_id: str | None = None
    payment_amount: Amount | None = None
    payment_time: str | None = None
    actual_payment_amount: Amount | None = None
    customer_id: str | None = None
    wallet_brand_name: str | None = None
    mpp_payment_id: str | None = None
    settlement_amount: Amount | None = None
    settlement_quote: Quote | None = None
    transactions: list[Transaction] | None = None


class AcquirerCancelResponse(Message, frozen=True):
    """cancelPayment: S again, however often it is repeated."""

    result: Result
    acquirer_id: str | None = None
    psp_id: str | None = None
    payment_request_id: str | None = None
    payment_id: str | None = None


class AcquirerRefundRequest(Message, frozen=True):
    """refund. `refund_request_id` is the idempotency key; `payment_id` wins over `payment_request_id`."""

    refund_request_id: Text64
    refund_amount: Amount
    payment_request_id: Max64 | None = None
    payment_id: Max64 | None = None
    refund_reason: Max256 | None = None

    def __post_init__(self) -> None:
        must_be_positive(self.refund_amount, "refundAmount")
        need_one(self.payment_id, self.payment_request_id)


class AcquirerRefundResponse(Message, frozen=True):
    """S: given back. U with REFUND_IN_PROCESS: the same request again. F: refused."""

    result: Result
    acquirer_id: str | None = None
    psp_id: str | None = None
    refund_request_id: str | None = None
    refund_id: str | None = None
    refund_amount: Amount | None = None
    actual_refund_amount: Amount | None = None
    refund_time: str | None = None
    settlement_amount: Amount | None = None
    settlement_quote: Quote | None = None


class AcquirerPaymentNotification(Message, frozen=True):
    """notifyPayment to an acquirer: `payment_result` is S (paid) or F (not paid)."""

    payment_result: Result
    acquirer_id: str
    psp_id: str
    payment_request_id: str
    payment_id: str
    payment_amount: Amount
    payment_time: str | None = None
    actual_payment_amount: Amount | None = None
    settlement_amount: Amount | None = None
    settlement_quote: Quote | None = None
