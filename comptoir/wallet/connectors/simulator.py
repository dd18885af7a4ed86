"""Wallets that are not there, for test clients: each behaves as its number says, and moves nothing.

A test client's payment is never shown to a real wallet. The scanned code, or else the amount, chooses one
of these: `simulated_wallet`. Which one it was is the payment's issuer, so every later question finds the
same behavior, whichever process asks. They keep no books: when an authorization was made is in its id
(UUIDv7), and what has become of it by now follows from that.

The table for integrators: docs/recipes/sandbox.md.
"""

from __future__ import annotations

import re
from datetime import timedelta
from enum import Enum
from typing import Final
from uuid import UUID

from comptoir.kernel.clock import Clock, utc_now
from comptoir.kernel.ids import made_at
from comptoir.kernel.money import Money
from comptoir.wallet import errors
from comptoir.wallet.connectors import (
    AnswerState,
    AuthoriseRequest,
    Authorization,
    IssuerAnswer,
    RefundRequest,
)
from comptoir.wallet.types import SIMULATED

#: How long a simulated traveller thinks, one who is slow, and a wallet that lets itself be asked.
_SOON: Final = timedelta(seconds=5)
_SLOW: Final = timedelta(seconds=60)
_LATE: Final = timedelta(seconds=30)

_TEST_CODE: Final = re.compile(r"25880000000000([0-9]{2})([0-9]{2})")
_UNKNOWN: Final = IssuerAnswer(state=AnswerState.UNKNOWN)


class Behavior(Enum):
    """What a simulated wallet does. The value is the last two digits of the amount, or of the test code."""

    PAYS = 0
    HAS_TOO_LITTLE = 1
    APPROVES = 2
    DECLINES = 3
    PAID_IN_SILENCE = 4
    FAILED_IN_SILENCE = 5
    NEVER_ANSWERS = 6
    APPROVES_LATE = 7
    PAID_AFTER_THE_CANCELLATION = 8


def simulated_wallet(code: str | None, amount: Money) -> str:
    """The simulated wallet that pays: the one that a test code names, else the one that the amount does."""
    found = _TEST_CODE.fullmatch(code or "")
    number = int(found[2]) if found else amount.minor % 100
    known = {one.value for one in Behavior}
    return f"{SIMULATED}{Behavior(number if number in known else 0).name}"


SIMULATED_WALLETS: Final = tuple(f"{SIMULATED}{one.name}" for one in Behavior)


class SimulatedWallet:
    """One of them, behind the interface of a real one. Nothing moves, so nothing can be moved twice."""

    def __init__(self, behavior: Behavior, clock: Clock = utc_now) -> None:
        self._behavior = behavior
        self._clock = clock

    async def authorise(self, request: AuthoriseRequest) -> IssuerAnswer:
        """The first answer. Without a code (an order that waits to be scanned) somebody has to act first."""
        match self._behavior:
            case Behavior.PAYS if request.code:
                return _paid(request.authorization_id, request.charge)
            case Behavior.HAS_TOO_LITTLE if request.code:
                return IssuerAnswer(state=AnswerState.FAILED, code=errors.BALANCE_INSUFFICIENT)
            case Behavior.PAYS | Behavior.HAS_TOO_LITTLE:
                return IssuerAnswer(state=AnswerState.PENDING)
            case Behavior.APPROVES | Behavior.DECLINES | Behavior.APPROVES_LATE:
                return IssuerAnswer(state=AnswerState.PENDING)
            case _:
                return _UNKNOWN

    async def query(self, asked: Authorization) -> IssuerAnswer:
        """What has become of it by now."""
        match self._behavior:
            case Behavior.NEVER_ANSWERS | Behavior.PAID_AFTER_THE_CANCELLATION:
                return _UNKNOWN
            case Behavior.FAILED_IN_SILENCE | Behavior.HAS_TOO_LITTLE:
                return IssuerAnswer(state=AnswerState.FAILED, code=errors.BALANCE_INSUFFICIENT)
        if not self._is_past(asked.authorization_id, self._thinks):
            return IssuerAnswer(state=AnswerState.PENDING)
        if self._behavior is Behavior.DECLINES:
            return IssuerAnswer(state=AnswerState.FAILED, code=errors.DECLINED)
        return _paid(asked.authorization_id, asked.charge)

    async def reverse(self, asked: Authorization) -> IssuerAnswer:
        """Undone; by the one that pays after a cancellation not before it has paid."""
        late = self._behavior is Behavior.PAID_AFTER_THE_CANCELLATION
        if late and not self._is_past(asked.authorization_id, _LATE):
            return _UNKNOWN
        return IssuerAnswer(state=AnswerState.SUCCEEDED)

    async def refund(self, request: RefundRequest) -> IssuerAnswer:
        """Given back, but for refunds that end in 01 (refused), 04 (late success) and 05 (late refusal)."""
        ends = request.amount.minor % 100
        if ends in (4, 5) and not self._is_past(request.refund_id, _SOON):
            return _UNKNOWN
        if ends in (1, 5):
            return IssuerAnswer(state=AnswerState.FAILED, code=errors.REFUSED)
        return _paid(request.refund_id, request.amount)

    async def aclose(self) -> None:
        """Nothing is held."""

    @property
    def _thinks(self) -> timedelta:
        return _SLOW if self._behavior is Behavior.APPROVES_LATE else _SOON

    def _is_past(self, made: UUID, after: timedelta) -> bool:
        return self._clock() >= made_at(made) + after


def _paid(name: UUID, amount: Money) -> IssuerAnswer:
    """Simulated travellers pay in the currency of the charge."""
    return IssuerAnswer(
        state=AnswerState.SUCCEEDED, issuer_ref=f"simulated-{name.hex[-12:]}", wallet_amount=amount
    )
