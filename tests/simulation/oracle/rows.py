"""What each record has to say when the rules are right, and what of it may never change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from comptoir.acquiring.api import CaptureMode
from comptoir.kernel.money import Money
from tests.simulation.oracle.kept import Kept
from tests.simulation.oracle.types import Taking, Wrong

Row = dict[str, Any]


def payment_row(kept: Kept, row: Row) -> None:
    """A payment's record says what the rules say."""
    payment = kept.by_id.get(row["id"])
    if payment is None:
        raise Wrong(f"payment {row['id']} is in the records and nobody asked for it")
    mid, margin, owed = payment.gave
    took_mid, took_margin, took_owed = payment.took
    _equal(
        "payment",
        row["id"],
        state=(row["state"], payment.state),
        failure=(row["failure_code"], payment.failure),
        finished=(row["finished_at"], payment.finished),
        cancelled=(row["cancelled_at"], payment.cancelled),
        amount=(row["amount"], payment.amount.minor),
        settlement=(row["settlement"], payment.settlement),
        refunded=(row["refunded"], payment.refunded),
        settlement_refunded=(row["settlement_refunded"], owed),
        wallet_refunded=(row["wallet_refunded"], mid + margin),
        margin_refunded=(row["margin_refunded"], margin),
        expires=(row["expires_at"], payment.expires),
        held=(row["hold_id"] is not None, payment.held),
        held_until=(row["auth_expires_at"], payment.held_until),
        captured=(row["captured"], payment.captured),
        settlement_captured=(row["settlement_captured"], took_owed),
        wallet_captured=(row["wallet_captured"], took_mid + took_margin),
        margin_captured=(row["margin_captured"], took_margin),
    )


def refund_row(kept: Kept, row: Row) -> None:
    """A refund's record says what the rules say."""
    back = kept.backs_by_id.get(row["id"])
    if back is None:
        raise Wrong(f"refund {row['id']} is in the records and nobody asked for it")
    _equal(
        "refund",
        row["id"],
        state=(row["state"], back.state),
        failure=(row["failure_code"], back.failure),
        amount=(row["amount"], back.command.amount.minor),
        capture=(row["capture_id"], back.command.capture_id),
    )
    if back.state != "FAIL":
        _equal("refund", row["id"], settlement=(row["settlement"], back.settlement))


def capture_row(kept: Kept, row: Row) -> None:
    """A capture's record says what the rules say."""
    taking = kept.takings_by_id.get(row["id"]) or _by_itself(kept, row)
    _equal(
        "capture",
        row["id"],
        payment=(row["payment_id"], taking.payment.id),
        failure=(row["failure_code"], taking.failure),
        state=(row["state"], "FAIL" if taking.failure else "SUCCESS"),
        amount=(row["amount"], taking.amount.minor),
        refunded=(row["refunded"], taking.refunded),
    )


def _by_itself(kept: Kept, row: Row) -> Taking:
    """An authorization that nobody has to capture: all of it is captured once, and told."""
    payment = kept.by_id.get(row["payment_id"])
    if payment is None or payment.mode is not CaptureMode.AUTOMATIC or not payment.was_paid:
        raise Wrong(f"capture {row['id']} is in the records and nobody asked for it")
    key = (payment.command.merchant_id, "by itself", payment.id.hex)
    if key in kept.takings:
        raise Wrong(f"payment {payment.id} was captured by itself twice")
    taking = Taking(row["id"], None, payment, Money(row["amount"], row["currency"]))
    kept.takings[key] = kept.takings_by_id[taking.id] = taking
    kept.tell("notify.capture", taking.id, payment)
    if taking.amount != payment.amount:
        raise Wrong(f"payment {payment.id} was not captured whole")
    return taking


def change_row(kept: Kept, row: Row) -> None:
    """The record of a change of an authorized amount says what the rules say."""
    change = kept.changes_by_id.get(row["id"])
    if change is None:
        raise Wrong(f"change {row['id']} is in the records and nobody asked for it")
    _equal(
        "change of an amount",
        row["id"],
        amount=(row["amount"], change.command.amount.minor),
        failure=(row["failure_code"], change.failure),
    )


def ask_row(kept: Kept, row: Row) -> None:
    """An authorization's record says what the rules say."""
    ask = kept.asks.get(row["id"])
    if ask is None:
        raise Wrong(f"authorization {row['id']} is in the records and was never given")
    _equal(
        "authorization",
        row["id"],
        state=(row["state"], ask.state),
        total=(row["total"], ask.total),
        margin=(row["margin"], ask.margin),
        captured=(row["captured"], ask.captured),
        refunded=(row["refunded"], ask.refunded),
    )


def spending_row(kept: Kept, row: Row) -> None:
    """A wallet spent on a day what its payments of that day come to, and no more than it may."""
    purse = kept.purses[row["wallet_id"]]
    _equal("spending of wallet", purse.id, spent=(row["spent"], purse.spent[row["on"]]))
    if row["spent"] > purse.day_limit:
        raise Wrong(f"wallet {purse.id} spent {row['spent']}, more than its {purse.day_limit} a day")


#: What is asked of each row of a table that is written, and of all in the end.
LOOKS: dict[str, Callable[[Kept, Row], None]] = {
    "acquiring_payment": payment_row,
    "acquiring_refund": refund_row,
    "acquiring_capture": capture_row,
    "acquiring_amount_update": change_row,
    "wallet_authorization": ask_row,
    "wallet_day_spending": spending_row,
}

#: From a state, the states that may follow.
_AFTER = {
    "PROCESSING": {"PROCESSING", "SUCCESS", "FAIL", "CANCELLED"},
    "SUCCESS": {"SUCCESS", "CANCELLED"},
    "FAIL": {"FAIL"},
    "CANCELLED": {"CANCELLED"},
}

#: What was asked for never changes; an authorized amount may.
_FIXED = ("request_ref", "client_ref", "input_hash", "currency", "capture_mode", "created_at", "expires_at")


def state_machine(old: Row, new: Row) -> None:
    """A payment's record goes only where it may."""
    if new["state"] not in _AFTER[old["state"]]:
        raise Wrong(f"payment {new['id']} went from {old['state']} to {new['state']}")
    if any(old[name] != new[name] for name in _FIXED):
        raise Wrong(f"payment {new['id']}: what was asked for has changed")
    if new["captured"] < old["captured"] or new["captured"] > new["amount"]:
        raise Wrong(f"payment {new['id']}: {new['captured']} of {new['amount']} captured")


def _equal(what: str, id: UUID, **pairs: tuple[Any, Any]) -> None:
    for name, (found, expected) in pairs.items():
        if found != expected:
            raise Wrong(f"{what} {id}: {name} is {found}, the rules say {expected}")
