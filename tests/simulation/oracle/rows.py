"""What each record has to say when the rules are right, and what of it may never change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

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
    (mid, margin, owed), (took_mid, took_margin, took_owed) = payment.gave, payment.took
    _equal(
        "payment",
        row,
        state=payment.state,
        failure_code=payment.failure,
        finished_at=payment.finished,
        cancelled_at=payment.cancelled,
        expires_at=payment.expires,
        amount=payment.amount.minor,
        settlement=payment.settlement,
        refunded=payment.refunded,
        settlement_refunded=owed,
        wallet_refunded=mid + margin,
        margin_refunded=margin,
        auth_expires_at=payment.held_until,
        captured=payment.captured,
        settlement_captured=took_owed,
        wallet_captured=took_mid + took_margin,
        margin_captured=took_margin,
    )
    if (row["hold_id"] is not None) != payment.held:
        raise Wrong(f"payment {payment.id} is held: {payment.held}, the record says otherwise")


def refund_row(kept: Kept, row: Row) -> None:
    """A refund's record says what the rules say."""
    back = kept.backs_by_id.get(row["id"])
    if back is None:
        raise Wrong(f"refund {row['id']} is in the records and nobody asked for it")
    _equal(
        "refund",
        row,
        state=back.state,
        failure_code=back.failure,
        amount=back.command.amount.minor,
        capture_id=back.command.capture_id,
    )
    if back.state != "FAIL":
        _equal("refund", row, settlement=back.settlement)
    dispute = kept.disputes.get(back.id)
    _equal("refund", row, disputed=dispute is not None)
    if dispute is not None:
        ours, (mid, margin, owed) = not back.payment.theirs, dispute.parts
        _equal(
            "chargeback",
            row,
            settlement=owed,
            wallet_amount=mid + margin if ours else None,
            wallet_margin=margin if ours else None,
            finished_at=dispute.ended,
        )


def dispute_row(kept: Kept, row: Row) -> None:
    """A dispute's record says what the rules say."""
    dispute = kept.disputes.get(row["id"])
    if dispute is None:
        raise Wrong(f"dispute {row['id']} is in the records and nobody claimed anything")
    _equal(
        "dispute",
        row,
        merchant_id=dispute.command.merchant_id,
        payment_id=dispute.payment.id,
        kind=dispute.command.kind.value,
        amount=dispute.command.amount.minor,
        currency=dispute.command.amount.currency,
        state=dispute.state,
        held=dispute.held,
        created_at=dispute.created,
        due_at=dispute.command.due_at,
        look_at=dispute.look,
        accept_reason=dispute.accepted,
        changed_by=dispute.called,
        defended_at=dispute.defended,
        ended_at=dispute.ended,
    )


def document_row(kept: Kept, row: Row) -> None:
    """A document is the claimant's, or the one that the merchant defended with."""
    dispute = kept.disputes[row["dispute_id"]]
    given = dispute.command.evidence if row["role"] == "evidence" else dispute.defense
    if given is None:
        raise Wrong(f"dispute {row['dispute_id']} has a document that nobody sent: {row['role']}")
    _equal("document", row, id=given.id, size=given.size, sealed=given.sealed)


def capture_row(kept: Kept, row: Row) -> None:
    """A capture's record says what the rules say."""
    taking = kept.takings_by_id.get(row["id"]) or _by_itself(kept, row)
    _equal(
        "capture",
        row,
        payment_id=taking.payment.id,
        failure_code=taking.failure,
        state="FAIL" if taking.failure else "SUCCESS",
        amount=taking.amount.minor,
        refunded=taking.refunded,
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
        row,
        amount=change.command.amount.minor,
        failure_code=change.failure,
    )


