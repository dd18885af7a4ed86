"""Reads of the books: balances now and at any past instant, and the proof that they are whole."""

from __future__ import annotations

from comptoir.ledger.queries.balances import accounts, balance, balance_at, balance_effective
from comptoir.ledger.queries.movements import balances, crossing, holds, movements, postings
from comptoir.ledger.queries.verification import LedgerReport, verify

__all__ = [
    "LedgerReport",
    "accounts",
    "balance",
    "balance_at",
    "balance_effective",
    "balances",
    "crossing",
    "holds",
    "movements",
    "postings",
    "verify",
]
