"""The rules for what another issuer answers."""

from __future__ import annotations

from datetime import datetime

from comptoir.acquiring.api import errors as acquiring
from comptoir.flows import api as flows
from comptoir.wallet.api import AnswerState
from tests.simulation.oracle.kept import Kept, theirs
from tests.simulation.oracle.payments import close, current
from tests.simulation.oracle.refunds import state_of


def settle(kept: Kept, command: flows.Settle, outcome: flows.Outcome, now: datetime) -> str:
    """About a payment."""
    payment = kept.named(command.merchant_id, command.payment_id)
    if payment is None or not payment.theirs:
        return acquiring.PAYMENT_UNKNOWN
    if payment.state == "PROCESSING" and command.answer.state is AnswerState.SUCCEEDED:
        legs = theirs(payment, payment.amount.minor, payment.settlement)
        kept.hold(legs, -1)
        kept.post(legs)
        payment.state, payment.finished, payment.was_paid = "SUCCESS", now, True
        kept.tell("notify.payment", payment.id, payment)
    elif payment.state == "PROCESSING" and command.answer.state is AnswerState.FAILED:
        close(kept, payment, command.answer.code or "acquiring.failed", now)
    return current(payment)


def settle_refund(kept: Kept, command: flows.SettleRefund, outcome: flows.Outcome, now: datetime) -> str:
    """About a refund."""
    back = kept.backs_by_id.get(command.refund_id)
    if back is None:
        return acquiring.PAYMENT_UNKNOWN
    if back.state == "PROCESSING" and command.answer.state in (AnswerState.SUCCEEDED, AnswerState.FAILED):
        payment, amount = back.payment, back.command.amount.minor
        legs = theirs(payment, amount, back.settlement)
        kept.hold(legs, -1, back=True)
        if command.answer.state is AnswerState.SUCCEEDED:
            back.state = "SUCCESS"
            kept.post(legs, -1)
        else:
            back.state, back.failure = "FAIL", command.answer.code
            payment.refunded -= amount
            mid, margin, owed = payment.gave
            payment.gave = mid, margin, owed - back.settlement
        if back.command.notify_url:
            kept.notices.append(("notify.refund", back.id))
    return state_of(back)
