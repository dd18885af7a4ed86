"""A PostgreSQL that is simulated as far as the engine and the worker can see it: connections that break,
one lock on the books, transactions with a time limit, commits whose answer is lost, crashes."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Self

import psycopg

from comptoir.ledger import api as ledger
from tests.simulation.statements import BooksWork, Store
from tests.simulation.tables import Busy, Change, Values

_LOCK = ledger.lock().sql
#: Not sent anywhere: has the parameter called when the transaction commits.
TELL = "-- tell"
_HELD_AT_MOST = 5.0
_LOCK_TIMEOUT = 5.0


@dataclass
class Faults:
    """How likely each thing is that goes wrong between a process and the database, per trip or commit."""

    break_on_trip: float = 0.0
    commit_lost_before: float = 0.0
    commit_lost_after: float = 0.0
    commit_late: float = 0.0
    stall: float = 0.0

    @classmethod
    def drawn(cls, rng: Random) -> Faults:
        """Calm weather in one history of three, rough in the others."""
        rough = rng.choice((0.0, 1.0, 4.0))
        return cls(0.001 * rough, 0.003 * rough, 0.006 * rough, 0.003 * rough, 0.0005 * rough)


class Database:
    """The server: every connection to it, who holds the books, who waits for them."""

    def __init__(self, store: Store, rng: Random, faults: Faults) -> None:
        self.store, self.rng, self.faults = store, rng, faults
        self.hit: list[Exception] = []
        self.up = True
        self.connections: dict[Connection, None] = {}
        self._holder: BooksWork | None = None
        self._limit: asyncio.TimerHandle | None = None
        self._queue: deque[tuple[Connection, asyncio.Future[None]]] = deque()
        self._late: dict[BooksWork, asyncio.TimerHandle] = {}
        self._unflushed: list[Change] = []

    async def connect(self, *_: Any, **options: Any) -> Connection:
        """A new connection, as `AsyncConnection.connect` makes one."""
        await asyncio.sleep(self.rng.uniform(0.001, 0.01))
        if not self.up:
            raise psycopg.OperationalError("the server does not answer")
        made = Connection(self, lock_timeout=_LOCK_TIMEOUT if options.get("options") else None)
        self.connections[made] = None
        return made

    def crash(self, seconds: float) -> None:
        """The server is killed. What was not flushed to disk may be gone; it is back after a while."""
        self.up = False
        for one in list(self.connections):
            self.sever(one)
        for work, handle in list(self._late.items()):
            handle.cancel()
            self._end_late(work, commit=False)
        if self.rng.random() < 0.5:
            for table, key, old in reversed(self._unflushed):
                table.restore(key, old)
                self.store.file_again(table, key)
        self._unflushed.clear()
        asyncio.get_running_loop().call_later(seconds, self._back)

    def _back(self) -> None:
        self.up = True

    def sever(self, connection: Connection, error: Exception | None = None) -> None:
        """A connection ends; its transaction with it, unless its COMMIT had arrived already."""
        if connection.closed:
            return
        connection.closed = True
        connection.error = error or psycopg.OperationalError("the connection broke")
        self.connections.pop(connection, None)
        for waiting in [one for one in self._queue if one[0] is connection]:
            self._queue.remove(waiting)
            if not waiting[1].done():
                waiting[1].set_exception(connection.error)
        work, connection.work = connection.work, None
        if work is not None:
            arrived = connection.committing and error is None and self.rng.random() < 0.5
            self.end(work, commit=arrived)

    def may_break(self, connection: Connection) -> None:
        """The line breaks, or not; raises if it is broken."""
        if self.rng.random() < self.faults.break_on_trip:
            self.sever(connection)
        connection.check()

    # ------------------------------------------------------------ the books' lock

    async def take(self, connection: Connection) -> None:
        """Wait for the books, in order of asking."""
        work = connection.work
        assert work is not None, "the books are taken inside a transaction"
        if self._holder is not None and self._holder is not work:
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            entry = (connection, turn)
            self._queue.append(entry)
            try:
                async with asyncio.timeout(connection.lock_timeout):
                    await turn
            except TimeoutError:
                raise psycopg.errors.LockNotAvailable("the books are held by others") from None
            finally:
                if entry in self._queue:
                    self._queue.remove(entry)
            connection.check()
        else:
            self._hold(connection, work)

    def _hold(self, connection: Connection, work: BooksWork) -> None:
        self._holder = work
        if self._limit is None:
            loop = asyncio.get_running_loop()
            limit = psycopg.errors.TransactionTimeout("the books were held for too long")
            self._limit = loop.call_later(_HELD_AT_MOST, self.sever, connection, limit)

    def end(self, work: BooksWork, *, commit: bool, flushed: bool = True) -> None:
        """A transaction ends; the next in the queue gets the books."""
        try:
            if not commit:
                self.store.rollback(work)
                return
            if flushed:
                self._unflushed.clear()
            else:
                self._unflushed.extend(work.changes)
            self.store.commit(work)
        finally:
            self._let_go(work)

    def _let_go(self, work: BooksWork) -> None:
        for waiter in work.waiters:
            if not waiter.done():
                waiter.set_result(None)
        if self._holder is work:
            self._holder = None
            if self._limit is not None:
                self._limit.cancel()
                self._limit = None
            self._next()

    def end_later(self, work: BooksWork, seconds: float, *, commit: bool) -> None:
        """The server is still at it when the client has gone."""
        self._late[work] = asyncio.get_running_loop().call_later(seconds, self._end_late, work, commit)

    def _end_late(self, work: BooksWork, commit: bool) -> None:
        del self._late[work]
        self.end(work, commit=commit)

    def _next(self) -> None:
        while self._queue and self._holder is None:
            connection, turn = self._queue.popleft()
            if not turn.done() and connection.work is not None:
                self._hold(connection, connection.work)
                turn.set_result(None)


class Cursor:
    """Rows that have arrived."""

    def __init__(self, rows: list[Values]) -> None:
        self._rows = rows
        self.rownumber = 0

    async def fetchall(self) -> list[Values]:
        return self._rows


class Connection:
    """What the engine and the worker use of psycopg's `AsyncConnection`."""

    def __init__(self, database: Database, lock_timeout: float | None) -> None:
        self.database = database
        self.lock_timeout = lock_timeout
        self.closed = False
        self.error: Exception | None = None
        self.work: BooksWork | None = None
        self.committing = False
        self.flushes = True
        self._piped = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        if not self.closed:
            self.committing = False
            self.database.sever(self)

    def pipeline(self) -> _Pipeline:
        return _Pipeline(self)

    def transaction(self) -> _Transaction:
        return _Transaction(self)

    async def execute(self, text: str, params: Sequence[Any] = ()) -> Cursor:
        """One statement; outside a transaction it is one of its own."""
        if text == TELL:
            assert self.work is not None
            self.work.done.extend(params)
            return Cursor([])
        if not self._piped and text != "COMMIT":  # whose own trip is another one
            await self.trip()
        self.check()
        match text:
            case "SET synchronous_commit = off":
                self.flushes = False
                return Cursor([])
            case "DISCARD PLANS":
                return Cursor([])
            case "BEGIN":
                self.work = BooksWork()
                return Cursor([])
            case "COMMIT":
                await self.commit()
                return Cursor([])
        if text == _LOCK:
            await self.database.take(self)
            return Cursor([(None, None, 1)])  # the epoch never changes: nobody changes the rules
        return Cursor(await self._run(text, params))

    async def _run(self, text: str, params: Sequence[Any]) -> list[Values]:
        while True:
            work = self.work or BooksWork()
            try:
                rows = self.database.store.run(text, params, work)
            except Busy as busy:
                ended = asyncio.get_running_loop().create_future()
                busy.holder.waiters.append(ended)  # type: ignore[attr-defined]
                await ended
                self.check()
                continue
            except BaseException as error:
                if isinstance(error, psycopg.IntegrityError):
                    # The last wall. The engine outlives it, but whoever runs into it has a fault.
                    self.database.hit.append(error)
                if self.work is None:
                    self.database.end(work, commit=False)
                raise
            if self.work is None:
                self.database.end(work, commit=True, flushed=self.flushes)
                self.database.may_break(self)
            return rows

    async def trip(self) -> None:
        """To the server and back; the line may break or hang."""
        self.check()
        database = self.database
        seconds = database.rng.uniform(0.005, 0.05)
        if database.rng.random() < database.faults.stall:
            seconds = database.rng.uniform(0.5, 20)
        await asyncio.sleep(seconds)
        database.may_break(self)

    async def commit(self) -> None:
        """COMMIT is sent: it arrives, or does not, and its answer arrives, or does not."""
        database = self.database
        self.committing = True
        try:
            await self.trip()
        finally:
            self.committing = False
        work, self.work = self.work, None
        assert work is not None
        faults, fate = database.faults, database.rng.random()
        if fate < faults.commit_lost_before:
            database.end(work, commit=False)
        elif (fate := fate - faults.commit_lost_before) < faults.commit_lost_after:
            database.end(work, commit=True)
        elif (fate := fate - faults.commit_lost_after) < faults.commit_late:
            # The server is still at it, and has the books, when the client has long gone.
            applied, after = database.rng.random() < 0.7, database.rng.uniform(0.01, 3)
            database.end_later(work, after, commit=applied)
        else:
            database.end(work, commit=True, flushed=self.flushes)
            return
        database.sever(self)
        self.check()

    def check(self) -> None:
        """Raise what happened to the connection, if it is gone."""
        if self.closed:
            # Why it was closed is said once, as psycopg does.
            error, self.error = self.error, None
            raise error or psycopg.OperationalError("the connection is closed")


class _Pipeline:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def __aenter__(self) -> None:
        await self._connection.trip()
        self._connection._piped = True

    async def __aexit__(self, *_: object) -> None:
        self._connection._piped = False


class _Transaction:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def __aenter__(self) -> BooksWork:
        self._connection.check()
        self._connection.work = BooksWork()
        return self._connection.work

    async def __aexit__(self, kind: object, error: object, trace: object) -> bool:
        connection = self._connection
        if error is not None:
            work, connection.work = connection.work, None
            if work is not None:
                connection.database.end(work, commit=False)
            return False
        await connection.commit()
        return False
