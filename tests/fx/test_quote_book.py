"""The quote book: one row for thousands of payments, and no payment without its stored quote."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import pytest

from comptoir.fx.api import NO_RATES, QuoteBook, RateTable, store_quotes
from comptoir.fx.errors import RateMissing, RateStale
from comptoir.kernel.errors import InvalidValue

SHOP = UUID(int=7)
NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
TABLE = RateTable(date(2026, 10, 30), {"CNY": Decimal("7.4326"), "USD": Decimal("1.1172")})


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def test_a_quote_says_everything_about_itself() -> None:
    made = QuoteBook().quote(TABLE, SHOP, "EUR", "CNY", 150, NOW)
    assert (made.owner_id, made.pair, made.margin_bps, made.rate_on) == (SHOP, "EUR/CNY", 150, TABLE.on)
    assert (made.mid, made.price, made.guaranteed) == (Decimal("7.4326"), Decimal("7.544089"), True)
    assert (made.created_at, made.expires_at) == (NOW, NOW + minutes(30))
    assert made.id.version == 7


def test_a_young_quote_is_given_out_again_and_an_older_one_is_not() -> None:
    book = QuoteBook()
    first = book.quote(TABLE, SHOP, "EUR", "CNY", 150, NOW)
    assert book.quote(TABLE, SHOP, "EUR", "CNY", 150, NOW + minutes(4.99)) is first
    second = book.quote(TABLE, SHOP, "EUR", "CNY", 150, NOW + minutes(5))
    assert second.id != first.id
    assert second.created_at == NOW + minutes(5)


def test_a_quote_is_for_one_owner_pair_margin_and_day() -> None:
    book = QuoteBook()
    next_day = replace(TABLE, on=date(2026, 11, 2))
    made = [
        book.quote(TABLE, SHOP, "EUR", "CNY", 150, NOW),
        book.quote(TABLE, UUID(int=8), "EUR", "CNY", 150, NOW),
        book.quote(TABLE, SHOP, "CNY", "EUR", 150, NOW),
        book.quote(TABLE, SHOP, "USD", "CNY", 150, NOW),
        book.quote(TABLE, SHOP, "EUR", "CNY", 151, NOW),
        book.quote(next_day, SHOP, "EUR", "CNY", 150, NOW),
    ]
    assert len({one.id for one in made}) == len(made)


def test_a_clock_that_goes_back_gets_a_quote_that_holds_then() -> None:
    book = QuoteBook()
    book.quote(TABLE, SHOP, "EUR", "CNY", 150, NOW)
    earlier = book.quote(TABLE, SHOP, "EUR", "CNY", 150, NOW - minutes(1))
    assert earlier.created_at == NOW - minutes(1)


def test_stale_or_missing_rates_price_nothing() -> None:
    book = QuoteBook(max_age_days=5)
    known = book.quote(TABLE, SHOP, "EUR", "CNY", 150, NOW)
    with pytest.raises(RateStale):
        book.quote(TABLE, SHOP, "EUR", "CNY", 150, NOW + timedelta(days=4))
    with pytest.raises(RateStale):
        book.quote(NO_RATES, SHOP, "EUR", "CNY", 150, NOW)
    with pytest.raises(RateMissing):
        book.quote(TABLE, SHOP, "EUR", "JPY", 150, NOW)
    assert book.quote(TABLE, SHOP, "EUR", "CNY", 150, NOW) is known


def test_a_young_quote_is_not_given_out_when_its_rates_have_become_stale() -> None:
    late = datetime(2026, 11, 4, 23, 58, tzinfo=UTC)
    book = QuoteBook(max_age_days=5)
    book.quote(TABLE, SHOP, "EUR", "CNY", 150, late)
    with pytest.raises(RateStale):
        book.quote(TABLE, SHOP, "EUR", "CNY", 150, late + minutes(3))


def test_one_currency_needs_no_rates_and_bears_no_margin() -> None:
    made = QuoteBook().quote(NO_RATES, SHOP, "CNY", "CNY", 150, NOW)
    assert (made.mid, made.price, made.margin_bps, made.rate_on) == (1, 1, 0, NOW.date())


def test_a_quote_is_unstored_until_a_commit_is_reported() -> None:
    book = QuoteBook()
    one = book.quote(TABLE, SHOP, "EUR", "CNY", 150, NOW)
    two = book.quote(TABLE, UUID(int=8), "EUR", "CNY", 150, NOW)
    assert book.unstored([one, two, one, one]) == [one, two]
    assert book.unstored([one]) == [one], "a rolled-back batch does not make it stored"
    book.stored([one.id])
    assert book.unstored([one, two]) == [two]


def test_a_full_book_forgets_and_stays_right() -> None:
    book = QuoteBook(capacity=10)
    made = []
    for number in range(200):
        quote = book.quote(TABLE, UUID(int=number), "EUR", "CNY", 150, NOW + timedelta(seconds=number))
        made.append(quote)
        book.stored([quote.id])
    last = made[-1]
    assert book.quote(TABLE, last.owner_id, "EUR", "CNY", 150, NOW + timedelta(seconds=200)) is last
    assert book.unstored([last]) == []
    assert len(book.unstored(made)) >= 200 - 30, "a forgotten quote is stored again rather than not at all"


@pytest.mark.parametrize("times", [{"validity_minutes": 5}, {"reuse_minutes": -1}, {"capacity": 0}])
def test_a_book_that_would_give_out_expired_quotes_is_refused(times: dict[str, int]) -> None:
    with pytest.raises(InvalidValue):
        QuoteBook(**times)


def test_values_never_go_into_the_statement() -> None:
    made = QuoteBook().quote(TABLE, uuid4(), "EUR", "CNY", 150, NOW)
    statement = store_quotes([made])
    assert str(made.id) not in statement.sql
    assert str(made.id) in statement.params[0]
