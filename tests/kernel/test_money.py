"""Money and rates: exact against an independent computation with fractions."""

from __future__ import annotations

import decimal
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comptoir.kernel.currencies import _BY_DECIMALS, EXPONENTS, NUMBERS
from comptoir.kernel.errors import InvalidValue
from comptoir.kernel.money import (
    CurrencyMismatch,
    Money,
    Rate,
    Rounding,
    UnknownCurrency,
    exponent,
    round_ratio,
)

CURRENCIES = st.sampled_from(["JPY", "EUR", "CNY", "KWD", "CLF"])
MINOR = st.integers(-(10**16), 10**16)
VALUES = st.decimals("0.0000001", "99999", places=10).filter(lambda value: value > 0)


def rounded(exact: Fraction, rounding: Rounding) -> int:
    """The rule, written a second way: from the neighbors of the exact value."""
    below = exact.numerator // exact.denominator
    if exact == below:
        return below
    toward, away = (below, below + 1) if exact > 0 else (below + 1, below)
    nearest = min((toward, away), key=lambda n: abs(exact - n))
    tie = abs(exact - toward) == abs(exact - away)
    even = toward if toward % 2 == 0 else away
    return {
        Rounding.UP: away,
        Rounding.DOWN: toward,
        Rounding.HALF_UP: away if tie else nearest,
        Rounding.HALF_EVEN: even if tie else nearest,
    }[rounding]


@pytest.mark.parametrize(
    ("currency", "decimals"),
    [("EUR", 2), ("CNY", 2), ("IDR", 2), ("HUF", 2), ("JPY", 0), ("KRW", 0), ("ISK", 0), ("VND", 0),
     ("CLP", 0), ("KWD", 3), ("BHD", 3), ("OMR", 3), ("TND", 3), ("CLF", 4), ("UYW", 4)],
)  # fmt: skip
def test_exponent(currency: str, decimals: int) -> None:
    assert exponent(currency) == decimals


def test_every_code_is_three_capitals_and_none_is_listed_twice() -> None:
    assert len(EXPONENTS) == sum(len(codes.split()) for codes in _BY_DECIMALS.values())
    assert all(len(code) == 3 and code.isascii() and code.isupper() for code in EXPONENTS)


@pytest.mark.parametrize(
    ("currency", "number"), [("EUR", "978"), ("CNY", "156"), ("USD", "840"), ("JPY", "392"), ("ALL", "008")]
)
def test_every_currency_has_a_number_of_its_own(currency: str, number: str) -> None:
    assert NUMBERS[currency] == number
    assert NUMBERS.keys() == EXPONENTS.keys()
    assert len(set(NUMBERS.values())) == len(NUMBERS)
    assert all(len(one) == 3 and one.isascii() and one.isdigit() for one in NUMBERS.values())


@pytest.mark.parametrize("currency", ["eur", "BGN", "XAU", "XXX", "", "EURO", None, 978])
def test_unknown_currency_is_refused(currency: Any) -> None:
    with pytest.raises(UnknownCurrency):
        exponent(currency)
    with pytest.raises(UnknownCurrency):
        Money(1, currency)


@pytest.mark.parametrize("minor", [1.0, 1.5, True, False, Decimal(1), "1", None, 2**63, -(2**63)])
def test_minor_is_an_int_of_64_bits(minor: Any) -> None:
    with pytest.raises(InvalidValue):
        Money(minor, "EUR")


@pytest.mark.parametrize(
    ("major", "currency", "minor"),
    [("12.50", "EUR", 1250), ("-0.01", "EUR", -1), ("7", "JPY", 7), ("1.234", "KWD", 1234), ("0", "EUR", 0),
     ("1.500", "EUR", 150), (Decimal("1E+3"), "JPY", 1000), (Decimal("99999999999999.99"), "EUR", 10**16 - 1),
     (Decimal("0E-999999"), "EUR", 0)],
)  # fmt: skip
def test_of_reads_major_units(major: Decimal | str, currency: str, minor: int) -> None:
    assert Money.of(major, currency) == Money(minor, currency)


