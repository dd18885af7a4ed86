"""Pure decisions about people and clients."""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Final
from uuid import UUID

from comptoir.identity.errors import ApiKeyInvalid, ClientRefInvalid, PersonInvalid, StaffRefused
from comptoir.identity.types import PersonView, Role
from comptoir.standards.antom.paths import CATALOGUE

#: Test clients carry it in front of their client id (docs.antom.com, "Sandbox").
SANDBOX_PREFIX: Final = "SANDBOX_"

MERCHANT_ROLES: Final = frozenset({Role.CASHIER, Role.MANAGER, Role.OWNER, Role.ACCOUNTANT})
OFFICE_ROLES: Final = frozenset({Role.OFFICER})

MAX_NAME: Final = 64

_CLIENT_REF = re.compile(r"[A-Za-z0-9._-]{1,64}")
_LOGIN = re.compile(r"[a-z0-9._@+-]{1,64}")


def check_client_ref(client_ref: str) -> str:
    """The client ref, when it is fit to travel in a header. Raises ClientRefInvalid."""
    if not _CLIENT_REF.fullmatch(client_ref):
        raise ClientRefInvalid(
            "a client id is 1 to 64 letters, digits, dots, dashes or underscores", field="client_ref"
        )
    return client_ref


def is_sandbox(client_ref: str) -> bool:
    """Whether the client is a test client: its id alone decides, never the path it calls."""
    return client_ref.startswith(SANDBOX_PREFIX)


def secret_hash(secret: str) -> bytes:
    """What is kept of an API key's secret: its SHA-256."""
    return sha256(secret.encode()).digest()


def is_secret(secret: str, kept: bytes | None) -> bool:
    """Whether a secret is the one whose hash was kept (None: no key has it); always in the same time."""
    same = hmac.compare_digest(secret_hash(secret), kept or bytes(32))
    return same and kept is not None


def check_operations(operations: Sequence[str]) -> list[str]:
    """The operations of a restricted key, by their names below /v1, in order. Raises ApiKeyInvalid."""
    known = {one.name for one in CATALOGUE.values() if one.family == "ams"}
    if not operations or len(set(operations)) != len(operations):
        raise ApiKeyInvalid("a restricted key is for at least one operation, each once", field="operations")
    for name in operations:
        if name not in known:
            raise ApiKeyInvalid(f"there is no operation {name}: payments/pay is one", field="operations")
    return sorted(operations)


def clean_login(login: str) -> str:
    """The login in its one spelling: trimmed, lower case. Raises PersonInvalid."""
    cleaned = login.strip().lower()
    if not _LOGIN.fullmatch(cleaned):
        raise PersonInvalid("a login is 1 to 64 letters, digits or . _ @ + -", field="login")
    return cleaned


def check_place(role: Role, merchant_id: UUID | None, office_id: UUID | None) -> None:
    """Each role has exactly the place of work that belongs to it. Raises PersonInvalid."""
    if (merchant_id is not None) != (role in MERCHANT_ROLES):
        raise PersonInvalid(f"the role {role} and the merchant do not fit", field="merchant_id")
    if (office_id is not None) != (role in OFFICE_ROLES):
        raise PersonInvalid(f"the role {role} and the office do not fit", field="office_id")


def check_name(display_name: str) -> str:
    """A name to show: trimmed, 1 to 64 characters. Raises PersonInvalid."""
    cleaned = display_name.strip()
    if not 1 <= len(cleaned) <= MAX_NAME or "\x00" in cleaned:
        raise PersonInvalid(f"a name has 1 to {MAX_NAME} characters", field="display_name")
    return cleaned


def check_staff_change(actor: PersonView | None, target: PersonView) -> None:
    """An owner, still at work, changes somebody else of the same merchant. Raises StaffRefused."""
    if actor is None or not actor.active or actor.role is not Role.OWNER:
        raise StaffRefused("only an owner changes staff", field="role")
    if actor.merchant_id is None or actor.merchant_id != target.merchant_id:
        raise StaffRefused("the merchant has no such person", field="person")
    if actor.id == target.id:
        raise StaffRefused("nobody changes this of themselves", field="self")


def check_owner_left(staff: Iterable[PersonView]) -> None:
    """Of a merchant's staff as it would be, at least one owner can log in. Raises StaffRefused."""
    if not any(one.active and one.role is Role.OWNER for one in staff):
        raise StaffRefused("a merchant always has an owner", field="owner")
