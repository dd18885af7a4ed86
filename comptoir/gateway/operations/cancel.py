"""cancel: undo a whole payment. Repeating it gets the same answer, with the same time."""

from __future__ import annotations

from typing import Final

from comptoir.flows import wire
from comptoir.flows.api import OK, Cancel
from comptoir.gateway.call import Call
from comptoir.gateway.operations.account import check_account
from comptoir.gateway.operations.services import Services, id_or_none
from comptoir.gateway.results import outcome_result
from comptoir.standards.antom.messages import CancelRequest, CancelResponse, Codec, Result
from comptoir.standards.antom.results import ResultCode

_REQUEST: Final = Codec(CancelRequest)


async def cancel(services: Services, call: Call) -> CancelResponse:
    """Cancel by our id, which wins, or by the caller's. Raises ParamIllegal, and what the engine raises."""
    request = _REQUEST.decode(call.body)
    await check_account(services, call, request.merchant_account_id)
    payment_id = id_or_none(request.payment_id)
    if request.payment_id and payment_id is None:
        return CancelResponse(result=Result.of(ResultCode.ORDER_NOT_EXIST))
    outcome = await services.submit(
        Cancel(
            merchant_id=call.client.merchant_id,
            client_ref=call.client.client_ref,
            payment_id=payment_id,
            request_ref=None if payment_id else request.payment_request_id,
        )
    )
    payment = outcome.payment
    return CancelResponse(
        result=outcome_result(outcome),
        payment_request_id=payment.request_ref if payment else None,
        payment_id=payment.id.hex if payment else None,
        cancel_time=wire.time_of(payment.cancelled_at) if payment and outcome.code == OK else None,
    )
