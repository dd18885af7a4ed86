"""Values of risk: charges, rules and what they say."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

import msgspec

from comptoir.kernel.ids import OPERATOR
from comptoir.kernel.money import Money


class Scope(StrEnum):
    """Whose payments a limit counts. DEVICE is the phone that pays, TERMINAL the till."""

    WALLET = "wallet"
    DEVICE = "device"
    MERCHANT = "merchant"
    TERMINAL = "terminal"
    ISSUER = "issuer"


class Action(StrEnum):
    """What a rule does when it applies, from the mildest to the strictest.

    FLAG lets the payment pass and keeps an entry. ASK_PIN lets a wallet of ours pay only after its PIN;
    another issuer's wallet, which asks for its own, passes. REFUSE refuses.
    """

    FLAG = "flag"
    ASK_PIN = "ask_pin"
    REFUSE = "refuse"


STRICTNESS = tuple(Action)


class Stage(StrEnum):
    """When a charge is looked at: as the shop asks for it, as the traveller approves it, or as the shop makes
    an authorization larger."""

    PAY = "pay"
    CONFIRM = "confirm"
    UPDATE = "update"


class Charge(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Money about to leave a wallet. `amount` is what the shop charges, in its own currency."""

    merchant_id: UUID
    merchant_ref: str
    mcc: str
    country: str
    issuer: str
    amount: Money
    store_ref: str | None = None
    terminal_ref: str | None = None
    wallet_id: UUID | None = None
    device: int | None = None

    @property
    def till(self) -> str | None:
        """The till within its merchant: its store's reference, a slash, its own."""
        return None if self.terminal_ref is None else f"{self.store_ref or ''}/{self.terminal_ref}"


class Subject(NamedTuple):
    """Whose counter: `owner_id` is the wallet or the merchant it belongs to, the operator for issuers."""

    owner_id: UUID
    scope: Scope
    name: str = ""


def subjects(charge: Charge, scopes: Iterable[Scope]) -> dict[Scope, Subject]:
    """Whom a charge is counted for in each of some scopes; a scope where it has nobody is left out."""
    found: dict[Scope, Subject] = {}
    for scope in scopes:
        match scope:
            case Scope.MERCHANT:
                found[scope] = Subject(charge.merchant_id, scope)
            case Scope.TERMINAL if charge.till is not None:
                found[scope] = Subject(charge.merchant_id, scope, charge.till)
            case Scope.ISSUER:
                found[scope] = Subject(OPERATOR, scope, charge.issuer)
            case Scope.WALLET if charge.wallet_id is not None:
                found[scope] = Subject(charge.wallet_id, scope)
            case Scope.DEVICE if charge.wallet_id is not None and charge.device is not None:
                found[scope] = Subject(charge.wallet_id, scope, str(charge.device))
            case _:
                pass
    return found


