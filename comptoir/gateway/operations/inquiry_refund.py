"""inquiryRefund: how a refund stands. The result is the inquiry's, the status is the refund's."""

from __future__ import annotations

from typing import Final

from comptoir.acquiring import api as acquiring
from comptoir.acquiring.api import PaymentView, RefundState, RefundView
from comptoir.flows import wire
from comptoir.gateway.call import Call
from comptoir.gateway.operations.account import check_account
from comptoir.gateway.operations.services import Services, id_or_none
from comptoir.kernel.statements import Statement
from comptoir.standards.antom.messages import (
    Amount,
    Codec,
    InquiryRefundRequest,
    InquiryRefundResponse,
    Result,
)
from comptoir.standards.antom.results import ResultCode

_REQUEST: Final = Codec(InquiryRefundRequest)


async def inquiry_refund(services: Services, call: Call) -> InquiryRefundResponse:
    """Look a refund of the caller's merchant up; our id wins. Raises ParamIllegal."""
    request = _REQUEST.decode(call.body)
    await check_account(services, call, request.merchant_account_id)
    question = _question(request, call)
    found = acquiring.decode_refunds((await services.read([question]))[0]) if question else []
    if not found or found[0].disputed:
        return InquiryRefundResponse(result=Result.of(ResultCode.REFUND_NOT_EXIST))
    refund = found[0]
    rows = await services.read([acquiring.payments_by_id([(refund.merchant_id, refund.payment_id)])])
    [payment] = acquiring.decode_payments(rows[0])
    return _answer(refund, payment)


def _question(request: InquiryRefundRequest, call: Call) -> Statement | None:
    if request.refund_id:
        refund_id = id_or_none(request.refund_id)
        return acquiring.refunds_by_id([(call.client.merchant_id, refund_id)]) if refund_id else None
    key = (call.client.merchant_id, call.client.client_ref, request.refund_request_id or "")
    return acquiring.refunds_by_request([key])


def _answer(refund: RefundView, payment: PaymentView) -> InquiryRefundResponse:
    given, along = refund.state is RefundState.SUCCESS, wire.given(refund.details)
    return InquiryRefundResponse(
        result=Result.of(ResultCode.SUCCESS),
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
