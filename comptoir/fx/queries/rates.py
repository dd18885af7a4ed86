"""What one euro was worth, for doors and workers."""

from __future__ import annotations

from datetime import date

from django.db import connection

from comptoir.db.run import run_sync
from comptoir.fx.errors import RateMissing
from comptoir.fx.models import ReferenceRate
from comptoir.fx.queries.engine import decode_rates, latest_rates
from comptoir.fx.types import DatedRate, RateTable
from comptoir.kernel.statements import Flow


def rate_on(currency: str, day: date) -> DatedRate:
    """The latest rate of a currency on or before a day: weekends and holidays take the one before.

    The answer says which day it is of; how old it may be is the caller's question. Raises RateMissing.
    """
    found = (
        ReferenceRate.objects.filter(currency=currency, rate_on__lte=day)
        .order_by("-rate_on")
        .values_list("rate_on", "currency", "per_euro")
        .first()
    )
    if found is None:
        raise RateMissing(f"there is no reference rate for {currency} on or before {day}", field=currency)
    return DatedRate(*found)


def latest_table() -> RateTable:
    """The newest day of reference rates; NO_RATES when nothing was recorded yet."""
    with connection.cursor() as cursor:
        return run_sync(cursor, _latest())


def _latest() -> Flow[RateTable]:
    (rows,) = yield [latest_rates()]
    return decode_rates(rows)
