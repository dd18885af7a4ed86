"""Crossing, margin, conversion, age and belief: decisions without a database."""

from __future__ import annotations

import struct
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comptoir.fx.errors import (
    AmountTooLarge,
    AmountTooSmall,
    QuoteExpired,
    QuoteUnfit,
    RateMissing,
    RatesImplausible,
    RateStale,
)
from comptoir.fx.rules import (
    MAX_MARGIN_BPS,
    SIGNIFICANT_DIGITS,
    check_fit,
    check_fresh,
    check_plausible,
    check_told,
    check_unexpired,
    mid,
    payable_step,
    quote_price,
    split,
)
from comptoir.fx.types import NO_RATES, Quote, RateTable
from comptoir.kernel.errors import InvalidValue
from comptoir.kernel.money import CurrencyMismatch, Money, Rate, UnknownCurrency, exponent

#: The ECB's rates of 30 October 2026, all of them, and three that the ECB does not publish.
PUBLISHED = {
    "USD": "1.1172", "JPY": "175.68", "CZK": "24.353", "DKK": "7.4735", "GBP": "0.8338", "HUF": "366.33",
    "PLN": "4.4038", "RON": "5.3447", "SEK": "10.978", "CHF": "0.9194", "ISK": "136", "NOK": "10.312",
    "TRY": "55.8015", "AUD": "1.5904", "BRL": "6.0692", "CAD": "1.5606", "CNY": "7.4326", "HKD": "8.7652",
    "IDR": "20275.17", "ILS": "3.495", "INR": "106.084", "KRW": "1491.76", "MXN": "21.1237", "MYR": "4.5325",
    "NZD": "1.9823", "PHP": "71.143", "SGD": "1.4282", "THB": "37.683", "ZAR": "18.6455",
}  # fmt: skip
SYNTHETIC = {"KWD": "0.3431", "BHD": "0.4212", "CLF": "0.0262"}
DAY = date(2026, 10, 30)
NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
TABLE = RateTable(DAY, {c: Decimal(v) for c, v in (PUBLISHED | SYNTHETIC).items()})
ALL = sorted([*TABLE.per_euro, "EUR"])
CURRENCIES = st.sampled_from(ALL)


def a_quote(base: str, quote: str, margin_bps: int) -> Quote:
    middle = mid(TABLE, base, quote)
    return Quote(
        id=UUID(int=1),
        owner_id=UUID(int=2),
        base=base,
        quote=quote,
        mid=middle.value,
        price=quote_price(middle, margin_bps).value,
        margin_bps=margin_bps,
        rate_on=DAY,
        created_at=NOW,
        expires_at=NOW + timedelta(minutes=30),
    )


def nearest_even(exact: Fraction) -> int:
    """HALF_EVEN, as Python's own round does it on exact fractions."""
    return round(exact)


@pytest.mark.parametrize("base", ALL)
def test_every_pair_crosses_to_twelve_digits(base: str) -> None:
    for quote in ALL:
        value = mid(TABLE, base, quote).value
        exact = Fraction(TABLE.per_euro.get(quote, Decimal(1))) / Fraction(
            TABLE.per_euro.get(base, Decimal(1))
        )
        assert len(value.as_tuple().digits) <= SIGNIFICANT_DIGITS
        half_of_the_last_digit = Fraction(10) ** (value.adjusted() - SIGNIFICANT_DIGITS + 1) / 2
        assert abs(Fraction(value) - exact) <= half_of_the_last_digit
        assert -value.as_tuple().exponent <= 20  # type: ignore[operator]


def test_a_cross_from_the_euro_is_the_published_rate() -> None:
    for currency, text in PUBLISHED.items():
        assert mid(TABLE, "EUR", currency) == Rate("EUR", currency, Decimal(text))


