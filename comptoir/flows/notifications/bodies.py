"""What a merchant is told: the record as it stands when it is first sent, not when it was due."""

from __future__ import annotations

from uuid import UUID

from msgspec import structs
from msgspec.structs import replace

from comptoir.acquiring.api import (
    AgreementView,
    AmountUpdateView,
    CaptureView,
    DisputeKind,
    DisputeState,
    DisputeView,
    PaymentState,
    PaymentView,
    RefundState,
    RefundView,
    StepState,
    SubscriptionView,
)
from comptoir.flows import wire
from comptoir.flows.agreements import digest, token_pair
from comptoir.flows.types import OK
from comptoir.kernel.errors import ComptoirError
from comptoir.kernel.ids import made_at
from comptoir.kernel.money import Money
from comptoir.standards.antom.messages import (
    AcquirerPaymentNotification,
    Amount,
    AuthorizationNotification,
    CaptureNotification,
    DisputeNotification,
    PaymentNotification,
    RefundNotification,
    Result,
    SubscriptionNotification,
    SubscriptionPaymentNotification,
    encode,
)
from comptoir.standards.antom.results import ResultCode
from comptoir.standards.antom.times import format_time
from comptoir.wallet.api import OWN_ISSUER


class NotFinal(ComptoirError):
    """Only final outcomes are told; this one is still in process."""

    code = "notifications.not_final"


def payment_body(payment: PaymentView) -> bytes:
    """notifyPayment. There is no status member: S means paid, F means not paid. Raises NotFinal."""
    if wire.ACQUIRER_MERCHANT in payment.details:
        return _acquirer_body(payment)
    notice = _payment_notice(payment, "PAYMENT_RESULT", _payment_code(payment))
    return encode(_of_its_phase(notice, payment) if "subscriptionId" in payment.details else notice)


def _of_its_phase(notice: PaymentNotification, payment: PaymentView) -> SubscriptionPaymentNotification:
    """The same as notifySubscriptionPayment."""
    return SubscriptionPaymentNotification(
        **structs.asdict(notice),
        subscription_request_id=payment.details["subscriptionRequestId"],
        subscription_id=payment.details["subscriptionId"],
        period_start_time=payment.details["periodStartTime"],
        period_end_time=payment.details["periodEndTime"],
        phase_no=payment.details["phaseNo"],
    )


def test_body(test_id: UUID) -> bytes:
    """A notifyPayment about a payment that never was, and that failed: whoever believes it ships nothing."""
    return encode(
        PaymentNotification(
            notify_type="PAYMENT_RESULT",
            result=Result.of(ResultCode.PROCESS_FAIL, "this is a test: no such payment was made"),
            payment_request_id=f"comptoir-test-{test_id.hex}",
            payment_id=test_id.hex,
            payment_amount=Amount.of(Money(1, "EUR")),
            payment_create_time=format_time(made_at(test_id)),
        )
    )


def amount_body(update: AmountUpdateView, payment: PaymentView) -> bytes:
    """notifyPayment of a change of an authorized amount: the amount that holds because of it.

    Its type is UPDATE_AMOUNT_RESULT (docs.antom.com "updateAmount", read in November 2026).
    """
    done = update.state is StepState.SUCCESS
    notice = _payment_notice(payment, "UPDATE_AMOUNT_RESULT", wire.result_code(update.failure_code or OK))
    amount = Amount.of(update.amount if done else update.before)
    return encode(replace(notice, payment_amount=amount, update_request_id=update.request_ref))


def _payment_notice(payment: PaymentView, notify_type: str, code: ResultCode) -> PaymentNotification:
    paid = payment.state is PaymentState.SUCCESS
    return PaymentNotification(
        notify_type=notify_type,
        result=Result.of(code),
        payment_request_id=payment.request_ref,
        payment_id=payment.id.hex,
        payment_amount=Amount.of(payment.amount),
        payment_create_time=format_time(payment.created_at),
        payment_time=wire.time_of(payment.finished_at) if paid else None,
        auth_expiry_time=wire.time_of(payment.auth_expires_at) if paid else None,
        payment_method_type=payment.method_type or None,
        psp_customer_info=wire.customer(payment),
        payment_quote=wire.payment_quote(payment) if paid else None,
        gross_settlement_amount=wire.gross_settlement(payment) if paid else None,
        settlement_quote=wire.settlement_quote(payment) if paid else None,
        customs_declaration_amount=wire.customs_declaration(payment),
        metadata=wire.given(payment.details).metadata,
    )


def capture_body(capture: CaptureView) -> bytes:
    """notifyCapture."""
    done = capture.state is StepState.SUCCESS
    return encode(
        CaptureNotification(
            notify_type="CAPTURE_RESULT",
            result=Result.of(wire.result_code(capture.failure_code or OK)),
            capture_request_id=capture.request_ref,
            payment_id=capture.payment_id.hex,
            capture_id=capture.id.hex,
            capture_amount=Amount.of(capture.amount),
            capture_time=wire.time_of(capture.created_at) if done else None,
        )
    )


