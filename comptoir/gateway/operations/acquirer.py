"""The Alipay+ family: an acquirer's payments by our wallet, for merchants of its own.

The acquirer is our merchant: it is its contract that holds, and it that is owed. Whom the traveller pays
stands in the request and is kept with the payment (decision 0024). Only our own wallet pays here: codes of
others are refused, so that two houses that route to each other cannot send a payment round in circles.
"""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from comptoir.acquiring import api as acquiring
from comptoir.acquiring.api import PaymentState, Product, RefundState, Scenario
from comptoir.flows import wire
from comptoir.flows.api import Cancel, Outcome, Pay, Refund
from comptoir.gateway.call import Call
from comptoir.gateway.operations.inquiry_payment import find_payment, transactions_of
from comptoir.gateway.operations.pay import order_form, page_of
from comptoir.gateway.operations.services import Services, id_or_none
from comptoir.gateway.results import outcome_result
from comptoir.standards.antom.messages import (
    AcquirerCancelResponse,
    AcquirerInquiryResponse,
    AcquirerPayRequest,
    AcquirerPayResponse,
    AcquirerRefundRequest,
    AcquirerRefundResponse,
    Amount,
    CancelRequest,
    Codec,
    InquiryPaymentRequest,
    InStorePaymentScenario,
    Order,
    Result,
)
from comptoir.standards.antom.results import ResultCode
from comptoir.wallet.api import OWN_ISSUER

_WALLET: Final = "CONNECT_WALLET"
_SCENARIOS: Final = {
    InStorePaymentScenario.PAYMENT_CODE: Scenario.PAYMENT_CODE,
    InStorePaymentScenario.ORDER_CODE: Scenario.ORDER_CODE,
}

_PAY: Final = Codec(AcquirerPayRequest)
_INQUIRY: Final = Codec(InquiryPaymentRequest)
_CANCEL: Final = Codec(CancelRequest)
_REFUND: Final = Codec(AcquirerRefundRequest)


async def pay(services: Services, call: Call) -> AcquirerPayResponse:
    """Take a payment by our wallet. Raises ParamIllegal, and what the engine raises."""
    request = _PAY.decode(call.body)
    refusal = _not_open(request)
    if refusal is not None:
        return AcquirerPayResponse(result=refusal)
    outcome = await services.submit(_command(request, call))
    return _paid(outcome, call, services.public_url)


async def inquiry_payment(services: Services, call: Call) -> AcquirerInquiryResponse:
    """How a payment of this acquirer stands; our id wins. Raises ParamIllegal."""
    request = _INQUIRY.decode(call.body)
    payment = await find_payment(services, call, request.payment_id, request.payment_request_id)
    if payment is None:
        return AcquirerInquiryResponse(result=Result.of(ResultCode.ORDER_NOT_EXIST))
    transactions = await transactions_of(services, payment)
    paid = payment.state is PaymentState.SUCCESS
    return AcquirerInquiryResponse(
        result=Result.of(ResultCode.SUCCESS),
        payment_result=Result.of(wire.payment_code(payment)),
        acquirer_id=call.client.merchant_id.hex,
        psp_id=OWN_ISSUER,
        payment_request_id=payment.request_ref,
        payment_id=payment.id.hex,
        payment_amount=Amount.of(payment.amount),
        payment_time=wire.time_of(payment.finished_at) if paid else None,
        actual_payment_amount=wire.actual_payment(payment),
        customer_id=payment.customer_ref if paid else None,
        wallet_brand_name=payment.issuer if paid else None,
        mpp_payment_id=payment.authorization_id.hex if paid and payment.authorization_id else None,
        settlement_amount=wire.gross_settlement(payment),
        settlement_quote=wire.settlement_quote(payment) if paid else None,
        transactions=transactions or None,
    )


async def cancel_payment(services: Services, call: Call) -> AcquirerCancelResponse:
    """Undo a whole payment; our id wins. Raises ParamIllegal, and what the engine raises."""
    request = _CANCEL.decode(call.body)
    payment_id = id_or_none(request.payment_id)
    if request.payment_id and payment_id is None:
        return AcquirerCancelResponse(result=Result.of(ResultCode.ORDER_NOT_EXIST))
    outcome = await services.submit(
        Cancel(
            merchant_id=call.client.merchant_id,
            client_ref=call.client.client_ref,
            payment_id=payment_id,
            request_ref=None if payment_id else request.payment_request_id,
        )
    )
    payment = outcome.payment
    return AcquirerCancelResponse(
        result=outcome_result(outcome),
        acquirer_id=call.client.merchant_id.hex,
        psp_id=OWN_ISSUER,
        payment_request_id=payment.request_ref if payment else None,
        payment_id=payment.id.hex if payment else None,
    )


async def refund(services: Services, call: Call) -> AcquirerRefundResponse:
    """Give money back. There is no inquiry: the same request again is one. Raises as `pay` does."""
    request = _REFUND.decode(call.body)
    payment_id = await _payment_id(request, services, call)
    if payment_id is None:
        return AcquirerRefundResponse(result=Result.of(ResultCode.ORDER_NOT_EXIST))
    outcome = await services.submit(
        Refund(
            merchant_id=call.client.merchant_id,
            client_ref=call.client.client_ref,
            request_ref=request.refund_request_id,
            payment_id=payment_id,
            amount=request.refund_amount.money(),
            reason=request.refund_reason or None,
        )
    )
    return _refunded(outcome, call)


