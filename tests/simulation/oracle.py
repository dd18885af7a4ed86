"""What ought to be true: the rules of the house, said a second time and as plainly as possible.

The oracle is told of every commit. It does the commands of the batch one after the other in its own small
books, says what each ought to have been answered, and compares: the answer, the records, the accounts, the
notices. It knows nothing of waves, engines, retries or SQL.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any
from uuid import UUID

from comptoir.acquiring.api import PaymentView, Product, RefundView, Scenario
from comptoir.acquiring.api import errors as acquiring
from comptoir.flows import api as flows
from comptoir.flows.engine.issuer_legs import issuer_owner
from comptoir.fx.api import errors as fx
from comptoir.kernel.clock import CHINA
from comptoir.kernel.currencies import EXPONENTS
from comptoir.kernel.ids import OPERATOR
from comptoir.ledger.api import Role, Side, account_id
from comptoir.standards.payment_code import window_of
from comptoir.wallet.api import AnswerState
from comptoir.wallet.api import errors as wallet
from tests.simulation.statements import BooksWork, Store

Key = tuple[UUID, str, str]


_account_id = lru_cache(maxsize=4096)(account_id)

#: Rates and prices keep 12 digits (decision 0011).
_TWELVE = Context(prec=12, rounding=ROUND_HALF_EVEN)


class Wrong(AssertionError):
    """Something is not as it ought to be."""


@dataclass
class Purse:
    """A wallet as the rules see it; limits in fen."""

    id: UUID
    no_pin: int
    most: int
    day_limit: int
    spent: Counter[date] = field(default_factory=Counter)


@dataclass
class Phone:
    """A device: the codes it made, those that were used, and the wrong ones that were tried on it."""

    number: int
    purse: Purse
    made: dict[str, tuple[int, int]] = field(default_factory=dict)
    used: set[tuple[int, int]] = field(default_factory=set)
    bad: int = 0
    locked_until: datetime | None = None


@dataclass
class Ask:
    """What a wallet was asked for a payment."""

    id: UUID
    payment: Payment
    purse: Purse
    total: int
    margin: int
    state: str
    until: datetime
    refunded: int = 0
    spent_on: date | None = None


@dataclass
class Payment:
    """A payment of the oracle's own."""

    id: UUID
    command: flows.Pay
    state: str
    created: datetime
    expires: datetime
    settlement: int
    failure: str | None = None
    finished: datetime | None = None
    cancelled: bool = False
    issuer: str | None = None
    ask: Ask | None = None
    refunded: int = 0
    back_mid: int = 0
    back_margin: int = 0
    back_settlement: int = 0
    was_paid: bool = False

    @property
    def theirs(self) -> bool:
        return self.issuer is not None


@dataclass
class Back:
    """A refund of the oracle's own; `settlement` is what the merchant gave for it."""

    id: UUID
    command: flows.Refund
    payment: Payment
    state: str
    failure: str | None = None
    settlement: int = 0


@dataclass
class Terms:
    """A merchant's contract: settled in EUR."""

    margin_bps: int
    currencies: tuple[str, ...]
    in_store_s: int
    online_s: int
    window_days: int
    floor: int