def _acquirer_body(payment: PaymentView) -> bytes:
    """The same in the words of the Alipay+ family, for a payment that came that way."""
    paid = payment.state is PaymentState.SUCCESS
    return encode(
        AcquirerPaymentNotification(
            payment_result=Result.of(_payment_code(payment)),
            acquirer_id=payment.merchant_id.hex,
            psp_id=OWN_ISSUER,
            payment_request_id=payment.request_ref,
            payment_id=payment.id.hex,
            payment_amount=Amount.of(payment.amount),
            payment_time=wire.time_of(payment.finished_at) if paid else None,
            actual_payment_amount=wire.actual_payment(payment),
            settlement_amount=wire.gross_settlement(payment),
            settlement_quote=wire.settlement_quote(payment) if paid else None,
        )
    )


def refund_body(refund: RefundView, payment: PaymentView) -> bytes:
    """notifyRefund, of a refund of `payment`. Raises NotFinal."""
    if refund.state is RefundState.PROCESSING:
        raise NotFinal("the refund is in process")
    given = refund.state is RefundState.SUCCESS
    code = ResultCode.SUCCESS if given else wire.result_code(refund.failure_code or "")
    along = wire.given(refund.details)
    return encode(
        RefundNotification(
            notify_type="REFUND_RESULT",
            result=Result.of(code),
            refund_status=refund.state.value,
            refund_request_id=refund.request_ref,
            refund_id=refund.id.hex,
            refund_amount=Amount.of(refund.amount),
            actual_refund_amount=wire.actual_refund(refund),
            refund_time=wire.time_of(refund.finished_at) if given else None,
            gross_settlement_amount=Amount.of(refund.settlement) if given and refund.settlement else None,
            settlement_quote=wire.settlement_quote(payment) if given else None,
            metadata=along.metadata,
            customized_info=along.customized_info,
        )
    )


def subscription_body(one: SubscriptionView, event: str) -> bytes:
    """notifySubscription: that a subscription began, changed or ended."""
    return encode(
        SubscriptionNotification(
            subscription_notification_type=event,
            result=Result.of(ResultCode.SUCCESS),
            subscription_request_id=one.request_ref,
            subscription_id=one.id.hex,
            subscription_status=wire.subscription_status(one) or "",
            subscription_start_time=format_time(one.start_at),
            subscription_end_time=wire.time_of(one.end_at),
            period_rule=wire.period_rule(one),
        )
    )


def agreement_body(agreement: AgreementView, event: str) -> bytes:
    """notifyAuthorization: that an agreement has tokens, or that it has ended, and by whom."""
    return encode(
        AuthorizationNotification(
            authorization_notify_type=event,
            result=Result.of(ResultCode.SUCCESS),
            auth_state=agreement.state_ref,
            auth_client_id=agreement.auth_client_ref,
            access_token=_access_token(agreement),
            reason=f"ended by the {agreement.ended_by}" if agreement.ended_by else None,
            user_id=agreement.customer_ref,
        )
    )


def _access_token(agreement: AgreementView) -> str | None:
    """The token, derived again from its grant; None if there is none, or it is of another master key."""
    for refresh in (False, True):
        token = token_pair(agreement.grant_hash, refresh=refresh).access
        if digest(token) == agreement.access_hash:
            return token
    return None


def _payment_code(payment: PaymentView) -> ResultCode:
    if payment.state is PaymentState.PROCESSING:
        raise NotFinal("the payment is in process")
    return wire.payment_code(payment)


#: A judgment in the words of the wire: whose the responsibility is, or whether the papers will do
#: (docs.antom.com "notifyDispute", November 2026).
_JUDGED = {DisputeState.WON: "ACCEPT_BY_CUSTOMER", DisputeState.LOST: "ACCEPT_BY_MERCHANT"}
_VALIDATED = {DisputeState.WON: "VALIDATE_SUCCESS", DisputeState.LOST: "VALIDATE_FAIL"}


def dispute_body(dispute: DisputeView, payment: PaymentView, event: str) -> bytes:
    """notifyDispute: what happened (`event`), and the dispute as it stands now."""
    judged = (_JUDGED if dispute.kind is DisputeKind.CHARGEBACK else _VALIDATED).get(dispute.state)
    accepted = dispute.state is DisputeState.ACCEPTED
    cancelled = dispute.state is DisputeState.CANCELLED
    ended = wire.time_of(dispute.ended_at)
    return encode(
        DisputeNotification(
            dispute_notification_type=event,
            payment_request_id=payment.request_ref,
            payment_id=payment.id.hex,
            dispute_id=dispute.id.hex,
            dispute_time=format_time(dispute.created_at),
            dispute_amount=Amount.of(dispute.amount),
            dispute_type=dispute.kind.value,
            dispute_source=payment.issuer or OWN_ISSUER,
            dispute_reason_code=dispute.reason_code,
            dispute_reason_msg=dispute.reason,
            defendable=dispute.state is DisputeState.OPEN,
            defense_due_time=format_time(dispute.due_at),
            defense_supplied_time=wire.time_of(dispute.defended_at),
            dispute_accept_reason=dispute.accept_reason.value if dispute.accept_reason else None,
            dispute_accept_time=ended if accepted else None,
            dispute_judged_time=ended if judged else None,
            dispute_judged_amount=Amount.of(dispute.amount) if judged else None,
            dispute_judged_result=judged,
            dispute_cancelled_time=ended if cancelled else None,
        )
    )
