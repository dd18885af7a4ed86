"""Payments: the list with its filters, one payment with its history, and giving money back."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db import DatabaseError, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from comptoir.acquiring import api as acquiring
from comptoir.acquiring.api import MerchantSummary, PaymentFilter, PaymentState, PaymentView, Product
from comptoir.db.run import read
from comptoir.flows import api as flows
from comptoir.flows.history import Event, Happened, PaymentHistory, payment_history
from comptoir.kernel.currencies import EXPONENTS
from comptoir.kernel.errors import InvalidValue
from comptoir.kernel.ids import new_id, parse_id
from comptoir.kernel.money import Money
from comptoir.web.components.access import Visitor, not_theirs, page_for, recently_authenticated
from comptoir.web.components.amounts import spelled, typed_amount, typed_money
from comptoir.web.components.asking import desk
from comptoir.web.components.people import Sellers
from comptoir.web.components.places import marked, place_in
from comptoir.web.components.refund_reasons import REFUND_REASONS
from comptoir.web.components.wallets import wallet_name
from comptoir.web.merchant import words
from comptoir.web.merchant.doers import Doer, doers_of
from comptoir.web.merchant.frame import (
    ACTORS,
    READERS,
    Period,
    id_of,
    merchant_of,
    period_of,
    show,
    shown_merchant,
    with_query,
)

PAGE: Final = 50
#: Payments that a page looks through for those that fit: well within a tenth of a second (decision 0043).
STRETCH: Final = 20_000
_LONGEST_SEARCH: Final = 64


@page_for(*READERS)
@require_safe
def payments(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """The payments of a period that fit the filters, the newest first."""
    merchant = merchant_of(visitor, request)
    period = period_of(request.GET, visitor.now)
    wanted = filter_of(request.GET, merchant, period)
    after = place_in(request.GET.get("after"))
    narrow = wanted != wanted.whole
    end = next(iter(read(acquiring.stretch(wanted, STRETCH, after))), None) if narrow else None
    found = acquiring.decode_payments(read(acquiring.payments_page(wanted, PAGE + 1, after, end)))
    shown, more = found[:PAGE], len(found) > PAGE
    last = acquiring.place(shown[-1]) if more else end
    path = reverse("merchant-payments")
    names = _store_names(merchant)
    return show(
        request,
        visitor,
        "payments.html",
        "merchant-payments",
        merchant=merchant,
        period=period,
        store_ref=wanted.store_ref,
        wanted=wanted,
        payments=[_line(one, names) for one in shown],
        states=list(PaymentState),
        products=[(one, _PRODUCTS[one]) for one in Product],
        currencies=_currencies(merchant, wanted),
        wrong=_wrong(request.GET, wanted),
        query=request.GET,
        export=with_query("", request.GET, after=None),
        looked_until=None if more or end is None else end[0],
        older=with_query(path, request.GET, after=marked(last)) if last else None,
        newer=with_query(path, request.GET, after=None) if after else None,
    )


@page_for(*READERS)
@require_safe
def payment(request: HttpRequest, visitor: Visitor, payment_id: str) -> HttpResponse:
    """One payment with everything that happened to it."""
    found = _find(request, visitor, payment_id)
    one = found.payment
    doers = doers_of(visitor, "payment", [one.id])
    doers |= doers_of(visitor, "dispute", [dispute.id for dispute in found.disputes])
    seller = Sellers(visitor).of(one)
    by_instant = {at: doer for (_subject, at), doer in doers.items()}
    return show(
        request,
        visitor,
        "payment.html",
        "merchant-payments",
        payment=one,
        state=state_of(one),
        product=_PRODUCTS[one.product],
        left=acquiring.rules.refundable(one),
        why=words.reason(one.failure_code),
        wallet=wallet_name(one.issuer) if one.issuer else "",
        store=_store_names(merchant_of(visitor, request)).get(one.store_ref or "", one.store_ref),
        by=words.client(one.client_ref, seller),
        events=[_event(event, by_instant, seller) for event in found.events],
        postings=[(line, *words.posting(line)) for line in found.postings],
        notices=[(notice, words.notice(notice.kind)) for notice in found.notices],
        disputes=found.disputes,
    )


class RefundForm(forms.Form):
    """How much, why, and the mark of the page: sent twice, it gives back once."""

    amount = forms.CharField(
        label=_("Amount"), max_length=16, widget=forms.TextInput(attrs={"inputmode": "decimal"})
    )
    reason = forms.ChoiceField(label=_("Reason"), choices=list(REFUND_REASONS.items()))
    note = forms.CharField(label=_("Note (not shown to the customer)"), max_length=120, required=False)
    attempt = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, payment: PaymentView, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._currency = payment.amount.currency

    def clean_amount(self) -> Money:
        """With a point or a comma."""
        amount = typed_amount(self.cleaned_data["amount"], self._currency)
        if amount is None:
            raise forms.ValidationError(gettext("This is no amount."))
        return amount

    def clean_attempt(self) -> UUID:
        """The page's own mark."""
        try:
            return parse_id(self.cleaned_data["attempt"], "attempt")
        except InvalidValue:
            raise forms.ValidationError(gettext("Open the page again.")) from None

    @property
    def why(self) -> str:
        """The reason as it is kept: what was chosen, and the note."""
        chosen, note = self.cleaned_data["reason"], self.cleaned_data["note"].strip()
        return f"{chosen}: {note}" if note else str(chosen)


