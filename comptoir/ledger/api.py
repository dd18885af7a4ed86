"""The books' door."""

from __future__ import annotations

from comptoir.ledger.errors import EXISTS, FLOOR, LINKED, AccountUnknown, PostingRefused
from comptoir.ledger.operations import epoch, lock, open_account, post, post_now, refusals
from comptoir.ledger.queries import (
    LedgerReport,
    accounts,
    balance,
    balance_at,
    balance_effective,
    balances,
    crossing,
    holds,
    movements,
    postings,
    verify,
)
from comptoir.ledger.types import AccountView, Balance, Phase, Posting, Role, Side, Transfer, account_id

__all__ = [
    "EXISTS",
    "FLOOR",
    "LINKED",
    "AccountUnknown",
    "AccountView",
    "Balance",
    "LedgerReport",
    "Phase",
    "Posting",
    "PostingRefused",
    "Role",
    "Side",
    "Transfer",
    "account_id",
    "accounts",
    "balance",
    "balance_at",
    "balance_effective",
    "balances",
    "crossing",
    "epoch",
    "holds",
    "lock",
    "movements",
    "open_account",
    "post",
    "post_now",
    "postings",
    "refusals",
    "verify",
]
