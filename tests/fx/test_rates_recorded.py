"""Rates in the database: recorded once, never changed, found on or before a day."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from django.db import connections, transaction
from django.test import override_settings

from comptoir.fx import api as fx
from comptoir.fx.errors import (
    FetchFailed,
    FetchOff,
    RateMissing,
    RatesConflict,
    RatesImplausible,
    RateStale,
)
from comptoir.fx.operations import rates as recording
from comptoir.kernel.errors import InvariantBroken
from comptoir.kernel.ids import OPERATOR
from comptoir.kernel.money import Money
from comptoir.standards.ecb_rates import DailyRates

Connection = psycopg.Connection[tuple[Any, ...]]

NOW = datetime(2026, 11, 2, 16, tzinfo=UTC)
FRIDAY = date(2026, 10, 30)
MONDAY = date(2026, 11, 2)


def daily(on: date, **rates: str) -> DailyRates:
    return DailyRates(on, {currency: Decimal(text) for currency, text in rates.items()})


def recorded(connection: Connection) -> list[tuple[Any, ...]]:
    return connection.execute(
        "SELECT rate_on, currency, per_euro, source FROM fx_reference_rate ORDER BY 1, 2"
    ).fetchall()


def test_a_day_is_recorded_once(connection: Connection) -> None:
    friday = daily(FRIDAY, CNY="7.4326", JPY="175.68")
    assert fx.record_rates(friday, NOW, "test") == 2
    before = recorded(connection)
    assert before == [
        (FRIDAY, "CNY", Decimal("7.4326"), "test"),
        (FRIDAY, "JPY", Decimal("175.68"), "test"),
    ]
    assert fx.record_rates(friday, NOW, "another") == 0
    assert recorded(connection) == before
    assert fx.latest_table() == fx.RateTable(FRIDAY, friday.per_euro)


@pytest.mark.parametrize(
    "rates",
    [{"CNY": "7.4327", "JPY": "175.68"}, {"CNY": "7.4326"}, {"CNY": "7.4326", "JPY": "175.68", "USD": "1.1"}],
)
def test_other_rates_for_a_recorded_day_are_refused(connection: Connection, rates: dict[str, str]) -> None:
    fx.record_rates(daily(FRIDAY, CNY="7.4326", JPY="175.68"), NOW, "test")
    before = recorded(connection)
    with pytest.raises(RatesConflict):
        fx.record_rates(daily(FRIDAY, **rates), NOW, "test", accept_jump=True)
    assert recorded(connection) == before


def test_a_feed_that_cannot_be_believed_is_refused_until_an_operator_accepts_it(
    connection: Connection,
) -> None:
    """F15, the feed in error: yesterday's rates stay the latest."""
    friday = daily(FRIDAY, CNY="7.4326", TRY="55.8")
    fx.record_rates(friday, NOW, "test")
    inverted, crisis = daily(MONDAY, CNY="0.13454", TRY="55.8"), daily(MONDAY, CNY="7.43", TRY="76")
    for bad in (inverted, crisis):
        with pytest.raises(RatesImplausible):
            fx.record_rates(bad, NOW, "test")
        assert fx.latest_table().on == FRIDAY
    assert fx.record_rates(crisis, NOW, "test", accept_jump=True) == 2
    assert fx.latest_table().on == MONDAY


def test_rates_dated_ahead_are_refused(connection: Connection) -> None:
    with pytest.raises(RatesImplausible):
        fx.record_rates(daily(date(2026, 11, 3), CNY="7.4"), NOW, "test", accept_jump=True)
    assert recorded(connection) == []


def test_an_older_day_is_compared_with_the_one_before_it(connection: Connection) -> None:
    fx.record_rates(daily(MONDAY, CNY="14"), NOW, "test")
    assert fx.record_rates(daily(FRIDAY, CNY="7.4326"), NOW, "test") == 1
    assert fx.latest_table().on == MONDAY


def test_two_workers_with_one_day_record_it_once(connection: Connection) -> None:
    days = [daily(FRIDAY, CNY=text) for text in ("7.4326", "7.4327") * 4]

    def record(one: DailyRates) -> int | str:
        try:
            return fx.record_rates(one, NOW, "test")
        except RatesConflict as refusal:
            return refusal.code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(record, days))
    assert answers.count(1) == 1
    assert answers.count(0) == 3
    assert answers.count("fx.rates_conflict") == 4
    assert len(recorded(connection)) == 1


def test_the_latest_on_or_before_a_day_is_found(connection: Connection) -> None:
    """F15, weekends: Sunday takes Friday's."""
    fx.record_rates(daily(FRIDAY, CNY="7.4326", JPY="175.68"), NOW, "test")
    fx.record_rates(daily(MONDAY, CNY="7.44"), NOW, "test")
    assert fx.rate_on("CNY", date(2026, 11, 1)) == fx.DatedRate(FRIDAY, "CNY", Decimal("7.4326"))
    assert fx.rate_on("CNY", MONDAY).on == MONDAY
    assert fx.rate_on("JPY", MONDAY).on == FRIDAY
    for currency, day in (("CNY", date(2026, 10, 29)), ("USD", MONDAY)):
        with pytest.raises(RateMissing) as refusal:
            fx.rate_on(currency, day)
        assert refusal.value.field == currency


