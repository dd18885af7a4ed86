"""Disputes: what was claimed, until when it is to be answered, and the answer."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from comptoir.acquiring import api as acquiring
from comptoir.acquiring.api import AcceptReason, DisputeKind, DisputeState, DisputeView, DocumentRole
from comptoir.db.run import read
from comptoir.flows import api as flows
from comptoir.web.components.access import Visitor, not_theirs, page_for, recently_authenticated
from comptoir.web.components.asking import desk
from comptoir.web.components.places import marked, place_in
from comptoir.web.merchant import words
from comptoir.web.merchant.frame import ACTORS, READERS, id_of, show, shown_merchant, with_query

_PAGE: Final = 50

_KINDS: Final = {
    DisputeKind.CHARGEBACK: _("Chargeback"),
    DisputeKind.RETRIEVAL_REQUEST: _("Papers asked for"),
    DisputeKind.COMPLIANCE_REQUEST: _("Papers asked for"),
}
_STATES: Final = {
    DisputeState.OPEN: (_("Waits for you"), "badge-warn"),
    DisputeState.DEFENDED: (_("Is being judged"), "badge-info"),
    DisputeState.ACCEPTED: (_("Accepted"), ""),
    DisputeState.WON: (_("Won"), "badge-good"),
    DisputeState.LOST: (_("Lost"), "badge-bad"),
    DisputeState.CANCELLED: (_("Withdrawn"), ""),
}


@page_for(*READERS)
@require_safe
def disputes(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """All disputes, the newest first."""
    after = place_in(request.GET.get("after"))
    merchant_id = shown_merchant(visitor, request)
    rows = read(acquiring.disputes_listed(_PAGE + 1, merchant_id, only_waiting=False, after=after))
    found = acquiring.decode_disputes(rows)
    shown, more = found[:_PAGE], len(found) > _PAGE
    path = reverse("merchant-disputes")
    return show(
        request,
        visitor,
        "disputes.html",
        "merchant-disputes",
        disputes=[_shown(one) for one in shown],
        older=with_query(path, request.GET, after=marked(acquiring.place(shown[-1]))) if more else None,
        newer=with_query(path, request.GET, after=None) if after else None,
    )


@page_for(*READERS)
@require_safe
def dispute(request: HttpRequest, visitor: Visitor, dispute_id: str) -> HttpResponse:
    """One dispute, and the ways to answer it."""
    one = _find(request, visitor, dispute_id)
    papers = [
        role.value for role in DocumentRole if read(acquiring.dispute_document(one.merchant_id, one.id, role))
    ]
    open_now = one.state is DisputeState.OPEN and visitor.now < one.due_at
    return show(
        request, visitor, "dispute.html", "merchant-disputes", **_shown(one), papers=papers, open_now=open_now
    )


@page_for(*READERS)
@require_safe
def paper(request: HttpRequest, visitor: Visitor, dispute_id: str, role: str) -> HttpResponse:
    """A document of a dispute, to be kept, never shown within our pages."""
    one = _find(request, visitor, dispute_id)
    if role not in {known.value for known in DocumentRole}:
        not_theirs()
    found = acquiring.decode_document(
        read(acquiring.dispute_document(one.merchant_id, one.id, DocumentRole(role)))
    )
    if found is None:
        not_theirs()
    kind, content = found
    response = HttpResponse(content, content_type="application/octet-stream")
    response["Content-Disposition"] = f'attachment; filename="{role}-{one.id.hex}.{_ENDINGS[kind.value]}"'
    return response


@page_for(*ACTORS)
@recently_authenticated
@require_POST
def accept(request: HttpRequest, visitor: Visitor, dispute_id: str) -> HttpResponse:
    """Give in: the money goes back."""
    one = _find(request, visitor, dispute_id)
    command = flows.AcceptDispute(
        merchant_id=one.merchant_id,
        payment_id=one.payment_id,
        dispute_id=one.id,
        reason=AcceptReason.MERCHANT,
        call_id=f"desk-accept-{one.id.hex}",
    )
    return _answer(request, visitor, one, command, "dispute.accept")


@page_for(*ACTORS)
@recently_authenticated
@require_POST
def defend(request: HttpRequest, visitor: Visitor, dispute_id: str) -> HttpResponse:
    """Send the document that speaks for the merchant."""
    one = _find(request, visitor, dispute_id)
    file = request.FILES.get("document")
    try:
        content = file.read() if file else b""
        document = acquiring.seal_document(content, DocumentRole.DEFENSE, one.id)
    except acquiring.DocumentUnfit:
        messages.error(request, gettext("Send one PDF, Word or JPEG file of at most 750 kB."))
        return _back(one)
    command = flows.DefendDispute(
        merchant_id=one.merchant_id,
        payment_id=one.payment_id,
        dispute_id=one.id,
        document=document,
        call_id=f"desk-defend-{document.sha256.hex()[:40]}",
    )
    return _answer(request, visitor, one, command, "dispute.defend")


_ENDINGS: Final = {"PDF": "pdf", "WORD": "docx", "JPG": "jpg"}


def _answer(
    request: HttpRequest, visitor: Visitor, one: DisputeView, command: flows.Command, action: str
) -> HttpResponse:
    with transaction.atomic():
        [outcome] = flows.execute([command], visitor.now, desk())
        visitor.did(action, ("dispute", one.id.hex), outcome=outcome.code)
    if outcome.code == flows.OK:
        messages.success(request, gettext("Your answer is recorded."))
    else:
        messages.error(request, words.reason(outcome.code))
    return _back(one)


def _back(one: DisputeView) -> HttpResponse:
    return HttpResponseRedirect(reverse("merchant-dispute", args=[one.id.hex]), status=303)


def _find(request: HttpRequest, visitor: Visitor, dispute_id: str) -> DisputeView:
    key = (shown_merchant(visitor, request), id_of(dispute_id))
    found = acquiring.decode_disputes(read(acquiring.disputes_by_id([key])))
    if not found:
        not_theirs()
    return found[0]


def _shown(one: DisputeView) -> dict[str, Any]:
    state, style = _STATES[one.state]
    return {"dispute": one, "kind": _KINDS[one.kind], "state": state, "style": style}
