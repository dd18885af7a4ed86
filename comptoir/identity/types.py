"""Values of identity."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec

from comptoir.standards.antom.api_key import Kind


class Role(StrEnum):
    """What a person is here to do. One person, one role."""

    TRAVELLER = "traveller"
    CASHIER = "cashier"
    MANAGER = "manager"
    OWNER = "owner"
    ACCOUNTANT = "accountant"
    OFFICER = "officer"
    OPERATOR = "operator"


class ClientStatus(StrEnum):
    """A suspended client is answered, and refused."""

    ACTIVE = "active"
    SUSPENDED = "suspended"


class PersonView(msgspec.Struct, frozen=True):
    """A person, without the password. `must_change_password`: somebody else knows it; `logged_out_at`:
    logins of before are over; `language` and `theme`: of the pages, None until they chose."""

    id: UUID
    login: str
    display_name: str
    role: Role
    merchant_id: UUID | None
    office_id: UUID | None
    active: bool
    must_change_password: bool = False
    logged_out_at: datetime | None = None
    language: str | None = None
    theme: str | None = None


class PersonSummary(msgspec.Struct, frozen=True):
    """A person as the operator lists people. `last_login_at`: None for who never logged in."""

    person: PersonView
    last_login_at: datetime | None


#: What an entry of the record may say beside who, what and when.
Detail = str | int | bool | None


class AuditEntryView(msgspec.Struct, frozen=True):
    """One thing that somebody did. `subject_kind` and `subject_id`: to what; empty for what needs none."""

    id: UUID
    owner_id: UUID
    person_id: UUID
    action: str
    subject_kind: str
    subject_id: str
    at: datetime
    details: dict[str, Detail]


class AuditPage(msgspec.Struct, frozen=True):
    """Entries, the newest first; `older`: the id to continue with, None at the end."""

    entries: tuple[AuditEntryView, ...]
    older: UUID | None


class ClientKeyView(msgspec.Struct, frozen=True):
    """A live public key of a client (SubjectPublicKeyInfo DER)."""

    version: int
    public_key: bytes


class ClientKeySummary(msgspec.Struct, frozen=True):
    """A key of a client as the operator sees it, the revoked ones too (SubjectPublicKeyInfo DER)."""

    version: int
    public_key: bytes
    created_at: datetime
    revoked_at: datetime | None


class ClientView(msgspec.Struct, frozen=True):
    """A client with its live keys, newest first. An `acquirer` pays for merchants of its own."""

    id: UUID
    client_ref: str
    merchant_id: UUID
    sandbox: bool
    status: ClientStatus
    notify_url: str | None
    keys: tuple[ClientKeyView, ...]
    acquirer: bool = False


class ApiKeyView(msgspec.Struct, frozen=True):
    """A live API key and its client. `operations`: what a restricted key is for; None means everything."""

    id: UUID
    client: ClientView
    kind: Kind
    secret_hash: bytes
    operations: frozenset[str] | None

    def __repr__(self) -> str:
        return f"ApiKeyView({self.id.hex})"


class ApiKeySummary(msgspec.Struct, frozen=True):
    """An API key as the operator sees it, the revoked ones too. The secret is nobody's to see again."""

    id: UUID
    kind: Kind
    operations: tuple[str, ...] | None
    created_at: datetime
    revoked_at: datetime | None


class PlatformKeySummary(msgspec.Struct, frozen=True):
    """A key pair of ours as the operator sees it (SubjectPublicKeyInfo DER). `active`: it signs."""

    version: int
    public_key: bytes
    active: bool
    created_at: datetime


class PlatformKeyView(msgspec.Struct, frozen=True):
    """Our key pair in DER. `private_key` is a secret: it is for the signer only."""

    version: int
    public_key: bytes
    private_key: bytes
    created_at: datetime

    def __repr__(self) -> str:
        return f"PlatformKeyView(version={self.version})"
