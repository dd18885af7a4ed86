"""`comptoir migrate` when the tables are in use."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.db import connections
from django.test import modify_settings

from comptoir.cli import migrate
from comptoir.cli.main import main
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
    monkeypatch.setattr(migrate, "_GIVES_UP_AFTER", 2.0)
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


def test_any_other_fault_is_not_tried_again(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """A column that is there already: at once, and as it is."""
    monkeypatch.setattr(migrate.time, "sleep", lambda _: pytest.fail("tried again"))
    connection.execute("ALTER TABLE acquiring_payment ADD COLUMN later integer")
    with pytest.raises(Exception, match="already exists"):
        main(["migrate", "--quiet"])
