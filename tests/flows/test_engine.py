"""The engine's queue when a batch takes too long with the books."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime

import pytest
from psycopg import AsyncConnection

from comptoir.flows import api as flows
from comptoir.flows.engine import queue
from comptoir.kernel.ids import new_id
from comptoir.kernel.statements import Flow, Statement
from tests.conftest import Database


def a_tenth_of_a_second_each(
    commands: Sequence[flows.Command], now: datetime, desk: flows.Desk
) -> Flow[list[flows.Outcome]]:
    """A batch that may have the books for 0.3 s."""
    yield [Statement("SELECT set_config('transaction_timeout', '300ms', true)")]
    yield [Statement(f"SELECT pg_sleep({0.1 * len(commands)})")]
    return [flows.Outcome(code=flows.OK, message=str(command.payment_id)) for command in commands]  # type: ignore[union-attr]


def test_a_batch_that_takes_too_long_is_done_in_parts(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "run_batch", a_tenth_of_a_second_each)
    commands = [flows.Expire(merchant_id=new_id(), payment_id=new_id()) for _ in range(5)]

    async def connect() -> AsyncConnection[tuple[object, ...]]:
        return await AsyncConnection.connect(database.url, autocommit=True)

    async def work() -> tuple[list[flows.Outcome], flows.EngineStats]:
        engine = flows.Engine(connect=connect, desk=flows.Desk(5))
        engine.start()
        outcomes = await asyncio.gather(*(engine.submit(command) for command in commands))
        await engine.stop()
        return outcomes, engine.stats

    outcomes, stats = asyncio.run(work())
    assert [one.message for one in outcomes] == [str(command.payment_id) for command in commands]
    assert (stats.commands, stats.largest < 5, stats.retries >= 1) == (5, True, True)
