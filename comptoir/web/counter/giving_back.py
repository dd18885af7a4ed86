"""Taking back: closing a payment that waits, and refunds, which a manager approves with the PIN."""

from __future__ import annotations

from collections.abc import Sized
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import DatabaseError, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from comptoir.acquiring import api as acquiring
from comptoir.acquiring.api import PaymentState, PaymentView, RefundView, TillView
from comptoir.db.run import read
from comptoir.flows import api as flows
from comptoir.identity import api as identity
from comptoir.identity.api import PersonView, Role
from comptoir.kernel.errors import InvalidValue
from comptoir.kernel.ids import derived_id, parse_id
from comptoir.web.components.access import Visitor
from comptoir.web.components.amounts import LONGEST, spelled, typed_amount
from comptoir.web.components.asking import desk
from comptoir.web.components.refund_reasons import REFUND_REASONS
from comptoir.web.counter import words
from comptoir.web.counter.day import payment_page, refundable
from comptoir.web.counter.outcomes import Refunded, refunded
from comptoir.web.counter.sections import sections


@payment_page
@require_POST
def close(
    request: HttpRequest, visitor: Visitor, till: TillView, found: PaymentView, refunds: list[RefundView]
) -> HttpResponse:
    """Cancel a payment that nobody has paid. One that was paid meanwhile is shown as paid."""
    with transaction.atomic():
        outcome = flows.close_unpaid(visitor.merchant_id, found.id, visitor.now, desk())
        ended = outcome.payment
        # Not what was cancelled before: whoever did that is in the record.
        if ended and ended.state is PaymentState.CANCELLED and ended.cancelled_at == visitor.now:
            visitor.did("payment.cancel", ("payment", found.id.hex))
    if outcome.code != flows.OK:
        messages.info(request, gettext("It was too late to cancel: look at how the payment ended."))
    return HttpResponseRedirect(_next(request, found.id), status=303)


@payment_page
@require_http_methods(["GET", "HEAD", "POST"])
def refund(
    request: HttpRequest, visitor: Visitor, till: TillView, found: PaymentView, refunds: list[RefundView]
) -> HttpResponse:
    """Give back all or part of a payment, once a manager has approved it with the PIN.

    `attempt` names the refund before it is asked for. It is derived from the payment and from how many
    refunds of it there are, so every page that was opened before a refund asks for that same one. A page that
    comes back with a problem keeps it, until the refund that it names was refused for good.
    """
    left = refundable(found)
    managers = _managers(visitor)
    page: dict[str, Any] = {
        "till": till,
        "sections": sections("day"),
        "payment": found,
        "left": left,
        "typed": spelled(left) if left else "",
        "managers": managers,
        "manager": visitor.person.id if visitor.person in managers else None,
        "attempt": _attempt(found, refunds),
        "reasons": list(REFUND_REASONS.items()),
        "longest": LONGEST,
    }
    if request.method != "POST":
        return render(request, "counter/refund.html", page)
    page |= {"typed": request.POST.get("amount", "")[:LONGEST], "reason": request.POST.get("reason")}
    page["manager"] = next((one.id for one in managers if one.id.hex == request.POST.get("manager")), None)
    try:
        attempt = parse_id(request.POST.get("attempt", ""), "attempt")
    except InvalidValue:
        problem = gettext("This page was out of date. Send it again.")
        return render(request, "counter/refund.html", page | {"wrong": "amount", "problem": problem})
    page["attempt"] = attempt.hex
    try:
        answer = _asked(request, visitor, found, managers, attempt)
    except DatabaseError:
        # Perhaps it was given back, perhaps not: the same attempt finds out.
        page["problem"] = gettext("Nobody knows yet whether it went back. Send it again: it goes back once.")
        return render(request, "counter/refund.html", page, status=503)
    if isinstance(answer, HttpResponse):
        return answer
    return render(request, "counter/refund.html", page | answer)


def _asked(
    request: HttpRequest, visitor: Visitor, found: PaymentView, managers: list[PersonView], attempt: UUID
) -> HttpResponse | dict[str, Any]:
    """Check what was sent, then refund and lead back to the payment; or what is wrong with it, by field."""
    amount = typed_amount(request.POST.get("amount", ""), found.amount.currency)
    if amount is None:
        return {"wrong": "amount", "problem": gettext("Enter an amount, such as 12.50.")}
    manager = next((one for one in managers if one.id.hex == request.POST.get("manager")), None)
    if manager is None:
        return {"wrong": "manager", "problem": gettext("Choose who approves the refund.")}
    try:
        identity.check_pin(manager.id, request.POST.get("pin", ""), visitor.now)
    except identity.PinLocked:
        return {"wrong": "pin", "problem": gettext("Too many wrong PINs. Try again later.")}
    except (identity.PinRefused, identity.PinUnfit):
        return {"wrong": "pin", "problem": gettext("The PIN is wrong.")}
    why = request.POST.get("reason", "")
    reason = why if why in REFUND_REASONS else None
    with transaction.atomic():
        outcome = flows.give_back(found, amount, attempt, visitor.now, desk(), reason)
        ended = refunded(outcome.refund, outcome.code)
        made = outcome.refund
        # A repeat gets the answer of the first, and is no second act.
        if made and ended in (Refunded.GIVEN, Refunded.NO_ANSWER) and made.created_at == visitor.now:
            about = ("payment", found.id.hex)
            visitor.did("refund.create", about, amount=str(amount), approved_by=manager.login, reason=reason)
    if ended not in (Refunded.GIVEN, Refunded.NO_ANSWER, Refunded.ANOTHER):
        # The refusal is this attempt's answer for ever: what is sent next is another one.
        return {
            "wrong": "amount",
            "problem": str(words.REFUNDED[ended]),
            "attempt": _attempt(found, read(acquiring.refunds_of_payment(found.merchant_id, found.id))),
        }
    say = messages.success if ended is Refunded.GIVEN else messages.warning
    say(request, str(words.REFUNDED[ended]))
    return HttpResponseRedirect(reverse("counter-payment", args=[found.id]), status=303)


def _attempt(payment: PaymentView, refunds: Sized) -> str:
    """The refund that comes after these."""
    return derived_id("counter", "refund", payment.id.hex, str(len(refunds))).hex


def _managers(visitor: Visitor) -> list[PersonView]:
    """Who may approve a refund: the visitor first, if it is one of them."""
    able = [
        one
        for one in identity.staff(visitor.merchant_id)
        if one.active and one.role in (Role.MANAGER, Role.OWNER)
    ]
    return sorted(able, key=lambda one: one.id != visitor.person.id)


def _next(request: HttpRequest, payment_id: UUID) -> str:
    """Back to the page of the sale, if it was sent from there; else to the payment."""
    wanted = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if safe and wanted else reverse("counter-payment", args=[payment_id])
