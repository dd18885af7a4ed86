"""Runs jobs side by side, each over a database connection of its own, until told to stop.

A job that fails takes nobody with it. A database that goes away is waited for, with jittered pauses,
and is one line in the log when it goes and one when it is back, however many jobs and tries there were.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from time import monotonic
from typing import Any, Final

import psycopg
import structlog
from psycopg import AsyncConnection

from comptoir.kernel.clock import Clock
from comptoir.kernel.watch import NOBODY, Watch

_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 5.0

#: A server that vanished without a word is noticed within seconds, not after TCP's quarter of an hour.
_CONNECT: Final[dict[str, Any]] = {
    "application_name": "comptoir worker",
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}

Connection = AsyncConnection[tuple[Any, ...]]

#: Trouble that says nothing about the records that a job was at: the database is away or read only, or has
#: ended a transaction that had the books for too long (`ledger.lock`). The loop connects again.
GONE: Final = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    psycopg.errors.TransactionTimeout,
    psycopg.errors.IdleInTransactionSessionTimeout,
    psycopg.errors.ReadOnlySqlTransaction,
)

log = structlog.get_logger("comptoir.worker")


class Job:
    """Work that comes up again and again. `pause`: seconds until the next look when there was nothing.

    Set `wake` to be called before the pause is over.
    """

    name = "job"
    pause = 0.3

    def __init__(self) -> None:
        self.wake = asyncio.Event()

    async def begin(self, connection: Connection) -> None:
        """Once for each new connection, before the first step."""

    async def step(self, connection: Connection, now: datetime) -> bool:
        """Do what is due now; True when there may be more at once. `connection` is in autocommit mode."""
        raise NotImplementedError

    async def finish(self, connection: Connection) -> None:
        """The worker stops: bring to an end what is under way, within ten seconds."""


class Worker:
    """The jobs of one process."""

    def __init__(self, jobs: Sequence[Job], database_url: str, clock: Clock, watch: Watch = NOBODY) -> None:
        self._jobs = jobs
        self._watch = watch
        self._url = database_url
        self._clock = clock
        self._outage = _Outage()
        self._stopping = False

    async def run(self) -> None:
        """Work until `stop` is called and everything under way is finished."""
        log.info("worker.started", jobs=[job.name for job in self._jobs])
        async with asyncio.TaskGroup() as group:
            for job in self._jobs:
                group.create_task(self._keep(job), name=job.name)
        log.info("worker.stopped")

    def stop(self) -> None:
        """Ask to stop: nothing new is begun. Call it from the loop's own thread (a signal handler)."""
        self._stopping = True
        for job in self._jobs:
            job.wake.set()

    async def _keep(self, job: Job) -> None:
        """Keep a job going, over as many connections as it takes."""
        tries = 0
        while not self._stopping:
            connected_at = None
            try:
                async with await AsyncConnection.connect(
                    self._url, autocommit=True, **_CONNECT
                ) as connection:
                    connected_at = monotonic()
                    self._outage.over()
                    await self._work(job, connection)
            except (psycopg.OperationalError, psycopg.InterfaceError) as error:
                self._outage.noticed(connected_at, error)
            except Exception:
                log.exception("worker.job_failed", job=job.name)
                self._watch.job_failed(job.name)
            lived = connected_at is not None and monotonic() - connected_at > _LONGEST_PAUSE
            tries = 0 if lived else tries + 1
            await self._rest(job, _backoff(tries))

    async def _work(self, job: Job, connection: Connection) -> None:
        await job.begin(connection)
        while not self._stopping:
            began = monotonic()
            more = await job.step(connection, self._clock())
            self._watch.step_done(job.name, monotonic() - began)
            if not more:
                await self._rest(job, job.pause)
        await job.finish(connection)

    async def _rest(self, job: Job, seconds: float) -> None:
        """Wait until the pause is over, or somebody wakes the job."""
        if not self._stopping:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await job.wake.wait()
        if not self._stopping:
            job.wake.clear()


class _Outage:
    """Whether the database is away, told once for all jobs."""

    def __init__(self) -> None:
        self._since: float | None = None
        self._ended = 0.0

    def noticed(self, connected_at: float | None, error: Exception) -> None:
        """A connection made at `connected_at` broke, or none could be made (None)."""
        older = connected_at is not None and connected_at < self._ended  # a late victim of the last outage
        if self._since is None and not older:
            self._since = monotonic()
            log.warning("worker.database_lost", reason=type(error).__name__)

    def over(self) -> None:
        """A connection was made."""
        if self._since is not None:
            log.info("worker.database_back", after_s=round(monotonic() - self._since, 1))
            self._since, self._ended = None, monotonic()


def _backoff(tries: int) -> float:
    """Seconds before the next connection; random, so that many workers do not come back as one."""
    longest = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** min(tries, 10))
    return longest * random.uniform(0.5, 1.0)  # noqa: S311 - jitter is no secret
