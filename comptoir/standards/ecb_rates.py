"""Euro foreign exchange reference rates of the European Central Bank.

Published on working days of the euro payment system around 16:00 CET: how many units of a currency
one euro is worth. Two forms, as published in November 2026:

- ``eurofxref-daily.xml``: one day, a ``Cube`` tree in namespace ``…/vocabulary/2002-08-01/eurofxref``;
- ``eurofxref-hist.csv``: every day since 4 January 1999, latest first, ``N/A`` where there was no rate.

Here is only form: every rate is a positive plain decimal, no currency or day comes twice. Whether
a rate is believable is a decision (``comptoir.fx``), not parsing.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from comptoir.kernel.errors import InvalidValue

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

DAILY_URL: Final = "https://www.ecb.europa.eu/stats/eurofxref/eurofxref-daily.xml"

#: The daily file has about 2 kB; a hundred times that is not it.
LARGEST_DAILY: Final = 200_000

_CUBE: Final = "{http://www.ecb.int/vocabulary/2002-08-01/eurofxref}Cube"
_RATE: Final = re.compile(r"[0-9]{1,10}(\.[0-9]{1,10})?")
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_CURRENCY: Final = re.compile(r"[A-Z]{3}")
_ABSENT: Final = ("N/A", "")


class RatesMalformed(InvalidValue):
    """Not a file of ECB reference rates, or one with an impossible value. `field` names the currency."""

    code = "ecb_rates.malformed"


@dataclass(frozen=True, slots=True)
class DailyRates:
    """The reference rates of one day: `per_euro[c]` major units of `c` for one euro. EUR is not in it."""

    on: date
    per_euro: Mapping[str, Decimal]


def parse_daily_xml(data: bytes) -> DailyRates:
    """Read ``eurofxref-daily.xml``. DTDs, entities and more than one day are refused (RatesMalformed)."""
    if len(data) > LARGEST_DAILY:
        raise RatesMalformed("the file is too large for one day of rates")
    root = _root(data)
    days = [cube for cube in root.iter(_CUBE) if "time" in cube.attrib]
    if len(days) != 1:
        raise RatesMalformed("the file does not hold exactly one day of rates")
    return _daily(_day(days[0].attrib["time"]), _pairs(days[0]))


def _root(data: bytes) -> Element:
    # Here: a server that takes payments knows this module, and reads no XML.
    from xml.etree.ElementTree import ParseError

    from defusedxml import DefusedXmlException  # type: ignore[import-untyped]
    from defusedxml.ElementTree import fromstring  # type: ignore[import-untyped]

    try:
        root: Element = fromstring(data, forbid_dtd=True, forbid_entities=True, forbid_external=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError):
        raise RatesMalformed("the file is not plain XML") from None
    return root


def parse_history_csv(text: str) -> Iterator[DailyRates]:
    """Read ``eurofxref-hist.csv``, a day at a time, latest first. A day without any rate is left out.

    Raises RatesMalformed when the reader comes to a bad line, so nothing may be kept before the end.
    """
    rows = csv.reader(text.splitlines())
    header = [name.strip() for name in next(rows, [])]
    if not header or header[0] != "Date":
        raise RatesMalformed("the first line does not name the columns")
    before: date | None = None
    for row in rows:
        if len(row) != len(header):
            raise RatesMalformed("a line has other columns than the first")
        on = _day(row[0].strip())
        if before is not None and on >= before:
            raise RatesMalformed("the days do not run backwards, each once")
        before = on
        cells = zip(header[1:], (cell.strip() for cell in row[1:]), strict=True)
        pairs = [(name, cell) for name, cell in cells if cell not in _ABSENT]
        if pairs:
            yield _daily(on, pairs)


def _pairs(day: Element) -> list[tuple[str, str]]:
    return [(cube.get("currency", ""), cube.get("rate", "")) for cube in day.iter(_CUBE) if cube is not day]


def _daily(on: date, pairs: list[tuple[str, str]]) -> DailyRates:
    names = sorted(name for name, _ in pairs)
    if not names:
        raise RatesMalformed("the day holds no rates")
    for one, next_one in pairwise(names):
        if one == next_one:
            raise RatesMalformed("a currency comes twice", field=one)
    return DailyRates(on, {_currency(name): _rate(name, text) for name, text in pairs})


def _currency(name: str) -> str:
    if _CURRENCY.fullmatch(name) is None or name == "EUR":
        raise RatesMalformed("a rate is not of a foreign currency")
    return name


def _rate(name: str, text: str) -> Decimal:
    if _RATE.fullmatch(text) is None or not (value := Decimal(text)):
        raise RatesMalformed("a rate is not a positive plain decimal", field=name)
    return value


def _day(text: str) -> date:
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise RatesMalformed("a day is not of the form 2026-11-23")
