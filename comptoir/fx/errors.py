"""What can go wrong with a rate or a quote, by code."""

from __future__ import annotations

from comptoir.kernel.errors import ComptoirError


class RateMissing(ComptoirError):
    """There is no reference rate for a currency. `field` is the currency."""

    code = "fx.rate_missing"


class RateStale(ComptoirError):
    """The latest reference rates are too old, or dated ahead of us: nothing may be priced with them."""

    code = "fx.rate_stale"


class RatesImplausible(ComptoirError):
    """A day of rates that cannot be believed (a jump, a pair upside down, half of it missing)."""

    code = "fx.rates_implausible"


class RatesConflict(ComptoirError):
    """Other rates are recorded for that day. A recorded rate is never changed."""

    code = "fx.rates_conflict"


class AmountTooSmall(ComptoirError):
    """Less than the smallest payable amount of the wallet's currency remains after conversion."""

    code = "fx.amount_too_small"


class AmountTooLarge(ComptoirError):
    """More than 16 digits of minor units after conversion: no payment interface can write it."""

    code = "fx.amount_too_large"


class QuoteExpired(ComptoirError):
    """The promise of the price has run out."""

    code = "fx.quote_expired"


class QuoteUnfit(ComptoirError):
    """The quote cannot price this: it is nobody's, somebody else's, of another pair or other terms."""

    code = "fx.quote_unfit"


class FetchOff(ComptoirError):
    """Fetching rates from the ECB is switched off (settings.COMPTOIR_FX_FETCH)."""

    code = "fx.fetch_off"


class FetchFailed(ComptoirError):
    """The ECB could not be asked, or did not answer with a file of rates. Nothing was recorded."""

    code = "fx.fetch_failed"
