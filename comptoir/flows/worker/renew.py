"""The job that charges subscriptions when a phase begins, or is tried again."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

import structlog

from comptoir.acquiring.api import due_subscriptions
from comptoir.db.run import run_async, send
from comptoir.flows.engine.batch import run_batch
from comptoir.flows.engine.desk import Desk
from comptoir.flows.types import Renew
from comptoir.flows.worker.loop import GONE, Connection, Job

#: Subscriptions looked at in one step. Each is charged in a transaction of its own: what is wrong with one
#: holds up no other, and whoever pays in a shop meanwhile waits for one charge at most.
_BATCH: Final = 50

log = structlog.get_logger("comptoir.worker")


class RenewJob(Job):
    """Charges what is due, each phase once, however many workers there are.

    One that cannot be charged (its records contradict each other) is logged once and left to people.
    """

    name = "renew"
    pause = 1.0

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self._broken: set[UUID] = set()

    async def step(self, connection: Connection, now: datetime) -> bool:
        """Charge up to a batch of due subscriptions."""
        (rows,) = await send(connection, [due_subscriptions(now, _BATCH + len(self._broken))])
        due = [
            Renew(merchant_id=row[0], subscription_id=row[1], client_ref=row[2], phase=row[3], attempt=row[4])
            for row in rows
            if row[1] not in self._broken
        ]
        for command in due:
            try:
                async with connection.transaction():
                    (outcome,) = await run_async(connection, run_batch([command], now, self._desk))
                self._desk.committed()
            except GONE:
                raise
            except Exception:
                log.exception("worker.renew_failed", subscription_id=command.subscription_id.hex)
                self._broken.add(command.subscription_id)
            else:
                log.info(
                    "worker.renewed",
                    subscription_id=command.subscription_id.hex,
                    phase=command.phase,
                    attempt=command.attempt,
                    code=outcome.code,
                )
        return len(due) >= _BATCH
