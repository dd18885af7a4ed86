"""The rules of refunds: of a payment, of what was captured, of one capture."""

from __future__ import annotations

from datetime import datetime, timedelta

from comptoir.acquiring.api import errors as acquiring
from comptoir.flows import api as flows
from tests.simulation.oracle.kept import Kept, due, ours, plus, theirs
from tests.simulation.oracle.types import Back, Parts, Payment, Taking, Wrong


def refund(kept: Kept, command: flows.Refund, outcome: flows.Outcome, now: datetime) -> str:
    """A merchant gives money back."""
    key = (command.merchant_id, command.client_ref, command.request_ref)
    known = kept.backs.get(key)
    if known is not None:
        return state_of(known) if _what(known.command) == _what(command) else acquiring.REQUEST_REUSED
    payment = kept.named(command.merchant_id, command.payment_id)
    if payment is None:
        return acquiring.PAYMENT_UNKNOWN
    taking = kept.takings_by_id.get(command.capture_id) if command.capture_id else None
    if command.capture_id and (taking is None or taking.payment is not payment or taking.failure):
        return acquiring.CAPTURE_UNKNOWN
    made = outcome.refund
    if made is None or made.id in kept.backs_by_id:
        raise Wrong(f"{command} was answered {outcome.code} without a record of its own")
    back = Back(made.id, command, payment, "FAIL")
    kept.backs[key] = kept.backs_by_id[made.id] = back
    back.failure = _refusal(kept, payment, taking, command, now)
    if back.failure is None:
        _give_back(kept, back, taking)
    if command.notify_url and back.state != "PROCESSING":
        kept.notices.append(("notify.refund", back.id))
    return state_of(back)


def _what(command: flows.Refund) -> tuple[object, ...]:
    return command.payment_id, command.amount, command.capture_id


def _refusal(
    kept: Kept, payment: Payment, taking: Taking | None, command: flows.Refund, now: datetime
) -> str | None:
    amount = payment.amount
    if payment.state == "CANCELLED":
        return acquiring.PAYMENT_CANCELLED
    if payment.state != "SUCCESS":
        return acquiring.PAYMENT_NOT_PAID
    if command.amount.currency != amount.currency:
        return acquiring.REFUND_CURRENCY
    if payment.mode is not None and not payment.captured:
        return acquiring.PAYMENT_NOT_PAID
    if payment.refunded + command.amount.minor > taken(payment):
        return acquiring.REFUND_EXCEEDS
    if taking is not None and taking.refunded + command.amount.minor > taking.amount.minor:
        return acquiring.REFUND_EXCEEDS
    days = kept.terms[command.merchant_id].window_days
    if now > (payment.finished or payment.created) + timedelta(days=days):
        return acquiring.REFUND_WINDOW
    return None


def taken(payment: Payment) -> int:
    """What the merchant got of a payment: all, or what was captured."""
    return payment.amount.minor if payment.mode is None else payment.captured


def share(payment: Payment, minor: int) -> Parts:
    """What goes back on each side for so much of a payment."""
    if payment.theirs:
        whole = (0, 0, payment.settlement)
    else:
        whole = payment.whole if payment.mode is None else payment.took
    # One minor unit too many may be gone already after a refund that was refused, or a claim that was lost.
    return due(whole, payment.gave, payment.refunded + minor, taken(payment))


def _give_back(kept: Kept, back: Back, taking: Taking | None) -> None:
    payment, amount = back.payment, back.command.amount.minor
    part = share(payment, amount)
    if kept.too_poor(payment.command.merchant_id, part[2]):
        back.failure = acquiring.MERCHANT_BALANCE
        return
    back.settlement = part[2]
    if payment.theirs:
        back.state = "PROCESSING"
        kept.hold(theirs(payment, amount, back.settlement), back=True)
    else:
        assert payment.ask is not None
        back.state = "SUCCESS"
        kept.post(ours(payment, part), -1)
        payment.ask.refunded += part[0] + part[1]
    payment.refunded, payment.gave = payment.refunded + amount, plus(payment.gave, part)
    if taking is not None:
        taking.refunded += amount


def state_of(back: Back) -> str:
    """What is answered to whoever asks for this refund."""
    return back.failure or (flows.REFUND_IN_PROCESS if back.state == "PROCESSING" else flows.OK)
