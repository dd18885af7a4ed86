"""The rules of authorizations: what is held is captured in parts, made larger or smaller, and let go."""

from __future__ import annotations

from datetime import datetime

from comptoir.acquiring.api import CaptureMode
from comptoir.acquiring.api import errors as acquiring
from comptoir.flows import api as flows
from comptoir.kernel.money import Money
from comptoir.ledger.api import Role
from comptoir.wallet.api import errors as wallet
from tests.simulation.oracle.kept import Kept, china_day, due, ours, plus
from tests.simulation.oracle.types import Ask, Change, Payment, Taking, Wrong


def capture(kept: Kept, command: flows.Capture, outcome: flows.Outcome, now: datetime) -> str:
    """All or part of what is held is taken."""
    key = (command.merchant_id, command.client_ref, command.request_ref)
    known = kept.takings.get(key)
    if known is not None:
        same = known.command and _what(known.command) == _what(command)
        return known.failure or flows.OK if same else acquiring.REQUEST_REUSED
    payment = kept.named(command.merchant_id, command.payment_id)
    if payment is None:
        return acquiring.PAYMENT_UNKNOWN
    made = outcome.capture
    if made is None or made.id in kept.takings_by_id:
        raise Wrong(f"{command} was answered {outcome.code} without a record of its own")
    taking = Taking(made.id, command, payment, command.amount)
    kept.takings[key] = kept.takings_by_id[made.id] = taking
    taking.failure = _refusal(payment, command.amount, now)
    after = payment.captured + command.amount.minor
    if taking.failure is None and (not payment.held or after > payment.amount.minor):
        taking.failure = acquiring.CAPTURE_EXCEEDS
    if taking.failure is None:
        _take(kept, payment, after, now, last=command.last)
    kept.tell("notify.capture", taking.id, payment)
    return taking.failure or flows.OK


def _what(command: flows.Capture | flows.UpdateAmount) -> tuple[object, ...]:
    return command.payment_id, command.amount


def _refusal(payment: Payment, amount: Money, now: datetime) -> str | None:
    """Why nothing can be done to what is held."""
    if payment.mode is not CaptureMode.MANUAL:
        return acquiring.AUTHORIZATION_MISSING
    if payment.held_until is not None and (payment.cancelled or now) >= payment.held_until:
        return acquiring.AUTHORIZATION_EXPIRED
    if payment.state == "CANCELLED":
        return acquiring.AUTHORIZATION_CANCELLED
    if payment.state != "SUCCESS":
        return acquiring.PAYMENT_NOT_PAID
    if amount.currency != payment.amount.currency:
        return acquiring.CAPTURE_CURRENCY
    return None


def _take(kept: Kept, payment: Payment, after: int, now: datetime, *, last: bool) -> None:
    """The merchant gets its share so far; the one that completes gets the rest."""
    part = due(payment.whole, payment.took, after, payment.amount.minor)
    kept.hold(ours(payment, part), -1)
    kept.post(ours(payment, part))
    payment.captured, payment.took = after, plus(payment.took, part)
    assert payment.ask is not None
    payment.ask.captured += part[0] + part[1]
    if last or after == payment.amount.minor:
        _empty(kept, payment, now)


def _empty(kept: Kept, payment: Payment, now: datetime) -> None:
    """Whatever is still held is held no longer."""
    ask = payment.ask
    assert ask is not None
    kept.hold(ours(payment, plus(payment.whole, payment.took, -1)), -1)
    payment.held, ask.state = False, "released"
    let_go(ask, ask.total - ask.captured, now)


def release(kept: Kept, payment: Payment, now: datetime) -> None:
    """What was not captured is let go; if nothing was, the payment is over."""
    _empty(kept, payment, now)
    if not payment.captured:
        payment.state, payment.cancelled = "CANCELLED", now


def let_go(ask: Ask, minor: int, now: datetime) -> None:
    """What comes back on the day it was spent may be spent again that day."""
    if ask.spent_on == china_day(now):
        ask.purse.spent[ask.spent_on] -= minor


def update_amount(kept: Kept, command: flows.UpdateAmount, outcome: flows.Outcome, now: datetime) -> str:
    """What is held becomes more, or less."""
    key = (command.merchant_id, command.client_ref, command.request_ref)
    known = kept.changes.get(key)
    if known is not None:
        same = _what(known.command) == _what(command)
        return known.failure or flows.OK if same else acquiring.REQUEST_REUSED
    payment = kept.named(command.merchant_id, command.payment_id)
    if payment is None:
        return acquiring.PAYMENT_UNKNOWN
    made = outcome.update
    if made is None or made.id in kept.changes_by_id:
        raise Wrong(f"{command} was answered {outcome.code} without a record of its own")
    change = Change(made.id, command)
    kept.changes[key] = kept.changes_by_id[made.id] = change
    change.failure = _refusal(payment, command.amount, now)
    if change.failure is None and payment.captured:
        change.failure = acquiring.UPDATE_AFTER_CAPTURE
    if change.failure is None:
        change.failure = _change(kept, payment, command.amount, now)
    kept.tell("notify.amount", change.id, payment)
    return change.failure or flows.OK


def _change(kept: Kept, payment: Payment, amount: Money, now: datetime) -> str | None:
    """Hold another amount at the same price; or why it cannot be."""
    ask = payment.ask
    assert ask is not None
    purse, bps = ask.purse, kept.terms[payment.command.merchant_id].margin_bps
    total = kept.converted(amount.minor, amount.currency, "CNY", bps)
    more = total - ask.total
    if more > 0:
        if total > purse.most:
            return wallet.PAYMENT_LIMIT
        if purse.spent[china_day(now)] + more > purse.day_limit:
            return wallet.DAY_LIMIT
        if total - ask.approved > purse.no_pin:
            return wallet.PAYMENT_LIMIT
        if kept.free(purse.id, Role.WALLET, "CNY") < more:
            return wallet.BALANCE_INSUFFICIENT
        purse.spent[china_day(now)] += more
    else:
        let_go(ask, -more, now)
    kept.hold(ours(payment, payment.whole), -1)
    ask.total, ask.margin = total, total - kept.converted(amount.minor, amount.currency, "CNY")
    payment.amount, payment.settlement = amount, kept.converted(amount.minor, amount.currency, "EUR")
    kept.hold(ours(payment, payment.whole))
    return None
