"""Limits, devices, the PIN, and a phone that is lost."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from comptoir.kernel.errors import InvalidValue
from comptoir.kernel.money import Money
from comptoir.wallet import api as wallet
from comptoir.wallet.api import (
    DeviceUnknown,
    FrozenByOperator,
    Limits,
    LimitsTooHigh,
    LimitsUnfit,
    PinRefused,
    PinUnfit,
    WalletInactive,
    WalletState,
)
from comptoir.web.components import sessions
from comptoir.web.components.access import not_theirs, recently_authenticated
from comptoir.web.components.amounts import spelled
from comptoir.web.wallet.doing import pin_problem, refusal
from comptoir.web.wallet.holder import Holder, holders_page, remember_device

_FIELDS = ("no_pin", "payment", "day")


@require_http_methods(["GET", "HEAD", "POST"])
@holders_page()
def limits(request: HttpRequest, holder: Holder) -> HttpResponse:
    """What the wallet may pay; lowered, or raised up to what the operator allows, with the PIN."""
    summary = wallet.wallet_summary(holder.wallet_id, holder.now)
    standing = wallet.standing(holder.wallet_id)
    currency = summary.wallet.currency
    problem = refused = ""
    if request.method == "POST":
        try:
            refused = _change_limits(request, holder, currency)
        except (PinRefused, PinUnfit) as wrong:
            problem = pin_problem(wrong)
        if not problem and not refused:
            return redirect("wallet-limits")
    rows = [
        {
            "name": name,
            "typed": request.POST.get(name, spelled(Money(getattr(standing.limits, name), currency))),
            "most": Money(getattr(standing.most, name), currency),
        }
        for name in _FIELDS
    ]
    page = {
        "tab": "me",
        "rows": rows,
        "currency": currency,
        "spent": Money(summary.wallet.spent, currency),
        "left": Money(max(0, summary.wallet.day_limit - summary.wallet.spent), currency),
        "problem": problem,
        "refused": refused,
    }
    return render(request, "wallet/limits.html", page)


def _change_limits(request: HttpRequest, holder: Holder, currency: str) -> str:
    """What is wrong with the limits, or nothing when they are changed. Raises PinRefused, PinUnfit."""
    try:
        typed = {name: Money.of(_plain(request, name), currency).minor for name in _FIELDS}
    except InvalidValue:
        return gettext("Type each limit as an amount, such as 500.")
    try:
        wallet.check_pin(holder.wallet_id, request.POST.get("pin", ""), holder.now)
        wallet.choose_limits(holder.wallet_id, Limits(**typed))
        holder.did("wallet.limits", limits=" ".join(str(typed[name]) for name in _FIELDS))
    except WalletInactive as inactive:
        return refusal(inactive.code)
    except LimitsTooHigh:
        return gettext("One of the limits is above what you may choose.")
    except LimitsUnfit:
        return gettext("The limits rise: without PIN, for one payment, for a day.")
    return ""


def _plain(request: HttpRequest, name: str) -> str:
    return request.POST.get(name, "").strip().replace(",", ".")


@require_http_methods(["GET", "HEAD", "POST"])
@holders_page()
def pin(request: HttpRequest, holder: Holder) -> HttpResponse:
    """Change the PIN, with the old one."""
    problem, done = "", False
    if request.method == "POST":
        new = request.POST.get("new", "")
        try:
            if new != request.POST.get("again", ""):
                problem = gettext("The two new PINs are not the same.")
            else:
                wallet.change_pin(holder.wallet_id, request.POST.get("pin", ""), new, holder.now)
                holder.did("wallet.pin")
                done = True
        except PinUnfit as unfit:
            weak = gettext("Choose six digits that are neither all the same nor a run such as 123456.")
            problem = weak if unfit.field == "new" else pin_problem(unfit)
        except PinRefused as refused:
            problem = pin_problem(refused)
    return render(request, "wallet/pin.html", {"tab": "me", "problem": problem, "done": done})


@require_http_methods(["GET", "HEAD", "POST"])
@holders_page()
def devices(request: HttpRequest, holder: Holder) -> HttpResponse:
    """The devices that show codes of this wallet; each can be removed for good."""
    if request.method == "POST":
        try:
            number = int(request.POST.get("number", ""))
            wallet.revoke_device(holder.wallet_id, number)
        except (ValueError, OverflowError, DeviceUnknown):
            not_theirs()
        holder.did("wallet.device_removed", number=number)
        if number == holder.device:
            remember_device(request, None)
        return redirect("wallet-devices")
    page = {
        "tab": "me",
        "devices": [one for one in wallet.devices_of(holder.wallet_id) if one.active],
        "own": holder.device,
    }
    return render(request, "wallet/devices.html", page)


@require_POST
@holders_page()
def leave(request: HttpRequest, holder: Holder) -> HttpResponse:
    """Log out of a phone that somebody else will hold: it shows no more codes, and keeps nothing."""
    if holder.device is not None:
        wallet.revoke_device(holder.wallet_id, holder.device)
        holder.did("wallet.device_removed", number=holder.device)
    sessions.end(request)
    response = redirect("wallet-login")
    # The key of the pay code, the page that works without a network, and the worker that keeps it (W3C Clear
    # Site Data, working draft of 30 November 2017).
    response["Clear-Site-Data"] = '"storage"'
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@holders_page()
def freeze(request: HttpRequest, holder: Holder) -> HttpResponse:
    """A phone is lost: nothing leaves the wallet, no device shows codes, every login ends, this one too.

    It asks for nothing: whoever can press it may, because a delay costs money (docs/decisions/0037).
    """
    if request.method == "POST":
        wallet.freeze_lost(holder.wallet_id, holder.now)
        holder.did("wallet.freeze")
        sessions.end(request)
        return render(request, "wallet/frozen.html")
    return render(request, "wallet/freeze.html", {"tab": "me"})


@require_http_methods(["GET", "HEAD", "POST"])
@holders_page()
@recently_authenticated
def unfreeze(request: HttpRequest, holder: Holder) -> HttpResponse:
    """The wallet pays again, with the PIN and a password of the last ten minutes."""
    if wallet.standing(holder.wallet_id).state is not WalletState.FROZEN:
        return redirect("wallet-home")
    problem = refused = ""
    if request.method == "POST":
        try:
            wallet.check_pin(holder.wallet_id, request.POST.get("pin", ""), holder.now)
            wallet.unfreeze_own(holder.wallet_id)
            holder.did("wallet.unfreeze")
        except (PinRefused, PinUnfit) as wrong:
            problem = pin_problem(wrong)
        except (WalletInactive, FrozenByOperator):
            refused = gettext("The operator froze this wallet, and alone can let it pay again.")
        else:
            return redirect("wallet-home")
    page = {"tab": "me", "problem": problem, "refused": refused}
    return render(request, "wallet/unfreeze.html", page)
