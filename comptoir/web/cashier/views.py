"""Pages of the cashier: what stands behind an order code."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from comptoir import __version__
from comptoir.acquiring import api as acquiring
from comptoir.acquiring.api import PaymentState, PaymentView
from comptoir.db.run import read
from comptoir.kernel.clock import utc_now
from comptoir.kernel.errors import InvalidValue
from comptoir.standards import order_code
from comptoir.web.cashier.back import way_back
from comptoir.web.cashier.guard import AGAIN_SECONDS, code_picture, in_wallet, shown
from comptoir.web.components.access import open_page

#: Long enough to read that it was paid.
_BACK_SECONDS = 2
#: The cookie of one order's page that says that this browser was sent back.
_RETURNED = "returned"


@open_page
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """What this address is, for a person who opens it."""
    return render(request, "cashier/home.html", {"version": __version__})


@open_page(secret_address=True)
@require_safe
def order(request: HttpRequest, digits: str) -> HttpResponse:
    """One order: to be scanned while it is open, its end when it has one."""
    payment, merchant = _find(digits)
    now = utc_now()
    final = payment.state is not PaymentState.PROCESSING
    is_open = not final and now < payment.expires_at
    page = {
        "digits": digits,
        "state": _state(payment, is_open),
        "payee": payment.details.get("storeName") or merchant,
        "description": payment.details.get("description", ""),
        "amount": shown(payment.amount),
        "wallet_amount": shown(payment.wallet_total) if payment.wallet_total else None,
        "rate": payment.quote_price,
        "pair": payment.wallet_total and f"{payment.amount.currency}/{payment.wallet_total.currency}",
        "expires_at": payment.expires_at,
        "minutes": max(0, int((payment.expires_at - now).total_seconds()) // 60),
        "back": way_back(payment, now) if final else None,
        "in_wallet": in_wallet(request),
    }
    response = render(request, "cashier/order.html", page)
    if not final:
        response["Refresh"] = str(AGAIN_SECONDS)
    elif page["back"] and _RETURNED not in request.COOKIES:
        # Once: whoever comes back with the browser's button finds the page, not the shop again.
        response["Refresh"] = f"{_BACK_SECONDS}; url={page['back']}"
        response.set_cookie(
            _RETURNED, "1", path=request.path, secure=request.is_secure(), httponly=True, samesite="Lax"
        )
    return response


@open_page(secret_address=True)
@require_safe
def code_image(request: HttpRequest, digits: str) -> HttpResponse:
    """The order code as a QR picture (SVG), holding the address that a wallet reads."""
    _find(digits)
    return code_picture(order_code.build(settings.COMPTOIR.public_url, digits))


def _find(digits: str) -> tuple[PaymentView, str]:
    """The payment with this order code and its merchant's name. Raises Http404."""
    try:
        order_code.validate(digits)
    except InvalidValue:
        raise Http404("no such order") from None
    found = acquiring.decode_payments(read(acquiring.payments_by_order_code([digits])))
    if not found:
        raise Http404("no such order")
    merchants = acquiring.decode_merchants(read(acquiring.merchants([found[0].merchant_id])))
    return found[0], merchants[found[0].merchant_id].name


def _state(payment: PaymentView, is_open: bool) -> str:
    """open, held, paid, cancelled, or closed (refused, or its time was up)."""
    if is_open:
        return "open"
    if payment.hold_id is not None:
        return "held"
    return {PaymentState.SUCCESS: "paid", PaymentState.CANCELLED: "cancelled"}.get(payment.state, "closed")
