"""inquiryPayment: how a payment stands. The result is the inquiry's, the status is the payment's."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from comptoir.acquiring import api as acquiring
from comptoir.acquiring.api import (
    AmountUpdateView,
    CaptureView,
    PaymentState,
    PaymentView,
    RefundState,
    RefundView,
)
from comptoir.flows import wire
from comptoir.flows.api import OK
from comptoir.gateway.call import Call
from comptoir.gateway.operations.account import check_account
from comptoir.gateway.operations.pay import page_of
from comptoir.gateway.operations.services import Services, id_or_none
from comptoir.standards.antom.messages import (
    Amount,
    Codec,
    InquiryPaymentRequest,
    InquiryPaymentResponse,
    RedirectActionForm,
    Result,
    Transaction,
)
from comptoir.standards.antom.results import ResultCode
from comptoir.standards.antom.times import format_time

_REQUEST: Final = Codec(InquiryPaymentRequest)


async def inquiry_payment(services: Services, call: Call) -> InquiryPaymentResponse:
    """Look a payment of the caller's merchant up; our id wins. Raises ParamIllegal."""
    request = _REQUEST.decode(call.body)
    await check_account(services, call, request.merchant_account_id)
    payment = await find_payment(services, call, request.payment_id, request.payment_request_id)
    if payment is None:
        return InquiryPaymentResponse(result=Result.of(ResultCode.ORDER_NOT_EXIST))
    return _answer(payment, await transactions_of(services, payment), services.public_url)


async def find_payment(
    services: Services, call: Call, payment_id: str | None, request_ref: str | None
) -> PaymentView | None:
    """A payment of the caller's merchant by our id, which wins, or by the caller's."""
    if payment_id:
        known = id_or_none(payment_id)
        question = acquiring.payments_by_id([(call.client.merchant_id, known)]) if known else None
    else:
        key = (call.client.merchant_id, call.client.client_ref, request_ref or "")
        question = acquiring.payments_by_request([key])
    if question is None:
        return None
    return next(iter(acquiring.decode_payments((await services.read([question]))[0])), None)


async def transactions_of(services: Services, payment: PaymentView) -> list[Transaction]:
    """What followed a payment, oldest first: changes of its amount, captures, refunds, its cancellation."""
    key = payment.merchant_id, payment.id
    questions = [acquiring.refunds_of_payment(*key)]
    if payment.capture_mode is not None:
        questions += [acquiring.captures_of_payment(*key), acquiring.amount_updates_of_payments([key])]
    refunds, *others = await services.read(questions)
    steps: list[RefundView | CaptureView | AmountUpdateView] = [*acquiring.decode_refunds(refunds)]
    if others:
        steps += [*acquiring.decode_captures(others[0]), *acquiring.decode_amount_updates(others[1])]
    listed = [_transaction(one, payment) for one in sorted(steps, key=lambda one: (one.created_at, one.id))]
    if payment.state is PaymentState.CANCELLED:
        listed.append(_cancellation(payment))
    return listed


def _answer(payment: PaymentView, steps: list[Transaction], public_url: str) -> InquiryPaymentResponse:
    code = wire.payment_code(payment)
    paid = payment.state is PaymentState.SUCCESS
    page, given = page_of(payment, public_url), wire.given(payment.details)
    return InquiryPaymentResponse(
        result=Result.of(ResultCode.SUCCESS),
        payment_status=payment.state.value,
        payment_result_code=code.value,
        payment_result_message=code.message,
        payment_request_id=payment.request_ref,
        payment_id=payment.id.hex,
        payment_amount=Amount.of(payment.amount),
        actual_payment_amount=wire.actual_payment(payment),
        processing_amount=wire.processing(payment),
        payment_quote=wire.payment_quote(payment) if paid else None,
        payment_create_time=format_time(payment.created_at),
        payment_time=wire.time_of(payment.finished_at) if paid else None,
        auth_expiry_time=wire.time_of(payment.auth_expires_at) if paid else None,
        payment_method_type=payment.method_type or None,
        psp_customer_info=wire.customer(payment) if paid else None,
        gross_settlement_amount=wire.gross_settlement(payment) if paid else None,
        settlement_quote=wire.settlement_quote(payment) if paid else None,
        customs_declaration_amount=wire.customs_declaration(payment),
        redirect_action_form=_redirect(page) if page else None,
        transactions=steps or None,
        metadata=given.metadata,
        customized_info=given.customized_info,
        extend_info=given.extend_info,
        merchant_account_id=given.merchant_account_id,
    )


def _redirect(page: str) -> RedirectActionForm:
    """The page that the answer to `pay` named: the interface has no normalUrl here."""
    return RedirectActionForm(method="GET", redirect_url=page, action_form_type="RedirectActionForm")


def _cancellation(payment: PaymentView) -> Transaction:
    """What undid a payment, under the payment's own ids: it has no other. VOID let go of what was held."""
    return Transaction(
        transaction_result=Result.of(ResultCode.SUCCESS),
        transaction_id=payment.id.hex,
        transaction_type="VOID" if payment.auth_expires_at else "CANCEL",
        transaction_status="SUCCESS",
        transaction_amount=Amount.of(payment.amount),
        transaction_request_id=payment.request_ref,
        transaction_time=wire.time_of(payment.cancelled_at),
    )


def _transaction(step: RefundView | CaptureView | AmountUpdateView, payment: PaymentView) -> Transaction:
    kind, finished_at = _kind(step)
    code = wire.result_code(step.failure_code or OK)
    if step.state == RefundState.PROCESSING:
        code = ResultCode.REFUND_IN_PROCESS
    settled = (
        None if isinstance(step, AmountUpdateView) or code is not ResultCode.SUCCESS else step.settlement
    )
    return Transaction(
        transaction_result=Result.of(code),
        transaction_id=step.id.hex,
        transaction_type=kind,
        transaction_status=step.state.value,
        transaction_amount=Amount.of(step.amount),
        transaction_request_id=step.request_ref,
        transaction_time=wire.time_of(finished_at),
        gross_settlement_amount=Amount.of(settled) if settled else None,
        settlement_quote=wire.settlement_quote(payment) if settled else None,
    )


def _kind(step: RefundView | CaptureView | AmountUpdateView) -> tuple[str, datetime | None]:
    """What the inquiry calls a step, and when it ended."""
    match step:
        case RefundView():
            return "REFUND", step.finished_at
        case CaptureView():
            return "CAPTURE", step.created_at
        case AmountUpdateView():
            return "INCREMENTAL", step.created_at
