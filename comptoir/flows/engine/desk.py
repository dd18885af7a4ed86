"""What one engine process keeps in memory: today's rates, the quotes it is giving out, the risk rules."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from comptoir.fx import api as fx
from comptoir.kernel.money import Money, Rate, Rounding
from comptoir.risk import api as risk

#: How long loaded rates are used before the database is asked for newer ones.
RELOAD = timedelta(seconds=30)


class Desk:
    """Rates in memory, reloaded by the batch that finds them old; quotes shared by many payments.

    The risk rules are those of `epoch` (`db.epoch`): a batch that finds another number loads them anew.
    """

    def __init__(self, max_age_days: int) -> None:
        """`max_age_days`: reference rates older than this are refused, not used."""
        self._max_age_days = max_age_days
        self._table = fx.NO_RATES
        self._loaded_at: datetime | None = None
        self._book = fx.QuoteBook(max_age_days=max_age_days)
        self._offered: set[UUID] = set()
        self.rules = risk.NO_RULES
        self.epoch = 0

    def due(self, now: datetime) -> bool:
        """Whether the rates should be loaded again."""
        return self._loaded_at is None or not timedelta(0) <= now - self._loaded_at < RELOAD

    def rates_are(self, table: fx.RateTable, now: datetime) -> None:
        """Take newly loaded rates into use."""
        self._table = table
        self._loaded_at = now

    def rules_are(self, rules: risk.RuleSet, epoch: int) -> None:
        """Take newly loaded rules into use."""
        self.rules, self.epoch = rules, epoch

    def quote(self, owner_id: UUID, base: str, currency: str, margin_bps: int, now: datetime) -> fx.Quote:
        """The promised price of `base` in `currency`. Raises fx errors (stale, missing, implausible)."""
        return self._book.quote(self._table, owner_id, base, currency, margin_bps, now)

    def to_store(self, quotes: Iterable[fx.Quote]) -> list[fx.Quote]:
        """Those of `quotes` that this batch must store, since no commit has stored them yet."""
        unstored = self._book.unstored(quotes)
        self._offered.update(one.id for one in unstored)
        return unstored

    def begin(self) -> None:
        """A batch begins (or begins again, after one that was rolled back)."""
        self._offered.clear()

    def committed(self) -> None:
        """The batch has committed: its quotes are in the database."""
        self._book.stored(self._offered)

    def settlement(self, amount: Money, currency: str, now: datetime) -> tuple[Money, Rate]:
        """What a merchant is owed in its settlement currency, at the mid rate. Raises fx errors."""
        if amount.currency != currency:
            fx.check_fresh(self._table, now, self._max_age_days)
        rate = fx.mid(self._table, amount.currency, currency)
        return settlement_at(amount, rate), rate


def settlement_at(amount: Money, rate: Rate) -> Money:
    """What a merchant is owed for `amount` at `rate`, rounded once. Raises AmountTooSmall when nothing is."""
    owed = rate.convert(amount, Rounding.HALF_EVEN, fx.payable_step(rate.quote))
    if owed.minor == 0:
        raise fx.errors.AmountTooSmall(f"{amount} is nothing in {rate.quote}", field="paymentAmount")
    return owed
