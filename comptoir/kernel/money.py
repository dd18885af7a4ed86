"""Money and rates: exact, in one currency, rounded only where a rule says how.

An amount is a whole number of minor units (cents, fen, yen) and a currency. There is no float
in or out and no division: `Money.allocate` shares an amount without losing a cent, and
`Rate.convert` changes its currency with a named rounding. All arithmetic is on integers, so no
decimal context, precision or thread setting can change a result.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Final

from comptoir.kernel.currencies import EXPONENTS
from comptoir.kernel.errors import ComptoirError, InvalidValue

#: Amounts fit PostgreSQL's bigint, the type of every amount column.
_LIMIT: Final = 2**63

#: Beyond these a rate is a mistake, and its exact arithmetic would be needlessly heavy.
_RATE_DIGITS: Final = 40
_RATE_MAGNITUDE: Final = 20

#: 100 percent, in basis points.
_BPS: Final = 10_000


class UnknownCurrency(InvalidValue):
    """Not an active ISO 4217 code that money can be held in."""

    code = "kernel.unknown_currency"


class CurrencyMismatch(ComptoirError):
    """Amounts of two currencies met where only one may be."""

    code = "kernel.currency_mismatch"


class Rounding(Enum):
    """What becomes of a fraction of a minor unit. Every rule treats -x as the mirror of x."""

    #: To the nearest; a tie to the even neighbor (2.5 -> 2, 3.5 -> 4). Conversions: no drift.
    HALF_EVEN = "half_even"
    #: To the nearest; a tie away from zero (2.5 -> 3). Taxes and fees where the law says so.
    HALF_UP = "half_up"
    #: Away from zero (2.1 -> 3). Where the full price must be covered.
    UP = "up"
    #: Toward zero (2.9 -> 2). Where no more may be given than is there.
    DOWN = "down"


def exponent(currency: str) -> int:
    """Decimals of a currency's minor unit: EUR 2, JPY 0, KWD 3. Raises UnknownCurrency."""
    try:
        return EXPONENTS[currency]
    except (KeyError, TypeError):
        raise UnknownCurrency("not an active ISO 4217 currency") from None


def round_ratio(numerator: int, denominator: int, rounding: Rounding) -> int:
    """The whole number for `numerator / denominator` (denominator > 0) under a rounding rule."""
    if denominator <= 0:
        raise InvalidValue("a ratio needs a positive denominator")
    whole, rest = divmod(abs(numerator), denominator)
    twice = 2 * rest
    match rounding:
        case Rounding.HALF_EVEN:
            away = twice > denominator or (twice == denominator and whole % 2 == 1)
        case Rounding.HALF_UP:
            away = twice >= denominator
        case Rounding.UP:
            away = rest > 0
        case Rounding.DOWN:
            away = False
    whole += away
    return -whole if numerator < 0 else whole


