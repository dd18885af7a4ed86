"""The oracle's own records."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from comptoir.acquiring.api import CaptureMode, Document, Period
from comptoir.flows import api as flows
from comptoir.kernel.money import Money

Key = tuple[UUID, str, str]

#: What a payment moves, in minor units: off the wallet at the mid rate, its margin, and to the merchant.
Parts = tuple[int, int, int]
NOTHING: Parts = (0, 0, 0)


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
    """What a wallet was asked for a payment. `approved`: what the traveller agreed to with the PIN.

    `shown` is the phone whose code was scanned, `acted_on` where the traveller scanned or approved.
    """

    id: UUID
    payment: Payment
    purse: Purse
    total: int
    margin: int
    state: str
    until: datetime
    approved: int = 0
    captured: int = 0
    refunded: int = 0
    spent_on: date | None = None
    agreement: Agreement | None = None
    shown: int | None = None
    acted_on: int | None = None


@dataclass
class Agreement:
    """A traveller lets a merchant debit: `once` and on a `day`, in fen.

    `until`: when the page, and then the code, is good no more.
    """

    command: flows.OpenAgreement
    state: str
    until: datetime
    purse: Purse | None = None
    once: int = 0
    day: int = 0
    access: bytes | None = None
    refresh: bytes | None = None
    ended: datetime | None = None
    asks: list[Ask] = field(default_factory=list)
    subscription: Subscription | None = None


@dataclass
class Subscription:
    """A payment that comes again every period, under the agreement of the same id.

    `phase` is charged next, in its `attempt`-th try, at `next`. Phase `anchor` begins at `anchor_at`.
    """

    command: flows.OpenSubscription
    agreement: Agreement
    amount: Money
    ceiling: int
    period: Period
    anchor_at: datetime
    end: datetime | None
    state: str = "open"
    anchor: int = 1
    phase: int = 1
    attempt: int = 1
    next: datetime | None = None
    ended: datetime | None = None
    charges: dict[tuple[int, int], Payment] = field(default_factory=dict)


@dataclass(frozen=True)
class Promise:
    """A price that a merchant was promised."""

    id: UUID
    merchant_id: UUID
    base: str
    price: Decimal
    until: datetime


@dataclass
class Payment:
    """A payment of the oracle's own.

    `amount` and `settlement` as they are now; `took` is what was captured, `gave` what refunds gave back
    and chargebacks claim; `charged_back` what was lost to them.
    """

    id: UUID
    command: flows.Pay
    state: str
    created: datetime
    expires: datetime
    amount: Money
    settlement: int
    failure: str | None = None
    finished: datetime | None = None
    cancelled: datetime | None = None
    issuer: str | None = None
    ask: Ask | None = None
    refunded: int = 0
    gave: Parts = NOTHING
    was_paid: bool = False
    held: bool = False
    held_until: datetime | None = None
    captured: int = 0
    took: Parts = NOTHING
    lapsed: bool = False
    promise: Promise | None = None
    charged_back: int = 0

    @property
    def theirs(self) -> bool:
        return self.issuer is not None

    @property
    def mode(self) -> CaptureMode | None:
        return self.command.capture_mode

    @property
    def whole(self) -> Parts:
        """All of it, as the wallet was asked for it."""
        assert self.ask is not None
        return self.ask.total - self.ask.margin, self.ask.margin, self.settlement


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
class Dispute:
    """A claim against a payment.

    `back` is its money, a refund that nobody asked for: None where it only asks for papers. `parts` is what
    that takes; `called` names the call that answered last.
    """

    command: flows.OpenDispute
    payment: Payment
    created: datetime
    look: datetime | None
    state: str = "OPEN"
    back: Back | None = None
    parts: Parts = NOTHING
    held: bool = False
    called: str = ""
    accepted: str | None = None
    reminded: bool = False
    defense: Document | None = None
    defended: datetime | None = None
    ended: datetime | None = None


@dataclass
class Taking:
    """A capture of the oracle's own. `command` is None where an authorization was captured by itself."""

    id: UUID
    command: flows.Capture | None
    payment: Payment
    amount: Money
    failure: str | None = None
    refunded: int = 0


@dataclass
class Change:
    """A change of an authorized amount."""

    id: UUID
    command: flows.UpdateAmount
    failure: str | None = None


@dataclass
class Terms:
    """A merchant's contract: settled in EUR."""

    margin_bps: int
    currencies: tuple[str, ...]
    in_store_s: int
    online_s: int
    window_days: int
    floor: int
