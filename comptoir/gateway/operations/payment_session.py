"""createPaymentSession, retrievePaymentSession: a hosted page that becomes at most one payment.

A session is a cashier payment from the first: the same record, the same page, the same engine. It only
waits longer, and the merchant leaves the choice of the wallet to the buyer.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from comptoir.acquiring import api as acquiring
from comptoir.acquiring.api import PaymentState, PaymentView, Product
from comptoir.flows import wire
from comptoir.flows.api import IN_PROCESS, OK, Pay
from comptoir.gateway.call import Call
from comptoir.gateway.operations.account import check_account
from comptoir.gateway.operations.pay import asked_quote, details_of, mode_of
from comptoir.gateway.operations.services import Services
from comptoir.gateway.results import outcome_result
from comptoir.standards import order_code
from comptoir.standards.antom.messages import (
    Codec,
    CreatePaymentSessionRequest,
    CreatePaymentSessionResponse,
    Order,
    ProductCode,
    Result,
    RetrievePaymentSessionRequest,
    RetrievePaymentSessionResponse,
)
from comptoir.standards.antom.results import ResultCode
from comptoir.standards.antom.times import format_time

_CREATE: Final = Codec(CreatePaymentSessionRequest)
_RETRIEVE: Final = Codec(RetrievePaymentSessionRequest)


async def create_payment_session(services: Services, call: Call) -> CreatePaymentSessionResponse:
    """Open a session, or say again which it is. Raises ParamIllegal, and what the engine raises."""
    request = _CREATE.decode(call.body)
    await check_account(services, call, request.merchant_account_id)
    refusal = _not_open(request, services.method_types(scanned=False))
    if refusal is not None:
        return CreatePaymentSessionResponse(result=refusal)
    outcome = await services.submit(_command(request, call))
    payment = outcome.payment
    if payment is None or payment.order_code is None or outcome.code not in (IN_PROCESS, OK):
        return CreatePaymentSessionResponse(result=outcome_result(outcome))
    return CreatePaymentSessionResponse(
        result=Result.of(ResultCode.SUCCESS),
        payment_session_id=payment.id.hex,
        payment_session_data=payment.order_code,
        payment_session_expiry_time=format_time(payment.expires_at),
        normal_url=order_code.build(services.public_url, payment.order_code),
    )


async def retrieve_payment_session(services: Services, call: Call) -> RetrievePaymentSessionResponse:
    """What a session of the caller is for. Raises ParamIllegal."""
    request = _RETRIEVE.decode(call.body)
    ref = request.payment_request_id or request.underscored or ""
    key = (call.client.merchant_id, call.client.client_ref, ref)
    found = acquiring.decode_payments((await services.read([acquiring.payments_by_request([key])]))[0])
    order = found[0].details.get("order") if found else None
    if order is None:
        return RetrievePaymentSessionResponse(result=Result.of(ResultCode.ORDER_NOT_EXIST))
    return RetrievePaymentSessionResponse(result=_standing(found[0]), order=order)


def _standing(payment: PaymentView) -> Result:
    """Whether the session can be used, or what became of it otherwise."""
    over = payment.state in (PaymentState.FAIL, PaymentState.CANCELLED)
    return Result.of(wire.payment_code(payment) if over else ResultCode.SUCCESS)


def _not_open(request: CreatePaymentSessionRequest, method_types: frozenset[str]) -> Result | None:
    """What the API knows and a session here does not do; the request id is not used up."""
    named = request.method_types
    if named and method_types.isdisjoint(named):
        return Result.of(
            ResultCode.UNAVAILABLE_PAYMENT_METHOD,
            f"paymentMethodType must be one of {', '.join(sorted(method_types))}",
        )
    if request.product_code is not ProductCode.CASHIER_PAYMENT:
        what = f"a session with productCode {request.product_code.value} is not open here"
        return Result.of(ResultCode.BUSINESS_NOT_SUPPORT, what)
    return None


def _command(request: CreatePaymentSessionRequest, call: Call) -> Pay:
    settlement = request.settlement_strategy
    store = request.order.merchant.store if request.order.merchant else None
    given = wire.Given(
        metadata=request.metadata,
        customized_info=request.customized_info,
        merchant_account_id=request.merchant_account_id,
    )
    return Pay(
        merchant_id=call.client.merchant_id,
        client_ref=call.client.client_ref,
        request_ref=request.payment_request_id,
        sandbox=call.client.sandbox,
        product=Product.CASHIER,
        scenario=None,
        amount=request.payment_amount.money(),
        method_type=request.payment_method.payment_method_type if request.payment_method else "",
        settlement_currency=(settlement.settlement_currency or None) if settlement else None,
        expires_at=request.expires_at,
        store_ref=store.reference_store_id if store else None,
        notify_url=request.payment_notify_url or call.client.notify_url,
        redirect_url=request.payment_redirect_url,
        details=details_of(request.order) | {"order": _kept(request.order)} | given.details(),
        quote=asked_quote(request.payment_quote, request.processing_amount),
        session=True,
        capture_mode=mode_of(request.capture_mode),
    )


def _kept(order: Order) -> dict[str, Any]:
    """What is kept of an order for `retrievePaymentSession`: nothing of the buyer, no list of any length."""
    left_out = ("goods", "env", "extend_info", "need_declaration", "tax_calculation_id")
    short = msgspec.structs.replace(order, **dict.fromkeys(left_out))
    kept: dict[str, Any] = msgspec.to_builtins(short, enc_hook=str)
    return kept
