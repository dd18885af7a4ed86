"""The pay code: the page that works without a network, how a browser becomes a device, and its news."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_safe

from comptoir.kernel.clock import utc_now
from comptoir.standards import qr_code
from comptoir.standards.payment_code import DEFAULT_PREFIX, Form
from comptoir.wallet import api as wallet
from comptoir.wallet.api import (
    AuthorizationState,
    CodeNews,
    CodesExhausted,
    DeviceUnknown,
    PinRefused,
    PinUnfit,
    WalletInactive,
    WalletState,
)
from comptoir.web.components import installing
from comptoir.web.components.access import open_page
from comptoir.web.wallet.doing import pin_problem, refusal
from comptoir.web.wallet.holder import Holder, device_number, holders_page, recognized, remember_device

#: What the pay code page needs to work alone.
_FILES: Final = (
    "components/install.js",
    "wallet/wallet.css",
    "wallet/pay.js",
    "wallet/code.js",
    "wallet/device.js",
    "wallet/drawing.js",
)


#: No page is open longer than this: older questions are about another day.
_OLDEST: Final = timedelta(days=2)

#: Without scripts the page comes again in time for the next code.
_PLAIN_AGAIN_S: Final = 15


@require_safe
@open_page
def pay(request: HttpRequest) -> HttpResponse:
    """The pay code. Nothing on this page is anybody's: it is kept on the phone."""
    return render(request, "wallet/pay.html", {"head": DEFAULT_PREFIX})


@require_safe
@open_page
def offline(request: HttpRequest) -> HttpResponse:
    """What stands in place of every other page when there is no network."""
    return render(request, "wallet/offline.html", {"room": "wallet"})


@require_http_methods(["GET", "HEAD", "POST"])
@holders_page()
def setup(request: HttpRequest, holder: Holder) -> HttpResponse:
    """Make this browser a device, with the PIN; the one it was before is revoked.

    A script is answered with the seed, this once; without one the server makes the codes. A frozen wallet
    has no use for it: its home says what to do.
    """
    if request.method != "POST":
        if wallet.standing(holder.wallet_id).state is WalletState.FROZEN:
            return redirect("wallet-home")
        return render(request, "wallet/setup.html", {"tab": "code"})
    try:
        wallet.check_pin(holder.wallet_id, request.POST.get("pin", ""), holder.now)
        enrolled = wallet.enroll_device(holder.wallet_id, _device_name(request), holder.now)
    except (PinRefused, PinUnfit) as refused:
        return _not_set_up(request, pin_problem(refused))
    except WalletInactive as inactive:
        return _not_set_up(request, refusal(inactive.code))
    if holder.device is not None:
        wallet.revoke_device(holder.wallet_id, holder.device)
    remember_device(request, enrolled.number)
    holder.did("wallet.device_added", number=enrolled.number)
    if _wants_json(request):
        seed = base64.b64encode(enrolled.seed).decode()
        return JsonResponse({"number": enrolled.number, "seed": seed})
    return redirect("wallet-code-plain")


def _not_set_up(request: HttpRequest, problem: str) -> HttpResponse:
    if _wants_json(request):
        return JsonResponse({"problem": problem}, status=422)
    return render(request, "wallet/setup.html", {"tab": "code", "problem": problem})


@require_safe
@holders_page()
def plain(request: HttpRequest, holder: Holder) -> HttpResponse:
    """A code that the server makes, for browsers without scripts. It needs the network."""
    if holder.device is None:
        return redirect("wallet-setup")
    since = _since(request, holder.now)
    if (goes := _goes(wallet.code_news(holder.wallet_id, holder.device, since), holder.now)) is not None:
        return redirect(goes)
    try:
        code = wallet.payment_code_for(holder.device, holder.now, Form.SHORT)
    except (CodesExhausted, DeviceUnknown):
        page: dict[str, Any] = {}
    else:
        picture = base64.b64encode(qr_code.build(code.digits, qr_code.Picture.PNG)).decode()
        page = {"digits": _grouped(code.digits), "picture": picture}
    response = render(request, "wallet/plain.html", page | {"tab": "code"})
    response["Refresh"] = f"{_PLAIN_AGAIN_S}; url={request.path}?since={int(since.timestamp() * 1000)}"
    return response


