"""Tills and travellers: what they ask for, how they repeat it, and what they expect to hear."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from itertools import count
from random import Random
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from comptoir.acquiring.api import CaptureMode, PaymentView, Product, Scenario
from comptoir.flows import api as flows
from comptoir.fx.api import Quote
from comptoir.kernel.money import Money, Rate
from comptoir.standards.payment_code import Form, build, window_of
from tests.simulation.disputes import Claimants
from tests.simulation.machines import CLIENT, Gateway, NoAnswer
from tests.simulation.oracle import Oracle, Phone, Wrong, disputes
from tests.simulation.outside import PREFIX
from tests.simulation.regulars import Regulars
from tests.simulation.subscribers import Subscribers

#: How often a payment is of each kind.
KINDS = {
    "code": 44, "order": 12, "cashier": 4, "session": 2, "quoted": 6, "hold": 7, "theirs": 12,
    "used": 4, "old": 3, "guess": 3, "odd": 3, "debit": 6,
}  # fmt: skip


@dataclass
class Town:
    """Everybody, and the network between them and us: `trouble` is the share of requests it treats badly."""

    rng: Random
    clock: Callable[[], datetime]
    oracle: Oracle
    gateways: list[Gateway]
    merchants: list[UUID]
    addresses: dict[UUID, str | None]
    seeds: dict[int, bytes]
    trouble: float
    seed: int
    payments: int = 0
    #: A payment of each merchant that was refunded before.
    last: dict[UUID, UUID] = field(default_factory=dict)
    #: The codes that were shown last, by whomever.
    recent: list[tuple[str, Phone]] = field(default_factory=list)
    shown: dict[int, int] = field(default_factory=dict)
    #: Prices that were promised, the newest last.
    quotes: list[Quote] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    keeps_lines: bool = False
    numbers: Any = field(default_factory=count)
    turns: Any = field(default_factory=count)
    tasks: dict[asyncio.Task[object], None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.regulars = Regulars(self)
        self.claimants = Claimants(self)
        self.subscribers = Subscribers(self)
        self.phones, self.purses = list(self.oracle.phones.values()), list(self.oracle.purses)
        self.own: dict[UUID, list[int]] = {purse: [] for purse in self.purses}
        for phone in self.phones:
            self.own[phone.purse.id].append(phone.number)

    # ------------------------------------------------------------ the network

    async def ask(self, command: flows.Command) -> flows.Outcome | None:
        """One request. None: no answer came back, whatever became of it."""
        rng, gateway = self.rng, self.rng.choice(self.gateways)
        if rng.random() >= self.trouble:
            return await self._deliver(gateway, command)
        match rng.choice(("lost", "answer lost", "twice", "late")):
            case "lost":
                await asyncio.sleep(rng.uniform(0.1, 2))
                return None
            case "answer lost":
                self.start(self._deliver(gateway, command))
                await asyncio.sleep(rng.uniform(0.0, 2))
                return None
            case "twice":
                self.start(self._later(rng.uniform(0, 1), command))
                return await self._deliver(gateway, command)
            case _:
                return await self._later(rng.uniform(0, 3), command)

    async def insist(self, command: flows.Command, tries: int = 8) -> flows.Outcome | None:
        """The same request until there is an answer."""
        for attempt in range(tries):
            outcome = await self.ask(command)
            if outcome is not None:
                return outcome
            await asyncio.sleep(self.rng.uniform(0.1, 0.5) * 2**attempt)
        return None

    def start(self, work: Any) -> None:
        """Something that goes on by itself; the history ends after it."""
        task = asyncio.get_running_loop().create_task(work)
        self.tasks[task] = None
        task.add_done_callback(lambda done: self.tasks.pop(done, None))

    async def _later(self, seconds: float, command: flows.Command) -> flows.Outcome | None:
        await asyncio.sleep(seconds)
        return await self._deliver(self.rng.choice(self.gateways), command)

    async def _deliver(self, gateway: Gateway, command: flows.Command) -> flows.Outcome | None:
        try:
            outcome = await gateway.submit(command)
        except NoAnswer:
            return None
        with self.oracle.watching():
            self._believe(command, outcome)
        if self.keeps_lines:
            self.lines.append(f"{asyncio.get_running_loop().time():.6f} {_line(command, outcome)}")
        return outcome

    def _believe(self, command: flows.Command, outcome: flows.Outcome) -> None:
        """Whatever anybody is told is committed, and is what the rules say of it."""
        if outcome.code == flows.OK and outcome.payment is not None and isinstance(command, flows.Pay):
            payment = self.oracle.by_id.get(outcome.payment.id)
            ask = payment.ask if payment else None
            # What an authorization holds may be another amount by now.
            fixed = ask is not None and command.capture_mode is not CaptureMode.MANUAL
            total = ask.total if ask and fixed else None
            said = outcome.payment.wallet_total.minor if outcome.payment.wallet_total and fixed else None
            if payment is None or not payment.was_paid or payment.finished != outcome.payment.finished_at:
                raise Wrong(f"told that {command.request_ref} succeeded: {outcome.payment}, it is {payment}")
            if said != total:
                raise Wrong(f"told {said} fen for {command}, paid {total}")
        if outcome.refund is not None:
            back = self.oracle.backs_by_id.get(outcome.refund.id)
            if back is None or (outcome.code == flows.OK and back.state != "SUCCESS"):
                raise Wrong(f"told {outcome.code} of {command}, and it is not so")
        if outcome.agreement is not None and outcome.code == flows.OK:
            agreement = self.oracle.agreements.get(outcome.agreement.id)
            if agreement is None or (outcome.agreement.state == "ended" and not agreement.ended):
                raise Wrong(f"told {outcome.agreement} of {command}, and it is not so")
        if outcome.capture is not None:
            taking = self.oracle.takings_by_id.get(outcome.capture.id)
            if taking is None or (outcome.code == flows.OK and taking.failure):
                raise Wrong(f"told {outcome.code} of {command}, and it is not so")
        if outcome.dispute is not None:
            disputes.believe(self.oracle, outcome.dispute)

    # ------------------------------------------------------------ tills

    async def till(self, payments: int) -> None:
        """One till on a busy day."""
        for _ in range(payments):
            if self.oracle.failures:
                return
            await asyncio.sleep(self.rng.expovariate(1))
            await self._sale()

    async def _sale(self) -> None:
        rng = self.rng
        kind = rng.choices(list(KINDS), list(KINDS.values()))[0]
        if kind == "debit":
            self.payments += 1
            await self.regulars.debit()
            return
        command, phone = self._command(kind)
        if kind == "quoted":
            command = await self._at_a_price(command)
        self.payments += 1
        if command.code and rng.random() < 0.05:  # two tills scan it at the same moment
            ref = f"R{next(self.numbers)}"
            self.payments += 1
            self.start(self.ask(flows.Pay(**_fields(command) | {"request_ref": ref})))
        outcome = await self.insist(command)
        if outcome is None:
            return
        if outcome.code == flows.IN_PROCESS and outcome.payment is not None:
            await self._in_process(command, outcome.payment, phone)
        if rng.random() < 0.06:
            again = flows.Pay(
                **_fields(command) | ({"amount": _more(command.amount)} if rng.random() < 0.3 else {})
            )
            await self.ask(again)
        if outcome.payment is not None and command.capture_mode and outcome.code == flows.OK:
            await self._captures(outcome.payment)
        elif outcome.payment is not None and rng.random() < 0.12:
            await self.regret(command, outcome.payment)

    async def late(self) -> None:
        """Days later somebody wants money back."""
        for payment in self.rng.sample(list(self.oracle.by_id.values()), min(12, len(self.oracle.by_id))):
            command = payment.command
            names = {"merchant_id": command.merchant_id, "client_ref": CLIENT, "payment_id": payment.id}
            more = names | {"request_ref": f"F{next(self.numbers)}", "amount": command.amount}
            kinds: list[flows.Command] = [flows.Cancel(**names), flows.Refund(**more)]
            if command.quote:  # a price of long ago
                kinds = [
                    replace(command, code=None, scenario=Scenario.ORDER_CODE, request_ref=more["request_ref"])
                ]
            if command.capture_mode:
                kinds += [flows.Capture(**more), flows.UpdateAmount(**more)]
            await self.insist(self.rng.choice(kinds))

    def address_of(self, merchant: UUID) -> str | None:
        """Where a merchant wants to be told; often it asks instead."""
        return self.addresses[merchant] if self.rng.random() < 0.4 else None

    def _command(self, kind: str) -> tuple[flows.Pay, Phone]:
        rng, number = self.rng, next(self.numbers)
        merchant = rng.choice(self.merchants)
        phone = rng.choice(self.phones)
        minor = rng.choice((rng.randint(50, 3000), rng.randint(3000, 60_000)))
        currency = "JPY" if kind != "theirs" and rng.random() < 0.1 else "EUR"
        fields: dict[str, Any] = {
            "merchant_id": merchant,
            "client_ref": CLIENT,
            "request_ref": f"R{number}",
            "product": Product.IN_STORE,
            "scenario": Scenario.PAYMENT_CODE,
            "amount": Money(minor, currency),
            "method_type": "CONNECT_WALLET",
            "notify_url": self.address_of(merchant),
        }
        match kind:
            case "order":
                fields["scenario"] = Scenario.ORDER_CODE
            case "cashier":
                fields |= {"product": Product.CASHIER, "scenario": None}
            case "session":
                fields |= {"product": Product.CASHIER, "scenario": None, "session": True}
            case "quoted" if rng.random() < 0.5:
                fields["scenario"] = Scenario.ORDER_CODE
            case "quoted" if rng.random() < 0.1:
                fields["code"] = f"{PREFIX}{number:014d}"
            case "hold":
                fields["capture_mode"] = rng.choice((*[CaptureMode.MANUAL] * 4, CaptureMode.AUTOMATIC))
                if rng.random() < 0.3:
                    fields |= {"product": Product.CASHIER, "scenario": None}
                else:
                    fields["code"] = self._fresh(phone)
            case "theirs":
                fields["code"] = f"{PREFIX}{number:014d}"
            case "used" if self.recent:
                # Two tills may have the same code in hand at the same moment.
                fields["code"], phone = rng.choice(self.recent[-3:])
            case "old":
                back = rng.randint(2, 30)
                fields["code"] = self._code(phone, window_of(self.clock()) - back, rng.randint(0, 9))
            case "guess":
                known = rng.random() < 0.8
                device = phone.number if known else rng.randint(10_000_000, 99_999_999)
                fields["code"] = f"28{device:08d}{rng.randint(0, 9)}{rng.randint(0, 10**7 - 1):07d}"
            case "odd" if rng.random() < 0.5:
                fields["amount"] = Money(minor, "USD")
                fields["code"] = self._fresh(phone)
            case "odd" if rng.random() < 0.3:
                fields |= {"code": f"{PREFIX}{number:014d}", "capture_mode": CaptureMode.MANUAL}
            case _:
                fields["code"] = self._fresh(phone)
        return flows.Pay(**fields), phone

    async def _at_a_price(self, command: flows.Pay) -> flows.Pay:
        """The price is asked for first, and most often told as it was heard."""
        rng, amount, bps = self.rng, command.amount, self.oracle.terms[command.merchant_id].margin_bps
        asked = await self.insist(
            flows.AskPrice(
                merchant_id=command.merchant_id, base=amount.currency, currency="CNY", promise=True
            )
        )
        if asked is not None and asked.quote is not None:
            self.quotes = [*self.quotes[-9:], asked.quote]
        if not self.quotes:
            return command
        quote = rng.choice((self.quotes[-1], self.quotes[-1], rng.choice(self.quotes)))
        value = quote.price * rng.choice((*[Decimal(1)] * 6, Decimal("1.01")))
        total = self.oracle.converted(amount.minor, amount.currency, "CNY", bps) + rng.choice((*[0] * 6, 1))
        told = flows.AskedQuote(
            id=quote.id if rng.random() < 0.95 else command.merchant_id,
            rate=Rate(quote.base, quote.quote, value),
            total=Money(total, "CNY") if rng.random() < 0.6 else None,
        )
        return replace(command, quote=told)

    def _fresh(self, phone: Phone) -> str:
        """The next code that this phone shows."""
        shown = self.shown.get(phone.number, 0)
        self.shown[phone.number] = shown + 1
        ahead = self.rng.choice((0, 0, 0, 0, 0, 1, -1))
        return self._code(phone, window_of(self.clock()) + ahead, shown % 10)

    def _code(self, phone: Phone, window: int, n: int) -> str:
        at = datetime.fromtimestamp(window * 30 + 15, self.clock().tzinfo)
        code = build(Form.SHORT, phone.number, self.seeds[phone.number], at, n)
        phone.made[code] = (window, n)
        self.recent = [*self.recent[-2:], (code, phone)]
        return code

    async def _in_process(self, command: flows.Pay, payment: PaymentView, phone: Phone) -> None:
        """The traveller acts, or the other issuer is waited for, or nobody does anything."""
        rng = self.rng
        if payment.wallet_id is None and payment.order_code is None:
            for _ in range(rng.randint(0, 4)):
                await asyncio.sleep(rng.uniform(1, 8))
                await self.ask(command)
            if rng.random() < 0.3:
                await self.insist(self._cancel(payment))
            return
        if rng.random() < 0.1:
            return  # nobody does anything: it expires
        # A session may outlive its price.
        self.start(self._traveller(payment, phone, rng.uniform(0.05, 4000 if command.session else 2)))
        if rng.random() < 0.15:
            await asyncio.sleep(rng.uniform(0, 1))
            await self.insist(self._cancel(payment))

    async def _traveller(self, payment: PaymentView, phone: Phone, seconds: float) -> None:
        rng = self.rng
        await asyncio.sleep(seconds if rng.random() < 0.5 else min(seconds, 2))
        purse, asked = phone.purse.id, payment
        for _ in range(2 if payment.order_code and rng.random() < 0.2 else 1):
            if payment.order_code:
                purse = rng.choice(self.purses)
                claimed = await self.insist(
                    flows.Claim(order_code=payment.order_code, wallet_id=purse, device=self._phone_of(purse))
                )
                if claimed is None or claimed.code != flows.IN_PROCESS or claimed.payment is None:
                    return
                asked = claimed.payment
        if asked.authorization_id is None:
            return
        names = {"wallet_id": purse, "authorization_id": asked.authorization_id}
        act: flows.Command = flows.Confirm(**names, device=self._phone_of(purse))
        if rng.random() < 0.1:
            act = flows.Decline(**names)
        await asyncio.sleep(rng.expovariate(1) if seconds <= 2 else rng.uniform(0, seconds))
        done = await self.insist(act)
        if rng.random() < 0.15:
            await self.ask(act)
        if done is not None and done.code == flows.OK and asked.capture_mode:
            await self._captures(asked)

    def _phone_of(self, purse: UUID) -> int | None:
        """Where a traveller acts: on a phone of the wallet's, somewhere unknown, or on another's."""
        turn, own = next(self.turns), self.own[purse]
        if turn % 50 == 49:
            return self.phones[turn % len(self.phones)].number
        return (None, *own)[turn % (1 + len(own))]

    async def _captures(self, payment: PaymentView) -> None:
        """What an authorization holds is taken: at once or in parts, too much of it, or not at all."""
        rng, whole = self.rng, payment.amount.minor
        if rng.random() < 0.2:  # nobody captures: it is canceled, or let go after days
            if rng.random() < 0.5:
                await self.insist(self._cancel(payment))
            return
        steps: list[flows.Command] = []
        if rng.random() < 0.3:
            steps.append(self._step(flows.UpdateAmount, payment, rng.randint(whole // 2 + 1, 2 * whole)))
        for _ in range(rng.choice((1, 1, 2, 3, 6))):
            part = rng.choice((whole, whole + 1, whole // 2, rng.randint(1, whole), whole // 7 + 1))
            steps.append(self._step(flows.Capture, payment, max(part, 1), last=rng.random() < 0.2))
        steps += rng.choices(steps, k=rng.choice((0, 0, 1)))
        if rng.random() < 0.1:
            steps.append(self._cancel(payment))
        if rng.random() < 0.3:
            outcomes = await asyncio.gather(*(self.ask(one) for one in steps))
        else:
            outcomes = [await self.insist(one) for one in steps]
        captures = [one.capture for one in outcomes if one is not None and one.capture is not None]
        for _ in range(rng.choice((0, 0, 1, 3))):
            of = rng.choice(captures) if captures and rng.random() < 0.6 else None
            most = of.amount.minor if of else whole
            part = rng.choice((most, rng.randint(1, most), rng.randint(1, most)))
            back = self._step(flows.Refund, payment, part, notify_url=payment.notify_url)
            await self.ask(replace(back, capture_id=of.id) if of else back)

    def _step(self, kind: Any, payment: PaymentView, minor: int, **more: Any) -> Any:
        """Something that is asked of a payment under a request id of its own."""
        return kind(
            merchant_id=payment.merchant_id,
            client_ref=CLIENT,
            request_ref=f"F{next(self.numbers)}",
            payment_id=payment.id,
            amount=Money(minor, payment.amount.currency),
            **more,
        )

    async def regret(self, command: flows.Pay, payment: PaymentView) -> None:
        """Money goes back: whole or in parts, once or by a nervous finger, sometimes too much."""
        rng = self.rng
        if rng.random() < 0.3:
            cancel = self._cancel(payment)
            await asyncio.gather(*(self.ask(cancel) for _ in range(rng.choice((1, 1, 2)))))
            return
        clicks = [self._refund(command, payment) for _ in range(rng.choice((1, 1, 2, 4)))]
        if rng.random() < 0.5:
            await asyncio.gather(*clicks)
            return
        for click in clicks:
            await click

    async def _refund(self, command: flows.Pay, payment: PaymentView) -> None:
        """One refund, by a steady finger or a nervous one."""
        rng, amount = self.rng, command.amount.minor
        part = rng.choice(
            (amount, amount + 1, rng.randint(1, amount), rng.randint(1, amount), max(amount // 3, 1))
        )
        refund = flows.Refund(
            merchant_id=command.merchant_id,
            client_ref=CLIENT,
            request_ref=f"F{next(self.numbers)}",
            payment_id=payment.id,
            amount=Money(part, command.amount.currency),
            notify_url=command.notify_url,
        )
        fingers: list[flows.Command] = [refund] * rng.choice((1, 1, 1, 2))
        if rng.random() < 0.1:
            fingers.append(flows.Refund(**_fields(refund) | {"amount": _more(refund.amount)}))
        if rng.random() < 0.2:
            fingers.append(self._cancel(payment))
        if (other := self.last.get(command.merchant_id)) and rng.random() < 0.3:
            fingers.append(flows.Refund(**_fields(refund) | {"payment_id": other}))
        self.last[command.merchant_id] = payment.id
        await asyncio.gather(*(self.ask(one) for one in fingers))

    def _cancel(self, payment: PaymentView) -> flows.Cancel:
        by_id = self.rng.random() < 0.5
        return flows.Cancel(
            merchant_id=payment.merchant_id,
            client_ref=CLIENT,
            payment_id=payment.id if by_id else None,
            request_ref=None if by_id else payment.request_ref,
        )


def _more(amount: Money) -> Money:
    return Money(amount.minor + 1, amount.currency)


def _fields(command: flows.Command) -> dict[str, Any]:
    return {name: getattr(command, name) for name in command.__struct_fields__}


def _line(command: flows.Command, outcome: flows.Outcome) -> str:
    """One line of a history: what was asked, and what was answered."""
    told = outcome.payment, outcome.refund, outcome.dispute
    records = [f"{one.id.hex}:{one.state}" for one in told if one is not None]
    return f"{type(command).__name__} {_name(command)} {outcome.code} {' '.join(records)}"


def _name(command: flows.Command) -> str:
    for name in ("request_ref", "order_code", "authorization_id", "payment_id", "refund_id"):
        if value := getattr(command, name, None):
            return str(value)
    return ""
