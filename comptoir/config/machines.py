"""What stands behind the machines' door in one server process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from django.conf import settings
from psycopg import AsyncConnection

from comptoir.flows.api import Desk, Engine
from comptoir.gateway.app import Pool, read
from comptoir.gateway.call import Operations
from comptoir.gateway.operations import Services, operations
from comptoir.kernel.statements import Rows, Statement


@asynccontextmanager
async def start(pool: Pool, database_url: str) -> AsyncIterator[Operations]:
    """Start an engine with a connection of its own, hand the operations over, and stop it in the end.

    Stopping lets what waits come to its end first.
    """

    async def connect() -> AsyncConnection[Any]:
        return await AsyncConnection.connect(database_url, autocommit=True)

    async def ask(statements: Sequence[Statement]) -> list[Rows]:
        return await read(pool, statements)

    engine = Engine(
        connect=connect,
        desk=Desk(settings.COMPTOIR.fx_max_age_days),
        max_batch=settings.COMPTOIR.engine_max_batch,
    )
    services = Services(submit=engine.submit, read=ask, public_url=settings.COMPTOIR.public_url)
    engine.start()
    try:
        yield operations(services)
    finally:
        await engine.stop()
