"""ECB reference rates: the published forms are read, every damaged one is refused."""

from __future__ import annotations

import zipfile
from datetime import date
from decimal import Decimal
from importlib.resources import files

import pytest

from comptoir.standards.ecb_rates import (
    LARGEST_DAILY,
    DailyRates,
    RatesMalformed,
    parse_daily_xml,
    parse_history_csv,
)

HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01" \
xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">
\t<gesmes:subject>Reference rates</gesmes:subject>
\t<gesmes:Sender>\n\t\t<gesmes:name>European Central Bank</gesmes:name>\n\t</gesmes:Sender>
\t<Cube>"""
TAIL = "</Cube>\n</gesmes:Envelope>"


def day(rates: str, on: str = "2026-10-30") -> str:
    return f"<Cube time='{on}'>{rates}</Cube>"


def rate(currency: str, value: str) -> str:
    return f"<Cube currency='{currency}' rate='{value}'/>"


def document(inside: str) -> bytes:
    return (HEAD + inside + TAIL).encode()


def test_the_daily_file_is_read() -> None:
    data = document(day(rate("USD", "1.1172") + rate("JPY", "175.68") + rate("CNY", "7.4326")))
    assert parse_daily_xml(data) == DailyRates(
        date(2026, 10, 30), {"USD": Decimal("1.1172"), "JPY": Decimal("175.68"), "CNY": Decimal("7.4326")}
    )


@pytest.mark.parametrize(
    "value",
    ["0", "0.0000", "-1.2", "+1.2", "NaN", "Infinity", "inf", "N/A", "", "1e3", "1,2", " 1.2", ".5", "5.",
     "1_0", "١", "12345678901", "1.12345678901"],
)  # fmt: skip
def test_an_impossible_rate_is_refused_and_named(value: str) -> None:
    with pytest.raises(RatesMalformed) as refusal:
        parse_daily_xml(document(day(rate("USD", "1.1") + rate("CNY", value))))
    assert refusal.value.field == "CNY"


@pytest.mark.parametrize(
    "inside",
    [
        "",
        day(""),
        day(rate("USD", "1.1")) + day(rate("USD", "1.2"), "2026-10-29"),
        day(rate("USD", "1.1") + rate("USD", "1.1")),
        day(rate("EUR", "1")),
        day(rate("usd", "1.1")),
        day(rate("USDX", "1.1")),
        day("<Cube rate='1.1'/>"),
        day("<Cube currency='USD'/>"),
        day(rate("USD", "1.1"), "2026-13-01"),
        day(rate("USD", "1.1"), "20261030"),
        day(rate("USD", "1.1"), "2026-W44-5"),
        day(rate("USD", "1.1"), ""),
        "<Cube",
    ],
)
def test_a_damaged_file_is_refused(inside: str) -> None:
    with pytest.raises(RatesMalformed):
        parse_daily_xml(document(inside))


@pytest.mark.parametrize(
    "doctype",
    [
        "<!DOCTYPE x>",
        "<!DOCTYPE x [<!ENTITY a 'b'>]>",
        "<!DOCTYPE x SYSTEM 'http://evil.example/x.dtd'>",
        "<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>",
    ],
)
def test_a_dtd_or_entity_is_refused(doctype: str) -> None:
    good = document(day(rate("USD", "1.1"))).decode()
    with pytest.raises(RatesMalformed):
        parse_daily_xml(good.replace("<gesmes:Envelope", doctype + "<gesmes:Envelope", 1).encode())


@pytest.mark.parametrize("data", [b"", b"\x00", b"\xff\xfe", b"<html/>", b" " * (LARGEST_DAILY + 1)])
def test_what_is_not_the_file_is_refused(data: bytes) -> None:
    with pytest.raises(RatesMalformed):
        parse_daily_xml(data)


def test_an_unknown_encoding_is_refused() -> None:
    with pytest.raises(RatesMalformed):
        parse_daily_xml(document(day(rate("USD", "1.1"))).replace(b"UTF-8", b"klingon"))


def test_history_skips_what_was_not_published() -> None:
    text = "Date,USD,BGN,\n2026-10-30,1.1172,N/A,\n2026-10-29,N/A,N/A,\n2026-10-28,1.11,1.9558,\n"
    assert list(parse_history_csv(text)) == [
        DailyRates(date(2026, 10, 30), {"USD": Decimal("1.1172")}),
        DailyRates(date(2026, 10, 28), {"USD": Decimal("1.11"), "BGN": Decimal("1.9558")}),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "USD,JPY\n",
        "Date,USD\n2026-10-30\n",
        "Date,USD\n2026-10-30,1.1,1.2\n",
        "Date,USD\n2026-10-30,0\n",
        "Date,USD\n2026-10-30,-1\n",
        "Date,USD\n2026-10-30,NaN\n",
        "Date,USD,USD\n2026-10-30,1.1,1.1\n",
        "Date,usd\n2026-10-30,1.1\n",
        "Date,USD\n2026-10-30,1.1\n2026-10-30,1.1\n",
        "Date,USD\n2026-10-29,1.1\n2026-10-30,1.1\n",
        "Date,USD\n30 October 2026,1.1\n",
    ],
)
def test_a_damaged_history_is_refused(text: str) -> None:
    with pytest.raises(RatesMalformed):
        list(parse_history_csv(text))


def test_the_whole_published_history_is_read() -> None:
    with zipfile.ZipFile(str(files("currency_converter") / "eurofxref-hist.zip")) as archive:
        days = list(parse_history_csv(archive.read("eurofxref-hist.csv").decode("ascii")))
    assert days[-1].on == date(1999, 1, 4)
    assert len(days) > 7_000
    assert days[-1].per_euro["USD"] == Decimal("1.1789")
    assert {"CNY", "USD", "JPY", "KRW", "ISK", "IDR", "HUF"} <= set(days[0].per_euro)
