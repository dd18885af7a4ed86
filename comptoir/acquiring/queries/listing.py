"""A merchant's payments and refunds for people: chosen by filters, page by page, the newest first."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from comptoir.acquiring.queries.payments import PAYMENT, REFUND
from comptoir.acquiring.types import DisputeView, PaymentState, PaymentView, Product, RefundView
from comptoir.kernel.statements import Statement

#: Where a page ends: the next one begins below it.
Place = tuple[datetime, UUID]

#: Paid over the code that hangs in the store: the customer typed the amount, at no till.
ON_WALL = "(p.terminal_ref IS NULL AND p.scenario = 'EntryCode')"

#: The order of every list for people, in which a place is exact; for the alias of its table.
NEWEST_FIRST = " ORDER BY {0}.created_at DESC, {0}.id DESC LIMIT %s"


class PaymentFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which payments of a merchant are wanted; what is None does not matter.

    Made from `start` until before `end`. `least` and `most` are in minor units of the payment's currency.
    `text` is the beginning of a payment id, of the caller's request id or of the shop's order number.
    `terminal_ref` is a till as its assistant sees it: what it took, and what was paid over the code on the
    wall (`ON_WALL`), which any of a store's assistants may be shown.
    """

    merchant_id: UUID
    start: datetime | None = None
    end: datetime | None = None
    store_ref: str | None = None
    terminal_ref: str | None = None
    state: PaymentState | None = None
    issuer: str | None = None
    product: Product | None = None
    currency: str | None = None
    least: int | None = None
    most: int | None = None
    text: str | None = None

    @property
    def whole(self) -> PaymentFilter:
        """Merchant, period and store alone: what an index finds. The rest is seen in each payment."""
        return PaymentFilter(
            merchant_id=self.merchant_id, start=self.start, end=self.end, store_ref=self.store_ref
        )


def payments_page(
    wanted: PaymentFilter, limit: int, after: Place | None = None, until: Place | None = None
) -> Statement:
    """The newest payments that fit, or those below `after`, not below `until`; for `decode_payments`."""
    where, params = _conditions(wanted)
    if after is not None:
        where += " AND (p.created_at, p.id) < (%s, %s)"
        params += after
    if until is not None:
        where += " AND (p.created_at, p.id) >= (%s, %s)"
        params += until
    return Statement(f"{PAYMENT} WHERE {where}{NEWEST_FIRST.format('p')}", [*params, limit])


def stretch(wanted: PaymentFilter, count: int, after: Place | None = None) -> Statement:
    """Where the newest `count` payments end (those below `after`), whether they fit or not: a place or none.

    A page that looks through one stretch at a time takes no longer the more there are.
    """
    where, params = _conditions(wanted.whole)
    if after is not None:
        where += " AND (p.created_at, p.id) < (%s, %s)"
        params += after
    place_of_one = f"SELECT p.created_at, p.id FROM acquiring_payment p WHERE {where}"  # noqa: S608 - ours
    return Statement(f"{place_of_one}{NEWEST_FIRST.format('p')} OFFSET %s", [*params, 1, count - 1])


def refunds_page(
    merchant_id: UUID, start: datetime, end: datetime, limit: int, after: Place | None = None
) -> Statement:
    """The newest refunds made from `start` until before `end`, or those below `after`; for `decode_refunds`.

    The money of disputes is not among them.
    """
    where = "r.merchant_id = %s AND r.created_at >= %s AND r.created_at < %s AND NOT r.disputed"
    params: list[Any] = [merchant_id, start, end]
    if after is not None:
        where += " AND (r.created_at, r.id) < (%s, %s)"
        params += after
    return Statement(f"{REFUND} WHERE {where}{NEWEST_FIRST.format('r')}", [*params, limit])


def place(one: PaymentView | RefundView | DisputeView) -> Place:
    """Where the page ends whose last line this is."""
    return one.created_at, one.id


def _conditions(wanted: PaymentFilter) -> tuple[str, list[Any]]:
    """The filter as SQL; the values travel as parameters."""
    parts, params = ["p.merchant_id = %s"], [wanted.merchant_id]
    simple: list[tuple[str, Any]] = [
        ("p.created_at >= %s", wanted.start),
        ("p.created_at < %s", wanted.end),
        ("p.store_ref = %s", wanted.store_ref),
        (f"(p.terminal_ref = %s OR {ON_WALL})", wanted.terminal_ref),
        ("p.state = %s", wanted.state and wanted.state.value),
        ("p.issuer = %s", wanted.issuer),
        ("p.product = %s", wanted.product and wanted.product.value),
        ("p.currency = %s", wanted.currency),
        ("p.amount >= %s", wanted.least),
        ("p.amount <= %s", wanted.most),
    ]
    for sql, value in simple:
        if value is not None:
            parts.append(sql)
            params.append(value)
    if wanted.text:
        sql, values = _named(wanted.text)
        parts.append(sql)
        params += values
    return " AND ".join(parts), params


def _named(text: str) -> tuple[str, list[Any]]:
    """What begins with a text: our id if it may be one, the request's id, the order's number."""
    beginning = text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_") + "%"
    sql = "p.request_ref LIKE %s OR p.details ->> 'orderId' LIKE %s"
    values: list[Any] = [beginning, beginning]
    digits = text.replace("-", "").lower()
    if digits and len(digits) <= 32 and not digits.strip("0123456789abcdef"):
        sql += " OR p.id BETWEEN %s AND %s"
        values += [UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f"))]
    return f"({sql})", values
