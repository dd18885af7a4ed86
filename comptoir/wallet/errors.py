"""Why a wallet says no. The codes are stable; doors translate them for their caller."""

from __future__ import annotations

from comptoir.kernel.errors import ComptoirError

CODE_INVALID = "wallet.code_invalid"
CODE_EXPIRED = "wallet.code_expired"
CODE_USED = "wallet.code_used"
DEVICE_LOCKED = "wallet.device_locked"
WALLET_INACTIVE = "wallet.inactive"
BALANCE_INSUFFICIENT = "wallet.balance_insufficient"
PAYMENT_LIMIT = "wallet.payment_limit"
DAY_LIMIT = "wallet.day_limit"
DECLINED = "wallet.declined"
AUTHORIZATION_UNKNOWN = "wallet.authorization_unknown"
AUTHORIZATION_CLOSED = "wallet.authorization_closed"


class WalletUnknown(ComptoirError):
    code = "wallet.unknown"


class PinRefused(ComptoirError):
    """The PIN is wrong, or the wallet is locked after too many wrong ones."""

    code = "wallet.pin_wrong"


class PinUnfit(ComptoirError):
    """The PIN does not have the form of a PIN (six digits, not all equal, not a run)."""

    code = "wallet.pin_unfit"
