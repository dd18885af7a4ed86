"""What only the wallet's pages say.

``{% load wallet %}``
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from babel import numbers
from django import template
from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy

from comptoir.wallet.api import Movement
from comptoir.web.components.templatetags.comptoir import clock, moment, page_locale

register = template.Library()

_TABS: Final = (
    ("home", "wallet-home", "home", gettext_lazy("Home")),
    ("code", "wallet-code", "barcode", gettext_lazy("Pay code")),
    ("scan", "wallet-scan", "scan", gettext_lazy("Scan")),
    ("movements", "wallet-movements", "list", gettext_lazy("Movements")),
    ("me", "wallet-me", "person", gettext_lazy("Me")),
)


@register.simple_tag
def wallet_nav(tab: str) -> list[dict[str, Any]]:
    """The tabs at the foot of every page; `tab` is where the visitor is."""
    return [
        {"url": reverse(address), "label": label, "icon": icon, "current": tab == name}
        for name, address, icon, label in _TABS
    ]


@register.filter
def with_sign(line: Movement) -> str:
    """An amount that moved, with its sign: what came in carries a plus."""
    shown = numbers.format_currency(line.amount.decimal(), line.amount.currency, locale=page_locale())
    return f"+{shown}" if line.amount.minor > 0 else shown


@register.filter
def china_moment(value: datetime | None) -> str:
    """Day and time in China, and that they are: the phone beside it may show another hour."""
    return _in_china(moment(value))


@register.filter
def china_clock(value: datetime | None) -> str:
    """The time of day in China, and that it is."""
    return _in_china(clock(value))


def _in_china(shown: str) -> str:
    return gettext("%(time)s, China time") % {"time": shown} if shown else ""
