"""PINs with which people who work here approve, and the counting of wrong ones."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from comptoir.db import pins
from comptoir.identity.errors import PersonUnknown, PinLocked, PinRefused, PinUnfit
from comptoir.identity.models import Person, PersonPin
from comptoir.identity.queries import PIN_PURPOSE
from comptoir.identity.rules import check_pin_form
from comptoir.kernel.pin import counted, is_pin, tries_left


@transaction.atomic
def set_pin(person_id: UUID, pin: str) -> None:
    """Give somebody a PIN to approve with, or another one, and lift its lock. The door knows who asks.

    Raises PinUnfit, PersonUnknown.
    """
    kept = pins.seal_pin(check_pin_form(pin), PIN_PURPOSE, person_id.hex)
    if not Person.objects.filter(id=person_id).exists():
        raise PersonUnknown(f"there is no person {person_id.hex}", field="person_id")
    PersonPin.objects.update_or_create(
        person_id=person_id, defaults={"sealed_hash": kept, "failures": 0, "locked_until": None}
    )


def check_pin(person_id: UUID, pin: str, now: datetime) -> None:
    """Return if the PIN is right; a wrong one is counted, in a transaction of its own.

    Must not be called inside another transaction: its rollback would forget the count. Raises PinRefused
    (also for who has no PIN or works here no more), PinLocked, also for the right PIN, while too many wrong
    ones are paid for, and PinUnfit, uncounted, for what is nobody's PIN: it was no guess.
    """
    if not is_pin(pin):
        raise PinUnfit("a PIN has six digits", field="pin")
    with transaction.atomic(durable=True):
        refused = _compare_pin(person_id, pin, now)
    if refused is not None:
        raise refused


def _compare_pin(person_id: UUID, pin: str, now: datetime) -> PinRefused | None:
    """Compare under the row's lock and write the count; what is to be raised after the commit."""
    row = PersonPin.objects.select_for_update().filter(person_id=person_id).first()
    if row is None or not Person.objects.filter(id=person_id, is_active=True).exists():
        return PinRefused("the PIN is wrong", tries_left=0)
    if row.locked_until is not None and now < row.locked_until:
        return PinLocked("too many wrong PINs: try again later", row.locked_until)
    right = pins.is_right(bytes(row.sealed_hash), pin, PIN_PURPOSE, person_id.hex)
    row.failures, row.locked_until = counted(row.failures, right, now)
    row.save(update_fields=["failures", "locked_until"])
    if right:
        return None
    if row.locked_until is not None:
        return PinLocked("too many wrong PINs: try again later", row.locked_until)
    return PinRefused("the PIN is wrong", tries_left=tries_left(row.failures))
