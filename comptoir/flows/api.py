"""The door of everything that spans contexts."""

from __future__ import annotations

from comptoir.flows.engine.batch import run_batch
from comptoir.flows.engine.desk import Desk
from comptoir.flows.engine.queue import Broken, Engine, EngineStats, Overloaded, Unavailable
from comptoir.flows.entry import CROWDED, Entry, open_order, scanned_entry
from comptoir.flows.issuers import PaymentDesk
from comptoir.flows.operations import execute
from comptoir.flows.rehearsal import activate_rules, rehearse
from comptoir.flows.types import (
    IN_PROCESS,
    OK,
    REFUND_IN_PROCESS,
    ApplyToken,
    ApproveAgreement,
    AskedQuote,
    AskPrice,
    Cancel,
    Capture,
    Claim,
    Command,
    Confirm,
    Decline,
    DeclineAgreement,
    EndAgreement,
    Expire,
    OpenAgreement,
    Outcome,
    Pay,
    Refund,
    RevokeToken,
    Settle,
    SettleRefund,
    UpdateAmount,
)
from comptoir.flows.verification import VerificationReport, verify_books

__all__ = [
    "CROWDED",
    "IN_PROCESS",
    "OK",
    "REFUND_IN_PROCESS",
    "ApplyToken",
    "ApproveAgreement",
    "AskPrice",
    "AskedQuote",
    "Broken",
    "Cancel",
    "Capture",
    "Claim",
    "Command",
    "Confirm",
    "Decline",
    "DeclineAgreement",
    "Desk",
    "EndAgreement",
    "Engine",
    "EngineStats",
    "Entry",
    "Expire",
    "OpenAgreement",
    "Outcome",
    "Overloaded",
    "Pay",
    "PaymentDesk",
    "Refund",
    "RevokeToken",
    "Settle",
    "SettleRefund",
    "Unavailable",
    "UpdateAmount",
    "VerificationReport",
    "activate_rules",
    "execute",
    "open_order",
    "rehearse",
    "run_batch",
    "scanned_entry",
    "verify_books",
]
