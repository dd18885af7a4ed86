"""People: brought in, changed, let go and let in again, by an owner or by the operator."""

from __future__ import annotations

import secrets
from datetime import datetime
from uuid import UUID

from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from msgspec.structs import replace

from comptoir.identity import queries
from comptoir.identity.errors import LoginTaken, PersonInvalid, PersonUnknown, StaffRefused
from comptoir.identity.models import Person
from comptoir.identity.rules import (
    MERCHANT_ROLES,
    check_name,
    check_owner_left,
    check_place,
    check_staff_change,
    clean_login,
)
from comptoir.identity.types import PersonView, Role
from comptoir.kernel.ids import new_id

#: Of a password that is used once: 96 random bits, 16 characters.
_FIRST_PASSWORD_BYTES = 12


@transaction.atomic
def create_person(
    login: str,
    display_name: str,
    role: Role,
    password: str,
    *,
    now: datetime,
    merchant_id: UUID | None = None,
    office_id: UUID | None = None,
) -> PersonView:
    """A new person. Raises PersonInvalid (the field says what) or LoginTaken."""
    check_place(role, merchant_id, office_id)
    person = Person(
        id=new_id(),
        login=clean_login(login),
        display_name=check_name(display_name),
        role=role.value,
        merchant_id=merchant_id,
        office_id=office_id,
        created_at=now,
    )
    try:
        validate_password(password, person)
    except ValidationError as refused:
        raise PersonInvalid(" ".join(refused.messages), field="password") from None
    person.password = make_password(password)
    try:
        with transaction.atomic():
            person.save(force_insert=True)
    except IntegrityError:
        raise LoginTaken(f"the login {person.login} is taken", field="login") from None
    return queries.view_of(person)


@transaction.atomic
def bring_in(
    login: str,
    display_name: str,
    role: Role,
    *,
    now: datetime,
    merchant_id: UUID | None = None,
    office_id: UUID | None = None,
) -> tuple[PersonView, str]:
    """A new person, and the password to log in with once, which has to be changed.

    Raises PersonInvalid, LoginTaken.
    """
    password = secrets.token_urlsafe(_FIRST_PASSWORD_BYTES)
    place = {"merchant_id": merchant_id, "office_id": office_id}
    made = create_person(login, display_name, role, password, now=now, **place)
    Person.objects.filter(id=made.id).update(must_change_password=True)
    return replace(made, must_change_password=True), password


@transaction.atomic
def create_staff(
    actor_id: UUID, login: str, display_name: str, role: Role, *, now: datetime
) -> tuple[PersonView, str]:
    """An owner brings somebody in, as `bring_in` does.

    Raises StaffRefused, PersonInvalid, LoginTaken.
    """
    actor = queries.person_by_id(actor_id)
    if actor is None or not actor.active or actor.role is not Role.OWNER or role not in MERCHANT_ROLES:
        raise StaffRefused("only an owner brings staff in, and only staff", field="role")
    return bring_in(login, display_name, role, now=now, merchant_id=actor.merchant_id)


@transaction.atomic
def change_role(actor_id: UUID, person_id: UUID, role: Role) -> PersonView:
    """An owner gives somebody else another role. Doing it again changes nothing.

    Raises StaffRefused: also for a role that is none of a merchant's, and when no owner would be left.
    """
    target, staff = _staff_for_change(actor_id, person_id)
    if role not in MERCHANT_ROLES:
        raise StaffRefused("no merchant has this role to give", field="role")
    changed = replace(target, role=role)
    check_owner_left(changed if one.id == target.id else one for one in staff)
    Person.objects.filter(id=person_id).update(role=role.value)
    return changed


@transaction.atomic
def set_staff_active(actor_id: UUID, person_id: UUID, *, active: bool, now: datetime) -> PersonView:
    """An owner ends somebody else's work here, at once and on every device, or lets them in again.

    Doing it again changes nothing. Raises StaffRefused.
    """
    target, staff = _staff_for_change(actor_id, person_id)
    changed = replace(target, active=active)
    check_owner_left(changed if one.id == target.id else one for one in staff)
    return set_active(target.id, active=active, now=now)


@transaction.atomic
def set_active(person_id: UUID, *, active: bool, now: datetime) -> PersonView:
    """The operator ends somebody's logins and lets nobody in under that name, or does again.

    Logins of before never come back. Doing it again changes nothing. Raises PersonUnknown.
    """
    one = _locked(person_id)
    if one.is_active == active:
        return queries.view_of(one)
    one.is_active = active
    if not active:
        one.logged_out_at = now
    one.save(update_fields=["is_active", "logged_out_at"])
    return queries.view_of(one)


@transaction.atomic
def reset_password(actor_id: UUID, person_id: UUID) -> str:
    """An owner gives somebody else a new password, as `new_password` does. Raises StaffRefused."""
    target, _ = _staff_for_change(actor_id, person_id)
    return new_password(target.id)


@transaction.atomic
def new_password(person_id: UUID) -> str:
    """A password to log in with once, which has to be changed; every login under the old one ends.

    Raises PersonUnknown.
    """
    one = _locked(person_id)
    password = secrets.token_urlsafe(_FIRST_PASSWORD_BYTES)
    # A session carries a mark of the password it was opened with: with another one it is over.
    one.password, one.must_change_password = make_password(password), True
    one.save(update_fields=["password", "must_change_password"])
    return password


@transaction.atomic
def password_changed(person_id: UUID) -> None:
    """A person has chosen a password that nobody else knows. Doing it again changes nothing."""
    Person.objects.filter(id=person_id, must_change_password=True).update(must_change_password=False)


@transaction.atomic
def keep_preferences(person_id: UUID, *, language: str | None = None, theme: str | None = None) -> None:
    """Keep what somebody chose for their pages; None leaves that as it is. The door knows which there are."""
    given = {"language": language, "theme": theme}
    chosen = {name: value for name, value in given.items() if value is not None}
    if chosen:
        Person.objects.filter(id=person_id).update(**chosen)


@transaction.atomic
def end_staff_logins(actor_id: UUID, person_id: UUID, *, now: datetime) -> None:
    """An owner ends every login of somebody else, on every device. Raises StaffRefused."""
    target, _ = _staff_for_change(actor_id, person_id)
    end_logins(target.id, now=now)


@transaction.atomic
def end_logins(person_id: UUID, *, now: datetime) -> None:
    """Every login of somebody that began until now is over, on every device. Raises PersonUnknown."""
    one = _locked(person_id)
    one.logged_out_at = now
    one.save(update_fields=["logged_out_at"])


def _locked(person_id: UUID) -> Person:
    row = Person.objects.select_for_update().filter(id=person_id).first()
    if row is None:
        raise PersonUnknown(f"there is no person {person_id.hex}", field="person")
    return row


def _staff_for_change(actor_id: UUID, person_id: UUID) -> tuple[PersonView, list[PersonView]]:
    """Whom an owner changes, and everybody of that merchant, who wait for us. Raises StaffRefused.

    All rows are locked in one order: of two owners who end each other's work, one comes too late.
    """
    actor = queries.person_by_id(actor_id)
    if actor is None or actor.merchant_id is None:
        raise StaffRefused("only an owner changes staff", field="role")
    rows = Person.objects.select_for_update().filter(merchant_id=actor.merchant_id).order_by("id")
    staff = [queries.view_of(row) for row in rows]
    target = next((one for one in staff if one.id == person_id), None)
    if target is None:
        raise StaffRefused("the merchant has no such person", field="person")
    check_staff_change(next((one for one in staff if one.id == actor_id), None), target)
    return target, staff
