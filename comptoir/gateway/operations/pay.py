"""pay: take a payment: in a shop (the buyer's code or ours), online (our cashier page), or as was agreed."""

from __future__ import annotations

from typing import Any, Final

from comptoir.acquiring.api import CaptureMode, PaymentState, PaymentView, Product, Scenario
from comptoir.flows import wire
from comptoir.flows.agreements import digest
from comptoir.flows.api import AskedQuote, Outcome, Pay
from comptoir.gateway.call import Call
from comptoir.gateway.operations.account import check_account
from comptoir.gateway.operations.services import (
    Services,
    id_or_none,
    wallet_refusal,
)
from comptoir.gateway.results import outcome_result
from comptoir.standards import order_code
from comptoir.standards.antom import messages
from comptoir.standards.antom.errors import ParamIllegal
from comptoir.standards.antom.messages import (
    Amount,
    Codec,
    CodeDetail,
    InStorePaymentScenario,
    Order,
    OrderCodeForm,
    PayRequest,
    PayResponse,
    ProductCode,
    Quote,
)
from comptoir.standards.antom.results import ResultCode
from comptoir.standards.antom.times import format_time

_PRODUCTS: Final = {
    ProductCode.IN_STORE_PAYMENT: Product.IN_STORE,
    ProductCode.CASHIER_PAYMENT: Product.CASHIER,
    ProductCode.AGREEMENT_PAYMENT: Product.AGREEMENT,
}

_REQUEST: Final = Codec(PayRequest)


async def pay(services: Services, call: Call) -> PayResponse:
    """Take a payment. Raises ParamIllegal, and what the engine raises."""
    request = _REQUEST.decode(call.body)
    await check_account(services, call, request.merchant_account_id)
    in_store = request.product_code is ProductCode.IN_STORE_PAYMENT
    scanned = in_store and request.scenario is InStorePaymentScenario.PAYMENT_CODE
    name = request.payment_method.payment_method_type
    refusal = wallet_refusal(name, "paymentMethod.paymentMethodType", services.method_types(scanned=scanned))
    if refusal is not None:
        return PayResponse(result=refusal)
    outcome = await services.submit(_command(request, call))
    return _answer(outcome, services.public_url)


def _command(request: PayRequest, call: Call) -> Pay:
    product = _PRODUCTS[request.product_code]
    in_store = product is Product.IN_STORE and request.scenario is not None
    scenario = Scenario(request.scenario.value) if in_store and request.scenario else None
    store = request.order.merchant.store if request.order.merchant else None
    env = request.environment
    settlement = request.settlement_strategy
    presented = request.payment_method.payment_method_id
    agreed = product is Product.AGREEMENT
    return Pay(
        merchant_id=call.client.merchant_id,
        client_ref=call.client.client_ref,
        request_ref=request.payment_request_id,
        sandbox=call.client.sandbox,
        product=product,
        scenario=scenario,
        amount=request.payment_amount.money(),
        method_type=request.payment_method.payment_method_type,
        code=presented if scenario is Scenario.PAYMENT_CODE else None,
        token_hash=digest(presented) if agreed and presented else None,
        settlement_currency=(settlement.settlement_currency or None) if settlement else None,
        expires_at=request.expires_at,
        store_ref=store.reference_store_id if store else None,
        terminal_ref=(env.store_terminal_id if env else None) or (store.store_terminal_id if store else None),
        notify_url=request.payment_notify_url or call.client.notify_url,
        redirect_url=request.payment_redirect_url,
        details=details_of(request.order) | _given(request),
        quote=asked_quote(request.payment_quote, request.processing_amount),
        capture_mode=mode_of(request.capture_mode),
    )


def asked_quote(quote: Quote | None, total: Amount | None) -> AskedQuote | None:
    """The price the merchant was offered and asks for. Raises ParamIllegal for an id that is none of ours."""
    if quote is None:
        return None
    quote_id = id_or_none(quote.quote_id)
    if quote_id is None:
        raise ParamIllegal("paymentQuote.quoteId: there is no such quote", field="paymentQuote.quoteId")
    return AskedQuote(id=quote_id, rate=quote.rate(), total=total.money() if total else None)


def mode_of(asked: messages.CaptureMode | None) -> CaptureMode | None:
    """Who captures, in the acquirer's word."""
    return CaptureMode(asked.value) if asked else None


def _given(request: PayRequest) -> dict[str, Any]:
    return wire.Given(
        metadata=request.metadata,
        customized_info=request.customized_info,
        extend_info=request.extend_info,
        merchant_account_id=request.merchant_account_id,
    ).details()


def details_of(order: Order) -> dict[str, Any]:
    """What people are shown of the order. Never used in a decision."""
    merchant = order.merchant
    shown = {
        "orderId": order.reference_order_id,
        "description": order.order_description,
        "merchantName": merchant.merchant_name if merchant else None,
        "storeName": merchant.store.store_name if merchant and merchant.store else None,
    }
    return {name: text for name, text in shown.items() if text}


def _answer(outcome: Outcome, public_url: str) -> PayResponse:
    payment = outcome.payment
    result = outcome_result(outcome)
    if payment is None or result.result_code == ResultCode.REPEAT_REQ_INCONSISTENT:
        return PayResponse(result=result)
    paid = payment.state is PaymentState.SUCCESS
    return PayResponse(
        result=result,
        payment_request_id=payment.request_ref,
        payment_id=payment.id.hex,
        payment_amount=Amount.of(payment.amount),
        payment_create_time=format_time(payment.created_at),
        payment_time=wire.time_of(payment.finished_at) if paid else None,
        auth_expiry_time=wire.time_of(payment.auth_expires_at) if paid else None,
        normal_url=page_of(payment, public_url),
        order_code_form=order_form(payment, public_url),
        actual_payment_amount=wire.actual_payment(payment),
        processing_amount=wire.processing(payment),
        payment_quote=wire.payment_quote(payment) if paid else None,
        gross_settlement_amount=wire.gross_settlement(payment) if paid else None,
        settlement_quote=wire.settlement_quote(payment) if paid else None,
        psp_customer_info=wire.customer(payment) if paid else None,
    )


def page_of(payment: PaymentView, public_url: str) -> str | None:
    """Where the buyer is to be sent; None once it is over, or where the till itself shows the code."""
    return None if payment.scenario is Scenario.ORDER_CODE else _address(payment, public_url)


def order_form(payment: PaymentView, public_url: str) -> OrderCodeForm | None:
    """The code the till draws, as text; None once it is over, or where there is a page."""
    address = _address(payment, public_url)
    if address is None or payment.scenario is not Scenario.ORDER_CODE:
        return None
    return OrderCodeForm(
        expire_time=format_time(payment.expires_at),
        code_details=[CodeDetail(code_value=address, display_type="TEXT", code_value_type="QRCODE")],
        payment_method_type=payment.method_type,
    )


def _address(payment: PaymentView, public_url: str) -> str | None:
    """The address of an order that waits to be scanned."""
    if payment.state is not PaymentState.PROCESSING or payment.order_code is None:
        return None
    return order_code.build(public_url, payment.order_code)
