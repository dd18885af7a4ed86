"""Why a wallet says no. The codes are stable; doors translate them for their caller."""

from __future__ import annotations

from datetime import datetime

from comptoir.kernel.errors import ComptoirError

CANCELLED = "wallet.cancelled"
CODE_INVALID = "wallet.code_invalid"
CODE_EXPIRED = "wallet.code_expired"
CODE_USED = "wallet.code_used"
DEVICE_LOCKED = "wallet.device_locked"
DEVICE_UNKNOWN = "wallet.device_unknown"
WALLET_INACTIVE = "wallet.inactive"
BALANCE_INSUFFICIENT = "wallet.balance_insufficient"
PAYMENT_LIMIT = "wallet.payment_limit"
DAY_LIMIT = "wallet.day_limit"
DECLINED = "wallet.declined"
AUTHORIZATION_UNKNOWN = "wallet.authorization_unknown"
AUTHORIZATION_CLOSED = "wallet.authorization_closed"
REFUSED = "wallet.refused"
AGREEMENT_UNKNOWN = "wallet.agreement_unknown"
AGREEMENT_ENDED = "wallet.agreement_ended"
AGREEMENT_LIMITS = "wallet.agreement_limits"


class WalletUnknown(ComptoirError):
    """No wallet has this id."""

    code = "wallet.unknown"


class WalletExists(ComptoirError):
    """The id belongs to a wallet of somebody else, or of another currency."""

    code = "wallet.exists"


class WalletInactive(ComptoirError):
    """The wallet is frozen or closed, or not in the state this change starts from."""

    code = WALLET_INACTIVE


class WalletNotEmpty(ComptoirError):
    """A wallet is closed only when nothing is in it."""

    code = "wallet.not_empty"


class CurrencyUnfit(ComptoirError):
    """Wallets in this currency are not offered here."""

    code = "wallet.currency_unfit"


class FrozenByOperator(ComptoirError):
    """The operator froze the wallet: only the operator lets it pay again."""

    code = "wallet.frozen_by_operator"


class LimitsTooHigh(ComptoirError):
    """The holder wants a limit above what the operator allows; `field` says which."""

    code = "wallet.limits_too_high"


class LimitsUnfit(ComptoirError):
    """Limits are whole minor units with 0 <= no_pin <= payment <= day."""

    code = "wallet.limits_unfit"


class PinRefused(ComptoirError):
    """The PIN is wrong. `tries_left` before the next lock."""

    code = "wallet.pin_wrong"

    def __init__(self, message: str, tries_left: int) -> None:
        super().__init__(message, field="pin")
        self.tries_left = tries_left


class PinLocked(PinRefused):
    """Too many wrong PINs: until `locked_until` even the right one is refused."""

    code = "wallet.pin_locked"

    def __init__(self, message: str, locked_until: datetime) -> None:
        super().__init__(message, tries_left=0)
        self.locked_until = locked_until


class PinUnfit(ComptoirError):
    """The PIN does not have the form of a PIN (six digits, not all equal, not a run)."""

    code = "wallet.pin_unfit"


class DeviceUnknown(ComptoirError):
    """There is no such device, or it was revoked."""

    code = DEVICE_UNKNOWN


class CodesExhausted(ComptoirError):
    """All ten codes of this half minute are spent: the next ones come within 30 seconds."""

    code = "wallet.codes_exhausted"


class TopUpUnfit(ComptoirError):
    """The amount is not above zero, too large, or not in the wallet's currency."""

    code = "wallet.top_up_unfit"


class TopUpConflict(ComptoirError):
    """The id is that of another credit of this wallet."""

    code = "wallet.top_up_conflict"


class IssuersInvalid(ComptoirError):
    """The table of issuers cannot be used: a prefix is claimed twice, or a connector is not there."""

    code = "wallet.issuers_invalid"


class UpstreamExists(ComptoirError):
    """The name belongs to an issuer already."""

    code = "wallet.upstream_exists"


class UpstreamUnknown(ComptoirError):
    """No upstream has this name."""

    code = "wallet.upstream_unknown"
