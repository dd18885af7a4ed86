"""Travellers and banks who want their money back from us, and everybody who has a say in it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from itertools import islice
from random import Random
from typing import TYPE_CHECKING, Any
from uuid import UUID

from msgspec.structs import replace

from comptoir.acquiring.api import AcceptReason, DisputeKind, Document, DocumentFormat, DocumentRole
from comptoir.flows import api as flows
from comptoir.kernel.ids import derived_id
from comptoir.kernel.money import Money
from tests.simulation.machines import CLIENT
from tests.simulation.oracle.refunds import taken
from tests.simulation.oracle.types import Payment

if TYPE_CHECKING:
    from tests.simulation.people import Town

#: One payment in so many is disputed on the day itself.
ONE_IN = 80

#: A dispute is often about one of the newest payments: others are still busy with it.
_NEW = 60

#: How often somebody does each thing about a dispute.
_HANDS = {
    "accept": 4, "defend": 6, "won": 3, "lost": 4, "withdraw": 3, "for it": 1, "refund": 2, "stranger": 1,
}  # fmt: skip


class Claimants:
    """The disputes of a town. They draw numbers of their own: without them a history is what it was."""

    def __init__(self, town: Town) -> None:
        self._town = town
        self._rng = Random(f"{town.seed} disputes")
        self._number = 0

    async def day(self, payments: int) -> None:
        """Claims all day long."""
        for _ in range(payments // ONE_IN + 1):
            await asyncio.sleep(self._rng.expovariate(1) * 10 * ONE_IN / payments)
            if self._town.oracle.failures:
                return
            self._town.start(self._dispute())

    async def evening(self, payments: int) -> None:
        """Some more when everybody has gone home."""
        for _ in range(payments // ONE_IN // 4 + 1):
            self._town.start(self._dispute())
            await asyncio.sleep(self._rng.uniform(0, 1))

    async def late(self) -> None:
        """Days later somebody finds it on a statement."""
        for _ in range(self._rng.randint(0, 4)):
            await self._dispute()

    async def judge(self) -> None:
        """Whatever was defended is decided; what a merchant says nothing about decides itself."""
        for one in list(self._town.oracle.disputes.values()):
            while one.state == "DEFENDED" and not self._town.oracle.failures:
                judgment = flows.JudgeDispute(**_about(one.command), won=self._rng.random() < 0.5)
                await self._town.insist(judgment)

    # ------------------------------------------------------------ one dispute

    async def _dispute(self) -> None:
        """Somebody claims (part of) a payment, perhaps twice, perhaps while others give it back."""
        rng, town = self._rng, self._town
        payment = self._pick()
        if payment is None:
            return
        claim = self._claim(payment)
        claims = [claim]
        if rng.random() < 0.2:
            claims.append(self._claim(payment))
        asked: list[flows.Command] = list(claims)
        if rng.random() < 0.2:
            asked.append(claim)
        if rng.random() < 0.1:
            more = Money(claim.amount.minor + 1, claim.amount.currency)
            asked.append(replace(claim, amount=more))
        if rng.random() < 0.4:
            asked.append(self._merchants(payment))
        if rng.random() < 0.2:  # an answer before the question
            asked.append(self._answer(claim, payment))
        rng.shuffle(asked)
        await asyncio.gather(*(town.insist(one) for one in asked))
        for one in claims:
            if one.dispute_id in town.oracle.disputes or rng.random() < 0.1:
                town.start(self._answers(one, payment))

    def _pick(self) -> Payment | None:
        """A payment, seldom one that was never paid; often one that is new, or partly given back."""
        rng, known = self._rng, self._town.oracle.by_id
        if not known:
            return None
        new = list(islice(reversed(known.values()), _NEW if rng.random() < 0.8 else None))
        paid = [one for one in new if one.was_paid]
        moved = [one for one in paid if one.refunded or one.captured]
        roll = rng.random()
        return rng.choice(moved if moved and roll < 0.3 else paid if paid and roll < 0.9 else new)

    def _claim(self, payment: Payment) -> flows.OpenDispute:
        rng, now = self._rng, self._town.clock()
        whole = taken(payment) or payment.amount.minor
        left = whole - payment.refunded
        minor = rng.choice((whole, left, left, left, left + 1, rng.randint(1, whole), whole // 3, 1))
        currency = "USD" if rng.random() < 0.03 else payment.amount.currency
        self._number += 1
        dispute_id = derived_id("dispute", str(self._number))
        seconds = rng.choice((-1, *[rng.uniform(0.1, 10)] * 5, *[rng.uniform(10, 5000)] * 3, 90_000, 900_000))
        kind = DisputeKind.CHARGEBACK if rng.random() < 0.85 else rng.choice(list(DisputeKind))
        return flows.OpenDispute(
            merchant_id=payment.command.merchant_id,
            payment_id=payment.id if rng.random() < 0.97 else dispute_id,
            dispute_id=dispute_id,
            kind=kind,
            amount=Money(max(minor, 1), currency),
            reason_code="4853",
            reason="not as described",
            due_at=now + timedelta(seconds=seconds),
            evidence=_paper(dispute_id, DocumentRole.EVIDENCE, 1) if rng.random() < 0.3 else None,
        )

    async def _answers(self, claim: flows.OpenDispute, payment: Payment) -> None:
        """The merchant, the operator and the claimant: none of them, one after another, or all at once."""
        rng, town = self._rng, self._town
        await asyncio.sleep(rng.choice((0, rng.uniform(0, 2), rng.uniform(0, 12))))
        hands = [self._answer(claim, payment) for _ in range(rng.choice((0, 1, 1, 2, 2, 3, 4)))]
        hands += rng.choices(hands, k=rng.choice((0, 0, 1))) if hands else []
        if rng.random() < 0.5:
            await asyncio.gather(*(town.insist(one) for one in hands))
            return
        for one in hands:
            await town.insist(one)
            await asyncio.sleep(rng.uniform(0, 2))

    def _answer(self, claim: flows.OpenDispute, payment: Payment) -> flows.Command:
        """What somebody does about a dispute."""
        about, rng = _about(claim), self._rng
        self._number += 1
        call = f"c{self._number}"
        match rng.choices(list(_HANDS), list(_HANDS.values()))[0]:
            case "accept":
                return flows.AcceptDispute(**about, reason=AcceptReason.MERCHANT, call_id=call)
            case "for it":
                return flows.AcceptDispute(**about, reason=AcceptReason.MANUAL, call_id="")
            case "defend":
                paper = _paper(claim.dispute_id, DocumentRole.DEFENSE, self._number)
                return flows.DefendDispute(**about, document=paper, call_id=call)
            case "withdraw":
                return flows.WithdrawDispute(**about)
            case "refund":
                return self._merchants(payment)
            case "stranger":
                other = self._pick()
                if other is not None and rng.random() < 0.5:  # the dispute of one payment, named with another
                    about["payment_id"] = other.id
                about["merchant_id"] = rng.choice(self._town.merchants)
                return flows.JudgeDispute(**about, won=False)
            case won:
                return flows.JudgeDispute(**about, won=won == "won")

    def _merchants(self, payment: Payment) -> flows.Command:
        """What a merchant does about its payment meanwhile."""
        rng, command = self._rng, payment.command
        about: dict[str, Any] = {
            "merchant_id": command.merchant_id, "client_ref": CLIENT, "payment_id": payment.id,
        }  # fmt: skip
        if rng.random() < 0.2:
            return flows.Cancel(**about)
        whole, left = payment.amount.minor, payment.amount.minor - payment.refunded
        self._number += 1
        minor = max(rng.choice((whole, left, rng.randint(1, whole))), 1)
        about |= {"request_ref": f"D{self._number}", "amount": Money(minor, payment.amount.currency)}
        if payment.held and rng.random() < 0.5:
            return flows.Capture(**about)
        return flows.Refund(**about, notify_url=command.notify_url)


def _about(claim: flows.OpenDispute) -> dict[str, Any]:
    return {
        "merchant_id": claim.merchant_id, "payment_id": claim.payment_id, "dispute_id": claim.dispute_id,
    }  # fmt: skip


def _paper(dispute_id: UUID, role: DocumentRole, number: int) -> Document:
    """A document; what is in it nobody reads."""
    sealed = f"{role.value} {number}".encode()
    id = derived_id("dispute-document", dispute_id.hex, role.value)
    return Document(id, role, DocumentFormat.PDF, len(sealed), bytes(32), sealed)
