"""F20: errors that the server itself reports, and a disk that is full: never a refusal of the payment."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from django.db import connections

from tests.api.conftest import Site, open_site
from tests.api.support import House, pause
from tests.api.test_database import PATIENCE, SUCCESS, UNKNOWN, load_on, waits_for_the_books
from tests.api.test_kill9 import healthy
from tests.cli.processes import wait_for

pytestmark = pytest.mark.slow


#: States of SQL that say something of the server and nothing of the payment.
PASSING = {
    "40001": "serialization failure", "40P01": "deadlock", "53100": "disk full", "53200": "out of memory",
    "53300": "too many connections", "55P03": "lock not available", "57014": "canceled", "57P01": "shut down",
    "25006": "read only", "58030": "input or output error",
}  # fmt: skip


@pytest.mark.parametrize("state", PASSING, ids=PASSING.get)
def test_f20_an_error_of_the_server_is_tried_again(site: Site, state: str) -> None:
    """Three times the server says so when a payment is written: nobody notices, and it is paid once."""
    house = site.house
    shop, li = house.shop(), house.traveller()
    with failing(house, state, times=3):
        answer = shop.till.pay("R1", li.code())
    assert answer.kind == SUCCESS
    assert (shop.owed, li.purse) == (1000, 1_000_000 - 8080)
    house.assert_holds()


@pytest.mark.parametrize("state", ["40001", "53100", "XX000", "22012"])
def test_f20_an_error_that_stays_is_no_refusal(site: Site, state: str) -> None:
    """Whatever the server says and goes on saying: U, nothing moved; the same request is paid afterwards."""
    house = site.house
    shop, li = house.shop(), house.traveller()
    code = li.code()
    with failing(house, state, times=10_000):
        started = time.monotonic()
        assert shop.till.pay("R1", code).kind == UNKNOWN
        assert time.monotonic() - started < PATIENCE
    assert (shop.owed, li.purse) == (0, 1_000_000)
    assert shop.till.pay("R1", code).kind == SUCCESS
    assert shop.owed == 1000
    house.assert_holds()


@contextmanager
def failing(house: House, state: str, times: int) -> Iterator[None]:
    """The next so many attempts to write a payment fail with this state."""
    with psycopg.connect(house.url, autocommit=True) as connection:
        connection.execute("CREATE SEQUENCE f20_tries")  # a sequence counts on when a transaction is undone
        connection.execute(
            "CREATE FUNCTION f20_fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            f" IF nextval('f20_tries') <= {times} THEN RAISE EXCEPTION SQLSTATE '{state}'; END IF;"  # type: ignore[arg-type]
            " RETURN NEW; END $$"
        )
        connection.execute(
            "CREATE TRIGGER f20 BEFORE INSERT ON acquiring_payment FOR EACH ROW EXECUTE FUNCTION f20_fail()"
        )
        try:
            yield
        finally:
            connection.execute("DROP TRIGGER f20 ON acquiring_payment")
            connection.execute("DROP FUNCTION f20_fail")
            connection.execute("DROP SEQUENCE f20_tries")


def test_f20_a_deadlock_with_a_stranger(site: Site) -> None:
    """A stranger has what the wallet spent today and wants the books, which the engine has.

    The server ends whoever waits less patiently, which is the engine; it does its batch again.
    """
    house = site.house
    shop, li = house.shop(), house.traveller()
    assert shop.till.pay("R0", li.code()).kind == SUCCESS

    def meet(ref: str) -> None:
        with psycopg.connect(house.url) as stranger, ThreadPoolExecutor(1) as pool:
            stranger.execute("SET deadlock_timeout = '60s'")
            stranger.execute(
                "SELECT spent FROM wallet_day_spending WHERE wallet_id = %s FOR UPDATE", (li.wallet_id,)
            )
            paying = pool.submit(shop.till.pay, ref, li.code())
            wait_for(lambda: waits_for_the_books(house))
            stranger.execute("SELECT ledger_lock()")  # waits until the engine has let go of them
            stranger.rollback()
            assert paying.result().kind == SUCCESS

    def found() -> bool:
        return any(b"DeadlockDetected" in one.log.read_bytes() for one in house.servers)

    # The server looks for a deadlock once, a second after the engine began to wait: on a slow machine the
    # stranger may have come later than that.
    paid = 1
    while not found() and paid < 6:
        meet(f"R{paid}")
        paid += 1
    assert found()
    assert (shop.owed, li.purse) == (paid * 1000, 1_000_000 - paid * 8080)
    house.assert_holds()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a disk of its own")
def test_f20_the_disk_is_full(tmp_path: Path) -> None:
    """Under load somebody fills the database's disk, and empties it again.

    Until then a request is done or is U. The server may have ended itself, when it could not even write its
    log: whoever watches it starts it again. Nothing that was answered is lost, and all goes on.
    """
    with small_disk(tmp_path / "disk", 400) as disk:
        small = {"shared_buffers": "16MB", "max_wal_size": "64MB", "min_wal_size": "32MB"}
        with open_site(tmp_path, disk, **small) as site:
            load = load_on(site.house)
            with load.running(pause=0.01):
                healthy(load)
                fill(disk / "ballast")
                wait_for(lambda: ("UNKNOWN_EXCEPTION", "U") in load.kinds())
                pause(2)
                (disk / "ballast").unlink()
                site.postgres.ensure()
                healthy(load)
            assert all(server.running for server in site.house.servers)
            load.prove()
            assert b"No space left on device" in site.postgres.log_file.read_bytes()


@contextmanager
def small_disk(place: Path, megabytes: int) -> Iterator[Path]:
    """A file system of its own, in memory."""
    place.mkdir()
    place.chmod(0o755)
    options = f"size={megabytes}m,mode=0755"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)], check=True)
    try:
        yield place
    finally:
        connections.close_all()
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def fill(file: Path) -> None:
    """Write until there is no room, to the last block."""
    with file.open("wb", buffering=0) as ballast:
        for size in (1 << 20, 1 << 12):
            try:
                while ballast.write(bytes(size)) == size:
                    pass
            except OSError:
                continue
