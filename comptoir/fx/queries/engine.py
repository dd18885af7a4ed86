"""What the payment engine reads, as statements, and the pure decoders of their rows."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from comptoir.fx.types import NO_RATES, Quote, RateTable
from comptoir.kernel.statements import Rows, Statement

# trim_scale: the columns have a fixed scale, the values their own.
_LATEST = """
SELECT rate_on, currency, trim_scale(per_euro) FROM fx_reference_rate
WHERE rate_on = (SELECT max(rate_on) FROM fx_reference_rate)
"""

_QUOTES = """
SELECT id, owner_id, base, quote, trim_scale(mid), trim_scale(price), margin_bps, rate_on,
    created_at, expires_at, guaranteed
FROM fx_quote WHERE id = ANY (%s)
"""


def latest_rates() -> Statement:
    """The newest day of reference rates, all of it; for `decode_rates`."""
    return Statement(_LATEST)


def decode_rates(rows: Rows) -> RateTable:
    """The table of one day; NO_RATES (which is never fresh) when nothing was recorded yet."""
    if not rows:
        return NO_RATES
    return RateTable(rows[0][0], {currency: per_euro for _, currency, per_euro in rows})


def load_quotes(ids: Sequence[UUID]) -> Statement:
    """Stored quotes by id; for `decode_quotes`. An unknown id has no row."""
    return Statement(_QUOTES, (list(ids),))


def decode_quotes(rows: Rows) -> dict[UUID, Quote]:
    """Quotes by id."""
    return {row[0]: Quote(*row) for row in rows}