@dataclass(frozen=True, slots=True)
class Money:
    """`minor` whole minor units of `currency`; negative is allowed, a fraction is not.

    Raises InvalidValue when `minor` is not an int (bool and float are refused) or does not fit
    64 bits, UnknownCurrency when the currency is not ISO 4217.
    """

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.minor) is not int:
            raise InvalidValue("an amount is a whole number of minor units")
        if not -_LIMIT < self.minor < _LIMIT:
            raise InvalidValue("an amount must fit 64 bits")
        if self.currency not in EXPONENTS:
            raise UnknownCurrency("not an active ISO 4217 currency")

    @classmethod
    def of(cls, major: Decimal | str, currency: str) -> Money:
        """From major units: ``Money.of("12.50", "EUR")``. Never rounds.

        Raises InvalidValue for anything but a finite Decimal or a plain decimal string, and for
        more decimals than the currency has.
        """
        value = _decimal(major)
        places = exponent(currency)
        if value.is_zero():
            return cls(0, currency)
        if value.adjusted() > _RATE_MAGNITUDE or value.adjusted() < -places:
            raise InvalidValue("the amount is too large, or smaller than one minor unit")
        numerator, denominator = value.as_integer_ratio()
        minor, rest = divmod(numerator * 10**places, denominator)
        if rest:
            raise InvalidValue(f"{currency} has {places} decimals")
        return cls(minor, currency)

    @classmethod
    def zero(cls, currency: str) -> Money:
        """Nothing, in a currency."""
        return cls(0, currency)

    def decimal(self) -> Decimal:
        """The amount in major units, with exactly the decimals of the currency."""
        digits = tuple(int(digit) for digit in str(abs(self.minor)))
        return Decimal((int(self.minor < 0), digits, -EXPONENTS[self.currency]))

    def allocate(self, weights: Sequence[int]) -> list[Money]:
        """Share the amount in proportion to whole-number weights (>= 0, not all zero).

        The shares add up to the amount exactly, and each is within one minor unit of its exact
        part: largest remainder, a tie to the earlier share. Raises InvalidValue.
        """
        if any(type(weight) is not int or weight < 0 for weight in weights) or not any(weights):
            raise InvalidValue("weights are whole numbers, not negative, and not all zero")
        total = sum(weights)
        size = abs(self.minor)
        shares = [size * weight // total for weight in weights]
        by_remainder = sorted(range(len(weights)), key=lambda i: -(size * weights[i] % total))
        for i in by_remainder[: size - sum(shares)]:
            shares[i] += 1
        sign = -1 if self.minor < 0 else 1
        return [Money(sign * share, self.currency) for share in shares]

    def __add__(self, other: Money) -> Money:
        if not isinstance(other, Money):
            return NotImplemented
        return Money(self.minor + self._same(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        if not isinstance(other, Money):
            return NotImplemented
        return Money(self.minor - self._same(other), self.currency)

    def __neg__(self) -> Money:
        return Money(-self.minor, self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.minor < self._same(other) if isinstance(other, Money) else NotImplemented

    def __le__(self, other: Money) -> bool:
        return self.minor <= self._same(other) if isinstance(other, Money) else NotImplemented

    def __gt__(self, other: Money) -> bool:
        return self.minor > self._same(other) if isinstance(other, Money) else NotImplemented

    def __ge__(self, other: Money) -> bool:
        return self.minor >= self._same(other) if isinstance(other, Money) else NotImplemented

    def __str__(self) -> str:
        """For logs and tests: ``12.50 EUR``. People's doors format with their locale."""
        return f"{self.decimal()} {self.currency}"

    def _same(self, other: Money) -> int:
        if other.currency != self.currency:
            raise CurrencyMismatch(f"{self.currency} met {other.currency}")
        return other.minor


@dataclass(frozen=True, slots=True)
class Rate:
    """1 major unit of `base` is `value` major units of `quote`: the direction is in the type.

    `value` is a finite, positive Decimal of at most 40 digits between 1e-20 and 1e20. Raises
    InvalidValue (a float, zero, negative, NaN, Infinity) or UnknownCurrency.
    """

    base: str
    quote: str
    value: Decimal

    def __post_init__(self) -> None:
        exponent(self.base)
        exponent(self.quote)
        if not isinstance(self.value, Decimal):
            raise InvalidValue("a rate is a Decimal")
        if not self.value.is_finite() or self.value <= 0:
            raise InvalidValue("a rate is finite and above zero")
        if abs(self.value.adjusted()) > _RATE_MAGNITUDE or len(self.value.as_tuple().digits) > _RATE_DIGITS:
            raise InvalidValue("a rate has at most 40 digits, between 1e-20 and 1e20")

    def convert(self, money: Money, rounding: Rounding, step: int = 1) -> Money:
        """`money` (in `base`) in `quote`, rounded once to a multiple of `step` minor units.

        `step` is above 1 where a currency is not paid in its smallest unit (IDR: 100). Raises
        CurrencyMismatch when `money` is not in `base`.
        """
        if money.currency != self.base:
            raise CurrencyMismatch(f"a rate from {self.base} cannot convert {money.currency}")
        if type(step) is not int or step < 1:
            raise InvalidValue("a step is a whole number of minor units, at least 1")
        numerator, denominator = self.value.as_integer_ratio()
        numerator *= money.minor * 10 ** EXPONENTS[self.quote]
        denominator *= 10 ** EXPONENTS[self.base] * step
        return Money(round_ratio(numerator, denominator, rounding) * step, self.quote)

    def plus_margin(self, bps: int) -> Rate:
        """The rate raised by `bps` basis points (>= 0; 100 bps = 1 percent), exactly."""
        if type(bps) is not int or bps < 0:
            raise InvalidValue("a margin is a whole number of basis points, not negative")
        _, digits, shift = self.value.as_tuple()
        coefficient = int("".join(map(str, digits))) * (_BPS + bps)
        return Rate(self.base, self.quote, _scaled(coefficient, int(shift) - 4))

    def inverse(self, places: int) -> Rate:
        """The rate the other way round, HALF_EVEN to `places` decimals.

        Raises InvalidValue when nothing is left of it at that precision.
        """
        if type(places) is not int or not 0 <= places <= _RATE_DIGITS:
            raise InvalidValue("places is a whole number from 0 to 40")
        numerator, denominator = self.value.as_integer_ratio()
        coefficient = round_ratio(denominator * 10**places, numerator, Rounding.HALF_EVEN)
        return Rate(self.quote, self.base, _scaled(coefficient, -places))


def _decimal(value: Decimal | str) -> Decimal:
    """A finite Decimal out of a Decimal or a plain decimal string (``-12.50``)."""
    if isinstance(value, str):
        whole, point, part = value.removeprefix("-").partition(".")
        plain = value.isascii() and whole.isdigit() and (part.isdigit() or not point)
        if not plain or len(value) > _RATE_DIGITS:
            raise InvalidValue("an amount is digits with at most one decimal point")
        return Decimal(value)
    if not isinstance(value, Decimal) or not value.is_finite():
        raise InvalidValue("an amount is a finite Decimal or a decimal string, never a float")
    return value


def _scaled(coefficient: int, shift: int) -> Decimal:
    """`coefficient` × 10^`shift`, exactly, whatever the decimal context."""
    return Decimal((0, tuple(int(digit) for digit in str(coefficient)), shift))
