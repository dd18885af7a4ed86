"""subscriptions/*: a payment that comes again every period, once the traveller has agreed."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from comptoir.acquiring import api as acquiring
from comptoir.acquiring.api import (
    AgreementState,
    PaymentState,
    PaymentView,
    Period,
    PeriodType,
    SubscriptionsAsked,
    SubscriptionState,
    SubscriptionView,
    Trial,
)
from comptoir.flows import wire
from comptoir.flows.agreements import auth_code, consent_address, digest, new_consent_code
from comptoir.flows.api import OK, ChangeSubscription, EndSubscription, OpenAgreement, OpenSubscription
from comptoir.gateway.call import Call
from comptoir.gateway.operations.account import check_account
from comptoir.gateway.operations.services import Services, id_or_none, wallet_refusal
from comptoir.gateway.results import outcome_result
from comptoir.kernel.ids import new_id
from comptoir.kernel.statements import Statement
from comptoir.standards.antom.errors import ParamIllegal
from comptoir.standards.antom.messages import (
    Amount,
    CancellationType,
    Codec,
    InquireSubscriptionListResponse,
    InquireSubscriptionPaymentResponse,
    InquireSubscriptionResponse,
    Paginator,
    PaymentMethod,
    PeriodRule,
    PhasePayment,
    Result,
    SubscriptionAnswer,
    SubscriptionCancelRequest,
    SubscriptionChangeRequest,
    SubscriptionCreateRequest,
    SubscriptionCreateResponse,
    SubscriptionInfo,
    SubscriptionInquiryRequest,
    SubscriptionInquiryResponse,
    SubscriptionListRequest,
    SubscriptionPaymentsRequest,
    SubscriptionUpdateRequest,
)
from comptoir.standards.antom.messages.subscriptions import SubscriptionStatusName, time_or_none
from comptoir.standards.antom.results import ResultCode
from comptoir.standards.antom.times import format_time, parse_time

_CREATE: Final = Codec(SubscriptionCreateRequest)
_CHANGE: Final = Codec(SubscriptionChangeRequest)
_UPDATE: Final = Codec(SubscriptionUpdateRequest)
_CANCEL: Final = Codec(SubscriptionCancelRequest)
_INQUIRY: Final = Codec(SubscriptionInquiryRequest)
_LIST: Final = Codec(SubscriptionListRequest)
_PAYMENTS: Final = Codec(SubscriptionPaymentsRequest)

#: So long ago a list begins by default (docs.antom.com "inquireSubscriptionList", November 2026).
_RECENT: Final = timedelta(days=7)


async def create(services: Services, call: Call) -> SubscriptionCreateResponse:
    """Put up the page on which the traveller approves. Raises ParamIllegal, and what the engine raises."""
    request = _CREATE.decode(call.body)
    await check_account(services, call, request.merchant_account_id)
    method = request.payment_method.payment_method_type
    refusal = wallet_refusal(method, "paymentMethod.paymentMethodType")
    if refusal is not None:
        return SubscriptionCreateResponse(result=refusal)
    outcome = await services.submit(_command(request, call))
    page = outcome.agreement
    if outcome.code != OK:
        return SubscriptionCreateResponse(result=outcome_result(outcome))
    if page is None or page.state is AgreementState.DECLINED or call.now >= page.expires_at:
        return SubscriptionCreateResponse(result=Result.of(ResultCode.ORDER_IS_CLOSED))
    return SubscriptionCreateResponse(
        result=outcome_result(outcome), normal_url=consent_address(services.public_url, page.consent_code)
    )


def _command(request: SubscriptionCreateRequest, call: Call) -> OpenSubscription:
    code = new_consent_code()
    settlement = request.settlement_strategy
    floor = request.max_amount_floor
    amount = request.payment_amount.money()
    return OpenSubscription(
        agreement=OpenAgreement(
            id=new_id(),
            merchant_id=call.client.merchant_id,
            client_ref=call.client.client_ref,
            consent_code=code,
            grant_hash=digest(auth_code(code)),
            state_ref=request.subscription_request_id,
            method_type=request.payment_method.payment_method_type,
            redirect_url=request.subscription_redirect_url,
            sandbox=call.client.sandbox,
            notify_url=request.subscription_notification_url or call.client.notify_url,
        ),
        request_ref=request.subscription_request_id,
        input_hash=_hash(
            request.subscription_description,
            amount,
            request.period_rule,
            request.subscription_start_time,
            request.subscription_end_time,
            request.trials,
            floor,
            request.allow_retry,
            request.payment_method.payment_method_type,
        ),
        description=request.subscription_description,
        amount=amount,
        period=_period(request.period_rule),
        start_at=parse_time(request.subscription_start_time, "subscriptionStartTime"),
        end_at=time_or_none(request.subscription_end_time, "subscriptionEndTime"),
        expires_at=time_or_none(request.subscription_expiry_time, "subscriptionExpiryTime"),
        ceiling=floor.money().minor if floor else None,
        trials=tuple(
            Trial(one.trial_amount.money().minor, one.trial_start_period, one.last)
            for one in request.trials or ()
        ),
        allow_retry=request.allow_retry is not False,
        settlement_currency=(settlement.settlement_currency or None) if settlement else None,
        payment_notify_url=request.payment_notification_url or call.client.notify_url,
    )


async def change(services: Services, call: Call) -> SubscriptionAnswer:
    """Other terms from the next period on. Raises ParamIllegal, and what the engine raises."""
    request = _CHANGE.decode(call.body)
    return await _change(services, call, request.subscription_change_request_id, request, "CHANGE", None)


async def update(services: Services, call: Call) -> SubscriptionAnswer:
    """The same, and the next period may be moved. Raises ParamIllegal, and what the engine raises."""
    request = _UPDATE.decode(call.body)
    moved = time_or_none(request.next_subscription_date, "nextSubscriptionDate")
    return await _change(services, call, request.subscription_update_request_id, request, "UPDATE", moved)


async def _change(
    services: Services,
    call: Call,
    request_ref: str,
    request: SubscriptionChangeRequest | SubscriptionUpdateRequest,
    event: str,
    next_at: datetime | None,
) -> SubscriptionAnswer:
    subscription_id = id_or_none(request.subscription_id)
    if subscription_id is None:
        return SubscriptionAnswer(result=Result.of(ResultCode.ORDER_NOT_EXIST))
    amount = request.payment_amount.money() if request.payment_amount else None
    command = ChangeSubscription(
        merchant_id=call.client.merchant_id,
        client_ref=call.client.client_ref,
        request_ref=request_ref,
        subscription_id=subscription_id,
        input_hash=_hash(
            event,
            subscription_id,
            request.subscription_description,
            amount,
            request.period_rule,
            request.subscription_end_time,
            next_at,
        ),
        event=event,
        description=request.subscription_description or None,
        amount=amount,
        period=_period(request.period_rule) if request.period_rule else None,
        end_at=time_or_none(request.subscription_end_time, "subscriptionEndTime"),
        next_at=next_at,
    )
    return SubscriptionAnswer(result=outcome_result(await services.submit(command)))


async def cancel(services: Services, call: Call) -> SubscriptionAnswer:
    """End a subscription. Raises ParamIllegal, and what the engine raises."""
    request = _CANCEL.decode(call.body)
    subscription_id = id_or_none(request.subscription_id)
    if request.subscription_id and subscription_id is None:
        return SubscriptionAnswer(result=Result.of(ResultCode.ORDER_NOT_EXIST))
    command = EndSubscription(
        merchant_id=call.client.merchant_id,
        client_ref=call.client.client_ref,
        at_once=request.cancellation_type is CancellationType.TERMINATE,
        subscription_id=subscription_id,
        request_ref=None if subscription_id else request.subscription_request_id,
    )
    return SubscriptionAnswer(result=outcome_result(await services.submit(command)))


async def inquiry(services: Services, call: Call) -> SubscriptionInquiryResponse:
    """How a subscription stands. Raises ParamIllegal."""
    one = await _find(services, call)
    if one is None:
        return SubscriptionInquiryResponse(result=Result.of(ResultCode.ORDER_NOT_EXIST))
    return SubscriptionInquiryResponse(
        result=Result.of(ResultCode.SUCCESS),
        subscription_id=one.id.hex,
        subscription_request_id=one.request_ref,
        subscription_status=wire.subscription_status(one),
        period_rule=wire.period_rule(one),
        payment_amount=Amount.of(one.amount),
        subscription_start_time=format_time(one.start_at),
        subscription_end_time=wire.time_of(one.end_at),
        allow_retry="true" if one.allow_retry else "false",
        max_amount_floor=wire.ceiling(one),
    )


async def inquire_subscription(services: Services, call: Call) -> InquireSubscriptionResponse:
    """The same in its newer form. Raises ParamIllegal."""
    one = await _find(services, call)
    if one is None:
        return InquireSubscriptionResponse(result=Result.of(ResultCode.ORDER_NOT_EXIST))
    return InquireSubscriptionResponse(result=Result.of(ResultCode.SUCCESS), subscription=_info(one))


async def inquire_subscription_list(services: Services, call: Call) -> InquireSubscriptionListResponse:
    """A page of the merchant's subscriptions. Raises ParamIllegal."""
    request = _LIST.decode(call.body)
    await check_account(services, call, request.merchant_account_id)
    page, size = request.current_page, request.page_size
    rows, counted = await services.read(
        acquiring.subscriptions_page(_asked(request, call), size, (page - 1) * size)
    )
    return InquireSubscriptionListResponse(
        result=Result.of(ResultCode.SUCCESS),
        subscriptions=[_info(one) for one in acquiring.decode_subscriptions(rows)],
        paginator=_paginator(page, size, counted[0][0]),
    )


