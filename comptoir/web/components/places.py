"""Where a list's page ends, as an address says it: the instant and the id of its last line."""

from __future__ import annotations

from datetime import datetime

from comptoir.acquiring.api import Place
from comptoir.kernel.errors import InvalidValue
from comptoir.kernel.ids import parse_id


def marked(place: Place) -> str:
    """Such as 2026-11-26T09:30:00.123456+00:00~0193…"""
    return f"{place[0].isoformat()}~{place[1].hex}"


def place_in(text: str | None) -> Place | None:
    """The place that an address names; None for the beginning, and for what names none."""
    instant, _, found = (text or "").partition("~")
    try:
        made = datetime.fromisoformat(instant)
        return (made, parse_id(found, "after")) if made.tzinfo else None
    except (ValueError, InvalidValue):
        return None
