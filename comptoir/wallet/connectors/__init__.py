"""Wallets of others: the issuer interface, and what a connector to one must hold.

Comptoir's own wallet decides inside the payment's database transaction. Any other wallet is asked over a
network, so the engine records its intent and commits, calls the connector, and records the answer. It
never calls inside a transaction. What it cannot learn now, it asks again later: **unknown** is resolved by
`query`, `reverse` or the same `refund` under the same id, never by guessing.

Every connector holds:

1.  *One id, one effect.* `authorise` is idempotent by `authorization_id`, `refund` by `refund_id`,
    `reverse` by `authorization_id`. A repeat, at once or days later, in this process or another, moves
    nothing again and gives the answer of the first, or what has become of it since.
2.  *An answer is a value.* Time-outs, refused connections, answers that cannot be read or whose signature
    is wrong are UNKNOWN. An exception is a bug; the caller treats it as UNKNOWN. A cancelled call leaves
    nothing to clean up.
3.  *FAILED is final and certain*: the money did not move and never will under this id. Where the other side
    cannot promise that, the answer is UNKNOWN. "Not found" is UNKNOWN from `query`, because the request may
    still be on its way; after `reverse` it is FAILED.
4.  *SUCCEEDED is certain*, and has the issuer's reference. It does not turn into FAILED. A
    caller that had concluded failure and then sees SUCCEEDED reverses.
5.  *PENDING* means that the traveller is being asked in their own app. That is the confirmation of design
    §2; it ends in SUCCEEDED or FAILED, at the latest soon after `expires_at`.
6.  *`reverse` undoes all of an authorization, whatever its state.* Paid: all that was not yet refunded goes
    back. Pending: the traveller is asked no longer. Never seen: it is barred, so that a late `authorise`
    fails; where the other side cannot bar it, the answer is UNKNOWN until it can no longer succeed.
7.  *Nothing comes back twice*: refunds and a reversal together never exceed the charge.
8.  *Bounded*: an answer, or UNKNOWN, within `DEADLINE_S`. At most one attempt a call: the caller repeats.
9.  *About this very authorization*: an answer that names another payment or another amount than was asked
    for is UNKNOWN, however well it is signed.
10. *Quiet*: codes, keys and the issuer's raw answers are in no log, repr or exception.
11. *No state of its own* that an answer depends on: any process may go on where another died.

A connector is shown to hold them by `tests/wallet/conformance.py`, which each of them must pass.

The issuer owes us the `charge` in its currency, or what is left of it after refunds.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol, runtime_checkable
from uuid import UUID

import msgspec

from comptoir.kernel.errors import InvariantBroken
from comptoir.kernel.money import Money

#: Within so many seconds a connector answers.
DEADLINE_S: Final = 10.0


class AnswerState(StrEnum):
    """What is known of a call: SUCCEEDED and FAILED are final, PENDING waits for a person, UNKNOWN for us."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    PENDING = "pending"
    UNKNOWN = "unknown"


class AuthoriseRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Take `charge` from the wallet that shows `code`. `payee` is what the traveller reads.

    After `expires_at` it must not succeed any more. `mcc` is the ISO 18245 category, `country` ISO 3166.
    """

    authorization_id: UUID
    payment_id: UUID
    code: str
    charge: Money
    payee: str
    merchant_ref: str
    mcc: str
    country: str
    expires_at: datetime

    def __repr__(self) -> str:
        return f"AuthoriseRequest({self.authorization_id.hex}, {self.charge})"


class Authorization(msgspec.Struct, frozen=True, kw_only=True):
    """What an issuer was asked for, as every later call about it names it."""

    authorization_id: UUID
    charge: Money
    expires_at: datetime


class RefundRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Give back `amount`, in the currency of the charge and at most what is left of it.

    `issuer_ref` is the issuer's name for the authorization, as its SUCCEEDED answer said.
    """

    refund_id: UUID
    authorization_id: UUID
    issuer_ref: str
    amount: Money


class IssuerAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What an issuer answered. `code` (dotted, one of `wallet.errors`) says why it FAILED.

    `issuer_ref` is the issuer's name for it; SUCCEEDED has it, except the reversal of nothing.
    `wallet_amount` is what the wallet takes from its holder, or gives back, in its own currency, where the
    issuer says so.
    """

    state: AnswerState
    code: str | None = None
    wallet_amount: Money | None = None
    issuer_ref: str | None = None
    decided_at: datetime | None = None

    def __post_init__(self) -> None:
        if (self.state is AnswerState.FAILED) != (self.code is not None):
            raise InvariantBroken("an issuer's answer has a code when it failed, and only then")


class Notice(msgspec.Struct, frozen=True):
    """What an issuer told us unasked: a reason to ask what has become of it, and never more than that."""

    authorization_id: UUID
    claims: AnswerState


class IssuerConnector(Protocol):
    """The way to one issuer. See the conformance list above; numbers in brackets point there."""

    async def authorise(self, request: AuthoriseRequest) -> IssuerAnswer:
        """Ask the issuer to take the money [1, 3, 5]."""

    async def query(self, asked: Authorization) -> IssuerAnswer:
        """What has become of an authorization. A reversed one is FAILED with `wallet.cancelled` [3, 4]."""

    async def reverse(self, asked: Authorization) -> IssuerAnswer:
        """Undo an authorization, or bar it. Asking again is how an UNKNOWN is resolved [6]."""

    async def refund(self, request: RefundRequest) -> IssuerAnswer:
        """Give part of it back. Asking again with the same `refund_id` is how an UNKNOWN is resolved [7]."""

    async def aclose(self) -> None:
        """Let go of connections; no call follows."""


@runtime_checkable
class IssuerListener(Protocol):
    """What a connector can do besides, when its issuer tells us things unasked."""

    def heard(self, path: str, headers: Mapping[str, str], body: bytes) -> Notice | None:
        """What a message says, or None when it is not believed. `headers` have lower-case names."""
