"""A worker that had the books for too long: its transaction is ended, and nothing is wrong with a record."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from types import ModuleType

import psycopg
import pytest
from psycopg import AsyncConnection

from comptoir.acquiring.api import DisputeState
from comptoir.flows import api as flows
from comptoir.flows.worker import DisputesJob, ExpireJob, Job, RenewJob, disputes, expire, renew
from comptoir.kernel.statements import Flow, Statement
from tests.conftest import Database
from tests.flows import test_disputes, test_subscriptions
from tests.flows.support import NOW, assert_books_hold, make_scene


def too_slow(commands: Sequence[flows.Command], now: datetime, desk: flows.Desk) -> Flow[list[flows.Outcome]]:
    """A batch that has the books for longer than it may."""
    yield [Statement("SELECT set_config('transaction_timeout', '100ms', true)")]
    yield [Statement("SELECT pg_sleep(2)")]
    raise AssertionError("the server did not mind")


def an_open_dispute() -> tuple[datetime, Callable[[], bool]]:
    scene = make_scene()
    claimed = test_disputes.claim(scene, test_disputes.paid(scene))
    scene.one(claimed)
    return claimed.due_at, lambda: test_disputes.state(claimed) is DisputeState.ACCEPTED


def a_subscription() -> tuple[datetime, Callable[[], bool]]:
    scene = make_scene()
    scene.desk = flows.Desk(10_000)
    begun = test_subscriptions.begun(scene)
    return test_subscriptions.START, lambda: test_subscriptions.stands(begun.id).phase == 2


def an_order() -> tuple[datetime, Callable[[], bool]]:
    scene = make_scene()
    order = scene.one(scene.order("O1")).payment
    assert order is not None
    again = scene.order("O1")
    return order.expires_at, lambda: scene.one(again, NOW).code == "acquiring.payment_expired"


@pytest.mark.parametrize(
    ("made", "kind", "module"),
    [
        (an_open_dispute, DisputesJob, disputes),
        (a_subscription, RenewJob, renew),
        (an_order, ExpireJob, expire),
    ],
)
def test_it_is_done_over_the_next_connection(
    made: Callable[[], tuple[datetime, Callable[[], bool]]],
    kind: Callable[[flows.Desk], Job],
    module: ModuleType,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now, done = made()
    job = kind(flows.Desk(10_000))

    async def step() -> None:
        async with await AsyncConnection.connect(database.url, autocommit=True) as opened:
            await job.step(opened, now)

    with monkeypatch.context() as patch:
        patch.setattr(module, "run_batch", too_slow)
        with pytest.raises(psycopg.errors.TransactionTimeout):
            asyncio.run(step())
    assert not done()
    asyncio.run(step())
    assert done()
    assert_books_hold()
