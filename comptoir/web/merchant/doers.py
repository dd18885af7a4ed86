"""Who did by hand what happened to payments, as the merchant's record has it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from comptoir.identity import api as identity
from comptoir.web.components.access import Visitor

#: What is done to a payment or a dispute at a desk or a counter.
_ACTS: Final = frozenset({"payment.cancel", "refund.create", "dispute.accept", "dispute.defend"})


@dataclass(frozen=True, slots=True)
class Doer:
    """The name of who did something, and of who approved it, where that was somebody else."""

    name: str
    approved_by: str | None = None


def doers_of(visitor: Visitor, kind: str, ids: Iterable[UUID]) -> dict[tuple[UUID, datetime], Doer]:
    """Of things of one kind (payment, dispute): who did something to one of them, by it and the instant.

    An act and its entry in the record have the same instant: they are made by one request.
    """
    entries = identity.actions_about(visitor.merchant_id, kind, [one.hex for one in ids])
    if not entries:
        return {}
    staff = identity.staff(visitor.merchant_id)
    names = {one.id: one.display_name for one in staff}
    by_login = {one.login: one.display_name for one in staff}
    return {
        (UUID(one.subject_id), one.at): Doer(
            names.get(one.person_id, one.person_id.hex), _approver(one.details.get("approved_by"), by_login)
        )
        for one in entries
        if one.action in _ACTS
    }


def _approver(login: object, by_login: dict[str, str]) -> str | None:
    return by_login.get(str(login), str(login)) if login else None
