"""One sale: the amount, the customer's code or ours, and what became of it.

The sale's id stands in the address before anything is asked for, and names the payment for ever. Sending,
loading, coming back, a second tab: whatever happens to the page, this address shows the one payment.
"""

from __future__ import annotations

import re
from datetime import date
from functools import cache
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from babel.numbers import get_currency_symbol, get_decimal_symbol
from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from comptoir.acquiring.api import PaymentView, TillView, errors
from comptoir.flows import api as flows
from comptoir.kernel.errors import InvalidValue
from comptoir.kernel.ids import derived_id, new_id
from comptoir.kernel.money import Money, exponent
from comptoir.standards import order_code, payment_code, time_zones
from comptoir.standards.payment_code import Scheme
from comptoir.wallet.api import configured_issuers
from comptoir.web.components.access import Visitor
from comptoir.web.components.amounts import LONGEST, typed_amount
from comptoir.web.components.asking import desk
from comptoir.web.components.pictures import FRAME, TooManyPictures, codes_of_picture
from comptoir.web.components.templatetags.comptoir import page_locale
from comptoir.web.components.wallets import wallet_name
from comptoir.web.counter import words
from comptoir.web.counter.lists import lines_of
from comptoir.web.counter.outcomes import Seen, refusal, seen
from comptoir.web.counter.place import counter_page
from comptoir.web.counter.sections import sections

#: Payments of this till that stand below the keypad.
_LAST: Final = 3

_BLANK: Final = re.compile(r"[\s-]+")
#: Shapes of digits that no wallet shows to be scanned by a shop.
_NO_CODES: Final = (Scheme.UNKNOWN, Scheme.ALIPAY_PLUS_ORDER)


@counter_page()
@require_safe
def home(request: HttpRequest, visitor: Visitor, till: TillView) -> HttpResponse:
    """The keypad: an amount for a new sale."""
    return _keypad(request, visitor, till, request.GET.get("amount", ""), _currency(request.GET, till))


@counter_page(camera=True)
@require_http_methods(["GET", "HEAD", "POST"])
def sale(request: HttpRequest, visitor: Visitor, till: TillView, sale_id: UUID) -> HttpResponse:
    """A sale: asks for the code while there is no payment, shows the payment once there is one."""
    if request.method == "POST":
        return _take(request, visitor, till, sale_id)
    payment = flows.payment_of_sale(visitor.merchant_id, sale_id)
    if payment is not None:
        return _shown(request, visitor, till, sale_id, payment)
    given, currency = request.GET.get("amount", ""), _currency(request.GET, till)
    amount = typed_amount(given, currency)
    if amount is None:
        return _keypad(request, visitor, till, given, currency, problem=bool(given))
    return _asking(request, till, sale_id, amount)


@counter_page()
@require_POST
def read_code(request: HttpRequest, visitor: Visitor, till: TillView) -> HttpResponse:
    """The payment codes on a frame of the camera, as JSON. The picture is not kept."""
    try:
        found = codes_of_picture(request, FRAME)
    except TooManyPictures:
        return JsonResponse({"codes": []}, status=429)
    except InvalidValue:
        return JsonResponse({"codes": []}, status=400)
    return JsonResponse({"codes": [one for one in found if payment_code.classify(one) not in _NO_CODES]})


def _take(request: HttpRequest, visitor: Visitor, till: TillView, sale_id: UUID) -> HttpResponse:
    """Ask for the payment, once; then lead to the page that shows it."""
    given, currency = request.POST.get("amount", ""), _currency(request.POST, till)
    amount = typed_amount(given, currency)
    if amount is None:
        return _keypad(request, visitor, till, given, currency, problem=True)
    code: str | None = _BLANK.sub("", request.POST.get("code", ""))
    if request.POST.get("show"):
        code = None
    elif payment_code.classify(str(code)) in _NO_CODES:
        return _asking(request, till, sale_id, amount, problem="code")
    try:
        outcome = flows.take(till, amount, sale_id, code, visitor.now, issuers(), seller=visitor.person.id)
    except DatabaseError:
        # Perhaps it was taken, perhaps not: the same sale finds out.
        return _asking(request, till, sale_id, amount, problem="busy", status=503)
    if outcome.payment is None and outcome.code != errors.REQUEST_REUSED:
        return _asking(request, till, sale_id, amount, refused=refusal(outcome.code))
    again = "&again=1" if outcome.payment is None else ""
    return HttpResponseRedirect(f"{_address_with(sale_id, amount)}{again}", status=303)


