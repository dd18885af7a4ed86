"""capture: take all or part of what a wallet holds for the caller's merchant."""

from __future__ import annotations

from typing import Final

from comptoir.acquiring.api import StepState
from comptoir.flows import wire
from comptoir.flows.api import Capture, Outcome
from comptoir.gateway.call import Call
from comptoir.gateway.operations.services import Services, id_or_none
from comptoir.gateway.results import outcome_result
from comptoir.standards.antom.messages import Amount, CaptureRequest, CaptureResponse, Codec, Result
from comptoir.standards.antom.results import ResultCode

_REQUEST: Final = Codec(CaptureRequest)


async def capture(services: Services, call: Call) -> CaptureResponse:
    """Capture. Raises ParamIllegal, and what the engine raises."""
    request = _REQUEST.decode(call.body)
    payment_id = id_or_none(request.payment_id)
    if payment_id is None:
        return CaptureResponse(result=Result.of(ResultCode.ORDER_NOT_EXIST))
    outcome = await services.submit(
        Capture(
            merchant_id=call.client.merchant_id,
            client_ref=call.client.client_ref,
            request_ref=request.capture_request_id,
            payment_id=payment_id,
            amount=request.capture_amount.money(),
            last=request.last,
        )
    )
    return _answer(outcome)


def _answer(outcome: Outcome) -> CaptureResponse:
    result, taken = outcome_result(outcome), outcome.capture
    if taken is None:
        return CaptureResponse(result=result)
    return CaptureResponse(
        result=result,
        capture_request_id=taken.request_ref,
        capture_id=taken.id.hex,
        payment_id=taken.payment_id.hex,
        capture_amount=Amount.of(taken.amount),
        capture_time=wire.time_of(taken.created_at) if taken.state is StepState.SUCCESS else None,
    )
