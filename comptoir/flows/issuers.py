"""The engine with other issuers behind it: commit the intent, ask the issuer, commit the answer.

No call is made inside a transaction. A call without a clear answer leaves the payment in process: the
caller is told so, and the worker asks again until the truth is known (flows.worker.issuers).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog
from msgspec.structs import replace

from comptoir.flows.types import Command, Outcome, Pay, Settle, SettleRefund
from comptoir.wallet.api import (
    DEADLINE_S,
    OWN_ISSUER,
    AnswerState,
    AuthoriseRequest,
    IssuerAnswer,
    IssuerDirectory,
    RefundRequest,
)

log = structlog.get_logger("comptoir.issuers")

Submit = Callable[[Command], Awaitable[Outcome]]

#: What we know when nobody told us anything.
UNKNOWN: Final = IssuerAnswer(state=AnswerState.UNKNOWN)


class PaymentDesk:
    """Submits commands, and brings those that another issuer decides as far as it will answer now."""

    def __init__(self, submit: Submit, issuers: IssuerDirectory) -> None:
        """`submit` is the engine's."""
        self._submit = submit
        self._issuers = issuers

    async def submit(self, command: Command) -> Outcome:
        """Do a command. Raises what the engine raises; an issuer's silence is no error."""
        if isinstance(command, Pay) and command.code:
            issuer = self._issuers.route(command.code)
            if issuer not in (None, OWN_ISSUER):
                command = replace(command, issuer=issuer)
        outcome = await self._submit(command)
        if outcome.ask is None or outcome.payment is None or outcome.payment.issuer is None:
            return outcome
        answer = await ask(self._issuers, outcome.payment.issuer, outcome.ask)
        if answer.state in (AnswerState.UNKNOWN, AnswerState.PENDING):
            return outcome
        merchant_id = outcome.payment.merchant_id
        if isinstance(outcome.ask, AuthoriseRequest):
            return await self._submit(
                Settle(merchant_id=merchant_id, payment_id=outcome.payment.id, answer=answer)
            )
        return await self._submit(
            SettleRefund(merchant_id=merchant_id, refund_id=outcome.ask.refund_id, answer=answer)
        )


async def ask(issuers: IssuerDirectory, name: str, request: AuthoriseRequest | RefundRequest) -> IssuerAnswer:
    """Ask an issuer to authorise or refund; whatever goes wrong with the call is UNKNOWN."""
    connector = issuers.connector(name)
    if isinstance(request, AuthoriseRequest):
        return await answered(name, connector.authorise(request))
    return await answered(name, connector.refund(request))


async def answered(name: str, call: Awaitable[IssuerAnswer]) -> IssuerAnswer:
    """An issuer's answer within the deadline, or UNKNOWN. Never raises but for cancellation."""
    try:
        async with asyncio.timeout(DEADLINE_S + 1):
            return await call
    except TimeoutError:
        log.warning("issuers.silent", issuer=name)
    except Exception as error:
        # A connector that raises has a bug; the money may have moved all the same. Its text may quote a code.
        log.error("issuers.connector_failed", issuer=name, error=type(error).__name__)
    return UNKNOWN
