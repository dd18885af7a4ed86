"""Travellers who pay a shop every period, and the shops that change their minds about it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from random import Random
from typing import TYPE_CHECKING, Any
from uuid import UUID

from msgspec.structs import replace

from comptoir.acquiring.api import Period, PeriodType, Trial
from comptoir.flows import api as flows
from comptoir.kernel.ids import derived_id
from comptoir.kernel.money import Money
from tests.simulation.machines import CLIENT

if TYPE_CHECKING:
    from tests.simulation.people import Town

#: One subscription for so many payments.
ONE_IN = 400

_PERIODS = (
    *[Period(PeriodType.WEEK, 1)] * 3, Period(PeriodType.DAY, 1), Period(PeriodType.DAY, 5),
    Period(PeriodType.MONTH, 1),
)  # fmt: skip


@dataclass
class Shelf:
    """A subscription that was asked for, and who approved it."""

    command: flows.OpenSubscription
    purse: UUID


class Subscribers:
    """The subscriptions of a town. They draw numbers of their own: without them a history is what it was."""

    def __init__(self, town: Town) -> None:
        self._town = town
        self._rng = Random(f"{town.seed} subscriptions")
        self._number = 0
        self._known: list[Shelf] = []

    async def day(self, payments: int) -> None:
        """Some subscribe on the day itself, and change or end it at once."""
        for _ in range(payments // ONE_IN + 2):
            await asyncio.sleep(self._rng.expovariate(1))
            if self._town.oracle.failures:
                return
            self._town.start(self._subscribe())

    async def late(self, *, last: bool) -> None:
        """Days later: other terms, an end, the same request once more. At `last` everything is ended."""
        for one in self._known:
            if self._rng.random() < 0.5:
                await self._town.insist(self._hand(one))
            while last and self._is_active(one) and not self._town.oracle.failures:
                await self._town.insist(self._end(one))

    def _is_active(self, one: Shelf) -> bool:
        known = self._town.oracle.subscriptions.get(one.command.agreement.id)
        return known is not None and known.state == "active"

    def _end(self, one: Shelf, *, by_id: bool = True) -> flows.EndSubscription:
        asked = one.command.agreement
        return flows.EndSubscription(
            merchant_id=asked.merchant_id,
            client_ref=CLIENT,
            at_once=self._rng.random() < 0.5,
            subscription_id=asked.id if by_id else None,
            request_ref=None if by_id else one.command.request_ref,
        )

    async def _subscribe(self) -> None:
        rng, town = self._rng, self._town
        asked = self._asked()
        purse = rng.choice(town.purses)
        shelf = Shelf(asked, purse)
        self._known.append(shelf)
        again = [asked] if rng.random() < 0.3 else []
        if rng.random() < 0.1:
            again.append(replace(asked, input_hash=b"other"))
        await asyncio.gather(*(town.insist(one) for one in (asked, *again)))
        limits = rng.choice(((None, None), (None, None), (None, None), (50_000, 200_000), (200, 100)))
        consent = asked.agreement.consent_code
        said: list[flows.Command] = [
            flows.ApproveAgreement(
                consent_code=consent, wallet_id=purse, payment_limit=limits[0], day_limit=limits[1]
            )
        ]
        if rng.random() < 0.1:
            said.append(flows.ApproveAgreement(consent_code=consent, wallet_id=rng.choice(town.purses)))
        if rng.random() < 0.1:
            said.append(flows.DeclineAgreement(consent_code=consent))
        if rng.random() < 0.2:
            said.append(self._hand(shelf))
        rng.shuffle(said)
        await asyncio.sleep(rng.choice((*[rng.uniform(0, 2)] * 9, 1900)))
        await asyncio.gather(*(town.insist(one) for one in said))
        await asyncio.sleep(rng.uniform(0, 5))
        hands = [self._hand(shelf) for _ in range(rng.choice((0, 0, 1, 1, 2)))]
        hands += rng.choices(hands, k=rng.choice((0, 1))) if hands else []
        await asyncio.gather(*(town.insist(one) for one in hands))

    def _asked(self) -> flows.OpenSubscription:
        rng, town, now = self._rng, self._town, self._town.clock()
        self._number += 1
        id = derived_id("subscription", str(self._number))
        merchant = rng.choice(town.merchants)
        minor = rng.choice((rng.randint(50, 3000), rng.randint(3000, 30_000)))
        currency = "USD" if rng.random() < 0.05 else "EUR"
        start = now + timedelta(seconds=rng.choice((-100, 0, *[rng.uniform(0, 20)] * 5, 4000, 90_000)))
        if rng.random() < 0.05:
            start = now - timedelta(days=2)
        trials: tuple[Trial, ...] = ()
        if rng.random() < 0.3:
            trials = (Trial(rng.choice((0, 0, minor // 2, minor + 100)), 1, rng.choice((1, 2))),)
        asked = flows.OpenAgreement(
            id=id,
            merchant_id=merchant,
            client_ref=CLIENT,
            consent_code=id.hex,
            grant_hash=sha256(id.bytes).digest(),
            state_ref=id.hex,
            method_type="CONNECT_WALLET",
            redirect_url="https://shop.example/r",
            notify_url=self._address(merchant),
        )
        return flows.OpenSubscription(
            agreement=asked,
            request_ref=f"S{self._number}",
            input_hash=id.bytes,
            description="tea",
            amount=Money(minor, currency),
            period=rng.choice(_PERIODS) if rng.random() < 0.95 else Period(PeriodType.DAY, 0),
            start_at=start,
            end_at=rng.choice((None, start + timedelta(days=rng.choice((-1, *[3, 15, 30] * 3))))),
            expires_at=rng.choice((*[None] * 6, now + timedelta(seconds=rng.uniform(-1, 4)))),
            ceiling=rng.choice((None, minor * 2)),
            trials=trials,
            allow_retry=rng.random() < 0.8,
            payment_notify_url=self._address(merchant),
        )

    def _address(self, merchant: UUID) -> str | None:
        return self._town.addresses[merchant] if self._rng.random() < 0.4 else None

    def _hand(self, one: Shelf) -> flows.Command:
        """What somebody does about a subscription."""
        rng, asked = self._rng, one.command.agreement
        self._number += 1
        match rng.choice(("end", "end by request", "traveller", *["change"] * 6, "again", "stranger")):
            case "end":
                return self._end(one)
            case "end by request":
                end = self._end(one, by_id=False)
                return replace(end, request_ref="S0") if rng.random() < 0.1 else end
            case "traveller":
                return flows.EndAgreement(wallet_id=one.purse, agreement_id=asked.id)
            case "again":
                return one.command
            case kind:
                merchant = asked.merchant_id if kind == "change" else rng.choice(self._town.merchants)
                return self._change(one.command, merchant)

    def _change(self, known: flows.OpenSubscription, merchant: UUID) -> flows.ChangeSubscription:
        rng, now = self._rng, self._town.clock()
        terms: dict[str, Any] = {}
        if rng.random() < 0.5:
            minor = known.amount.minor * rng.choice((1, 2, 3, 3)) // 2 + 1
            terms["amount"] = Money(minor, "JPY" if rng.random() < 0.05 else known.amount.currency)
        if rng.random() < 0.3:
            terms["period"] = rng.choice(_PERIODS)
        if rng.random() < 0.3:
            terms["next_at"] = now + timedelta(hours=rng.choice((1, 25, 70, 150, 400)))
        if rng.random() < 0.2:
            terms["end_at"] = now + timedelta(hours=rng.choice((-1, 1, 200)))
        return flows.ChangeSubscription(
            merchant_id=merchant,
            client_ref=CLIENT,
            request_ref=f"S{self._number - rng.choice((0, 0, 0, 1))}",
            subscription_id=known.agreement.id,
            input_hash=_hash(terms),
            event=rng.choice(("CHANGE", "UPDATE")),
            **terms,
        )


def _hash(terms: dict[str, Any]) -> bytes:
    return sha256(repr(sorted(terms.items())).encode()).digest()
