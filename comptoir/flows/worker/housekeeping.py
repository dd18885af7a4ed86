"""The job that tidies up and looks whether work piles up."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import structlog

from comptoir.db import outbox
from comptoir.db.run import send
from comptoir.flows.worker.loop import Connection, Job
from comptoir.wallet.api import purge_spent_codes

#: How long done items stay: long enough to answer "did you tell us?" of last month's statement.
_KEEP: Final = timedelta(days=35)
_BATCH: Final = 1000

#: Due work that waits longer than this means that workers are missing, or too slow.
_ALARM: Final = timedelta(seconds=60)

log = structlog.get_logger("comptoir.worker")


class HousekeepingJob(Job):
    """Once a minute: forget old done items and spent codes, raise the alarm over a backlog."""

    name = "housekeeping"
    pause = 60.0

    async def step(self, connection: Connection, now: datetime) -> bool:
        """Tidy up; True while there is more to forget."""
        gone, codes, waiting = await send(
            connection,
            [outbox.forget(now - _KEEP, _BATCH), purge_spent_codes(now, _BATCH), outbox.backlog(now)],
        )
        items, oldest = waiting[0]
        if oldest is not None and now - oldest > _ALARM:
            log.warning("worker.backlog", items=items, oldest_s=round((now - oldest).total_seconds()))
        return _BATCH in (len(gone), len(codes))
