"""The job that closes payments whose time is up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import structlog

from comptoir.acquiring.api import due_payments
from comptoir.db.run import run_async, send
from comptoir.flows.engine.batch import run_batch
from comptoir.flows.engine.desk import Desk
from comptoir.flows.types import Expire
from comptoir.flows.worker.loop import GONE, Connection, Job

#: Payments closed in one transaction; the books have one writer, so it is kept short.
_BATCH: Final = 100

log = structlog.get_logger("comptoir.worker")


class ExpireJob(Job):
    """Expires due payments through the engine's own flow, a batch in one transaction.

    A payment that cannot be closed (its records and the books disagree) is logged once and left to
    people; it holds up nobody else's.
    """

    name = "expire"

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self._broken: set[UUID] = set()

    async def step(self, connection: Connection, now: datetime) -> bool:
        """Close up to a batch of due payments."""
        (rows,) = await send(connection, [due_payments(now, _BATCH + len(self._broken))])
        due = [Expire(merchant_id=row[0], payment_id=row[1]) for row in rows if row[1] not in self._broken]
        if not due:
            return False
        try:
            await self._expire(connection, due, now)
        except GONE:
            raise
        except Exception:
            await self._one_by_one(connection, due, now)
        return len(due) >= _BATCH

    async def _expire(self, connection: Connection, commands: Sequence[Expire], now: datetime) -> None:
        async with connection.transaction():
            await run_async(connection, run_batch(commands, now, self._desk))
        self._desk.committed()
        log.info("worker.expired", payments=len(commands))

    async def _one_by_one(self, connection: Connection, commands: Sequence[Expire], now: datetime) -> None:
        """After a batch failed: the sound ones each for itself, the broken ones put aside."""
        for command in commands:
            try:
                await self._expire(connection, [command], now)
            except GONE:
                raise
            except Exception:
                log.exception("worker.expire_failed", payment_id=command.payment_id.hex)
                self._broken.add(command.payment_id)