@pytest.mark.parametrize(
    ("per_euro", "bps", "mid_text", "price_text"),
    [
        ("7.50000", 0, "7.5", "7.5"),
        ("7.4326", 150, "7.4326", "7.544089"),
        ("20000", 0, "20000", "20000"),
        ("20000.00", 10_000, "20000", "40000"),
        ("123456789012345", 0, "123456789012000", "123456789012000"),
    ],
)
def test_one_number_is_written_one_way(per_euro: str, bps: int, mid_text: str, price_text: str) -> None:
    """A price goes out as it was made and as it was read back: both must be the same text."""
    middle = mid(RateTable(DAY, {"CNY": Decimal(per_euro)}), "EUR", "CNY")
    assert (str(middle.value), str(quote_price(middle, bps).value)) == (mid_text, price_text)


def test_a_currency_is_worth_itself_even_without_rates() -> None:
    assert mid(NO_RATES, "CNY", "CNY") == Rate("CNY", "CNY", Decimal(1))
    assert quote_price(mid(NO_RATES, "CNY", "CNY"), 150).value == 1


def test_a_missing_currency_is_refused_and_named() -> None:
    for base, quote, missing in (("EUR", "VND", "VND"), ("VND", "CNY", "VND"), ("EUR", "xyz", "xyz")):
        with pytest.raises(RateMissing) as refusal:
            mid(TABLE, base, quote)
        assert refusal.value.field == missing


def test_a_published_currency_that_is_gone_cannot_be_crossed() -> None:
    with pytest.raises(UnknownCurrency):
        mid(RateTable(DAY, {"BGN": Decimal("1.9558")}), "EUR", "BGN")


@pytest.mark.parametrize("value", ["0", "-1", "NaN", "Infinity"])
def test_an_impossible_rate_in_a_table_is_refused(value: str) -> None:
    table = RateTable(DAY, {"CNY": Decimal(value), "USD": Decimal("1.1")})
    for base, quote in (("EUR", "CNY"), ("CNY", "EUR"), ("USD", "CNY"), ("CNY", "USD")):
        with pytest.raises(RatesImplausible):
            mid(table, base, quote)


def test_a_cross_that_would_not_fit_its_column_is_refused() -> None:
    table = RateTable(DAY, {"CNY": Decimal("0.0000000001"), "IDR": Decimal("20000000")})
    for base, quote in (("EUR", "CNY"), ("CNY", "IDR"), ("IDR", "CNY")):
        with pytest.raises(RatesImplausible):
            mid(table, base, quote)


def test_margin_raises_the_price() -> None:
    middle = mid(TABLE, "EUR", "CNY")
    assert quote_price(middle, 0) == middle
    assert quote_price(middle, 150).value == Decimal("7.544089")
    assert quote_price(middle, MAX_MARGIN_BPS).value == Decimal("14.8652")


@pytest.mark.parametrize("bps", [-1, MAX_MARGIN_BPS + 1, 1.5, True, Decimal(1), None])
def test_a_margin_out_of_range_is_refused(bps: Any) -> None:
    with pytest.raises(InvalidValue):
        quote_price(mid(TABLE, "EUR", "CNY"), bps)
    with pytest.raises(InvalidValue):
        quote_price(mid(TABLE, "EUR", "EUR"), bps)


@given(CURRENCIES, CURRENCIES, st.integers(0, MAX_MARGIN_BPS), st.integers(1, 10**14))
def test_split_agrees_with_fractions_and_never_gives_away(
    base: str, quote: str, bps: int, minor: int
) -> None:
    made = a_quote(base, quote, bps)
    amount = Money(minor, base)
    scale = Fraction(10 ** exponent(quote), 10 ** exponent(base))
    step = payable_step(quote) if base != quote else 1
    expected_mid = nearest_even(minor * scale * Fraction(made.mid) / step) * step
    expected_total = nearest_even(minor * scale * Fraction(made.price) / step) * step
    if expected_mid == 0:
        with pytest.raises(AmountTooSmall):
            split(amount, made)
        return
    if expected_total >= 10**16:
        with pytest.raises((AmountTooLarge, InvalidValue)):
            split(amount, made)
        return
    legs = split(amount, made)
    assert (legs.total.minor, legs.mid_part.minor) == (expected_total, expected_mid)
    assert legs.mid_part + legs.margin_part == legs.total
    assert legs.margin_part.minor >= 0
    assert legs.total.minor > 0
    assert legs.total.currency == legs.mid_part.currency == legs.margin_part.currency == quote