class Oracle:
    """The rules and the books, kept beside the real ones."""

    def __init__(self, store: Store, rates: dict[str, Decimal]) -> None:
        self._store = store
        self._rates = {"EUR": Decimal(1)} | rates
        self._factors: dict[tuple[str, str, int], tuple[int, int]] = {}
        self.terms: dict[UUID, Terms] = {}
        self.purses: dict[UUID, Purse] = {}
        self.phones: dict[int, Phone] = {}
        self.payments: dict[Key, Payment] = {}
        self.by_id: dict[UUID, Payment] = {}
        self.by_order: dict[str, Payment] = {}
        self.asks: dict[UUID, Ask] = {}
        self.backs: dict[Key, Back] = {}
        self.backs_by_id: dict[UUID, Back] = {}
        #: account -> [net posted in its favor by credit, debits held, credits held]
        self.accounts: dict[UUID, list[int]] = {}
        self.owed_notices: dict[tuple[str, UUID], int] = {}
        self.codes: Counter[str] = Counter()
        self.failures: list[Exception] = []
        self._notices: list[tuple[str, UUID]] = []
        self._about = store.table("db_outbox").columns_of("topic", "subject_id")
        #: What to ask of each row of a table.
        self.looks = {
            "acquiring_payment": self.payment_row,
            "acquiring_refund": self.refund_row,
            "wallet_authorization": self.ask_row,
            "wallet_day_spending": self.spending_row,
        }

    # ------------------------------------------------------------ what is told

    def batch(
        self, done: Sequence[tuple[flows.Command, flows.Outcome]], now: datetime
    ) -> Callable[[BooksWork], None]:
        """What to do when the transaction that did these commands, in this order, commits."""

        def committed(work: BooksWork) -> None:
            with self.watching():
                self._notices = []
                for command, outcome in done:
                    self._one(command, outcome, now)
                self._compare(work)

        return committed

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Remember what is wrong, whoever swallows the exception further up."""
        try:
            yield
        except Exception as error:
            self.failures.append(error)
            raise

    def _one(self, command: flows.Command, outcome: flows.Outcome, now: datetime) -> None:
        expected = _RULES[type(command)](self, command, outcome, now)
        self.codes[f"{type(command).__name__} {expected}"] += 1
        if outcome.code != expected:
            raise Wrong(f"{command} was answered {outcome.code}, the rules say {expected}")
        if outcome.payment is not None:
            self._same_payment(outcome.payment)
        if outcome.refund is not None:
            self._same_refund(outcome.refund)

    # ------------------------------------------------------------ commands

    def _pay(self, command: flows.Pay, outcome: flows.Outcome, now: datetime) -> str:
        key = (command.merchant_id, command.client_ref, command.request_ref)
        known = self.payments.get(key)
        if known is not None:
            same = (command.product, command.amount, command.method_type, command.code) == (
                known.command.product, known.command.amount, known.command.method_type, known.command.code,
            )  # fmt: skip
            return self._current(known) if same else acquiring.REQUEST_REUSED
        terms = self.terms[command.merchant_id]
        if command.amount.currency not in terms.currencies:
            return acquiring.CURRENCY_NOT_SUPPORTED
        made = outcome.payment
        if made is None:
            raise Wrong(f"{command} was answered {outcome.code} and not recorded")
        seconds = terms.in_store_s if command.product is Product.IN_STORE else terms.online_s
        payment = Payment(
            made.id,
            command,
            "PROCESSING",
            now,
            now + timedelta(seconds=seconds),
            self._converted(command.amount.minor, command.amount.currency, "EUR"),
        )
        if made.id in self.by_id:
            raise Wrong(f"two payments have the id {made.id}")
        self.payments[key] = self.by_id[made.id] = payment
        if command.issuer is not None:
            payment.issuer = command.issuer
            self._hold_theirs(payment, payment.command.amount.minor, payment.settlement)
        elif command.scenario is Scenario.PAYMENT_CODE:
            self._scan(payment, command.code or "", made, now)
        else:
            if not made.order_code or made.order_code in self.by_order:
                raise Wrong(f"an order has no code of its own: {made.order_code}")
            self.by_order[made.order_code] = payment
        return self._current(payment)

    def _scan(self, payment: Payment, code: str, made: PaymentView, now: datetime) -> None:
        phone = self.phones.get(int(code[2:10]))
        if phone is None:
            return self._fail(payment, wallet.CODE_INVALID, now)
        if phone.locked_until is not None and now < phone.locked_until:
            return self._fail(payment, wallet.DEVICE_LOCKED, now)
        use, current = phone.made.get(code), window_of(now)
        if use is None or use[0] < current - 21 or use[0] > current + 1:
            phone.bad += 1
            if phone.bad == 5:
                phone.bad, phone.locked_until = 0, now + timedelta(minutes=15)
            return self._fail(payment, wallet.CODE_INVALID, now)
        if use[0] < current - 1:
            return self._fail(payment, wallet.CODE_EXPIRED, now)
        if use in phone.used:
            return self._fail(payment, wallet.CODE_USED, now)
        phone.used.add(use)
        if phone.bad:
            phone.bad, phone.locked_until = 0, None
        ask = self._offer(payment, phone.purse, made, now)
        refused = self._refusal(phone.purse, ask, now)
        if refused is None and ask.total > phone.purse.no_pin:
            self.asks[ask.id] = ask
            return None
        if refused is None and self._free(phone.purse.id, Role.WALLET, "CNY") < ask.total:
            refused = wallet.BALANCE_INSUFFICIENT
        if refused is not None:
            return self._fail(payment, refused, now)
        self.asks[ask.id] = ask
        return self._paid(payment, ask, now)

    def _offer(self, payment: Payment, purse: Purse, made: PaymentView, now: datetime) -> Ask:
        """The price, computed from the rates alone, and compared with what was promised."""
        amount, currency = payment.command.amount.minor, payment.command.amount.currency
        mid = self._converted(amount, currency, "CNY")
        margin_bps = self.terms[payment.command.merchant_id].margin_bps
        total = self._converted(amount, currency, "CNY", margin_bps)
        said = made.wallet_total.minor if made.wallet_total else None
        if said != total or made.authorization_id is None:
            raise Wrong(f"{amount} {currency} cost {said} fen, and ought to cost {total}")
        ask = Ask(
            made.authorization_id, payment, purse, total, total - mid, "waiting", now + timedelta(minutes=25)
        )
        if made.quote_until is None or not now < made.quote_until:
            raise Wrong("a price that is not promised any more was charged")
        ask.until = made.quote_until
        payment.ask = ask
        return ask

    def _refusal(self, purse: Purse, ask: Ask, now: datetime) -> str | None:
        if ask.total > purse.most:
            return wallet.PAYMENT_LIMIT
        return wallet.DAY_LIMIT if purse.spent[_day(now)] + ask.total > purse.day_limit else None

    def _claim(self, command: flows.Claim, outcome: flows.Outcome, now: datetime) -> str:
        payment = self.by_order.get(command.order_code)
        if payment is None:
            return acquiring.PAYMENT_UNKNOWN
        if payment.state != "PROCESSING":
            return self._current(payment)
        if now >= payment.expires:
            self._close(payment, acquiring.PAYMENT_EXPIRED, now)
            return self._current(payment)
        purse, before = self.purses[command.wallet_id], payment.ask
        if before is not None and before.purse is purse and before.state == "waiting" and now < before.until:
            return flows.IN_PROCESS
        if outcome.payment is None:
            raise Wrong(f"{command} was answered without a payment")
        if before is not None and before.state == "waiting":
            before.state = "cancelled"
        ask = self._offer(payment, purse, outcome.payment, now)
        if ask.id in self.asks:
            raise Wrong("a claim was given another's authorization")
        self.asks[ask.id] = ask
        return flows.IN_PROCESS

    def _waiting(self, command: flows.Confirm | flows.Decline, now: datetime) -> tuple[Ask | None, str]:
        """What waits, or why nothing does."""
        ask = self.asks.get(command.authorization_id)
        if ask is None or ask.purse.id != command.wallet_id:
            return None, wallet.AUTHORIZATION_UNKNOWN
        if ask.state == "authorised" and ask.payment.ask is ask:
            return None, self._current(ask.payment)
        if ask.state != "waiting" or ask.payment.ask is not ask:
            return None, wallet.AUTHORIZATION_CLOSED
        if ask.payment.state != "PROCESSING":
            return None, self._current(ask.payment)
        if now >= ask.payment.expires:
            self._close(ask.payment, acquiring.PAYMENT_EXPIRED, now)
            return None, self._current(ask.payment)
        return ask, ""

    def _confirm(self, command: flows.Confirm, outcome: flows.Outcome, now: datetime) -> str:
        ask, code = self._waiting(command, now)
        if ask is None:
            return code
        if now >= ask.until:
            return fx.QuoteExpired.code
        refused = self._refusal(ask.purse, ask, now)
        if refused is None and self._free(ask.purse.id, Role.WALLET, "CNY") < ask.total:
            refused = wallet.BALANCE_INSUFFICIENT
        if refused is None:
            self._paid(ask.payment, ask, now)
        return refused or flows.OK

    def _decline(self, command: flows.Decline, outcome: flows.Outcome, now: datetime) -> str:
        known = self.asks.get(command.authorization_id)
        if known is not None and known.purse.id == command.wallet_id and known.state == "declined":
            return wallet.DECLINED
        ask, code = self._waiting(command, now)
        if ask is None:
            return code
        ask.state = "declined"
        if ask.payment.command.scenario is Scenario.PAYMENT_CODE:
            self._fail(ask.payment, wallet.DECLINED, now)
        else:
            ask.payment.ask = None
        return wallet.DECLINED

    def _cancel(self, command: flows.Cancel, outcome: flows.Outcome, now: datetime) -> str:
        if command.payment_id is not None:
            payment = self._named(command.merchant_id, command.payment_id)
        else:
            key = (command.merchant_id, command.client_ref, command.request_ref or "")
            payment = self.payments.get(key)
        if payment is None:
            return acquiring.PAYMENT_UNKNOWN
        if payment.cancelled:
            return flows.OK
        if payment.refunded:
            return acquiring.CANCEL_AFTER_REFUND
        if payment.state == "SUCCESS" and now >= _cancel_closes(payment.finished or payment.created):
            return acquiring.CANCEL_WINDOW
        merchant, amount = payment.command.merchant_id, payment.command.amount
        if payment.state == "SUCCESS":
            if self._too_poor(merchant, payment.settlement):
                return acquiring.MERCHANT_BALANCE
            if payment.theirs:
                self._move_theirs(payment, amount.minor, payment.settlement, back=True)
            elif payment.ask is not None:
                ask = payment.ask
                self._move_ours(payment, ask.total - ask.margin, ask.margin, payment.settlement, back=True)
                ask.refunded = ask.total
                if ask.spent_on == _day(now):
                    ask.purse.spent[ask.spent_on] -= ask.total
        elif payment.state == "PROCESSING":
            if payment.theirs:
                self._hold_theirs(payment, amount.minor, payment.settlement, sign=-1)
            elif payment.ask is not None and payment.ask.state == "waiting":
                payment.ask.state = "cancelled"
            payment.finished = now
        if payment.state != "FAIL":
            payment.state = "CANCELLED"
        payment.cancelled = True
        return flows.OK

    def _refund(self, command: flows.Refund, outcome: flows.Outcome, now: datetime) -> str:
        key = (command.merchant_id, command.client_ref, command.request_ref)
        known = self.backs.get(key)
        if known is not None:
            same = (known.command.payment_id, known.command.amount) == (command.payment_id, command.amount)
            return self._state_of(known) if same else acquiring.REQUEST_REUSED
        payment = self._named(command.merchant_id, command.payment_id)
        if payment is None:
            return acquiring.PAYMENT_UNKNOWN
        made = outcome.refund
        if made is None or made.id in self.backs_by_id:
            raise Wrong(f"{command} was answered {outcome.code} without a record of its own")
        back = Back(made.id, command, payment, "FAIL")
        self.backs[key] = self.backs_by_id[made.id] = back
        back.failure = self._refund_refusal(payment, command, now)
        if back.failure is None:
            self._give_back(back)
        if command.notify_url and back.state != "PROCESSING":
            self._notices.append(("notify.refund", back.id))
        return self._state_of(back)

    def _refund_refusal(self, payment: Payment, command: flows.Refund, now: datetime) -> str | None:
        amount = payment.command.amount
        if payment.state == "CANCELLED":
            return acquiring.PAYMENT_CANCELLED
        if payment.state != "SUCCESS":
            return acquiring.PAYMENT_NOT_PAID
        if command.amount.currency != amount.currency:
            return acquiring.REFUND_CURRENCY
        if payment.refunded + command.amount.minor > amount.minor:
            return acquiring.REFUND_EXCEEDS
        days = self.terms[command.merchant_id].window_days
        if now > (payment.finished or payment.created) + timedelta(days=days):
            return acquiring.REFUND_WINDOW
        return None

    def _give_back(self, back: Back) -> None:
        payment = back.payment
        whole, after = payment.command.amount.minor, payment.refunded + back.command.amount.minor
        # Due so far, rounded down, less what is gone: one too many after a refund that was refused.
        back.settlement = max(payment.settlement * after // whole - payment.back_settlement, 0)
        if self._too_poor(payment.command.merchant_id, back.settlement):
            back.failure, back.settlement = acquiring.MERCHANT_BALANCE, 0
            return
        back.state = "SUCCESS"
        if payment.theirs:
            back.state = "PROCESSING"
            self._hold_theirs(payment, back.command.amount.minor, back.settlement, back=True)
        else:
            ask = payment.ask
            assert ask is not None
            mid = (ask.total - ask.margin) * after // whole - payment.back_mid
            margin = ask.margin * after // whole - payment.back_margin
            self._move_ours(payment, mid, margin, back.settlement, back=True)
            payment.back_mid += mid
            payment.back_margin += margin
            ask.refunded += mid + margin
        payment.refunded = after
        payment.back_settlement += back.settlement

    def _expire(self, command: flows.Expire, outcome: flows.Outcome, now: datetime) -> str:
        payment = self._named(command.merchant_id, command.payment_id)
        if payment is None:
            return acquiring.PAYMENT_UNKNOWN
        if payment.state == "PROCESSING" and (now >= payment.expires or command.unresolved):
            self._close(payment, acquiring.PAYMENT_EXPIRED, now)
        return self._current(payment)

    def _settle(self, command: flows.Settle, outcome: flows.Outcome, now: datetime) -> str:
        payment = self._named(command.merchant_id, command.payment_id)
        if payment is None or not payment.theirs:
            return acquiring.PAYMENT_UNKNOWN
        if payment.state == "PROCESSING" and command.answer.state is AnswerState.SUCCEEDED:
            amount = payment.command.amount.minor
            self._hold_theirs(payment, amount, payment.settlement, sign=-1)
            self._move_theirs(payment, amount, payment.settlement)
            payment.state, payment.finished, payment.was_paid = "SUCCESS", now, True
            self._notify(payment)
        elif payment.state == "PROCESSING" and command.answer.state is AnswerState.FAILED:
            self._close(payment, command.answer.code or "acquiring.failed", now)
        return self._current(payment)

    def _settle_refund(self, command: flows.SettleRefund, outcome: flows.Outcome, now: datetime) -> str:
        back = self.backs_by_id.get(command.refund_id)
        if back is None:
            return acquiring.PAYMENT_UNKNOWN
        if back.state == "PROCESSING" and command.answer.state in (AnswerState.SUCCEEDED, AnswerState.FAILED):
            payment, amount = back.payment, back.command.amount.minor
            self._hold_theirs(payment, amount, back.settlement, sign=-1, back=True)
            if command.answer.state is AnswerState.SUCCEEDED:
                back.state = "SUCCESS"
                self._move_theirs(payment, amount, back.settlement, back=True)
            else:
                back.state, back.failure = "FAIL", command.answer.code
                payment.refunded -= amount
                payment.back_settlement -= back.settlement
            if back.command.notify_url:
                self._notices.append(("notify.refund", back.id))
        return self._state_of(back)

    # ------------------------------------------------------------ ends

    def _current(self, payment: Payment) -> str:
        return {
            "SUCCESS": flows.OK,
            "PROCESSING": flows.IN_PROCESS,
            "CANCELLED": acquiring.PAYMENT_CANCELLED,
            "FAIL": payment.failure or "",
        }[payment.state]

    def _state_of(self, back: Back) -> str:
        return back.failure or (flows.REFUND_IN_PROCESS if back.state == "PROCESSING" else flows.OK)

    def _named(self, merchant_id: UUID, payment_id: UUID) -> Payment | None:
        found = self.by_id.get(payment_id)
        return found if found and found.command.merchant_id == merchant_id else None

    def _fail(self, payment: Payment, code: str, now: datetime) -> None:
        payment.state, payment.failure, payment.finished = "FAIL", code, now
        self._notify(payment)

    def _close(self, payment: Payment, code: str, now: datetime) -> None:
        if payment.theirs:
            self._hold_theirs(payment, payment.command.amount.minor, payment.settlement, sign=-1)
        elif payment.ask is not None and payment.ask.state == "waiting":
            payment.ask.state = "expired"
        self._fail(payment, code, now)

    def _paid(self, payment: Payment, ask: Ask, now: datetime) -> None:
        self._move_ours(payment, ask.total - ask.margin, ask.margin, payment.settlement)
        ask.purse.spent[_day(now)] += ask.total
        ask.state, ask.spent_on = "authorised", _day(now)
        payment.state, payment.finished, payment.was_paid = "SUCCESS", now, True
        self._notify(payment)

    def _notify(self, payment: Payment) -> None:
        if payment.command.notify_url:
            self._notices.append(("notify.payment", payment.id))

    # ------------------------------------------------------------ money

    def _converted(self, minor: int, base: str, quote: str, bps: int = 0) -> int:
        """At the cross rate of 12 digits, raised by a margin (12 digits again), to the nearest minor unit."""
        if base == quote:
            return minor
        if (base, quote, bps) not in self._factors:
            cross = _TWELVE.divide(self._rates[quote], self._rates[base])
            price = _TWELVE.multiply(cross, Decimal(10_000 + bps) / 10_000)
            scale = Fraction(10 ** EXPONENTS[quote], 10 ** EXPONENTS[base])
            self._factors[base, quote, bps] = (Fraction(price) * scale).as_integer_ratio()
        numerator, denominator = self._factors[base, quote, bps]
        return round(Fraction(minor * numerator, denominator))

    def _account(self, owner: UUID, role: Role, currency: str) -> list[int]:
        return self.accounts.setdefault(_account_id(owner, role, currency), [0, 0, 0])

    def move(self, debit: tuple[UUID, Role], credit: tuple[UUID, Role], minor: int, currency: str) -> None:
        """Money from one account to another."""
        self._account(*debit, currency)[0] -= minor
        self._account(*credit, currency)[0] += minor

    def _move_ours(self, payment: Payment, mid: int, margin: int, owed: int, *, back: bool = False) -> None:
        ask, sign = payment.ask, -1 if back else 1
        assert ask is not None
        purse, merchant = (ask.purse.id, Role.WALLET), (payment.command.merchant_id, Role.MERCHANT_PAYABLE)
        self.move(purse, (OPERATOR, Role.FX_POSITION), sign * mid, "CNY")
        self.move(purse, (OPERATOR, Role.FX_MARGIN), sign * margin, "CNY")
        self.move((OPERATOR, Role.FX_POSITION), merchant, sign * owed, "EUR")

    def _theirs(self, payment: Payment, amount: int, owed: int) -> list[tuple[Any, Any, int, str]]:
        issuer = (issuer_owner(payment.issuer or ""), Role.ISSUER_RECEIVABLE)
        merchant = (payment.command.merchant_id, Role.MERCHANT_PAYABLE)
        position, currency = (OPERATOR, Role.FX_POSITION), payment.command.amount.currency
        return [(issuer, position, amount, currency), (position, merchant, owed, "EUR")]

    def _move_theirs(self, payment: Payment, amount: int, owed: int, *, back: bool = False) -> None:
        for debit, credit, minor, currency in self._theirs(payment, amount, owed):
            self.move(debit, credit, -minor if back else minor, currency)

    def _hold_theirs(
        self, payment: Payment, amount: int, owed: int, *, sign: int = 1, back: bool = False
    ) -> None:
        for debit, credit, minor, currency in self._theirs(payment, amount, owed):
            source, target = (credit, debit) if back else (debit, credit)
            self._account(*source, currency)[1] += sign * minor
            self._account(*target, currency)[2] += sign * minor

    def _free(self, owner: UUID, role: Role, currency: str) -> int:
        """What may leave an account that grows by credit."""
        net, debits_held, _ = self._account(owner, role, currency)
        return net - debits_held

    def _too_poor(self, merchant_id: UUID, owed: int) -> bool:
        free = self._free(merchant_id, Role.MERCHANT_PAYABLE, "EUR")
        return owed > 0 and free - owed < min(self.terms[merchant_id].floor, free)

    # ------------------------------------------------------------ comparing

    def _same_payment(self, said: PaymentView) -> None:
        """The record in an answer agrees in what never changes once it is said, at least."""
        payment = self.by_id.get(said.id)
        if payment is None:
            raise Wrong(f"an answer speaks of payment {said.id}, which is not there")
        asked = payment.command
        if (said.amount, said.settlement.minor, said.request_ref) != (
            asked.amount, payment.settlement, asked.request_ref,
        ):  # fmt: skip
            raise Wrong(f"payment {said.id}: {said} is not what was asked: {asked}")

    def _same_refund(self, said: RefundView) -> None:
        back = self.backs_by_id.get(said.id)
        if back is None or said.amount != back.command.amount:
            raise Wrong(f"refund {said.id} is not what was asked")

    def _compare(self, work: BooksWork) -> None:
        """Everything that the transaction touched, and every notice that it owes."""
        notices = []
        for table, key, old in work.changes:
            if table.name == "db_outbox":
                topic, subject_id = self._about(table.rows[key])
                if old is None and topic.startswith("notify."):
                    notices.append((topic, subject_id))
            elif table.name in self.looks:
                row = table.named(table.rows[key])
                self.looks[table.name](row)
                if table.name == "acquiring_payment" and old is not None:
                    _state_machine(table.named(old), row)
        if sorted(notices) != sorted(self._notices):
            raise Wrong(f"notices {notices} were written, {self._notices} are owed")
        for one in notices:
            self.owed_notices[one] = self.owed_notices.get(one, 0) + 1
            if self.owed_notices[one] > 1:
                raise Wrong(f"{one} is to be told twice")
        for id in work.accounts:
            self.account_row(id)

    def payment_row(self, row: dict[str, Any]) -> None:
        """A payment's record says what the rules say."""
        payment = self.by_id.get(row["id"])
        if payment is None:
            raise Wrong(f"payment {row['id']} is in the records and nobody asked for it")
        _equal(
            f"payment {row['id']}",
            state=(row["state"], payment.state),
            failure=(row["failure_code"], payment.failure),
            finished=(row["finished_at"], payment.finished),
            cancelled=(row["cancelled_at"] is not None, payment.cancelled),
            refunded=(row["refunded"], payment.refunded),
            settlement_refunded=(row["settlement_refunded"], payment.back_settlement),
            wallet_refunded=(row["wallet_refunded"], payment.back_mid + payment.back_margin),
            margin_refunded=(row["margin_refunded"], payment.back_margin),
        )

    def refund_row(self, row: dict[str, Any]) -> None:
        """A refund's record says what the rules say."""
        back = self.backs_by_id.get(row["id"])
        if back is None:
            raise Wrong(f"refund {row['id']} is in the records and nobody asked for it")
        _equal(
            f"refund {row['id']}",
            state=(row["state"], back.state),
            failure=(row["failure_code"], back.failure),
            settlement=(
                row["settlement"] or 0,
                back.settlement if back.state != "FAIL" else row["settlement"] or 0,
            ),
        )

    def ask_row(self, row: dict[str, Any]) -> None:
        """An authorization's record says what the rules say."""
        ask = self.asks.get(row["id"])
        if ask is None:
            raise Wrong(f"authorization {row['id']} is in the records and was never given")
        _equal(
            f"authorization {row['id']}",
            state=(row["state"], ask.state),
            total=(row["total"], ask.total),
            margin=(row["margin"], ask.margin),
            refunded=(row["refunded"], ask.refunded),
        )

    def spending_row(self, row: dict[str, Any]) -> None:
        """A wallet spent on a day what its payments of that day come to, and no more than it may."""
        purse = self.purses[row["wallet_id"]]
        _equal(f"spending of {purse.id} on {row['on']}", spent=(row["spent"], purse.spent[row["on"]]))
        if row["spent"] > purse.day_limit:
            raise Wrong(f"wallet {purse.id} spent {row['spent']}, more than its {purse.day_limit} a day")

    def account_row(self, id: UUID) -> None:
        """An account holds what was moved to it."""
        real = self._store.books.accounts.get(id)
        net, debits_held, credits_held = self.accounts.get(id, (0, 0, 0))
        if real is None:
            raise Wrong(f"account {id} is not there")
        _equal(
            f"account {id} ({real.currency}, {real.side})",
            net=(real.credits_posted - real.debits_posted, net),
            debits_held=(real.debits_pending, debits_held),
            credits_held=(real.credits_pending, credits_held),
        )
        if real.floor is not None and real.side is Side.CREDIT and real.available < real.floor:
            raise Wrong(f"account {id} is under its floor")


