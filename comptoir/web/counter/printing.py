"""What is printed: receipts, as a page and as PDF, and the poster with the store's code."""

from __future__ import annotations

from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language, gettext, gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from comptoir.acquiring import api as acquiring
from comptoir.acquiring.api import STAFF, EntryCodeView, PaymentView, RefundState, RefundView, TillView
from comptoir.identity.api import Role
from comptoir.standards import entry_code
from comptoir.web.components.access import Visitor, not_theirs
from comptoir.web.components.templatetags.comptoir import moment, money, rate
from comptoir.web.components.wallets import wallet_name
from comptoir.web.counter import papers
from comptoir.web.counter.day import payment_page, was_paid
from comptoir.web.counter.outcomes import Sight, seen
from comptoir.web.counter.papers import Poster, Receipt
from comptoir.web.counter.place import counter_page
from comptoir.web.counter.sections import sections

#: A payment whose money moved has a receipt.
_PRINTED: Final = {
    Sight.PAID: (gettext_lazy("Payment receipt"), "付款凭证"),
    Sight.CANCELLED: (gettext_lazy("Cancelled"), "已撤销"),
}

_LONGEST_NAME: Final = 40


@payment_page
@require_safe
def receipt_page(
    request: HttpRequest, visitor: Visitor, till: TillView, found: PaymentView, refunds: list[RefundView]
) -> HttpResponse:
    """A receipt to print from the browser."""
    page = {
        "till": till,
        "sections": sections("day"),
        "payment": found,
        "receipt": _receipt(till, found, refunds, visitor),
    }
    return render(request, "counter/receipt.html", page)


@payment_page
@require_safe
def receipt_pdf(
    request: HttpRequest, visitor: Visitor, till: TillView, found: PaymentView, refunds: list[RefundView]
) -> HttpResponse:
    """The same receipt as PDF."""
    document = papers.receipt(_receipt(till, found, refunds, visitor))
    return _pdf(document, f"receipt-{found.id.hex[:12]}.pdf", "inline")


@counter_page()
@require_http_methods(["GET", "HEAD", "POST"])
def poster(request: HttpRequest, visitor: Visitor, till: TillView) -> HttpResponse:
    """The poster for the wall or the table: what is to stand on it, then the PDF.

    The store's code is the one that hangs there already. Where none does, a manager hangs up a first one,
    whose payments the counter shows.
    """
    currency = request.POST.get("currency") or request.GET.get("currency") or till.currencies[0]
    if currency not in till.currencies:
        currency = till.currencies[0]
    code = acquiring.entry_code_of_store(visitor.merchant_id, till.store_id, currency)
    may_hang = visitor.role in (Role.MANAGER, Role.OWNER)
    size = request.POST.get("size", "A6")
    if request.method == "POST" and size in papers.SIZES and (code is not None or may_hang):
        code = code or _hang_up(visitor, till, currency)
        visitor.did("poster.print", ("store", till.store_id.hex), currency=currency, size=size)
        chinese = " ".join(request.POST.get("chinese", "").split())[:_LONGEST_NAME]
        # To be kept, not shown: an app on the home screen has no way back from a document.
        return _pdf(papers.poster(_poster(till, code, chinese), size), f"poster-{size}.pdf", "attachment")
    page: dict[str, Any] = {
        "till": till,
        "sections": sections("poster"),
        "code": entry_code.build(settings.COMPTOIR.public_url, code.ref) if code else None,
        "may_hang": may_hang,
        "currency": currency,
        "sizes": list(papers.SIZES),
        "longest": _LONGEST_NAME,
    }
    return render(request, "counter/poster.html", page)


def _hang_up(visitor: Visitor, till: TillView, currency: str) -> EntryCodeView:
    acquiring.issue_entry_code(
        visitor.merchant_id,
        till.store_id,
        entry_code.new_ref(),
        currency=currency,
        client_ref=STAFF,
        now=visitor.now,
    )
    code = acquiring.entry_code_of_store(visitor.merchant_id, till.store_id, currency)
    return code or not_theirs()


def _poster(till: TillView, code: EntryCodeView, chinese_name: str) -> Poster:
    return Poster(
        name=till.store_name,
        chinese_name=chinese_name,
        place=till.city,
        address=entry_code.build(settings.COMPTOIR.public_url, code.ref),
        local_call=gettext("Scan to pay"),
        steps=("1  打开钱包，扫一扫", f"2  输入金额（{code.currency}）", "3  确认付款，请店员查看"),
        footer=f"{till.merchant_name} · {code.currency}",
    )


def _receipt(till: TillView, found: PaymentView, refunds: list[RefundView], visitor: Visitor) -> Receipt:
    """What stands on a payment's receipt. Raises Http404 for one that has none: nothing was paid."""
    heading = _PRINTED.get(seen(found, visitor.now).sight)
    if heading is None or found.finished_at is None or not was_paid(found):
        not_theirs()
    rows = [
        (_both(gettext("Date"), "日期"), moment(found.finished_at)),
        (_both(gettext("Paid with"), "支付方式"), wallet_name(found.issuer)),
    ]
    if found.wallet_total is not None:
        rows.append((_both(gettext("Paid by the wallet"), "钱包支付"), money(found.wallet_total)))
    if found.quote_price is not None and found.wallet_total is not None:
        shown = rate(found.quote_price, found.amount.currency, found.wallet_total.currency)
        rows.append((_both(gettext("Rate"), "汇率"), shown))
    rows += [
        (_both(gettext("Refunded"), "已退款"), f"−{money(one.amount)} · {moment(one.created_at)}")
        for one in refunds
        if one.state is not RefundState.FAIL
    ]
    if found.terminal_ref:
        rows.append((_both(gettext("Till"), "收银台"), found.terminal_ref))
    rows.append((_both(gettext("Payment"), "付款编号"), found.id.hex))
    return Receipt(
        heading=_both(str(heading[0]), heading[1]),
        shop=_shop(till, found),
        amount=money(found.amount),
        rows=tuple(rows),
        notes=("谢谢惠顾", gettext("A proof of payment, not an invoice.")),
    )


def _shop(till: TillView, found: PaymentView) -> tuple[str, ...]:
    """The shop's own name for the store, as the customer read it when paying, or the merchant's."""
    own = found.details.get("storeName")
    if found.store_ref == till.store_ref:
        return (till.store_name, till.merchant_name, till.city)
    return (str(own), till.merchant_name) if own else (till.merchant_name,)


def _both(text: str, chinese: str) -> str:
    """A label for the shop and for its customer."""
    return chinese if get_language() == "zh-hans" else f"{text} {chinese}"


def _pdf(document: bytes, name: str, how: str) -> HttpResponse:
    return HttpResponse(
        document,
        content_type="application/pdf",
        headers={"Content-Disposition": f'{how}; filename="{name}"'},
    )
