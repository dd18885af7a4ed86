"""updateAmount: make an authorized amount larger or smaller before anything of it is captured."""

from __future__ import annotations

from typing import Final

from comptoir.flows.api import UpdateAmount
from comptoir.gateway.call import Call
from comptoir.gateway.operations.services import Services, id_or_none
from comptoir.gateway.results import outcome_result
from comptoir.standards.antom.messages import Amount, Codec, Result, UpdateAmountRequest, UpdateAmountResponse
from comptoir.standards.antom.results import ResultCode

_REQUEST: Final = Codec(UpdateAmountRequest)


async def update_amount(services: Services, call: Call) -> UpdateAmountResponse:
    """Change an authorized amount. Raises ParamIllegal, and what the engine raises."""
    request = _REQUEST.decode(call.body)
    payment_id = id_or_none(request.payment_id)
    if payment_id is None:
        return UpdateAmountResponse(result=Result.of(ResultCode.ORDER_NOT_EXIST))
    outcome = await services.submit(
        UpdateAmount(
            merchant_id=call.client.merchant_id,
            client_ref=call.client.client_ref,
            request_ref=request.update_request_id,
            payment_id=payment_id,
            amount=request.amount.money(),
        )
    )
    changed = outcome.update
    return UpdateAmountResponse(
        result=outcome_result(outcome),
        update_request_id=changed.request_ref if changed else None,
        payment_id=changed.payment_id.hex if changed else None,
        amount=Amount.of(changed.amount) if changed else None,
    )
