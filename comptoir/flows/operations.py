"""Commands outside the engine: for workers, operators and tests, in one synchronous transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction

from comptoir.acquiring import api as acquiring
from comptoir.acquiring.api import ConflictView
from comptoir.db.outbox import OutboxItem, enqueue
from comptoir.db.run import run_sync
from comptoir.flows.engine.batch import run_batch
from comptoir.flows.engine.desk import Desk
from comptoir.flows.topics import ISSUER_REVERSE
from comptoir.flows.types import Command, Outcome
from comptoir.kernel.ids import new_id
from comptoir.wallet.api import AnswerState


@transaction.atomic
def close_conflict(conflict_id: UUID, note: str, now: datetime, *, reverse: bool = False) -> ConflictView:
    """People have seen to a contradiction. `reverse`: the issuer is to give back what we hold failed.

    Raises ConflictUnknown, ConflictClosed, ConflictUnfit, MerchantInvalid.
    """
    closed = acquiring.close_conflict(conflict_id, note, now)
    if reverse:
        if closed.recorded != AnswerState.FAILED:
            raise acquiring.ConflictUnfit(
                "the payment succeeded here: let the merchant cancel or refund it", field="--reverse"
            )
        item = OutboxItem(new_id(), closed.merchant_id, ISSUER_REVERSE, closed.payment_id, {}, now)
        with connection.cursor() as cursor:
            statement = enqueue([item])
            cursor.execute(statement.sql, statement.params)
    return closed


def execute(commands: Sequence[Command], now: datetime, desk: Desk) -> list[Outcome]:
    """Do `commands` as one batch and commit it: the same flow as the engine's, without a queue."""
    with transaction.atomic(), connection.cursor() as cursor:
        outcomes = run_sync(cursor, run_batch(commands, now, desk))
    desk.committed()
    return outcomes
