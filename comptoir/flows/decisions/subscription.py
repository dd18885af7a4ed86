"""Subscriptions: asked for, changed, renewed, ended. Each stands on the agreement of the same id."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from msgspec.structs import replace

from comptoir.acquiring import api as acquiring
from comptoir.acquiring.api import (
    AgreementEnd,
    AgreementState,
    PaymentState,
    SubscriptionChange,
    SubscriptionPayment,
    SubscriptionState,
    SubscriptionView,
)
from comptoir.flows.decisions.agreement import ended, open_agreement, over_with
from comptoir.flows.decisions.pay import pay
from comptoir.flows.engine.decision import Decision, SubscriptionEvent, refuse
from comptoir.flows.engine.renewal import phase_payment
from comptoir.flows.engine.world import World
from comptoir.flows.types import (
    OK,
    ChangeSubscription,
    EndSubscription,
    OpenSubscription,
    Outcome,
    Renew,
)
from comptoir.kernel.clock import isoformat
from comptoir.kernel.errors import ComptoirError

#: When no payment can even be asked for (rates too old, a suspended merchant), the phase waits so long.
_POSTPONED: Final = timedelta(hours=1)

#: The interface lets a traveller take less than 48 hours (antom-api.md §2.18).
_LONGEST_CONSENT: Final = timedelta(hours=48)

#: A merchant may ask a little after the start that it names.
_LATE: Final = timedelta(days=1)


def open_subscription(command: OpenSubscription, world: World) -> Decision:
    """Put up the page on which a traveller may approve. Nothing is charged before that."""
    known = world.subscription_of(command)
    if known is not None:
        if known.input_hash != command.input_hash:
            return refuse(acquiring.errors.REQUEST_REUSED, "the request id was used for another subscription")
        return _stands(known, world.agreement_of(command))
    asked = command.agreement
    try:
        _check(command, world)
        acquiring.rules.contract_for(
            world.merchants.get(asked.merchant_id), command.amount.currency, command.settlement_currency
        )
    except ComptoirError as error:
        return refuse(error.code, error.message, field=error.field)
    opened = open_agreement(asked, world)
    if opened.agreement is None:
        return opened
    wanted = command.expires_at or opened.agreement.expires_at
    page = replace(opened.agreement, expires_at=min(wanted, world.now + _LONGEST_CONSENT))
    made = SubscriptionView(
        id=asked.id,
        merchant_id=asked.merchant_id,
        client_ref=asked.client_ref,
        request_ref=command.request_ref,
        input_hash=command.input_hash,
        description=command.description,
        amount=command.amount,
        ceiling=max(command.ceiling or 0, command.amount.minor, *(t.amount for t in command.trials), 0),
        period=command.period,
        state=SubscriptionState.OPEN,
        created_at=world.now,
        start_at=command.start_at,
        anchor_at=command.start_at,
        method_type=asked.method_type,
        end_at=command.end_at,
        trials=command.trials,
        allow_retry=command.allow_retry,
        settlement_currency=command.settlement_currency,
        notify_url=asked.notify_url,
        payment_notify_url=command.payment_notify_url,
    )
    return Decision(
        outcome=Outcome(code=OK, agreement=page, subscription=made), agreement=page, subscription=made
    )


def _check(command: OpenSubscription, world: World) -> None:
    """Raises Refused for terms that cannot be."""
    acquiring.rules.check_period(command.period)
    if command.start_at < world.now - _LATE:
        raise _wrong("the start has passed", "subscriptionStartTime")
    if command.end_at is not None and command.end_at <= max(command.start_at, world.now):
        raise _wrong("the end is not after the start", "subscriptionEndTime")
    if command.expires_at is not None and command.expires_at <= world.now:
        raise _wrong("the time to approve has passed", "subscriptionExpiryTime")


def _wrong(message: str, field: str) -> acquiring.Refused:
    return acquiring.Refused(message, code=acquiring.errors.SUBSCRIPTION_INVALID, field=field)


def change_subscription(command: ChangeSubscription, world: World) -> Decision:
    """Other terms from the next phase on. More than the traveller agreed to is refused."""
    known = world.subscription_changes.get(
        (command.merchant_id, command.client_ref, command.event, command.request_ref)
    )
    one = world.subscription_of(command)
    if known is not None:
        if known.input_hash != command.input_hash:
            return refuse(acquiring.errors.REQUEST_REUSED, "the request id was used for another change")
        return _stands(one, None)
    if one is None:
        return refuse(acquiring.errors.SUBSCRIPTION_UNKNOWN, "no such subscription", field="subscriptionId")
    if one.state is not SubscriptionState.ACTIVE:
        return refuse(acquiring.errors.SUBSCRIPTION_CLOSED, "the subscription is not active")
    try:
        changed = _changed(command, one, world)
    except ComptoirError as error:
        return refuse(error.code, error.message, field=error.field)
    return Decision(
        outcome=Outcome(code=OK, subscription=changed),
        subscription=changed,
        subscription_event=SubscriptionEvent(command.event),
        subscription_change=SubscriptionChange(
            merchant_id=command.merchant_id,
            client_ref=command.client_ref,
            event=command.event,
            request_ref=command.request_ref,
            subscription_id=one.id,
            input_hash=command.input_hash,
            created_at=world.now,
        ),
    )


def _changed(command: ChangeSubscription, one: SubscriptionView, world: World) -> SubscriptionView:
    """The subscription with its new terms. Raises Refused."""
    amount = command.amount or one.amount
    if amount.currency != one.amount.currency:
        raise _wrong("the currency stays as it is", "paymentAmount.currency")
    if amount.minor > one.ceiling:
        raise acquiring.Refused(
            "more than the traveller agreed to",
            code=acquiring.errors.SUBSCRIPTION_CEILING,
            field="paymentAmount",
        )
    if command.end_at is not None and command.end_at <= world.now:
        raise _wrong("the end has passed", "subscriptionEndTime")
    changed = replace(
        one,
        description=command.description or one.description,
        amount=amount,
        end_at=command.end_at or one.end_at,
    )
    # A phase that is being tried again keeps its own period: the next one is the first of the new kind.
    first = one.phase if one.attempt == 1 else one.phase + 1
    begins = acquiring.rules.phase_start(one, first)
    if command.next_at is not None:
        _check_moved(command.next_at, begins, acquiring.rules.phase_start(one, first + 1), world)
        begins = command.next_at
    if command.period is not None:
        acquiring.rules.check_period(command.period)
    if command.next_at is None and command.period is None:
        return changed
    if one.attempt > 1:
        raise _wrong("a payment is being tried again: change its period afterwards", "periodRule")
    return replace(
        changed,
        period=command.period or one.period,
        anchor_at=begins,
        anchor_phase=first,
        before_anchor_at=acquiring.rules.running_phase(one).begins,
        next_at=begins,
    )


def _check_moved(moved: datetime, planned: datetime, after: datetime, world: World) -> None:
    """A phase may begin a day ahead at least, and at most one period later than planned. Raises Refused.

    The SDK's docstring of nextSubscriptionDate (November 2026): within one cycle, and 24 hours ahead at
    least, else PROCESS_FAIL.
    """
    if world.now + timedelta(days=1) <= moved <= after:
        return
    raise acquiring.Refused(
        f"must be at least 24 hours ahead and at most one period after {isoformat(planned)}",
        code=acquiring.errors.SUBSCRIPTION_DATE,
        field="nextSubscriptionDate",
    )


def end_subscription(command: EndSubscription, world: World) -> Decision:
    """Nothing more is charged. At once, or with what was paid running out: only the word differs.

    One that nobody has approved is withdrawn: its page can be approved no more.
    """
    one = world.subscription_of(command)
    if one is None:
        return refuse(acquiring.errors.SUBSCRIPTION_UNKNOWN, "no such subscription", field="subscriptionId")
    if one.state in (SubscriptionState.CANCELLED, SubscriptionState.TERMINATED):
        return _stands(one, None)
    state = SubscriptionState.TERMINATED if command.at_once else SubscriptionState.CANCELLED
    event = SubscriptionEvent.TERMINATE if command.at_once else SubscriptionEvent.CANCEL
    return _over(one, state, event, world, command)


def renew(command: Renew, world: World) -> Decision:
    """Charge the phase that is due, once: the payment and where the subscription stands are one decision."""
    one = world.subscription_of(command)
    due = one is not None and one.next_at is not None and one.next_at <= world.now
    if one is None or not due or (one.phase, one.attempt) != (command.phase, command.attempt):
        return Decision(outcome=Outcome(code=OK, subscription=one))
    begins = acquiring.rules.phase_start(one, one.phase)
    if one.end_at is not None and begins >= one.end_at:
        return _over(one, SubscriptionState.TERMINATED, SubscriptionEvent.TERMINATE, world, command)
    amount = acquiring.rules.phase_amount(one, one.phase)
    if not amount.minor:
        return Decision(outcome=Outcome(code=OK), subscription=_next_phase(one))
    paid = _settled(one, command, pay(phase_payment(one, command), world), world)
    if paid.if_refused is None:
        return paid
    return replace(paid, if_refused=_settled(one, command, paid.if_refused, world))


def _settled(one: SubscriptionView, command: Renew, paid: Decision, world: World) -> Decision:
    """The payment's decision, and where the subscription stands after it."""
    payment = paid.outcome.payment
    if payment is None:
        return replace(paid, subscription=replace(one, next_at=world.now + _POSTPONED))
    again = None if payment.state is PaymentState.SUCCESS else acquiring.rules.next_try(one)
    later = _next_phase(one) if again is None else replace(one, attempt=one.attempt + 1, next_at=again)
    link = SubscriptionPayment(
        merchant_id=one.merchant_id,
        subscription_id=one.id,
        phase=command.phase,
        attempt=command.attempt,
        payment_id=payment.id,
    )
    return replace(paid, subscription=later, subscription_payment=link)


def _next_phase(one: SubscriptionView) -> SubscriptionView:
    begins = acquiring.rules.phase_start(one, one.phase + 1)
    return replace(one, phase=one.phase + 1, attempt=1, next_at=begins)


def _over(
    one: SubscriptionView,
    state: SubscriptionState,
    event: SubscriptionEvent,
    world: World,
    command: EndSubscription | Renew,
) -> Decision:
    """The subscription ends, and with it the agreement that it stands on, or the page that asks for it."""
    over = over_with(one, state, world)
    agreement = world.agreement_of(command)
    base = Decision(outcome=Outcome(code=OK, agreement=agreement))
    if agreement is not None and agreement.state is AgreementState.OPEN:
        base = replace(base, agreement=replace(agreement, state=AgreementState.DECLINED))
    elif agreement is not None and agreement.state is not AgreementState.DECLINED:
        base = ended(agreement, AgreementEnd.MERCHANT, world)
    outcome = replace(base.outcome, subscription=over)
    return replace(base, outcome=outcome, subscription=over, subscription_event=event)


def _stands(one: SubscriptionView | None, agreement: acquiring.AgreementView | None) -> Decision:
    """It is so already."""
    return Decision(outcome=Outcome(code=OK, subscription=one, agreement=agreement))
