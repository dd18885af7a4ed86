"""Identity's door."""

from __future__ import annotations

from comptoir.identity.errors import (
    ClientRefInvalid,
    ClientRefTaken,
    ClientUnknown,
    KeyRefused,
    KeyUnknown,
    LoginTaken,
    PersonInvalid,
    PlatformKeyMissing,
)
from comptoir.identity.operations import (
    add_key,
    create_person,
    ensure_platform_key,
    register_client,
    revoke_key,
    set_client_status,
)
from comptoir.identity.queries import (
    client,
    client_keys,
    client_statement,
    clients,
    people,
    person,
    person_by_id,
    platform_key,
    platform_key_statement,
    read_client,
    read_platform_key,
)
from comptoir.identity.types import (
    ClientKeySummary,
    ClientKeyView,
    ClientStatus,
    ClientView,
    PersonView,
    PlatformKeyView,
    Role,
)

__all__ = [
    "ClientKeySummary",
    "ClientKeyView",
    "ClientRefInvalid",
    "ClientRefTaken",
    "ClientStatus",
    "ClientUnknown",
    "ClientView",
    "KeyRefused",
    "KeyUnknown",
    "LoginTaken",
    "PersonInvalid",
    "PersonView",
    "PlatformKeyMissing",
    "PlatformKeyView",
    "Role",
    "add_key",
    "client",
    "client_keys",
    "client_statement",
    "clients",
    "create_person",
    "ensure_platform_key",
    "people",
    "person",
    "person_by_id",
    "platform_key",
    "platform_key_statement",
    "read_client",
    "read_platform_key",
    "register_client",
    "revoke_key",
    "set_client_status",
]
