"""Values of the books."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec

from comptoir.kernel.ids import derived_id
from comptoir.kernel.money import Money

#: The greatest amount of one transfer: 16 digits of minor units, what the payment interfaces can write.
MAX_AMOUNT = 10**16 - 1


class Side(StrEnum):
    """The side on which an account grows: what we owe grows by credit, what we own by debit."""

    CREDIT = "credit"
    DEBIT = "debit"


class Phase(StrEnum):
    """POSTED moves at once. PENDING holds; POST makes a hold final (in whole or in part), VOID lets it go."""

    POSTED = "posted"
    PENDING = "pending"
    POST = "post"
    VOID = "void"


class Role(StrEnum):
    """What an account is for. One account per (owner, role, currency)."""

    WALLET = "wallet.balance"
    WALLET_FUNDING = "wallet.funding"
    MERCHANT_PAYABLE = "merchant.payable"
    ISSUER_RECEIVABLE = "issuer.receivable"
    FX_POSITION = "fx.position"
    FX_MARGIN = "fx.margin"


#: The side on which each role grows.
SIDES = {
    Role.WALLET: Side.CREDIT,
    Role.WALLET_FUNDING: Side.DEBIT,
    Role.MERCHANT_PAYABLE: Side.CREDIT,
    Role.ISSUER_RECEIVABLE: Side.DEBIT,
    Role.FX_POSITION: Side.CREDIT,
    Role.FX_MARGIN: Side.CREDIT,
}


def account_id(owner_id: UUID, role: Role, currency: str) -> UUID:
    """The id of the one account of this owner, role and currency: derived, so nobody has to look it up."""
    return derived_id("account", owner_id.hex, role.value, currency)


class Transfer(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Money from one account to another: `amount` minor units of `currency`, greater than 0.

    `id` is the caller's (a repeat is found by it). Transfers of one call with the same `group` are
    linked: all are posted or none. POST and VOID name by `pending_id` a hold that an earlier call made, and
    repeat its owner, accounts and currency; a VOID's amount is that of its hold. `subject_id` is the
    payment, refund or order it belongs to, `reverses_id` the transfer it corrects.
    `effective_at` None means the instant of recording.
    """

    id: UUID
    owner_id: UUID
    debit_id: UUID
    credit_id: UUID
    amount: int
    currency: str
    kind: str
    subject_id: UUID
    phase: Phase = Phase.POSTED
    group: int | None = None
    pending_id: UUID | None = None
    reverses_id: UUID | None = None
    effective_at: datetime | None = None


class Posting(msgspec.Struct, frozen=True, kw_only=True):
    """A transfer as people read it: what it is about, what for, and between accounts of which roles."""

    subject_id: UUID
    kind: str
    phase: Phase
    amount: Money
    debit: Role
    credit: Role
    recorded_at: datetime


class Balance(msgspec.Struct, frozen=True):
    """What stands in an account, in minor units: four sums that only ever describe transfers."""

    side: Side
    currency: str
    debits_posted: int
    credits_posted: int
    debits_pending: int
    credits_pending: int

    @property
    def posted(self) -> int:
        """What is in the account, holds not counted."""
        net = self.credits_posted - self.debits_posted
        return net if self.side is Side.CREDIT else -net

    @property
    def available(self) -> int:
        """What may leave the account: posted less what is held."""
        held = self.debits_pending if self.side is Side.CREDIT else self.credits_pending
        return self.posted - held


class AccountView(msgspec.Struct, frozen=True):
    """An account with its owner and what stands in it now; `floor` in minor units, None for none."""

    id: UUID
    owner_id: UUID
    role: Role
    floor: int | None
    opened_at: datetime
    closed_at: datetime | None
    balance: Balance
