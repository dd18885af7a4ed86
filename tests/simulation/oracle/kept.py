"""What the oracle remembers: its records, its books, and how money is moved in them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from functools import lru_cache
from uuid import UUID

from comptoir.flows.engine.issuer_legs import issuer_owner
from comptoir.kernel.clock import CHINA
from comptoir.kernel.currencies import EXPONENTS
from comptoir.kernel.ids import OPERATOR
from comptoir.ledger.api import Role, account_id
from tests.simulation.oracle.types import (
    Agreement,
    Ask,
    Back,
    Change,
    Dispute,
    Key,
    Parts,
    Payment,
    Phone,
    Promise,
    Purse,
    Subscription,
    Taking,
    Terms,
)

_account_id = lru_cache(maxsize=4096)(account_id)

#: Rates and prices keep 12 digits (decision 0011).
_TWELVE = Context(prec=12, rounding=ROUND_HALF_EVEN)

#: From an account, to another, minor units, currency.
Leg = tuple[tuple[UUID, Role], tuple[UUID, Role], int, str]


class Kept:
    """Records by their names, accounts, and the notices that the present commit owes."""

    def __init__(self, rates: dict[str, Decimal]) -> None:
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
        self.takings: dict[Key, Taking] = {}
        self.takings_by_id: dict[UUID, Taking] = {}
        self.agreements: dict[UUID, Agreement] = {}
        self.by_consent: dict[str, Agreement] = {}
        self.by_grant: dict[tuple[UUID, bytes], Agreement] = {}
        self.by_access: dict[tuple[UUID, bytes], Agreement] = {}
        self.promises: dict[UUID, Promise] = {}
        self.disputes: dict[UUID, Dispute] = {}
        self.subscriptions: dict[UUID, Subscription] = {}
        self.by_subscribing: dict[Key, Subscription] = {}
        #: (merchant, client, CHANGE or UPDATE, request id) -> the hash of what was asked
        self.new_terms: dict[tuple[UUID, str, str, str], bytes] = {}
        self.changes: dict[Key, Change] = {}
        self.changes_by_id: dict[UUID, Change] = {}
        #: account -> [net posted in its favor by credit, debits held, credits held]
        self.accounts: dict[UUID, list[int]] = {}
        self.notices: list[tuple[str, UUID]] = []

    def named(self, merchant_id: UUID, payment_id: UUID) -> Payment | None:
        """A payment by its id, if it is this merchant's."""
        found = self.by_id.get(payment_id)
        return found if found and found.command.merchant_id == merchant_id else None

    def tell(self, topic: str, id: UUID, payment: Payment) -> None:
        """A notice is owed, if the merchant said where to."""
        if payment.command.notify_url:
            self.notices.append((topic, id))

    # ------------------------------------------------------------ money

    def converted(self, minor: int, base: str, quote: str, bps: int = 0) -> int:
        """At that price, to the nearest minor unit."""
        if base == quote:
            return minor
        if (base, quote, bps) not in self._factors:
            price = self.price(base, quote, bps)
            scale = Fraction(10 ** EXPONENTS[quote], 10 ** EXPONENTS[base])
            self._factors[base, quote, bps] = (Fraction(price) * scale).as_integer_ratio()
        numerator, denominator = self._factors[base, quote, bps]
        return round(Fraction(minor * numerator, denominator))

    def price(self, base: str, quote: str, bps: int) -> Decimal:
        """The cross rate of 12 digits, raised by a margin (12 digits again)."""
        cross = _TWELVE.divide(self._rates[quote], self._rates[base])
        return _TWELVE.multiply(cross, Decimal(10_000 + bps) / 10_000)

    def account(self, owner: UUID, role: Role, currency: str) -> list[int]:
        return self.accounts.setdefault(_account_id(owner, role, currency), [0, 0, 0])

    def move(self, debit: tuple[UUID, Role], credit: tuple[UUID, Role], minor: int, currency: str) -> None:
        """Money from one account to another."""
        self.account(*debit, currency)[0] -= minor
        self.account(*credit, currency)[0] += minor

    def post(self, legs: Iterable[Leg], sign: int = 1) -> None:
        """Money moves; with `sign` -1 it goes back."""
        for debit, credit, minor, currency in legs:
            self.move(debit, credit, sign * minor, currency)

    def hold(self, legs: Iterable[Leg], sign: int = 1, *, back: bool = False) -> None:
        """Money is to move; with `sign` -1 it is not any more. `back`: the other way."""
        for debit, credit, minor, currency in legs:
            source, target = (credit, debit) if back else (debit, credit)
            self.account(*source, currency)[1] += sign * minor
            self.account(*target, currency)[2] += sign * minor

    def free(self, owner: UUID, role: Role, currency: str) -> int:
        """What may leave an account that grows by credit."""
        net, debits_held, _ = self.account(owner, role, currency)
        return net - debits_held

    def too_poor(self, merchant_id: UUID, owed: int) -> bool:
        """Whether a merchant's balance does not let so much go."""
        free = self.free(merchant_id, Role.MERCHANT_PAYABLE, "EUR")
        return owed > 0 and free - owed < min(self.terms[merchant_id].floor, free)


def ours(payment: Payment, parts: Parts) -> list[Leg]:
    """What our own wallet pays: two halves at the mid rate, the margin apart."""
    assert payment.ask is not None
    mid, margin, owed = parts
    purse, merchant = (
        (payment.ask.purse.id, Role.WALLET),
        (payment.command.merchant_id, Role.MERCHANT_PAYABLE),
    )
    position = (OPERATOR, Role.FX_POSITION)
    return [
        (purse, position, mid, "CNY"),
        (purse, (OPERATOR, Role.FX_MARGIN), margin, "CNY"),
        (position, merchant, owed, "EUR"),
    ]


def theirs(payment: Payment, amount: int, owed: int) -> list[Leg]:
    """What another issuer pays."""
    issuer = (issuer_owner(payment.issuer or ""), Role.ISSUER_RECEIVABLE)
    merchant = (payment.command.merchant_id, Role.MERCHANT_PAYABLE)
    position = (OPERATOR, Role.FX_POSITION)
    return [(issuer, position, amount, payment.amount.currency), (position, merchant, owed, "EUR")]


def due(whole: Parts, gone: Parts, done: int, of: int) -> Parts:
    """What is due for `done` out of `of`, rounded down, less what is gone: never less than nothing."""
    mid, margin, owed = (max(one * done // of - before, 0) for one, before in zip(whole, gone, strict=True))
    return mid, margin, owed


def plus(one: Parts, other: Parts, sign: int = 1) -> Parts:
    """Part by part."""
    mid, margin, owed = (a + sign * b for a, b in zip(one, other, strict=True))
    return mid, margin, owed


def china_day(instant: datetime) -> date:
    """The day in China."""
    return instant.astimezone(CHINA).date()