@pytest.mark.parametrize(
    ("amount", "quote", "bps", "total", "mid_part"),
    [
        (Money(1250, "EUR"), "CNY", 150, 9430, 9291),
        (Money(1250, "EUR"), "CNY", 0, 9291, 9291),
        (Money(1250, "EUR"), "JPY", 150, 2229, 2196),
        (Money(1250, "EUR"), "KRW", 150, 18927, 18647),
        (Money(1250, "EUR"), "ISK", 150, 1726, 1700),
        (Money(1250, "EUR"), "KWD", 150, 4353, 4289),
        (Money(1250, "EUR"), "IDR", 150, 25724100, 25344000),
        (Money(3000, "JPY"), "EUR", 0, 1708, 1708),
        (Money(1000, "KWD"), "CNY", 0, 2166, 2166),
        (Money(500, "CNY"), "CNY", 150, 500, 500),
        (Money(12345, "IDR"), "IDR", 150, 12345, 12345),
    ],
)
def test_worked_conversions(amount: Money, quote: str, bps: int, total: int, mid_part: int) -> None:
    legs = split(amount, a_quote(amount.currency, quote, bps))
    assert (legs.total, legs.mid_part) == (Money(total, quote), Money(mid_part, quote))
    assert legs.margin_part == Money(total - mid_part, quote)


def test_an_amount_that_would_vanish_is_refused() -> None:
    assert split(Money(1, "CLF"), a_quote("CLF", "KWD", 0)).total == Money(1, "KWD")
    for amount, quote in ((Money(1, "KRW"), "EUR"), (Money(100, "IDR"), "CNY")):
        with pytest.raises(AmountTooSmall):
            split(amount, a_quote(amount.currency, quote, 0))


def test_a_margin_cannot_make_a_payment_of_nothing() -> None:
    """4 won are 0.27 cents: with a margin of 100 percent 0.54, which would round to a cent of pure margin."""
    with pytest.raises(AmountTooSmall):
        split(Money(4, "KRW"), a_quote("KRW", "EUR", MAX_MARGIN_BPS))


def test_a_total_has_at_most_sixteen_digits() -> None:
    even = a_quote("KWD", "BHD", 0)
    largest = int(Fraction(10**16 - 1) / Fraction(even.price))
    assert split(Money(largest, "KWD"), even).total.minor < 10**16
    with pytest.raises(AmountTooLarge):
        split(Money(largest + 2, "KWD"), even)


@pytest.mark.parametrize("minor", [0, -1])
def test_only_an_amount_above_zero_is_converted(minor: int) -> None:
    with pytest.raises(InvalidValue):
        split(Money(minor, "EUR"), a_quote("EUR", "CNY", 0))


def test_a_quote_converts_only_its_base() -> None:
    """F15, the pair upside down: a quote EUR/CNY never converts CNY."""
    with pytest.raises(CurrencyMismatch):
        split(Money(100, "CNY"), a_quote("EUR", "CNY", 0))
    with pytest.raises(CurrencyMismatch):
        split(Money(100, "CNY"), a_quote("EUR", "EUR", 0))


@pytest.mark.parametrize(
    ("now", "fresh"),
    [
        (datetime(2026, 10, 30, 23, 59, tzinfo=UTC), True),
        (datetime(2026, 11, 1, 12, tzinfo=UTC), True),
        (datetime(2026, 11, 4, 23, 59, tzinfo=UTC), True),
        (datetime(2026, 11, 5, 0, 0, tzinfo=UTC), False),
        (datetime(2026, 10, 29, 23, 59, tzinfo=UTC), False),
    ],
)
def test_fresh_for_five_days_and_never_ahead(now: datetime, fresh: bool) -> None:
    if fresh:
        check_fresh(TABLE, now)
    else:
        with pytest.raises(RateStale):
            check_fresh(TABLE, now)


def test_the_greatest_age_is_configuration_and_no_rates_are_never_fresh() -> None:
    check_fresh(TABLE, datetime(2026, 11, 23, tzinfo=UTC), max_age_days=24)
    with pytest.raises(RateStale):
        check_fresh(TABLE, datetime(2026, 11, 23, tzinfo=UTC), max_age_days=23)
    with pytest.raises(RateStale):
        check_fresh(NO_RATES, NOW, max_age_days=10**6)


