"""What templates say of money, days, states and codes, in the page's language and the visitor's zone.

``{% load comptoir %}``
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from babel import Locale, dates, numbers
from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext_lazy

from comptoir.kernel.money import Money
from comptoir.standards import qr_code
from comptoir.web.components.icons import ICONS

register = template.Library()

#: Django's language codes in the spelling of CLDR. English here is Europe's: days before months.
_LOCALES: Final = {"zh-hans": "zh_Hans_CN", "nl": "nl_BE", "fr": "fr_BE", "de": "de_DE", "en": "en_IE"}

#: Of every state that a page shows: how it looks, and its name for people.
_STATES: Final = {
    "processing": ("info", gettext_lazy("Waiting")),
    "success": ("good", gettext_lazy("Paid")),
    "failed": ("bad", gettext_lazy("Refused")),
    "fail": ("bad", gettext_lazy("Refused")),
    "cancelled": ("", gettext_lazy("Cancelled")),
    "held": ("info", gettext_lazy("Authorized")),
    "closed": ("", gettext_lazy("Closed")),
    "refunded": ("warn", gettext_lazy("Refunded")),
    "partly_refunded": ("warn", gettext_lazy("Partly refunded")),
    "unknown": ("warn", gettext_lazy("No answer yet")),
    "active": ("good", gettext_lazy("Active")),
    "suspended": ("bad", gettext_lazy("Suspended")),
    "revoked": ("", gettext_lazy("Revoked")),
    "frozen": ("bad", gettext_lazy("Frozen")),
    "expired": ("", gettext_lazy("Expired")),
    "sandbox": ("warn", gettext_lazy("Sandbox")),
}


def page_locale() -> str:
    """The CLDR locale of the page's language."""
    return _LOCALES.get(get_language() or "en", "en_IE")


@register.filter
def money(value: Money | None) -> str:
    """An amount with its currency: €42.50 · 42,50 € · ¥330.12. Empty for None."""
    if value is None:
        return ""
    return numbers.format_currency(value.decimal(), value.currency, locale=page_locale())


@register.simple_tag
def amount(value: Money | None, other: Money | None = None, style: str = "") -> SafeString:
    """An amount as people compare it, with the other currency's below; `style`: display or huge."""
    shown = f"amount amount-{style}" if style else "amount"
    first = format_html('<span class="{}">{}</span>', shown, money(value))
    return first + format_html('<span class="amount-other">{}</span>', money(other)) if other else first


@register.filter
def number(value: int | None) -> str:
    """A whole number, grouped as the language groups it."""
    return "" if value is None else numbers.format_decimal(value, locale=page_locale())


@register.simple_tag
def rate(price: Decimal, base: str, quote: str) -> str:
    """What one unit costs, with all digits of the price, so that who multiplies gets the amount to the cent:
    1 EUR = 7.544089 CNY (decision 0011)."""
    shown = numbers.format_decimal(price, format=f"#,##0.{'#' * 20}", locale=page_locale())
    return f"1 {base} = {shown} {quote}"


@register.filter
def percent(value: float | None) -> str:
    """A share (0.123) in percent with at most one decimal."""
    if value is None:
        return ""
    usual = str(Locale.parse(page_locale()).percent_formats[None].pattern)
    return numbers.format_percent(value, format=usual.replace("0", "0.#"), locale=page_locale())


@register.filter
def day(value: datetime | date | None, form: str = "medium") -> str:
    """A day: short, medium, long or full. An instant's day is that of the visitor's zone."""
    if value is None:
        return ""
    own = _local(value) if isinstance(value, datetime) else value
    return dates.format_date(own, format=form, locale=page_locale())


@register.filter
def moment(value: datetime | None, form: str = "medium") -> str:
    """Day and time of an instant in the visitor's zone."""
    return "" if value is None else dates.format_datetime(_local(value), format=form, locale=page_locale())


@register.filter
def clock(value: datetime | None, form: str = "short") -> str:
    """The time of day of an instant in the visitor's zone."""
    return "" if value is None else dates.format_time(_local(value), format=form, locale=page_locale())


@register.filter
def iso(value: datetime | None) -> str:
    """An instant for machines, as `<time datetime>` wants it."""
    return "" if value is None else value.isoformat(timespec="milliseconds")


@register.filter
def order_digits(digits: str) -> str:
    """The 24 digits of an order's code in groups, to be typed into a wallet that cannot scan."""
    return " ".join((digits[:6], digits[6:8], digits[8:16], digits[16:]))


@register.simple_tag
def state_badge(state: Any, label: str = "") -> SafeString:
    """A state as a badge: its color never says it alone. `label` replaces the usual name."""
    kind, name = _STATES.get(str(state).lower(), ("", str(state)))
    return format_html('<span class="badge{}">{}</span>', f" badge-{kind}" if kind else "", label or name)


@register.simple_tag
def icon(name: str, style: str = "") -> SafeString:
    """One of our drawings, for the eye only: the text beside it says what it means."""
    classes = f"icon icon-{style}" if style else "icon"
    # Both come from our own table and templates.
    return mark_safe(  # noqa: S308
        f'<svg class="{classes}" viewBox="0 0 24 24" aria-hidden="true" focusable="false">'
        f'<path d="{ICONS[name]}"/></svg>'
    )


@register.simple_tag
def qr(content: str, label: str) -> SafeString:
    """A text as a QR code within the page, to be scanned off the screen. `label` is for who cannot see it."""
    # Drawn by our own builder: it holds squares, never the text.
    drawing = mark_safe(qr_code.build_inline(content))  # noqa: S308
    return format_html('<span class="code" role="img" aria-label="{}">{}</span>', label, drawing)


def _local(value: datetime) -> datetime:
    return timezone.localtime(value)