def _not_open(request: AcquirerPayRequest) -> Result | None:
    """What the interface knows and Comptoir does not do yet; the request id is not used up."""
    factor = request.payment_factor
    if factor.is_agreement_payment:
        what = "paymentFactor.isAgreementPayment true"
    elif factor.is_in_store_payment and factor.in_store_payment_scenario not in _SCENARIOS:
        what = "paymentFactor.inStorePaymentScenario EntryCode"
    elif request.payment_method.payment_method_type != _WALLET:
        return Result.of(
            ResultCode.UNAVAILABLE_PAYMENT_METHOD, f"paymentMethod.paymentMethodType must be {_WALLET}"
        )
    else:
        return None
    return Result.of(ResultCode.BUSINESS_NOT_SUPPORT, f"{what} is not open here")


def _command(request: AcquirerPayRequest, call: Call) -> Pay:
    factor, merchant = request.payment_factor, request.order.merchant
    scenario = None
    if factor.is_in_store_payment and factor.in_store_payment_scenario is not None:
        scenario = _SCENARIOS[factor.in_store_payment_scenario]
    store = merchant.store if merchant else None
    settlement = request.settlement_strategy
    return Pay(
        merchant_id=call.client.merchant_id,
        client_ref=call.client.client_ref,
        request_ref=request.payment_request_id,
        sandbox=call.client.sandbox,
        product=Product.IN_STORE if factor.is_in_store_payment else Product.CASHIER,
        scenario=scenario,
        amount=request.payment_amount.money(),
        method_type=request.payment_method.payment_method_type,
        code=request.payment_method.payment_method_id if scenario is Scenario.PAYMENT_CODE else None,
        issuer=OWN_ISSUER,
        settlement_currency=(settlement.settlement_currency or None) if settlement else None,
        expires_at=request.expires_at,
        store_ref=store.reference_store_id if store else None,
        terminal_ref=store.store_terminal_id if store else None,
        notify_url=request.payment_notify_url or call.client.notify_url,
        redirect_url=request.payment_redirect_url,
        details=_details(request.order),
    )


def _details(order: Order) -> dict[str, Any]:
    """Who is paid and for what, as people are shown it. `storeName` is what the traveller reads."""
    merchant = order.merchant
    store = merchant.store if merchant else None
    name = merchant and (merchant.merchant_display_name or merchant.merchant_name)
    shown = {
        "orderId": order.reference_order_id,
        "description": order.order_description,
        wire.ACQUIRER_MERCHANT: merchant.reference_merchant_id if merchant else None,
        "merchantName": merchant.merchant_name if merchant else None,
        "merchantMCC": merchant.merchant_mcc if merchant else None,
        "storeName": (store and (store.store_display_name or store.store_name)) or name,
    }
    return {member: text for member, text in shown.items() if text}


def _paid(outcome: Outcome, call: Call, public_url: str) -> AcquirerPayResponse:
    payment, result = outcome.payment, outcome_result(outcome)
    if payment is None or result.result_code == ResultCode.REPEAT_REQ_INCONSISTENT:
        return AcquirerPayResponse(result=result)
    paid = payment.state is PaymentState.SUCCESS
    return AcquirerPayResponse(
        result=result,
        acquirer_id=call.client.merchant_id.hex,
        psp_id=OWN_ISSUER,
        payment_request_id=payment.request_ref,
        payment_id=payment.id.hex,
        payment_amount=Amount.of(payment.amount),
        payment_time=wire.time_of(payment.finished_at) if paid else None,
        actual_payment_amount=wire.actual_payment(payment),
        normal_url=page_of(payment, public_url),
        order_code_form=order_form(payment, public_url),
    )


async def _payment_id(request: AcquirerRefundRequest, services: Services, call: Call) -> UUID | None:
    """The payment a refund is of, by our id or by the acquirer's."""
    if request.payment_id:
        return id_or_none(request.payment_id)
    key = (call.client.merchant_id, call.client.client_ref, request.payment_request_id or "")
    (rows,) = await services.read([acquiring.payments_by_request([key])])
    return next((one.id for one in acquiring.decode_payments(rows)), None)


def _refunded(outcome: Outcome, call: Call) -> AcquirerRefundResponse:
    given, result = outcome.refund, outcome_result(outcome)
    if given is None or result.result_code == ResultCode.REPEAT_REQ_INCONSISTENT:
        return AcquirerRefundResponse(result=result)
    done = given.state is RefundState.SUCCESS
    return AcquirerRefundResponse(
        result=result,
        acquirer_id=call.client.merchant_id.hex,
        psp_id=OWN_ISSUER,
        refund_request_id=given.request_ref,
        refund_id=given.id.hex,
        refund_amount=Amount.of(given.amount),
        actual_refund_amount=wire.actual_refund(given),
        refund_time=wire.time_of(given.finished_at) if done else None,
        settlement_amount=Amount.of(given.settlement) if done and given.settlement else None,
        settlement_quote=wire.settlement_quote(outcome.payment) if done and outcome.payment else None,
    )
