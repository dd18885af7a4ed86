"""Claims against payments: opened by the operator, answered by the merchant, judged, or run out of time.

A chargeback is a refund that the merchant did not ask for. It is held of the merchant's from the day it is
opened, under the dispute's id and at the payment's own rate, and made final or let go by what becomes of the
dispute. So refunds and chargebacks together never exceed what was paid.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from comptoir.acquiring import api as acquiring
from comptoir.acquiring.api import (
    AcceptReason,
    DisputeKind,
    DisputeState,
    DisputeView,
    PaymentView,
    RefundState,
    RefundView,
)
from comptoir.flows.decisions.issuer import is_theirs
from comptoir.flows.decisions.refund import refund_credit
from comptoir.flows.engine import issuer_legs
from comptoir.flows.engine.decision import Decision, DisputeEvent, Parts, refund_legs, refuse
from comptoir.flows.engine.world import World
from comptoir.flows.types import (
    OK,
    AcceptDispute,
    DefendDispute,
    JudgeDispute,
    LookAtDispute,
    OpenDispute,
    Outcome,
    WithdrawDispute,
)
from comptoir.kernel.errors import InvariantBroken
from comptoir.kernel.money import Money
from comptoir.ledger.api import Phase, Transfer

#: A dispute whose time is up, and whose merchant cannot pay, is looked at again after so long.
_TRY_AGAIN = timedelta(hours=1)

_WAITING = (DisputeState.OPEN, DisputeState.DEFENDED)


def open_dispute(command: OpenDispute, world: World) -> Decision:
    """Record a claim, and hold its money if the merchant has it. The same id again gets the same answer."""
    known = world.disputes.get(command.dispute_id)
    payment = world.payment_of(command)
    if known is not None:
        same = (known.payment_id, known.kind, known.amount)
        if same != (command.payment_id, command.kind, command.amount):
            return refuse(acquiring.errors.REQUEST_REUSED, "the id belongs to another dispute")
        return _said(known, payment)
    if payment is None:
        return refuse(acquiring.errors.PAYMENT_UNKNOWN, "no such payment")
    if command.due_at <= world.now:
        return refuse(acquiring.errors.EXPIRY_INVALID, "a defense is due some time from now")
    reason = acquiring.rules.dispute_refusal(payment, command.amount, command.kind)
    if reason is not None:
        return refuse(reason, "not so much of this payment can be disputed", payment=payment)
    opened = DisputeView(
        id=command.dispute_id,
        merchant_id=command.merchant_id,
        payment_id=payment.id,
        kind=command.kind,
        amount=command.amount,
        reason_code=command.reason_code,
        reason=command.reason,
        state=DisputeState.OPEN,
        created_at=world.now,
        due_at=command.due_at,
        look_at=acquiring.rules.dispute_alert(world.now, command.due_at),
    )
    told = {"document": command.evidence, "dispute_event": DisputeEvent.CREATED}
    if command.kind is not DisputeKind.CHARGEBACK:
        return _said(opened, payment, dispute=opened, **told)
    refund = _claimed(opened, payment)
    after = _counted(payment, refund, 1)
    held = replace(opened, held=True)
    # A merchant that has too little now is disputed all the same; the money is asked for when it is lost.
    unheld = _said(opened, after, dispute=opened, payment=after, refund=refund, **told)
    return _said(
        held,
        after,
        transfers=_holds(payment, refund),
        dispute=held,
        payment=after,
        refund=refund,
        if_refused=unheld,
        **told,
    )


def accept_dispute(command: AcceptDispute, world: World) -> Decision:
    """The merchant gives in, or we do for it. A second call of the merchant's is refused."""
    dispute, payment, closed = _waiting(command, world, merchants=command.reason is AcceptReason.MERCHANT)
    if closed is not None or dispute is None or payment is None:
        return closed or refuse(acquiring.errors.DISPUTE_UNKNOWN, "names no dispute", field="disputeId")
    return _accepted(dispute, payment, world, command.reason, command.call_id)


def defend_dispute(command: DefendDispute, world: World) -> Decision:
    """The merchant sends its papers: the dispute waits for a judgment."""
    dispute, payment, closed = _waiting(command, world, merchants=True)
    if closed is not None or dispute is None:
        return closed or refuse(acquiring.errors.DISPUTE_UNKNOWN, "names no dispute", field="disputeId")
    defended = replace(
        dispute,
        state=DisputeState.DEFENDED,
        look_at=None,
        defended_at=world.now,
        changed_by=command.call_id,
    )
    return _said(
        defended,
        payment,
        dispute=defended,
        document=command.document,
        dispute_event=DisputeEvent.DEFENSE_SUPPLIED,
    )


