"""Whose wallet a page is about, and from which device it is looked at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import wraps
from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from comptoir.identity.api import Role
from comptoir.wallet import api as wallet
from comptoir.web.components import sessions
from comptoir.web.components.access import Visitor, page_for

View = Callable[..., HttpResponse]

#: Where a session keeps the number of the device that its browser is, and the browser itself, for the next
#: login. It is no secret and opens nothing: it says which of the wallet's phones this is.
_DEVICE: Final = "wallet_device"
_COOKIE: Final = "wallet_device"
_YEAR: Final = timedelta(days=365)

_NUMBER_DIGITS: Final = 8


@dataclass(frozen=True, slots=True)
class Holder:
    """A traveller with the wallet, at one instant. `device` is this browser's number if it shows codes."""

    visitor: Visitor
    wallet_id: UUID
    device: int | None
    now: datetime

    def did(self, action: str, **details: str | int) -> None:
        """Add to the record what the holder has done to the wallet. No PIN and no seed belongs there."""
        self.visitor.did(action, ("wallet", self.wallet_id.hex), **details)


def holders_page(*, camera: bool = False) -> Callable[[View], View]:
    """The page is about the traveller's own wallet: the view is called with the request and its `Holder`.

    A login from before a phone was lost, or on a device that has been revoked, ends here: it may be in
    strange hands.
    """

    def declare(view: View) -> View:
        @page_for(Role.TRAVELLER, camera=camera)
        @wraps(view)
        def shown(request: HttpRequest, visitor: Visitor, *args: Any, **kwargs: Any) -> HttpResponse:
            if visitor.wallet_id is None:
                return render(request, "wallet/none.html", status=404)
            device = request.session.get(_DEVICE)
            if not wallet.is_welcome(visitor.wallet_id, sessions.since(request), device):
                sessions.end(request)
                wants_json = "application/json" in request.headers.get("Accept", "")
                return HttpResponse(status=401) if wants_json else redirect("wallet-login")
            if device is None:
                device = recognized(request, visitor.wallet_id, request.COOKIES.get(_COOKIE), visitor.now)
            holder = Holder(visitor, visitor.wallet_id, device, visitor.now)
            response = view(request, holder, *args, **kwargs)
            _keep(request, response)
            return response

        return shown

    return declare


def recognized(request: HttpRequest, wallet_id: UUID, named: str | None, now: datetime) -> int | None:
    """The device that a browser says it is, None for none of the wallet's; the login is on it from now on."""
    number = device_number(named)
    if number is None or not wallet.is_welcome(wallet_id, now, number):
        return None
    remember_device(request, number)
    return number


def device_number(named: str | None) -> int | None:
    """A device's number as a browser gives it; None for what is none."""
    named = named or ""
    return int(named) if named.isascii() and named.isdigit() and len(named) == _NUMBER_DIGITS else None


def remember_device(request: HttpRequest, number: int | None) -> None:
    """From now on this login is on this device (None: on none of the wallet's)."""
    if number is None:
        request.session.pop(_DEVICE, None)
    else:
        request.session[_DEVICE] = number


def _keep(request: HttpRequest, response: HttpResponse) -> None:
    """Let the browser know which device it is, whoever logs in next; or that it is none any more."""
    number, kept, path = request.session.get(_DEVICE), request.COOKIES.get(_COOKIE), reverse("wallet-home")
    if number is None and kept is not None:
        response.delete_cookie(_COOKIE, path=path, samesite="Lax")
    elif number is not None and kept != str(number):
        response.set_cookie(
            _COOKIE,
            str(number),
            max_age=_YEAR,
            path=path,
            secure=request.is_secure(),
            httponly=True,
            samesite="Lax",
        )
