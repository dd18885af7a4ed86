"""The day at a till or in its store: its payments, one of them, what it comes to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import wraps
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from comptoir.acquiring import api as acquiring
from comptoir.acquiring.api import DaySum, DayTotals, PaymentState, PaymentView, RefundView, TillView
from comptoir.db.run import read
from comptoir.kernel.money import Money
from comptoir.standards import time_zones
from comptoir.web.components.access import Visitor, not_theirs, page_for
from comptoir.web.components.people import Sellers
from comptoir.web.components.places import marked, place_in
from comptoir.web.components.refund_reasons import refund_reason
from comptoir.web.components.wallets import wallet_name
from comptoir.web.counter import words
from comptoir.web.counter.lists import lines_of
from comptoir.web.counter.outcomes import seen
from comptoir.web.counter.place import ROLES, at_till, counter_page
from comptoir.web.counter.sections import sections

#: Payments a page.
PAGE: Final = 25


@counter_page()
@require_safe
def day(request: HttpRequest, visitor: Visitor, till: TillView) -> HttpResponse:
    """The day's payments, the newest first."""
    on, whole = _chosen(request, visitor, till)
    found = lines_of(till, visitor.now, on, PAGE + 1, after=place_in(request.GET.get("after")), whole=whole)
    lines, more = found[:PAGE], found[PAGE:]
    older = _link("counter-day", on, whole, marked(acquiring.place(lines[-1].payment))) if more else None
    page = {
        "till": till,
        "sections": sections("day"),
        "lines": lines,
        "older": older,
        "newer": _link("counter-day", on, whole) if request.GET.get("after") else None,
        **_days("counter-day", on, whole, visitor, till),
    }
    return render(request, "counter/day.html", page)


@counter_page()
@require_safe
def totals(request: HttpRequest, visitor: Visitor, till: TillView) -> HttpResponse:
    """What the day comes to: by hour and by wallet, in each currency."""
    on, whole = _chosen(request, visitor, till)
    begin, end = time_zones.bounds_of(on, till.time_zone)
    terminal = None if whole else till.terminal_ref
    found = acquiring.day_totals(visitor.merchant_id, till.store_ref, begin, end, till.time_zone, terminal)
    page = {
        "till": till,
        "sections": sections("totals"),
        "currencies": _by_currency(found, whole) or [_Sums().shown(till.currencies[0])],
        **_days("counter-totals", on, whole, visitor, till),
    }
    return render(request, "counter/totals.html", page)