@pytest.mark.parametrize(
    "major",
    [1.5, 1, True, None, "", ".", "1.", ".5", "+1", "1e2", " 1", "1_000", "1,5", "NaN", "١", "--1", "1.2.3",
     "0.001", "9" * 50, Decimal("NaN"), Decimal("Infinity"), Decimal("0.005"), Decimal("1E+999999"),
     Decimal("1E-999999")],
)  # fmt: skip
def test_of_refuses_what_is_not_an_exact_amount(major: Any) -> None:
    with pytest.raises(InvalidValue):
        Money.of(major, "EUR")


@given(MINOR, CURRENCIES)
def test_decimal_and_of_are_inverse(minor: int, currency: str) -> None:
    money = Money(minor, currency)
    assert Money.of(money.decimal(), currency) == money
    assert Money.of(f"{money.decimal():f}", currency) == money


def test_decimal_shows_the_decimals_of_the_currency() -> None:
    shown = [str(money) for money in (Money(5, "EUR"), Money(-1250, "CNY"), Money(7, "JPY"), Money(1, "KWD"))]
    assert shown == ["0.05 EUR", "-12.50 CNY", "7 JPY", "0.001 KWD"]


@given(MINOR, MINOR)
def test_addition_subtraction_and_order(a: int, b: int) -> None:
    x, y = Money(a, "EUR"), Money(b, "EUR")
    assert (x + y).minor == a + b
    assert x - y == x + -y
    assert (x < y, x <= y, x > y, x >= y, x == y) == (a < b, a <= b, a > b, a >= b, a == b)


@pytest.mark.parametrize("operation", ["__add__", "__sub__", "__lt__", "__le__", "__gt__", "__ge__"])
def test_currencies_never_mix(operation: str) -> None:
    with pytest.raises(CurrencyMismatch):
        getattr(Money(1, "EUR"), operation)(Money(1, "CNY"))
    assert getattr(Money(1, "EUR"), operation)(1) is NotImplemented
    assert Money(1, "EUR") != Money(1, "CNY")


def test_money_has_no_multiplication_or_division() -> None:
    money: Any = Money(100, "EUR")
    for refused in (
        lambda: money * 2,
        lambda: money / 2,
        lambda: money // 2,
        lambda: money + 1,
        lambda: money + 1.0,
    ):
        with pytest.raises(TypeError):
            refused()


@given(MINOR, st.lists(st.integers(0, 10**12), min_size=1, max_size=30).filter(any))
def test_allocate_conserves_the_sum_and_is_fair(minor: int, weights: list[int]) -> None:
    shares = Money(minor, "EUR").allocate(weights)
    assert sum(share.minor for share in shares) == minor
    assert len(shares) == len(weights)
    for share, weight in zip(shares, weights, strict=True):
        assert abs(share.minor - Fraction(minor * weight, sum(weights))) < 1
        assert weight or not share.minor


def test_allocate_gives_the_odd_cent_to_the_largest_remainder_then_the_earliest() -> None:
    def minors(amount: int, weights: list[int]) -> list[int]:
        return [share.minor for share in Money(amount, "EUR").allocate(weights)]

    assert minors(100, [1, 1, 1]) == [34, 33, 33]
    assert minors(-100, [1, 1, 1]) == [-34, -33, -33]
    assert minors(100, [1, 2, 3]) == [17, 33, 50]
    assert minors(5, [0, 3, 7]) == [0, 2, 3]


@pytest.mark.parametrize("weights", [[], [0], [0, 0], [-1, 2], [0.5, 0.5], [True, 1], [Decimal(1)]])
def test_allocate_refuses_bad_weights(weights: Any) -> None:
    with pytest.raises(InvalidValue):
        Money(100, "EUR").allocate(weights)


@given(st.integers(-(10**20), 10**20), st.integers(1, 10**6), st.sampled_from(Rounding))
def test_round_ratio(numerator: int, denominator: int, rounding: Rounding) -> None:
    assert round_ratio(numerator, denominator, rounding) == rounded(
        Fraction(numerator, denominator), rounding
    )


@given(st.integers(-9, 9), st.sampled_from(Rounding))
def test_round_ratio_at_ties(whole: int, rounding: Rounding) -> None:
    assert round_ratio(2 * whole + 1, 2, rounding) == rounded(Fraction(2 * whole + 1, 2), rounding)


