"""Any sequence of commands, put to the real engine on a real PostgreSQL and to the oracle of the simulation.

The machine plays everybody: tills, travellers, another issuer, the worker's clock, the operator, and (in
`disputes`) whoever disputes a payment. Commands wait until a batch of them is done, in one transaction. After
it the oracle does the same commands in books of its own and compares each answer, record, account and notice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar, TypeVar
from unittest.mock import patch
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from comptoir.acquiring.api import CaptureMode, Product, Scenario
from comptoir.flows import api as flows
from comptoir.flows.engine import batch
from comptoir.kernel.ids import OPERATOR, new_id
from comptoir.kernel.money import Money
from comptoir.ledger import api as ledger
from comptoir.ledger.api import Role, Transfer, account_id
from comptoir.standards.payment_code import Form, build, window_of
from comptoir.wallet.api import AnswerState, IssuerAnswer
from tests.flows.stateful.disputes import Disputes
from tests.flows.stateful.mirror import Mirror
from tests.flows.support import CLIENT, NOW, RATES
from tests.simulation.oracle import Oracle, Phone, Purse, Terms, Wrong, disputes
from tests.simulation.oracle.types import Back, Payment

ISSUER = "SIMULATED"

T = TypeVar("T")
_Recorder = Callable[..., tuple[list[int], list[int]]]

#: Seconds that pass: nothing much, a code, a price, an order, a night, the time to refund, and to capture.
PAUSES = (1, 1, 1, 20, 20, 61, 300, 841, 1500, 40_000, 90_000, 610_000)

which = st.integers(0, 5)
minor = st.one_of(st.integers(1, 3000), st.integers(3000, 60_000))
parts = st.sampled_from(("all", "one more", "a third", "a third", "1"))
maybe = st.booleans()


def held(payment: Payment) -> bool:
    return payment.held


def paid(payment: Payment) -> bool:
    return payment.state == "SUCCESS" and not payment.held


def is_open(payment: Payment) -> bool:
    return payment.state == "PROCESSING"


def some(fits: Callable[[Payment], bool]) -> Callable[[RuleBasedStateMachine], bool]:
    """A rule is for times when there is such a payment; now and then it takes another one all the same."""
    return lambda machine: any(map(fits, machine.oracle.by_id.values()))  # type: ignore[attr-defined]


@dataclass
class Founded:
    """Who is there when a history begins: made once, in the database that every history is a copy of."""

    terms: dict[UUID, Terms]
    purses: list[Purse]
    #: Phone -> its secret and whose it is.
    phones: dict[int, tuple[bytes, UUID]] = field(repr=False)


class Engine(Disputes, RuleBasedStateMachine):
    """A subclass says of which database a history gets a copy, and who is in it."""

    fresh_copy: ClassVar[Callable[[], AbstractContextManager[object]]]
    founded: ClassVar[Founded]

    def __init__(self) -> None:
        super().__init__()
        self._open = ExitStack()
        self._open.enter_context(type(self).fresh_copy())
        self._open.enter_context(patch.object(batch, "_next_wave", self._watched(batch._next_wave)))
        self.now = NOW
        self.desk = flows.Desk(3650)
        self.mirror = Mirror()
        rates = {code: Decimal(RATES[code]) for code in ("CNY", "JPY", "USD")}
        self.oracle = Oracle(self.mirror, rates)  # type: ignore[arg-type]
        self._tell_who_is_there()
        self.waiting: list[flows.Command] = []
        self.asked: list[flows.Command] = []
        self._order: list[int] = []
        self._number = 0
        self._shown: Counter[tuple[int, int]] = Counter()

    def _tell_who_is_there(self) -> None:
        oracle, founded = self.oracle, self.founded
        oracle.terms = dict(founded.terms)
        oracle.purses = {one.id: Purse(one.id, one.no_pin, one.most, one.day_limit) for one in founded.purses}
        oracle.phones = {
            number: Phone(number, oracle.purses[owner]) for number, (_, owner) in founded.phones.items()
        }
        for id, account in self.mirror.books.accounts.items():
            oracle.accounts[id] = [account.credits_posted - account.debits_posted, 0, 0]

    def _watched(self, real: _Recorder) -> _Recorder:
        """The engine's own choice of what is done in one wave, remembered: the order of all that is done."""

        def next_wave(*given: Any) -> tuple[list[int], list[int]]:
            wave, rest = real(*given)
            self._order += wave
            return wave, rest

        return next_wave

    def teardown(self) -> None:
        try:
            self._do()
            report = flows.verify_books()
            assert report.holds, report.first_difference
        finally:
            self._open.close()

    # ------------------------------------------------------------ batches

    def _ask(self, command: flows.Command, more: bool) -> None:
        """A command; with `more` others come into the same batch."""
        self.asked.append(command)
        self.waiting.append(command)
        if not more or len(self.waiting) == 6:
            self._do()

    def _do(self) -> None:
        """All that waits, in one transaction; then the oracle's word on it."""
        if not self.waiting:
            return
        commands, self.waiting, self._order = self.waiting, [], []
        outcomes = flows.execute(commands, self.now, self.desk)
        assert sorted(self._order) == list(range(len(commands))), "each is done, and once"
        done = [(commands[number], outcomes[number]) for number in self._order]
        self.oracle.batch(done, self.now)(self.mirror.read())  # type: ignore[arg-type]

    def _ref(self) -> str:
        self._number += 1
        return f"R{self._number}"

    def _merchant(self, which: int) -> UUID:
        return list(self.founded.terms)[which % len(self.founded.terms)]

    def _one(self, known: Iterable[T], which: int, fits: Callable[[T], bool]) -> T:
        """One of the last; often the last of those that fit."""
        last = list(known)[::-1]
        fitting = [one for one in last if fits(one)]
        return fitting[0] if fitting and which % 2 == 0 else last[which % len(last)]

    def _payment(self, which: int, fits: Callable[[Payment], bool]) -> Payment:
        return self._one(self.oracle.by_id.values(), which, fits)

    # ------------------------------------------------------------ tills

    def _pay(self, merchant: int, minor: int, more: bool, **given: Any) -> None:
        fields: dict[str, Any] = {
            "merchant_id": self._merchant(merchant), "client_ref": CLIENT, "request_ref": self._ref(),
            "product": Product.IN_STORE, "scenario": Scenario.PAYMENT_CODE, "amount": Money(minor, "EUR"),
            "method_type": "CONNECT_WALLET", "notify_url": "http://127.0.0.1:9/n",
        } | given  # fmt: skip
        self._ask(flows.Pay(**fields), more)

    def _code(self, phone: int, back: int) -> str:
        """The next code of a phone, of `back` half minutes ago."""
        number = list(self.founded.phones)[phone % len(self.founded.phones)]
        window = window_of(self.now) - back
        n = self._shown[number, window] % 10
        self._shown[number, window] += 1
        at = datetime.fromtimestamp(window * 30 + 15, UTC)
        code = build(Form.SHORT, number, self.founded.phones[number][0], at, n)
        self.oracle.phones[number].made[code] = (window, n)
        return code

    @rule(merchant=which, phone=which, minor=minor, more=maybe)
    def pay(self, merchant: int, phone: int, minor: int, more: bool) -> None:
        self._pay(merchant, minor, more, code=self._code(phone, 0))

    @rule(merchant=which, phone=which, minor=minor, more=maybe)
    def pay_more(self, merchant: int, phone: int, minor: int, more: bool) -> None:
        """There are many payments for each of anything else."""
        self._pay(merchant, minor, more, code=self._code(phone, 0))

    @rule(
        merchant=which,
        phone=which,
        minor=minor,
        mode=st.sampled_from((*[CaptureMode.MANUAL] * 3, CaptureMode.AUTOMATIC)),
        more=maybe,
    )
    def authorize(self, merchant: int, phone: int, minor: int, mode: CaptureMode, more: bool) -> None:
        self._pay(merchant, minor, more, code=self._code(phone, 0), capture_mode=mode)

    @precondition(some(held))
    @rule(which=which, part=parts, last=st.sampled_from((False, False, True)), more=maybe)
    def capture(self, which: int, part: str, last: bool, more: bool) -> None:
        payment = self._payment(which, held)
        self._ask(flows.Capture(**self._about(payment, part), last=last), more)

    @precondition(some(held))
    @rule(which=which, amount=minor, more=maybe)
    def update_amount(self, which: int, amount: int, more: bool) -> None:
        payment = self._payment(which, lambda one: one.held and not one.captured)
        about = self._about(payment, "all") | {"amount": Money(amount, payment.amount.currency)}
        self._ask(flows.UpdateAmount(**about), more)

    def _about(self, payment: Payment, part: str) -> dict[str, Any]:
        """A new request about some of a payment."""
        whole, currency = payment.amount.minor, payment.amount.currency
        minor = {"all": whole, "one more": whole + 1, "a third": whole // 3 or 1, "1": 1}[part]
        return {
            "merchant_id": payment.command.merchant_id, "client_ref": CLIENT, "request_ref": self._ref(),
            "payment_id": payment.id, "amount": Money(minor, currency),
        }  # fmt: skip

    @rule(
        merchant=which, phone=which, minor=minor, more=maybe,
        kind=st.sampled_from(("used", "used", "late", "old", "guess", "stranger")),
        guess=st.integers(0, 10**8 - 1),
    )  # fmt: skip
    def pay_by_a_bad_code(
        self, merchant: int, phone: int, minor: int, more: bool, kind: str, guess: int
    ) -> None:
        used = [code for one in self.oracle.phones.values() for code in one.made]
        match kind:
            case "used" if used:
                code = used[-1 - phone % len(used)]
            case "late" | "old":
                code = self._code(phone, 2 if kind == "late" else 30)
            case _:
                number = 98_765_432 if kind == "stranger" else list(self.founded.phones)[phone % 3]
                code = f"28{number:08d}{guess:08d}"
        self._pay(merchant, minor, more, code=code)

    @rule(
        merchant=which, minor=minor, currency=st.sampled_from(("EUR", "EUR", "JPY", "USD")), online=maybe,
        more=maybe,
    )  # fmt: skip
    def order(self, merchant: int, minor: int, currency: str, online: bool, more: bool) -> None:
        """An order that some traveller may claim; USD is in no contract."""
        given = (
            {"product": Product.CASHIER, "scenario": None} if online else {"scenario": Scenario.ORDER_CODE}
        )
        self._pay(merchant, minor, more, amount=Money(minor, currency), **given)

    @rule(merchant=which, minor=minor, more=maybe)
    def pay_by_their_wallet(self, merchant: int, minor: int, more: bool) -> None:
        self._pay(merchant, minor, more, code=f"2599{self._number:014d}", issuer=ISSUER)

    @precondition(lambda self: self.asked)
    @rule(which=st.integers(0, 12), change=st.sampled_from(("", "", "amount", "payment")), more=maybe)
    def again(self, which: int, change: str, more: bool) -> None:
        """The same request once more, or its id with another amount or about another payment."""
        command: Any = self.asked[-1 - which % len(self.asked)]
        changed: dict[str, Any] = {}
        if change == "amount" and hasattr(command, "amount"):
            changed["amount"] = Money(command.amount.minor + 1, command.amount.currency)
        if change == "payment" and isinstance(command, flows.Refund):
            changed["payment_id"] = self._payment(which, paid).id
        self._ask(type(command)(**_members(command) | changed), more)

    @precondition(lambda self: self.oracle.by_id)
    @rule(which=which, by_id=maybe, stranger=st.sampled_from((False,) * 9 + (True,)), more=maybe)
    def cancel(self, which: int, by_id: bool, stranger: bool, more: bool) -> None:
        payment = self._payment(which, lambda one: one.state == "SUCCESS" and not one.refunded)
        self._ask(
            flows.Cancel(
                merchant_id=self._another(payment) if stranger else payment.command.merchant_id,
                client_ref=CLIENT,
                payment_id=payment.id if by_id else None,
                request_ref=None if by_id else payment.command.request_ref,
            ),
            more,
        )

    @precondition(some(paid))
    @rule(
        which=which,
        part=parts,
        odd=st.sampled_from(("",) * 6 + ("stranger", "currency", "capture")),
        more=maybe,
    )
    def refund(self, which: int, part: str, odd: str, more: bool) -> None:
        """Some of it, all of it, too much; now and then by another, in another currency, of one capture."""
        payment = self._payment(which, paid)
        about = self._about(payment, part) | {"notify_url": payment.command.notify_url}
        captures = [one.id for one in self.oracle.takings.values() if one.payment is payment]
        match odd:
            case "stranger":
                about["merchant_id"] = self._another(payment)
            case "currency":
                about["amount"] = Money(about["amount"].minor, "USD")
            case "capture" if captures:
                about["capture_id"] = captures[-1]
        self._ask(flows.Refund(**about), more)

    def _another(self, payment: Payment) -> UUID:
        return next(one for one in self.founded.terms if one != payment.command.merchant_id)

    # ------------------------------------------------------------ travellers

    @precondition(lambda self: any(map(is_open, self.oracle.by_order.values())))
    @rule(which=which, wallet=which, phone=which, more=maybe)
    def claim(self, which: int, wallet: int, phone: int, more: bool) -> None:
        orders = self.oracle.by_order
        code = self._one(orders, which, lambda one: is_open(orders[one]))
        purse = self.founded.purses[wallet % len(self.founded.purses)]
        device = self._phone_of(purse.id, phone)
        self._ask(flows.Claim(order_code=code, wallet_id=purse.id, device=device), more)

    @precondition(lambda self: self.oracle.asks)
    @rule(
        which=which, no=st.sampled_from((False, False, False, True)), stranger=which, phone=which, more=maybe
    )
    def answer(self, which: int, no: bool, stranger: int, phone: int, more: bool) -> None:
        """A traveller confirms or declines; now and then what is another's to answer."""
        ask = self._one(self.oracle.asks.values(), which, lambda one: one.state == "waiting")
        purse = self.founded.purses[0].id if stranger == 5 else ask.purse.id
        if no:
            self._ask(flows.Decline(wallet_id=purse, authorization_id=ask.id), more)
            return
        device = self._phone_of(purse, phone)
        self._ask(flows.Confirm(wallet_id=purse, authorization_id=ask.id, device=device), more)

    def _phone_of(self, purse: UUID, which: int) -> int | None:
        """Where a traveller acts: on a phone of the wallet's, somewhere unknown, or on another's."""
        phones = self.founded.phones
        own = [number for number, (_, owner) in phones.items() if owner == purse]
        if which == 5:
            return next((number for number in phones if number not in own), None)
        return (None, *own)[which % (1 + len(own))]

    # ------------------------------------------------------------ another issuer, the worker, the operator

    @precondition(some(lambda one: one.theirs and is_open(one)))
    @rule(which=which, state=st.sampled_from(AnswerState), more=maybe)
    def their_answer(self, which: int, state: AnswerState, more: bool) -> None:
        theirs = [one for one in self.oracle.by_id.values() if one.theirs]
        payment = self._one(theirs, which, is_open)
        self._ask(
            flows.Settle(
                merchant_id=payment.command.merchant_id,
                payment_id=payment.id,
                answer=_answer(state, payment.amount),
            ),
            more,
        )

    @precondition(lambda self: self._asked_of_them())
    @rule(which=which, state=st.sampled_from(AnswerState), more=maybe)
    def their_answer_to_a_refund(self, which: int, state: AnswerState, more: bool) -> None:
        back = self._one(self._asked_of_them(), which, lambda one: one.state == "PROCESSING")
        self._ask(
            flows.SettleRefund(
                merchant_id=back.command.merchant_id,
                refund_id=back.id,
                answer=_answer(state, back.command.amount),
            ),
            more,
        )

    def _asked_of_them(self) -> list[Back]:
        """Refunds that another issuer is asked for: not what it charges back itself."""
        backs = self.oracle.backs_by_id.values()
        return [one for one in backs if one.payment.theirs and one.id not in self.oracle.disputes]

    @precondition(lambda self: self.oracle.by_id)
    @rule(which=which, unresolved=st.sampled_from((False, False, False, True)), more=maybe)
    def expire(self, which: int, unresolved: bool, more: bool) -> None:
        payment = self._payment(which, self._is_due)
        self._ask(
            flows.Expire(
                merchant_id=payment.command.merchant_id,
                payment_id=payment.id,
                unresolved=unresolved and payment.theirs,
            ),
            more,
        )

    def _is_due(self, payment: Payment) -> bool:
        until = payment.held_until if payment.held else payment.expires
        return (payment.held or payment.state == "PROCESSING") and until is not None and self.now >= until

    @rule(seconds=st.sampled_from(PAUSES))
    def time_passes(self, seconds: int) -> None:
        self._do()
        self.now += timedelta(seconds=seconds)

    @rule(merchant=which)
    def pay_out(self, merchant: int) -> None:
        """The operator pays all that a merchant is owed: it has nothing left to give back."""
        self._do()
        id = self._merchant(merchant)
        payable = account_id(id, Role.MERCHANT_PAYABLE, "EUR")
        owed = self.mirror.books.accounts[payable].available
        if owed <= 0:
            return
        bank = account_id(OPERATOR, Role.WALLET_FUNDING, "EUR")
        ledger.post_now([
            Transfer(
                id=new_id(), owner_id=OPERATOR, debit_id=payable, credit_id=bank, amount=owed, currency="EUR",
                kind="payout", subject_id=id,
            )
        ])  # fmt: skip
        self.oracle.move((id, Role.MERCHANT_PAYABLE), (OPERATOR, Role.WALLET_FUNDING), owed, "EUR")
        self.mirror.read()

    # ------------------------------------------------------------ what is always so

    @invariant()
    def the_books_are_those_of_the_oracle(self) -> None:
        """Every account holds what the rules say; in each currency as much is debited as credited."""
        sums: Counter[str] = Counter()
        for id, account in self.mirror.books.accounts.items():
            self.oracle.account_row(id)
            sums[account.currency] += account.debits_posted - account.credits_posted
            sums[f"{account.currency} held"] += account.debits_pending - account.credits_pending
        if any(sums.values()):
            raise Wrong(f"debits and credits differ: {dict(sums)}")

    @invariant()
    def nothing_is_there_that_nobody_asked_for(self) -> None:
        kept = {
            "acquiring_payment": self.oracle.by_id,
            "acquiring_refund": self.oracle.backs_by_id,
            "acquiring_capture": self.oracle.takings_by_id,
            "acquiring_amount_update": self.oracle.changes_by_id,
            "acquiring_dispute": self.oracle.disputes,
            "acquiring_dispute_document": disputes.papers(self.oracle),
            "wallet_authorization": self.oracle.asks,
        }
        for name, known in kept.items():
            assert len(self.mirror.tables[name].rows) == len(known), name


def _members(command: flows.Command) -> dict[str, Any]:
    """The members of a command, as they are."""
    return {name: getattr(command, name) for name in command.__struct_fields__}


def _answer(state: AnswerState, amount: Money) -> IssuerAnswer:
    if state is AnswerState.SUCCEEDED:
        return IssuerAnswer(state=state, wallet_amount=amount, issuer_ref="C")
    return IssuerAnswer(state=state, code="wallet.inactive" if state is AnswerState.FAILED else None)
