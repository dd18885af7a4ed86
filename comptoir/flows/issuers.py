"""The engine with other issuers behind it: commit the intent, ask the issuer, commit the answer.

No call is made inside a transaction. A call without a clear answer leaves the payment in process: the
caller is told so, and the worker asks again until the truth is known (flows.worker.issuers).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final
from uuid import UUID

import structlog
from msgspec.structs import replace

from comptoir.flows.types import Command, Outcome, Pay, Settle, SettleRefund, Told
from comptoir.wallet.api import (
    DEADLINE_S,
    OWN_ISSUER,
    AnswerState,
    AuthoriseRequest,
    Authorization,
    IssuerAnswer,
    IssuerDirectory,
    RefundRequest,
    simulated_wallet,
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

    async def hear(
        self, name: str, subject: tuple[UUID, UUID], path: str, headers: Mapping[str, str], body: bytes
    ) -> bool:
        """An issuer tells us about a payment (merchant id, payment id); whether it was believed and noted.

        Raises what the engine raises.
        """
        notice = self._issuers.heard(name, path, headers, body)
        if notice is None:
            return False
        merchant_id, payment_id = subject
        outcome = await self._submit(
            Told(
                merchant_id=merchant_id,
                payment_id=payment_id,
                authorization_id=notice.authorization_id,
                claims=notice.claims,
            )
        )
        return outcome.payment is not None and outcome.payment.issuer == name

    async def submit(self, command: Command) -> Outcome:
        """Do a command. Raises what the engine raises; an issuer's silence is no error."""
        if isinstance(command, Pay):
            command = routed(command, self._issuers)
        outcome = await self._submit(command)
        if outcome.ask is None or outcome.payment is None or outcome.payment.issuer is None:
            return outcome
        learned = settling(outcome, await ask(self._issuers, outcome.payment.issuer, outcome.ask))
        return outcome if learned is None else await self._submit(learned)


def routed(command: Pay, issuers: IssuerDirectory) -> Pay:
    """The payment with the issuer whose code was scanned, where it is not our own wallet's; a test client's
    with its simulated wallet."""
    if command.sandbox:
        return replace(command, issuer=simulated_wallet(command.code, command.amount))
    if command.code and command.issuer is None:
        issuer = issuers.route(command.code)
        if issuer not in (None, OWN_ISSUER):
            return replace(command, issuer=issuer)
    return command


def settling(outcome: Outcome, answer: IssuerAnswer) -> Settle | SettleRefund | None:
    """The command that records what an issuer answered to an outcome's `ask`; None while it is not final."""
    if answer.state in (AnswerState.UNKNOWN, AnswerState.PENDING) or outcome.payment is None:
        return None
    merchant_id = outcome.payment.merchant_id
    if isinstance(outcome.ask, RefundRequest):
        return SettleRefund(merchant_id=merchant_id, refund_id=outcome.ask.refund_id, answer=answer)
    return Settle(merchant_id=merchant_id, payment_id=outcome.payment.id, answer=answer)


async def ask(
    issuers: IssuerDirectory,
    name: str,
    request: AuthoriseRequest | RefundRequest | Authorization,
    *,
    reverse: bool = False,
) -> IssuerAnswer:
    """Ask an issuer to authorise or refund, what became of an authorization, or to `reverse` one.

    Its answer within the deadline, or UNKNOWN: whatever goes wrong is UNKNOWN, also when nobody knows the
    way to this issuer any more. Never raises but for cancellation.
    """
    try:
        connector = issuers.connector(name)
        async with asyncio.timeout(DEADLINE_S + 1):
            match request:
                case AuthoriseRequest():
                    return await connector.authorise(request)
                case RefundRequest():
                    return await connector.refund(request)
                case Authorization() if reverse:
                    return await connector.reverse(request)
                case Authorization():
                    return await connector.query(request)
    except TimeoutError:
        log.warning("issuers.silent", issuer=name)
    except Exception as error:
        # A connector that raises has a bug; the money may have moved all the same. Its text may quote a code.
        log.error("issuers.connector_failed", issuer=name, error=type(error).__name__)
    return UNKNOWN
