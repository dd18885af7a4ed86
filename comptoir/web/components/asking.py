"""What a page needs to ask the engine for something, once."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.http import HttpRequest

from comptoir.flows import api as flows
from comptoir.kernel.errors import InvalidValue
from comptoir.kernel.ids import new_id, parse_id


def desk() -> flows.Desk:
    """The engine's desk under this installation's settings."""
    return flows.Desk(settings.COMPTOIR.fx_max_age_days)


def attempt_of(request: HttpRequest) -> UUID:
    """The page that is sent: its own mark, or a fresh one where it carries none."""
    try:
        return parse_id(request.POST.get("attempt", ""), "attempt")
    except InvalidValue:
        return new_id()
