"""What the merchant's servers were told: the log, and telling one of them again."""

from __future__ import annotations

from typing import Final

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from comptoir.flows.notifications import log
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
    """The log, the newest first."""
    merchant_id = shown_merchant(visitor, request)
    try:
        before = parse_id(request.GET["after"], "after") if request.GET.get("after") else None
    except InvalidValue:
        before = None
    found = log.notices(
        merchant_id,
        _PAGE + 1,
        before=before,
        client_ref=request.GET.get("client") or None,
        undone=bool(request.GET.get("undone")),
    )
    shown, path = found[:_PAGE], reverse("merchant-notices")
    return show(
        request,
        visitor,
        "notices.html",
        "merchant-notices",
        notices=[(one, words.notice(one.kind)) for one in shown],
        clients=[one.client_ref for one in identity.clients(merchant_id)],
        query=request.GET,
        older=with_query(path, request.GET, after=shown[-1].id.hex) if len(found) > _PAGE else None,
        newer=with_query(path, request.GET, after=None) if before else None,
    )


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
