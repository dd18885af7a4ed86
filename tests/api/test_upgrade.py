"""F22: the database is brought up to a later version while gateways of this one serve."""

from __future__ import annotations

import argparse
import threading

import psycopg
import pytest
from django.db import connections
from django.test import modify_settings

from comptoir.cli import migrate
from tests.api.load import SUCCESS, Load
from tests.api.support import House, pause
from tests.api.test_kill9 import healthy
from tests.cli.processes import wait_for

pytestmark = pytest.mark.slow


def test_f22_a_migration_beside_payments_and_a_long_report(
    house: House, capfd: pytest.CaptureFixture[str]
) -> None:
    """A report has the table of payments, a migration wants it, tills pay: every request has its success.

    While the report runs the migration steps back again and again and payments go on; when the report has
    ended it is done at once. The older gateways then write to a table with a column they do not know.
    """
    load = Load(house, house.shop(), [house.traveller(100_000_000, phones=60) for _ in range(2)])
    done: list[int] = []

    def deploy() -> None:
        done.append(migrate.run(argparse.Namespace(quiet=False)))
        connections.close_all()

    with modify_settings(INSTALLED_APPS={"append": "tests.cli.later"}), load.running():
        healthy(load)
        deployment = threading.Thread(target=deploy)
        with psycopg.connect(house.url) as report:
            report.execute("SELECT count(*) FROM acquiring_payment")
            deployment.start()
            wait_for(lambda: stands_in_line(house))
            for _ in range(2):
                healthy(load)
                pause(1)
            assert done == []
        deployment.join(60)
        assert done == [0]
        healthy(load)
    assert "trying again" in capfd.readouterr().out
    assert set(load.kinds()) == {SUCCESS}, load.kinds()
    load.prove()
    with psycopg.connect(house.url) as connection:
        assert connection.execute("SELECT DISTINCT later FROM acquiring_payment").fetchall() == [(7,)]


def stands_in_line(house: House) -> bool:
    """Whether somebody waits for the table of payments, to change it."""
    with psycopg.connect(house.url, autocommit=True) as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_locks WHERE relation = 'acquiring_payment'::regclass AND NOT granted"
            " AND mode = 'AccessExclusiveLock'"
        ).fetchone()
    return bool(row and row[0])
