"""The consent page: a traveller lets a shop debit the wallet without asking each time.

The page only reads, like that of an order: the wallet that scans it approves or declines, with its own PIN.
Once that has happened the browser is sent back to the shop, with the authorization code if there is one.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from comptoir.acquiring import api as acquiring
from comptoir.acquiring.api import AgreementState, AgreementView, Period, PeriodType, SubscriptionView
from comptoir.db.run import read
from comptoir.flows.agreements import auth_code, consent_address
from comptoir.kernel.clock import china_day, utc_now
from comptoir.kernel.money import Money
from comptoir.web.cashier.back import with_parameters
from comptoir.web.cashier.guard import code_picture, following, in_our_wallet
from comptoir.web.components.access import open_page

_OURS: Final = ("authCode", "authState", "subscriptionRequestId", "agreed")


@open_page(secret_address=True)
@require_safe
def agreement(request: HttpRequest, code: str) -> HttpResponse:
    """One agreement: to be scanned while it is open; approved, the way back; else what became of it."""
    found, merchant = _find(code)
    now = utc_now()
    subscription = _subscription(found)
    agreed = AgreementState.APPROVED if subscription is None else AgreementState.ACTIVE
    is_open = found.state is AgreementState.OPEN and now < found.expires_at
    if not is_open and request.headers.get("HX-Request"):
        return HttpResponse(headers={"HX-Refresh": "true"})
    if found.state is agreed and found.grant_expires_at is not None and now < found.grant_expires_at:
        return HttpResponseRedirect(_way_back(found, subscription, auth_code(code)))
    page = {
        "code": code,
        "wallet": in_our_wallet(consent_address(settings.COMPTOIR.public_url, code)),
        "payee": merchant,
        "state": _state(found, subscription, is_open),
        "expires_at": found.expires_at,
        "minutes": max(0, int((found.expires_at - now).total_seconds()) // 60),
        "back": _way_back(found, subscription) if found.state is AgreementState.DECLINED else None,
        "subscription": subscription and _terms(subscription),
    }
    if is_open:
        return following(request, "cashier/agreement.html", page, str(page["state"]))
    return render(request, "cashier/agreement.html", page)


@open_page(secret_address=True)
@require_safe
def code_image(request: HttpRequest, code: str) -> HttpResponse:
    """The page's own address as a QR picture (SVG)."""
    _find(code)
    return code_picture(consent_address(settings.COMPTOIR.public_url, code))


def _subscription(found: AgreementView) -> SubscriptionView | None:
    """The subscription that the agreement is for, if it is for one."""
    rows = read(acquiring.subscriptions_by_id([(found.merchant_id, found.id)]))
    return next(iter(acquiring.decode_subscriptions(rows)), None)


def _terms(one: SubscriptionView) -> dict[str, object]:
    """What is to be paid when, for people."""
    most = Money(one.ceiling, one.amount.currency)
    return {
        "description": one.description,
        "amount": one.amount,
        "most": most if most.minor > one.amount.minor else None,
        "every": _every(one.period),
        "start": china_day(one.start_at),
        "end": china_day(one.end_at) if one.end_at else None,
        "trials": [(t.first, t.last, Money(t.amount, one.amount.currency)) for t in one.trials],
    }


def _every(period: Period) -> str:
    """How often, in the page's language."""
    count = period.count
    match period.kind:
        case PeriodType.DAY:
            text = ngettext("every day", "every %(count)s days", count)
        case PeriodType.WEEK:
            text = ngettext("every week", "every %(count)s weeks", count)
        case PeriodType.MONTH:
            text = ngettext("every month", "every %(count)s months", count)
        case PeriodType.QUARTER:
            text = ngettext("every quarter", "every %(count)s quarters", count)
        case PeriodType.HALF_YEAR:
            text = ngettext("every half year", "every %(count)s half years", count)
        case PeriodType.YEAR:
            text = ngettext("every year", "every %(count)s years", count)
    return text % {"count": count}


def _find(code: str) -> tuple[AgreementView, str]:
    """The agreement of this page and its merchant's name. Raises Http404."""
    found = acquiring.decode_agreements(read(acquiring.agreements_by_code([code])))
    if not found:
        raise Http404("no such agreement")
    merchants = acquiring.decode_merchants(read(acquiring.merchants([found[0].merchant_id])))
    return found[0], merchants[found[0].merchant_id].name


def _state(found: AgreementView, subscription: SubscriptionView | None, is_open: bool) -> str:
    """open, agreed, declined, withdrawn (by the shop), ended, or expired (nobody approved it in time)."""
    if is_open:
        return "open"
    if acquiring.rules.is_withdrawn(found, subscription):
        return "withdrawn"
    known = {
        AgreementState.ACTIVE: "agreed",
        AgreementState.DECLINED: "declined",
        AgreementState.ENDED: "ended",
    }
    return known.get(found.state, "expired")


def _way_back(found: AgreementView, subscription: SubscriptionView | None, code: str | None = None) -> str:
    """The shop's address with what it is told, each once, whatever stood in it before.

    That is the code and the shop's own state; of a subscription its request's id, and whether it was agreed.
    """
    if subscription is not None:
        ours = [("subscriptionRequestId", found.state_ref), ("agreed", "true" if code else "false")]
    else:
        ours = [*([("authCode", code)] if code else []), ("authState", found.state_ref)]
    return with_parameters(urlsplit(found.redirect_url), ours, _OURS)
