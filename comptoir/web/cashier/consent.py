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
from django.views.decorators.http import require_safe

from comptoir.acquiring import api as acquiring
from comptoir.acquiring.api import AgreementState, AgreementView, PeriodType, SubscriptionView
from comptoir.db.run import read
from comptoir.flows.agreements import auth_code, consent_address
from comptoir.kernel.clock import CHINA, utc_now
from comptoir.kernel.money import Money
from comptoir.web.cashier.back import with_parameters
from comptoir.web.cashier.guard import AGAIN_SECONDS, code_picture, shown
from comptoir.web.components.access import open_page

_OURS: Final = ("authCode", "authState", "subscriptionRequestId", "agreed")

#: The unit of a period, in Chinese and English.
_UNITS: Final = {
    PeriodType.DAY: ("天", "day(s)"),
    PeriodType.WEEK: ("周", "week(s)"),
    PeriodType.MONTH: ("个月", "month(s)"),
    PeriodType.QUARTER: ("个季度", "quarter(s)"),
    PeriodType.HALF_YEAR: ("个半年", "half year(s)"),
    PeriodType.YEAR: ("年", "year(s)"),
}


@open_page(secret_address=True)
@require_safe
def agreement(request: HttpRequest, code: str) -> HttpResponse:
    """One agreement: to be scanned while it is open; approved, the way back; else what became of it."""
    found, merchant = _find(code)
    now = utc_now()
    subscription = _subscription(found)
    agreed = AgreementState.APPROVED if subscription is None else AgreementState.ACTIVE
    if found.state is agreed and found.grant_expires_at is not None and now < found.grant_expires_at:
        return HttpResponseRedirect(_way_back(found, subscription, auth_code(code)))
    is_open = found.state is AgreementState.OPEN and now < found.expires_at
    page = {
        "code": code,
        "payee": merchant,
        "state": _state(found, is_open),
        "minutes": max(0, int((found.expires_at - now).total_seconds()) // 60),
        "back": _way_back(found, subscription) if found.state is AgreementState.DECLINED else None,
        "subscription": subscription and _terms(subscription),
    }
    response = render(request, "cashier/agreement.html", page)
    if is_open:
        response["Refresh"] = str(AGAIN_SECONDS)
    return response


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
        "amount": shown(one.amount),
        "most": shown(most) if most.minor > one.amount.minor else None,
        "every_zh": f"每 {one.period.count} {_UNITS[one.period.kind][0]}",
        "every_en": f"every {one.period.count} {_UNITS[one.period.kind][1]}",
        "start": one.start_at.astimezone(CHINA).strftime("%Y-%m-%d"),
        "end": one.end_at.astimezone(CHINA).strftime("%Y-%m-%d") if one.end_at else None,
        "trials": [(t.first, t.last, shown(Money(t.amount, one.amount.currency))) for t in one.trials],
    }


def _find(code: str) -> tuple[AgreementView, str]:
    """The agreement of this page and its merchant's name. Raises Http404."""
    found = acquiring.decode_agreements(read(acquiring.agreements_by_code([code])))
    if not found:
        raise Http404("no such agreement")
    merchants = acquiring.decode_merchants(read(acquiring.merchants([found[0].merchant_id])))
    return found[0], merchants[found[0].merchant_id].name


def _state(found: AgreementView, is_open: bool) -> str:
    """open, agreed, declined, ended, or expired (nobody approved it, or the shop came too late)."""
    if is_open:
        return "open"
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
