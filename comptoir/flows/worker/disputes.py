"""The job that reminds merchants of disputes, and accepts what they did not answer in time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import structlog

from comptoir.acquiring.api import decode_disputes, disputes_by_id, due_disputes
from comptoir.db.run import run_async, send
from comptoir.flows.engine.batch import run_batch
from comptoir.flows.engine.desk import Desk
from comptoir.flows.types import OK, LookAtDispute
from comptoir.flows.worker.loop import GONE, Connection, Job

_BATCH: Final = 50

log = structlog.get_logger("comptoir.worker")


class DisputesJob(Job):
    """Looks at disputes when they say so, each in a transaction of its own.

    One that cannot be brought forward (its records and the books disagree) is logged once and left to
    people; it holds up nobody else's.
    """

    name = "disputes"
    pause = 5.0

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self._broken: set[UUID] = set()

    async def step(self, connection: Connection, now: datetime) -> bool:
        """Look at what is due."""
        (rows,) = await send(connection, [due_disputes(now, _BATCH + len(self._broken))])
        due = [(row[0], row[1]) for row in rows if row[1] not in self._broken]
        if not due:
            return False
        (found,) = await send(connection, [disputes_by_id(due)])
        commands = [
            LookAtDispute(merchant_id=one.merchant_id, payment_id=one.payment_id, dispute_id=one.id)
            for one in decode_disputes(found)
        ]
        await self._look(connection, commands, now)
        return len(due) >= _BATCH

    async def _look(self, connection: Connection, commands: Sequence[LookAtDispute], now: datetime) -> None:
        for command in commands:
            try:
                async with connection.transaction():
                    [outcome] = await run_async(connection, run_batch([command], now, self._desk))
            except GONE:
                raise
            except Exception:
                self._broken.add(command.dispute_id)
                log.exception("worker.dispute_failed", dispute=command.dispute_id.hex)
            else:
                self._desk.committed()
                if outcome.code != OK:
                    log.warning("worker.dispute_waits", dispute=command.dispute_id.hex, reason=outcome.code)
