"""The rules of disputes: claimed, answered, judged, given up, or out of time."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from uuid import UUID

from comptoir.acquiring.api import AcceptReason, DisputeKind, DisputeState, DisputeView, Document
from comptoir.acquiring.api import errors as acquiring
from comptoir.flows import api as flows
from tests.simulation.oracle.kept import Kept, Leg, ours, plus, theirs
from tests.simulation.oracle.refunds import share, taken
from tests.simulation.oracle.types import Back, Dispute, Payment, Wrong

_WAITING = ("OPEN", "DEFENDED")

_Answer = (
    flows.AcceptDispute
    | flows.DefendDispute
    | flows.JudgeDispute
    | flows.WithdrawDispute
    | flows.LookAtDispute
)


def open_dispute(kept: Kept, command: flows.OpenDispute, outcome: flows.Outcome, now: datetime) -> str:
    """Somebody claims a payment, or some of it."""
    known = kept.disputes.get(command.dispute_id)
    if known is not None:
        return flows.OK if _what(known.command) == _what(command) else acquiring.REQUEST_REUSED
    payment = kept.named(command.merchant_id, command.payment_id)
    if payment is None:
        return acquiring.PAYMENT_UNKNOWN
    if now >= command.due_at:
        return acquiring.EXPIRY_INVALID
    refused = _refusal(payment, command)
    if refused is not None:
        return refused
    # It is reminded of a day before, or when half of the time is gone.
    reminder = max(command.due_at - timedelta(days=1), command.due_at - (command.due_at - now) / 2)
    dispute = kept.disputes[command.dispute_id] = Dispute(command, payment, now, reminder)
    if command.kind is DisputeKind.CHARGEBACK:
        _claim(kept, dispute)
    _tell(kept, dispute, "DISPUTE_CREATED")
    return flows.OK


def _what(command: flows.OpenDispute) -> tuple[object, ...]:
    return command.payment_id, command.kind, command.amount


def _refusal(payment: Payment, command: flows.OpenDispute) -> str | None:
    if payment.state == "CANCELLED":
        return acquiring.PAYMENT_CANCELLED
    if payment.state != "SUCCESS" or not taken(payment):
        return acquiring.PAYMENT_NOT_PAID
    if command.amount.currency != payment.amount.currency:
        return acquiring.REFUND_CURRENCY
    gone = payment.refunded if command.kind is DisputeKind.CHARGEBACK else 0
    return acquiring.DISPUTE_EXCEEDS if gone + command.amount.minor > taken(payment) else None


def _claim(kept: Kept, dispute: Dispute) -> None:
    """A chargeback counts among the refunds at once, and is held of what the merchant has, if it has it."""
    command, payment = dispute.command, dispute.payment
    dispute.parts = share(payment, command.amount.minor)
    dispute.held = not kept.too_poor(command.merchant_id, dispute.parts[2])
    if dispute.held:
        kept.hold(_legs(dispute), back=True)
    payment.refunded += command.amount.minor
    payment.gave = plus(payment.gave, dispute.parts)
    asked = flows.Refund(
        merchant_id=command.merchant_id,
        client_ref="",
        request_ref=command.dispute_id.hex,
        payment_id=payment.id,
        amount=command.amount,
    )
    dispute.back = Back(command.dispute_id, asked, payment, "PROCESSING", settlement=dispute.parts[2])
    kept.backs[command.merchant_id, "", asked.request_ref] = dispute.back
    kept.backs_by_id[command.dispute_id] = dispute.back


def _legs(dispute: Dispute) -> list[Leg]:
    payment = dispute.payment
    if payment.theirs:
        return theirs(payment, dispute.command.amount.minor, dispute.parts[2])
    return ours(payment, dispute.parts)


def accept(kept: Kept, command: flows.AcceptDispute, outcome: flows.Outcome, now: datetime) -> str:
    """The merchant gives in, once and in time; or the operator does for it, as long as nothing is decided."""
    dispute = _named(kept, command)
    if dispute is None:
        return acquiring.DISPUTE_UNKNOWN
    by_merchant = command.reason is AcceptReason.MERCHANT
    if command.call_id and command.call_id == dispute.called:
        return flows.OK
    if dispute.state != "OPEN" and (by_merchant or dispute.state != "DEFENDED"):
        return acquiring.DISPUTE_CLOSED
    if by_merchant and now >= dispute.command.due_at:
        return acquiring.DISPUTE_LATE
    return _accepted(kept, dispute, command.reason, command.call_id, now)


def defend(kept: Kept, command: flows.DefendDispute, outcome: flows.Outcome, now: datetime) -> str:
    """The merchant sends its papers, once and in time."""
    dispute = _named(kept, command)
    if dispute is None:
        return acquiring.DISPUTE_UNKNOWN
    if command.call_id == dispute.called:
        return flows.OK
    if dispute.state != "OPEN":
        return acquiring.DISPUTE_CLOSED
    if now >= dispute.command.due_at:
        return acquiring.DISPUTE_LATE
    dispute.state, dispute.look, dispute.called = "DEFENDED", None, command.call_id
    dispute.defense, dispute.defended = command.document, now
    _tell(kept, dispute, "DEFENSE_SUPPLIED")
    return flows.OK


def judge(kept: Kept, command: flows.JudgeDispute, outcome: flows.Outcome, now: datetime) -> str:
    """The operator says who is right."""
    return _over(kept, command, "WON" if command.won else "LOST", "DISPUTE_JUDGED", now)


def withdraw(kept: Kept, command: flows.WithdrawDispute, outcome: flows.Outcome, now: datetime) -> str:
    """Whoever claimed gives up."""
    return _over(kept, command, "CANCELLED", "DISPUTE_CANCELLED", now)


def look_at(kept: Kept, command: flows.LookAtDispute, outcome: flows.Outcome, now: datetime) -> str:
    """The worker looks whether the time is up: silence is acceptance."""
    dispute = _named(kept, command)
    if dispute is None:
        return acquiring.DISPUTE_UNKNOWN
    if dispute.look is None or now < dispute.look:
        return flows.OK
    if now < dispute.command.due_at:
        dispute.look, dispute.reminded = dispute.command.due_at, True
        _tell(kept, dispute, "DEFENSE_DUE_ALERT")
        return flows.OK
    said = _accepted(kept, dispute, AcceptReason.TIMEOUT, "", now)
    if said != flows.OK:
        dispute.look = now + timedelta(hours=1)
    return said


def _named(kept: Kept, command: _Answer) -> Dispute | None:
    """A dispute by its id, if it is about this payment of this merchant's."""
    found = kept.disputes.get(command.dispute_id)
    if found is None or found.command.merchant_id != command.merchant_id:
        return None
    return found if found.payment.id == command.payment_id else None


