"""Wiring: the pool, the platform key, the engine, the door, ``/healthz`` and ``/readyz``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final
from uuid import UUID

import structlog
from psycopg import AsyncConnection, OperationalError
from psycopg import Error as PsycopgError
from psycopg_pool import AsyncConnectionPool, PoolTimeout
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.types import Lifespan, Receive, Scope, Send

from comptoir.db.run import send as send_statements
from comptoir.gateway.api_keys import ApiKeys
from comptoir.gateway.call import Machines
from comptoir.gateway.clients import Clients
from comptoir.gateway.door import Door, Limits
from comptoir.gateway.ears import Ears, is_notification
from comptoir.gateway.signer import Signer
from comptoir.identity import api as identity
from comptoir.kernel.statements import Rows, Statement
from comptoir.kernel.watch import NOBODY, Watch, process_token

#: Does this process reach its database?
HEALTH_PATH: Final = "/healthz"

#: Is this process to be sent requests? It says no only when it is about to stop: without its database it
#: still answers, signed, while what a balancer would answer instead is signed by nobody.
READY_PATH: Final = "/readyz"

HEALTH_SECONDS: Final = 2.0

#: How often a server looks whether another platform key is to sign.
KEY_SECONDS: Final = 10.0

#: Seconds between the tries of a read; there is one try more than there are pauses.
READ_PAUSES: Final = (0.0, 0.2, 1.0)

#: The pool doubles its pauses between tries for so long, then begins anew when a connection is asked for.
#: With the library's five minutes, a long outage of the database was followed by a minute of ours.
RECONNECT_SECONDS: Final = 2.0

log = structlog.get_logger("comptoir.gateway")

Pool = AsyncConnectionPool[AsyncConnection[Any]]

#: Starts what the operations need (the engine) on a pool for reading and the database's URL for
#: connections of its own, hands them over, and stops it in the end.
Start = Callable[[Pool, str], AbstractAsyncContextManager[Machines]]


def create_app(
    *,
    database_url: str,
    start: Start,
    limits: Limits | None = None,
    readers: int = 4,
    watch: Watch = NOBODY,
) -> Gateway:
    """The machines' door as an ASGI application. Django must be set up, and a platform key must exist.

    `readers` is the most connections for client look-ups and inquiries; the engine has its own.
    """
    front = _Front()

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        pool: Pool = AsyncConnectionPool(
            database_url,
            min_size=1,
            max_size=readers,
            open=False,
            # Not prepared: a plan kept since the tables were small reads too much of them later.
            kwargs={
                "autocommit": True,
                "prepare_threshold": None,
                "application_name": f"comptoir reader {process_token()}",
            },
            timeout=5.0,
            reconnect_timeout=RECONNECT_SECONDS,
        )
        async with pool:
            key = identity.read_platform_key((await read(pool, [identity.platform_key_statement()]))[0])
            async with start(pool, database_url) as machines:
                clients = Clients(_loader(pool))
                door = Door(
                    clients=clients,
                    api_keys=ApiKeys(_key_loader(pool)),
                    signer=Signer.of(key),
                    operations=machines.operations,
                    limits=limits,
                    watch=watch,
                )
                front.open(pool, door, Ears(machines.hear))
                keeping = asyncio.create_task(_keep_key(pool, door, key.version))
                try:
                    yield
                finally:
                    keeping.cancel()

    return Gateway(front, lifespan)


async def _keep_key(pool: Pool, door: Door, version: int) -> None:
    """Look every few seconds which platform key signs. While that cannot be told, the last one does."""
    while True:
        await asyncio.sleep(KEY_SECONDS)
        try:
            key = identity.read_platform_key((await read(pool, [identity.platform_key_statement()]))[0])
            if key.version != version:
                door.sign_with(Signer.of(key))
                log.info("platform key taken up", version=key.version)
                version = key.version
        except (PsycopgError, PoolTimeout):
            pass  # the database is away, which others say
        except Exception as error:
            log.error("platform key not read", error=type(error).__name__)


async def read(pool: Pool, statements: Sequence[Statement]) -> list[Rows]:
    """The rows of each statement, in one round trip.

    A connection that died meanwhile (the database was restarted) is thrown away and another one asked:
    reading again is harmless. Raises psycopg errors.
    """
    for pause in READ_PAUSES:
        try:
            return await _read_once(pool, statements)
        except PoolTimeout:
            raise  # it has waited long enough
        except OperationalError:
            await asyncio.sleep(pause)
            await pool.check()  # when one is dead, the others mostly are too
    return await _read_once(pool, statements)


async def _read_once(pool: Pool, statements: Sequence[Statement]) -> list[Rows]:
    async with pool.connection() as connection:
        return await send_statements(connection, list(statements))


def _loader(pool: Pool) -> Callable[[str], Awaitable[identity.ClientView | None]]:
    async def load(client_ref: str) -> identity.ClientView | None:
        return identity.read_client((await read(pool, [identity.client_statement(client_ref)]))[0])

    return load


def _key_loader(pool: Pool) -> Callable[[UUID], Awaitable[identity.ApiKeyView | None]]:
    async def load(key_id: UUID) -> identity.ApiKeyView | None:
        return identity.read_api_key((await read(pool, [identity.api_key_statement(key_id)]))[0])

    return load


class Gateway(Starlette):
    """Starlette for the lifespan. The door answers everything itself, errors too: layers would only cost."""

    def __init__(self, front: _Front, lifespan: Lifespan[Starlette]) -> None:
        super().__init__(lifespan=lifespan)
        self._front = front

    def drain(self) -> None:
        """The process is about to stop: ask for no more requests, and answer those that come all the same.

        ``/readyz`` says so from now on, and every answer asks its connection to be closed.
        """
        self._front.draining = True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one exchange, or the lifespan."""
        if scope["type"] == "http":
            await self._front(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


class _Front:
    """Health and readiness to whoever GETs them, upstreams' news to the ears, everything else to the door."""

    def __init__(self) -> None:
        self.draining = False
        self._pool: Pool | None = None
        self._door: Door | None = None
        self._ears: Ears | None = None

    def open(self, pool: Pool, door: Door, ears: Ears) -> None:
        """Begin to serve."""
        self._pool, self._door, self._ears = pool, door, ears

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._door is None:
            return
        if self.draining:
            send = _closing(send)
        asks = scope["path"] if scope["method"] in ("GET", "HEAD") else None
        if asks == HEALTH_PATH:
            healthy = await self._is_healthy()
            answer = JSONResponse({"status": "ok" if healthy else "down"}, 200 if healthy else 503)
            await answer(scope, receive, send)
        elif asks == READY_PATH:
            status = {"status": "draining" if self.draining else "ready"}
            await JSONResponse(status, 503 if self.draining else 200)(scope, receive, send)
        elif self._ears is not None and is_notification(scope["path"]):
            await self._ears(scope, receive, send)
        else:
            await self._door(scope, receive, send)

    async def _is_healthy(self) -> bool:
        if self._pool is None:
            return False
        try:
            async with asyncio.timeout(HEALTH_SECONDS):
                await read(self._pool, [Statement("SELECT 1")])
        except Exception:  # whatever it is, we cannot serve
            return False
        return True


def _closing(send: Send) -> Send:
    """Whoever keeps the connection would send its next request to a server that is gone."""

    async def closing(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message["headers"], (b"connection", b"close")]
        await send(message)

    return closing