def judge_dispute(command: JudgeDispute, world: World) -> Decision:
    """The operator decides. Judging the same again changes nothing."""
    final = DisputeState.WON if command.won else DisputeState.LOST
    return _ended(command, world, final, DisputeEvent.JUDGED)


def withdraw_dispute(command: WithdrawDispute, world: World) -> Decision:
    """Whoever claimed gives up."""
    return _ended(command, world, DisputeState.CANCELLED, DisputeEvent.CANCELLED)


def look_at_dispute(command: LookAtDispute, world: World) -> Decision:
    """Remind the merchant, or accept for it when its time is up; do nothing when it is neither."""
    dispute, payment = _named(command, world)
    if dispute is None or payment is None:
        return refuse(acquiring.errors.DISPUTE_UNKNOWN, "no such dispute")
    if dispute.look_at is None or world.now < dispute.look_at:
        return _said(dispute, payment)
    if world.now < dispute.due_at:
        reminded = replace(dispute, look_at=dispute.due_at)
        return _said(reminded, payment, dispute=reminded, dispute_event=DisputeEvent.DEFENSE_DUE_ALERT)
    later = replace(dispute, look_at=world.now + _TRY_AGAIN)
    waits = replace(_poor(dispute, payment), dispute=later)
    return replace(_accepted(dispute, payment, world, AcceptReason.TIMEOUT, ""), if_refused=waits)


def _named(
    command: AcceptDispute | DefendDispute | JudgeDispute | WithdrawDispute | LookAtDispute, world: World
) -> tuple[DisputeView | None, PaymentView | None]:
    """The dispute that a command is about and its payment, if both are the merchant's and belong together."""
    dispute, payment = world.disputes.get(command.dispute_id), world.payment_of(command)
    if dispute is None or payment is None or dispute.merchant_id != command.merchant_id:
        return None, None
    return (dispute, payment) if dispute.payment_id == payment.id else (None, None)


def _waiting(
    command: AcceptDispute | DefendDispute, world: World, *, merchants: bool
) -> tuple[DisputeView | None, PaymentView | None, Decision | None]:
    """The dispute that waits and its payment; or the decision that ends the matter first.

    What is the merchant's to do (`merchants`) it does once, and in time.
    """
    dispute, payment = _named(command, world)
    if dispute is None or payment is None:
        return None, None, None
    if command.call_id and dispute.changed_by == command.call_id:
        return dispute, payment, _said(dispute, payment)
    if dispute.state is not DisputeState.OPEN and (merchants or dispute.state is not DisputeState.DEFENDED):
        closed = refuse(acquiring.errors.DISPUTE_CLOSED, "the dispute has been answered", field="disputeId")
        return dispute, payment, closed
    if merchants and world.now >= dispute.due_at:
        late = refuse(acquiring.errors.DISPUTE_LATE, "the time for an answer is up", field="disputeId")
        return dispute, payment, late
    return dispute, payment, None


def _ended(
    command: JudgeDispute | WithdrawDispute, world: World, final: DisputeState, event: DisputeEvent
) -> Decision:
    dispute, payment = _named(command, world)
    if dispute is None or payment is None:
        return refuse(acquiring.errors.DISPUTE_UNKNOWN, "no such dispute")
    if dispute.state is final:
        return _said(dispute, payment)
    if dispute.state not in _WAITING:
        return refuse(acquiring.errors.DISPUTE_CLOSED, "the dispute has ended otherwise")
    over = replace(dispute, state=final, look_at=None, ended_at=world.now)
    settle = _give_back if final is DisputeState.LOST else _let_go
    return settle(over, payment, world, event)


def _accepted(
    dispute: DisputeView, payment: PaymentView, world: World, reason: AcceptReason, call_id: str
) -> Decision:
    over = replace(
        dispute,
        state=DisputeState.ACCEPTED,
        look_at=None,
        ended_at=world.now,
        accept_reason=reason,
        changed_by=call_id,
    )
    return _give_back(over, payment, world, DisputeEvent.ACCEPTED)


def _give_back(over: DisputeView, payment: PaymentView, world: World, event: DisputeEvent) -> Decision:
    """The merchant has lost: what was held is the traveller's. What was not is asked of the merchant now."""
    if over.kind is not DisputeKind.CHARGEBACK:
        return _said(over, payment, dispute=over, dispute_event=event)
    refund = _refund_of(over, world)
    done = replace(refund, state=RefundState.SUCCESS, finished_at=world.now)
    holds = _holds(payment, refund)
    given: dict[str, Any] = {}
    if not is_theirs(payment):
        authorization = world.authorization_of(payment)
        if authorization is None or refund.wallet_amount is None:
            raise InvariantBroken(f"payment {payment.id.hex} was paid without an authorization")
        back = refund.wallet_amount
        given["authorization"] = replace(authorization, refunded=authorization.refunded + back.minor)
        given["credit"] = refund_credit(done, authorization, back, world)
    return _said(
        over,
        payment,
        transfers=issuer_legs.post(holds) if over.held else _at_once(holds),
        dispute=over,
        refund=done,
        dispute_event=event,
        if_refused=None if over.held else _poor(over, payment),
        **given,
    )


