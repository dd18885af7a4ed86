"""The job that finds out what other issuers did: asks again by the same id, never guesses.

A payment without an answer is asked about until its issuer says what became of it; after the last try it
is closed here and reversed there, which is certain whatever had happened. A reversal or a refund is asked
for until it is answered; when its tries are used up people are told, and the item stays as dead. An issuer
that contradicted itself is asked which answer holds, for people to read: nothing moves for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

import structlog

from comptoir.acquiring import api as acquiring
from comptoir.acquiring.api import PaymentState, PaymentView, RefundState
from comptoir.db import outbox
from comptoir.db.outbox import Claimed
from comptoir.db.run import run_async, send
from comptoir.flows.decisions.issuer import refund_request
from comptoir.flows.engine.batch import run_batch
from comptoir.flows.engine.desk import Desk
from comptoir.flows.issuers import ask
from comptoir.flows.topics import ISSUER_CHECK, ISSUER_REFUND, ISSUER_RESOLVE, ISSUER_REVERSE
from comptoir.flows.types import Command, Expire, Settle, SettleRefund
from comptoir.flows.worker.loop import GONE, Connection, Job
from comptoir.kernel.statements import Statement
from comptoir.wallet.api import AnswerState, Authorization, IssuerDirectory

TOPICS: Final = (ISSUER_RESOLVE, ISSUER_REVERSE, ISSUER_REFUND, ISSUER_CHECK)

#: Seconds before each further question about a payment (antom-api.md §3.5: 10 to 20 questions, then cancel).
ASK_AFTER: Final = (2, 2, 3, 3, 5, 5, 5, 10, 10, 10, 10, 15, 15, 20)

#: A reversal or refund is a duty: asked for over days, ever more slowly.
INSIST_AFTER: Final = (2, 3, 5, 10, 30, 60, 120, 300, 600, 1800, *(3600,) * 24, *(21_600,) * 12)

_PER_CLAIM: Final = 32
_LEASE_SECONDS: Final = 60.0
_FINAL: Final = (AnswerState.SUCCEEDED, AnswerState.FAILED)

_DUTIES: Final = (ISSUER_REVERSE, ISSUER_REFUND)

log = structlog.get_logger("comptoir.worker")


class _Learned(NamedTuple):
    """What an issuer answered, and the command that records it when it is final."""

    state: AnswerState
    command: Command | None = None

    @property
    def settled(self) -> bool:
        """Whether there is nothing more to ask."""
        return self.state in _FINAL


#: There was nothing to ask: the matter is over.
_NOTHING: Final = _Learned(AnswerState.SUCCEEDED)


class IssuersJob(Job):
    """Resolves what is unknown between us and other issuers."""

    name = "issuers"

    def __init__(self, issuers: IssuerDirectory, desk: Desk) -> None:
        super().__init__()
        self._issuers = issuers
        self._desk = desk

    async def step(self, connection: Connection, now: datetime) -> bool:
        """Take what is due, ask, write down what was learned."""
        (rows,) = await send(connection, [outbox.claim(TOPICS, _PER_CLAIM, now, _LEASE_SECONDS)])
        claimed = outbox.decode_claimed(rows)
        if not claimed:
            return False
        keys = [(one.item.owner_id, one.item.subject_id) for one in claimed]
        payments, refunds = await self._load(connection, keys)
        # The calls go out together; the connection is used by one at a time.
        found = await asyncio.gather(*(self._look(one, payments, refunds) for one in claimed))
        for one, learned in zip(claimed, found, strict=True):
            await self._write(connection, one, learned, now)
        return len(claimed) == _PER_CLAIM

    async def _load(
        self, connection: Connection, keys: list[tuple[UUID, UUID]]
    ) -> tuple[dict[UUID, PaymentView], dict[UUID, acquiring.RefundView]]:
        refund_rows, payment_rows = await send(
            connection, [acquiring.refunds_by_id(keys), acquiring.payments_by_id(keys)]
        )
        refunds = {one.id: one for one in acquiring.decode_refunds(refund_rows)}
        payments = {one.id: one for one in acquiring.decode_payments(payment_rows)}
        more = [(one.merchant_id, one.payment_id) for one in refunds.values()]
        if more:
            (rows,) = await send(connection, [acquiring.payments_by_id(more)])
            payments |= {one.id: one for one in acquiring.decode_payments(rows)}
        return payments, refunds

    async def _look(
        self,
        one: Claimed,
        payments: dict[UUID, PaymentView],
        refunds: dict[UUID, acquiring.RefundView],
    ) -> _Learned:
        """Ask the issuer, if there is something to ask."""
        item = one.item
        refund = refunds.get(item.subject_id) if item.topic == ISSUER_REFUND else None
        payment = payments.get(refund.payment_id if refund else item.subject_id)
        if payment is None or payment.issuer is None or payment.authorization_id is None:
            return _NOTHING
        if refund is not None:
            if refund.state is not RefundState.PROCESSING:
                return _NOTHING
            answer = await ask(self._issuers, payment.issuer, refund_request(refund, payment))
            command = SettleRefund(merchant_id=item.owner_id, refund_id=refund.id, answer=answer)
            return _Learned(answer.state, command)
        asked = Authorization(
            authorization_id=payment.authorization_id, charge=payment.amount, expires_at=payment.expires_at
        )
        if item.topic == ISSUER_REVERSE:
            answer = await ask(self._issuers, payment.issuer, asked, reverse=True)
            return _Learned(answer.state)
        if item.topic == ISSUER_RESOLVE and payment.state is not PaymentState.PROCESSING:
            return _NOTHING
        answer = await ask(self._issuers, payment.issuer, asked)
        if item.topic == ISSUER_CHECK:
            return _Learned(answer.state)
        if answer.state is AnswerState.UNKNOWN and one.attempts > len(ASK_AFTER):
            expire = Expire(merchant_id=item.owner_id, payment_id=payment.id, unresolved=True)
            return _Learned(AnswerState.FAILED, expire)
        return _Learned(answer.state, Settle(merchant_id=item.owner_id, payment_id=payment.id, answer=answer))

    async def _write(self, connection: Connection, one: Claimed, learned: _Learned, now: datetime) -> None:
        """The answer and what becomes of the item, in one transaction. A broken one stops nobody else's."""
        try:
            async with connection.transaction():
                if learned.command is not None and learned.settled:
                    await run_async(connection, run_batch([learned.command], now, self._desk))
                await send(connection, self._next(one, learned, now))
        except GONE:
            raise
        except Exception:
            # Left as it is: it comes back when the lease ends, and the alarm over the backlog names it.
            log.exception("worker.issuer_answer_failed", **_fields(one))
        else:
            self._desk.committed()

    def _next(self, one: Claimed, learned: _Learned, now: datetime) -> list[Statement]:
        """What becomes of the item, and of the conflicts it was to judge."""
        waits = INSIST_AFTER if one.item.topic in _DUTIES else ASK_AFTER
        if one.item.topic == ISSUER_CHECK and (learned.settled or one.attempts > len(waits)):
            verdict = learned.state if learned.settled else AnswerState.UNKNOWN
            judged = acquiring.judge_conflicts(one.item.owner_id, one.item.subject_id, verdict.value, now)
            return [judged, outbox.done(one, now)]
        if learned.settled:
            return [outbox.done(one, now)]
        if learned.state is AnswerState.PENDING:  # a person thinks; the payment's own expiry is the limit
            return [outbox.retry(one, now + timedelta(seconds=_pause(waits, one)), "the traveller is asked")]
        if one.attempts > len(waits):
            log.error("worker.issuer_unresolved", **_fields(one))
            return [outbox.dead(one, now, "the issuer never answered")]
        return [outbox.retry(one, now + timedelta(seconds=_pause(waits, one)), "no answer yet")]


def _pause(waits: Sequence[int], one: Claimed) -> int:
    """Seconds before the next question."""
    return waits[min(one.attempts, len(waits)) - 1]


def _fields(one: Claimed) -> dict[str, object]:
    """What a log line says of an item: the record it is about, and the request that asked for it."""
    item = one.item
    return {
        "topic": item.topic,
        "subject_id": item.subject_id.hex,
        "request_id": item.payload.get("request_id"),
    }
