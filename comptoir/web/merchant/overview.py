"""The first page: what was sold, by day, hour, store and basket, and which codes were refused."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import Any, Final

from babel import Locale, dates, numbers
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe
from msgspec.structs import replace

from comptoir.acquiring import api as acquiring
from comptoir.acquiring.api import FiguresFilter, MerchantSummary, Refusals, Sales, Sum
from comptoir.db.run import read
from comptoir.flows.sandbox import has_counterpart, open_counterpart
from comptoir.identity.api import Role
from comptoir.kernel.money import Money, exponent
from comptoir.standards import time_zones
from comptoir.web.components.access import Visitor, page_for
from comptoir.web.components.templatetags.comptoir import day, money, page_locale
from comptoir.web.merchant import charts, words
from comptoir.web.merchant.frame import READERS, Period, merchant_of, period_of, show, switch_sandbox

#: Limits between basket sizes, in units of the currency; of currencies without decimals, in hundreds.
_EDGES: Final = (10, 25, 50, 100, 250, 500)
_FEW_DAYS: Final = 10


@page_for(*READERS)
@require_safe
def home(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Figures and charts of a period, for all stores or one."""
    merchant = merchant_of(visitor, request)
    period = period_of(request.GET, visitor.now)
    store_ref = request.GET.get("store") or None
    asked = FiguresFilter(
        merchant_id=merchant.id,
        start=period.begin,
        end=period.end,
        zone=period.zone,
        currency="",
        edges=(),
        store_ref=store_ref,
    )
    sold_in = [str(row[0]) for row in read(acquiring.currencies_sold(asked))]
    usual = merchant.contracts[0].payment_currencies[0] if merchant.contracts else "EUR"
    currency = next((one for one in sold_in if one == request.GET.get("currency")), (sold_in or [usual])[0])
    edges = tuple(edge * _unit(currency) for edge in _EDGES)
    wanted = replace(asked, currency=currency, edges=edges)
    sales = acquiring.decode_sales(read(acquiring.sales(wanted)), edges)
    refusals = acquiring.decode_refusals(read(acquiring.refusals(wanted)))
    waiting = acquiring.decode_disputes(read(acquiring.disputes_listed(50, merchant.id, only_waiting=True)))
    return show(
        request,
        visitor,
        "home.html",
        "merchant-home",
        merchant=merchant,
        period=period,
        currency=currency,
        currencies=sold_in,
        store_ref=store_ref,
        waiting=[one for one in waiting if one.state is acquiring.DisputeState.OPEN],
        **_figures(sales, refusals, currency, period, visitor),
        days_chart=_days_chart(sales, currency, period),
        hours_chart=_hours_chart(sales, currency),
        days=[(one, sales.days[one].count, _money(sales.days[one], currency)) for one in sales.days],
        hours=_hours(sales, currency),
        stores=_stores(sales, currency, merchant),
        baskets=_baskets(sales, edges, currency),
        reasons=_reasons(refusals),
    )