def _asked(request: SubscriptionListRequest, call: Call) -> SubscriptionsAsked:
    """The filters of a request, or their defaults. Raises ParamIllegal for a time that is none."""
    begin = time_or_none(request.start_time_from, "startTimeFrom") or call.now - _RECENT
    end = time_or_none(request.start_time_to, "startTimeTo") or call.now
    if begin >= end:
        raise ParamIllegal(
            "startTimeFrom (7 days ago if left out) must be before startTimeTo (now if left out)",
            field="startTimeFrom",
        )
    return SubscriptionsAsked(
        merchant_id=call.client.merchant_id,
        begin=begin,
        end=end,
        states=[SubscriptionState(one.value.lower()) for one in request.statuses or SubscriptionStatusName],
        currencies=request.currencies or (),
        method_types=request.payment_method_types or (),
        period_kinds=[PeriodType(one.value) for one in request.period_types or ()],
    )


async def inquire_subscription_payment(services: Services, call: Call) -> InquireSubscriptionPaymentResponse:
    """A page of a subscription's payments. Raises ParamIllegal."""
    request = _PAYMENTS.decode(call.body)
    await check_account(services, call, request.merchant_account_id)
    subscription_id, merchant_id = id_or_none(request.subscription_id), call.client.merchant_id
    if subscription_id is None:
        return InquireSubscriptionPaymentResponse(result=Result.of(ResultCode.ORDER_NOT_EXIST))
    page, size = request.current_page, request.page_size
    states = [PaymentState(one.value) for one in request.payment_statuses or ()]
    known, links, counted = await services.read(
        [
            acquiring.subscriptions_by_id([(merchant_id, subscription_id)]),
            *acquiring.payments_of_subscription(
                merchant_id, subscription_id, states, size, (page - 1) * size
            ),
        ]
    )
    if not known:
        return InquireSubscriptionPaymentResponse(result=Result.of(ResultCode.ORDER_NOT_EXIST))
    keys = [(merchant_id, payment_id) for _, payment_id, _ in links]
    rows = (await services.read([acquiring.payments_by_id(keys)]))[0] if keys else []
    payments = {one.id: one for one in acquiring.decode_payments(rows)}
    return InquireSubscriptionPaymentResponse(
        result=Result.of(ResultCode.SUCCESS),
        payments=[_phase(phase, payments[payment_id], dispute_id) for phase, payment_id, dispute_id in links],
        paginator=_paginator(page, size, counted[0][0]),
    )


