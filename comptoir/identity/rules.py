"""Pure decisions about people and clients."""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Final
from uuid import UUID

from comptoir.identity.errors import (
    ActionUnfit,
    ApiKeyInvalid,
    ClientRefInvalid,
    PersonInvalid,
    PinUnfit,
    StaffRefused,
)
from comptoir.identity.types import Detail, PersonView, Role
from comptoir.kernel.ids import OPERATOR
from comptoir.kernel.pin import is_guessable, is_pin
from comptoir.standards.antom.paths import CATALOGUE

#: Test clients carry it in front of their client id (docs.antom.com, "Sandbox").
SANDBOX_PREFIX: Final = "SANDBOX_"

MERCHANT_ROLES: Final = frozenset({Role.CASHIER, Role.MANAGER, Role.OWNER, Role.ACCOUNTANT})
OFFICE_ROLES: Final = frozenset({Role.OFFICER})

MAX_NAME: Final = 64

_ACTION = re.compile(r"[a-z][a-z_]*(\.[a-z][a-z_]*)+")
_SUBJECT = re.compile(r"[a-z_]{0,32}")
_SECRET = re.compile(r"pin|password|secret|token|seed|private|card", re.IGNORECASE)
_LONGEST_DETAIL: Final = 256

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


def check_pin_form(pin: str) -> str:
    """A PIN that may be set. Raises PinUnfit."""
    if not is_pin(pin):
        raise PinUnfit("a PIN has six digits", field="pin")
    if is_guessable(pin):
        raise PinUnfit("a PIN is neither one digit repeated nor a run of digits", field="pin")
    return pin


def record_of(person_id: UUID, merchant_id: UUID | None, office_id: UUID | None, role: Role) -> UUID:
    """Whose record a person's actions are in: the merchant's, the office's, the operator's, or their own."""
    if role is Role.TRAVELLER:
        return person_id
    return merchant_id or office_id or OPERATOR


def check_action(
    action: str, subject_kind: str, subject_id: str, details: Mapping[str, Detail]
) -> dict[str, Detail]:
    """The details of an entry that may be recorded. Raises ActionUnfit.

    An action is dotted (``refund.create``), a subject a kind and an id, a detail a plain value under a name
    that promises no secret.
    """
    if len(action) > 64 or not _ACTION.fullmatch(action):
        raise ActionUnfit(f"an action is a dotted name such as refund.create, not {action!r}", field="action")
    if not _SUBJECT.fullmatch(subject_kind) or len(subject_id) > 64 or bool(subject_kind) != bool(subject_id):
        raise ActionUnfit("a subject is a kind and an id of at most 64 characters", field="subject")
    for name, value in details.items():
        if _SECRET.search(name):
            raise ActionUnfit(f"the detail {name} may be a secret", field=name)
        if not isinstance(value, str | int | bool | None) or len(str(value)) > _LONGEST_DETAIL:
            raise ActionUnfit(f"the detail {name} is not a short plain value", field=name)
    return dict(details)