def test_a_quote_holds_to_just_before_its_end() -> None:
    made = a_quote("EUR", "CNY", 150)
    check_unexpired(made, made.created_at)
    check_unexpired(made, made.expires_at - timedelta(microseconds=1))
    with pytest.raises(QuoteExpired):
        check_unexpired(made, made.expires_at)


def test_a_quote_fits_its_owner_its_base_and_its_terms_only() -> None:
    made = a_quote("EUR", "CNY", 150)
    assert check_fit(made, made.owner_id, "EUR", 150) is made
    for quote, owner_id, base, margin in [
        (None, made.owner_id, "EUR", 150),
        (made, UUID(int=7), "EUR", 150),
        (made, made.owner_id, "CNY", 150),
        (made, made.owner_id, "EUR", 149),
    ]:
        with pytest.raises(QuoteUnfit):
            check_fit(quote, owner_id, base, margin)


@given(price=st.decimals("0.000001", "1000000", places=9))
def test_a_told_price_may_have_gone_through_a_32_bit_number(price: Decimal) -> None:
    made = replace(a_quote("EUR", "CNY", 150), price=price)
    check_told(made, Rate("EUR", "CNY", price))
    narrow = Decimal(repr(struct.unpack("f", struct.pack("f", float(price)))[0]))
    check_told(made, Rate("EUR", "CNY", narrow))
    for other in [Rate("CNY", "EUR", price), Rate("EUR", "CNY", price * Decimal("1.00001"))]:
        with pytest.raises(QuoteUnfit):
            check_told(made, other)


def test_a_price_the_wrong_way_round_is_not_the_quotes() -> None:
    made = a_quote("EUR", "CNY", 150)
    with pytest.raises(QuoteUnfit):
        check_told(made, Rate("EUR", "CNY", made.price_rate.inverse(12).value))


def moved(**changes: str) -> RateTable:
    return RateTable(date(2026, 11, 2), dict(TABLE.per_euro) | {c: Decimal(v) for c, v in changes.items()})


@pytest.mark.parametrize(
    "changes",
    [{}, {"CNY": "9.29"}, {"CNY": "5.95"}, {"USD": "1.06"}, {"GBP": "0.99"}, {"VND": "29000"}],
)
def test_a_day_the_market_could_make_is_believed(changes: dict[str, str]) -> None:
    check_plausible(TABLE, moved(**changes))


@pytest.mark.parametrize(
    ("currency", "value"),
    [
        ("CNY", "9.30"),
        ("CNY", "5.94"),
        ("CNY", "74.326"),
        ("CNY", "743.26"),
        ("CNY", "0.13454"),
        ("JPY", "0.0056922"),
        ("USD", "0.8951"),
        ("GBP", "1.1993"),
        ("CHF", "1.0877"),
        ("CNY", "0"),
        ("CNY", "-7.4"),
        ("CNY", "NaN"),
        ("CNY", "Infinity"),
    ],
)
def test_a_mistake_in_the_feed_is_refused_and_named(currency: str, value: str) -> None:
    with pytest.raises(RatesImplausible) as refusal:
        check_plausible(TABLE, moved(**{currency: value}))
    assert refusal.value.field == currency


def test_a_torn_feed_is_refused_and_one_delisted_currency_is_not() -> None:
    one_less = {c: v for c, v in TABLE.per_euro.items() if c != "ISK"}
    check_plausible(TABLE, RateTable(date(2026, 11, 2), one_less))
    torn = dict(list(TABLE.per_euro.items())[:5])
    with pytest.raises(RatesImplausible):
        check_plausible(TABLE, RateTable(date(2026, 11, 2), torn))


def test_the_allowed_jump_is_configuration() -> None:
    check_plausible(TABLE, moved(TRY="76"), jump=Fraction(3, 2))
    with pytest.raises(RatesImplausible):
        check_plausible(TABLE, moved(TRY="76"))
