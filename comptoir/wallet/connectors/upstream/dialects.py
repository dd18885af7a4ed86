"""The same questions in the words of two families: Alipay+ for acquirers, Antom for merchants.

Each makes the bodies of requests, and reads answers into `Said`: what was said of which payment. Judging
it is the connector's.
"""

from __future__ import annotations

from typing import Final, NamedTuple, Protocol

from comptoir.kernel.money import Money
from comptoir.standards.antom.messages import (
    AcquirerInquiryResponse,
    AcquirerPaymentFactor,
    AcquirerPaymentNotification,
    AcquirerPayRequest,
    AcquirerPayResponse,
    AcquirerRefundRequest,
    AcquirerRefundResponse,
    Amount,
    CancelRequest,
    CancelResponse,
    Codec,
    InquiryPaymentRequest,
    InquiryPaymentResponse,
    InStorePaymentScenario,
    Merchant,
    Order,
    PaymentFactor,
    PaymentMethod,
    PaymentNotification,
    PayRequest,
    PayResponse,
    ProductCode,
    RefundRequest,
    RefundResponse,
    Result,
    SettlementStrategy,
    Store,
    encode,
)
from comptoir.standards.antom.paths import ALIPAY_PLUS, PRODUCTION, SANDBOX
from comptoir.standards.antom.results import ResultCode
from comptoir.standards.antom.times import format_time
from comptoir.wallet import connectors
from comptoir.wallet.connectors import AuthoriseRequest
from comptoir.wallet.types import UpstreamAccount, UpstreamFamily

_METHOD: Final = "CONNECT_WALLET"
_IN_STORE: Final = InStorePaymentScenario.PAYMENT_CODE


class Said(NamedTuple):
    """What an answer says of a payment or refund: its result, and which it is about as far as it says."""

    result: Result
    request_ref: str | None = None
    issuer_ref: str | None = None
    amount: Money | None = None
    wallet_amount: Money | None = None
    at: str | None = None


class Dialect(Protocol):
    """Bodies of requests, and answers read. Reading raises ParamIllegal for what is no such answer."""

    @property
    def cancel_name(self) -> str: ...

    def path(self, name: str) -> str: ...

    def pay(self, request: AuthoriseRequest, notify_url: str) -> bytes: ...

    def paid(self, body: bytes) -> Said: ...

    def inquired(self, body: bytes) -> tuple[Result, Said | None]: ...

    def refund(self, request: connectors.RefundRequest) -> bytes: ...

    def refunded(self, body: bytes) -> Said: ...

    def notified(self, body: bytes) -> Said: ...


def dialect_of(account: UpstreamAccount) -> Dialect:
    """The words an upstream is spoken to in."""
    return _Acquirer(account) if account.family is UpstreamFamily.APS else _Merchant(account)


def inquiry(request_ref: str) -> bytes:
    """inquiryPayment, the same in both families."""
    return encode(InquiryPaymentRequest(payment_request_id=request_ref))


def cancellation(request_ref: str) -> bytes:
    """cancel or cancelPayment, the same in both families."""
    return encode(CancelRequest(payment_request_id=request_ref))


_CANCELLED: Final = Codec(CancelResponse)


def cancelled(body: bytes) -> Said:
    """The answer to a cancellation, the same in both families."""
    answer = _CANCELLED.decode(body)
    return Said(answer.result, answer.payment_request_id, answer.payment_id)


class _Acquirer:
    """``/aps/api``: we name the merchant, `paymentResult` is the payment's. Never a sandbox path."""

    cancel_name = "cancelPayment"

    def __init__(self, account: UpstreamAccount) -> None:
        self._settlement = _settlement(account)

    def path(self, name: str) -> str:
        return f"{ALIPAY_PLUS}/v1/payments/{name}"

    def pay(self, request: AuthoriseRequest, notify_url: str) -> bytes:
        message = AcquirerPayRequest(
            payment_request_id=request.authorization_id.hex,
            order=_order(request),
            payment_amount=Amount.of(request.charge),
            payment_method=PaymentMethod(payment_method_type=_METHOD, payment_method_id=request.code),
            payment_factor=AcquirerPaymentFactor(
                is_in_store_payment=True, in_store_payment_scenario=_IN_STORE
            ),
            settlement_strategy=self._settlement,
            payment_expiry_time=format_time(request.expires_at),
            payment_notify_url=notify_url,
        )
        return encode(message)

    def paid(self, body: bytes) -> Said:
        answer = _ACQUIRER_PAID.decode(body)
        return _payment(answer.result, answer)

    def inquired(self, body: bytes) -> tuple[Result, Said | None]:
        answer = _ACQUIRER_INQUIRED.decode(body)
        if answer.payment_result is None:
            return answer.result, None
        return answer.result, _payment(answer.payment_result, answer)

    def refund(self, request: connectors.RefundRequest) -> bytes:
        message = AcquirerRefundRequest(
            refund_request_id=request.refund_id.hex,
            payment_request_id=request.authorization_id.hex,
            payment_id=request.issuer_ref or None,
            refund_amount=Amount.of(request.amount),
        )
        return encode(message)

    def refunded(self, body: bytes) -> Said:
        answer = _ACQUIRER_REFUNDED.decode(body)
        return Said(
            answer.result,
            answer.refund_request_id,
            answer.refund_id,
            _money(answer.refund_amount),
            _money(answer.actual_refund_amount),
        )

    def notified(self, body: bytes) -> Said:
        told = _ACQUIRER_NOTIFIED.decode(body)
        return Said(
            told.payment_result, told.payment_request_id, told.payment_id, _money(told.payment_amount)
        )


