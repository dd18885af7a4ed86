"""One payment with everything that ever happened to it, for the people of its merchant."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec

from comptoir.acquiring import api as acquiring
from comptoir.acquiring.api import (
    AmountUpdateView,
    CaptureView,
    DisputeState,
    DisputeView,
    PaymentState,
    PaymentView,
    RefundState,
    RefundView,
    StepState,
)
from comptoir.db.run import read
from comptoir.flows.notifications.log import Notice, NoticeState, notices_about
from comptoir.kernel.money import Money
from comptoir.ledger import api as ledger


class Happened(StrEnum):
    """What may happen to a payment, in the order in which it would."""

    ASKED = "asked"
    PAID = "paid"
    AUTHORIZED = "authorized"
    FAILED = "failed"
    AMOUNT_CHANGED = "amount_changed"
    AMOUNT_KEPT = "amount_kept"
    CAPTURED = "captured"
    CAPTURE_FAILED = "capture_failed"
    CANCELLED = "cancelled"
    REFUND_ASKED = "refund_asked"
    REFUNDED = "refunded"
    REFUND_FAILED = "refund_failed"
    DISPUTED = "disputed"
    DEFENDED = "defended"
    DISPUTE_ACCEPTED = "dispute_accepted"
    DISPUTE_WON = "dispute_won"
    DISPUTE_LOST = "dispute_lost"
    DISPUTE_CANCELLED = "dispute_cancelled"
    TOLD = "told"
    TOLD_IN_VAIN = "told_in_vain"


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened. `about` is the record (payment, refund, capture, dispute, notification), `by`
    the client that asked for it, `why` a dotted code, or words where a person or a server gave some."""

    at: datetime
    what: Happened
    about: UUID
    amount: Money | None = None
    by: str | None = None
    why: str | None = None


class PaymentHistory(msgspec.Struct, frozen=True, kw_only=True):
    """A payment, its events in order of time, and what the books moved for it."""

    payment: PaymentView
    refunds: tuple[RefundView, ...]
    disputes: tuple[DisputeView, ...]
    notices: tuple[Notice, ...]
    postings: tuple[ledger.Posting, ...]
    events: tuple[Event, ...]


_ENDED = {
    DisputeState.ACCEPTED: Happened.DISPUTE_ACCEPTED,
    DisputeState.WON: Happened.DISPUTE_WON,
    DisputeState.LOST: Happened.DISPUTE_LOST,
    DisputeState.CANCELLED: Happened.DISPUTE_CANCELLED,
}

_ORDER = {one: place for place, one in enumerate(Happened)}


def payment_history(merchant_id: UUID, payment_id: UUID) -> PaymentHistory | None:
    """The merchant's payment of this id, or None if it has none."""
    found = acquiring.decode_payments(read(acquiring.payments_by_id([(merchant_id, payment_id)])))
    if not found:
        return None
    (payment,) = found
    refunds = acquiring.decode_refunds(read(acquiring.refunds_of_payment(merchant_id, payment_id)))
    captures = acquiring.decode_captures(read(acquiring.captures_of_payment(merchant_id, payment_id)))
    updates = acquiring.decode_amount_updates(
        read(acquiring.amount_updates_of_payments([(merchant_id, payment_id)]))
    )
    disputes = acquiring.decode_disputes(read(acquiring.disputes_of_payment(merchant_id, payment_id)))
    records: list[PaymentView | RefundView | CaptureView | AmountUpdateView | DisputeView]
    records = [payment, *refunds, *captures, *updates, *disputes]
    subjects = [one.id for one in records]
    notices = notices_about(merchant_id, subjects)
    events = [
        *_of_payment(payment),
        *(_of_step(one, Happened.AMOUNT_CHANGED, Happened.AMOUNT_KEPT) for one in updates),
        *(_of_step(one, Happened.CAPTURED, Happened.CAPTURE_FAILED) for one in captures),
        *(event for one in refunds for event in _of_refund(one)),
        *(event for one in disputes for event in _of_dispute(one)),
        *(_of_notice(one) for one in notices if one.ended_at),
    ]
    return PaymentHistory(
        payment=payment,
        refunds=tuple(refunds),
        disputes=tuple(disputes),
        notices=tuple(notices),
        postings=tuple(ledger.postings(merchant_id, subjects)),
        events=tuple(sorted(events, key=lambda one: (one.at, _ORDER[one.what]))),
    )


def _of_payment(one: PaymentView) -> Iterator[Event]:
    yield Event(at=one.created_at, what=Happened.ASKED, about=one.id, amount=one.amount, by=one.client_ref)
    paid = one.state is PaymentState.SUCCESS or (one.wallet_id and one.state is PaymentState.CANCELLED)
    if one.finished_at and one.state is PaymentState.FAIL:
        yield Event(at=one.finished_at, what=Happened.FAILED, about=one.id, why=one.failure_code)
    elif one.finished_at and paid and one.finished_at != one.cancelled_at:
        what = Happened.AUTHORIZED if one.capture_mode else Happened.PAID
        yield Event(at=one.finished_at, what=what, about=one.id, amount=one.wallet_total or one.amount)
    if one.cancelled_at:
        yield Event(at=one.cancelled_at, what=Happened.CANCELLED, about=one.id)


def _of_step(one: AmountUpdateView | CaptureView, done: Happened, failed: Happened) -> Event:
    what = done if one.state is StepState.SUCCESS else failed
    return Event(
        at=one.created_at,
        what=what,
        about=one.id,
        amount=one.amount,
        by=one.client_ref,
        why=one.failure_code,
    )


def _of_refund(one: RefundView) -> Iterator[Event]:
    """Asked for; and its end, where that is another instant or a refusal."""
    at_once = one.state is RefundState.SUCCESS and one.finished_at == one.created_at
    if not at_once:
        yield Event(
            at=one.created_at,
            what=Happened.REFUND_ASKED,
            about=one.id,
            amount=one.amount,
            by=one.client_ref,
            why=one.reason,
        )
    if one.finished_at and one.state is not RefundState.PROCESSING:
        given = one.state is RefundState.SUCCESS
        yield Event(
            at=one.finished_at,
            what=Happened.REFUNDED if given else Happened.REFUND_FAILED,
            about=one.id,
            amount=one.amount,
            by=one.client_ref if at_once else None,
            why=one.failure_code or (one.reason if at_once else None),
        )


def _of_dispute(one: DisputeView) -> Iterator[Event]:
    yield Event(at=one.created_at, what=Happened.DISPUTED, about=one.id, amount=one.amount, why=one.reason)
    if one.defended_at:
        yield Event(at=one.defended_at, what=Happened.DEFENDED, about=one.id)
    if one.ended_at:
        yield Event(at=one.ended_at, what=_ENDED[one.state], about=one.id, amount=one.amount)


def _of_notice(one: Notice) -> Event:
    told = one.state is NoticeState.ACKNOWLEDGED
    return Event(
        at=one.ended_at or one.made_at,
        what=Happened.TOLD if told else Happened.TOLD_IN_VAIN,
        about=one.id,
        by=one.client_ref,
        why=one.problem,
    )
