"""What can go wrong with people, clients and keys."""

from __future__ import annotations

from datetime import datetime

from comptoir.kernel.errors import ComptoirError, InvalidValue


class ClientUnknown(ComptoirError):
    """No client has this client ref."""

    code = "identity.client_unknown"


class ClientRefTaken(ComptoirError):
    """The client ref belongs to a client already."""

    code = "identity.client_ref_taken"


class ClientRefInvalid(InvalidValue):
    """A client ref is 1 to 64 letters, digits, dots, dashes and underscores."""

    code = "identity.client_ref_invalid"


class KeyUnknown(ComptoirError):
    """The client has no key of this version."""

    code = "identity.key_unknown"


class KeyRefused(InvalidValue):
    """The key is not the client's own, or is registered already."""

    code = "identity.key_refused"


class ApiKeyUnknown(ComptoirError):
    """No API key has this id."""

    code = "identity.api_key_unknown"


class ApiKeyExists(ComptoirError):
    """The API key was made before: it was shown once, and is nobody's to see again."""

    code = "identity.api_key_exists"


class ApiKeyInvalid(InvalidValue):
    """A restricted key is for operations of the API, each once."""

    code = "identity.api_key_invalid"


class PlatformKeyMissing(ComptoirError):
    """There is no active platform key: nothing can be signed."""

    code = "identity.platform_key_missing"


class LoginTaken(ComptoirError):
    """The login belongs to somebody already."""

    code = "identity.login_taken"


class PersonInvalid(InvalidValue):
    """Login, name, role, place of work or password is not as it must be; `field` says which."""

    code = "identity.person_invalid"


class StaffRefused(ComptoirError):
    """Not for this person to do, or not to be done to that one; `field` says which rule is in the way."""

    code = "identity.staff_refused"


class PersonUnknown(ComptoirError):
    """There is no such person."""

    code = "identity.person_unknown"


class PinUnfit(InvalidValue):
    """A PIN has six digits, neither one digit repeated nor a run."""

    code = "identity.pin_unfit"


class PinRefused(ComptoirError):
    """The PIN is wrong, or the person has none. `tries_left` before the next lock."""

    code = "identity.pin_wrong"

    def __init__(self, message: str, tries_left: int) -> None:
        super().__init__(message, field="pin")
        self.tries_left = tries_left


class PinLocked(PinRefused):
    """Too many wrong PINs: until `locked_until` even the right one is refused."""

    code = "identity.pin_locked"

    def __init__(self, message: str, locked_until: datetime) -> None:
        super().__init__(message, tries_left=0)
        self.locked_until = locked_until


class ActionUnfit(InvalidValue):
    """An entry of the record: its name or subject is none, or a detail may be a secret."""

    code = "identity.action_unfit"
