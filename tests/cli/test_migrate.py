"""`comptoir migrate` when the tables are in use."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.db import connections
from django.test import modify_settings

from comptoir.cli import migrate
from comptoir.cli.main import main
from tests.cli.processes import wait_for
from tests.conftest import Database

Connection = psycopg.Connection[tuple[Any, ...]]


@pytest.fixture(autouse=True)
def later_version() -> Iterator[None]:
    """There is a migration to apply."""
    with modify_settings(INSTALLED_APPS={"append": "tests.cli.later"}):
        yield


def has_the_column(connection: Connection) -> bool:
    found = connection.execute(
        "SELECT count(*) FROM information_schema.columns WHERE table_name = 'acquiring_payment'"
        " AND column_name = 'later'"
    ).fetchone()
    return found == (1,)


def test_a_table_that_is_always_in_use_is_left_as_it_is(
    database: Database,
    connection: Connection,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A report that reads for hours: one line, exit code 2, nothing half done; afterwards it is quick."""
    monkeypatch.setattr(migrate, "_WAITS_AT_MOST", "50ms")
    monkeypatch.setattr(migrate, "_GIVES_UP_AFTER", 8.0)
    with psycopg.connect(database.url) as report:
        report.execute("SELECT count(*) FROM acquiring_payment")
        assert main(["migrate"]) == 2
    printed = capsys.readouterr()
    assert "trying again in 0.5 s" in printed.out
    assert "in use all the time" in printed.err
    assert len(printed.err.splitlines()) == 1
    assert not has_the_column(connection)
    assert main(["migrate", "--quiet"]) == 0
    assert has_the_column(connection)


def test_two_at_once_wait_for_each_other(database: Database, connection: Connection) -> None:
    """One does it, the other finds it done."""
    codes: list[int] = []

    def one_machine() -> None:
        codes.append(main(["migrate", "--quiet"]))
        connections.close_all()

    machines = [threading.Thread(target=one_machine) for _ in range(3)]
    for one in machines:
        one.start()
    for one in machines:
        one.join(60)
    assert codes == [0, 0, 0]
    assert has_the_column(connection)


def test_an_index_beside_the_payments_is_waited_for(
    database: Database, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It waits for a report that began before it, keeps nobody waiting meanwhile, and is whole in the end."""
    monkeypatch.setattr(migrate, "_WAITS_AT_MOST", "50ms")
    codes: list[int] = []

    def deploy() -> None:
        codes.append(main(["migrate", "--quiet"]))
        connections.close_all()

    deployment = threading.Thread(target=deploy)
    with psycopg.connect(database.url) as report:
        report.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        report.execute("SELECT count(*) FROM fx_quote")
        deployment.start()
        wait_for(lambda: waits_for_the_report(connection))
        time.sleep(0.3)
        assert codes == []
    deployment.join(60)
    assert codes == [0]
    [valid] = connection.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = 'later_index'::regclass")
    assert valid == (True,)


def waits_for_the_report(connection: Connection) -> bool:
    row = connection.execute(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'virtualxid' AND query LIKE 'CREATE INDEX%'"
        " AND datname = current_database()"
    ).fetchone()
    return row == (1,)


def test_any_other_fault_is_not_tried_again(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """A column that is there already: at once, and as it is."""
    monkeypatch.setattr(migrate.time, "sleep", lambda _: pytest.fail("tried again"))
    connection.execute("ALTER TABLE acquiring_payment ADD COLUMN later integer")
    with pytest.raises(Exception, match="already exists"):
        main(["migrate", "--quiet"])
