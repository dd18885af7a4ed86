"""refund: give back all or part of a payment."""

from __future__ import annotations

from typing import Final

from comptoir.acquiring import api as acquiring
from comptoir.acquiring.api import RefundState
from comptoir.flows import wire
from comptoir.flows.api import Outcome, Refund
from comptoir.gateway.call import Call
from comptoir.gateway.operations.services import Services, id_or_none
from comptoir.gateway.results import outcome_result
from comptoir.standards.antom.errors import ParamIllegal
from comptoir.standards.antom.messages import Amount, Codec, RefundRequest, RefundResponse, Result
from comptoir.standards.antom.results import ResultCode

_REQUEST: Final = Codec(RefundRequest)


async def refund(services: Services, call: Call) -> RefundResponse:
    """Give money back. Raises ParamIllegal, and what the engine raises."""
    request = _REQUEST.decode(call.body)
    payment_id = id_or_none(request.payment_id)
    if payment_id is None:
        return RefundResponse(result=Result.of(ResultCode.ORDER_NOT_EXIST))
    capture_id = id_or_none(request.capture_id)
    if request.capture_id and capture_id is None:
        raise ParamIllegal("captureId is not one of our ids", field="captureId")
    given = wire.Given(metadata=request.metadata, customized_info=request.customized_info)
    outcome = await services.submit(
        Refund(
            merchant_id=call.client.merchant_id,
            client_ref=call.client.client_ref,
            request_ref=request.refund_request_id,
            payment_id=payment_id,
            amount=request.refund_amount.money(),
            capture_id=capture_id,
            reason=request.refund_reason or None,
            notify_url=request.refund_notify_url or call.client.notify_url,
            details=given.details() or None,
        )
    )
    return _answer(outcome, await _why(services, outcome))


async def _why(services: Services, outcome: Outcome) -> Result:
    """The result; a refund of more than is left learns which disputes have the rest."""
    result, payment = outcome_result(outcome), outcome.payment
    if outcome.code != acquiring.errors.REFUND_EXCEEDS or payment is None:
        return result
    [rows] = await services.read([acquiring.disputes_of_payment(payment.merchant_id, payment.id)])
    disputes = [one for one in acquiring.decode_disputes(rows) if acquiring.rules.has_money(one)]
    claims = ", ".join(f"dispute {one.id.hex} has {one.amount}" for one in disputes)
    code = ResultCode.REFUND_AMOUNT_EXCEED
    return Result.of(code, f"{code.message}: {claims}") if claims else result


def _answer(outcome: Outcome, result: Result) -> RefundResponse:
    given = outcome.refund
    if given is None or result.result_code == ResultCode.REPEAT_REQ_INCONSISTENT:
        return RefundResponse(result=result)
    done = given.state is RefundState.SUCCESS
    return RefundResponse(
        result=result,
        refund_request_id=given.request_ref,
        refund_id=given.id.hex,
        payment_id=given.payment_id.hex,
        refund_amount=Amount.of(given.amount),
        actual_refund_amount=wire.actual_refund(given),
        refund_time=wire.time_of(given.finished_at) if done else None,
        gross_settlement_amount=Amount.of(given.settlement) if done and given.settlement else None,
        settlement_quote=wire.settlement_quote(outcome.payment) if done and outcome.payment else None,
    )
