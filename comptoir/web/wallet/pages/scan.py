"""Scanning: a code from the camera, from a picture, or typed; and where it leads."""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from comptoir.kernel.errors import InvalidValue
from comptoir.web.components.pictures import codes_of_picture
from comptoir.web.wallet import scanning
from comptoir.web.wallet.claiming import claim
from comptoir.web.wallet.holder import Holder, holders_page
from comptoir.web.wallet.scanning import Kind, Scanned

#: What a phone's camera makes at most.
_LARGEST_PICTURE: Final = 15 * 1024 * 1024


@require_http_methods(["GET", "HEAD", "POST"])
@holders_page(camera=True)
def scan(request: HttpRequest, holder: Holder) -> HttpResponse:
    """Ask for a code, and follow the one that comes. `text` in the address is what a shop's page shows."""
    if request.method != "POST":
        return _page(request, given=request.GET.get("text", "")[: scanning.LONGEST])
    typed = request.POST.get("text", "").strip()
    if "picture" in request.FILES:
        try:
            typed = _text_of_picture(request)
        except InvalidValue:
            return _page(request, gettext("This picture cannot be opened. Choose a photo or a screenshot."))
        if not typed:
            return _page(
                request, gettext("No code was found on this picture. Go closer, without reflections.")
            )
    if not typed:
        return _page(request, gettext("Type the digits below the shop's code."))
    return _follow(request, holder, scanning.understand(typed, settings.COMPTOIR.public_url), typed)


@require_POST
@holders_page()
def read(request: HttpRequest, holder: Holder) -> HttpResponse:
    """The text of the code on a frame of the camera, for browsers that cannot read codes themselves."""
    try:
        return JsonResponse({"text": _text_of_picture(request)})
    except InvalidValue:
        return JsonResponse({"text": ""})


def _text_of_picture(request: HttpRequest) -> str:
    """The first text that leads somewhere, else the first at all, else none. Raises InvalidValue."""
    texts = codes_of_picture(request, _LARGEST_PICTURE)
    known = (
        one
        for one in texts
        if scanning.understand(one, settings.COMPTOIR.public_url).kind is not Kind.UNKNOWN
    )
    return next(known, texts[0] if texts else "")


def _follow(request: HttpRequest, holder: Holder, found: Scanned, typed: str) -> HttpResponse:
    if found.kind is Kind.ORDER:
        claimed = claim(holder, found.value)
        return claimed if isinstance(claimed, HttpResponseRedirect) else _page(request, claimed)
    if found.kind is Kind.SHOP:
        return redirect("wallet-shop", found.value)
    if found.kind is Kind.CONSENT:
        return redirect("wallet-consent", found.value)
    problem = {
        Kind.PHONE: gettext(
            "This is a phone's payment code. Let the shop scan yours, or scan the shop's code."
        ),
        Kind.OTHER_SCHEME: gettext(
            "This code of %(shop)s is for other wallets. Ask the shop for its own code."
        )
        % {"shop": found.value},
    }.get(found.kind, gettext("This is not a code that can be paid here."))
    return _page(request, problem, typed)


def _page(request: HttpRequest, problem: str = "", typed: str = "", given: str = "") -> HttpResponse:
    page = {"tab": "scan", "problem": problem, "typed": typed, "given": given, "longest": scanning.LONGEST}
    return render(request, "wallet/scan.html", page)
