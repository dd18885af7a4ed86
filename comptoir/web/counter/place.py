"""Where a device stands: a store and a till, chosen once and kept in a cookie.

The cookie chooses, it does not allow: the till is looked up under the visitor's own merchant every time.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any, Final
from urllib.parse import quote, unquote, urlencode
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods

from comptoir.acquiring import api as acquiring
from comptoir.acquiring.api import TillView
from comptoir.identity.api import Role
from comptoir.kernel.errors import InvalidValue
from comptoir.kernel.ids import parse_id
from comptoir.web.components.access import Visitor, page_for
from comptoir.web.counter.sections import sections

#: Who works at a counter.
ROLES: Final = (Role.CASHIER, Role.MANAGER, Role.OWNER)

_COOKIE: Final = "counter_till"
_YEAR: Final = timedelta(days=365)

View = Callable[..., HttpResponse]


def counter_page(*, camera: bool = False) -> Callable[[View], View]:
    """A page of the counter: the view gets the request, its visitor and the till at which the device stands.

    A device that has no till yet is led to choose one. Days and hours on the page are those of the store.
    """

    def declare(view: View) -> View:
        @wraps(view)
        def placed(request: HttpRequest, visitor: Visitor, *args: Any, **kwargs: Any) -> HttpResponse:
            return at_till(request, visitor, lambda till: view(request, visitor, till, *args, **kwargs))

        return page_for(*ROLES, camera=camera)(placed)

    return declare


def at_till(request: HttpRequest, visitor: Visitor, view: Callable[[TillView], HttpResponse]) -> HttpResponse:
    """What `view` makes of the till at which the device stands, by the store's clock."""
    till = _till(request, visitor)
    if till is None:
        back = urlencode({"next": request.get_full_path()}) if request.method == "GET" else ""
        return HttpResponseRedirect(f"{reverse('counter-place')}?{back}", status=303)
    if not till.currencies:
        return render(request, "counter/closed.html", {"till": till})
    with timezone.override(ZoneInfo(till.time_zone)):
        return view(till)


@page_for(*ROLES)
@require_http_methods(["GET", "HEAD", "POST"])
def place(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Choose the till at which this device stands."""
    merchant = acquiring.merchant_summary_by_id(visitor.merchant_id)
    choices = [
        (store, terminal, _name(store.id.hex, terminal))
        for store in merchant.stores
        for terminal in (store.terminals or (None,))
    ]
    chosen = request.POST.get("till", "")
    if request.method == "POST" and chosen in [name for _, _, name in choices]:
        response = HttpResponseRedirect(_back(request), status=303)
        response.set_cookie(
            _COOKIE,
            chosen,
            max_age=_YEAR,
            path=reverse("counter-home"),
            secure=request.is_secure(),
            httponly=True,
            samesite="Lax",
        )
        return response
    page = {
        "choices": choices,
        "current": request.COOKIES.get(_COOKIE),
        "next": _back(request),
        "sections": sections("place"),
    }
    return render(request, "counter/place.html", page)


def _till(request: HttpRequest, visitor: Visitor) -> TillView | None:
    store, found, terminal = request.COOKIES.get(_COOKIE, "").partition(".")
    if not found:
        return None
    try:
        store_id = parse_id(store, "store")
    except InvalidValue:
        return None
    return acquiring.till(visitor.merchant_id, store_id, unquote(terminal) or None)


def _name(store: str, terminal: str | None) -> str:
    """The cookie's value for a till."""
    return f"{store}.{quote(terminal or '', safe='')}"


def _back(request: HttpRequest) -> str:
    wanted = request.POST.get("next") or request.GET.get("next", "")
    safe = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if safe and wanted.startswith("/") else reverse("counter-home")
