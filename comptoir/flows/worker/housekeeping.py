"""The job that tidies up and looks whether work piles up."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import structlog

from comptoir.acquiring.api import purge_stale_agreements
from comptoir.db import outbox
from comptoir.db.run import send
from comptoir.flows.worker.loop import Connection, Job
from comptoir.kernel.watch import NOBODY, Watch
from comptoir.risk.api import forget_counters
from comptoir.wallet.api import purge_spent_codes

#: How long done items stay: long enough to answer "did you tell us?" of last month's statement.
_KEEP: Final = timedelta(days=35)
_BATCH: Final = 1000

#: Due work that waits longer than this means that workers are missing, or too slow.
_ALARM_SECONDS: Final = 60.0

log = structlog.get_logger("comptoir.worker")


class HousekeepingJob(Job):
    """Four times a minute: forget old done items, spent codes, counters and what nobody agreed to, tell of
    the backlog, raise the alarm over one."""

    name = "housekeeping"
    pause = 15.0

    def __init__(self, watch: Watch = NOBODY) -> None:
        super().__init__()
        self._watch = watch

    async def step(self, connection: Connection, now: datetime) -> bool:
        """Tidy up; True while there is more to forget."""
        waiting, *gone = await send(
            connection,
            [
                outbox.backlog(now),
                outbox.forget(now - _KEEP, _BATCH),
                purge_spent_codes(now, _BATCH),
                purge_stale_agreements(now, _BATCH),
                *forget_counters(now, _BATCH),
            ],
        )
        topics = outbox.decode_backlog(waiting, now)
        self._watch.backlog(topics)
        for one in topics:
            if one.oldest > _ALARM_SECONDS:
                log.warning("worker.backlog", topic=one.topic, items=one.due, oldest_s=round(one.oldest))
        return _BATCH in map(len, gone)
