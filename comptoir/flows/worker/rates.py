"""The job that brings the ECB's reference rates in, where the operator switched that on."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Final

import structlog
from django.db import connection

from comptoir.flows.worker.loop import Connection, Job
from comptoir.fx import api as fx
from comptoir.kernel.errors import ComptoirError

#: The ECB publishes about 16:00 CET on its working days; asking four times an hour is enough and polite.
_PAUSE: Final = 900.0

log = structlog.get_logger("comptoir.worker")


class RatesJob(Job):
    """Fetches and records the day's rates. A feed that is down or not to be believed changes nothing:
    payments go on at the latest good rates until those are too old, then they are refused."""

    name = "rates"
    pause = _PAUSE

    async def step(self, connection: Connection, now: datetime) -> bool:
        """Ask once; the rest of the worker goes on meanwhile."""
        try:
            news = await asyncio.to_thread(_fetch, now)
        except ComptoirError as error:
            log.error("worker.rates_refused", code=error.code, reason=error.message)
        else:
            if news:
                log.info("worker.rates_recorded", rates=news)
        return False


def _fetch(now: datetime) -> int:
    try:
        return fx.fetch_daily(now)
    finally:
        connection.close()  # this thread's own; it is not wanted for the next quarter of an hour