def _keypad(
    request: HttpRequest,
    visitor: Visitor,
    till: TillView,
    typed: str,
    currency: str,
    *,
    problem: bool = False,
) -> HttpResponse:
    places = exponent(currency)
    page = {
        "till": till,
        "sections": sections("sale"),
        "sale_address": _address(new_id()),
        "typed": typed[:LONGEST],
        "longest": LONGEST,
        "currency": currency,
        "symbol": get_currency_symbol(currency, locale=page_locale()),
        "places": places,
        "point": get_decimal_symbol(page_locale()),
        "problem": problem,
        "last": lines_of(till, visitor.now, _today(visitor, till), _LAST),
    }
    return render(request, "counter/home.html", page)


def _asking(
    request: HttpRequest,
    till: TillView,
    sale_id: UUID,
    amount: Money,
    *,
    problem: str = "",
    refused: Seen | None = None,
    status: int = 200,
) -> HttpResponse:
    """The page before there is a payment. `problem`: code (it is none), busy (we may have taken it)."""
    page = {
        "till": till,
        "sections": sections("sale"),
        "sale_address": _address(sale_id),
        "here": _address_with(sale_id, amount),
        "amount": amount,
        "typed": str(amount.decimal()),
        "problem": problem,
        "refused": words.lines(refused) if refused else None,
    }
    return render(request, "counter/asking.html", page, status=status)


def _shown(
    request: HttpRequest, visitor: Visitor, till: TillView, sale_id: UUID, payment: PaymentView
) -> HttpResponse:
    shown = seen(payment, visitor.now)
    to_scan = payment.order_code if shown.sight == "to_scan" else None
    # What comes after a sale that failed is the same in every tab: nobody is asked twice at once.
    following = derived_id("counter", "next", sale_id.hex)
    page: dict[str, Any] = {
        "till": till,
        "sections": sections("sale"),
        "sale_address": _address(sale_id),
        "payment": payment,
        "seen": shown,
        "title": words.TITLES[shown.sight],
        "lines": words.lines(shown),
        "drawing": words.DRAWINGS[shown.sight],
        "look": words.LOOKS[shown.sight],
        "again": bool(request.GET.get("again")),
        "wallet": wallet_name(payment.issuer),
        "order_code": order_code.build(settings.COMPTOIR.public_url, to_scan) if to_scan else None,
        "try_again": _address_with(following, payment.amount),
    }
    return render(request, "counter/shown.html", page)


def _today(visitor: Visitor, till: TillView) -> date:
    return time_zones.day_of(visitor.now, till.time_zone)


def _currency(given: Any, till: TillView) -> str:
    """The currency that was chosen, if the till takes it; else its first."""
    wanted = given.get("currency", "")
    return wanted if wanted in till.currencies else till.currencies[0]


def _address(sale_id: UUID) -> str:
    return reverse("counter-sale", args=[sale_id])


def _address_with(sale_id: UUID, amount: Money) -> str:
    """Where the sale is loaded again while there is no payment: its amount stands nowhere else."""
    asked = {"amount": str(amount.decimal()), "currency": amount.currency}
    return f"{_address(sale_id)}?{urlencode(asked)}"


@cache
def issuers() -> flows.IssuerLine:
    """This process's way to other issuers."""
    return flows.IssuerLine(
        lambda: configured_issuers(settings.COMPTOIR.public_url),
        desk,
    )
