"""Pure decisions about rates: crossing, margin, conversion, age and belief."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from typing import Final
from uuid import UUID

from comptoir.fx.errors import (
    AmountTooLarge,
    AmountTooSmall,
    QuoteExpired,
    QuoteUnfit,
    RateMissing,
    RatesImplausible,
    RateStale,
)
from comptoir.fx.types import Conversion, Quote, RateTable
from comptoir.kernel.errors import InvalidValue
from comptoir.kernel.money import Money, Rate, Rounding

#: Mid and price keep 12 significant digits, HALF_EVEN (decision 0011): true to half a minor
#: unit for amounts up to 10^11 minor units, and still a number that every JSON reader keeps whole.
SIGNIFICANT_DIGITS: Final = 12

#: Between these a mid of 12 digits fits its numeric(38, 20) column exactly.
_SMALLEST_MID: Final = Decimal("1E-8")
_LARGEST_MID: Final = Decimal("1E+16")

#: 100 percent. More is a mistake in a contract.
MAX_MARGIN_BPS: Final = 10_000

#: What the payment interfaces can write, and the books take: 16 digits of minor units.
_LARGEST_AMOUNT: Final = 10**16 - 1

#: The longest the ECB paused since 1999 is 5 days (Maundy Thursday to Tuesday after Easter).
DEFAULT_MAX_AGE_DAYS: Final = 5

#: Day on day, only 4 of the ECB's moves since 1999 were larger, each a currency crisis.
DEFAULT_JUMP: Final = Fraction(5, 4)

#: A rate within 2 percent of the inverse of yesterday's, and more than 5 percent off it, is upside down.
_INVERSE_TOLERANCE: Final = Fraction(2, 100)
_INVERSE_DISTANCE: Final = Fraction(105, 100)

#: How exactly a caller must tell the price of a quote: to one part in so many.
_TOLD: Final = 1_000_000

#: Currencies that are paid in steps of more than one minor unit. Antom takes the rupiah in whole
#: units: two decimals on the wire, the last two digits 00 (docs.antom.com/ac/ref/cc, November 2026).
_STEPS: Final = {"IDR": 100}

_NEAREST: Final = Context(prec=SIGNIFICANT_DIGITS, rounding=ROUND_HALF_EVEN)

#: Writes out the zeros of the largest mid.
_WIDE: Final = Context(prec=40)


def mid(table: RateTable, base: str, quote: str) -> Rate:
    """The cross rate through the euro, 12 significant digits, HALF_EVEN; 1 for a currency with itself.

    Raises RateMissing (a currency is not in the table), UnknownCurrency (ISO 4217 does not list it),
    RatesImplausible (the cross is too small or too large to be one).
    """
    if base == quote:
        return Rate(base, quote, Decimal(1))
    cross = _plain(_NEAREST.divide(_per_euro(table, quote), _per_euro(table, base)))
    if not _SMALLEST_MID <= cross <= _LARGEST_MID:
        raise RatesImplausible(f"the cross of {base} and {quote} is out of range", field=quote)
    return Rate(base, quote, cross)


def quote_price(mid_rate: Rate, margin_bps: int) -> Rate:
    """The mid plus a margin of 0-10000 basis points, 12 significant digits, HALF_EVEN.

    A currency with itself is not converted and bears no margin. Raises InvalidValue.
    """
    if type(margin_bps) is not int or not 0 <= margin_bps <= MAX_MARGIN_BPS:
        raise InvalidValue("a margin has 0 to 10000 basis points", field="margin_bps")
    if mid_rate.base == mid_rate.quote:
        return mid_rate
    exact = mid_rate.plus_margin(margin_bps).value
    return Rate(mid_rate.base, mid_rate.quote, _plain(_NEAREST.plus(exact)))


def payable_step(currency: str) -> int:
    """The smallest payable amount of a currency in minor units: 1, or 100 for IDR."""
    return _STEPS.get(currency, 1)


def split(amount: Money, quote: Quote) -> Conversion:
    """What the wallet pays for `amount` (above zero, in the quote's base), with its margin apart.

    Total and mid part are each `amount` times price and mid, HALF_EVEN to the payable step of the
    wallet's currency; the margin part is the difference, never negative because the price is never
    under the mid. Raises InvalidValue, CurrencyMismatch, AmountTooSmall, AmountTooLarge.
    """
    if amount.minor <= 0:
        raise InvalidValue("only an amount above zero is converted")
    if quote.base == quote.quote == amount.currency:
        return Conversion(amount, amount, Money.zero(amount.currency))
    step = payable_step(quote.quote)
    mid_part = quote.mid_rate.convert(amount, Rounding.HALF_EVEN, step)
    total = quote.price_rate.convert(amount, Rounding.HALF_EVEN, step)
    if mid_part.minor == 0:
        raise AmountTooSmall(f"{amount} is less than the smallest payment in {quote.quote}")
    if total.minor > _LARGEST_AMOUNT:
        raise AmountTooLarge(f"{amount} is more than a payment in {quote.quote} can be")
    return Conversion(total, mid_part, total - mid_part)


def check_fresh(table: RateTable, now: datetime, max_age_days: int = DEFAULT_MAX_AGE_DAYS) -> None:
    """Raise RateStale unless the table is of the last `max_age_days` days (UTC) and not of the future."""
    if not table.per_euro:
        raise RateStale("there are no reference rates")
    age = (now.astimezone(UTC).date() - table.on).days
    if age > max_age_days:
        raise RateStale(f"the reference rates are {age} days old; at most {max_age_days} are allowed")
    if age < 0:
        raise RateStale("the reference rates are dated ahead of the present day")


def check_unexpired(quote: Quote, now: datetime) -> None:
    """Raise QuoteExpired once the quote's price is no longer promised at `now`.

    Whoever has a quote was given it: that it seems to begin later only means that two clocks differ.
    """
    if now >= quote.expires_at:
        raise QuoteExpired("the quote has expired")


def check_fit(quote: Quote | None, owner_id: UUID, base: str, margin_bps: int) -> Quote:
    """The quote, if it was made for this owner to charge in `base` under these terms. Raises QuoteUnfit.

    Another owner's quote is refused as one that does not exist: ids tell nothing about others.
    """
    if quote is None or quote.owner_id != owner_id:
        raise QuoteUnfit("there is no such quote", field="paymentQuote.quoteId")
    if quote.base != base:
        raise QuoteUnfit(f"the quote prices {quote.base}, not {base}", field="paymentQuote.quoteCurrencyPair")
    if quote.margin_bps != margin_bps:
        raise QuoteUnfit("the quote was made under other terms", field="paymentQuote.quoteId")
    return quote


def check_told(quote: Quote, told: Rate) -> None:
    """Raise QuoteUnfit unless a caller tells the pair and the price of the quote as they are.

    The price may be off by a millionth: clients that keep it as a 32-bit number tell seven digits.
    """
    if (told.base, told.quote) != (quote.base, quote.quote):
        raise QuoteUnfit(f"the quote is for {quote.pair}", field="paymentQuote.quoteCurrencyPair")
    if abs(Fraction(told.value) - Fraction(quote.price)) * _TOLD > Fraction(quote.price):
        raise QuoteUnfit(f"the quote's price is {quote.price}", field="paymentQuote.quotePrice")


def check_plausible(previous: RateTable, new: RateTable, jump: Fraction = DEFAULT_JUMP) -> None:
    """Raise RatesImplausible if `new` cannot follow `previous`: a mistake in the feed, not a market.

    Refused are: fewer than half of the currencies, a rate upside down, a rate more than `jump`
    times up or down. An inverted rate within 5 percent of parity cannot be told from a move.
    """
    if 2 * len(previous.per_euro.keys() & new.per_euro.keys()) < len(previous.per_euro):
        raise RatesImplausible("most currencies are missing from the new rates")
    for currency, value in new.per_euro.items():
        if not value.is_finite() or value <= 0:
            raise RatesImplausible(f"the rate of {currency} is not above zero", field=currency)
        before = previous.per_euro.get(currency)
        if before is not None:
            _check_move(currency, Fraction(before), Fraction(value), jump)


def _check_move(currency: str, before: Fraction, after: Fraction, jump: Fraction) -> None:
    move = max(after / before, before / after)
    if move > _INVERSE_DISTANCE and abs(after * before - 1) < _INVERSE_TOLERANCE:
        raise RatesImplausible(f"the rate of {currency} is upside down", field=currency)
    if move > jump:
        raise RatesImplausible(f"the rate of {currency} moved too far in one day", field=currency)


def _plain(value: Decimal) -> Decimal:
    """Without trailing zeros and without exponent: one number is always written one way, stored or not."""
    short = value.normalize(_NEAREST)
    exponent = short.as_tuple().exponent
    in_tens = isinstance(exponent, int) and exponent > 0
    return short.quantize(Decimal(1), context=_WIDE) if in_tens else short


def _per_euro(table: RateTable, currency: str) -> Decimal:
    if currency == "EUR":
        return Decimal(1)
    try:
        value = table.per_euro[currency]
    except KeyError:
        raise RateMissing(f"there is no reference rate for {currency}", field=currency) from None
    if not value.is_finite() or value <= 0:
        raise RatesImplausible(f"the rate of {currency} is not above zero", field=currency)
    return value
