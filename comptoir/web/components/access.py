"""Who a page is for, said beside the view; everybody else is refused before the view runs.

Every view of the people's doors carries one of two declarations::

    @page_for(Role.CASHIER, Role.MANAGER)
    def day(request, visitor): ...

    @open_page
    def order(request, digits): ...

`headers.Pages` refuses to run a view without one. A page shows a visitor what is the visitor's: ask the
contexts with the visitor's own ids, and answer `not_theirs()` for everything else, so that what exists
elsewhere cannot be told from what does not exist.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache, wraps
from typing import Any, Final, NoReturn
from urllib.parse import urlencode, urlsplit, urlunsplit
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import resolve, reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from comptoir.acquiring import api as acquiring
from comptoir.db.run import read
from comptoir.identity import api as identity
from comptoir.identity.api import Detail, PersonView, Role
from comptoir.kernel.clock import utc_now
from comptoir.wallet import api as wallet
from comptoir.web.components import sessions
from comptoir.web.components.zones import CHINA_ZONE, zone_of

View = Callable[..., HttpResponse]

STAFF: Final = frozenset(Role) - {Role.TRAVELLER}

_HOMES: Final = {
    Role.TRAVELLER: "wallet-home",
    Role.CASHIER: "counter-home",
    Role.OFFICER: "arrival",
    Role.OPERATOR: "arrival",
}

#: Where a merchant's people work: the first page of a room, its words, its drawing.
_ROOMS: Final = (("counter-home", _("Counter"), "till"), ("merchant-home", _("Desk"), "chart"))


@dataclass(frozen=True, slots=True)
class Page:
    """What a view declared: `audience` None means anybody, logged in or not."""

    audience: frozenset[Role] | None
    camera: bool = False
    secret_address: bool = False


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who looks at a page: one person with the place that belongs to it, and the instant of the request."""

    person: PersonView
    now: datetime
    wallet_id: UUID | None = None

    @property
    def merchant_id(self) -> UUID:
        """The merchant that the visitor works for. Only for pages of merchants' roles."""
        if self.person.merchant_id is None:
            raise PermissionError(f"a {self.person.role} works for no merchant")
        return self.person.merchant_id

    @property
    def office_id(self) -> UUID:
        """The office that the visitor works for. Only for officers' pages."""
        if self.person.office_id is None:
            raise PermissionError(f"a {self.person.role} works for no office")
        return self.person.office_id

    def did(self, action: str, subject: tuple[str, str] | None = None, **details: Detail) -> None:
        """Add to the record what the visitor does, in the transaction in which it is done.

        `action` is dotted (``refund.create``), `subject` a kind and an id. Raises identity.ActionUnfit.
        """
        identity.record_action(self.person, action, now=self.now, subject=subject, details=details)

    @property
    def role(self) -> Role:
        """The visitor's one role."""
        return self.person.role


