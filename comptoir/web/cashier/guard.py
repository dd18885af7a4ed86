"""What the cashier's pages have in common: which browser looks, the picture of a code, how a page follows."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from comptoir.standards import qr_code, wallet_browser


def in_wallet(request: HttpRequest) -> bool:
    """Whether the page is looked at in a wallet's own browser, by what the browser calls itself."""
    return wallet_browser.parse(request.headers.get("User-Agent", "")) is not None


def code_picture(address: str) -> HttpResponse:
    """An address as a QR picture (SVG), for a wallet to read."""
    return HttpResponse(qr_code.build(address, qr_code.Picture.SVG), content_type="image/svg+xml")


def following(request: HttpRequest, template: str, page: dict[str, Any], shown: str) -> HttpResponse:
    """A page that asks by itself whether there is news, and is loaded anew once there is.

    `shown` names what it shows now: as long as that stays the same a question is answered with nothing
    (204). Where no script runs the page is loaded anew every three seconds.
    """
    if not request.headers.get("HX-Request"):
        return render(request, template, page | {"follow": shown})
    if request.GET.get("known") == shown:
        return HttpResponse(status=204)
    return HttpResponse(headers={"HX-Refresh": "true"})


def in_our_wallet(address: str) -> str:
    """Where a traveller goes on in the web wallet with what stands in a code."""
    return f"{reverse('wallet-scan')}?{urlencode({'text': address})}"