class _Merchant:
    """``/ams/api``: the upstream takes us for a merchant. A SANDBOX_ client has paths of its own."""

    cancel_name = "cancel"

    def __init__(self, account: UpstreamAccount) -> None:
        self._settlement = _settlement(account)
        self._prefix = SANDBOX if account.client_ref.startswith("SANDBOX_") else PRODUCTION

    def path(self, name: str) -> str:
        return f"{self._prefix}/v1/payments/{name}"

    def pay(self, request: AuthoriseRequest, notify_url: str) -> bytes:
        message = PayRequest(
            product_code=ProductCode.IN_STORE_PAYMENT,
            payment_request_id=request.authorization_id.hex,
            order=_order(request),
            payment_amount=Amount.of(request.charge),
            payment_method=PaymentMethod(payment_method_type=_METHOD, payment_method_id=request.code),
            payment_factor=PaymentFactor(in_store_payment_scenario=_IN_STORE),
            settlement_strategy=self._settlement,
            payment_expiry_time=format_time(request.expires_at),
            payment_notify_url=notify_url,
        )
        return encode(message)

    def paid(self, body: bytes) -> Said:
        answer = _PAID.decode(body)
        return _payment(answer.result, answer)

    def inquired(self, body: bytes) -> tuple[Result, Said | None]:
        answer = _INQUIRED.decode(body)
        if answer.payment_status is None:
            return answer.result, None
        return answer.result, _payment(
            _result_of_status(answer.payment_status, answer.payment_result_code), answer
        )

    def refund(self, request: connectors.RefundRequest) -> bytes:
        message = RefundRequest(
            refund_request_id=request.refund_id.hex,
            payment_id=request.issuer_ref,
            refund_amount=Amount.of(request.amount),
        )
        return encode(message)

    def refunded(self, body: bytes) -> Said:
        answer = _REFUNDED.decode(body)
        return Said(answer.result, answer.refund_request_id, answer.refund_id, _money(answer.refund_amount))

    def notified(self, body: bytes) -> Said:
        told = _NOTIFIED.decode(body)
        return Said(told.result, told.payment_request_id, told.payment_id, _money(told.payment_amount))


_ACQUIRER_PAID: Final = Codec(AcquirerPayResponse)
_ACQUIRER_INQUIRED: Final = Codec(AcquirerInquiryResponse)
_ACQUIRER_REFUNDED: Final = Codec(AcquirerRefundResponse)
_ACQUIRER_NOTIFIED: Final = Codec(AcquirerPaymentNotification)
_PAID: Final = Codec(PayResponse)
_INQUIRED: Final = Codec(InquiryPaymentResponse)
_REFUNDED: Final = Codec(RefundResponse)
_NOTIFIED: Final = Codec(PaymentNotification)


def _order(request: AuthoriseRequest) -> Order:
    """What the traveller is shown: the merchant that is paid."""
    merchant = Merchant(
        reference_merchant_id=request.merchant_ref[:32],
        merchant_mcc=request.mcc,
        merchant_name=request.payee,
        merchant_display_name=request.payee[:64],
        store=Store(
            reference_store_id=request.merchant_ref[:64], store_name=request.payee, store_mcc=request.mcc
        ),
    )
    return Order(
        reference_order_id=request.payment_id.hex,
        order_description=request.payee,
        order_amount=Amount.of(request.charge),
        merchant=merchant,
    )


def _settlement(account: UpstreamAccount) -> SettlementStrategy | None:
    currency = account.settlement_currency
    return SettlementStrategy(settlement_currency=currency) if currency else None


def _payment(
    result: Result,
    answer: AcquirerPayResponse | AcquirerInquiryResponse | PayResponse | InquiryPaymentResponse,
) -> Said:
    """What an answer about a payment says of it, with the result that is the payment's."""
    return Said(
        result,
        answer.payment_request_id,
        answer.payment_id,
        _money(answer.payment_amount),
        _money(answer.actual_payment_amount),
        answer.payment_time,
    )


def _money(amount: Amount | None) -> Money | None:
    return None if amount is None else amount.money()


def _result_of_status(status: str, code: str | None) -> Result:
    """A paymentStatus as the result that pay would have; one we do not know says nothing."""
    match status:
        case "SUCCESS":
            return Result.of(ResultCode.SUCCESS)
        case "FAIL":
            return Result.of(_known(code))
        case "CANCELLED":
            return Result.of(ResultCode.ORDER_IS_CANCELED)
        case "PROCESSING" | "PENDING":
            return Result.of(ResultCode.PAYMENT_IN_PROCESS)
        case _:
            return Result.of(ResultCode.UNKNOWN_EXCEPTION)


def _known(code: str | None) -> ResultCode:
    """The code a payment failed with; one that is no refusal, or unknown to us, is PROCESS_FAIL."""
    try:
        known = ResultCode(code or "")
    except ValueError:
        return ResultCode.PROCESS_FAIL
    return known if known.status == "F" else ResultCode.PROCESS_FAIL
