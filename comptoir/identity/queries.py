"""Reads. `*_statement` and `read_*` are for doors that hold an async connection; the rest is Django's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final
from uuid import UUID

from django.db import connection

from comptoir.db.resealing import SealedColumn
from comptoir.db.run import run_sync
from comptoir.db.sealed import unseal
from comptoir.identity.errors import PlatformKeyMissing
from comptoir.identity.models import (
    ApiClient,
    ApiClientKey,
    ApiKey,
    AuditEntry,
    Person,
    PersonPin,
    PlatformKey,
)
from comptoir.identity.types import (
    ApiKeySummary,
    ApiKeyView,
    AuditEntryView,
    AuditPage,
    ClientKeySummary,
    ClientKeyView,
    ClientStatus,
    ClientView,
    PersonSummary,
    PersonView,
    PlatformKeySummary,
    PlatformKeyView,
    Role,
)
from comptoir.kernel.statements import Flow, Rows, Statement
from comptoir.standards.antom.api_key import Kind

#: What platform keys are sealed for.
PLATFORM_KEY_PURPOSE: Final = "platform key"

#: What the PINs of people who work here are sealed for.
PIN_PURPOSE: Final = "identity.pin"

#: Where identity keeps sealed secrets.
SEALED: Final = (
    SealedColumn("identity_platform_key", "version", "sealed_private_key", PLATFORM_KEY_PURPOSE),
    SealedColumn("identity_person_pin", "person_id", "sealed_hash", PIN_PURPOSE, lambda owner: owner.hex),
)

_MOST_ENTRIES: Final = 200

_CLIENT = """
SELECT c.id, c.client_ref, c.merchant_id, c.sandbox, c.status, c.notify_url, c.acquirer, k.version,
    k.public_key
FROM identity_api_client c
LEFT JOIN identity_api_client_key k ON k.client_id = c.id AND k.revoked_at IS NULL
WHERE c.client_ref = %s ORDER BY k.version DESC
"""

_API_KEY = """
SELECT a.id, a.kind, a.secret_hash, a.operations, c.id, c.client_ref, c.merchant_id, c.sandbox, c.status,
    c.notify_url, c.acquirer
FROM identity_api_key a JOIN identity_api_client c ON c.id = a.client_id
WHERE a.id = %s AND a.revoked_at IS NULL
"""

_PLATFORM_KEY = """
SELECT version, public_key, sealed_private_key, created_at FROM identity_platform_key WHERE active
"""


def client_statement(client_ref: str) -> Statement:
    """Everything needed to check a request of one client. Decode with `read_client`."""
    return Statement(_CLIENT, (client_ref,))


def read_client(rows: Rows) -> ClientView | None:
    """The client, or None when there is none of that client ref."""
    if not rows:
        return None
    client_id, client_ref, merchant_id, sandbox, status, notify_url, acquirer, _, _ = rows[0]
    keys = tuple(ClientKeyView(row[7], bytes(row[8])) for row in rows if row[7] is not None)
    return ClientView(
        client_id, client_ref, merchant_id, sandbox, ClientStatus(status), notify_url, keys, acquirer
    )


def notify_urls(client_refs: Sequence[str]) -> Statement:
    """(client ref, notify address) of these clients, of those that have an address."""
    return Statement(
        """
        SELECT client_ref, notify_url FROM identity_api_client
        WHERE client_ref = ANY (%s::text[]) AND notify_url IS NOT NULL
        """,
        (list(client_refs),),
    )


def api_key_statement(key_id: UUID) -> Statement:
    """A live API key with its client. Decode with `read_api_key`."""
    return Statement(_API_KEY, (key_id,))


def read_api_key(rows: Rows) -> ApiKeyView | None:
    """The key, or None when there is none of that id, or it was revoked."""
    if not rows:
        return None
    key_id, kind, kept, operations, *client = rows[0]
    client_id, client_ref, merchant_id, sandbox, status, notify_url, acquirer = client
    return ApiKeyView(
        id=key_id,
        client=ClientView(
            client_id, client_ref, merchant_id, sandbox, ClientStatus(status), notify_url, (), acquirer
        ),
        kind=Kind(kind),
        secret_hash=bytes(kept),
        operations=None if operations is None else frozenset(operations),
    )


def platform_key_statement() -> Statement:
    """The active platform key. Decode with `read_platform_key`."""
    return Statement(_PLATFORM_KEY)


def read_platform_key(rows: Rows) -> PlatformKeyView:
    """The key pair, opened with the master key. Raises PlatformKeyMissing, CannotUnseal."""
    if not rows:
        raise PlatformKeyMissing("there is no active platform key yet")
    version, public_key, sealed, created_at = rows[0]
    private_key = unseal(bytes(sealed), PLATFORM_KEY_PURPOSE, str(version))
    return PlatformKeyView(version, bytes(public_key), private_key, created_at)


def client(client_ref: str) -> ClientView | None:
    """One client with its live keys, or None."""
    return _run(_one(client_statement(client_ref), read_client))


def clients(merchant_id: UUID | None = None) -> tuple[ClientView, ...]:
    """Every client, or one merchant's, with its live keys; by client ref."""
    rows = ApiClient.objects.order_by("client_ref").prefetch_related("keys")
    if merchant_id is not None:
        rows = rows.filter(merchant_id=merchant_id)
    return tuple(_view_of_client(row) for row in rows)


