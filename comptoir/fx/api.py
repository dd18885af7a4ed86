"""The door of exchange rates."""

from __future__ import annotations

from comptoir.fx import errors
from comptoir.fx.errors import (
    AmountTooLarge,
    AmountTooSmall,
    FetchFailed,
    FetchOff,
    QuoteExpired,
    QuoteUnfit,
    RateMissing,
    RatesConflict,
    RatesImplausible,
    RateStale,
)
from comptoir.fx.operations.quotes import QuoteBook, store_quotes
from comptoir.fx.operations.rates import fetch_daily, load_packaged_rates, record_rates
from comptoir.fx.queries.engine import decode_quotes, decode_rates, latest_rates, load_quotes
from comptoir.fx.queries.rates import latest_table, rate_on
from comptoir.fx.rules import (
    DEFAULT_MAX_AGE_DAYS,
    MAX_MARGIN_BPS,
    check_fit,
    check_fresh,
    check_told,
    check_unexpired,
    mid,
    payable_step,
    quote_price,
    split,
)
from comptoir.fx.types import NO_RATES, Conversion, DatedRate, Quote, RateTable

__all__ = [
    "DEFAULT_MAX_AGE_DAYS",
    "MAX_MARGIN_BPS",
    "NO_RATES",
    "AmountTooLarge",
    "AmountTooSmall",
    "Conversion",
    "DatedRate",
    "FetchFailed",
    "FetchOff",
    "Quote",
    "QuoteBook",
    "QuoteExpired",
    "QuoteUnfit",
    "RateMissing",
    "RateStale",
    "RateTable",
    "RatesConflict",
    "RatesImplausible",
    "check_fit",
    "check_fresh",
    "check_told",
    "check_unexpired",
    "decode_quotes",
    "decode_rates",
    "errors",
    "fetch_daily",
    "latest_rates",
    "latest_table",
    "load_packaged_rates",
    "load_quotes",
    "mid",
    "payable_step",
    "quote_price",
    "rate_on",
    "record_rates",
    "split",
    "store_quotes",
]
