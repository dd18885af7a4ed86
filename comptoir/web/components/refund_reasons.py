"""Why money goes back: what people choose at a counter or a desk, and how it is said of a refund."""

from __future__ import annotations

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

#: As it is kept with the refund, in English and for machines, and as people read it.
REFUND_REASONS: Final[dict[str, Promise]] = {
    "returned": _("The goods came back"),
    "damaged": _("The goods were damaged"),
    "not_delivered": _("The goods were not handed over"),
    "wrong_amount": _("The amount was wrong"),
    "double": _("Paid twice"),
    "goodwill": _("Goodwill"),
    "other": _("Another reason"),
}


def refund_reason(kept: str) -> str:
    """What is kept with a refund, in the page's language: a reason and its note, or a machine's words."""
    chosen, _mark, note = kept.partition(": ")
    if chosen not in REFUND_REASONS:
        return kept
    return f"{REFUND_REASONS[chosen]}: {note}" if note else str(REFUND_REASONS[chosen])
