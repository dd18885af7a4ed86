"""Pages of the cashier: what stands behind an order code."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from comptoir import __version__
from comptoir.acquiring import api as acquiring
from comptoir.acquiring.api import PaymentState, PaymentView
from comptoir.db.run import read
from comptoir.flows import api as flows
from comptoir.fx import api as fx
from comptoir.kernel.clock import utc_now
from comptoir.kernel.errors import InvalidValue
from comptoir.kernel.money import Money
from comptoir.standards import order_code
from comptoir.web.cashier.back import way_back
from comptoir.web.cashier.guard import code_picture, following, in_our_wallet, in_wallet
from comptoir.web.cashier.returning import marked, send_back
from comptoir.web.components.access import open_page
from comptoir.web.components.asking import desk


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
        "wallet": in_our_wallet(order_code.build(settings.COMPTOIR.public_url, digits)),
        "state": _state(payment, is_open),
        "payee": payment.details.get("storeName") or merchant,
        "description": payment.details.get("description", ""),
        "amount": payment.amount,
        "wallet_amount": payment.wallet_total,
        "claimed": payment.wallet_total is not None,
        "price": payment.quote_price,
        "expires_at": payment.expires_at,
        "minutes": max(0, int((payment.expires_at - now).total_seconds()) // 60),
        "back": None if request.headers.get("HX-Request") else way_back(payment, now),
        "in_wallet": in_wallet(request),
    }
    if is_open and payment.wallet_total is None and not request.headers.get("HX-Request"):
        page["about"] = _estimate(payment, now)
    if not final:
        shown = f"{page['state']}-{payment.wallet_total.minor if payment.wallet_total else ''}"
        response = following(request, "cashier/order.html", page, shown)
        marked(request, response)
        return response
    if request.headers.get("HX-Request"):
        return HttpResponse(headers={"HX-Refresh": "true"})
    response = render(request, "cashier/order.html", page)
    if page["back"]:
        send_back(request, response, str(page["back"]))
    return response


@open_page(secret_address=True)
@require_safe
def code_image(request: HttpRequest, digits: str) -> HttpResponse:
    """The order code as a QR picture (SVG), holding the address that a wallet reads."""
    _find(digits)
    return code_picture(order_code.build(settings.COMPTOIR.public_url, digits))


def _estimate(payment: PaymentView, now: datetime) -> Money | None:
    """What a wallet of ours would pay at this moment's price; None where nobody can say."""
    for currency in settings.COMPTOIR.wallet_currencies[:1]:
        asked = flows.AskPrice(
            merchant_id=payment.merchant_id,
            base=payment.amount.currency,
            currency=currency,
            promise=False,
            amount=payment.amount,
        )
        (said,) = flows.execute([asked], now, desk())
        if said.quote is not None and currency != payment.amount.currency:
            return fx.split(payment.amount, said.quote).total
    return None


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
