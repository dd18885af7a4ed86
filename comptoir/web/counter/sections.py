"""The counter's sections, as its navigation shows them."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext


def sections(current: str) -> list[dict[str, Any]]:
    """The navigation, with the section that is being looked at."""
    known = (
        ("sale", "counter-home", "till", gettext("New sale")),
        ("day", "counter-day", "list", gettext("Today")),
        ("totals", "counter-totals", "chart", gettext("Totals")),
        ("poster", "counter-poster", "poster", gettext("Poster")),
    )
    return [
        {"url": reverse(url), "label": label, "icon": icon, "current": name == current}
        for name, url, icon, label in known
    ]