_RULES: dict[type, Callable[[Any, Any, flows.Outcome, datetime], str]] = {
    flows.Pay: Oracle._pay,
    flows.Claim: Oracle._claim,
    flows.Confirm: Oracle._confirm,
    flows.Decline: Oracle._decline,
    flows.Cancel: Oracle._cancel,
    flows.Refund: Oracle._refund,
    flows.Expire: Oracle._expire,
    flows.Settle: Oracle._settle,
    flows.SettleRefund: Oracle._settle_refund,
}

#: From a state, the states that may follow.
_AFTER = {
    "PROCESSING": {"PROCESSING", "SUCCESS", "FAIL", "CANCELLED"},
    "SUCCESS": {"SUCCESS", "CANCELLED"},
    "FAIL": {"FAIL"},
    "CANCELLED": {"CANCELLED"},
}

#: What was asked for never changes.
_FIXED = (
    "request_ref",
    "client_ref",
    "input_hash",
    "amount",
    "currency",
    "settlement",
    "created_at",
    "expires_at",
)


def _state_machine(old: dict[str, Any], new: dict[str, Any]) -> None:
    if new["state"] not in _AFTER[old["state"]]:
        raise Wrong(f"payment {new['id']} went from {old['state']} to {new['state']}")
    if any(old[name] != new[name] for name in _FIXED):
        raise Wrong(f"payment {new['id']}: what was asked for has changed")


def _equal(what: str, **pairs: tuple[Any, Any]) -> None:
    for name, (found, expected) in pairs.items():
        if found != expected:
            raise Wrong(f"{what}: {name} is {found}, the rules say {expected}")


def _day(instant: datetime) -> date:
    return instant.astimezone(CHINA).date()


def _cancel_closes(paid: datetime) -> datetime:
    """A quarter past midnight in China, after the day of the payment."""
    midnight = datetime.combine(_day(paid) + timedelta(days=1), datetime.min.time(), CHINA)
    return midnight + timedelta(minutes=15)
