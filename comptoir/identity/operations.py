"""Writes. Each function is one database transaction, or joins the caller's."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.db.models import Max
from msgspec.structs import replace

from comptoir.db import pins
from comptoir.db.sealed import seal
from comptoir.identity import queries
from comptoir.identity.errors import (
    ApiKeyExists,
    ApiKeyUnknown,
    ClientRefTaken,
    ClientUnknown,
    KeyRefused,
    KeyUnknown,
    LoginTaken,
    PersonInvalid,
    PersonUnknown,
    PinLocked,
    PinRefused,
    PinUnfit,
    PlatformKeyMissing,
    StaffRefused,
)
from comptoir.identity.models import (
    ApiClient,
    ApiClientKey,
    ApiKey,
    AuditEntry,
    Person,
    PersonPin,
    PlatformKey,
)
from comptoir.identity.queries import PIN_PURPOSE, PLATFORM_KEY_PURPOSE
from comptoir.identity.rules import (
    MERCHANT_ROLES,
    check_action,
    check_client_ref,
    check_name,
    check_operations,
    check_owner_left,
    check_pin_form,
    check_place,
    check_staff_change,
    clean_login,
    is_sandbox,
    record_of,
    secret_hash,
)
from comptoir.identity.types import (
    ClientStatus,
    ClientView,
    Detail,
    PersonView,
    PlatformKeySummary,
    PlatformKeyView,
    Role,
)
from comptoir.kernel.ids import new_id
from comptoir.kernel.pin import counted, is_pin, tries_left
from comptoir.standards.antom import api_key, signing
from comptoir.standards.antom.api_key import Kind

#: Of a password that is used once: 96 random bits, 16 characters.
_FIRST_PASSWORD_BYTES = 12

#: Advisory lock of whoever makes a platform key or chooses one ("ident" in ASCII, as a number).
_PLATFORM_KEY_LOCK = 0x6964656E74


@transaction.atomic
def register_client(
    client_ref: str,
    merchant_id: UUID,
    public_key: str | None,
    *,
    now: datetime,
    notify_url: str | None = None,
    acquirer: bool = False,
) -> ClientView:
    """A new client with its first key (base64 SubjectPublicKeyInfo, armor allowed) as version 1, or with
    none: then it can only be given an API key.

    An `acquirer` may call the Alipay+ family, where it names merchants of its own.

    Raises ClientRefInvalid, ClientRefTaken, and what `add_key` raises.
    """
    row, made = ApiClient.objects.get_or_create(
        client_ref=check_client_ref(client_ref),
        defaults={
            "id": new_id(),
            "merchant_id": merchant_id,
            "sandbox": is_sandbox(client_ref),
            "acquirer": acquirer,
            "notify_url": notify_url,
            "created_at": now,
        },
    )
    if not made:
        raise ClientRefTaken(f"client {client_ref} exists already", field="client_ref")
    if public_key is not None:
        add_key(row.client_ref, public_key, now=now)
    return _client_view(row.client_ref)


@transaction.atomic
def add_key(client_ref: str, public_key: str, *, now: datetime) -> int:
    """One more live key of a client; returns its version. The older ones stay live.

    Raises ClientUnknown, BadKey, and KeyRefused for a key that is live already, was revoked, is private, or
    is our own public key: mixing the two up is the commonest mistake of integrators, and verifies nothing.
    """
    row = _locked(client_ref)
    if signing.is_private_key(public_key):
        raise KeyRefused(
            "this is a private key: it stays with its owner. Make the public one of it: "
            "openssl pkey -in FILE -pubout",
            field="public_key",
        )
    der = signing.public_der(signing.load_public_key(public_key))
    if PlatformKey.objects.filter(public_key=der).exists():
        raise KeyRefused("this is our public key: register your own", field="public_key")
    if row.keys.filter(public_key=der).exists():
        raise KeyRefused("this key is registered already, or was revoked", field="public_key")
    version = (row.keys.aggregate(last=Max("version"))["last"] or 0) + 1
    ApiClientKey.objects.create(id=new_id(), client=row, version=version, public_key=der, created_at=now)
    return int(version)


@transaction.atomic
def revoke_key(client_ref: str, version: int, *, now: datetime) -> None:
    """Stop trusting a key, at the latest when the gateways' few seconds of memory have passed.

    Doing it again changes nothing. Raises ClientUnknown, KeyUnknown.
    """
    keys = _locked(client_ref).keys.filter(version=version)
    if not keys.exists():
        raise KeyUnknown(f"client {client_ref} has no key {version}", field="version")
    keys.filter(revoked_at__isnull=True).update(revoked_at=now)


@transaction.atomic
def create_api_key(
    client_ref: str, operations: Sequence[str] | None, *, now: datetime, key_id: UUID | None = None
) -> str:
    """An API key of a client, whole: it is never to be seen again. `operations` None: for all of them.

    A test client's key is a TEST key. Raises ClientUnknown, ApiKeyInvalid; ApiKeyExists when the key of
    `key_id` was made before.
    """
    row = _locked(client_ref)
    allowed = None if operations is None else check_operations(operations)
    kind = Kind.STANDARD if allowed is None else Kind.RESTRICTED
    key_id, secret = key_id or new_id(), secrets.token_hex(32)
    if ApiKey.objects.filter(id=key_id).exists():
        raise ApiKeyExists("this API key was made already, and shown", field="key")
    ApiKey.objects.create(
        id=key_id,
        client=row,
        kind=kind.value,
        secret_hash=secret_hash(secret),
        operations=allowed,
        created_at=now,
    )
    return api_key.build(api_key.ApiKey(kind, row.sandbox, key_id.hex, secret))


@transaction.atomic
def revoke_api_key(key_id: UUID, *, now: datetime) -> None:
    """Stop trusting an API key, at the latest when the gateways' few seconds of memory have passed.

    Doing it again changes nothing. Raises ApiKeyUnknown.
    """
    keys = ApiKey.objects.filter(id=key_id)
    if not keys.exists():
        raise ApiKeyUnknown(f"there is no API key {key_id.hex}", field="id")
    keys.filter(revoked_at__isnull=True).update(revoked_at=now)


@transaction.atomic
def set_client_status(client_ref: str, status: ClientStatus) -> ClientView:
    """Suspend a client, or let it in again. Raises ClientUnknown."""
    row = _locked(client_ref)
    row.status = status.value
    row.save(update_fields=["status"])
    return _client_view(client_ref)


@transaction.atomic
def set_notify_url(client_ref: str, notify_url: str | None) -> ClientView:
    """Where a client is notified when a request does not say; the door has checked the address.

    Raises ClientUnknown.
    """
    row = _locked(client_ref)
    row.notify_url = notify_url
    row.save(update_fields=["notify_url"])
    return _client_view(client_ref)


@transaction.atomic
def ensure_platform_key(*, now: datetime) -> PlatformKeyView:
    """Our active key pair; made, and its private half sealed, when there is none.

    Safe to call from several processes at once: they all get the same key.
    """
    _lock_platform_keys()
    try:
        return queries.platform_key()
    except PlatformKeyMissing:
        pass
    _make_platform_key(now, active=True)
    return queries.platform_key()


@transaction.atomic
def add_platform_key(*, now: datetime) -> PlatformKeySummary:
    """One more key pair of ours, which signs nothing until `use_platform_key`: merchants learn it first."""
    _lock_platform_keys()
    version = _make_platform_key(now, active=False)
    return next(one for one in queries.platform_keys() if one.version == version)


@transaction.atomic
def use_platform_key(version: int) -> None:
    """Sign with this key from now on; gateways and workers take it up within a minute.

    The others stay: going back is the same command. Raises KeyUnknown.
    """
    _lock_platform_keys()
    if not PlatformKey.objects.filter(version=version).exists():
        raise KeyUnknown(f"there is no platform key {version}", field="version")
    PlatformKey.objects.filter(active=True).exclude(version=version).update(active=False)
    PlatformKey.objects.filter(version=version).update(active=True)


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
def create_staff(
    actor_id: UUID, login: str, display_name: str, role: Role, *, now: datetime
) -> tuple[PersonView, str]:
    """An owner brings somebody in: the person, and the password to log in with once, which has to be changed.

    Raises StaffRefused, PersonInvalid, LoginTaken.
    """
    actor = queries.person_by_id(actor_id)
    if actor is None or not actor.active or actor.role is not Role.OWNER or role not in MERCHANT_ROLES:
        raise StaffRefused("only an owner brings staff in, and only staff", field="role")
    password = secrets.token_urlsafe(_FIRST_PASSWORD_BYTES)
    made = create_person(login, display_name, role, password, now=now, merchant_id=actor.merchant_id)
    Person.objects.filter(id=made.id).update(must_change_password=True)
    return replace(made, must_change_password=True), password


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
def set_staff_active(actor_id: UUID, person_id: UUID, *, active: bool) -> PersonView:
    """An owner ends somebody else's work here, at once and on every device, or lets them in again.

    Doing it again changes nothing. Raises StaffRefused.
    """
    target, staff = _staff_for_change(actor_id, person_id)
    changed = replace(target, active=active)
    check_owner_left(changed if one.id == target.id else one for one in staff)
    Person.objects.filter(id=person_id).update(is_active=active)
    return changed


@transaction.atomic
def reset_password(actor_id: UUID, person_id: UUID) -> str:
    """An owner gives somebody else a new password, to log in with once; it ends their logins everywhere.

    Raises StaffRefused.
    """
    _staff_for_change(actor_id, person_id)
    password = secrets.token_urlsafe(_FIRST_PASSWORD_BYTES)
    Person.objects.filter(id=person_id).update(password=make_password(password), must_change_password=True)
    return password


@transaction.atomic
def password_changed(person_id: UUID) -> None:
    """A person has chosen a password that nobody else knows. Doing it again changes nothing."""
    Person.objects.filter(id=person_id, must_change_password=True).update(must_change_password=False)


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
    kind, subject_id = subject or ("", "")
    AuditEntry.objects.create(
        owner_id=record_of(person.id, person.merchant_id, person.office_id, person.role),
        id=new_id(),
        person_id=person.id,
        action=action,
        subject_kind=kind,
        subject_id=subject_id,
        at=now,
        details=check_action(action, kind, subject_id, details or {}),
    )


def _lock_platform_keys() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_PLATFORM_KEY_LOCK])


def _make_platform_key(now: datetime, *, active: bool) -> int:
    key = signing.generate_key()
    version = int(PlatformKey.objects.aggregate(last=Max("version"))["last"] or 0) + 1
    PlatformKey.objects.create(
        version=version,
        sealed_private_key=seal(signing.private_der(key), PLATFORM_KEY_PURPOSE, str(version)),
        public_key=signing.public_der(key.public_key()),
        active=active,
        created_at=now,
    )
    return version


def _locked(client_ref: str) -> ApiClient:
    row = ApiClient.objects.select_for_update().filter(client_ref=client_ref).first()
    if row is None:
        raise ClientUnknown(f"there is no client {client_ref}", field="client_ref")
    return row


def _client_view(client_ref: str) -> ClientView:
    view = queries.client(client_ref)
    if view is None:
        raise ClientUnknown(f"there is no client {client_ref}", field="client_ref")
    return view
