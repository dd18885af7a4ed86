"""Why the acquirer says no. The codes are stable; the gateway translates them for the wire."""

from __future__ import annotations

from comptoir.kernel.errors import ComptoirError, InvalidValue

MERCHANT_UNKNOWN = "acquiring.merchant_unknown"
MERCHANT_INACTIVE = "acquiring.merchant_inactive"
CURRENCY_NOT_SUPPORTED = "acquiring.currency_not_supported"
SETTLEMENT_NOT_CONTRACTED = "acquiring.settlement_not_contracted"
SANDBOX_MISMATCH = "acquiring.sandbox_mismatch"
NOT_SIMULATED = "acquiring.not_simulated"
REQUEST_REUSED = "acquiring.request_reused"
PAYMENT_UNKNOWN = "acquiring.payment_unknown"
PAYMENT_EXPIRED = "acquiring.payment_expired"
PAYMENT_CANCELLED = "acquiring.payment_cancelled"
PAYMENT_PAID = "acquiring.payment_paid"
PAYMENT_NOT_PAID = "acquiring.payment_not_paid"
EXPIRY_INVALID = "acquiring.expiry_invalid"
CANCEL_WINDOW = "acquiring.cancel_window"
CANCEL_AFTER_REFUND = "acquiring.cancel_after_refund"
REFUND_EXCEEDS = "acquiring.refund_exceeds"
REFUND_WINDOW = "acquiring.refund_window"
REFUND_CURRENCY = "acquiring.refund_currency"
MERCHANT_BALANCE = "acquiring.merchant_balance"
DISPUTE_UNKNOWN = "acquiring.dispute_unknown"
DISPUTE_CLOSED = "acquiring.dispute_closed"
DISPUTE_LATE = "acquiring.dispute_late"
DISPUTE_EXCEEDS = "acquiring.dispute_exceeds"
AUTHORIZATION_NOT_OFFERED = "acquiring.authorization_not_offered"
AUTHORIZATION_MISSING = "acquiring.authorization_missing"
AUTHORIZATION_EXPIRED = "acquiring.authorization_expired"
AUTHORIZATION_CANCELLED = "acquiring.authorization_cancelled"
CAPTURE_UNKNOWN = "acquiring.capture_unknown"
CAPTURE_EXCEEDS = "acquiring.capture_exceeds"
CAPTURE_CURRENCY = "acquiring.capture_currency"
CANCEL_AFTER_CAPTURE = "acquiring.cancel_after_capture"
UPDATE_AFTER_CAPTURE = "acquiring.update_after_capture"
AGREEMENT_UNKNOWN = "acquiring.agreement_unknown"
AGREEMENT_CLOSED = "acquiring.agreement_closed"
SUBSCRIPTION_UNKNOWN = "acquiring.subscription_unknown"
SUBSCRIPTION_CLOSED = "acquiring.subscription_closed"
SUBSCRIPTION_INVALID = "acquiring.subscription_invalid"
SUBSCRIPTION_DATE = "acquiring.subscription_date"
SUBSCRIPTION_CEILING = "acquiring.subscription_ceiling"
AUTH_CODE_INVALID = "acquiring.auth_code_invalid"
AUTH_CODE_EXPIRED = "acquiring.auth_code_expired"
REFRESH_TOKEN_INVALID = "acquiring.refresh_token_invalid"  # noqa: S105 - a code, not a secret
ACCESS_TOKEN_INVALID = "acquiring.access_token_invalid"  # noqa: S105 - a code, not a secret


class Refused(ComptoirError):
    """Refused before any record was made: the request id is not used up."""

    code = "acquiring.refused"


class MerchantExists(ComptoirError):
    """The id or the reference belongs to a merchant already."""

    code = "acquiring.merchant_exists"


class MerchantUnknown(ComptoirError):
    """No merchant has this id or reference."""

    code = MERCHANT_UNKNOWN


class MerchantInvalid(InvalidValue):
    """Something said of a merchant, a store, a till or a contract is not as it must be; `field` says what."""

    code = "acquiring.merchant_invalid"


class DocumentUnfit(InvalidValue):
    """A document of a dispute is too large, empty, or of no kind that is taken."""

    code = "acquiring.document_unfit"


class ContractExists(ComptoirError):
    """The merchant has a contract for this settlement currency already."""

    code = "acquiring.contract_exists"


class ContractUnknown(ComptoirError):
    """The merchant has no contract in this settlement currency."""

    code = "acquiring.contract_unknown"


class StoreExists(ComptoirError):
    """The merchant has a store of this reference already."""

    code = "acquiring.store_exists"


class StoreUnknown(ComptoirError):
    """The merchant has no such store."""

    code = "acquiring.store_unknown"


class EntryCodeExists(ComptoirError):
    """The store has a live entry code in this currency, and it tells another client."""

    code = "acquiring.entry_code_exists"


class EntryCodeUnknown(ComptoirError):
    """The store has no live entry code in this currency."""

    code = "acquiring.entry_code_unknown"


class TerminalExists(ComptoirError):
    """The store has a till of this reference already."""

    code = "acquiring.terminal_exists"


class ConflictUnknown(ComptoirError):
    """No conflict has this id."""

    code = "acquiring.conflict_unknown"


class ConflictClosed(ComptoirError):
    """The conflict was closed before."""

    code = "acquiring.conflict_closed"


class ConflictUnfit(ComptoirError):
    """What is asked for does not fit the conflict: only a payment that we hold failed can be reversed."""

    code = "acquiring.conflict_unfit"