def _over(
    kept: Kept, command: flows.JudgeDispute | flows.WithdrawDispute, final: str, event: str, now: datetime
) -> str:
    dispute = _named(kept, command)
    if dispute is None:
        return acquiring.DISPUTE_UNKNOWN
    if dispute.state == final:
        return flows.OK
    if dispute.state not in _WAITING:
        return acquiring.DISPUTE_CLOSED
    if final != "LOST":
        _let_go(kept, dispute)
    elif _poor(kept, dispute):
        return acquiring.MERCHANT_BALANCE
    else:
        _lose(kept, dispute)
    dispute.state, dispute.look, dispute.ended = final, None, now
    _tell(kept, dispute, event)
    return flows.OK


def _accepted(kept: Kept, dispute: Dispute, reason: AcceptReason, called: str, now: datetime) -> str:
    if _poor(kept, dispute):
        return acquiring.MERCHANT_BALANCE
    _lose(kept, dispute)
    dispute.state, dispute.look, dispute.ended = "ACCEPTED", None, now
    dispute.accepted, dispute.called = reason.value, called
    _tell(kept, dispute, "DISPUTE_ACCEPTED")
    return flows.OK


def _poor(kept: Kept, dispute: Dispute) -> bool:
    """Whether a merchant of which nothing is held has too little still."""
    claims = dispute.back is not None and not dispute.held
    return claims and kept.too_poor(dispute.command.merchant_id, dispute.parts[2])


def _lose(kept: Kept, dispute: Dispute) -> None:
    """The money goes back: off the merchant, and into the wallet, or off what the other issuer owes."""
    if dispute.back is None:
        return
    payment, (mid, margin, _) = dispute.payment, dispute.parts
    if dispute.held:
        kept.hold(_legs(dispute), -1, back=True)
    kept.post(_legs(dispute), -1)
    dispute.back.state = "SUCCESS"
    payment.charged_back += dispute.command.amount.minor
    if payment.ask is not None and not payment.theirs:
        payment.ask.refunded += mid + margin


