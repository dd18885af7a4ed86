"""The job that delivers notifications: many at a time, few for each merchant."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from comptoir.db import outbox
from comptoir.db.outbox import Claimed
from comptoir.db.run import run_async, send
from comptoir.flows.notifications import TOPICS, Courier, PlatformKey, Sender, addressed, load
from comptoir.flows.notifications.delivery import Body
from comptoir.flows.worker.loop import Connection, Job
from comptoir.identity.api import platform_key_statement, read_platform_key
from comptoir.kernel.clock import Clock
from comptoir.kernel.statements import Statement
from comptoir.kernel.watch import NOBODY, Watch
from comptoir.standards.antom.signing import private_key_from_der

#: Twice the longest sending and more: a lease never ends while its holder still sends.
LEASE_SECONDS: Final = 30.0

#: Sendings at a time. What a slow merchant can hold of them is `PER_MERCHANT`.
HANDS: Final = 256
PER_MERCHANT: Final = 16
_PER_CLAIM: Final = PER_MERCHANT // 2

#: A claim looks at several times what it may take: small claims keep a long backlog cheap.
_LARGEST_CLAIM: Final = 32

_KEY_AGE: Final = timedelta(seconds=10)
_STOP_SECONDS: Final = 9.0


class NotifyJob(Job):
    """Claims what is due, sends it, writes down what became of it.

    Results are kept over a broken connection and written down over the next one. Commits here do not
    wait for the disk: what a crash forgets is claimed and sent once more, which is promised anyway.
    """

    name = "notify"

    def __init__(self, sender: Sender, clock: Clock, watch: Watch = NOBODY) -> None:
        super().__init__()
        self._sender = sender
        self._courier = Courier(sender, clock, watch)
        self._tasks: set[asyncio.Task[None]] = set()
        self._under_way: Counter[UUID] = Counter()
        self._results: list[Statement] = []
        self._key: tuple[PlatformKey, datetime] | None = None

    async def begin(self, connection: Connection) -> None:
        """Commits on this connection do not wait for the disk."""
        await connection.execute("SET synchronous_commit = off")

    async def step(self, connection: Connection, now: datetime) -> bool:
        """Write down results, then claim and begin as many sendings as there are hands."""
        await self._write_down(connection)
        key = await self._platform_key(connection, now)
        free = min(HANDS - len(self._tasks), _LARGEST_CLAIM)
        if not free:
            return False
        busy = [owner for owner, count in self._under_way.items() if count > PER_MERCHANT - _PER_CLAIM]
        wanted = outbox.claim(TOPICS, free, now, LEASE_SECONDS, per_owner=_PER_CLAIM, busy=busy)
        claimed = outbox.decode_claimed((await send(connection, [wanted]))[0])
        if claimed:
            claimed = await run_async(connection, addressed(claimed))
            bodies = await run_async(connection, load(claimed))
            for one in claimed:
                self._begin(one, bodies[one.item.id], key)
        return bool(claimed)

    async def finish(self, connection: Connection) -> None:
        """Let the sendings end and write down their results; what is later comes again by its lease."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_STOP_SECONDS)
        for task in list(self._tasks):
            task.cancel()
        await self._write_down(connection)
        await self._sender.close()

    @property
    def under_way(self) -> int:
        """How many sendings have begun and not ended."""
        return len(self._tasks)

    def _begin(self, claimed: Claimed, body: Body, key: PlatformKey) -> None:
        owner = claimed.item.owner_id
        self._under_way[owner] += 1
        task = asyncio.create_task(self._deliver(claimed, body, key))
        self._tasks.add(task)
        task.add_done_callback(lambda done: self._ended(done, owner))

    async def _deliver(self, claimed: Claimed, body: Body, key: PlatformKey) -> None:
        result = await self._courier.deliver(claimed, body, key)
        if result is not None:
            self._results.append(result)

    def _ended(self, task: asyncio.Task[None], owner: UUID) -> None:
        self._tasks.discard(task)
        self._under_way[owner] -= 1
        if not self._under_way[owner]:
            del self._under_way[owner]
        self.wake.set()

    async def _write_down(self, connection: Connection) -> None:
        """Results leave the list only once the database has them."""
        if results := self._results[:]:
            await send(connection, results)
            del self._results[: len(results)]

    async def _platform_key(self, connection: Connection, now: datetime) -> PlatformKey:
        """Our key, asked for again every ten seconds so that a new one is taken up."""
        if self._key is None or not timedelta(0) <= now - self._key[1] < _KEY_AGE:
            view = read_platform_key((await send(connection, [platform_key_statement()]))[0])
            self._key = PlatformKey(view.version, private_key_from_der(view.private_key)), now
        return self._key[0]
