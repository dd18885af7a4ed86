"""Our own processes: gateways with an engine each, and workers. Each may be killed at any moment."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import ContextVar
from datetime import datetime
from random import Random

from comptoir.flows import api as flows
from comptoir.flows.notifications import PlatformKey
from comptoir.flows.worker import DisputesJob, ExpireJob, IssuersJob, Job, NotifyJob, RenewJob, Worker
from comptoir.flows.worker.loop import Connection as AnyConnection
from comptoir.wallet.api import IssuerDirectory
from tests.simulation.database import Connection, Database

MAX_AGE_DAYS = 5

#: The one API client of every merchant.
CLIENT = "5Y00000000000001"


#: The connections of the worker process whose code is running.
_OPENED: ContextVar[list[Connection]] = ContextVar("opened")


class Connector:
    """Stands where the worker finds psycopg's `AsyncConnection`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def connect(self, *_: object, **__: object) -> Connection:
        made = await self._database.connect()
        _OPENED.get().append(made)
        return made


class NoAnswer(Exception):
    """Nobody knows what became of the request."""


class Gateway:
    """An engine behind a network address. A kill takes with it all that waits in it."""

    def __init__(self, database: Database, clock: Callable[[], datetime], issuers: IssuerDirectory) -> None:
        self._database, self._clock, self._issuers = database, clock, issuers
        self._waiting: dict[asyncio.Task[object], None] = {}
        self._killed: set[asyncio.Task[object]] = set()
        self._connections: list[Connection] = []
        self.up = False
        self.start()

    def start(self) -> None:
        """A fresh process: nothing in memory."""

        async def connect() -> Connection:
            made = await self._database.connect(options="engine")
            self._connections = [one for one in self._connections if not one.closed] + [made]
            return made

        self.engine = flows.Engine(connect=connect, desk=flows.Desk(MAX_AGE_DAYS), clock=self._clock)  # type: ignore[arg-type]
        self._desk = flows.PaymentDesk(self.engine.submit, self._issuers)
        self.engine.start()
        self.up = True

    async def submit(self, command: flows.Command) -> flows.Outcome:
        """Hand a command in. Raises NoAnswer when the outcome stays unknown."""
        if not self.up:
            raise NoAnswer
        task = asyncio.current_task()
        assert task is not None
        self._waiting[task] = None
        try:
            return await self._desk.submit(command)
        except (flows.Overloaded, flows.Unavailable, flows.Broken):
            raise NoAnswer from None
        except asyncio.CancelledError:
            if task not in self._killed:
                raise
            self._killed.discard(task)
            task.uncancel()
            raise NoAnswer from None
        finally:
            self._waiting.pop(task, None)

    def kill(self, back_after: float) -> None:
        """Kill -9, and another process in its place after some seconds."""
        if not self.up:
            return
        self.up = False
        for connection in self._connections:
            self._database.sever(connection)
        if self.engine._loop is not None:
            self.engine._loop.cancel()
        for task in list(self._waiting):
            self._killed.add(task)
            task.cancel()
        asyncio.get_running_loop().call_later(back_after, self.start)

    async def stop(self) -> None:
        """An orderly end: what waits is finished first."""
        self.up = False
        await self.engine.stop()


class _Notify(NotifyJob):
    """The notifying job with a key that costs nothing to load."""

    async def _platform_key(self, connection: AnyConnection, now: datetime) -> PlatformKey:
        return PlatformKey(1, None)  # type: ignore[arg-type]


class WorkerProcess:
    """A worker with its jobs that touch payments."""

    def __init__(
        self,
        database: Database,
        clock: Callable[[], datetime],
        issuers: IssuerDirectory,
        sender: object,
        *,
        disputes: bool,
        subscriptions: bool,
    ) -> None:
        self._database, self._clock, self._issuers, self._sender = database, clock, issuers, sender
        self._disputes, self._subscriptions = disputes, subscriptions
        self._opened: list[Connection] = []
        self.pause = 1.0
        self.start()

    def start(self) -> None:
        """A fresh process."""
        desk = flows.Desk(MAX_AGE_DAYS)
        self._notify = _Notify(self._sender, self._clock)  # type: ignore[arg-type]
        self.jobs: list[Job] = [self._notify, ExpireJob(desk), IssuersJob(self._issuers, desk)]
        if self._disputes:
            self.jobs.append(DisputesJob(desk))
        if self._subscriptions:
            self.jobs.append(RenewJob(desk))
        self.rest(self.pause)
        self._worker = Worker(self.jobs, "", self._clock)
        _OPENED.set(self._opened)
        self._task = asyncio.get_running_loop().create_task(self._worker.run())

    def rest(self, seconds: float) -> None:
        """How long the jobs sleep when there is nothing to do."""
        self.pause = seconds
        for job in self.jobs:
            job.pause = seconds

    def wake(self) -> None:
        for job in self.jobs:
            job.wake.set()

    def kill(self, back_after: float) -> None:
        """Kill -9: leases stay, messages under way may or may not have been heard."""
        if self._task.done():
            return
        for connection in self._opened:
            self._database.sever(connection)
        self._opened.clear()
        self._task.cancel()
        for task in list(self._notify._tasks):
            task.cancel()
        asyncio.get_running_loop().call_later(back_after, self.start)

    async def stop(self) -> None:
        self._worker.stop()
        await self._task


def weather(rng: Random, seconds: float, rough: float) -> list[tuple[float, str]]:
    """What is going to happen to the processes in the first `seconds`, and when."""
    count = round(rng.uniform(0, 6) * rough)
    kinds = ("gateway", "gateway", "worker", "worker", "database", "gateways")
    return sorted((rng.uniform(0, seconds), rng.choice(kinds)) for _ in range(count))
