"""F20: the database restarts, is killed, drops connections, has none left, or is busy for long.

What a till hears is the right answer or U, never a refusal that blames the request; and the same request
gets its one answer afterwards.
"""

from __future__ import annotations

import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import psycopg
import pytest
from django.db import connections

from tests.api.conftest import Site
from tests.api.load import Load
from tests.api.support import House, Shop, pause, together
from tests.api.test_kill9 import healthy, kill_postgres
from tests.cli.processes import wait_for

pytestmark = pytest.mark.slow

SUCCESS = ("SUCCESS", "S")
UNKNOWN = ("UNKNOWN_EXCEPTION", "U")

#: Seconds. SDKs give up after 15.
PATIENCE = 14.5


@pytest.fixture(autouse=True)
def our_own_connection_is_new() -> None:
    """It was killed with the others."""
    connections.close_all()


def load_on(house: House, hands: int = 6) -> Load:
    travellers = [house.traveller(100_000_000, phones=60) for _ in range(3)]
    return Load(house, house.shop(), travellers, hands)


def test_f20_a_restart_under_load(site: Site) -> None:
    """Stopped in order and started again, twice: gateways go on without a restart of their own."""
    load = load_on(site.house)
    with load.running():
        healthy(load)
        for _ in range(2):
            site.postgres.stop()
            pause(0.5)
            site.postgres.ensure()
            healthy(load)
    assert all(server.running for server in site.house.servers)
    load.prove()


def test_f20_an_outage_that_nobody_noticed(site: Site) -> None:
    """Nobody asked while the database was away for longer than the pool tries: the first request is right."""
    shop, li = site.house.shop(), site.house.traveller()
    site.postgres.stop()
    pause(5)
    site.postgres.ensure()
    for port in site.house.ports:
        started = time.monotonic()
        assert shop.till.pay(f"R{port}", li.code(), port=port).kind == SUCCESS
        assert time.monotonic() - started < PATIENCE


def test_f20_a_crash_under_load(site: Site) -> None:
    """The postmaster is killed -9: after its recovery every answered success is there."""
    load = load_on(site.house)
    with load.running():
        healthy(load)
        kill_postgres(site)
        site.postgres.ensure()
        healthy(load)
    load.prove()


def test_f20_connections_are_killed_again_and_again(site: Site) -> None:
    """Every connection of everybody, sixty times in six seconds: batches are tried again, done once."""
    load = load_on(site.house)
    with load.running(), psycopg.connect(site.house.url, autocommit=True) as killer:
        healthy(load)
        for _ in range(60):
            killer.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
            )
            pause(0.1)
        healthy(load)
    load.prove()


def test_f20_the_books_are_held_for_long(site: Site) -> None:
    """Somebody keeps the books for 14 seconds: U before the till gives up, the right answer later."""
    house = site.house
    shop, li = house.shop(), house.traveller()
    codes = [li.code() for _ in range(6)]
    with psycopg.connect(house.url) as holder:
        holder.execute("SELECT ledger_lock()")
        started = time.monotonic()
        answers = together([lambda n=n: shop.till.pay(f"R{n}", codes[n]) for n in range(6)])
        assert {one.kind for one in answers} == {UNKNOWN}
        assert time.monotonic() - started < PATIENCE
        holder.rollback()
    assert (shop.owed, li.purse) == (0, 1_000_000)
    for n, code in enumerate(codes):
        assert shop.till.pay(f"R{n}", code).kind == SUCCESS
    assert shop.owed == 6000
    house.assert_holds()


def test_f20_the_books_are_held_for_a_while(site: Site) -> None:
    """They are held longer than one wait for the lock takes (5 s), which is waited out: nobody notices."""
    house = site.house
    shop, li = house.shop(), house.traveller()
    with psycopg.connect(house.url) as holder:
        holder.execute("SELECT ledger_lock()")
        answer, _ = together(
            [lambda: shop.till.pay("R1", li.code()), lambda: (pause(5.5), holder.rollback())]  # type: ignore[list-item]
        )
    assert answer.kind == SUCCESS
    assert shop.owed == 1000


def test_f20_a_gateway_hangs_with_the_books_in_its_hands(site: Site) -> None:
    """Stopped like a paused machine, in the middle of its transaction: the others soon go on without it.

    When it runs again it has lost its transaction, does it once more, and answers right.
    """
    house = site.house
    hanging, (port, other_port) = house.servers[0], house.ports
    shop, li = house.shop(), house.traveller()
    ours, theirs = li.code(), li.code()
    with ThreadPoolExecutor(1) as pool:
        with psycopg.connect(house.url) as holder:
            holder.execute("SELECT ledger_lock()")
            waiting = pool.submit(shop.till.pay, "R1", theirs, port=port)
            wait_for(lambda: waits_for_the_books(house))
            hanging.signal(signal.SIGSTOP)
            holder.rollback()
        try:
            assert shop.till.pay("R2", ours, port=other_port).kind == SUCCESS
        finally:
            hanging.signal(signal.SIGCONT)
    # Where it took more than its patience to come back, it said so.
    first, again = waiting.result(), shop.till.pay("R1", theirs)
    assert first.kind in (SUCCESS, UNKNOWN)
    assert again.kind == SUCCESS
    assert first.kind == UNKNOWN or again.body == first.body
    assert shop.owed == 2000
    assert b"command broken" not in hanging.log.read_bytes()
    house.assert_holds()


def waits_for_the_books(house: House) -> bool:
    with psycopg.connect(house.url, autocommit=True) as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE application_name LIKE 'comptoir engine %' AND wait_event_type = 'Lock'"
        ).fetchone()
    return bool(row and row[0])


def test_f20_no_connection_is_left(site: Site) -> None:
    """Strangers take every connection of the server: U, and all is well once they are gone."""
    house = site.house
    shop, li = house.shop(), house.traveller()
    assert shop.till.pay("R0", li.code()).kind == SUCCESS
    connections.close_all()
    with ExitStack() as strangers:
        terminate(house)
        greedy(house, strangers)
        code = li.code()
        started = time.monotonic()
        refused = together([lambda: shop.till.pay("R1", code)] * 4)
        assert time.monotonic() - started < PATIENCE
        assert {one.kind for one in refused} == {UNKNOWN}
    assert shop.till.pay("R1", code).kind == SUCCESS
    assert shop.owed == 2000
    house.assert_holds()


def greedy(house: House, strangers: ExitStack) -> None:
    """Take connections until there are none, and again while ours try to come back."""
    until = time.monotonic() + 1
    while time.monotonic() < until:
        try:
            strangers.enter_context(psycopg.connect(house.url))
            until = time.monotonic() + 1
        except psycopg.OperationalError:
            pause(0.05)


def terminate(house: House) -> None:
    with psycopg.connect(house.url, autocommit=True) as killer:
        killer.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )


def test_f20_more_inquiries_than_readers(site: Site) -> None:
    """A hundred at once share the gateways' few reading connections: every one is answered right."""
    shop: Shop = site.house.shop()
    li = site.house.traveller()
    assert shop.till.pay("R1", li.code()).kind == SUCCESS
    answers = together([lambda: shop.till.inquire("R1")] * 100)
    assert {one.kind for one in answers} == {SUCCESS}
    assert {one["paymentStatus"] for one in answers} == {"SUCCESS"}
