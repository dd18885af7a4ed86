"""What the cashier's pages have in common: which browser looks, the picture of a code, an amount."""

from __future__ import annotations

from babel.numbers import format_currency
from django.http import HttpRequest, HttpResponse

from comptoir.kernel.money import Money
from comptoir.standards import qr_code, wallet_browser

#: While something is open its page asks again by itself; the code on it stays the same.
AGAIN_SECONDS = 3


def in_wallet(request: HttpRequest) -> bool:
    """Whether the page is looked at in a wallet's own browser, by what the browser calls itself."""
    return wallet_browser.parse(request.headers.get("User-Agent", "")) is not None


def code_picture(address: str) -> HttpResponse:
    """An address as a QR picture (SVG), for a wallet to read."""
    return HttpResponse(qr_code.build(address, qr_code.Picture.SVG), content_type="image/svg+xml")


def shown(money: Money) -> str:
    """An amount as people read it, in both of a page's languages alike."""
    return format_currency(money.decimal(), money.currency, locale="en")