@page_for(*READERS)
@require_POST
def sandbox(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Show the merchant's counterpart for tests, or the merchant again; an owner makes the counterpart.

    What the merchant has that the counterpart lacks comes with every switch.
    """
    on = request.POST.get("on") == "1"
    if on:
        is_new = not has_counterpart(visitor.merchant_id)
        if is_new and visitor.role is not Role.OWNER:
            messages.info(request, gettext("An owner has to set up the sandbox first."))
            return HttpResponseRedirect(reverse("merchant-home"), status=303)
        with transaction.atomic():
            brought = open_counterpart(visitor.merchant_id, visitor.now)
            if is_new or brought:
                visitor.did("sandbox.create" if is_new else "sandbox.update")
        if brought and not is_new:
            messages.info(request, gettext("What is new in your shop is in the sandbox now as well."))
    switch_sandbox(request, on=on)
    return HttpResponseRedirect(reverse("merchant-home"), status=303)


def _figures(
    sales: Sales, refusals: Refusals, currency: str, period: Period, visitor: Visitor
) -> dict[str, Any]:
    """The numbers on top."""
    today = time_zones.day_of(visitor.now, period.zone)
    average = round(sales.total.amount / sales.total.count) if sales.total.count else 0
    return {
        "today": sales.days.get(today, Sum()).count if period.last == today else None,
        "today_money": _money(sales.days.get(today, Sum()), currency),
        "total": _money(sales.total, currency),
        "sold": sales.total.count,
        "average": Money(average, currency),
        "refunded": Money(sales.refunded, currency),
        "refusals": refusals,
        "refused_share": refusals.refused / refusals.scanned if refusals.scanned else None,
    }


def _days_chart(sales: Sales, currency: str, period: Period) -> str:
    shown = period.days
    every = max(1, -(-len(shown) // _FEW_DAYS))
    found = [
        charts.Column(
            label=dates.format_skeleton("MMMd", one, locale=page_locale()),
            value=sales.days.get(one, Sum()).amount,
            shown=_said(sales.days.get(one, Sum()), currency),
            mark=(len(shown) - 1 - number) % every == 0,
        )
        for number, one in enumerate(shown)
    ]
    highest = max((one.value for one in found), default=0)
    text = gettext("Sales of each day from %(first)s to %(last)s. The best day took %(most)s.") % {
        "first": day(period.first),
        "last": day(period.last),
        "most": money(Money(highest, currency)),
    }
    return charts.columns(gettext("Sales by day"), text, found, money(Money(highest, currency)))


def _hours_chart(sales: Sales, currency: str) -> str:
    names = _weekdays()
    cells = {
        (weekday - 1, hour): (
            found.amount,
            f"{names[weekday - 1]} {hour}:00: {_said(found, currency)}",
        )
        for (weekday, hour), found in sales.hours.items()
    }
    text = gettext("Seven days by 24 hours: the more was sold, the stronger the square.")
    return charts.heat(gettext("Sales by weekday and hour"), text, names, cells)


def _hours(sales: Sales, currency: str) -> list[tuple[str, int, Money]]:
    """All weekdays together, for the table."""
    found: dict[int, Sum] = {}
    for (_weekday, hour), one in sales.hours.items():
        before = found.get(hour, Sum())
        found[hour] = Sum(before.count + one.count, before.amount + one.amount)
    return [(f"{hour}:00", found[hour].count, _money(found[hour], currency)) for hour in sorted(found)]


def _stores(sales: Sales, currency: str, merchant: MerchantSummary) -> list[dict[str, Any]]:
    names = {one.ref: one.name for one in merchant.stores}
    most = max((one.amount for one in sales.stores.values()), default=0)
    return [
        {
            "name": gettext("No store") if ref is None else names.get(ref, ref),
            "count": found.count,
            "money": _money(found, currency),
            "bar": charts.share_bar(found.amount, most),
        }
        for ref, found in sales.stores.items()
    ]


def _baskets(sales: Sales, edges: Sequence[int], currency: str) -> list[dict[str, Any]]:
    most = max((one.count for one in sales.baskets), default=0)
    return [
        {"name": name, "count": found.count, "bar": charts.share_bar(found.count, most)}
        for name, found in zip(_ranges(edges, currency), sales.baskets, strict=True)
    ]


def _ranges(edges: Sequence[int], currency: str) -> list[str]:
    """Each basket size in words: below, from to, from."""
    usual = str(Locale.parse(page_locale()).currency_formats["standard"].pattern)
    said = [
        numbers.format_currency(
            Money(edge, currency).decimal(),
            currency,
            locale=page_locale(),
            currency_digits=False,
            format=usual.replace("0.00", "0"),
        )
        for edge in edges
    ]
    between = [f"{low} – {high}" for low, high in pairwise(said)]
    return [
        gettext("below %(most)s") % {"most": said[0]},
        *between,
        gettext("%(least)s and more") % {"least": said[-1]},
    ]


def _reasons(refusals: Refusals) -> list[dict[str, Any]]:
    return [
        {
            "name": words.reason(code) or gettext("Unknown"),
            "count": count,
            "share": count / refusals.scanned,
            "bar": charts.share_bar(count, refusals.refused),
        }
        for code, count in refusals.reasons.items()
    ]


def _weekdays() -> list[str]:
    """Monday to Sunday, short, in the page's language."""
    monday = date(2026, 11, 23)
    return [dates.format_date(monday + timedelta(number), "EEE", locale=page_locale()) for number in range(7)]


def _money(found: Sum, currency: str) -> Money:
    return Money(found.amount, currency)


def _said(found: Sum, currency: str) -> str:
    return f"{money(_money(found, currency))} ({found.count})"


def _unit(currency: str) -> int:
    """Minor units of what an edge counts in."""
    return int(10 ** exponent(currency)) if exponent(currency) else 100
