"""The part of the machine that disputes payments: whoever claims, the merchant, the operator, the worker."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from comptoir.acquiring.api import AcceptReason, DisputeKind, Document, DocumentFormat, DocumentRole
from comptoir.flows import api as flows
from comptoir.kernel.ids import derived_id, new_id
from tests.simulation.oracle.types import Dispute

which = st.integers(0, 5)
maybe = st.booleans()


def waits(dispute: Dispute) -> bool:
    return dispute.ended is None


class Disputes:
    """Rules for a machine that has the payments, the clock and the oracle."""

    oracle: Any
    now: Any
    _ask: Any
    _one: Any
    _ref: Any
    _payment: Any
    _about: Any

    @precondition(lambda self: any(one.was_paid for one in self.oracle.by_id.values()))
    @rule(
        which=which,
        part=st.sampled_from(("all", "one more", "a third", "a third", "1")),
        kind=st.sampled_from((*[DisputeKind.CHARGEBACK] * 5, DisputeKind.RETRIEVAL_REQUEST)),
        seconds=st.sampled_from((0, 30, 600, 50_000, 900_000)),
        more=maybe,
    )
    def dispute(self, which: int, part: str, kind: DisputeKind, seconds: int, more: bool) -> None:
        """Some of a payment is claimed, all of it, or too much."""
        payment = self._payment(which, lambda one: one.state == "SUCCESS" and not one.held)
        about = self._about(payment, part)
        self._ask(
            flows.OpenDispute(
                merchant_id=about["merchant_id"],
                payment_id=payment.id,
                dispute_id=new_id(),
                kind=kind,
                amount=about["amount"],
                reason_code="4853",
                reason="not as described",
                due_at=self.now + timedelta(seconds=seconds),
            ),
            more,
        )

    @precondition(lambda self: self.oracle.disputes)
    @rule(which=which, who=st.sampled_from(("accept", "accept", "defend", "defend", "for it")), more=maybe)
    def answer_a_dispute(self, which: int, who: str, more: bool) -> None:
        """The merchant gives in or sends its papers; or the operator gives in for it."""
        known = self._one(self.oracle.disputes.values(), which, waits)
        about = _about(known)
        if who == "defend":
            paper = _paper(known, f"defense {self._ref()}".encode())
            self._ask(flows.DefendDispute(**about, document=paper, call_id=self._ref()), more)
            return
        reason = AcceptReason.MERCHANT if who == "accept" else AcceptReason.MANUAL
        call = self._ref() if who == "accept" else ""
        self._ask(flows.AcceptDispute(**about, reason=reason, call_id=call), more)

    @precondition(lambda self: self.oracle.disputes)
    @rule(which=which, end=st.sampled_from(("won", "lost", "withdrawn")), more=maybe)
    def end_a_dispute(self, which: int, end: str, more: bool) -> None:
        about = _about(self._one(self.oracle.disputes.values(), which, waits))
        if end == "withdrawn":
            self._ask(flows.WithdrawDispute(**about), more)
        else:
            self._ask(flows.JudgeDispute(**about, won=end == "won"), more)

    @precondition(lambda self: any(map(waits, self.oracle.disputes.values())))
    @rule(which=which, more=maybe)
    def look_at_a_dispute(self, which: int, more: bool) -> None:
        """The worker looks; now and then at one that is not due."""
        due = self._one(
            self.oracle.disputes.values(), which, lambda one: one.look is not None and self.now >= one.look
        )
        self._ask(flows.LookAtDispute(**_about(due)), more)


def _about(dispute: Dispute) -> dict[str, Any]:
    claim = dispute.command
    return {
        "merchant_id": claim.merchant_id, "payment_id": claim.payment_id, "dispute_id": claim.dispute_id,
    }  # fmt: skip


def _paper(dispute: Dispute, sealed: bytes) -> Document:
    """A document; what is in it nobody reads."""
    id = derived_id("dispute-document", dispute.command.dispute_id.hex, DocumentRole.DEFENSE.value)
    return Document(id, DocumentRole.DEFENSE, DocumentFormat.PDF, len(sealed), bytes(32), sealed)
