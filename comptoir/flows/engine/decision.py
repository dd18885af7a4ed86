"""What a decision is, and the legs of the postings it asks for."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from uuid import UUID

import msgspec

from comptoir.acquiring.api import (
    AgreementView,
    AmountUpdateView,
    CaptureMode,
    CaptureView,
    ConflictView,
    DisputeView,
    Document,
    PaymentView,
    RefundView,
    SubscriptionChange,
    SubscriptionPayment,
    SubscriptionView,
)
from comptoir.flows.types import Outcome
from comptoir.fx.api import Quote
from comptoir.kernel.ids import OPERATOR, leg_id
from comptoir.kernel.statements import Statement
from comptoir.ledger.api import Role, Transfer, account_id
from comptoir.risk.api import Count, Entry
from comptoir.wallet import api as wallet
from comptoir.wallet.api import AuthorizationView, CodeUse, Credit, Spending, WalletCapture


class Task(msgspec.Struct, frozen=True):
    """Work for the worker, not before `due_at`: `topic` says what, `subject_id` on which record."""

    topic: str
    subject_id: UUID
    due_at: datetime


class AgreementEvent(StrEnum):
    """What a merchant is told of an agreement, in the words of the wire."""

    TOKEN_CREATED = "TOKEN_CREATED"  # noqa: S105 - an event, not a secret
    TOKEN_CANCELED = "TOKEN_CANCELED"  # noqa: S105 - an event, not a secret


class SubscriptionEvent(StrEnum):
    """What a merchant is told of a subscription, in the words of the wire."""

    CREATE = "CREATE"
    CHANGE = "CHANGE"
    UPDATE = "UPDATE"
    CANCEL = "CANCEL"
    TERMINATE = "TERMINATE"


class DisputeEvent(StrEnum):
    """What happened to a dispute, in the words of the notification (antom-api.md §2.10)."""

    CREATED = "DISPUTE_CREATED"
    DEFENSE_DUE_ALERT = "DEFENSE_DUE_ALERT"
    DEFENSE_SUPPLIED = "DEFENSE_SUPPLIED"
    ACCEPTED = "DISPUTE_ACCEPTED"
    JUDGED = "DISPUTE_JUDGED"
    CANCELLED = "DISPUTE_CANCELLED"


class Decision(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What one command does, if the books agree: all of it happens, or `if_refused` instead.

    The records are as they will stand. `notify` says that the merchant is to be told of the payment or
    refund; of a `capture` or `update` it always is. `agreement_event`, `subscription_event` and
    `dispute_event` are what it is to be told of them; `document` is one of the dispute. `taken` is the
    wallet's side of a capture, `given_back` the capture that a refund is of. `accounts` opens accounts that
    the transfers need. `task` is work to be done after the commit. `entry` is for the risk rules' decision
    log, `counts` for their counters. `conflict` is a contradiction of an issuer, for people. `if_refused` (no
    transfers of its own) holds when the ledger refuses the transfers.
    """

    outcome: Outcome
    transfers: tuple[Transfer, ...] = ()
    payment: PaymentView | None = None
    refund: RefundView | None = None
    capture: CaptureView | None = None
    given_back: CaptureView | None = None
    update: AmountUpdateView | None = None
    taken: WalletCapture | None = None
    authorization: AuthorizationView | None = None
    replaced: AuthorizationView | None = None
    quote: Quote | None = None
    code_use: CodeUse | None = None
    bad_device: int | None = None
    spending: Spending | None = None
    give_back: Spending | None = None
    credit: Credit | None = None
    agreement: AgreementView | None = None
    wallet_agreement: wallet.AgreementView | None = None
    agreement_event: AgreementEvent | None = None
    dispute: DisputeView | None = None
    document: Document | None = None
    dispute_event: DisputeEvent | None = None
    entry: Entry | None = None
    counts: tuple[Count, ...] = ()
    subscription: SubscriptionView | None = None
    subscription_event: SubscriptionEvent | None = None
    subscription_change: SubscriptionChange | None = None
    subscription_payment: SubscriptionPayment | None = None
    accounts: tuple[Statement, ...] = ()
    task: Task | None = None
    conflict: ConflictView | None = None
    notify: bool = False
    if_refused: Decision | None = None


def refuse(
    code: str, message: str = "", *, field: str | None = None, payment: PaymentView | None = None
) -> Decision:
    """Refused, and nothing is recorded."""
    return Decision(outcome=Outcome(code=code, message=message, field=field, payment=payment))


class Parts(msgspec.Struct, frozen=True):
    """What a posting moves, in minor units: off the wallet (at the mid rate, as margin), to the merchant."""

    wallet_id: UUID
    currency: str
    mid: int
    margin: int
    settlement: int


#: Most legs are between a few accounts, and deriving an id costs as much as a leg.
_account = lru_cache(maxsize=1024)(account_id)


def whole(payment: PaymentView, authorization: AuthorizationView) -> Parts:
    """The parts of a payment as its wallet authorized it."""
    total = authorization.total
    return Parts(
        authorization.wallet_id,
        total.currency,
        total.minor - authorization.margin,
        authorization.margin,
        payment.settlement.minor,
    )


#: A cancellation's legs are numbered after the payment's own.
_CANCEL = 16


def payment_legs(payment: PaymentView, parts: Parts) -> tuple[Transfer, ...]:
    """The traveller pays, the merchant is owed: two balanced halves at the mid rate, the margin apart."""
    return _legs(payment, parts, "pay", payment.id)


def cancel_legs(payment: PaymentView, parts: Parts) -> tuple[Transfer, ...]:
    """A whole payment taken back; each leg points at the one it reverses."""
    return _legs(payment, parts, "cancel", payment.id, offset=_CANCEL, back=True)


def refund_legs(payment: PaymentView, parts: Parts, refund_id: UUID) -> tuple[Transfer, ...]:
    """Part of a payment taken back, at the payment's own rate; each leg points at the one it reverses.

    What was captured is of several legs: a refund of it points at none.
    """
    return _legs(payment, parts, "refund", refund_id, back=True)


def _legs(
    payment: PaymentView, parts: Parts, kind: str, parent: UUID, *, offset: int = 0, back: bool = False
) -> tuple[Transfer, ...]:
    reverses = back and payment.capture_mode is not CaptureMode.MANUAL
    return tuple(
        Transfer(
            id=leg_id(parent, number + offset),
            owner_id=payment.merchant_id,
            debit_id=target if back else source,
            credit_id=source if back else target,
            amount=amount,
            currency=currency,
            kind=f"{kind}.{name}",
            subject_id=parent,
            reverses_id=leg_id(payment.id, number) if reverses else None,
        )
        for number, name, source, target, amount, currency in planned_legs(payment, parts)
        if amount  # a part of nothing is no transfer
    )


def planned_legs(payment: PaymentView, parts: Parts) -> tuple[tuple[int, str, UUID, UUID, int, str], ...]:
    """(number, name, from, to, amount, currency) of the three legs, those of nothing too."""
    purse = _account(parts.wallet_id, Role.WALLET, parts.currency)
    position = _account(OPERATOR, Role.FX_POSITION, parts.currency)
    income = _account(OPERATOR, Role.FX_MARGIN, parts.currency)
    owed = payment.settlement.currency
    owed_position = _account(OPERATOR, Role.FX_POSITION, owed)
    payable = _account(payment.merchant_id, Role.MERCHANT_PAYABLE, owed)
    return (
        (1, "mid", purse, position, parts.mid, parts.currency),
        (2, "margin", purse, income, parts.margin, parts.currency),
        (3, "settlement", owed_position, payable, parts.settlement, owed),
    )
