"""The page behind the code on a shop's wall: the traveller types the amount, in the wallet's own browser."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from babel.numbers import get_currency_symbol
from django.conf import settings
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from comptoir.acquiring.api import errors as acquiring
from comptoir.flows import api as flows
from comptoir.flows.api import Entry, Outcome
from comptoir.fx import api as fx
from comptoir.kernel.clock import utc_now
from comptoir.kernel.errors import InvalidValue
from comptoir.kernel.ids import new_id
from comptoir.standards import entry_code
from comptoir.web.cashier.guard import in_our_wallet, in_wallet
from comptoir.web.components.access import open_page
from comptoir.web.components.amounts import LONGEST, example, typed_amount
from comptoir.web.components.asking import attempt_of, desk
from comptoir.web.components.templatetags.comptoir import page_locale

#: What the page says of a refusal. Every other one means that the shop cannot be paid here now.
_PROBLEMS: Final = {
    fx.errors.AmountTooSmall.code: "small",
    fx.errors.AmountTooLarge.code: "large",
    acquiring.REQUEST_REUSED: "again",
    flows.CROWDED: "busy",
}


# Nobody is logged in here and the page sets no cookie, so a forged request could do nothing in anybody's
# name: at most it opens an order, as everybody in the shop may, and that one waits for a wallet's consent.
@csrf_exempt
@open_page(secret_address=True)
@require_http_methods(["GET", "HEAD", "POST"])
def entry(request: HttpRequest, ref: str) -> HttpResponse:
    """Ask for the amount, and lead to the page of the order that is opened over it."""
    found = _find(ref)
    if not in_wallet(request):
        return _page(request, found, "scan")
    if not found.is_open:
        return _page(request, found, "closed")
    if request.method != "POST":
        return _page(request, found, "form")
    typed = request.POST.get("amount", "").strip()
    amount = typed_amount(typed, found.code.currency)
    if amount is None:
        return _page(request, found, "form", problem="amount", typed=typed)
    attempt = attempt_of(request)
    try:
        outcome = flows.open_order(found, amount, attempt, utc_now(), desk())
    except DatabaseError:
        # Perhaps it was opened, perhaps not: the same attempt finds out.
        return _page(request, found, "form", problem="busy", typed=typed, attempt=attempt, status=503)
    return _answer(request, found, outcome, typed)


def _answer(request: HttpRequest, found: Entry, outcome: Outcome, typed: str) -> HttpResponse:
    payment = outcome.payment
    if payment is not None and payment.order_code:
        address = reverse("order", args=[payment.order_code])
        return HttpResponseRedirect(address, status=303)
    problem = _PROBLEMS.get(outcome.code)
    if problem is None:
        return _page(request, found, "closed")
    return _page(request, found, "form", problem=problem, typed=typed)


def _page(
    request: HttpRequest,
    found: Entry,
    state: str,
    *,
    problem: str | None = None,
    typed: str = "",
    attempt: UUID | None = None,
    status: int = 200,
) -> HttpResponse:
    """The page in one of its states: scan (open it in a wallet), form, closed."""
    code = found.code
    page = {
        "state": state,
        "wallet": in_our_wallet(entry_code.build(settings.COMPTOIR.public_url, code.ref)),
        "payee": code.store_name,
        "merchant": code.merchant_name,
        "currency": code.currency,
        "symbol": get_currency_symbol(code.currency, locale=page_locale()),
        "example": example(code.currency),
        "longest": LONGEST,
        "problem": problem,
        "typed": typed[:LONGEST],
        "attempt": (attempt or new_id()).hex,
    }
    return render(request, "cashier/entry.html", page, status=status)


def _find(ref: str) -> Entry:
    """What the code leads to. Raises Http404."""
    try:
        found = flows.scanned_entry(entry_code.validate(ref))
    except InvalidValue:
        found = None
    if found is None:
        raise Http404("no such code")
    return found