@page_for(*ACTORS)
@recently_authenticated
@require_http_methods(["GET", "HEAD", "POST"])
def refund(request: HttpRequest, visitor: Visitor, payment_id: str) -> HttpResponse:
    """Give back all or part of a payment, whoever took it."""
    one = _find(request, visitor, payment_id).payment
    initial = {"amount": spelled(acquiring.rules.refundable(one)), "attempt": new_id().hex}
    form = RefundForm(request.POST or None, payment=one, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            outcome = _give_back(one, form, visitor)
        except DatabaseError:
            # Perhaps it was given back, perhaps not: the same attempt finds out.
            form.add_error(None, gettext("No answer from the books. Send it again: it is given back once."))
            return _refund_page(request, visitor, one, form, 503)
        if outcome.code in (flows.OK, flows.REFUND_IN_PROCESS):
            done = outcome.code == flows.OK
            messages.success(
                request, gettext("Refunded.") if done else gettext("The customer's wallet is being asked.")
            )
            return HttpResponseRedirect(reverse("merchant-payment", args=[one.id.hex]), status=303)
        if outcome.code == acquiring.errors.REQUEST_REUSED:
            # Perhaps that one gave back what somebody wants to give back now: it is to be seen first.
            messages.warning(request, words.reason(outcome.code))
            return HttpResponseRedirect(reverse("merchant-payment", args=[one.id.hex]), status=303)
        form.add_error(None, words.reason(outcome.code))
        # The refusal is this attempt's answer for ever: what is sent next is another one.
        form.data = {**request.POST.dict(), "attempt": new_id().hex}
    return _refund_page(request, visitor, one, form)


def filter_of(given: QueryDict, merchant: MerchantSummary, period: Period) -> PaymentFilter:
    """The filters that an address names; what it names wrongly does not matter.

    Amounts are of one currency: of the one that is named, or the one that the merchant is settled in.
    """
    named = given.get("currency")
    currency = named if named in EXPONENTS else None
    if currency is None and (given.get("least") or given.get("most")):
        currency = _charged(merchant)[0]
    return PaymentFilter(
        merchant_id=merchant.id,
        start=period.begin,
        end=period.end,
        store_ref=given.get("store") or None,
        state=_one_of(PaymentState, given.get("state")),
        issuer=given.get("wallet") or None,
        product=_one_of(Product, given.get("product")),
        currency=currency,
        least=_minor(given.get("least"), currency),
        most=_minor(given.get("most"), currency),
        text=(given.get("q") or "").strip()[:_LONGEST_SEARCH].replace("\0", "") or None,
    )


def state_of(one: PaymentView) -> str:
    """The state as people see it: a paid one may be refunded, an authorized one is held."""
    if one.state is not PaymentState.SUCCESS:
        return one.state.value
    if one.capture_mode and not one.captured:
        return "held"
    if not one.refunded:
        return "success"
    return "refunded" if one.refunded >= acquiring.rules.taken(one) else "partly_refunded"


_PRODUCTS: Final = {
    Product.IN_STORE: _("In store"),
    Product.CASHIER: _("Online"),
    Product.AGREEMENT: _("By agreement"),
}


def _give_back(one: PaymentView, form: RefundForm, visitor: Visitor) -> flows.Outcome:
    """Once for each page that was sent; what the books refused is in the record as well."""
    amount: Money = form.cleaned_data["amount"]
    attempt: UUID = form.cleaned_data["attempt"]
    with transaction.atomic():
        outcome = flows.give_back(one, amount, attempt, visitor.now, desk(), form.why, prefix="desk-")
        if outcome.refund is not None:
            about = ("payment", one.id.hex)
            visitor.did("refund.create", about, amount=str(amount), why=form.why, outcome=outcome.code)
    return outcome


def _refund_page(
    request: HttpRequest, visitor: Visitor, one: PaymentView, form: RefundForm, status: int = 200
) -> HttpResponse:
    return show(
        request,
        visitor,
        "refund.html",
        "merchant-payments",
        status,
        payment=one,
        form=form,
        left=acquiring.rules.refundable(one),
        state=state_of(one),
    )


def _find(request: HttpRequest, visitor: Visitor, payment_id: str) -> PaymentHistory:
    """The merchant's payment of an address. Raises Http404."""
    found = payment_history(shown_merchant(visitor, request), id_of(payment_id))
    if found is None:
        not_theirs()
    return found


def _event(one: Event, doers: dict[datetime, Doer], seller: str | None) -> dict[str, Any]:
    asked = words.client(one.by, seller if one.what is Happened.ASKED else None)
    said, kind = words.event(one.what)
    by_hand = one.by in (None, acquiring.STAFF)
    return {
        "at": one.at,
        "said": said,
        "kind": kind,
        "amount": one.amount,
        "by": words.doer(doers[one.at]) if by_hand and one.at in doers else asked,
        "why": words.reason(one.why),
    }


def _store_names(merchant: MerchantSummary) -> dict[str, str]:
    return {one.ref: one.name for one in merchant.stores}


def _line(one: PaymentView, names: dict[str, str]) -> dict[str, Any]:
    return {
        "payment": one,
        "state": state_of(one),
        "store": names.get(one.store_ref or "", one.store_ref or ""),
        "wallet": wallet_name(one.issuer) if one.issuer else "",
        "why": words.reason(one.failure_code),
    }


def _one_of(kind: Any, text: str | None) -> Any:
    try:
        return kind(text) if text else None
    except ValueError:
        return None


def _minor(text: str | None, currency: str | None) -> int | None:
    amount = typed_money(text, currency) if text and currency else None
    return amount.minor if amount else None


def _charged(merchant: MerchantSummary) -> list[str]:
    """What the merchant may charge in; what it is settled in first."""
    settled = {terms.settlement_currency for terms in merchant.contracts}
    charged = dict.fromkeys(one for terms in merchant.contracts for one in terms.payment_currencies)
    return sorted(charged, key=lambda one: one not in settled) or ["EUR"]


def _currencies(merchant: MerchantSummary, wanted: PaymentFilter) -> list[str]:
    """What there is to choose from: the merchant's currencies, and the one that is chosen."""
    found = _charged(merchant)
    return found if wanted.currency in (None, *found) else [*found, str(wanted.currency)]


def _wrong(given: QueryDict, wanted: PaymentFilter) -> list[str]:
    """The amounts that could not be read, and do not matter therefore."""
    read_as = {"least": wanted.least, "most": wanted.most}
    return [name for name, minor in read_as.items() if given.get(name) and minor is None]
