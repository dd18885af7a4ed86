"""Behind the code on a shop's wall: the traveller types the amount, and is asked for it in yuan."""

from __future__ import annotations

from uuid import UUID

from babel.numbers import get_currency_symbol
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from comptoir.flows import api as flows
from comptoir.flows.api import Entry
from comptoir.kernel.errors import InvalidValue
from comptoir.kernel.ids import new_id
from comptoir.kernel.money import exponent
from comptoir.standards import entry_code
from comptoir.web.components.access import not_theirs
from comptoir.web.components.amounts import LONGEST, example, typed_amount
from comptoir.web.components.asking import attempt_of, desk
from comptoir.web.wallet.claiming import busy, claim
from comptoir.web.wallet.doing import refusal
from comptoir.web.wallet.holder import Holder, holders_page


@require_http_methods(["GET", "HEAD", "POST"])
@holders_page()
def shop(request: HttpRequest, holder: Holder, ref: str) -> HttpResponse:
    """Ask for the amount; the order that it opens is this wallet's at once."""
    entry = _find(ref)
    if not entry.is_open or request.method != "POST":
        return _page(request, entry)
    typed = request.POST.get("amount", "").strip()
    amount = typed_amount(typed, entry.code.currency)
    if amount is None:
        told = gettext("Enter an amount such as %(example)s.") % {"example": example(entry.code.currency)}
        return _page(request, entry, told, typed)
    attempt = attempt_of(request)
    try:
        opened = flows.open_order(entry, amount, attempt, holder.now, desk())
    except DatabaseError:
        return _page(request, entry, busy(), typed, attempt)
    if opened.payment is None or not opened.payment.order_code:
        return _page(request, entry, refusal(opened.code), typed)
    claimed = claim(holder, opened.payment.order_code)
    if isinstance(claimed, HttpResponseRedirect):
        return claimed
    return _page(request, entry, claimed, typed, attempt)


def _page(
    request: HttpRequest, entry: Entry, problem: str = "", typed: str = "", attempt: UUID | None = None
) -> HttpResponse:
    currency = entry.code.currency
    page = {
        "tab": "scan",
        "entry": entry,
        "symbol": get_currency_symbol(currency, locale="en"),
        "example": example(currency),
        "longest": LONGEST,
        "decimal": exponent(currency) > 0,
        "problem": problem,
        "typed": typed[:LONGEST],
        "attempt": (attempt or new_id()).hex,
    }
    return render(request, "wallet/shop.html", page)


def _find(ref: str) -> Entry:
    try:
        found = flows.scanned_entry(entry_code.validate(ref))
    except InvalidValue:
        found = None
    return found or not_theirs()
