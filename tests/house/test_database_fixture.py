from __future__ import annotations

from typing import Any

import psycopg
from django.db import connection as django_connection

from tests.conftest import Database


def test_every_test_gets_its_own_database(database: Database, connection: psycopg.Connection[Any]) -> None:
    connection.execute("CREATE TABLE mark (n int)")
    with django_connection.cursor() as cursor:
        cursor.execute("SELECT current_database(), to_regclass('mark') IS NOT NULL")
        name, marked = cursor.fetchone()
    assert database.url.split("/")[3].startswith(f"{name}?")
    assert marked


def test_nothing_of_another_test_is_there(database: Database, connection: psycopg.Connection[Any]) -> None:
    assert connection.execute("SELECT to_regclass('mark')").fetchone() == (None,)
