"""What stands behind the machines' door in one server process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from django.conf import settings
from psycopg import AsyncConnection

from comptoir.config.observers import UNOBSERVED, Observers
from comptoir.flows.api import Desk, Engine, PaymentDesk
from comptoir.gateway.app import Pool, read
from comptoir.gateway.call import Machines
from comptoir.gateway.operations import Services, operations
from comptoir.kernel.statements import Rows, Statement
from comptoir.kernel.watch import process_token
from comptoir.wallet.api import configured_issuers

#: The engine holds the books while it works: a server that hangs or a network that is gone must not let
#: one process keep them from the others. JIT costs more than it gains on statements this small.
ENGINE_OPTIONS = (
    "-c jit=off -c lock_timeout=5s -c statement_timeout=10s -c idle_in_transaction_session_timeout=10s"
    # Every look-up is by key, for a few hundred rows at most in tables of millions; plans are kept.
    " -c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c enable_hashjoin=off"
    " -c enable_mergejoin=off"
)


@asynccontextmanager
async def start(pool: Pool, database_url: str, observers: Observers = UNOBSERVED) -> AsyncIterator[Machines]:
    """Start an engine with a connection of its own, hand the operations over, and stop it in the end.

    Stopping lets what waits come to its end first. The session's name in the database ends with what the
    request ids of this process begin with.
    """

    async def connect() -> AsyncConnection[Any]:
        return await AsyncConnection.connect(
            database_url,
            autocommit=True,
            connect_timeout=3,
            application_name=f"comptoir engine {process_token()}",
            prepare_threshold=0,
            options=ENGINE_OPTIONS,
        )

    async def ask(statements: Sequence[Statement]) -> list[Rows]:
        return await read(pool, statements)

    engine = Engine(
        connect=connect,
        desk=Desk(settings.COMPTOIR.fx_max_age_days),
        max_batch=settings.COMPTOIR.engine_max_batch,
        max_waiting=settings.COMPTOIR.engine_max_waiting,
        watch=observers.watch,
    )
    issuers = await configured_issuers(settings.COMPTOIR.public_url)
    desk = PaymentDesk(engine.submit, issuers)
    services = Services(
        submit=desk.submit,
        read=ask,
        public_url=settings.COMPTOIR.public_url,
        wallet_currencies=settings.COMPTOIR.wallet_currencies,
        issuers=issuers.names,
    )
    engine.start()
    try:
        async with observers.showing():
            yield Machines(operations(services), desk.hear)
    finally:
        await engine.stop()
        await issuers.aclose()