@require_safe
@open_page
def news(request: HttpRequest) -> HttpResponse:
    """What time it is here (ms since 1970), and what became of a device's codes since an instant.

    Nobody logged in is told the time alone: the code needs it, and the page says the rest.
    """
    told = {"now": int(utc_now().timestamp() * 1000)}
    own = _own_news(request)
    return JsonResponse(told | (json.loads(own.content) if own.status_code == 200 else {"login": True}))


@holders_page()
def _own_news(request: HttpRequest, holder: Holder) -> HttpResponse:
    """The page names its device: a fresh login does not know yet that it is on one."""
    if wallet.standing(holder.wallet_id).state is WalletState.FROZEN:
        return JsonResponse({"frozen": True})
    device = _device(request, holder)
    if device is None:
        return JsonResponse({"device": None})
    found = wallet.code_news(holder.wallet_id, device, _since(request, holder.now))
    return JsonResponse(
        {
            "device": device,
            "used": sorted(found.used),
            "goes": _goes(found, holder.now),
            "refused": _was_refused(found),
        }
    )


def _device(request: HttpRequest, holder: Holder) -> int | None:
    """The device that this login is on, or is found to be on now; None when it is none of this wallet's."""
    named = request.GET.get("device")
    if holder.device is None:
        return recognized(request, holder.wallet_id, named, holder.now)
    return holder.device if device_number(named) in (None, holder.device) else None


def _since(request: HttpRequest, now: datetime) -> datetime:
    """The instant that is asked about; what is no instant, or too old or in the future, means now."""
    try:
        asked = datetime.fromtimestamp(int(request.GET.get("since", "")) / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return now
    return asked if now - _OLDEST < asked < now else now


def _goes(found: CodeNews, now: datetime) -> str | None:
    """Where the phone should go now: to what asks for the PIN, or to the result."""
    asked = found.authorization
    if asked is None:
        return None
    if asked.state is not AuthorizationState.WAITING:
        return reverse("wallet-result", args=[asked.id])
    return reverse("wallet-ask", args=[asked.id]) if now < asked.expires_at else None


def _was_refused(found: CodeNews) -> bool:
    """A shop scanned a code, and no payment came of it."""
    if found.scanned_at is None:
        return False
    return found.authorization is None or found.authorization.created_at < found.scanned_at


@require_safe
@open_page
def manifest(request: HttpRequest) -> HttpResponse:
    """What makes the wallet an app on the home screen."""
    return installing.manifest(
        "wallet",
        gettext("Comptoir wallet"),
        "Comptoir",
        orientation="portrait",
        shortcuts=[{"name": gettext("Pay code"), "url": reverse("wallet-code")}],
    )


@require_safe
@open_page
def service_worker(request: HttpRequest) -> HttpResponse:
    """The service worker of the wallet: the pay code works without a network."""
    return installing.service_worker("wallet", _FILES, pages=["wallet-code"])


def _wants_json(request: HttpRequest) -> bool:
    return "application/json" in request.headers.get("Accept", "")


def _grouped(digits: str) -> list[str]:
    """As the page with scripts shows them: 6, 4, 4, 4."""
    return [digits[:6], digits[6:10], digits[10:14], digits[14:]]


_SYSTEMS: Final = ("HarmonyOS", "Android", "iPhone", "iPad", "Windows", "Macintosh", "Linux")


def _device_name(request: HttpRequest) -> str:
    """What the browser says it runs on, in a word that its owner knows again."""
    said = request.headers.get("User-Agent", "")
    return next((one for one in _SYSTEMS if one in said), gettext("Browser"))
