"""The worker: its jobs side by side, a database that goes away, being stopped, being killed."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from structlog.testing import capture_logs

from comptoir.acquiring.api import PaymentState, store_payments
from comptoir.db import outbox
from comptoir.flows.api import Desk
from comptoir.flows.notifications import Sender
from comptoir.flows.worker import ExpireJob, HousekeepingJob, Job, NotifyJob, Worker
from comptoir.flows.worker.loop import Connection as JobConnection
from comptoir.identity import api as identity
from tests.conftest import Database, Server
from tests.flows.merchant_server import Merchant, slow
from tests.flows.notices import NOW, execute, notice, owe, payment, record

Connection = psycopg.Connection[tuple[Any, ...]]


@pytest.fixture(autouse=True)
def platform_key(database: Database) -> None:
    identity.ensure_platform_key(now=NOW)


def clock() -> datetime:
    return NOW


def jobs() -> list[Job]:
    return [NotifyJob(Sender(allow_private=True), clock), ExpireJob(Desk(5)), HousekeepingJob()]


async def until(true: Callable[[], bool], seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.02)


def undone(connection: Connection) -> int:
    row = connection.execute("SELECT count(*) FROM db_outbox WHERE done_at IS NULL").fetchone()
    return int(row[0]) if row else -1


async def test_due_payments_are_closed_and_told(database: Database, connection: Connection) -> None:
    unpaid = ("finished_at", "issuer", "wallet_id", "authorization_id", "wallet_total", "wallet_margin",
              "quote_id", "quote_price", "quote_from", "quote_until", "customer_ref")  # fmt: skip
    open_one: dict[str, Any] = {"state": PaymentState.PROCESSING} | dict.fromkeys(unpaid)
    with Merchant() as merchant:
        due = payment(**open_one, expires_at=NOW, notify_url=merchant.url)
        not_due = payment(**open_one, expires_at=NOW + timedelta(seconds=1), notify_url=merchant.url)
        execute(connection, store_payments([due, not_due]))
        running = Worker(jobs(), database.url, clock)
        task = asyncio.create_task(running.run())
        await until(lambda: len(merchant.heard) == 1)
        running.stop()
        await task
    states = dict(connection.execute("SELECT id, state FROM acquiring_payment").fetchall())
    assert states == {due.id: "FAIL", not_due.id: "PROCESSING"}
    message = merchant.heard[0].message
    assert (message["paymentId"], message["result"]["resultCode"]) == (due.id.hex, "ORDER_IS_CLOSED")


async def test_a_payment_that_cannot_be_closed_holds_up_nobody(
    database: Database, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = (payment(state=PaymentState.PROCESSING, finished_at=None, expires_at=NOW) for _ in range(2))
    tried: list[list[Any]] = []

    async def expire(self: ExpireJob, connection: JobConnection, commands: Any, now: datetime) -> None:
        tried.append([one.payment_id for one in commands])
        if bad.id in tried[-1]:
            raise ArithmeticError("the books disagree")

    monkeypatch.setattr(ExpireJob, "_expire", expire)
    execute(connection, store_payments([bad, good]))
    job = ExpireJob(Desk(5))
    async with await psycopg.AsyncConnection.connect(database.url, autocommit=True) as opened:
        with capture_logs() as logs:
            await job.step(opened, NOW)
            await job.step(opened, NOW)
    assert sorted(map(len, tried)) == [1, 1, 1, 2]
    assert tried[-1] == [good.id]
    assert [line["event"] for line in logs] == ["worker.expire_failed"]


async def test_a_database_that_goes_away_is_waited_for(
    database: Database, connection: Connection, postgres_server: Server
) -> None:
    """Connections die, new ones are refused for a while: one line when it goes, one when it is back."""
    name = connection.info.dbname
    connection.close()
    work = jobs()
    running = Worker(work, database.url, clock)
    with Merchant() as merchant, capture_logs() as logs:
        task = asyncio.create_task(running.run())
        with psycopg.connect(postgres_server.url("postgres"), autocommit=True) as admin:
            await asyncio.sleep(0.5)
            admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,)
            )
            await asyncio.sleep(1.5)
            admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
        with psycopg.connect(database.url, autocommit=True) as again:
            owe(again, merchant.url)
            await until(lambda: undone(again) == 0)
        work[-1].wake.set()  # housekeeping slept through it and finds its connection dead only now
        await asyncio.sleep(0.5)
        running.stop()
        await task
    events = [line["event"] for line in logs]
    assert events.count("worker.database_lost") == 1
    assert events.count("worker.database_back") == 1
    assert len(merchant.heard) == 1


async def test_a_job_that_fails_takes_nobody_with_it(database: Database, connection: Connection) -> None:
    class Broken(Job):
        name = "broken"

        async def step(self, connection: JobConnection, now: datetime) -> bool:
            raise ArithmeticError("a mistake of ours")

    running = Worker([Broken(), *jobs()], database.url, clock)
    with Merchant() as merchant, capture_logs() as logs:
        owe(connection, merchant.url)
        task = asyncio.create_task(running.run())
        await until(lambda: undone(connection) == 0)
        running.stop()
        await task
    assert {"event": "worker.job_failed", "job": "broken", "exc_info": True, "log_level": "error"} in logs


async def test_housekeeping_forgets_what_is_long_done_and_tells_of_a_backlog(
    database: Database, connection: Connection
) -> None:
    waiting, told_long_ago, told_lately, dead = (notice(payment(), "http://x/", NOW) for _ in range(4))
    execute(connection, outbox.enqueue([waiting, told_long_ago, told_lately, dead]))
    long_ago = NOW - timedelta(days=36)
    ends = ((told_long_ago, "done_at", long_ago), (told_lately, "done_at", NOW), (dead, "dead_at", long_ago))
    for item, column, at in ends:
        connection.execute(f"UPDATE db_outbox SET {column} = %s WHERE id = %s", (at, item.id))
    async with await psycopg.AsyncConnection.connect(database.url, autocommit=True) as opened:
        with capture_logs() as logs:
            assert await HousekeepingJob().step(opened, NOW + timedelta(seconds=60)) is False
            assert logs == []
            await HousekeepingJob().step(opened, NOW + timedelta(seconds=61))
    kept = {row[0] for row in connection.execute("SELECT id FROM db_outbox").fetchall()}
    assert kept == {waiting.id, told_lately.id, dead.id}
    assert logs == [
        {
            "event": "worker.backlog",
            "topic": "notify.payment",
            "items": 1,
            "oldest_s": 61,
            "log_level": "warning",
        }
    ]


@contextmanager
def process(database: Database) -> Iterator[subprocess.Popen[str]]:
    """A real `comptoir worker`."""
    variables = {**os.environ, "DATABASE_URL": database.url, "COMPTOIR_NOTIFY_PRIVATE": "1"}
    started = subprocess.Popen(
        [sys.executable, "-m", "comptoir.cli.main", "worker"],
        env=variables,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield started
    finally:
        started.kill()
        started.communicate()


def wait_for(true: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.slow
def test_killed_while_sending_it_is_sent_again_after_the_lease(
    database: Database, connection: Connection
) -> None:
    with Merchant(slow(20)) as merchant:
        record(connection, merchant.url, payment())
        connection.execute("UPDATE db_outbox SET due_at = now()")
        with process(database) as first:
            wait_for(lambda: len(merchant.heard) == 1)
            first.send_signal(signal.SIGKILL)
            first.wait()
        assert undone(connection) == 1
        with process(database):
            time.sleep(2)
            assert len(merchant.heard) == 1  # the lease of the dead still holds
            connection.execute("UPDATE db_outbox SET leased_until = now()")  # half a minute later
            wait_for(lambda: undone(connection) == 0)
    first_body, second_body = (heard.body for heard in merchant.heard)
    assert first_body == second_body
    assert connection.execute("SELECT attempts, lost FROM db_outbox").fetchall() == [(2, 1)]


@pytest.mark.slow
def test_asked_to_stop_it_finishes_what_it_has_begun(database: Database, connection: Connection) -> None:
    with Merchant(slow(1.5)) as merchant:
        record(connection, merchant.url, payment())
        connection.execute("UPDATE db_outbox SET due_at = now()")
        with process(database) as running:
            wait_for(lambda: len(merchant.heard) == 1)
            running.send_signal(signal.SIGTERM)
            said = running.communicate(timeout=60)[0]
    assert running.returncode == 0
    assert undone(connection) == 0
    assert said.count("notification.delivered") == 1
    assert said.rstrip().endswith("}")
    assert merchant.url not in said
