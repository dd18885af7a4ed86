"""The statement: movements by day, with search; and one payment in full, which is its receipt."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from itertools import groupby
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.timezone import localdate
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from comptoir.kernel.errors import InvalidValue
from comptoir.kernel.money import Money
from comptoir.wallet import api as wallet
from comptoir.wallet.api import MovementFilter
from comptoir.web.components.access import not_theirs
from comptoir.web.wallet import cursors
from comptoir.web.wallet.holder import Holder, holders_page

_LINES = 30
_LONGEST = 64
#: Tens in the largest amount that is looked for: a quadrillion.
_LARGEST = 15


@dataclass(frozen=True, slots=True)
class _Search:
    """What was typed, what it means, and what is wrong with it."""

    typed: dict[str, str]
    wanted: MovementFilter | None
    problem: str = ""


@require_safe
@holders_page()
def movements(request: HttpRequest, holder: Holder) -> HttpResponse:
    """A page of movements, newest first, grouped by their days in China."""
    search = _search(request)
    try:
        cursor = cursors.parse(request.GET.get("older", ""))
    except InvalidValue:
        cursor = None
    found = wallet.movements(holder.wallet_id, cursor, _LINES, search.wanted)
    page = {
        "tab": "movements",
        "days": [
            (day, list(lines)) for day, lines in groupby(found.movements, lambda one: localdate(one.at))
        ],
        "search": search.typed,
        "problem": search.problem,
        "searching": search.wanted is not None,
        "newer": _address(search.typed) if cursor else None,
        "older": _address(search.typed, cursors.build(found.older)) if found.older else None,
    }
    return render(request, "wallet/movements.html", page)


@require_safe
@holders_page()
def payment(request: HttpRequest, holder: Holder, authorization_id: UUID) -> HttpResponse:
    """One payment in full: both amounts, rate, margin, captures, what came back. Made to be printed."""
    record = wallet.payment_record(holder.wallet_id, authorization_id) or not_theirs()
    asked = record.authorization
    page: dict[str, Any] = {
        "tab": "movements",
        "asked": asked,
        "margin": Money(asked.margin, asked.total.currency),
        "refunded": Money(asked.refunded, asked.total.currency),
        "captured": Money(asked.captured, asked.total.currency),
        "captures": record.captures,
        "credits": record.credits,
        "state": _state(record),
    }
    return render(request, "wallet/payment.html", page)


def _state(record: wallet.PaymentRecord) -> str:
    """The state of a payment as a receipt says it: what came back counts."""
    asked = record.authorization
    taken = asked.captured if asked.captured else asked.total.minor
    if asked.refunded:
        return "refunded" if asked.refunded == taken else "partly_refunded"
    return asked.state.value


def _search(request: HttpRequest) -> _Search:
    """What is searched for. What cannot be understood is said, and not searched for."""
    typed = {name: request.GET.get(name, "").strip()[:_LONGEST] for name in ("q", "amount", "first", "last")}
    if not any(typed.values()):
        return _Search(typed, None)
    try:
        wanted = MovementFilter(
            payee=typed["q"].replace("\x00", ""),
            amount=_amount(typed["amount"]),
            first=_day(typed["first"]),
            last=_day(typed["last"]),
        )
    except (InvalidOperation, ValueError):
        return _Search(typed, None, gettext("Type an amount such as 12.50, and days as 2026-11-30."))
    return _Search(typed, wanted)


def _amount(typed: str) -> Decimal | None:
    """Raises InvalidOperation, ValueError."""
    if not typed:
        return None
    amount = Decimal(typed.replace(",", "."))
    if not amount.is_finite() or amount.adjusted() > _LARGEST:
        raise ValueError("this is no amount that anybody paid")
    return abs(amount)


def _day(typed: str) -> date | None:
    """Raises ValueError."""
    return date.fromisoformat(typed) if typed else None


def _address(typed: dict[str, str], older: str = "") -> str:
    given = {name: value for name, value in {**typed, "older": older}.items() if value}
    return reverse("wallet-movements") + (f"?{urlencode(given)}" if given else "")
