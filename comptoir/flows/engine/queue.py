"""The queue in front of the books, and the loop that takes a batch whenever the last one is done."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import psycopg
import structlog
from psycopg import AsyncConnection

from comptoir.db.run import run_async
from comptoir.flows.engine.batch import run_with_books
from comptoir.flows.engine.desk import Desk
from comptoir.flows.types import Command, Outcome
from comptoir.kernel.clock import Clock, utc_now
from comptoir.kernel.errors import ComptoirError
from comptoir.kernel.statements import Flow, Statement
from comptoir.kernel.watch import NOBODY, BatchDone, Trace, Watch, current, process_token
from comptoir.ledger import api as ledger

log = structlog.get_logger("comptoir.engine")

Connect = Callable[[], Awaitable[AsyncConnection[Any]]]

#: Trouble that says nothing about the commands: the same batch is tried again. Doing so is safe even when
#: the commit's answer was lost, because every command finds its first effect by its own id.
_PASSING = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    psycopg.errors.ReadOnlySqlTransaction,
    psycopg.errors.IdleInTransactionSessionTimeout,
    OSError,
)

#: The batch had the books for too long (see `ledger.lock`): it is too large, or this process was paused.
_TOO_LONG = psycopg.errors.TransactionTimeout

_BEGIN, _COMMIT = Statement("BEGIN"), Statement("COMMIT")

#: Plans are kept: making them costs as much as a small batch. One made while a table was nearly empty may
#: read it whole, so they are made anew after 1, 2, 4, 8 ... batches; later the server's ANALYZE sees to it.
_FORGET_PLANS = Statement("DISCARD PLANS")

#: Seconds that a batch may have the books before the log names it: ten times a full one's on two cores.
_SLOW = 0.5


class Overloaded(ComptoirError):
    """More commands wait than the engine promises to hold. Nothing was done; the request may come again."""

    code = "engine.overloaded"


class Unavailable(ComptoirError):
    """The books could not be reached in time. The command may or may not have been done: ask again."""

    code = "engine.unavailable"


class Broken(ComptoirError):
    """The command met a fault of ours. It was not done, and nobody else's was held up by it."""

    code = "engine.broken"


@dataclass
class EngineStats:
    """What the engine did so far, for metrics and the bench."""

    batches: int = 0
    commands: int = 0
    retries: int = 0
    largest: int = 0
    seconds_in_database: float = 0.0


@dataclass
class _Waiting:
    command: Command
    answer: asyncio.Future[Outcome]
    trace: Trace
    since: float


@dataclass
class _Marks:
    """When the books were taken, and when all was written but not committed: seconds of a fine clock."""

    taken: float = 0.0
    written: float = 0.0


