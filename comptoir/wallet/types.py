"""Values of the issuer: a traveller's wallet, the device that shows codes, and what was authorised."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

import msgspec

from comptoir.kernel.money import Money

#: The name under which Comptoir's own wallet is known among issuers.
OWN_ISSUER = "COMPTOIR"


#: What the names of simulated wallets begin with; no other issuer's may (see wallet.connectors.simulator).
SIMULATED = "SIM_"


class WalletState(StrEnum):
    ACTIVE = "active"
    FROZEN = "frozen"
    CLOSED = "closed"


class AuthorizationState(StrEnum):
    """WAITING needs the traveller. AUTHORISED is paid at once. HELD keeps money for captures until it is
    RELEASED: all was captured, or what was not has been let go. CANCELLED: the shop withdrew it before it
    was granted. REFUSED: a risk rule does not let it be paid. All but WAITING and HELD are final.
    """

    WAITING = "waiting"
    AUTHORISED = "authorised"
    HELD = "held"
    RELEASED = "released"
    DECLINED = "declined"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    REFUSED = "refused"

    @property
    def granted(self) -> bool:
        """Whether the wallet said yes, whatever became of it since."""
        return self in (
            AuthorizationState.AUTHORISED,
            AuthorizationState.HELD,
            AuthorizationState.RELEASED,
        )


class AgreementState(StrEnum):
    """ACTIVE lets one merchant debit without asking each time; ENDED does not, for good."""

    ACTIVE = "active"
    ENDED = "ended"


class CreditKind(StrEnum):
    """Why money came into a wallet."""

    TOP_UP = "top_up"
    REFUND = "refund"
    REVERSAL = "reversal"


class WalletView(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A wallet as a decision needs it; limits in minor units of its currency, `spent` on the day asked."""

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
    """A device that shows payment codes, with its wallet. `used`: codes it spent of late, window * 10 + n.

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

    `total` includes `margin`; `charge` is what the shop asks. `refunded` counts what came back. Of one that
    is HELD or RELEASED, `captured` counts what left the wallet. `approved` is how much the traveller agreed
    to with the PIN (0: nobody was asked). `agreement_id` is the agreement under which nobody was asked.
    `device` is the number of the phone whose code was scanned, None for other ways to pay; `acted_on` that
    of the phone on which the traveller scanned an order, and then of the one on which they approved.
    """

    id: UUID
    wallet_id: UUID
    merchant_id: UUID
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
    captured: int = 0
    approved: int = 0
    agreement_id: UUID | None = None
    device: int | None = None
    acted_on: int | None = None

    @property
    def phone(self) -> int | None:
        """The phone that pays: the one on which the traveller acted, else the one whose code was scanned."""
        return self.device if self.acted_on is None else self.acted_on