class Limit(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """At most `most` payments, or minor units if it is `of_amount`, in any `window` seconds.

    Counters have buckets of `grain` seconds. What is counted reaches back the window and at most one
    bucket more, never less.
    """

    per: Scope
    window: int
    grain: int
    most: int
    of_amount: bool = False


class Rule(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A rule as it is applied: every condition that is given must hold, the limit too if there is one.

    Amounts in minor units of `currency`, `above` exclusive and `up_to` inclusive. `hours` are minutes of
    the day in `zone`, the end exclusive, over midnight when it is before the start; `days` count from
    Monday, 0. Terminals are written ``merchant/store/till``.
    """

    id: str
    action: Action
    wallets: frozenset[UUID] = frozenset()
    devices: frozenset[int] = frozenset()
    merchants: frozenset[str] = frozenset()
    terminals: frozenset[str] = frozenset()
    issuers: frozenset[str] = frozenset()
    mccs: frozenset[str] = frozenset()
    countries: frozenset[str] = frozenset()
    currency: str | None = None
    above: int | None = None
    up_to: int | None = None
    hours: tuple[int, int] | None = None
    days: frozenset[int] = frozenset()
    zone: str = "UTC"
    limit: Limit | None = None


class Kind(NamedTuple):
    """One way of counting: for whom, in buckets of so many seconds."""

    scope: Scope
    grain: int


class RuleSet(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """The rules of a version. Version 0 is that of an installation that never had any.

    `sample`: of passed payments one in so many gets an entry, 0 for none. `counting`: since when each
    kind of counter that the limits need has been kept without a gap.
    """

    version: int = 0
    rules: tuple[Rule, ...] = ()
    sample: int = 0
    counting: dict[Kind, datetime] = {}

    @property
    def scopes(self) -> frozenset[Scope]:
        """The scopes in which something is counted."""
        return frozenset(kind.scope for kind in self.counting)


NO_RULES = RuleSet()


class Lookup(NamedTuple):
    """What a limit has to know: a subject's payments since a bucket; `currency` "" for all."""

    subject: Subject
    grain: int
    since: int
    currency: str


class Concern(NamedTuple):
    """A rule whose conditions a charge meets, and what its limit has to know, if it has one."""

    rule: Rule
    asked: Lookup | None


class Total(NamedTuple):
    """Payments and their amounts; the amount means something only when one currency was asked for."""

    payments: int = 0
    amount: int = 0


class Look(msgspec.Struct, frozen=True, gc=False):
    """One rule that concerned a charge: whether it fired, and what its limit measured, this one included."""

    rule: str
    fired: bool
    measured: int | None = None


class Assessment(msgspec.Struct, frozen=True, gc=False):
    """What the rules say: the strictest action of those that fired, None when none did."""

    action: Action | None = None
    looked: tuple[Look, ...] = ()

    @property
    def fired(self) -> tuple[str, ...]:
        """The rules that fired, in the order of the set."""
        return tuple(one.rule for one in self.looked if one.fired)


PASSED = Assessment()


class Entry(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A line of the decision log. Every rule of `version` was looked at; `looked` are those that concerned
    the charge."""

    id: UUID
    payment_id: UUID
    at: datetime
    version: int
    stage: Stage
    charge: Charge
    assessment: Assessment


class Count(msgspec.Struct, frozen=True, gc=False):
    """A charge to be counted at the instant it was made, or (`back`) to be taken back from there."""

    charge: Charge
    at: datetime
    back: bool = False


class VersionView(msgspec.Struct, frozen=True, kw_only=True):
    """A rule set on record; `source` is its content in the form of the file, `rules` how many it has."""

    version: int
    activated_at: datetime
    note: str
    rules: int
    source: dict[str, object]


class EntryView(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the decision log as the operator reads it; `action` None: a passed payment, sampled."""

    merchant_id: UUID
    payment_id: UUID
    at: datetime
    version: int
    stage: Stage
    action: Action | None
    looked: tuple[Look, ...]
    amount: Money
    issuer: str
    wallet_id: UUID | None
    device: int | None
    till: str | None


class PastChange(msgspec.Struct, frozen=True, kw_only=True):
    """An authorization's new amount, in the past. `unasked`: it went beyond what was approved with the PIN.

    `paid`: whether it was changed; if not, rules of then refused it.
    """

    at: datetime
    amount: Money
    paid: bool
    unasked: bool


class Past(msgspec.Struct, frozen=True, kw_only=True):
    """A charge of the past, as it began. `at_once`: it was looked at then. `unasked`: nobody could be asked
    for the PIN.

    `confirmed_at` is when its traveller approved it, if that was asked, and `confirmed_on` the phone that
    paid from then on; `made_at` when it counted, and would have if rules of then had not refused it;
    `changes` its later amounts, in order; `undone_at` when it was taken back; `paid` whether it was made.
    """

    id: UUID
    charge: Charge
    begun_at: datetime
    at_once: bool
    confirmed_at: datetime | None = None
    confirmed_on: int | None = None
    made_at: datetime | None = None
    changes: tuple[PastChange, ...] = ()
    undone_at: datetime | None = None
    paid: bool = False
    unasked: bool = False


class Said(msgspec.Struct, frozen=True):
    """What a rule set would have said of a past charge, at one of its stages: `charge` as it was then.

    `paid` and `unasked` are those of the charge, or of the change that made it so large.
    """

    past: Past
    stage: Stage
    at: datetime
    charge: Charge
    paid: bool
    unasked: bool
    assessment: Assessment

    @property
    def action(self) -> Action | None:
        """What would have been done: where nobody can be asked for the PIN, asking for it refuses."""
        action = self.assessment.action
        return Action.REFUSE if action is Action.ASK_PIN and self.unasked else action


class RehearsalLine(msgspec.Struct, frozen=True):
    """One rule at one merchant: charges on which it would have fired, their amounts (minor units), and how
    many of them were paid in truth."""

    rule: str
    action: Action
    merchant_ref: str
    currency: str
    charges: int
    amount: int
    paid: int


class Rehearsal(msgspec.Struct, frozen=True):
    """What a rule set would have done: charges by the action that would have held (None: passed), and by
    rule and merchant."""

    charges: dict[Action | None, int]
    lines: tuple[RehearsalLine, ...]