def _phase(number: int, payment: PaymentView, dispute_id: UUID | None) -> PhasePayment:
    return PhasePayment(
        payment_id=payment.id.hex,
        status=payment.state.value,
        phase_no=number,
        payment_method=PaymentMethod(payment_method_type=payment.method_type),
        payment_amount=Amount.of(payment.amount),
        payment_time=wire.time_of(payment.finished_at) if payment.state is PaymentState.SUCCESS else None,
        dispute_id=dispute_id.hex if dispute_id else None,
    )


async def _find(services: Services, call: Call) -> SubscriptionView | None:
    request = _INQUIRY.decode(call.body)
    await check_account(services, call, request.merchant_account_id)
    question: Statement
    if request.subscription_id:
        subscription_id = id_or_none(request.subscription_id)
        if subscription_id is None:
            return None
        question = acquiring.subscriptions_by_id([(call.client.merchant_id, subscription_id)])
    else:
        key = (call.client.merchant_id, call.client.client_ref, request.subscription_request_id or "")
        question = acquiring.subscriptions_by_request([key])
    found = acquiring.decode_subscriptions((await services.read([question]))[0])
    return found[0] if found else None


def _info(one: SubscriptionView) -> SubscriptionInfo:
    running = acquiring.rules.running_phase(one)
    return SubscriptionInfo(
        subscription_id=one.id.hex,
        subscription_request_id=one.request_ref,
        subscription_description=one.description,
        status=wire.subscription_status(one),
        period_rule=wire.period_rule(one),
        payment_method=PaymentMethod(payment_method_type=one.method_type),
        payment_amount=Amount.of(one.amount),
        subscription_start_time=format_time(one.start_at),
        subscription_end_time=wire.time_of(one.end_at),
        current_phase_no=running.number or None,
        current_period_start=wire.time_of(running.begins),
        current_period_end=wire.time_of(running.ends),
        allow_retry=one.allow_retry,
        max_amount_floor=wire.ceiling(one),
    )


def _paginator(page: int, size: int, count: int) -> Paginator:
    return Paginator(current_page=page, page_size=size, total_page=-(-count // size), total_count=count)


def _period(rule: PeriodRule) -> Period:
    return Period(PeriodType(rule.period_type.value), rule.period_count)


def _hash(*parts: object) -> bytes:
    """What must be the same for a repeated request to be a repeat: all that was asked for."""
    return hashlib.sha256("\x1f".join(map(repr, parts)).encode()).digest()
