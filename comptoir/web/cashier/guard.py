"""What every page of the cashier promises the browser: no script, no frame, no cache, no referrer.

And which browser it is.
"""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

from babel.numbers import format_currency
from django.http import HttpRequest, HttpResponse

from comptoir.kernel.money import Money
from comptoir.standards import qr_code, wallet_browser

if TYPE_CHECKING:
    from collections.abc import Callable

_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

#: While something is open its page asks again by itself; the code on it stays the same.
AGAIN_SECONDS = 3


def guarded(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """The page shows one matter to whoever holds its code, and tells nobody its address."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        response["Content-Security-Policy"] = _POLICY
        response["Cache-Control"] = "no-store"
        response["Referrer-Policy"] = "no-referrer"
        return response

    return wrapped


def in_wallet(request: HttpRequest) -> bool:
    """Whether the page is looked at in a wallet's own browser, by what the browser calls itself."""
    return wallet_browser.parse(request.headers.get("User-Agent", "")) is not None


def code_picture(address: str) -> HttpResponse:
    """An address as a QR picture (SVG), for a wallet to read."""
    return HttpResponse(qr_code.build(address, qr_code.Picture.SVG), content_type="image/svg+xml")


def shown(money: Money) -> str:
    """An amount as people read it, in both of a page's languages alike."""
    return format_currency(money.decimal(), money.currency, locale="en")
