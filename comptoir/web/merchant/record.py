"""Who did what at the desk and the counters."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from comptoir.identity import api as identity
from comptoir.kernel.errors import InvalidValue
from comptoir.kernel.ids import OPERATOR, parse_id
from comptoir.web.components.access import Visitor, page_for
from comptoir.web.merchant import words
from comptoir.web.merchant.frame import OWNERS, show, with_query


@page_for(*OWNERS)
@require_safe
def record(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """The record of the merchant, the newest first, of everybody or of one person."""
    try:
        before = parse_id(request.GET["after"], "after") if request.GET.get("after") else None
        person = parse_id(request.GET["person"], "person") if request.GET.get("person") else None
    except InvalidValue:
        before = person = None
    page = identity.actions(visitor.merchant_id, before=before, person_id=person)
    staff = identity.staff(visitor.merchant_id)
    names = {one.id.hex: one.display_name for one in staff} | {OPERATOR.hex: gettext("The operator")}
    logins = {one.login: one.display_name for one in staff}
    path = reverse("merchant-record")
    entries = [
        {
            "entry": one,
            "name": names.get(one.person_id.hex, one.person_id.hex),
            "did": words.action(one.action),
            "kind": words.subject(one.subject_kind),
            "whom": names.get(one.subject_id),
            "details": [
                words.detail(name, value, logins)
                for name, value in one.details.items()
                if value not in ("", None)
            ],
        }
        for one in page.entries
    ]
    return show(
        request,
        visitor,
        "record.html",
        "merchant-record",
        entries=entries,
        staff=staff,
        person=person.hex if person else "",
        older=with_query(path, request.GET, after=page.older.hex) if page.older else None,
        newer=with_query(path, request.GET, after=None) if before else None,
    )
