"""Payments and refunds as CSV and XLSX: page by page out of the database, row by row to the browser.

A spreadsheet takes a cell that begins with =, +, - or @ for a formula, and a shop's texts come from outside.
In CSV such a text gets an apostrophe in front (OWASP, "CSV Injection", read November 2026); in XLSX texts are
written as texts, which no program evaluates.
"""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import IO, Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

import xlsxwriter
from django.http import FileResponse, HttpRequest, StreamingHttpResponse
from django.views.decorators.http import require_safe

from comptoir.acquiring import api as acquiring
from comptoir.acquiring.api import STAFF, PaymentFilter, PaymentState, PaymentView, RefundView
from comptoir.db.run import read
from comptoir.kernel.money import Money, exponent
from comptoir.web.components.access import Visitor, not_theirs, page_for
from comptoir.web.components.people import Sellers
from comptoir.web.merchant.doers import Doer, doers_of
from comptoir.web.merchant.frame import READERS, Period, merchant_of, period_of
from comptoir.web.merchant.payments import filter_of, state_of

#: Rows of one page out of the database.
_PAGE: Final = 1_000
#: A sheet of a workbook holds no more (ECMA-376: 1,048,576 with the heading).
_MOST_ROWS: Final = 1_048_575

_DANGEROUS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
_CSV: Final = "text/csv; charset=utf-8"
_XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

Cell = str | Decimal | datetime | None

#: Names of columns are for programs too: English, and the same in every language.
_PAYMENT_COLUMNS: Final = (
    "time", "payment_id", "request_id", "order_id", "state", "failure_code", "product", "store", "terminal",
    "wallet", "currency", "amount", "captured", "refunded", "settlement_currency", "settlement",
    "wallet_currency", "wallet_amount", "rate", "client_id", "person",
)  # fmt: skip
_REFUND_COLUMNS: Final = (
    "time", "refund_id", "request_id", "payment_id", "state", "failure_code", "currency", "amount",
    "settlement_currency", "settlement", "wallet_currency", "wallet_amount", "reason", "client_id",
    "person", "approved_by",
)  # fmt: skip


@page_for(*READERS)
@require_safe
def export(request: HttpRequest, visitor: Visitor, what: str, form: str) -> Any:
    """Payments that fit the filters, or the refunds of the period."""
    merchant = merchant_of(visitor, request)
    period = period_of(request.GET, visitor.now)
    wanted = filter_of(request.GET, merchant, period)
    kinds: dict[str, Callable[[], tuple[Sequence[str], Iterator[Sequence[Cell]]]]] = {
        "payments": lambda: (_PAYMENT_COLUMNS, _payments(visitor, wanted, period)),
        "refunds": lambda: (_REFUND_COLUMNS, _refunds(visitor, merchant.id, period)),
    }
    if what not in kinds or form not in ("csv", "xlsx"):
        not_theirs()
    heading, rows = kinds[what]()
    name = f"{what}-{period.first}-{period.last}.{form}"
    visitor.did("export.create", file=name)
    if form == "csv":
        response = StreamingHttpResponse(_csv(heading, rows), content_type=_CSV)
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        return response
    return FileResponse(_workbook(what, heading, rows), as_attachment=True, filename=name, content_type=_XLSX)


def harmless(text: str) -> str:
    """A text as a cell of CSV that no spreadsheet evaluates."""
    return f"'{text}" if text.startswith(_DANGEROUS) else text


class _Line:
    """What the csv module writes to: it hands each line on."""

    def write(self, line: str) -> str:
        return line


def _csv(heading: Sequence[str], rows: Iterator[Sequence[Cell]]) -> Iterator[bytes]:
    """Line by line. The mark in front tells spreadsheets that it is UTF-8."""
    line = csv.writer(_Line())
    yield b"\xef\xbb\xbf" + line.writerow(heading).encode()
    for row in rows:
        yield line.writerow([_csv_cell(one) for one in row]).encode()


def _csv_cell(one: Cell) -> str:
    match one:
        case None:
            return ""
        case datetime():
            return one.isoformat(sep=" ", timespec="seconds")
        case Decimal():
            return str(one)
        case _:
            return harmless(one)