def client_keys(client_ref: str) -> tuple[ClientKeySummary, ...]:
    """All keys a client ever had, newest first; empty also when there is no such client."""
    rows = ApiClientKey.objects.filter(client__client_ref=client_ref).order_by("-version")
    return tuple(
        ClientKeySummary(row.version, bytes(row.public_key), row.created_at, row.revoked_at) for row in rows
    )


def api_keys(client_ref: str) -> tuple[ApiKeySummary, ...]:
    """All API keys a client ever had, newest first; empty also when there is no such client."""
    rows = ApiKey.objects.filter(client__client_ref=client_ref).order_by("-created_at", "-id")
    return tuple(
        ApiKeySummary(
            id=row.id,
            kind=Kind(row.kind),
            operations=None if row.operations is None else tuple(row.operations),
            created_at=row.created_at,
            revoked_at=row.revoked_at,
        )
        for row in rows
    )


def platform_key() -> PlatformKeyView:
    """Our active key pair. Raises PlatformKeyMissing, CannotUnseal."""
    return _run(_one(platform_key_statement(), read_platform_key))


def platform_keys() -> tuple[PlatformKeySummary, ...]:
    """All our key pairs as the operator sees them, newest first."""
    rows = PlatformKey.objects.order_by("-version")
    return tuple(
        PlatformKeySummary(row.version, bytes(row.public_key), row.active, row.created_at) for row in rows
    )


def person(login: str) -> PersonView | None:
    """One person by login (any case), or None."""
    found = Person.objects.filter(login=login.strip().lower()).first()
    return view_of(found) if found else None


def person_by_id(person_id: UUID) -> PersonView | None:
    """One person, or None."""
    found = Person.objects.filter(id=person_id).first()
    return view_of(found) if found else None


def people(ids: Iterable[UUID]) -> dict[UUID, PersonView]:
    """People by id; who is unknown is not there."""
    return {row.id: view_of(row) for row in Person.objects.filter(id__in=list(ids))}


def staff(merchant_id: UUID) -> tuple[PersonView, ...]:
    """Everybody who works or worked for a merchant: who still does first, then by name."""
    rows = Person.objects.filter(merchant_id=merchant_id).order_by("-is_active", "display_name", "login")
    return tuple(view_of(row) for row in rows)


def person_summaries(
    limit: int, after: str = "", *, merchant_id: UUID | None = None, role: Role | None = None
) -> tuple[PersonSummary, ...]:
    """People in the order of their logins, those after `after`; of one merchant or of one role."""
    rows = Person.objects.filter(login__gt=after).order_by("login")
    if merchant_id is not None:
        rows = rows.filter(merchant_id=merchant_id)
    if role is not None:
        rows = rows.filter(role=role.value)
    return tuple(PersonSummary(view_of(row), row.last_login) for row in rows[:limit])


def has_pin(person_id: UUID) -> bool:
    """Whether somebody can approve with a PIN."""
    return PersonPin.objects.filter(person_id=person_id).exists()


def actions(
    owner_id: UUID,
    *,
    limit: int = 50,
    before: UUID | None = None,
    person_id: UUID | None = None,
    subject: tuple[str, str] | None = None,
) -> AuditPage:
    """What was done in one merchant's, office's or person's record, the newest first, at most 200 at once.

    `before` continues after a page (its `older`); `person_id` or `subject` (kind, id) narrow it.
    """
    rows = AuditEntry.objects.filter(owner_id=owner_id).order_by("-id")
    if before is not None:
        rows = rows.filter(id__lt=before)
    if person_id is not None:
        rows = rows.filter(person_id=person_id)
    if subject is not None:
        rows = rows.filter(subject_kind=subject[0], subject_id=subject[1])
    count = min(max(limit, 1), _MOST_ENTRIES)
    found = [_entry(row) for row in rows[: count + 1]]
    return AuditPage(tuple(found[:count]), found[count - 1].id if len(found) > count else None)


def actions_about(owner_id: UUID, kind: str, subject_ids: Sequence[str]) -> list[AuditEntryView]:
    """What was done to any of these things of one kind, by whomever of this record, the oldest first."""
    rows = AuditEntry.objects.filter(owner_id=owner_id, subject_kind=kind, subject_id__in=subject_ids)
    return [_entry(row) for row in rows.order_by("id")]


def _entry(row: AuditEntry) -> AuditEntryView:
    return AuditEntryView(
        id=row.id,
        owner_id=row.owner_id,
        person_id=row.person_id,
        action=row.action,
        subject_kind=row.subject_kind,
        subject_id=row.subject_id,
        at=row.at,
        details=row.details,
    )


def view_of(row: Person) -> PersonView:
    """The frozen view of a person."""
    return PersonView(
        id=row.id,
        login=row.login,
        display_name=row.display_name,
        role=Role(row.role),
        merchant_id=row.merchant_id,
        office_id=row.office_id,
        active=row.is_active,
        must_change_password=row.must_change_password,
        logged_out_at=row.logged_out_at,
        language=row.language,
        theme=row.theme,
    )


def _view_of_client(row: ApiClient) -> ClientView:
    live = sorted((key for key in row.keys.all() if key.revoked_at is None), key=lambda key: -key.version)
    return ClientView(
        row.id,
        row.client_ref,
        row.merchant_id,
        row.sandbox,
        ClientStatus(row.status),
        row.notify_url,
        tuple(ClientKeyView(key.version, bytes(key.public_key)) for key in live),
        row.acquirer,
    )


def _one(statement: Statement, read: Any) -> Flow[Any]:
    rows = yield [statement]
    return read(rows[0])


def _run(flow: Flow[Any]) -> Any:
    with connection.cursor() as cursor:
        return run_sync(cursor, flow)
