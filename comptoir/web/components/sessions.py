"""How long a login lasts, and what it may still lack.

A cashier logs in once a working day. Whoever can give money back, change staff or keys is asked again
after half an hour without a page, and after a working day in any case. A traveller stays logged in for
two weeks: money leaves the wallet only with the PIN or the phone.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest

from comptoir.identity.api import PersonView, Role

_WORKING_DAY: Final = timedelta(hours=12)
_IDLE: Final = timedelta(minutes=30)
_TRAVELLER: Final = timedelta(days=14)

#: Noted again only when it has become this old: a page that asks every second must not write each time.
_NOTED_EVERY: Final = timedelta(minutes=1)

_SINCE: Final = "logged_in_at"
_SEEN: Final = "seen_at"
_FACTOR: Final = "second_factor"


def longest(role: Role) -> timedelta:
    """How long a login lasts at most, however busy it is."""
    return _TRAVELLER if role is Role.TRAVELLER else _WORKING_DAY


def idle(role: Role) -> timedelta:
    """How long a login lasts without a page."""
    return longest(role) if role in (Role.TRAVELLER, Role.CASHIER) else _IDLE


def begin(request: HttpRequest, now: datetime) -> None:
    """Note that somebody has just logged in."""
    request.session[_SINCE] = request.session[_SEEN] = now.timestamp()


def since(request: HttpRequest) -> datetime:
    """When this login began. Only for somebody who is logged in."""
    return datetime.fromtimestamp(request.session[_SINCE], UTC)


def is_over(request: HttpRequest, person: PersonView, now: datetime) -> bool:
    """Whether the login was ended elsewhere, has lasted too long, or nobody was there. Notes that somebody is
    now."""
    since, seen = request.session.get(_SINCE), request.session.get(_SEEN)
    moment, role = now.timestamp(), person.role
    if since is None or seen is None:
        return True
    if person.logged_out_at is not None and since <= person.logged_out_at.timestamp():
        return True
    if moment - since > longest(role).total_seconds() or moment - seen > idle(role).total_seconds():
        return True
    if moment - seen > _NOTED_EVERY.total_seconds():
        request.session[_SEEN] = moment
    return False


def end(request: HttpRequest) -> None:
    """Forget who was logged in, and everything the session knew."""
    logout(request)


def second_factor(request: HttpRequest, there: bool) -> None:
    """Note whether this login was proven by, or has just set up, a second factor."""
    request.session[_FACTOR] = there


def lacks_second_factor(request: HttpRequest, person: PersonView) -> bool:
    """Whether the installation asks staff for a second factor and this login has none."""
    if not settings.COMPTOIR.staff_mfa_required or person.role is Role.TRAVELLER:
        return False
    return not request.session.get(_FACTOR)
