"""The issuer's door."""

from __future__ import annotations

from comptoir.wallet import errors
from comptoir.wallet.operations.engine import (
    add_spending,
    count_bad_code,
    give_back_spending,
    spend_codes,
    store_authorizations,
    store_credits,
)
from comptoir.wallet.queries.engine import (
    authorizations,
    decode_authorizations,
    decode_devices,
    decode_wallets,
    devices,
    wallets,
)
from comptoir.wallet.rules import Verdict, check_code, decide, device_number
from comptoir.wallet.types import (
    OWN_ISSUER,
    AuthorizationState,
    AuthorizationView,
    CodeUse,
    Credit,
    CreditKind,
    DeviceView,
    Spending,
    WalletState,
    WalletView,
)

__all__ = [
    "add_spending",
    "give_back_spending",
    "OWN_ISSUER",
    "AuthorizationState",
    "AuthorizationView",
    "CodeUse",
    "Credit",
    "CreditKind",
    "DeviceView",
    "Spending",
    "Verdict",
    "WalletState",
    "WalletView",
    "authorizations",
    "check_code",
    "count_bad_code",
    "decide",
    "decode_authorizations",
    "decode_devices",
    "decode_wallets",
    "device_number",
    "devices",
    "errors",
    "spend_codes",
    "store_authorizations",
    "store_credits",
    "wallets",
]
