"""Who is not ours: another issuer with books of its own, and the merchants' servers that are notified."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from uuid import UUID

from comptoir.flows.notifications.addresses import Target
from comptoir.flows.notifications.sending import Answer, SendFailed
from comptoir.kernel.money import Money
from comptoir.wallet.api import AnswerState, AuthoriseRequest, Authorization, IssuerAnswer, RefundRequest
from comptoir.wallet.api import errors as wallet
from tests.simulation.oracle import Oracle, Wrong, disputes, subscriptions

ISSUER = "SIMULATED"
#: What codes of this issuer begin with.
PREFIX = "2599"

_UNKNOWN = IssuerAnswer(state=AnswerState.UNKNOWN)
_ACKNOWLEDGED = json.dumps(
    {"result": {"resultCode": "SUCCESS", "resultStatus": "S", "resultMessage": "success"}}
).encode()


@dataclass
class Charge:
    """What the issuer has done for one authorization."""

    state: str
    amount: int = 0
    refunds: dict[UUID, int] = field(default_factory=dict)

    @property
    def kept(self) -> int:
        """What its customer has really paid in the end."""
        return self.amount - sum(self.refunds.values()) if self.state == "paid" else 0


class Issuer:
    """Holds the promises of a connector, over a line that loses questions and answers."""

    def __init__(self, rng: Random, clock: Callable[[], datetime], oracle: Oracle, trouble: float) -> None:
        self._rng, self._clock, self._oracle, self._trouble = rng, clock, oracle, trouble
        self.charges: dict[UUID, Charge] = {}

    async def authorise(self, request: AuthoriseRequest) -> IssuerAnswer:
        charge = self.charges.get(request.authorization_id)
        fate = self._rng.random()
        if fate < self._trouble:
            return await self._silent()
        if charge is None:
            kind = self._rng.random()
            state = "paid" if kind < 0.8 else "pending" if kind < 0.9 else "refused"
            charge = self.charges[request.authorization_id] = Charge(state, request.charge.minor)
            if state == "pending":
                later = asyncio.get_running_loop().call_later
                later(self._rng.uniform(1, 60), self._decide, charge, request.expires_at)
        if fate < 2 * self._trouble:
            return await self._silent()
        await asyncio.sleep(self._rng.uniform(0.01, 0.3))
        return self._answer(charge, request.charge.currency)

    async def query(self, asked: Authorization) -> IssuerAnswer:
        if await self._trip():
            return _UNKNOWN
        charge = self.charges.get(asked.authorization_id)
        return _UNKNOWN if charge is None else self._answer(charge, "EUR")

    async def reverse(self, asked: Authorization) -> IssuerAnswer:
        charge = self.charges.setdefault(asked.authorization_id, Charge("barred"))
        if charge.state in ("paid", "pending"):
            charge.state = "reversed"
        if await self._trip():
            return _UNKNOWN
        return IssuerAnswer(state=AnswerState.SUCCEEDED)

    async def refund(self, request: RefundRequest) -> IssuerAnswer:
        if self._rng.random() < self._trouble:
            return await self._silent()
        charge = self.charges[request.authorization_id]
        known = request.refund_id in charge.refunds
        charged_back = self._oracle.backs_by_id[request.refund_id].payment.charged_back
        if not known and (charge.state != "paid" or request.amount.minor > charge.kept - charged_back):
            with self._oracle.watching():
                raise Wrong(f"refund {request.refund_id} asks the issuer for more than is left")
        if not known and request.refund_id.int % 10 == 0:  # some are refused, always the same
            return IssuerAnswer(state=AnswerState.FAILED, code=wallet.WALLET_INACTIVE)
        charge.refunds[request.refund_id] = request.amount.minor
        if await self._trip():
            return _UNKNOWN
        return IssuerAnswer(state=AnswerState.SUCCEEDED, wallet_amount=request.amount, issuer_ref="R")

    async def aclose(self) -> None:
        """Nothing is open."""

    def _decide(self, charge: Charge, expires_at: datetime) -> None:
        if charge.state == "pending":
            in_time = self._clock() < expires_at
            charge.state = "paid" if in_time and self._rng.random() < 0.7 else "refused"

    def _answer(self, charge: Charge, currency: str) -> IssuerAnswer:
        match charge.state:
            case "paid":
                amount = Money(charge.amount, currency)
                return IssuerAnswer(state=AnswerState.SUCCEEDED, wallet_amount=amount, issuer_ref="C")
            case "pending":
                return IssuerAnswer(state=AnswerState.PENDING)
            case "refused":
                return IssuerAnswer(state=AnswerState.FAILED, code=wallet.DECLINED)
            case _:
                return IssuerAnswer(state=AnswerState.FAILED, code=wallet.CANCELLED)

    async def _trip(self) -> bool:
        """True when the answer is lost."""
        if self._rng.random() < self._trouble:
            await self._silent()
            return True
        await asyncio.sleep(self._rng.uniform(0.01, 0.3))
        return False

    async def _silent(self) -> IssuerAnswer:
        """No answer; now and then not even within the deadline."""
        await asyncio.sleep(self._rng.choice((0.05, 2, 10, 30)))
        return _UNKNOWN


class Servers:
    """The merchants' servers: each with a temper. Whatever they hear must be true and committed."""

    def __init__(self, rng: Random, oracle: Oracle) -> None:
        self._rng, self._oracle = rng, oracle
        self.heard: Counter[tuple[str, UUID]] = Counter()
        self.temper: dict[str, str] = {}

    async def post(self, target: Target, headers: dict[str, str], body: bytes) -> Answer:
        temper = self.temper[target.host]
        await asyncio.sleep(self._rng.uniform(0.005, 0.1))
        roll = self._rng.random()
        if temper == "dead" or (temper == "moody" and roll < 0.2):
            raise SendFailed("no connection")
        with self._oracle.watching():
            self._hear(json.loads(body))
        if temper == "moody" and roll < 0.3:
            await asyncio.sleep(9)
            raise SendFailed("no answer within 10 s")
        if temper == "moody" and roll < 0.4:
            return Answer(500, b"")
        return Answer(200, _ACKNOWLEDGED)

    async def close(self) -> None:
        """Nothing is open."""

    def _hear_of_an_agreement(self, said: dict[str, object]) -> None:
        agreement = self._oracle.agreements.get(UUID(str(said["authState"])))
        ended = said["authorizationNotifyType"] == "TOKEN_CANCELED"
        if agreement is None or agreement.access is None or (ended and agreement.ended is None):
            raise Wrong(f"a merchant was told of an agreement that is not so: {said}")
        self.heard[f"notify.agreement {said['authorizationNotifyType']}", agreement.command.id] += 1

    def _hear(self, said: dict[str, object]) -> None:
        if "authorizationNotifyType" in said:
            self._hear_of_an_agreement(said)
            return
        if "subscriptionNotificationType" in said:
            self.heard[subscriptions.heard(self._oracle, said)] += 1
            return
        if "disputeNotificationType" in said:
            self.heard[disputes.heard(self._oracle, said)] += 1
            return
        result = said["result"]
        assert isinstance(result, dict)
        ok = result["resultStatus"] == "S"
        if said["notifyType"] == "REFUND_RESULT":
            back = self._oracle.backs_by_id.get(UUID(str(said["refundId"])))
            if back is None or ok != (back.state == "SUCCESS") or back.state == "PROCESSING":
                raise Wrong(f"a merchant was told of a refund that is not so: {said}")
            self.heard["notify.refund", back.id] += 1
            return
        if said["notifyType"] == "CAPTURE_RESULT":
            taking = self._oracle.takings_by_id.get(UUID(str(said["captureId"])))
            if taking is None or ok != (taking.failure is None):
                raise Wrong(f"a merchant was told of a capture that is not so: {said}")
            self.heard["notify.capture", taking.id] += 1
            return
        if said["notifyType"] == "UPDATE_AMOUNT_RESULT":
            about = self._oracle.by_id[UUID(str(said["paymentId"]))].command
            change = self._oracle.changes.get(
                (about.merchant_id, about.client_ref, str(said["updateRequestId"]))
            )
            if change is None or ok != (change.failure is None):
                raise Wrong(f"a merchant was told of a change of an amount that is not so: {said}")
            self.heard["notify.amount", change.id] += 1
            return
        payment = self._oracle.by_id.get(UUID(str(said["paymentId"])))
        # What was paid when the message was written may be canceled when it is heard.
        true = payment is not None and payment.was_paid if ok else payment is not None
        if (
            payment is None
            or not true
            or payment.state == "PROCESSING"
            or (not ok and payment.state == "SUCCESS")
        ):
            raise Wrong(f"a merchant was told of a payment that is not so: {said}")
        self.heard["notify.payment", payment.id] += 1
