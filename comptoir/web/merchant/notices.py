"""What the merchant's servers were told: the log, and telling one of them again."""

from __future__ import annotations

import contextlib
from typing import Final
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from comptoir.acquiring import api as acquiring
from comptoir.db.run import read
from comptoir.flows.history import payment_history
from comptoir.flows.notifications import log
from comptoir.flows.notifications.log import Notice, NoticeState
from comptoir.identity import api as identity
from comptoir.kernel.errors import InvalidValue
from comptoir.kernel.ids import parse_id
from comptoir.web.components.access import Visitor, not_theirs, page_for
from comptoir.web.merchant import words
from comptoir.web.merchant.frame import ACTORS, READERS, id_of, show, shown_merchant, with_query

_PAGE: Final = 50


@page_for(*READERS)
@require_safe
def notices(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """The log, the newest first; or all that was told about one payment."""
    merchant_id = shown_merchant(visitor, request)
    try:
        before = parse_id(request.GET["after"], "after") if request.GET.get("after") else None
    except InvalidValue:
        before = None
    client_refs = [one.client_ref for one in identity.clients(merchant_id)]
    client_ref, undone = request.GET.get("client") or None, bool(request.GET.get("undone"))
    sought = request.GET.get("q", "").strip()
    if sought:
        found = [
            one
            for one in _about(merchant_id, sought, client_refs)
            if client_ref in (None, one.client_ref) and not (undone and one.state is NoticeState.ACKNOWLEDGED)
        ]
        shown, more = found, False
    else:
        found = log.notices(merchant_id, _PAGE + 1, before=before, client_ref=client_ref, undone=undone)
        shown, more = found[:_PAGE], len(found) > _PAGE
    behind, path = log.payments_behind(merchant_id, shown), reverse("merchant-notices")
    return show(
        request,
        visitor,
        "notices.html",
        "merchant-notices",
        notices=[(one, words.notice(one.kind), behind.get(one.id)) for one in shown],
        clients=client_refs,
        query=request.GET,
        older=with_query(path, request.GET, after=shown[-1].id.hex) if more else None,
        newer=with_query(path, request.GET, after=None) if before and not sought else None,
    )


def _about(merchant_id: UUID, number: str, client_refs: list[str]) -> list[Notice]:
    """What was told about a payment, and what was done to it: by our number or the caller's, in full."""
    asked = [
        acquiring.payments_by_request(
            [(merchant_id, one, number.replace("\0", "")) for one in (*client_refs, acquiring.STAFF)]
        )
    ]
    with contextlib.suppress(InvalidValue):
        asked.append(acquiring.payments_by_id([(merchant_id, parse_id(number, "q"))]))
    payments = {one.id for rows in asked for one in acquiring.decode_payments(read(rows))}
    histories = [payment_history(merchant_id, one) for one in payments]
    told = [notice for one in histories if one is not None for notice in one.notices]
    return sorted(told, key=lambda one: one.id, reverse=True)


@page_for(*ACTORS)
@require_POST
def resend(request: HttpRequest, visitor: Visitor, notice_id: str) -> HttpResponse:
    """Tell it again; a second click within seconds does nothing more."""
    merchant_id, wanted = shown_merchant(visitor, request), id_of(notice_id)
    try:
        with transaction.atomic():
            log.resend(merchant_id, wanted, visitor.now)
            visitor.did("notification.resend", ("notification", wanted.hex))
    except log.NoticeUnknown:
        not_theirs()
    except log.ResentTooSoon:
        messages.info(request, gettext("It is on its way already."))
    else:
        messages.success(request, gettext("It is sent again now."))
    back = request.POST.get("back", "")
    safe = url_has_allowed_host_and_scheme(back, None) and back.startswith("/")
    return HttpResponseRedirect(back if safe else reverse("merchant-notices"), status=303)
