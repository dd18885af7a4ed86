"""Values of this context."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from comptoir.kernel.money import Money, Rate


@dataclass(frozen=True, slots=True)
class RateTable:
    """The reference rates of one day: `per_euro[c]` major units of `c` for one euro; EUR is not in it."""

    on: date
    per_euro: Mapping[str, Decimal]


#: What there is before the first rate was recorded: too old for any payment in two currencies.
NO_RATES = RateTable(date.min, {})


@dataclass(frozen=True, slots=True)
class Quote:
    """A promised price: 1 major unit of `base` is `price` major units of `quote`.

    `owner_id` is the merchant (or the operator) it was made for; `rate_on` the day of the reference
    rates behind it. The price holds from `created_at` until just before `expires_at`.
    """

    id: UUID
    owner_id: UUID
    base: str
    quote: str
    mid: Decimal
    price: Decimal
    margin_bps: int
    rate_on: date
    created_at: datetime
    expires_at: datetime
    guaranteed: bool = True

    @property
    def mid_rate(self) -> Rate:
        """The mid with its direction."""
        return Rate(self.base, self.quote, self.mid)

    @property
    def price_rate(self) -> Rate:
        """The price with its direction."""
        return Rate(self.base, self.quote, self.price)

    @property
    def pair(self) -> str:
        """The pair as the outside writes it, base first: ``EUR/CNY``. Multiply base by the price."""
        return f"{self.base}/{self.quote}"


@dataclass(frozen=True, slots=True)
class Conversion:
    """What a wallet pays, and of what it is made: `total` = `mid_part` + `margin_part`, one currency."""

    total: Money
    mid_part: Money
    margin_part: Money


@dataclass(frozen=True, slots=True)
class DatedRate:
    """A reference rate and the day it is of: `per_euro` major units of `currency` for one euro."""

    on: date
    currency: str
    per_euro: Decimal
