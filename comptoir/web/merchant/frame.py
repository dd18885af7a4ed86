"""What all pages of the desk share: who may see which section, the merchant that is shown, and the period."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from comptoir.acquiring import api as acquiring
from comptoir.acquiring.api import MerchantSummary
from comptoir.db.run import read
from comptoir.flows.sandbox import counterpart_id
from comptoir.identity.api import Role
from comptoir.kernel.errors import InvalidValue
from comptoir.kernel.ids import parse_id
from comptoir.standards import time_zones
from comptoir.web.components.access import Visitor, not_theirs

#: Who reads, who also acts, who also decides about people and keys.
READERS: Final = (Role.OWNER, Role.MANAGER, Role.ACCOUNTANT)
ACTORS: Final = (Role.OWNER, Role.MANAGER)
OWNERS: Final = (Role.OWNER,)

#: Name of a section's first page, its words, its drawing, and whose it is.
_SECTIONS: Final = (
    ("merchant-home", _("Overview"), "chart", READERS),
    ("merchant-payments", _("Payments"), "receipt", READERS),
    ("merchant-disputes", _("Disputes"), "shield", READERS),
    ("merchant-stores", _("Stores"), "shop", READERS),
    ("merchant-staff", _("Staff"), "people", OWNERS),
    ("merchant-clients", _("API clients"), "key", OWNERS),
    ("merchant-notices", _("Notifications"), "bell", READERS),
    ("merchant-record", _("Record"), "list", OWNERS),
)

#: Days of a period when nothing else is asked for, and the most that charts are drawn of.
_USUAL_DAYS: Final = 30
_MOST_DAYS: Final = 400

_SANDBOX: Final = "merchant_sandbox"


@dataclass(frozen=True, slots=True)
class Period:
    """Days from `first` to `last`, both included, by the clock of `zone`."""

    first: date
    last: date
    zone: str

    @property
    def begin(self) -> datetime:
        """The first instant of it."""
        return time_zones.bounds_of(self.first, self.zone)[0]

    @property
    def end(self) -> datetime:
        """The first instant after it."""
        return time_zones.bounds_of(self.last, self.zone)[1]

    @property
    def days(self) -> list[date]:
        """Every day of it."""
        return [self.first + timedelta(number) for number in range((self.last - self.first).days + 1)]


def period_of(given: Mapping[str, str], now: datetime) -> Period:
    """The period of `from` and `to` (ISO dates), mended to what can be shown: the last 30 days by default."""
    zone = timezone.get_current_timezone_name()
    today = time_zones.day_of(now, zone)
    last = min(_date(given.get("to")) or today, today)
    first = min(_date(given.get("from")) or last - timedelta(_USUAL_DAYS - 1), last)
    return Period(max(first, last - timedelta(_MOST_DAYS - 1)), last, zone)


def shown_merchant(visitor: Visitor, request: HttpRequest) -> UUID:
    """Whose matters the desk shows: the visitor's merchant, or its counterpart for tests."""
    return counterpart_id(visitor.merchant_id) if in_sandbox(request) else visitor.merchant_id


def in_sandbox(request: HttpRequest) -> bool:
    """Whether the desk shows the merchant's counterpart for tests."""
    return bool(request.session.get(_SANDBOX))


def switch_sandbox(request: HttpRequest, *, on: bool) -> None:
    """Show the counterpart, or the merchant again, until the login ends. It is there already."""
    request.session[_SANDBOX] = on


def merchant_of(visitor: Visitor, request: HttpRequest) -> MerchantSummary:
    """The merchant that is shown, with its stores and contracts."""
    merchant_id = shown_merchant(visitor, request)
    found = acquiring.decode_merchants(read(acquiring.merchants([merchant_id])))
    return acquiring.merchant_summary(found[merchant_id].ref)


def show(
    request: HttpRequest, visitor: Visitor, template: str, section: str, status: int = 200, **page: Any
) -> HttpResponse:
    """A page of the desk, in the section of this name."""
    nav = [
        {"url": reverse(name), "label": label, "icon": icon, "current": name == section}
        for name, label, icon, roles in _SECTIONS
        if visitor.role in roles
    ]
    page |= {"nav": nav, "acts": visitor.role in ACTORS, "sandbox": in_sandbox(request)}
    return render(request, f"merchant/{template}", page, status=status)


def id_of(text: str) -> UUID:
    """An id out of an address; what is none names nothing. Raises Http404."""
    try:
        return parse_id(text, "id")
    except InvalidValue:
        not_theirs()


def with_query(path: str, given: QueryDict, **changes: str | None) -> str:
    """The address with the same filters, but for these."""
    wanted = {name: value for name, value in given.items() if value} | changes
    query = urlencode({name: value for name, value in wanted.items() if value})
    return f"{path}?{query}" if query else path


def _date(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text or "")
    except ValueError:
        return None
