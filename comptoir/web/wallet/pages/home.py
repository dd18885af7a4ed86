"""The first page: what is in the wallet, what waits, what happened last."""

from __future__ import annotations

from typing import Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from comptoir.wallet import api as wallet
from comptoir.web.wallet.holder import Holder, holders_page

_LATEST: Final = 5


@require_safe
@holders_page()
def home(request: HttpRequest, holder: Holder) -> HttpResponse:
    """Balance, what the traveller is asked, what is held, and the newest movements."""
    own = holder.wallet_id
    page = {
        "tab": "home",
        "summary": wallet.wallet_summary(own, holder.now),
        "standing": wallet.standing(own),
        "waiting": wallet.waiting(own, holder.now),
        "lines": wallet.movements(own, limit=_LATEST).movements,
    }
    return render(request, "wallet/home.html", page)


@require_safe
@holders_page()
def me(request: HttpRequest, holder: Holder) -> HttpResponse:
    """Everything about the wallet itself: limits, shops, devices, PIN, password, a lost phone."""
    page = {"tab": "me", "summary": wallet.wallet_summary(holder.wallet_id, holder.now)}
    return render(request, "wallet/me.html", page)
