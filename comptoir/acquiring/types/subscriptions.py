"""Values of subscriptions: a payment every period."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec

from comptoir.kernel.money import Money


class PeriodType(StrEnum):
    """The unit in which a subscription renews; the spelling of the wire and of the table."""

    DAY = "DAY"
    WEEK = "WEEK"
    MONTH = "MONTH"
    QUARTER = "QUARTER"
    HALF_YEAR = "HALF_YEAR"
    YEAR = "YEAR"


class Period(msgspec.Struct, frozen=True, gc=False):
    """So many units long, at least one."""

    kind: PeriodType
    count: int


class Trial(msgspec.Struct, frozen=True, gc=False):
    """Other amounts (minor units, 0 for nothing) for the phases from `first` to `last`, counted from 1."""

    amount: int
    first: int
    last: int


class SubscriptionState(StrEnum):
    """OPEN waits for its traveller; ACTIVE renews. CANCELLED renews no more, TERMINATED is over at once.

    The merchant may end it before its traveller has approved: then it was never charged.
    """

    OPEN = "open"
    ACTIVE = "active"
    CANCELLED = "cancelled"
    TERMINATED = "terminated"


class SubscriptionView(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A payment that comes again every period, under the agreement of the same id.

    Phases count from 1; `phase` is the next one to be charged, in its `attempt`-th try, at `next_at` (None:
    never). Phase `anchor_phase` begins at `anchor_at`, the others follow by the period; where the anchor was
    moved, the phase before it began at `before_anchor_at`. `ceiling` is the most that the traveller agreed to
    be charged for a phase.
    """

    id: UUID
    merchant_id: UUID
    client_ref: str
    request_ref: str
    input_hash: bytes
    description: str
    amount: Money
    ceiling: int
    period: Period
    state: SubscriptionState
    created_at: datetime
    start_at: datetime
    anchor_at: datetime
    method_type: str
    anchor_phase: int = 1
    before_anchor_at: datetime | None = None
    phase: int = 1
    attempt: int = 1
    next_at: datetime | None = None
    end_at: datetime | None = None
    trials: tuple[Trial, ...] = ()
    allow_retry: bool = True
    settlement_currency: str | None = None
    notify_url: str | None = None
    payment_notify_url: str | None = None
    ended_at: datetime | None = None


class SubscriptionsAsked(msgspec.Struct, frozen=True, kw_only=True):
    """Which subscriptions of a merchant are asked for: that start from `begin` to just before `end`.

    Of the other members an empty one leaves all; `states` names what may be.
    """

    merchant_id: UUID
    begin: datetime
    end: datetime
    states: Sequence[SubscriptionState]
    currencies: Sequence[str] = ()
    method_types: Sequence[str] = ()
    period_kinds: Sequence[PeriodType] = ()


class SubscriptionChange(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A change that was made under a request id, so that a repeat is known as one.

    `event` is what the merchant calls it, CHANGE or UPDATE: each has request ids of its own.
    """

    merchant_id: UUID
    client_ref: str
    event: str
    request_ref: str
    subscription_id: UUID
    input_hash: bytes
    created_at: datetime


class SubscriptionPayment(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Which payment a phase was charged with, in which try."""

    merchant_id: UUID
    subscription_id: UUID
    phase: int
    attempt: int
    payment_id: UUID