def _workbook(name: str, heading: Sequence[str], rows: Iterator[Sequence[Cell]]) -> IO[bytes]:
    """A workbook in a file of its own, row by row: numbers as numbers, times as times, texts as texts."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the answer closes it once it is sent
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(file, options) as book:
        sheet = book.add_worksheet(name)
        bold, time = book.add_format({"bold": True}), book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        number = book.add_format({"num_format": "0.00##"})
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, len(heading) - 1, 18)
        for column, title in enumerate(heading):
            sheet.write_string(0, column, title, bold)
        for line, row in enumerate(rows, 1):
            if line > _MOST_ROWS:
                break
            for column, one in enumerate(row):
                match one:
                    case None:
                        continue
                    case datetime():
                        sheet.write_datetime(line, column, one.replace(tzinfo=None), time)
                    case Decimal():
                        sheet.write_number(line, column, one, number)
                    case _:
                        sheet.write_string(line, column, one)
    file.seek(0)
    return file


def _payments(visitor: Visitor, wanted: PaymentFilter, period: Period) -> Iterator[Sequence[Cell]]:
    # The answer is sent after the view, and its zone, are over.
    zone, after, sellers = ZoneInfo(period.zone), None, Sellers(visitor)
    while True:
        page = acquiring.decode_payments(read(acquiring.payments_page(wanted, _PAGE, after)))
        yield from (_payment(one, zone, sellers.of(one)) for one in page)
        if len(page) < _PAGE:
            return
        after = acquiring.place(page[-1])


def _refunds(visitor: Visitor, merchant_id: UUID, period: Period) -> Iterator[Sequence[Cell]]:
    zone, after = ZoneInfo(period.zone), None
    while True:
        asked = acquiring.refunds_page(merchant_id, period.begin, period.end, _PAGE, after)
        page = acquiring.decode_refunds(read(asked))
        by_hand = {one.payment_id for one in page if one.client_ref == STAFF}
        doers = doers_of(visitor, "payment", by_hand)
        yield from (_refund(one, zone, doers.get((one.payment_id, one.created_at))) for one in page)
        if len(page) < _PAGE:
            return
        after = acquiring.place(page[-1])


def _payment(one: PaymentView, zone: ZoneInfo, seller: str | None) -> Sequence[Cell]:
    return (
        one.created_at.astimezone(zone),
        one.id.hex,
        one.request_ref,
        str(one.details.get("orderId") or ""),
        state_of(one).lower(),
        one.failure_code,
        one.product.value,
        one.store_ref,
        one.terminal_ref,
        one.issuer,
        one.amount.currency,
        one.amount.decimal(),
        _decimal(one.captured, one.amount.currency) if one.capture_mode else None,
        _decimal(one.refunded, one.amount.currency),
        # Only of what is owed, or will be: a column is summed.
        *_money(one.settlement if one.state is PaymentState.SUCCESS else None),
        *_money(one.wallet_total),
        one.quote_price,
        _client(one.client_ref),
        seller,
    )


def _refund(one: RefundView, zone: ZoneInfo, doer: Doer | None) -> Sequence[Cell]:
    return (
        one.created_at.astimezone(zone),
        one.id.hex,
        one.request_ref,
        one.payment_id.hex,
        one.state.value.lower(),
        one.failure_code,
        one.amount.currency,
        one.amount.decimal(),
        *_money(one.settlement),
        *_money(one.wallet_amount),
        one.reason,
        _client(one.client_ref),
        doer.name if doer else None,
        doer.approved_by if doer else None,
    )


def _client(client_ref: str) -> str:
    """A machine by its id; people at a counter or the desk are one word, for programs."""
    return "staff" if client_ref == STAFF else client_ref


def _money(money: Money | None) -> tuple[Cell, Cell]:
    return (None, None) if money is None else (money.currency, money.decimal())


def _decimal(minor: int, currency: str) -> Decimal:
    return Decimal(minor).scaleb(-exponent(currency))
