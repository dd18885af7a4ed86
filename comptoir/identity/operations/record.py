"""The record of who did what: it is only added to."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from comptoir.identity.models import AuditEntry
from comptoir.identity.rules import check_action, record_of
from comptoir.identity.types import Detail, PersonView
from comptoir.kernel.ids import OPERATOR, new_id


def record_action(
    person: PersonView,
    action: str,
    *,
    now: datetime,
    subject: tuple[str, str] | None = None,
    details: Mapping[str, Detail] | None = None,
) -> None:
    """Add to the record who did what, in the caller's transaction: it stands if and only if the act does.

    `action` is dotted (``refund.create``), `subject` a kind and an id. Raises ActionUnfit.
    """
    _add(person, person.id, action, now, subject, details)


def record_for_operator(
    target: PersonView, action: str, *, now: datetime, details: Mapping[str, Detail] | None = None
) -> None:
    """Add to the record of somebody's merchant or office what the operator's command did to that person.

    A command is no person: the entry says that the operator did it. In the caller's transaction. Raises
    ActionUnfit.
    """
    _add(target, OPERATOR, action, now, ("person", target.id.hex), details)


def _add(
    whose: PersonView,
    person_id: UUID,
    action: str,
    now: datetime,
    subject: tuple[str, str] | None,
    details: Mapping[str, Detail] | None,
) -> None:
    kind, subject_id = subject or ("", "")
    AuditEntry.objects.create(
        owner_id=record_of(whose.id, whose.merchant_id, whose.office_id, whose.role),
        id=new_id(),
        person_id=person_id,
        action=action,
        subject_kind=kind,
        subject_id=subject_id,
        at=now,
        details=check_action(action, kind, subject_id, details or {}),
    )