@dataclass
class Engine:
    """One engine: one connection, one batch at a time. Several processes may each run one.

    `max_batch` commands share a commit; `max_waiting` bounds the queue (more are refused with
    Overloaded at once); a batch that cannot be brought to an end within `give_up_after` seconds of
    trying answers Unavailable.
    """

    connect: Connect
    desk: Desk
    clock: Clock = utc_now
    max_batch: int = 128
    max_waiting: int = 1024
    give_up_after: float = 8.0
    watch: Watch = NOBODY
    stats: EngineStats = field(default_factory=EngineStats)
    _queue: deque[_Waiting] = field(default_factory=deque)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _connection: AsyncConnection[Any] | None = None
    _loop: asyncio.Task[None] | None = None
    _stopping: bool = False

    def start(self) -> None:
        """Begin taking batches, on the running event loop."""
        self._loop = asyncio.create_task(self._run(), name="comptoir-engine")

    async def stop(self) -> None:
        """Finish what waits, then let the connection go. New commands are refused meanwhile."""
        self._stopping = True
        self._wake.set()
        if self._loop is not None:
            await self._loop
        await self._disconnect()

    async def submit(self, command: Command) -> Outcome:
        """Do a command and wait for its outcome. Raises Overloaded, Unavailable or Broken."""
        if self._stopping or len(self._queue) >= self.max_waiting:
            raise Overloaded("too many requests are waiting")
        answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._queue.append(_Waiting(command, answer, current() or Trace(""), perf_counter()))
        self._wake.set()
        return await answer

    async def _run(self) -> None:
        while not (self._stopping and not self._queue):
            await self._wake.wait()
            # No pause here: the database works on this batch while the answers to the last are signed.
            batch: list[_Waiting] = []
            self._fill(batch)
            if not self._queue and not self._stopping:
                self._wake.clear()
            if batch:
                await self._answer_all(batch)

    def _fill(self, batch: list[_Waiting]) -> None:
        """Take what waits, as long as there is room in the batch."""
        while self._queue and len(batch) < self.max_batch:
            one = self._queue.popleft()
            # Whoever has gone away (a cancelled request) needs no work begun for it.
            if not one.answer.done():
                batch.append(one)

    async def _answer_all(self, batch: list[_Waiting]) -> None:
        """Answer a batch whatever happens: the loop outlives any fault of ours, and nobody waits for ever."""
        try:
            await self._answer(batch, fill=True)
        except Exception as error:
            log.exception("engine fault", commands=len(batch), error=type(error).__name__)
            for one in batch:
                _fail(one, Broken("the engine met a fault of ours"))

    async def _answer(self, batch: list[_Waiting], *, fill: bool) -> None:
        """Bring a batch to an end: every future in it gets an outcome or an error.

        `fill`: who comes before the books are ours comes in.
        """
        try:
            outcomes = await self._persist(batch, fill)
        except _PASSING:
            for one in batch:
                _fail(one, Unavailable("the books could not be reached in time"))
        except Exception as error:
            await self._isolate(batch, error)
        else:
            for one, outcome in zip(batch, outcomes, strict=True):
                if not one.answer.done():
                    one.answer.set_result(outcome)

    async def _isolate(self, batch: list[_Waiting], error: Exception) -> None:
        """A fault of commands, not of the database: halve the batch until the one that causes it is alone."""
        if len(batch) == 1:
            log.error(
                "command broken",
                command=type(batch[0].command).__name__,
                request_id=batch[0].trace.request_id,
                error=type(error).__name__,
                exc_info=error,
            )
            _fail(batch[0], Broken("the command met a fault of ours"))
            return
        middle = len(batch) // 2
        await self._answer(batch[:middle], fill=False)
        await self._answer(batch[middle:], fill=False)

    async def _persist(self, batch: list[_Waiting], fill: bool) -> list[Outcome]:
        """Try a batch until it is committed, with growing, jittered pauses. Raises when time is up."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self.give_up_after
        pause = 0.02
        while True:
            try:
                async with asyncio.timeout_at(deadline):
                    return await self._attempt(batch, fill)
            except (*_PASSING, _TOO_LONG) as error:
                self.stats.retries += 1
                self.watch.batch_retried(type(error).__name__)
                log.warning(
                    "batch tried again",
                    commands=len(batch),
                    request_id=batch[0].trace.request_id,
                    error=type(error).__name__,
                )
                in_parts = isinstance(error, _TOO_LONG) and len(batch) > 1
                if in_parts or loop.time() + pause >= deadline:
                    raise
            await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - jitter is no secret
            pause = min(pause * 2, 1.0)

    async def _attempt(self, batch: list[_Waiting], fill: bool) -> list[Outcome]:
        """One transaction. Its quotes count as stored only after the commit."""
        marks = _Marks()
        connection = await self._connected()
        try:
            outcomes = await run_async(connection, self._transaction(batch, fill, marks))
        except BaseException:
            # A connection half way through a transaction is of no use: the server undoes what it began.
            await self._disconnect()
            raise
        self.desk.committed()
        self._note(batch, outcomes, marks, perf_counter())
        return outcomes

    def _note(self, batch: list[_Waiting], outcomes: list[Outcome], marks: _Marks, ended: float) -> None:
        """Count what was committed, and write into each request's trace where its time went."""
        stats, seconds = self.stats, ended - marks.taken
        stats.batches += 1
        stats.commands += len(batch)
        stats.largest = max(stats.largest, len(batch))
        stats.seconds_in_database += seconds
        name = f"{process_token()}-{stats.batches}"
        for one in batch:
            one.trace.batch = name
            one.trace.waited += marks.taken - one.since
            one.trace.in_books += seconds
        pairs = zip(batch, outcomes, strict=True)
        kinds = [(type(one.command).__name__, outcome.code) for one, outcome in pairs]
        waited = marks.taken - min(one.since for one in batch)
        commit = ended - marks.written
        self.watch.batch_done(BatchDone(name, kinds, waited, seconds, commit), len(self._queue))
        if seconds > _SLOW:
            log.warning(
                "batch slow",
                batch=name,
                commands=len(batch),
                ms=round(seconds * 1000),
                commit_ms=round(commit * 1000),
            )

    def _transaction(self, batch: list[_Waiting], fill: bool, marks: _Marks) -> Flow[list[Outcome]]:
        """Do the batch and commit it, with everybody who came while another process had the books."""
        _, locked = yield [_BEGIN, ledger.lock()]
        marks.taken = perf_counter()
        if _is_power_of_two(self.stats.batches):
            yield [_FORGET_PLANS]
        if fill:
            self._fill(batch)
        commands, request_ids = [one.command for one in batch], [one.trace.request_id for one in batch]
        epoch = ledger.epoch(locked)
        outcomes = yield from run_with_books(commands, self.clock(), self.desk, epoch, request_ids)
        marks.written = perf_counter()
        yield [_COMMIT]
        return outcomes

    async def _connected(self) -> AsyncConnection[Any]:
        if self._connection is None or self._connection.closed:
            self._connection = await self.connect()
        return self._connection

    async def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(Exception):
                await asyncio.wait_for(connection.close(), 1)


def _is_power_of_two(number: int) -> bool:
    return number & (number - 1) == 0


def _fail(one: _Waiting, error: Exception) -> None:
    if not one.answer.done():
        one.answer.set_exception(error)
