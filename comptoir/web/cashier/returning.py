"""Sending a buyer's browser back to the shop: once, whatever it does.

A browser that opens an order gets a mark for it. Whichever of its windows first shows the end of that order
goes back; the others, a reload and the back button find the page with a link.
"""

from __future__ import annotations

import secrets
from typing import Final

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse

#: Long enough to read that it was paid.
_BACK_SECONDS: Final = 2
_MARK: Final = "visit"
_DAY: Final = 24 * 3600


def marked(request: HttpRequest, response: HttpResponse) -> str:
    """The mark of this browser for this page, given now if it has none."""
    known = request.COOKIES.get(_MARK, "")
    mark = known if len(known) == 22 else secrets.token_urlsafe(16)
    if mark != known:
        response.set_cookie(
            _MARK, mark, path=request.path, secure=request.is_secure(), httponly=True, samesite="Lax"
        )
    return mark


def send_back(request: HttpRequest, response: HttpResponse, address: str) -> None:
    """Let the browser go to the shop after a moment, unless one of its windows already has."""
    # Added in the database, where of two windows one comes first.
    if cache.add(f"returned:{request.path}:{marked(request, response)}", True, _DAY):
        response["Refresh"] = f"{_BACK_SECONDS}; url={address}"
