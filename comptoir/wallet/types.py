"""Values of the issuer: a traveller's wallet, the device that shows codes, and what was authorised."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

import msgspec

from comptoir.kernel.money import Money

#: The name under which Comptoir's own wallet is known among issuers.
OWN_ISSUER = "COMPTOIR"


class WalletState(StrEnum):
    ACTIVE = "active"
    FROZEN = "frozen"
    CLOSED = "closed"


class AuthorizationState(StrEnum):
    """WAITING needs the traveller; the others are final. CANCELLED: the shop withdrew it before it was paid."""

    WAITING = "waiting"
    AUTHORISED = "authorised"
    DECLINED = "declined"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    REFUSED = "refused"


class CreditKind(StrEnum):
    """Why money came into a wallet."""

    TOP_UP = "top_up"
    REFUND = "refund"
    REVERSAL = "reversal"


class WalletView(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A wallet as a decision needs it; limits in minor units of its currency, `spent` on the day in question."""

    id: UUID
    holder_id: UUID
    display_name: str
    currency: str
    state: WalletState
    no_pin_limit: int
    payment_limit: int
    day_limit: int
    spent: int = 0


class DeviceView(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A device that shows payment codes, with its wallet. `used` are the codes it spent of late: window * 10 + n.

    The seed is the secret that both sides compute codes from: it is never printed or logged.
    """

    number: int
    wallet: WalletView
    seed: bytes
    active: bool
    bad_codes: int
    locked_until: datetime | None
    used: frozenset[int]

    def __repr__(self) -> str:
        return f"DeviceView(number={self.number})"


class CodeUse(msgspec.Struct, frozen=True, gc=False):
    """A payment code that has been spent and will never be taken again."""

    wallet_id: UUID
    device_number: int
    window: int
    n: int
    at: datetime


class AuthorizationView(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """The wallet's side of a payment: what the traveller is asked for, at which price, for whom.

    `total` includes `margin`; `charge` is what the shop asks. `refunded` counts what came back.
    """

    id: UUID
    wallet_id: UUID
    payment_id: UUID
    payee: str
    total: Money
    margin: int
    charge: Money
    price: Decimal
    quote_id: UUID
    state: AuthorizationState
    created_at: datetime
    expires_at: datetime
    spent_on: date
    decided_at: datetime | None = None
    refunded: int = 0


class Credit(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Money into a wallet: a top-up, a refund, or the reversal of a payment."""

    id: UUID
    wallet_id: UUID
    kind: CreditKind
    amount: Money
    created_at: datetime
    authorization_id: UUID | None = None
    note: str = ""


class Spending(msgspec.Struct, frozen=True, gc=False):
    """Part of what a wallet spent on a day, in minor units, above 0."""

    wallet_id: UUID
    on: date
    amount: int