def ask_row(kept: Kept, row: Row) -> None:
    """An authorization's record says what the rules say."""
    ask = kept.asks.get(row["id"])
    if ask is None:
        raise Wrong(f"authorization {row['id']} is in the records and was never given")
    _equal(
        "authorization",
        row,
        state=ask.state,
        total=ask.total,
        margin=ask.margin,
        captured=ask.captured,
        refunded=ask.refunded,
        agreement_id=ask.agreement and ask.agreement.command.id,
        device=ask.shown,
        acted_on=ask.acted_on,
    )


def agreement_row(kept: Kept, row: Row) -> None:
    """The merchant's record of an agreement says what the rules say."""
    agreement = kept.agreements.get(row["id"])
    if agreement is None:
        raise Wrong(f"agreement {row['id']} is in the records and nobody asked for it")
    _equal(
        "agreement",
        row,
        state=agreement.state,
        wallet_id=agreement.purse and agreement.purse.id,
        access_hash=agreement.access,
        refresh_hash=agreement.refresh,
        ended_at=agreement.ended,
    )


def subscription_row(kept: Kept, row: Row) -> None:
    """A subscription's record says what the rules say."""
    one = kept.subscriptions.get(row["id"])
    if one is None:
        raise Wrong(f"subscription {row['id']} is in the records and nobody asked for it")
    _equal(
        "subscription",
        row,
        state=one.state,
        amount=one.amount.minor,
        ceiling=one.ceiling,
        period_kind=one.period.kind.value,
        period_count=one.period.count,
        anchor_at=one.anchor_at,
        anchor_phase=one.anchor,
        phase=one.phase,
        attempt=one.attempt,
        next_at=one.next,
        end_at=one.end,
        ended_at=one.ended,
    )


def subscription_payment_row(kept: Kept, row: Row) -> None:
    """A phase was charged with the payment that the rules charged it with."""
    one = kept.subscriptions[row["subscription_id"]]
    payment = one.charges.get((row["phase"], row["attempt"]))
    if payment is None or payment.id != row["payment_id"]:
        raise Wrong(
            f"subscription {row['subscription_id']} was charged with {row}, and ought to be {payment}"
        )


def wallet_agreement_row(kept: Kept, row: Row) -> None:
    """The wallet's record of an agreement says the same as the merchant's."""
    agreement = kept.agreements[row["id"]]
    _equal(
        "agreement of a wallet",
        row,
        wallet_id=agreement.purse and agreement.purse.id,
        merchant_id=agreement.command.merchant_id,
        payment_limit=agreement.once,
        day_limit=agreement.day,
        ended_at=agreement.ended,
        state="ended" if agreement.ended else "active",
    )


def spending_row(kept: Kept, row: Row) -> None:
    """A wallet spent on a day what its payments of that day come to, and no more than it may."""
    purse = kept.purses[row["wallet_id"]]
    _equal("spending of a wallet", row, spent=purse.spent[row["on"]])
    if row["spent"] > purse.day_limit:
        raise Wrong(f"wallet {purse.id} spent {row['spent']}, more than its {purse.day_limit} a day")


#: What is asked of each row of a table that is written, and of all in the end.
LOOKS: dict[str, Callable[[Kept, Row], None]] = {
    "acquiring_payment": payment_row,
    "acquiring_refund": refund_row,
    "acquiring_capture": capture_row,
    "acquiring_dispute": dispute_row,
    "acquiring_dispute_document": document_row,
    "acquiring_amount_update": change_row,
    "wallet_authorization": ask_row,
    "acquiring_agreement": agreement_row,
    "acquiring_subscription": subscription_row,
    "acquiring_subscription_payment": subscription_payment_row,
    "wallet_agreement": wallet_agreement_row,
    "wallet_day_spending": spending_row,
}


def notice_name(topic: str, payload: dict[str, Any]) -> str:
    """What a notice is about: its topic, and what happened where it says so."""
    return f"{topic} {payload['event']}" if "event" in payload else topic


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


def _equal(what: str, row: Row, **expected: Any) -> None:
    for name, value in expected.items():
        if row[name] != value:
            raise Wrong(f"{what} {row}: {name} is {row[name]}, the rules say {value}")