def _let_go(over: DisputeView, payment: PaymentView, world: World, event: DisputeEvent) -> Decision:
    """The merchant keeps its money: what was held is let go, and may be refunded again."""
    if over.kind is not DisputeKind.CHARGEBACK:
        return _said(over, payment, dispute=over, dispute_event=event)
    refund = _refund_of(over, world)
    before = _counted(payment, refund, -1)
    return _said(
        over,
        before,
        transfers=issuer_legs.void(_holds(payment, refund)) if over.held else (),
        dispute=over,
        payment=before,
        refund=replace(
            refund,
            state=RefundState.FAIL,
            failure_code=acquiring.errors.DISPUTE_CLOSED,
            finished_at=world.now,
        ),
        dispute_event=event,
    )


def _claimed(opened: DisputeView, payment: PaymentView) -> RefundView:
    """The refund that a chargeback is, while it is not decided."""
    shares = None if is_theirs(payment) else acquiring.rules.refund_shares(payment, opened.amount)
    settlement = shares.settlement if shares else acquiring.rules.settlement_share(payment, opened.amount)
    currency = payment.wallet_total.currency if payment.wallet_total else ""
    return RefundView(
        id=opened.id,
        merchant_id=opened.merchant_id,
        payment_id=payment.id,
        client_ref="",  # no client has this name, so no request of theirs meets it
        request_ref=opened.id.hex,
        input_hash=acquiring.rules.step_hash(payment.id.hex, opened.amount),
        amount=opened.amount,
        state=RefundState.PROCESSING,
        created_at=opened.created_at,
        wallet_amount=Money(shares.mid + shares.margin, currency) if shares else None,
        wallet_margin=Money(shares.margin, currency) if shares else None,
        settlement=Money(settlement, payment.settlement.currency),
        disputed=True,
    )


def _counted(payment: PaymentView, refund: RefundView, sign: int) -> PaymentView:
    """The payment with a claimed refund among its refunds, or (-1) no more among them."""
    ours = not is_theirs(payment)
    back = refund.wallet_amount.minor if ours and refund.wallet_amount else 0
    margin = refund.wallet_margin.minor if ours and refund.wallet_margin else 0
    return replace(
        payment,
        refunded=payment.refunded + sign * refund.amount.minor,
        wallet_refunded=payment.wallet_refunded + sign * back,
        margin_refunded=payment.margin_refunded + sign * margin,
        settlement_refunded=payment.settlement_refunded + sign * _minor(refund.settlement),
    )


def _holds(payment: PaymentView, refund: RefundView) -> tuple[Transfer, ...]:
    """What is held for a chargeback: the legs of the refund it may become."""
    settlement = _minor(refund.settlement)
    if is_theirs(payment):
        return issuer_legs.hold_refund(payment, refund.id, refund.amount.minor, settlement)
    if payment.wallet_id is None or refund.wallet_amount is None:
        raise InvariantBroken(f"payment {payment.id.hex} was paid by no wallet")
    margin = _minor(refund.wallet_margin)
    mid = refund.wallet_amount.minor - margin
    parts = Parts(payment.wallet_id, refund.wallet_amount.currency, mid, margin, settlement)
    return tuple(
        replace(leg, phase=Phase.PENDING, reverses_id=None) for leg in refund_legs(payment, parts, refund.id)
    )


def _at_once(holds: tuple[Transfer, ...]) -> tuple[Transfer, ...]:
    return tuple(replace(one, phase=Phase.POSTED) for one in holds)


def _refund_of(dispute: DisputeView, world: World) -> RefundView:
    refund = world.refunds_by_id.get(dispute.id)
    if refund is None or refund.state is not RefundState.PROCESSING:
        raise InvariantBroken(f"dispute {dispute.id.hex} waits, and its refund does not")
    return refund


def _poor(dispute: DisputeView, payment: PaymentView) -> Decision:
    why = "the merchant's balance is too low to give it back"
    return refuse(acquiring.errors.MERCHANT_BALANCE, why, payment=payment)


def _said(about: DisputeView, paid: PaymentView | None, **decided: Any) -> Decision:
    """A decision whose outcome is this dispute, done."""
    return Decision(outcome=Outcome(code=OK, payment=paid, dispute=about), **decided)


def _minor(money: Money | None) -> int:
    return money.minor if money is not None else 0