def test_the_packaged_history_loads_offline_and_again(connection: Connection) -> None:
    assert fx.latest_table() == fx.NO_RATES
    new = fx.load_packaged_rates(NOW)
    days, rows = connection.execute(
        "SELECT count(DISTINCT rate_on), count(*) FROM fx_reference_rate"
    ).fetchall()[0]
    assert (days, rows) == (recording.PACKAGED_DAYS, new)
    assert fx.load_packaged_rates(NOW) == 0
    table = fx.latest_table()
    assert {"CNY", "USD", "JPY", "KRW", "ISK", "IDR"} <= set(table.per_euro)
    assert table.on <= NOW.date()


def test_the_packaged_history_stops_at_the_present_and_keeps_what_is_there(connection: Connection) -> None:
    now = datetime(2026, 10, 29, 12, tzinfo=UTC)
    fx.record_rates(daily(date(2026, 10, 29), CNY="7.5"), now, "test")
    fx.load_packaged_rates(now, days=3)
    assert fx.latest_table().on == date(2026, 10, 29)
    assert fx.rate_on("CNY", date(2026, 10, 29)).per_euro == Decimal("7.5")
    assert connection.execute("SELECT count(DISTINCT rate_on) FROM fx_reference_rate").fetchall() == [(3,)]


def test_every_published_currency_prices_a_payment(connection: Connection) -> None:
    fx.load_packaged_rates(NOW)
    table, book = fx.latest_table(), fx.QuoteBook()
    for currency in ["EUR", *table.per_euro]:
        quote = book.quote(table, OPERATOR, currency, "CNY", 150, NOW)
        legs = fx.split(Money.of("5000", currency), quote)
        assert legs.mid_part + legs.margin_part == legs.total


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE fx_reference_rate SET per_euro = 1",
        "DELETE FROM fx_reference_rate",
        "TRUNCATE fx_reference_rate",
        "INSERT INTO fx_reference_rate VALUES ('2026-11-02', 'CNY', 0, 'x', now())",
        "INSERT INTO fx_reference_rate VALUES ('2026-11-02', 'CNY', -1, 'x', now())",
        "INSERT INTO fx_reference_rate VALUES ('2026-11-02', 'cny', 1, 'x', now())",
        "INSERT INTO fx_reference_rate VALUES ('2026-10-30', 'CNY', 1, 'x', now())",
    ],
)
def test_the_table_itself_refuses(connection: Connection, sql: str) -> None:
    fx.record_rates(daily(FRIDAY, CNY="7.4326"), NOW, "test")
    before = recorded(connection)
    with pytest.raises(psycopg.Error):
        connection.execute(sql)  # type: ignore[call-overload]
    assert recorded(connection) == before


XML = b"""<Envelope xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref"><Cube>
<Cube time="2026-11-02"><Cube currency="CNY" rate="7.44"/></Cube></Cube></Envelope>"""


def test_fetching_is_off_by_default(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(recording, "fetch_daily_xml", asked.append)
    with pytest.raises(FetchOff):
        fx.fetch_daily(NOW)
    assert asked == []
    assert recorded(connection) == []


@override_settings(COMPTOIR_FX_FETCH=True)
def test_a_fetched_day_is_recorded(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "fetch_daily_xml", lambda url: XML)
    assert fx.fetch_daily(NOW) == 1
    assert fx.fetch_daily(NOW) == 0
    assert recorded(connection) == [(MONDAY, "CNY", Decimal("7.44"), "ecb-daily")]


@override_settings(COMPTOIR_FX_FETCH=True)
def test_a_feed_that_is_down_or_damaged_records_nothing_and_prices_until_stale(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F15, the feed down: the last good day serves until it is too old, then nothing is priced."""
    fx.record_rates(daily(FRIDAY, CNY="7.4326"), NOW, "test")
    for answer in (b"<html>maintenance</html>", XML.replace(b"7.44", b"0"), XML.replace(b"7.44", b"NaN")):
        monkeypatch.setattr(recording, "fetch_daily_xml", lambda url, answer=answer: answer)
        with pytest.raises(FetchFailed):
            fx.fetch_daily(NOW)
    table = fx.latest_table()
    assert table.on == FRIDAY
    fx.check_fresh(table, datetime(2026, 11, 4, tzinfo=UTC))
    with pytest.raises(RateStale):
        fx.check_fresh(table, datetime(2026, 11, 5, tzinfo=UTC))


@override_settings(COMPTOIR_FX_FETCH=True)
def test_the_network_is_never_asked_inside_a_transaction(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(recording, "fetch_daily_xml", asked.append)
    with pytest.raises(InvariantBroken), transaction.atomic():
        fx.fetch_daily(NOW)
    assert asked == []