def payment_page(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A page about one payment of the visitor's merchant: the view gets it after the till, and its refunds.

    Any other id is answered as if it did not exist, wherever the device stands.
    """

    @page_for(*ROLES)
    @wraps(view)
    def opened(request: HttpRequest, visitor: Visitor, payment_id: UUID) -> HttpResponse:
        found = acquiring.decode_payments(read(acquiring.payments_by_id([(visitor.merchant_id, payment_id)])))
        if not found:
            not_theirs()
        rows = read(acquiring.refunds_of_payment(visitor.merchant_id, payment_id))
        refunds = acquiring.decode_refunds(rows)
        return at_till(request, visitor, lambda till: view(request, visitor, till, found[0], refunds))

    return opened


@payment_page
@require_safe
def payment(
    request: HttpRequest, visitor: Visitor, till: TillView, found: PaymentView, refunds: list[RefundView]
) -> HttpResponse:
    """One payment with its refunds."""
    shown = seen(found, visitor.now)
    page = {
        "till": till,
        "sections": sections("day"),
        "payment": found,
        "seen": shown,
        "title": words.NAMES[shown.sight],
        "look": words.LOOKS[shown.sight],
        "lines": words.lines(shown),
        "wallet": wallet_name(found.issuer),
        "seller": Sellers(visitor).of(found),
        "refunds": [(one, refund_reason(one.reason or "")) for one in refunds],
        "left": refundable(found),
        "has_receipt": was_paid(found),
    }
    return render(request, "counter/payment.html", page)


def was_paid(found: PaymentView) -> bool:
    """Whether money ever moved: an order that was cancelled while it waited ended when it was cancelled."""
    if found.state is PaymentState.CANCELLED:
        return found.finished_at is not None and found.finished_at != found.cancelled_at
    return found.state is PaymentState.SUCCESS and found.hold_id is None


def refundable(found: PaymentView) -> Money | None:
    """What may still be refunded of a payment; None when nothing can be."""
    left = acquiring.rules.refundable(found)
    return left if left.minor > 0 else None


def _chosen(request: HttpRequest, visitor: Visitor, till: TillView) -> tuple[date, bool]:
    """The day that is asked for (else today), and whether of the whole store."""
    today = time_zones.day_of(visitor.now, till.time_zone)
    try:
        on = date.fromisoformat(request.GET.get("on", ""))
    except ValueError:
        on = today
    # No payment is from tomorrow, and a year that begins no calendar has no bounds.
    on = min(max(on, date(2000, 1, 1)), today)
    return on, till.terminal_ref is None or request.GET.get("of") == "store"


def _days(name: str, on: date, whole: bool, visitor: Visitor, till: TillView) -> dict[str, Any]:
    """What the head of a day's page needs: the day, its neighbors, the choice of till or store."""
    today = time_zones.day_of(visitor.now, till.time_zone)
    return {
        "on": on,
        "is_today": on == today,
        "whole": whole,
        "before": _link(name, on - timedelta(days=1), whole),
        "after": _link(name, on + timedelta(days=1), whole) if on < today else None,
        "of_till": _link(name, on, False),
        "of_store": _link(name, on, True),
    }


def _link(name: str, on: date, whole: bool, after: str | None = None) -> str:
    chosen = {"on": on.isoformat()}
    if whole:
        chosen["of"] = "store"
    if after:
        chosen["after"] = after
    return f"{reverse(name)}?{urlencode(chosen)}"


def _by_currency(found: DayTotals, whole: bool) -> list[dict[str, Any]]:
    """The totals in each currency: sold, given back, what stays; the hours; the wallets; the poster.

    What was paid over the poster belongs to no till: the whole store's sums have it, a till's do not.
    """
    sums: dict[str, _Sums] = defaultdict(_Sums)
    walls: dict[str, _Sums] = defaultdict(_Sums)
    for one in (*found.sales, *found.refunds):
        if one.on_wall:
            walls[one.total.currency].add(one)
        if whole or not one.on_wall:
            sums[one.total.currency].add(one)
    return [
        {
            **sums[currency].shown(currency),
            "hours": _bars(sums[currency].hours, currency),
            "wallets": [
                {"name": wallet_name(issuer), **by_wallet.shown(currency)}
                for issuer, by_wallet in sorted(
                    sums[currency].wallets.items(), key=lambda item: -item[1].sold
                )
            ],
            "wall": walls[currency].shown(currency) if currency in walls else None,
        }
        for currency in sorted({*sums, *walls})
    ]


@dataclass
class _Sums:
    """What was sold and given back, in minor units of one currency."""

    count: int = 0
    sold: int = 0
    back: int = 0
    hours: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    wallets: dict[str | None, _Sums] = field(default_factory=lambda: defaultdict(_Sums))

    def add(self, one: DaySum) -> None:
        self._count(one)
        self.wallets[one.issuer]._count(one)
        if one.hour is not None:
            self.hours[one.hour] += one.total.minor

    def _count(self, one: DaySum) -> None:
        if one.hour is None:
            self.back += one.total.minor
        else:
            self.count += one.count
            self.sold += one.total.minor

    def shown(self, currency: str) -> dict[str, Any]:
        return {
            "currency": currency,
            "count": self.count,
            "sold": Money(self.sold, currency),
            "back": Money(self.back, currency),
            "stays": Money(self.sold - self.back, currency),
        }


def _bars(hours: dict[int, int], currency: str) -> list[dict[str, Any]]:
    """Every hour from the first with sales to the last; `share` is percent of the best one."""
    if not hours:
        return []
    best = max(hours.values())
    return [
        {"hour": hour, "sold": Money(minor, currency), "share": round(100 * minor / best)}
        for hour in range(min(hours), max(hours) + 1)
        for minor in [hours.get(hour, 0)]
    ]
