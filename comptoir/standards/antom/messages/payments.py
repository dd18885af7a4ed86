"""pay, inquiryPayment, cancel: requests and responses."""

from __future__ import annotations

from datetime import datetime

from comptoir.standards.antom.errors import ParamIllegal
from comptoir.standards.antom.messages.shared import (
    Amount,
    CaptureMode,
    CustomizedInfo,
    Env,
    InStorePaymentScenario,
    Merchant,
    Order,
    OrderCodeForm,
    PaymentFactor,
    PaymentMethod,
    ProductCode,
    PspCustomerInfo,
    Quote,
    RedirectActionForm,
    Result,
    SettlementStrategy,
    Transaction,
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


def check_url(url: str | None, member: str) -> None:
    """Refuse an address we could never call: it must be absolute http or https."""
    if url and not url.lower().startswith(("https://", "http://")):
        raise WrongMember(member, "must be an absolute http or https URL")


def check_time(text: str | None, member: str) -> None:
    """Refuse a time that names no instant."""
    if text:
        try:
            parse_time(text, member)
        except ParamIllegal:
            raise WrongMember(member, "must be ISO 8601 with an offset") from None


def check_quote(quote: Quote | None, total: Amount | None) -> None:
    """Refuse a quote that nobody could find, or whose rate is none, and a total without a quote."""
    if quote is None:
        if total is not None:
            raise WrongMember("paymentQuote", "is missing: only a quote makes processingAmount certain")
        return
    if not quote.quote_id:
        raise WrongMember("paymentQuote.quoteId", "is missing")
    try:
        quote.rate()
    except WrongMember as wrong:
        raise WrongMember(f"paymentQuote.{wrong.member}", str(wrong)) from None


def captured_by(factor: PaymentFactor | None, authorizes: bool | None = None) -> CaptureMode | None:
    """Who captures what is to be authorized; None for a payment that is no authorization.

    `authorizes` is the flag at its older place, beside the factor.
    """
    if not (authorizes or (factor and factor.is_authorization)):
        return None
    return (factor and factor.capture_mode) or CaptureMode.AUTOMATIC


def check_capture_mode(factor: PaymentFactor | None, found: CaptureMode | None) -> None:
    """Refuse a payment that is to be captured by hand and is no authorization: it would be taken at once."""
    if found is None and factor and factor.capture_mode is CaptureMode.MANUAL:
        raise WrongMember("paymentFactor.captureMode", "MANUAL needs isAuthorization true")


class PayRequest(Message, frozen=True):
    """Take a payment. `payment_request_id` is the idempotency key.

    The documentation also calls settlementStrategy and env required; official in-store classes leave
    them out, so their absence is the contract's business, not a fault.
    """

    product_code: ProductCode
    payment_request_id: Text64
    order: Order
    payment_amount: Amount
    payment_method: PaymentMethod
    payment_factor: PaymentFactor | None = None
    settlement_strategy: SettlementStrategy | None = None
    payment_expiry_time: Max64 | None = None
    payment_redirect_url: Max2048 | None = None
    payment_notify_url: Max2048 | None = None
    env: Env | None = None
    merchant: Merchant | None = None
    merchant_account_id: Max32 | None = None
    is_authorization: bool | None = None
    payment_quote: Quote | None = None
    processing_amount: Amount | None = None
    metadata: Max2048 | None = None
    customized_info: CustomizedInfo | None = None
    extend_info: Max2048 | None = None
    agreement_info: NotOpen | None = None
    credit_pay_plan: NotOpen | None = None
    pay_to_method: NotOpen | None = None
    subscription_id: NotOpen | None = None
    subscription_info: NotOpen | None = None

    def __post_init__(self) -> None:
        must_be_positive(self.payment_amount, "paymentAmount")
        check_url(self.payment_redirect_url, "paymentRedirectUrl")
        check_url(self.payment_notify_url, "paymentNotifyUrl")
        check_time(self.payment_expiry_time, "paymentExpiryTime")
        check_quote(self.payment_quote, self.processing_amount)
        check_capture_mode(self.payment_factor, self.capture_mode)
        if self.product_code is ProductCode.IN_STORE_PAYMENT:
            self._check_in_store()
        elif self.product_code is ProductCode.CASHIER_PAYMENT and not self.payment_redirect_url:
            raise WrongMember("paymentRedirectUrl", "is missing")
        elif self.product_code is ProductCode.AGREEMENT_PAYMENT and not self.payment_method.payment_method_id:
            raise WrongMember("paymentMethod.paymentMethodId", "is missing: the access token")

    def _check_in_store(self) -> None:
        if self.scenario is None:
            raise WrongMember("paymentFactor.inStorePaymentScenario", "is missing")
        if self.scenario is InStorePaymentScenario.PAYMENT_CODE and not self.payment_method.payment_method_id:
            raise WrongMember("paymentMethod.paymentMethodId", "is missing: the scanned payment code")
        if self.scenario is InStorePaymentScenario.ENTRY_CODE:
            if not any(one and one.user_agent for one in (self.env, self.order.env)):
                raise WrongMember("order.env.userAgent", "is missing: what the wallet's browser calls itself")
            if not self.payment_redirect_url:
                raise WrongMember("paymentRedirectUrl", "is missing")

    @property
    def scenario(self) -> InStorePaymentScenario | None:
        """Who shows the code, in a shop."""
        return self.payment_factor.in_store_payment_scenario if self.payment_factor else None

    @property
    def capture_mode(self) -> CaptureMode | None:
        """Who captures, if the payment is to be authorized only (at the newer or at the older place)."""
        return captured_by(self.payment_factor, self.is_authorization)

    @property
    def expires_at(self) -> datetime | None:
        """When the buyer's time is up (UTC), if the request says so."""
        return parse_time(self.payment_expiry_time, "paymentExpiryTime") if self.payment_expiry_time else None

    @property
    def environment(self) -> Env | None:
        """The surroundings, at the newer or at the older place."""
        return self.env or self.order.env


class PayResponse(Message, frozen=True):
    """S: paid. U with PAYMENT_IN_PROCESS: show the code or URL, or poll. F: refused."""

    result: Result
    payment_request_id: str | None = None
    payment_id: str | None = None
    payment_amount: Amount | None = None
    payment_create_time: str | None = None
    payment_time: str | None = None
    auth_expiry_time: str | None = None
    normal_url: str | None = None
    order_code_form: OrderCodeForm | None = None
    actual_payment_amount: Amount | None = None
    processing_amount: Amount | None = None
    payment_quote: Quote | None = None
    gross_settlement_amount: Amount | None = None
    settlement_quote: Quote | None = None
    psp_customer_info: PspCustomerInfo | None = None


class InquiryPaymentRequest(Message, frozen=True):
    """Ask how a payment stands. `payment_id` wins over `payment_request_id`; one must be there."""

    payment_request_id: Max64 | None = None
    payment_id: Max64 | None = None
    merchant_account_id: Max32 | None = None

    def __post_init__(self) -> None:
        need_one(self.payment_id, self.payment_request_id)


class InquiryPaymentResponse(Message, frozen=True):
    """`result` is the inquiry's; `payment_status` and `payment_result_code` are the payment's."""

    result: Result
    payment_status: str | None = None
    payment_result_code: str | None = None
    payment_result_message: str | None = None
    payment_request_id: str | None = None
    payment_id: str | None = None
    payment_amount: Amount | None = None
    actual_payment_amount: Amount | None = None
    processing_amount: Amount | None = None
    payment_quote: Quote | None = None
    payment_create_time: str | None = None
    payment_time: str | None = None
    auth_expiry_time: str | None = None
    payment_method_type: str | None = None
    psp_customer_info: PspCustomerInfo | None = None
    gross_settlement_amount: Amount | None = None
    settlement_quote: Quote | None = None
    customs_declaration_amount: Amount | None = None
    redirect_action_form: RedirectActionForm | None = None
    transactions: list[Transaction] | None = None
    metadata: str | None = None
    customized_info: CustomizedInfo | None = None
    extend_info: str | None = None
    merchant_account_id: str | None = None


class CancelRequest(Message, frozen=True):
    """Undo a whole payment. `payment_id` wins over `payment_request_id`; one must be there."""

    payment_request_id: Max64 | None = None
    payment_id: Max64 | None = None
    merchant_account_id: Max32 | None = None

    def __post_init__(self) -> None:
        need_one(self.payment_id, self.payment_request_id)


class CancelResponse(Message, frozen=True):
    """S again, with the same time, however often it is repeated."""

    result: Result
    payment_request_id: str | None = None
    payment_id: str | None = None
    cancel_time: str | None = None


def need_one(payment_id: str | None, payment_request_id: str | None) -> None:
    """Refuse an inquiry about nothing."""
    if not payment_id and not payment_request_id:
        raise WrongMember("paymentId", "is missing, and so is paymentRequestId: one is needed")
