"""The job that fetches rates: a bad feed changes nothing, a good one is recorded once."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from psycopg import AsyncConnection

from comptoir.flows.worker.rates import RatesJob
from comptoir.fx import api as fx
from comptoir.fx.operations import rates
from tests.conftest import Database
from tests.flows.support import make_scene

FILE = """<?xml version="1.0" encoding="UTF-8"?>
<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01"
  xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref"><Cube><Cube time="2026-11-23">
  <Cube currency="CNY" rate="{cny}"/><Cube currency="GBP" rate="0.841"/><Cube currency="JPY" rate="176.2"/>
  <Cube currency="USD" rate="1.1001"/><Cube currency="SEK" rate="11.02"/><Cube currency="IDR" rate="20010"/>
</Cube></Cube></gesmes:Envelope>"""

EVENING = datetime(2026, 11, 23, 16, 5, tzinfo=UTC)


def step(database: Database) -> None:
    async def work() -> None:
        async with await AsyncConnection.connect(database.url, autocommit=True) as connection:
            assert await RatesJob().step(connection, EVENING) is False

    asyncio.run(work())


@pytest.mark.parametrize(
    ("cny", "expected"),
    [("7.91", date(2026, 11, 23)), ("0.1266", date(2026, 11, 20)), ("NaN", date(2026, 11, 20))],
    ids=["good", "upside down", "not a number"],
)
def test_what_the_feed_says_is_recorded_if_it_can_be_believed(
    cny: str, expected: date, database: Database, monkeypatch: pytest.MonkeyPatch, settings_fetch: None
) -> None:
    make_scene(balance=0)
    monkeypatch.setattr(rates, "fetch_daily_xml", lambda url: FILE.format(cny=cny).encode())
    step(database)
    step(database)
    table = fx.latest_table()
    assert table.on == expected
    assert table.per_euro["CNY"] == (Decimal("7.91") if cny == "7.91" else Decimal("7.9"))


@pytest.fixture
def settings_fetch(monkeypatch: pytest.MonkeyPatch) -> None:
    from django.conf import settings

    monkeypatch.setattr(settings, "COMPTOIR_FX_FETCH", True)
