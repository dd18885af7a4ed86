"""Recording reference rates: added once, never changed."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.resources import as_file, files
from itertools import islice
from pathlib import Path

import msgspec
from django.conf import settings
from django.db import connection, transaction

from comptoir.fx.connectors.ecb import fetch_daily_xml
from comptoir.fx.errors import FetchFailed, FetchOff, RatesConflict, RatesImplausible
from comptoir.fx.models import ReferenceRate
from comptoir.fx.rules import check_plausible
from comptoir.fx.types import RateTable
from comptoir.kernel.errors import InvariantBroken
from comptoir.standards.ecb_rates import (
    DAILY_URL,
    DailyRates,
    RatesMalformed,
    parse_daily_xml,
    parse_history_csv,
)

#: Days of the packaged history that are loaded by default: more than a year and a half of working days.
PACKAGED_DAYS = 400

#: The unpacked history has 2 MB; ten times that is not it.
_LARGEST_HISTORY = 20_000_000

_INSERT = """
INSERT INTO fx_reference_rate (rate_on, currency, per_euro, source, fetched_at)
SELECT rate_on, currency, per_euro, %s, %s
FROM json_to_recordset(%s::json) AS r (rate_on date, currency text, per_euro numeric)
ON CONFLICT (rate_on, currency) DO NOTHING
"""


def load_packaged_rates(now: datetime, days: int | None = PACKAGED_DAYS) -> int:
    """Record the newest `days` days (None: all since 1999) of the history that comes installed with us.

    Works offline and again and again: what is recorded stays as it is, days after `now` are left out.
    Returns how many rates were new. Raises RatesMalformed, and then nothing was recorded.
    """
    past = (daily for daily in _packaged_history() if daily.on <= now.astimezone(UTC).date())
    chosen = list(islice(past, days))
    with transaction.atomic():
        return _insert(chosen, "ecb-packaged", now)


def record_rates(daily: DailyRates, now: datetime, source: str, *, accept_jump: bool = False) -> int:
    """Record one day of rates; returns how many were new: 0 when the same day is already there.

    Raises RatesConflict (other values or currencies are recorded for that day) and
    RatesImplausible (dated ahead, or it cannot follow the day before it; `accept_jump` is for an
    operator who looked at the market and knows it to be true).
    """
    if daily.on > now.astimezone(UTC).date():
        raise RatesImplausible("the rates are dated ahead of the present day")
    with transaction.atomic():
        with connection.cursor() as cursor:
            # Two workers may bring the same day: the second reads what the first has committed.
            cursor.execute("LOCK TABLE fx_reference_rate IN SHARE ROW EXCLUSIVE MODE")
        before = _table_on_or_before(daily)
        if before is not None and before.on == daily.on:
            if before.per_euro != daily.per_euro:
                raise RatesConflict(f"other rates are recorded for {daily.on}")
            return 0
        if before is not None and not accept_jump:
            check_plausible(before, RateTable(daily.on, daily.per_euro))
        return _insert([daily], source, now)


def fetch_daily(now: datetime, url: str = DAILY_URL, *, accept_jump: bool = False) -> int:
    """Fetch the ECB's daily file and record it (`accept_jump`: see there); returns how many rates were new.

    Off unless settings.COMPTOIR_FX_FETCH is true. The network is asked before any transaction
    begins. Raises FetchOff, FetchFailed, RatesConflict, RatesImplausible; nothing was recorded then.
    """
    if not settings.COMPTOIR_FX_FETCH:
        raise FetchOff("fetching rates is switched off; set COMPTOIR_FX_FETCH")
    if connection.in_atomic_block:
        raise InvariantBroken("rates are never fetched inside a transaction")
    try:
        daily = parse_daily_xml(fetch_daily_xml(url))
    except RatesMalformed as error:
        raise FetchFailed(f"the ECB did not answer with rates: {error.message}", field=error.field) from None
    return record_rates(daily, now, "ecb-daily", accept_jump=accept_jump)


def _packaged_history() -> list[DailyRates]:
    packaged = files("currency_converter") / "eurofxref-hist.zip"
    with as_file(packaged) as path:
        return list(parse_history_csv(_unpack(path)))


def _unpack(path: Path) -> str:
    with zipfile.ZipFile(path) as archive:
        (member,) = archive.infolist()
        if member.file_size > _LARGEST_HISTORY:
            raise RatesMalformed("the packaged history is too large")
        return archive.read(member).decode("ascii")


def _insert(days: Sequence[DailyRates], source: str, now: datetime) -> int:
    records = [
        {"rate_on": daily.on, "currency": currency, "per_euro": value}
        for daily in days
        for currency, value in daily.per_euro.items()
    ]
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, (source, now, msgspec.json.encode(records).decode()))
        return int(cursor.rowcount)


def _table_on_or_before(daily: DailyRates) -> RateTable | None:
    recorded = ReferenceRate.objects.filter(rate_on__lte=daily.on)
    on = recorded.order_by("-rate_on").values_list("rate_on", flat=True).first()
    if on is None:
        return None
    return RateTable(on, dict(recorded.filter(rate_on=on).values_list("currency", "per_euro")))
