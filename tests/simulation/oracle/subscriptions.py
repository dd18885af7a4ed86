"""The rules of subscriptions: asked for, approved, charged each period, changed, ended."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from comptoir.acquiring.api import PeriodType, Product, SubscriptionView
from comptoir.acquiring.api import errors as acquiring
from comptoir.flows import api as flows
from comptoir.kernel.clock import CHINA
from comptoir.kernel.money import Money
from tests.simulation.oracle import agreements, payments
from tests.simulation.oracle.kept import Kept
from tests.simulation.oracle.types import Subscription, Wrong

_DAY = timedelta(days=1)
#: A phase that was not paid is tried again so many days after it was due, before the next begins.
_TRIES = (1, 3, 7)


def open_subscription(
    kept: Kept, command: flows.OpenSubscription, outcome: flows.Outcome, now: datetime
) -> str:
    """A merchant asks a traveller to be let charge every period."""
    asked = command.agreement
    key = (asked.merchant_id, asked.client_ref, command.request_ref)
    known = kept.by_subscribing.get(key)
    if known is not None:
        return flows.OK if known.command.input_hash == command.input_hash else acquiring.REQUEST_REUSED
    if not 1 <= command.period.count <= 10 or command.start_at < now - _DAY:
        return acquiring.SUBSCRIPTION_INVALID
    if command.end_at is not None and command.end_at <= max(command.start_at, now):
        return acquiring.SUBSCRIPTION_INVALID
    if command.expires_at is not None and command.expires_at <= now:
        return acquiring.SUBSCRIPTION_INVALID
    if command.amount.currency not in kept.terms[asked.merchant_id].currencies:
        return acquiring.CURRENCY_NOT_SUPPORTED
    agreements.open_agreement(kept, asked, outcome, now)
    agreement = kept.agreements[asked.id]
    if command.expires_at is not None:
        agreement.until = command.expires_at
    agreement.until = min(agreement.until, now + 2 * _DAY)
    most = max([command.ceiling or 0, command.amount.minor, *(one.amount for one in command.trials)])
    made = Subscription(
        command, agreement, command.amount, most, command.period, command.start_at, command.end_at
    )
    agreement.subscription = kept.subscriptions[asked.id] = kept.by_subscribing[key] = made
    return flows.OK


def change(kept: Kept, command: flows.ChangeSubscription, outcome: flows.Outcome, now: datetime) -> str:
    """Other terms from the next phase on, up to what was agreed."""
    key = (command.merchant_id, command.client_ref, command.event, command.request_ref)
    if key in kept.new_terms:
        return flows.OK if kept.new_terms[key] == command.input_hash else acquiring.REQUEST_REUSED
    one = _named(kept, command.merchant_id, command.subscription_id)
    if one is None:
        return acquiring.SUBSCRIPTION_UNKNOWN
    if one.state != "active":
        return acquiring.SUBSCRIPTION_CLOSED
    amount = command.amount or one.amount
    if amount.currency != one.amount.currency:
        return acquiring.SUBSCRIPTION_INVALID
    if amount.minor > one.ceiling:
        return acquiring.SUBSCRIPTION_CEILING
    if command.end_at is not None and command.end_at <= now:
        return acquiring.SUBSCRIPTION_INVALID
    # A phase that is tried again keeps its own period.
    first = one.phase + (one.attempt > 1)
    if command.next_at is not None and not now + _DAY <= command.next_at <= begins(one, first + 1):
        return acquiring.SUBSCRIPTION_DATE
    if command.next_at is not None or command.period is not None:
        if one.attempt > 1:
            return acquiring.SUBSCRIPTION_INVALID
        start = command.next_at or begins(one, first)
        one.period = command.period or one.period
        one.anchor, one.anchor_at, one.next = first, start, start
    one.amount, one.end = amount, command.end_at or one.end
    kept.new_terms[key] = command.input_hash
    agreements.tell(kept, one, command.event)
    return flows.OK


def end_subscription(
    kept: Kept, command: flows.EndSubscription, outcome: flows.Outcome, now: datetime
) -> str:
    """The merchant charges nothing more; what nobody has approved is withdrawn."""
    if command.subscription_id is not None:
        one = _named(kept, command.merchant_id, command.subscription_id)
    else:
        one = kept.by_subscribing.get((command.merchant_id, command.client_ref, command.request_ref or ""))
    if one is None:
        return acquiring.SUBSCRIPTION_UNKNOWN
    if one.ended is None:
        word = ("terminated", "TERMINATE") if command.at_once else ("cancelled", "CANCEL")
        _over(kept, one, *word, now)
    return flows.OK


def renew(kept: Kept, command: flows.Renew, outcome: flows.Outcome, now: datetime) -> str:
    """The phase that is due is charged: each try once."""
    one = _named(kept, command.merchant_id, command.subscription_id)
    if one is None or one.next is None or now < one.next:
        return flows.OK
    if (one.phase, one.attempt) != (command.phase, command.attempt):
        return flows.OK
    begin = begins(one, one.phase)
    if one.end is not None and begin >= one.end:
        _over(kept, one, "terminated", "TERMINATE", now)
        return flows.OK
    amount = _price(one)
    if not amount:
        _forward(one)
        return flows.OK
    asked = one.command.agreement
    charge = flows.Pay(
        merchant_id=asked.merchant_id,
        client_ref=asked.client_ref,
        request_ref=f"sub-{asked.id.hex}-{one.phase}-{one.attempt}",
        product=Product.AGREEMENT,
        scenario=None,
        amount=Money(amount, one.amount.currency),
        method_type=asked.method_type,
        agreement_id=asked.id,
        notify_url=one.command.payment_notify_url,
    )
    said = payments.pay(kept, charge, outcome, now)
    payment = kept.payments[asked.merchant_id, asked.client_ref, charge.request_ref]
    one.charges[one.phase, one.attempt] = payment
    again = begin + timedelta(days=_TRIES[one.attempt - 1]) if one.attempt <= len(_TRIES) else None
    if (
        payment.was_paid
        or again is None
        or not one.command.allow_retry
        or again >= begins(one, one.phase + 1)
    ):
        _forward(one)
    else:
        one.attempt, one.next = one.attempt + 1, again
    return said


def begins(one: Subscription, phase: int) -> datetime:
    """When a phase begins: so many periods after the anchor, by the calendar of China."""
    number = (phase - one.anchor) * one.period.count
    match one.period.kind:
        case PeriodType.DAY:
            return one.anchor_at + number * _DAY
        case PeriodType.WEEK:
            return one.anchor_at + 7 * number * _DAY
        case _:
            local = one.anchor_at.astimezone(CHINA)
            year, month = local.year, local.month + number
            while month > 12:
                year, month = year + 1, month - 12
            last = monthrange(year, month)[1]
            return local.replace(year=year, month=month, day=min(local.day, last)).astimezone(
                one.anchor_at.tzinfo
            )


def _price(one: Subscription) -> int:
    for trial in one.command.trials:
        if trial.first <= one.phase <= trial.last:
            return trial.amount
    return one.amount.minor


def _forward(one: Subscription) -> None:
    one.next = begins(one, one.phase + 1)
    one.phase, one.attempt = one.phase + 1, 1


def _named(kept: Kept, merchant_id: UUID, id: UUID | None) -> Subscription | None:
    found = kept.subscriptions.get(id) if id else None
    return found if found and found.command.agreement.merchant_id == merchant_id else None


def _over(kept: Kept, one: Subscription, state: str, event: str, now: datetime) -> None:
    """It ends, and with it the agreement that it stands on, or the page that asked for it."""
    if one.agreement.state == "open":
        one.agreement.state = "declined"
    elif one.agreement.state != "declined":
        agreements.end(kept, one.agreement, now)
    agreements.stop(kept, one, state, event, now)


def same(kept: Kept, said: SubscriptionView) -> None:
    """The record in an answer is the subscription as it stands."""
    one = kept.subscriptions.get(said.id)
    if one is None or (said.state.value, said.phase, said.next_at) != (one.state, one.phase, one.next):
        raise Wrong(f"an answer says {said}, and it is {one}")


#: What a merchant may be told, and the states in which that can be so.
_TOLD = {
    "CREATE": ("active", "cancelled", "terminated"),
    "CHANGE": ("active", "cancelled", "terminated"),
    "UPDATE": ("active", "cancelled", "terminated"),
    "CANCEL": ("cancelled",),
    "TERMINATE": ("terminated",),
}


def heard(kept: Kept, said: dict[str, Any]) -> tuple[str, UUID]:
    """A merchant hears of a subscription, and it is so."""
    one = kept.subscriptions.get(UUID(said["subscriptionId"]))
    event = said["subscriptionNotificationType"]
    if one is None or one.state not in _TOLD[event]:
        raise Wrong(f"a merchant was told of a subscription that is not so: {said}, it is {one}")
    return f"notify.subscription {event}", one.agreement.command.id


def prove(kept: Kept, links: Collection[object]) -> None:
    """In the end nothing is charged any more, no phase was paid twice, none cost more than was agreed."""
    charges = 0
    for one in kept.subscriptions.values():
        charges += len(one.charges)
        paid = [phase for (phase, _), payment in one.charges.items() if payment.was_paid]
        if len(paid) != len(set(paid)):
            raise Wrong(f"{one} paid a phase twice")
        if any(payment.amount.minor > one.ceiling for payment in one.charges.values()):
            raise Wrong(f"{one} was charged more than was agreed")
        if one.state == "active":
            raise Wrong(f"{one} was never ended")
    if charges != len(links):
        raise Wrong(f"there are {len(links)} charges of subscriptions, and ought to be {charges}")