def test_round_ratio_needs_a_positive_denominator() -> None:
    with pytest.raises(InvalidValue):
        round_ratio(1, 0, Rounding.DOWN)


@given(
    st.integers(-(10**13), 10**13),
    CURRENCIES,
    CURRENCIES,
    VALUES,
    st.sampled_from(Rounding),
    st.sampled_from([1, 100]),
)
def test_convert_agrees_with_fractions(
    minor: int, base: str, quote: str, value: Decimal, rounding: Rounding, step: int
) -> None:
    exact = Fraction(minor, 10 ** exponent(base)) * Fraction(value) * 10 ** exponent(quote)
    expected = rounded(exact / step, rounding) * step
    rate = Rate(base, quote, value)
    if abs(expected) >= 2**63:
        with pytest.raises(InvalidValue):
            rate.convert(Money(minor, base), rounding, step)
    else:
        assert rate.convert(Money(minor, base), rounding, step) == Money(expected, quote)


def test_sixteen_digits_stay_exact_whatever_the_decimal_context() -> None:
    with decimal.localcontext() as context:
        context.prec = 3
        money = Money(9_999_999_999_999_999, "EUR")
        assert str(money.decimal()) == "99999999999999.99"
        assert (
            Rate("EUR", "USD", Decimal("1.00000001")).convert(money, Rounding.DOWN).minor
            == 10_000_000_099_999_998
        )
        assert Rate("EUR", "USD", Decimal("1.2345678")).plus_margin(1).value == Decimal("1.23469125678")
        assert Rate("EUR", "JPY", Decimal("3")).inverse(12).value == Decimal("0.333333333333")


def test_convert_refuses_another_currency_and_a_bad_step() -> None:
    rate = Rate("EUR", "CNY", Decimal("7.8"))
    with pytest.raises(CurrencyMismatch):
        rate.convert(Money(1, "CNY"), Rounding.HALF_EVEN)
    for step in (0, -1, True, 1.0):
        with pytest.raises(InvalidValue):
            rate.convert(Money(1, "EUR"), Rounding.HALF_EVEN, step)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "value",
    [1.5, 1, True, "7.8", None, Decimal(0), Decimal("-1"), Decimal("NaN"), Decimal("sNaN"),
     Decimal("Infinity"), Decimal("1E+21"), Decimal("1E-21"), Decimal("1E+999999"), Decimal("1." + "1" * 40)],
)  # fmt: skip
def test_a_rate_is_a_sane_positive_decimal(value: Any) -> None:
    with pytest.raises(InvalidValue):
        Rate("EUR", "CNY", value)


def test_a_rate_needs_real_currencies() -> None:
    for base, quote in (("EUR", "XXX"), ("eur", "CNY")):
        with pytest.raises(UnknownCurrency):
            Rate(base, quote, Decimal(1))


@given(VALUES, st.integers(0, 5000))
def test_plus_margin_is_exact(value: Decimal, bps: int) -> None:
    raised = Rate("EUR", "CNY", value).plus_margin(bps)
    assert Fraction(raised.value) == Fraction(value) * Fraction(10_000 + bps, 10_000)


@pytest.mark.parametrize("bps", [-1, 1.0, True, Decimal(1), None])
def test_plus_margin_refuses(bps: Any) -> None:
    with pytest.raises(InvalidValue):
        Rate("EUR", "CNY", Decimal(1)).plus_margin(bps)


@given(VALUES, st.integers(8, 20))
def test_inverse_is_the_nearest_at_that_precision(value: Decimal, places: int) -> None:
    inverse = Rate("EUR", "CNY", value).inverse(places)
    assert (inverse.base, inverse.quote) == ("CNY", "EUR")
    assert abs(Fraction(inverse.value) - 1 / Fraction(value)) <= Fraction(1, 2 * 10**places)


def test_inverse_that_would_vanish_is_refused() -> None:
    with pytest.raises(InvalidValue):
        Rate("EUR", "IDR", Decimal(20275)).inverse(3)
    for places in (-1, 41, True, 1.5):
        with pytest.raises(InvalidValue):
            Rate("EUR", "IDR", Decimal(2)).inverse(places)  # type: ignore[arg-type]
