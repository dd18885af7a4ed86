"""What a shop asks for: shown in both currencies, paid with the PIN or declined; and the result."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from comptoir.acquiring import api as acquiring
from comptoir.acquiring.api import CaptureMode, PaymentView
from comptoir.db.run import read
from comptoir.flows.api import IN_PROCESS, OK, Confirm, Decline
from comptoir.kernel.money import Money
from comptoir.wallet import api as wallet
from comptoir.wallet.api import AuthorizationState, AuthorizationView, PinRefused, PinUnfit
from comptoir.web.components.access import not_theirs
from comptoir.web.wallet.claiming import busy, claim, hosted_page
from comptoir.web.wallet.doing import do, pin_problem, refusal
from comptoir.web.wallet.holder import Holder, holders_page

#: How a result looks, by the state of what was asked.
_LOOKS: Final = {
    AuthorizationState.AUTHORISED: "good",
    AuthorizationState.HELD: "good",
    AuthorizationState.RELEASED: "good",
    AuthorizationState.WAITING: "warn",
}


@require_http_methods(["GET", "HEAD", "POST"])
@holders_page()
def ask(request: HttpRequest, holder: Holder, authorization_id: UUID) -> HttpResponse:
    """One question, until it is answered. Answering twice changes nothing: the second sees the result."""
    asked = wallet.authorization(holder.wallet_id, authorization_id) or not_theirs()
    payment = _payment(asked)
    if asked.state is not AuthorizationState.WAITING or payment.authorization_id != asked.id:
        return _result_of(asked)
    if request.method != "POST":
        return _page(request, holder, asked, payment)
    answer = request.POST.get("answer")
    if answer == "renew" and payment.order_code:
        claimed = claim(holder, payment.order_code)
        if isinstance(claimed, HttpResponseRedirect):
            return claimed
        return _page(request, holder, asked, payment, refused=claimed)
    try:
        if answer == "decline":
            do(Decline(wallet_id=holder.wallet_id, authorization_id=asked.id), holder.now)
            return _result_of(asked)
        return _pay(request, holder, asked, payment)
    except (PinRefused, PinUnfit) as refused:
        return _page(request, holder, asked, payment, pin_problem(refused))
    except DatabaseError:
        return _page(request, holder, asked, payment, refused=busy(), status=503)


def _pay(
    request: HttpRequest, holder: Holder, asked: AuthorizationView, payment: PaymentView
) -> HttpResponse:
    """Raises PinRefused, PinUnfit, DatabaseError."""
    wallet.check_pin(holder.wallet_id, request.POST.get("pin", ""), holder.now)
    confirm = Confirm(wallet_id=holder.wallet_id, authorization_id=asked.id, device=holder.device)
    outcome = do(confirm, holder.now)
    stands = wallet.authorization(holder.wallet_id, asked.id)
    if outcome.code in (OK, IN_PROCESS) or stands is None or stands.state is not AuthorizationState.WAITING:
        return _result_of(asked)
    return _page(request, holder, asked, payment, refused=refusal(outcome.code))


@require_safe
@holders_page()
def result(request: HttpRequest, holder: Holder, authorization_id: UUID) -> HttpResponse:
    """What became of it, as large as it gets. It is read anew each time, so a reload tells the truth."""
    asked = wallet.authorization(holder.wallet_id, authorization_id) or not_theirs()
    over = asked.state is AuthorizationState.WAITING and holder.now >= asked.expires_at
    page = {
        "tab": "home",
        "asked": asked,
        "state": AuthorizationState.EXPIRED.value if over else asked.state.value,
        "look": "bad" if over else _LOOKS.get(asked.state, "bad"),
        "back": hosted_page(_payment(asked)),
    }
    return render(request, "wallet/result.html", page)


def _result_of(asked: AuthorizationView) -> HttpResponse:
    response = redirect("wallet-result", asked.id)
    response.status_code = 303
    return response


def _payment(asked: AuthorizationView) -> PaymentView:
    """The shop's side of it. It is always there: both sides are written together."""
    (found,) = acquiring.decode_payments(
        read(acquiring.payments_by_id([(asked.merchant_id, asked.payment_id)]))
    )
    return found


def _page(
    request: HttpRequest,
    holder: Holder,
    asked: AuthorizationView,
    payment: PaymentView,
    problem: str = "",
    *,
    refused: str = "",
    status: int = 200,
) -> HttpResponse:
    """`problem` is what is wrong with the PIN, `refused` whatever else stands in the way."""
    until = _until(asked, payment)
    page: dict[str, Any] = {
        "tab": "home",
        "asked": asked,
        "margin": Money(asked.margin, asked.total.currency),
        "description": payment.details.get("orderDescription"),
        "holds": payment.capture_mode is CaptureMode.MANUAL,
        "until": until,
        "over": holder.now >= until,
        "back": hosted_page(payment),
        "renewable": bool(payment.order_code) and holder.now < payment.expires_at,
        "summary": wallet.wallet_summary(holder.wallet_id, holder.now),
        "problem": problem,
        "refused": refused,
    }
    return render(request, "wallet/ask.html", page, status=status)


def _until(asked: AuthorizationView, payment: PaymentView) -> datetime:
    """How long it may be paid at this price."""
    return min(asked.expires_at, payment.quote_until or asked.expires_at)