def _let_go(kept: Kept, dispute: Dispute) -> None:
    """The merchant keeps its money, and may give it back itself."""
    if dispute.back is None:
        return
    if dispute.held:
        kept.hold(_legs(dispute), -1, back=True)
    dispute.back.state, dispute.back.failure = "FAIL", acquiring.DISPUTE_CLOSED
    dispute.payment.refunded -= dispute.command.amount.minor
    dispute.payment.gave = plus(dispute.payment.gave, dispute.parts, -1)


def _tell(kept: Kept, dispute: Dispute, event: str) -> None:
    """Told wherever the merchant may be found: silence would lose the dispute."""
    kept.notices.append((f"notify.dispute {event}", dispute.command.dispute_id))


def same(kept: Kept, said: DisputeView) -> None:
    """The record in an answer is the dispute as it stands."""
    dispute = kept.disputes.get(said.id)
    if dispute is None or (said.state, said.held, said.amount) != (
        dispute.state, dispute.held, dispute.command.amount,
    ):  # fmt: skip
        raise Wrong(f"an answer says {said}, and it is {dispute}")


def believe(kept: Kept, said: DisputeView) -> None:
    """What somebody was told of a dispute is so, or was so before it was answered or ended."""
    dispute = kept.disputes.get(said.id)
    waited = said.state is DisputeState.OPEN or said.defended_at is not None
    true = dispute is not None and said.defended_at in (None, dispute.defended)
    ended = said.state not in _WAITING
    if dispute is None or not true or not (said.state == dispute.state if ended else waited):
        raise Wrong(f"told {said}, and it is not so: {dispute}")


#: What is told of a dispute that has come to an end: the state it must be in.
_ENDS = {
    "disputeAcceptTime": ("ACCEPTED",),
    "disputeJudgedTime": ("WON", "LOST"),
    "disputeCancelledTime": ("CANCELLED",),
}


def heard(kept: Kept, said: dict[str, object]) -> tuple[str, UUID]:
    """A merchant hears of a dispute: that is so, and nothing is said to have ended that has not."""
    dispute = kept.disputes.get(UUID(str(said["disputeId"])))
    event = str(said["disputeNotificationType"])
    if dispute is None or not _happened(dispute, event):
        raise Wrong(f"a merchant was told of a dispute that is not so: {said}")
    ended = [states for name, states in _ENDS.items() if name in said]
    if any(dispute.state not in states for states in ended):
        raise Wrong(f"a merchant was told of an end that is not so: {said}, it is {dispute}")
    if said["paymentId"] != dispute.payment.id.hex or (
        "defenseSuppliedTime" in said and not dispute.defended
    ):
        raise Wrong(f"a merchant was told of a dispute that is not so: {said}")
    return f"notify.dispute {event}", dispute.command.dispute_id


def _happened(dispute: Dispute, event: str) -> bool:
    match event:
        case "DISPUTE_CREATED":
            return True
        case "DEFENSE_DUE_ALERT":
            return dispute.reminded
        case "DEFENSE_SUPPLIED":
            return dispute.defended is not None
        case "DISPUTE_ACCEPTED":
            return dispute.state == "ACCEPTED"
        case "DISPUTE_JUDGED":
            return dispute.state in ("WON", "LOST")
        case "DISPUTE_CANCELLED":
            return dispute.state == "CANCELLED"
        case _:
            return False


def prove(kept: Kept) -> None:
    """In the end every dispute is over, and no payment gave back more than was taken of it."""
    for dispute in kept.disputes.values():
        if dispute.state in _WAITING:
            raise Wrong(f"dispute {dispute.command.dispute_id} never came to an end: {dispute}")
    given = Counter[UUID]()
    for back in kept.backs_by_id.values():
        if back.state == "SUCCESS":
            given[back.payment.id] += back.command.amount.minor
    for payment in kept.by_id.values():
        if given[payment.id] != payment.refunded or payment.refunded > taken(payment):
            raise Wrong(f"payment {payment.id} gave back {given[payment.id]}, of {taken(payment)} taken")


def unpaid(kept: Kept) -> list[Dispute]:
    """Chargebacks that wait, and of which the merchant has nothing to be held."""
    return [
        one
        for one in kept.disputes.values()
        if one.state in _WAITING and one.back is not None and not one.held
    ]


def papers(kept: Kept) -> list[Document]:
    """Every document that was sent."""
    sent = ((one.command.evidence, one.defense) for one in kept.disputes.values())
    return [paper for both in sent for paper in both if paper is not None]
