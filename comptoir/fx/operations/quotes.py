"""Quotes for the payment engine: made and reused in memory, stored with the payment that uses them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec

from comptoir.fx.rules import DEFAULT_MAX_AGE_DAYS, check_fresh, mid, quote_price
from comptoir.fx.types import Quote, RateTable
from comptoir.kernel.errors import InvalidValue
from comptoir.kernel.ids import new_id
from comptoir.kernel.statements import Statement

_STORE = """
INSERT INTO fx_quote (id, owner_id, base, quote, mid, price, margin_bps, rate_on, created_at, expires_at,
    guaranteed)
SELECT * FROM json_to_recordset(%s::json) AS r (id uuid, owner_id uuid, base text, quote text, mid numeric,
    price numeric, margin_bps int, rate_on date, created_at timestamptz, expires_at timestamptz,
    guaranteed boolean)
ON CONFLICT (owner_id, id) DO NOTHING
"""

_Key = tuple[UUID, str, str, int]


def store_quotes(quotes: Sequence[Quote]) -> Statement:
    """Insert quotes in one statement; one that is already there stays as it is."""
    return Statement(_STORE, (msgspec.json.encode(quotes).decode(),))


class QuoteBook:
    """The quotes one engine process is giving out: thousands of payments share a row.

    In memory, without I/O, not shared between threads. A quote is given out again for
    `reuse_minutes`, so whoever gets it has at least `validity_minutes - reuse_minutes` left of it. A
    quote counts as stored only once `stored` was called after a commit: until then `unstored` returns
    it for every batch that uses it, so that no rollback leaves a payment without its quote.
    """

    def __init__(
        self,
        *,
        validity_minutes: int = 30,
        reuse_minutes: int = 5,
        max_age_days: int = DEFAULT_MAX_AGE_DAYS,
        capacity: int = 10_000,
    ) -> None:
        """`max_age_days` of the reference rates; `capacity`: how many quotes are remembered."""
        if not 0 <= reuse_minutes < validity_minutes or capacity < 1:
            raise InvalidValue("a quote must outlive its reuse, and one must fit")
        self._validity = timedelta(minutes=validity_minutes)
        self._reuse = timedelta(minutes=reuse_minutes)
        self._max_age_days = max_age_days
        self._capacity = capacity
        self._quotes: dict[_Key, Quote] = {}
        self._stored: set[UUID] = set()

    def quote(
        self, table: RateTable, owner_id: UUID, base: str, quote: str, margin_bps: int, now: datetime
    ) -> Quote:
        """A quote for `owner_id` to charge in `base` and be paid in `quote`, young enough or new.

        Raises RateStale, RateMissing, RatesImplausible, UnknownCurrency, InvalidValue. A currency
        with itself needs no rates: its quote has mid and price 1, no margin, and the present day.
        """
        converts = base != quote
        if converts:
            check_fresh(table, now, self._max_age_days)
        rate_on = table.on if converts else now.astimezone(UTC).date()
        key = (owner_id, base, quote, margin_bps)
        known = self._quotes.get(key)
        if known is not None and known.rate_on == rate_on and self._reusable(known, now):
            return known
        mid_rate = mid(table, base, quote)
        made = Quote(
            id=new_id(),
            owner_id=owner_id,
            base=base,
            quote=quote,
            mid=mid_rate.value,
            price=quote_price(mid_rate, margin_bps).value,
            margin_bps=margin_bps if converts else 0,
            rate_on=rate_on,
            created_at=now,
            expires_at=now + self._validity,
        )
        self._remember(key, made, now)
        return made

    def unstored(self, quotes: Iterable[Quote]) -> list[Quote]:
        """Those of `quotes`, each once, that no commit is known to have stored."""
        return list({one.id: one for one in quotes if one.id not in self._stored}.values())

    def stored(self, ids: Iterable[UUID]) -> None:
        """The transaction that stored these quotes has committed."""
        self._stored.update(ids)

    def _reusable(self, known: Quote, now: datetime) -> bool:
        return known.created_at <= now < known.created_at + self._reuse

    def _remember(self, key: _Key, made: Quote, now: datetime) -> None:
        """Keep a new quote; when there are too many, keep the newest half of those still given out."""
        self._quotes.pop(key, None)
        self._quotes[key] = made
        if len(self._quotes) > self._capacity:
            alive = [(k, q) for k, q in self._quotes.items() if self._reusable(q, now)]
            self._quotes = dict(alive[-max(self._capacity // 2, 1) :])
        if len(self._stored) > 2 * self._capacity:
            self._stored &= {one.id for one in self._quotes.values()}
