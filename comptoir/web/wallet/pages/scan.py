"""Scanning: a code from the camera, from a picture, or typed; and where it leads."""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from comptoir.flows import api as flows
from comptoir.kernel.errors import InvalidValue
from comptoir.standards import code_picture
from comptoir.web.components import pictures
from comptoir.web.components.pictures import FRAME, PHOTO, TooManyPictures, codes_of_picture
from comptoir.web.wallet import scanning
from comptoir.web.wallet.claiming import claim, hosted_page_of
from comptoir.web.wallet.holder import Holder, holders_page
from comptoir.web.wallet.scanning import Kind, Scanned

#: Why a picture gave no code, by the code of the error, for the traveller.
_NO_PICTURE: Final = {
    code_picture.TOO_LARGE: gettext_lazy("This picture is too large. Take one of the code alone."),
    code_picture.DAMAGED: gettext_lazy("This picture is damaged: a part is missing. Choose it once more."),
}
_NO_OPENING: Final = gettext_lazy("This picture cannot be opened. Choose a photo or a screenshot.")


@require_http_methods(["GET", "HEAD", "POST"])
@holders_page(camera=True)
def scan(request: HttpRequest, holder: Holder) -> HttpResponse:
    """Ask for a code, and follow the one that comes. `text` in the address is what a shop's page shows."""
    if request.method != "POST":
        given = request.GET.get("text", "")[: scanning.LONGEST]
        return (
            _followed(request, holder, given) if given and _from_us(request) else _page(request, given=given)
        )
    typed = request.POST.get("text", "").strip()
    if "picture" in request.FILES:
        try:
            typed = _text_of_picture(request, PHOTO)
        except TooManyPictures:
            told = gettext("These were many pictures. Wait a minute, or type the digits below the code.")
            return _page(request, told, status=429)
        except InvalidValue as refused:
            return _page(request, str(_NO_PICTURE.get(refused.code, _NO_OPENING)))
        if not typed:
            return _page(
                request, gettext("No code was found on this picture. Go closer, without reflections.")
            )
    if not typed:
        return _page(request, gettext("Type the digits below the shop's code."))
    return _followed(request, holder, typed)


def _from_us(request: HttpRequest) -> bool:
    """Whether a page of ours leads here, by what the browser says (W3C Fetch Metadata Request Headers, 2021).

    A link of anybody else's takes over no order before the traveller has said so. Neither pays: that takes
    the PIN.
    """
    return request.method == "GET" and request.headers.get("Sec-Fetch-Site") == "same-origin"


@require_POST
@holders_page()
def read(request: HttpRequest, holder: Holder) -> HttpResponse:
    """The text of the code on a frame of the camera, for browsers that cannot read codes themselves."""
    try:
        return JsonResponse({"text": _text_of_picture(request, FRAME)})
    except TooManyPictures:
        return JsonResponse({"text": ""}, status=429)
    except InvalidValue:
        return JsonResponse({"text": ""})


def _text_of_picture(request: HttpRequest, kind: pictures.Kind) -> str:
    """The text that leads on, else one that can be explained, else none. Raises as `codes_of_picture`."""
    return scanning.best(codes_of_picture(request, kind), settings.COMPTOIR.public_url)


def _followed(request: HttpRequest, holder: Holder, typed: str) -> HttpResponse:
    """Where a text leads, or why it leads nowhere."""
    found = scanning.understand(typed, settings.COMPTOIR.public_url)
    if found.kind is Kind.ORDER:
        claimed = claim(holder, found.value)
        if isinstance(claimed, HttpResponseRedirect):
            return claimed
        return _page(request, claimed, back=hosted_page_of(found.value))
    if found.kind is Kind.SHOP and flows.scanned_entry(found.value) is not None:
        return redirect("wallet-shop", found.value)
    if found.kind is Kind.CONSENT:
        return redirect("wallet-consent", found.value)
    return _page(request, _explained(found), typed)


def _explained(found: Scanned) -> str:
    """Why what was scanned leads nowhere, and what to do, in the traveller's words."""
    match found.kind:
        case Kind.SHOP:
            return gettext("The shop has taken this code down. Ask for its new one.")
        case Kind.PHONE:
            return gettext(
                "This is a phone's payment code. Let the shop scan yours, or scan the shop's code."
            )
        case Kind.OTHER_SCHEME:
            text = gettext("This code of %(shop)s is for other wallets. Ask the shop for its own code.")
            return text % {"shop": found.value}
        case Kind.ELSEWHERE:
            text = gettext(
                "This code leads to %(host)s, where this wallet cannot pay. Ask the shop for another code."
            )
            return text % {"host": found.value}
        case Kind.BROKEN:
            return gettext("This code is not whole. Scan it once more, or ask the shop for a new one.")
        case Kind.DIGITS if found.value == "24":
            return gettext("These digits are no shop's code. Check them once more.")
        case Kind.DIGITS:
            text = gettext("Digits here: %(count)s. A shop's code has 24: check them once more.")
            return text % {"count": found.value}
        case _:
            return gettext("This is not a code that can be paid here. Scan the shop's payment code.")


def _page(
    request: HttpRequest,
    problem: str = "",
    typed: str = "",
    given: str = "",
    back: str | None = None,
    status: int = 200,
) -> HttpResponse:
    """`given` came by a link and waits for one press; `back` is the page that leads back to the shop."""
    page = {
        "tab": "scan",
        "problem": problem,
        "typed": typed,
        "given": given,
        "back": back,
        "longest": scanning.LONGEST,
    }
    return render(request, "wallet/scan.html", page, status=status)