class WalletCapture(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Money that left a wallet by the capture of this id: `charge` is what the shop captured."""

    id: UUID
    wallet_id: UUID
    authorization_id: UUID
    amount: Money
    charge: Money
    created_at: datetime


class AgreementView(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """The traveller's side of an agreement: who may debit the wallet, and how much without asking.

    Limits in minor units of the wallet's currency, for one payment and for a day in China. `spent` is what
    was debited on the day asked and has not come back.
    """

    id: UUID
    wallet_id: UUID
    merchant_id: UUID
    payee: str
    payment_limit: int
    day_limit: int
    state: AgreementState
    created_at: datetime
    ended_at: datetime | None = None
    spent: int = 0


class Credit(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Money into a wallet: a top-up, a refund, or the reversal of a payment.

    `charge` is what the shop gave back in its own currency; a top-up has none, nor have credits of before it
    was recorded.
    """

    id: UUID
    wallet_id: UUID
    kind: CreditKind
    amount: Money
    created_at: datetime
    authorization_id: UUID | None = None
    note: str = ""
    charge: Money | None = None


class Spending(msgspec.Struct, frozen=True, gc=False):
    """Part of what a wallet spent on a day, in minor units, above 0."""

    wallet_id: UUID
    on: date
    amount: int


class Limits(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What a wallet may pay, in minor units of its currency: without PIN, at once, on a day in China."""

    no_pin: int
    payment: int
    day: int


#: For wallets in CNY when nothing else is agreed: 500, 20,000 and 50,000 yuan.
CNY_LIMITS = Limits(no_pin=500_00, payment=20_000_00, day=50_000_00)


class WalletSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A wallet as its holder sees it: `available` may be spent, `held` waits for shops to capture it,
    `wallet.spent` was spent or held today (China)."""

    wallet: WalletView
    available: Money
    held: Money


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What the holder may change: the limits that hold, and the `most` the operator allows.

    `frozen_by_holder`: frozen, and the holder may undo it. `pin_locked_until` is None while the PIN is taken.
    """

    state: WalletState
    frozen_by_holder: bool
    limits: Limits
    most: Limits
    pin_locked_until: datetime | None


class DeviceSummary(msgspec.Struct, frozen=True):
    """A device as its owner sees it."""

    number: int
    name: str
    active: bool
    created_at: datetime


class Enrollment(NamedTuple):
    """A new device. The seed is handed over this once, for the device to keep; it is never printed."""

    number: int
    seed: bytes

    def __repr__(self) -> str:
        return f"Enrollment(number={self.number})"


class ShownCode(NamedTuple):
    """A payment code to be shown, and when shops stop taking it. Never printed: it is as good as money."""

    digits: str
    expires_at: datetime

    def __repr__(self) -> str:
        return f"ShownCode(expires_at={self.expires_at.isoformat()})"


class UpstreamFamily(StrEnum):
    """In which words an upstream is spoken to: as its acquirer (``/aps/api``), or as its merchant."""

    APS = "aps"
    AMS = "ams"


class UpstreamView(msgspec.Struct, frozen=True, kw_only=True):
    """An upstream as the operator sees it: whose codes (by `prefixes`) go where. Public keys in DER.

    `settlement_currency` is said in payments when the upstream has several contracts with us.
    """

    name: str
    family: UpstreamFamily
    url: str
    client_ref: str
    key_version: int
    public_key: bytes
    their_public_key: bytes
    prefixes: tuple[str, ...]
    settlement_currency: str | None
    created_at: datetime


class UpstreamAccount(msgspec.Struct, frozen=True, kw_only=True):
    """What it takes to speak to an upstream. `private_key` (PKCS #8 DER) is a secret: for signing only."""

    name: str
    family: UpstreamFamily
    url: str
    client_ref: str
    key_version: int
    private_key: bytes
    their_public_key: bytes
    settlement_currency: str | None = None

    def __repr__(self) -> str:
        return f"UpstreamAccount({self.name})"


class MovementKind(StrEnum):
    """A PAYMENT takes money out; the others bring it in."""

    PAYMENT = "payment"
    TOP_UP = "top_up"
    REFUND = "refund"
    REVERSAL = "reversal"


class Movement(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the statement. `amount` is in the wallet's currency, below zero when money left.

    A payment has what the shop charged and the price (wallet currency per unit of the charge's, margin
    included as agreed), and, if it was paid at once, `refunded`: how much of it has come back by now. Each
    capture of a held authorization is a payment of its own. A refund or reversal names the payee of its
    payment and, as `charge`, what the shop gave back; a top-up has a note. `authorization_id` names the whole
    story, see `PaymentRecord`; a top-up has none.
    """

    id: UUID
    kind: MovementKind
    at: datetime
    amount: Money
    payee: str = ""
    payment_id: UUID | None = None
    charge: Money | None = None
    price: Decimal | None = None
    refunded: Money | None = None
    note: str = ""
    authorization_id: UUID | None = None


class MovementFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which lines of a statement to find: all that is given must fit.

    `payee` is part of the payee's name or of a top-up's note, in upper or lower case. `amount` is what was
    charged or what moved, in major units of either currency. `first` and `last` are days in China.
    """

    payee: str = ""
    amount: Decimal | None = None
    first: date | None = None
    last: date | None = None


class MovementCursor(NamedTuple):
    """A place in a statement: the last line that was read."""

    at: datetime
    id: UUID
    kind: MovementKind


class MovementPage(msgspec.Struct, frozen=True):
    """Lines newest first; `older` continues where they end, None when there are no more."""

    movements: tuple[Movement, ...]
    older: MovementCursor | None


class PaymentRecord(msgspec.Struct, frozen=True):
    """One payment from the wallet's side in full: what was asked, what was captured, what came back."""

    authorization: AuthorizationView
    captures: tuple[WalletCapture, ...]
    credits: tuple[Credit, ...]


class CodeNews(msgspec.Struct, frozen=True):
    """What became of the codes of a device: the newest payment, if one was asked for or made.

    `scanned_at` is when a shop last presented a code of it, whether or not a payment came of it. `used` are
    codes that cannot be shown again, window * 10 + n, of the last windows.
    """

    authorization: AuthorizationView | None
    scanned_at: datetime | None
    used: frozenset[int]
