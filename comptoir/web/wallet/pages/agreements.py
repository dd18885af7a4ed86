"""Shops that may debit without asking: agreeing to it, looking at it, ending it."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from comptoir.acquiring import api as acquiring
from comptoir.acquiring.api import AgreementState, PeriodType, SubscriptionView
from comptoir.db.run import read
from comptoir.flows.agreements import check_consent_code
from comptoir.flows.api import OK, ApproveAgreement, DeclineAgreement, EndAgreement
from comptoir.kernel.errors import InvalidValue
from comptoir.kernel.money import Money
from comptoir.wallet import api as wallet
from comptoir.wallet.api import AgreementView, PinRefused, PinUnfit
from comptoir.web.components.access import not_theirs
from comptoir.web.components.amounts import spelled, typed_amount
from comptoir.web.wallet.claiming import busy
from comptoir.web.wallet.doing import do, pin_problem, refusal
from comptoir.web.wallet.holder import Holder, holders_page

_UNITS: Final = {
    PeriodType.DAY: gettext_lazy("Every %(count)s day(s)"),
    PeriodType.WEEK: gettext_lazy("Every %(count)s week(s)"),
    PeriodType.MONTH: gettext_lazy("Every %(count)s month(s)"),
    PeriodType.QUARTER: gettext_lazy("Every %(count)s quarter(s)"),
    PeriodType.HALF_YEAR: gettext_lazy("Every %(count)s half-year(s)"),
    PeriodType.YEAR: gettext_lazy("Every %(count)s year(s)"),
}


@require_safe
@holders_page()
def agreements(request: HttpRequest, holder: Holder) -> HttpResponse:
    """Which shops may debit the wallet, and which once might."""
    found = wallet.agreements_of(holder.wallet_id, holder.now)
    page = {
        "tab": "me",
        "active": [one for one in found if one.ended_at is None],
        "ended": [one for one in found if one.ended_at is not None],
    }
    return render(request, "wallet/agreements.html", page)


@require_http_methods(["GET", "HEAD", "POST"])
@holders_page()
def agreement(request: HttpRequest, holder: Holder, agreement_id: UUID) -> HttpResponse:
    """One agreement with its limits; ending it takes one confirmation and no PIN, and is for good."""
    found = _own(holder, agreement_id)
    problem = ""
    if request.method == "POST":
        try:
            outcome = do(EndAgreement(wallet_id=holder.wallet_id, agreement_id=found.id), holder.now)
        except DatabaseError:
            problem = busy()
        else:
            if outcome.code == OK:
                holder.did("wallet.agreement_ended", agreement=found.id.hex)
                return redirect("wallet-agreement", found.id)
            problem = refusal(outcome.code)
    currency = _currency(holder)
    page = {
        "tab": "me",
        "agreement": found,
        "at_once": Money(found.payment_limit, currency),
        "a_day": Money(found.day_limit, currency),
        "spent": Money(found.spent, currency),
        "subscription": _terms(_subscription(found.merchant_id, found.id)),
        "problem": problem,
    }
    return render(request, "wallet/agreement.html", page)


@require_http_methods(["GET", "HEAD", "POST"])
@holders_page()
def consent(request: HttpRequest, holder: Holder, code: str) -> HttpResponse:
    """What a shop asks for the future: approved with the PIN and within limits; or declined."""
    asked = _asked(code)
    merchants = acquiring.decode_merchants(read(acquiring.merchants([asked.merchant_id])))
    subscription = _subscription(asked.merchant_id, asked.id)
    standing = wallet.standing(holder.wallet_id)
    currency = _currency(holder)
    page: dict[str, Any] = {
        "tab": "scan",
        "code": code,
        "payee": merchants[asked.merchant_id].name,
        "open": asked.state is AgreementState.OPEN and holder.now < asked.expires_at,
        "mine": asked.wallet_id == holder.wallet_id,
        "agreement_id": asked.id,
        "declined": asked.state is AgreementState.DECLINED,
        "withdrawn": acquiring.rules.is_withdrawn(asked, subscription),
        "until": asked.expires_at,
        "subscription": _terms(subscription),
        "currency": currency,
        "at_once": request.POST.get("at_once", spelled(Money(standing.limits.no_pin, currency))),
        "a_day": request.POST.get("a_day", spelled(Money(standing.limits.payment, currency))),
    }
    if request.method == "POST":
        try:
            page["refused"] = _answer(request, holder, code, currency, subscription)
        except (PinRefused, PinUnfit) as wrong:
            page["problem"] = pin_problem(wrong)
        except DatabaseError:
            page["refused"] = busy()
        if not page.get("problem") and not page.get("refused"):
            return redirect("wallet-consent", code)
    return render(request, "wallet/consent.html", page)


def _answer(
    request: HttpRequest,
    holder: Holder,
    code: str,
    currency: str,
    subscription: SubscriptionView | None,
) -> str | None:
    """Carry out the answer; what is wrong with it, or None. Raises PinRefused, PinUnfit, DatabaseError."""
    if request.POST.get("answer") == "decline":
        outcome = do(DeclineAgreement(consent_code=code), holder.now)
        return None if outcome.code == OK else refusal(outcome.code)
    at_once = a_day = None
    if subscription is None:
        limits = [typed_amount(request.POST.get(name, ""), currency) for name in ("at_once", "a_day")]
        if limits[0] is None or limits[1] is None:
            return gettext("Type both limits as amounts, such as 500.")
        at_once, a_day = limits[0].minor, limits[1].minor
    wallet.check_pin(holder.wallet_id, request.POST.get("pin", ""), holder.now)
    command = ApproveAgreement(
        consent_code=code, wallet_id=holder.wallet_id, payment_limit=at_once, day_limit=a_day
    )
    outcome = do(command, holder.now)
    if outcome.code != OK or outcome.agreement is None:
        return refusal(outcome.code)
    holder.did("wallet.agreement_approved", agreement=outcome.agreement.id.hex)
    return None


def _asked(code: str) -> acquiring.AgreementView:
    try:
        check_consent_code(code)
    except InvalidValue:
        not_theirs()
    found = acquiring.decode_agreements(read(acquiring.agreements_by_code([code])))
    return found[0] if found else not_theirs()


def _own(holder: Holder, agreement_id: UUID) -> AgreementView:
    found = wallet.agreements_of(holder.wallet_id, holder.now)
    return next((one for one in found if one.id == agreement_id), None) or not_theirs()


def _currency(holder: Holder) -> str:
    return wallet.wallet_summary(holder.wallet_id, holder.now).wallet.currency


def _subscription(merchant_id: UUID, agreement_id: UUID) -> SubscriptionView | None:
    """The subscription that an agreement is for, if it is for one: they share their id."""
    rows = read(acquiring.subscriptions_by_id([(merchant_id, agreement_id)]))
    return next(iter(acquiring.decode_subscriptions(rows)), None)


def _terms(one: SubscriptionView | None) -> dict[str, Any] | None:
    """What is to be paid when."""
    if one is None:
        return None
    return {
        "description": one.description,
        "amount": one.amount,
        "most": Money(one.ceiling, one.amount.currency) if one.ceiling > one.amount.minor else None,
        "every": _UNITS[one.period.kind] % {"count": one.period.count},
        "start": one.start_at,
        "end": one.end_at,
        "trials": [(t.first, t.last, Money(t.amount, one.amount.currency)) for t in one.trials],
    }