def page_for(*roles: Role, camera: bool = False, unfinished: bool = False) -> Callable[[View], View]:
    """The page is for people of these roles: the view is called with the request and its `Visitor`.

    Nobody logged in is led to the login; another role gets a refusal (403). `camera`: the page may ask
    the browser for the camera. `unfinished`: also for who still has to choose a
    password or to set up a second factor.
    """
    page = Page(frozenset(roles), camera)

    def declare(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            now = utc_now()
            person = logged_in(request, now)
            if person is None:
                return _to_login(request, page)
            if person.role not in roles:
                return render(request, "components/refused.html", status=403)
            if not unfinished and person.must_change_password:
                return _go(request, reverse("account_change_password"))
            if not unfinished and sessions.lacks_second_factor(request, person):
                return _go(request, reverse("mfa_index"))
            visitor = Visitor(person, now, _wallet_of(person))
            request.visitor = visitor  # type: ignore[attr-defined]
            with timezone.override(_zone(person)):
                return view(request, visitor, *args, **kwargs)

        guarded.page = page  # type: ignore[attr-defined]
        return guarded

    return declare


def recently_authenticated(view: View) -> View:
    """Below `page_for`: the visitor has given the password or a second factor in the last ten minutes.

    Put it on the page with the form as well as on what the form does: whoever is asked only when the form
    is sent has to send it once more.
    """

    @wraps(view)
    def asked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        from allauth.account.internal.flows.reauthentication import did_recently_reauthenticate

        if did_recently_reauthenticate(request):
            return view(request, *args, **kwargs)
        back = request.get_full_path() if request.method == "GET" else _came_from(request)
        return _go(request, f"{reverse('account_reauthenticate')}?{urlencode({'next': back})}")

    return asked


def open_page(view: View | None = None, *, secret_address: bool = False, camera: bool = False) -> Any:
    """The page is for anybody. `secret_address`: who knows its address may see it, so it tells nobody."""

    def declare(view: View) -> View:
        @wraps(view)
        def shown(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            return view(request, *args, **kwargs)

        shown.page = Page(None, camera, secret_address)  # type: ignore[attr-defined]
        return shown

    return declare if view is None else declare(view)


def logged_in(request: HttpRequest, now: datetime) -> PersonView | None:
    """Who is logged in; None for nobody, and for whose login is over, which ends here."""
    if not request.user.is_authenticated:
        return None
    person = identity.view_of(request.user)
    if sessions.is_over(request, person, now):
        sessions.end(request)
        return None
    return person


def not_theirs() -> NoReturn:
    """Answer as if it did not exist: what is another's is never told from what is not."""
    raise Http404("no such thing for this visitor")


def home_of(role: Role) -> str:
    """The address of a role's own door."""
    return reverse(_HOMES.get(role, "merchant-home"))


def doors_of(role: Role) -> list[tuple[str, Promise, str]]:
    """The rooms whose first page declares this role: address, words, drawing."""
    known = [(reverse(name), words, drawing) for name, words, drawing in _ROOMS]
    return [one for one in known if role in resolve(one[0]).func.page.audience]  # type: ignore[attr-defined]


def _wallet_of(person: PersonView) -> UUID | None:
    if person.role is not Role.TRAVELLER:
        return None
    own = wallet.wallets_of(person.id)
    return own[0] if own else None


def _zone(person: PersonView) -> Any:
    if person.merchant_id is None:
        return CHINA_ZONE if person.role is Role.TRAVELLER else zone_of("BE")
    return zone_of(_country(person.merchant_id))


@lru_cache(maxsize=4096)
def _country(merchant_id: UUID) -> str:
    """A merchant's country never changes."""
    return str(acquiring.decode_merchants(read(acquiring.merchants([merchant_id])))[merchant_id].country)


def _to_login(request: HttpRequest, page: Page) -> HttpResponse:
    name = "wallet-login" if page.audience == frozenset({Role.TRAVELLER}) else "login"
    back = _came_from(request) if request.headers.get("HX-Request") else request.get_full_path()
    asked = request.method == "GET"
    return _go(request, reverse(name) + (f"?{urlencode({'next': back})}" if asked else ""))


def _came_from(request: HttpRequest) -> str:
    """The page of ours that sent this request; the person's home where the browser does not say."""
    given = urlsplit(request.headers.get("HX-Current-URL") or request.headers.get("Referer", ""))
    if given.netloc == request.get_host() and given.path:
        return urlunsplit(("", "", given.path, given.query, ""))
    return reverse("home")


def _go(request: HttpRequest, address: str) -> HttpResponse:
    """Lead the whole page there, also when only a part of it was asked for."""
    if request.headers.get("HX-Request"):
        return HttpResponse(status=401, headers={"HX-Redirect": address})
    if "application/json" in request.headers.get("Accept", ""):
        return HttpResponse(status=401)
    return HttpResponseRedirect(address)
