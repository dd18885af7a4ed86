"""Quotes in the database: written once by the engine's statements, read back as they were."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from django.db import connection as django_connection
from psycopg import AsyncConnection

from comptoir.db.run import run_async, run_sync
from comptoir.fx import api as fx
from comptoir.kernel.statements import Flow
from tests.conftest import Database

Connection = psycopg.Connection[tuple[Any, ...]]

NOW = datetime(2026, 11, 2, 9, 0, 0, 123456, tzinfo=UTC)
TABLE = fx.RateTable(
    date(2026, 10, 30), {"CNY": Decimal("7.4326"), "IDR": Decimal("20275.17"), "KWD": Decimal("0.3431")}
)
PAIRS = [("EUR", "CNY"), ("CNY", "EUR"), ("IDR", "KWD"), ("KWD", "IDR"), ("EUR", "EUR")]


def some_quotes() -> list[fx.Quote]:
    book = fx.QuoteBook()
    return [book.quote(TABLE, uuid4(), base, quote, 137, NOW) for base, quote in PAIRS]


def store_and_load(quotes: list[fx.Quote]) -> Flow[dict[UUID, fx.Quote]]:
    """What the engine does: store with the batch, find again by id."""
    _, rows = yield [fx.store_quotes(quotes), fx.load_quotes([one.id for one in quotes] + [uuid4()])]
    return fx.decode_quotes(rows)


def read_rates() -> Flow[fx.RateTable]:
    (rows,) = yield [fx.latest_rates()]
    return fx.decode_rates(rows)


@pytest.mark.anyio
async def test_quotes_come_back_as_they_were_from_the_async_engine(database: Database) -> None:
    quotes = some_quotes()
    async with await AsyncConnection.connect(database.url) as opened:
        loaded = await run_async(opened, store_and_load(quotes))
        assert loaded == {one.id: one for one in quotes}
        assert repr([loaded[one.id].price for one in quotes]) == repr([one.price for one in quotes])
        assert await run_async(opened, read_rates()) == fx.NO_RATES


def test_quotes_come_back_as_they_were_from_a_worker(database: Database) -> None:
    quotes = some_quotes()
    fx.load_packaged_rates(NOW, days=2)
    with django_connection.cursor() as cursor:
        assert run_sync(cursor, store_and_load(quotes)) == {one.id: one for one in quotes}
        assert run_sync(cursor, read_rates()) == fx.latest_table()


def test_a_quote_is_stored_once_and_stays_as_it_was(connection: Connection) -> None:
    first = some_quotes()[:1]
    for _ in range(2):
        assert run_sync(connection.cursor(), store_and_load(first)) == {first[0].id: first[0]}
    assert connection.execute("SELECT count(*) FROM fx_quote").fetchall() == [(1,)]


def test_storing_no_quotes_is_a_statement_like_any_other(connection: Connection) -> None:
    assert run_sync(connection.cursor(), store_and_load([])) == {}


@pytest.mark.parametrize(
    "change",
    ["price = 1", "mid = 1", "expires_at = expires_at + interval '1 day'", "guaranteed = false"],
)
def test_a_stored_quote_cannot_be_changed_or_taken_away(connection: Connection, change: str) -> None:
    quotes = some_quotes()
    before = run_sync(connection.cursor(), store_and_load(quotes))
    for sql in (f"UPDATE fx_quote SET {change}", "DELETE FROM fx_quote", "TRUNCATE fx_quote"):
        with pytest.raises(psycopg.errors.RaiseException):
            connection.execute(sql)  # type: ignore[call-overload]
    assert run_sync(connection.cursor(), store_and_load(quotes)) == before


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("mid", "0"),
        ("price", "7.4"),
        ("margin_bps", "-1"),
        ("margin_bps", "10001"),
        ("expires_at", "created_at"),
    ],
)
def test_the_table_itself_refuses(connection: Connection, column: str, value: str) -> None:
    columns = {
        "owner_id": "gen_random_uuid()", "id": "gen_random_uuid()", "base": "'EUR'", "quote": "'CNY'",
        "mid": "7.5", "price": "7.5", "margin_bps": "0", "rate_on": "'2026-10-30'", "created_at": "now()",
        "expires_at": "now() + interval '1 minute'", "guaranteed": "true",
    }  # fmt: skip
    good = f"INSERT INTO fx_quote ({', '.join(columns)}) VALUES ({', '.join(columns.values())})"
    connection.execute(good)  # type: ignore[call-overload]
    columns[column] = "now()" if value == "created_at" else value
    bad = f"INSERT INTO fx_quote ({', '.join(columns)}) VALUES ({', '.join(columns.values())})"
    with pytest.raises(psycopg.errors.CheckViolation):
        connection.execute(bad)  # type: ignore[call-overload]
    assert connection.execute("SELECT count(*) FROM fx_quote").fetchall() == [(1,)]
