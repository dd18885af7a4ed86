"""The issuer's door.

Three parts: statements and decoders for the payment engine, operations and queries on one wallet for the
wallet's own doors and the operator, and the way to wallets that are not ours.
"""

from __future__ import annotations

from comptoir.wallet import errors
from comptoir.wallet.errors import (
    CodesExhausted,
    CurrencyUnfit,
    DeviceUnknown,
    LimitsUnfit,
    PinLocked,
    PinRefused,
    PinUnfit,
    TopUpConflict,
    TopUpUnfit,
    WalletExists,
    WalletInactive,
    WalletNotEmpty,
    WalletUnknown,
)
from comptoir.wallet.operations.devices import (
    enroll_device,
    payment_code_for,
    purge_spent_codes,
    revoke_device,
)
from comptoir.wallet.operations.engine import (
    add_spending,
    count_bad_code,
    give_back_spending,
    spend_codes,
    store_authorizations,
    store_credits,
)
from comptoir.wallet.operations.pins import check_pin, set_pin
from comptoir.wallet.operations.top_up import top_up
from comptoir.wallet.operations.wallets import close, freeze, open_wallet, set_limits, unfreeze
from comptoir.wallet.queries.engine import (
    authorizations,
    decode_authorizations,
    decode_devices,
    decode_wallets,
    devices,
    wallets,
)
from comptoir.wallet.queries.movements import movements
from comptoir.wallet.queries.proof import expected_balances
from comptoir.wallet.queries.wallets import devices_of, waiting, wallet_summary, wallets_of
from comptoir.wallet.rules import Verdict, check_code, decide, device_number
from comptoir.wallet.types import (
    CNY_LIMITS,
    OWN_ISSUER,
    AuthorizationState,
    AuthorizationView,
    CodeUse,
    Credit,
    CreditKind,
    DeviceSummary,
    DeviceView,
    Enrollment,
    Limits,
    Movement,
    MovementCursor,
    MovementKind,
    MovementPage,
    ShownCode,
    Spending,
    WalletState,
    WalletSummary,
    WalletView,
)

__all__ = [
    "CNY_LIMITS",
    "OWN_ISSUER",
    "AuthorizationState",
    "AuthorizationView",
    "CodeUse",
    "CodesExhausted",
    "Credit",
    "CreditKind",
    "CurrencyUnfit",
    "DeviceSummary",
    "DeviceUnknown",
    "DeviceView",
    "Enrollment",
    "Limits",
    "LimitsUnfit",
    "Movement",
    "MovementCursor",
    "MovementKind",
    "MovementPage",
    "PinLocked",
    "PinRefused",
    "PinUnfit",
    "ShownCode",
    "Spending",
    "TopUpConflict",
    "TopUpUnfit",
    "Verdict",
    "WalletExists",
    "WalletInactive",
    "WalletNotEmpty",
    "WalletState",
    "WalletSummary",
    "WalletUnknown",
    "WalletView",
    "add_spending",
    "authorizations",
    "check_code",
    "check_pin",
    "close",
    "count_bad_code",
    "decide",
    "decode_authorizations",
    "decode_devices",
    "decode_wallets",
    "device_number",
    "devices",
    "devices_of",
    "enroll_device",
    "errors",
    "expected_balances",
    "freeze",
    "give_back_spending",
    "movements",
    "open_wallet",
    "payment_code_for",
    "purge_spent_codes",
    "revoke_device",
    "set_limits",
    "set_pin",
    "spend_codes",
    "store_authorizations",
    "store_credits",
    "top_up",
    "unfreeze",
    "waiting",
    "wallet_summary",
    "wallets",
    "wallets_of",
]
