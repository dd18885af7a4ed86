"""What may be asked of the payment engine, and what it answers.

A command carries everything the decision needs from outside; the engine adds the instant. Each
command is idempotent: by the caller's request id where it has one, by the payment's state otherwise.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from comptoir.acquiring.api import (
    AcceptReason,
    AgreementView,
    AmountUpdateView,
    CaptureMode,
    CaptureView,
    DisputeKind,
    DisputeView,
    Document,
    PaymentView,
    Period,
    Product,
    RefundView,
    Scenario,
    SubscriptionView,
    Trial,
)
from comptoir.fx.api import Quote
from comptoir.kernel.money import Money, Rate
from comptoir.wallet.api import AnswerState, AuthoriseRequest, IssuerAnswer, RefundRequest


class AskedQuote(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A price that a merchant was offered and asks to be paid at.

    `id` alone decides; `rate` (of what it charges in, to what the wallet pays in) and `total` (what the
    wallet pays) are what the merchant believes, and are checked.
    """

    id: UUID
    rate: Rate
    total: Money | None = None


class AskPrice(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What a wallet pays in `currency` for what the merchant charges in `base`.

    `promise`: store the price, so that payments may name it. Without it nothing is recorded, and the
    price is worth no more than to be looked at. `amount` (in `base`) asks whether a payment of it can be
    priced, and owed in `settlement_currency`.
    """

    merchant_id: UUID
    base: str
    currency: str
    promise: bool
    amount: Money | None = None
    settlement_currency: str | None = None


class Pay(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Take a payment. Idempotent by (merchant, client, request_ref).

    `code` is the scanned payment code (PAYMENT_CODE only), `issuer` whose it is when it is another
    issuer's: then the payment stays open until that issuer has answered. OWN_ISSUER there: only our own
    wallet may pay. `sandbox`: a test client asks, and a simulated wallet pays a test merchant. `token_hash`
    is the SHA-256 of the access token (AGREEMENT only); a subscription is charged by `agreement_id` instead.
    `expires_at` None means the contract's default. `quote` is the price to be paid at, and no other.
    `session`: it waits for its buyer as long as a session does. With a `capture_mode` the traveller
    authorizes, and the money is taken at once (AUTOMATIC) or held for captures (MANUAL). `details` is echoed
    and shown to people (order description, goods, store names): it is never used in a decision.
    """

    merchant_id: UUID
    client_ref: str
    request_ref: str
    product: Product
    scenario: Scenario | None
    amount: Money
    method_type: str
    code: str | None = None
    issuer: str | None = None
    token_hash: bytes | None = None
    agreement_id: UUID | None = None
    sandbox: bool = False
    settlement_currency: str | None = None
    expires_at: datetime | None = None
    store_ref: str | None = None
    terminal_ref: str | None = None
    notify_url: str | None = None
    redirect_url: str | None = None
    details: dict[str, Any] = {}
    quote: AskedQuote | None = None
    session: bool = False
    capture_mode: CaptureMode | None = None


class Capture(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Take all or part of what an authorization holds. Idempotent by (merchant, client, request_ref).

    `last`: whatever is left is let go.
    """

    merchant_id: UUID
    client_ref: str
    request_ref: str
    payment_id: UUID
    amount: Money
    last: bool = False


class UpdateAmount(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Make an authorized amount larger or smaller. Idempotent by (merchant, client, request_ref)."""

    merchant_id: UUID
    client_ref: str
    request_ref: str
    payment_id: UUID
    amount: Money


class Cancel(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Undo a whole payment, by our id or by the caller's request id (our id wins).

    `unpaid`: only if nobody has paid it; one that is paid stays so.
    """

    merchant_id: UUID
    client_ref: str
    payment_id: UUID | None = None
    request_ref: str | None = None
    unpaid: bool = False


class Refund(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Give back all or part of a payment. Idempotent by (merchant, client, request_ref).

    `capture_id`: of one capture alone. `details` is kept and echoed, never used in a decision.
    """

    merchant_id: UUID
    client_ref: str
    request_ref: str
    payment_id: UUID
    amount: Money
    capture_id: UUID | None = None
    reason: str | None = None
    notify_url: str | None = None
    details: dict[str, Any] | None = None


class Claim(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A traveller scanned an order code (or opened the cashier): fix the wallet, the rate and the amount.

    `device` is the number of the phone it was done on, if the door knows it: one of this wallet's.
    """

    order_code: str
    wallet_id: UUID
    device: int | None = None


class Confirm(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """The traveller approved a waiting authorization, on `device` as in `Claim`. The door checked the PIN."""

    wallet_id: UUID
    authorization_id: UUID
    device: int | None = None


class Decline(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """The traveller refused a waiting authorization."""

    wallet_id: UUID
    authorization_id: UUID


class Expire(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Close a payment whose time is up, or let go what it holds. Does nothing to one that is not due.

    `unresolved`: close it although it is not due, because its issuer could not be made to answer.
    """

    merchant_id: UUID
    payment_id: UUID
    unresolved: bool = False


class Settle(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What another issuer answered about a payment: by itself, to a question, early or very late."""

    merchant_id: UUID
    payment_id: UUID
    answer: IssuerAnswer


class SettleRefund(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What another issuer answered about a refund."""

    merchant_id: UUID
    refund_id: UUID
    answer: IssuerAnswer


class OpenAgreement(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A merchant asks that a traveller let it debit without asking each time. Idempotent by `id`.

    `grant_hash` is the SHA-256 of the authorization code that an approval makes good. `sandbox`: a test
    client asks.
    """

    id: UUID
    merchant_id: UUID
    client_ref: str
    consent_code: str
    grant_hash: bytes
    state_ref: str
    method_type: str
    redirect_url: str
    sandbox: bool = False
    notify_url: str | None = None
    auth_client_ref: str | None = None


class ApproveAgreement(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """The traveller approved what the page of `consent_code` asks. The door has checked the PIN.

    Limits in minor units of the wallet's currency, at once and a day; None means the wallet's usual ones.
    """

    consent_code: str
    wallet_id: UUID
    payment_limit: int | None = None
    day_limit: int | None = None


class DeclineAgreement(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """The traveller refused what the page of `consent_code` asks."""

    consent_code: str


class ApplyToken(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Exchange an authorization code, or with `refresh` a refresh token, for a pair of tokens.

    All are here as their SHA-256. Idempotent by `grant_hash`: the tokens are derived from the grant, so a
    repeat brings the same ones.
    """

    merchant_id: UUID
    refresh: bool
    grant_hash: bytes
    access_hash: bytes
    refresh_hash: bytes


class RevokeToken(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A merchant ends an agreement, named by its access token."""

    merchant_id: UUID
    access_hash: bytes


class EndAgreement(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """The traveller ends an agreement of their wallet."""

    wallet_id: UUID
    agreement_id: UUID


class OpenSubscription(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A merchant asks to charge a traveller every period. Idempotent by (merchant, client, request_ref).

    `agreement` puts up the page; the subscription gets its id. Amounts in minor units; `start_at` is when the
    first phase begins and is charged.
    """

    agreement: OpenAgreement
    request_ref: str
    input_hash: bytes
    description: str
    amount: Money
    period: Period
    start_at: datetime
    end_at: datetime | None = None
    expires_at: datetime | None = None
    ceiling: int | None = None
    trials: tuple[Trial, ...] = ()
    allow_retry: bool = True
    settlement_currency: str | None = None
    payment_notify_url: str | None = None


class ChangeSubscription(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """New terms from the next phase on; None leaves one as it is. Idempotent by its event and request.

    `event` is what the merchant calls it, CHANGE or UPDATE: each has request ids of its own. `next_at`
    moves the next phase, and all after it.
    """

    merchant_id: UUID
    client_ref: str
    request_ref: str
    subscription_id: UUID
    input_hash: bytes
    event: str
    description: str | None = None
    amount: Money | None = None
    period: Period | None = None
    end_at: datetime | None = None
    next_at: datetime | None = None


class EndSubscription(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A merchant ends a subscription: at once, or by not renewing it. Named by our id, or the request's."""

    merchant_id: UUID
    client_ref: str
    at_once: bool
    subscription_id: UUID | None = None
    request_ref: str | None = None


class Renew(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Charge a phase of a subscription that is due. Does nothing when this try was made already."""

    merchant_id: UUID
    client_ref: str
    subscription_id: UUID
    phase: int
    attempt: int

    @property
    def payment_ref(self) -> str:
        """The request id of the payment: the same for the same try, whoever makes it."""
        return f"sub-{self.subscription_id.hex}-{self.phase}-{self.attempt}"


class Told(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Another issuer told us unasked how an authorization ended: a reason to ask, not an answer."""

    merchant_id: UUID
    payment_id: UUID
    authorization_id: UUID
    claims: AnswerState


class OpenDispute(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Somebody claims (part of) a payment. Idempotent by the dispute's id. The defense is due at `due_at`."""

    merchant_id: UUID
    payment_id: UUID
    dispute_id: UUID
    kind: DisputeKind
    amount: Money
    reason_code: str
    reason: str
    due_at: datetime
    evidence: Document | None = None


class AcceptDispute(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """The merchant gives in, or the operator does for it. `call_id` tells a batch that is tried again from a
    second call."""

    merchant_id: UUID
    payment_id: UUID
    dispute_id: UUID
    reason: AcceptReason
    call_id: str


class DefendDispute(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """The merchant sends the document that defends it. `call_id` as in AcceptDispute."""

    merchant_id: UUID
    payment_id: UUID
    dispute_id: UUID
    document: Document
    call_id: str


class JudgeDispute(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """The operator decides: `won` is for the merchant."""

    merchant_id: UUID
    payment_id: UUID
    dispute_id: UUID
    won: bool


class WithdrawDispute(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """The claim is given up."""

    merchant_id: UUID
    payment_id: UUID
    dispute_id: UUID


class LookAtDispute(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Remind the merchant, or accept for it, if it is time; the worker asks."""

    merchant_id: UUID
    payment_id: UUID
    dispute_id: UUID


DisputeCommand = OpenDispute | AcceptDispute | DefendDispute | JudgeDispute | WithdrawDispute | LookAtDispute

Command = (
    Pay
    | AskPrice
    | Capture
    | UpdateAmount
    | Cancel
    | Refund
    | Claim
    | Confirm
    | Decline
    | Expire
    | Settle
    | SettleRefund
    | OpenAgreement
    | ApproveAgreement
    | DeclineAgreement
    | ApplyToken
    | RevokeToken
    | EndAgreement
    | OpenSubscription
    | ChangeSubscription
    | EndSubscription
    | Renew
    | Told
    | DisputeCommand
)


class Outcome(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """The engine's answer to one command.

    `code` is "ok" when the command did what it asks (for Pay: the payment is SUCCESS), or
    "acquiring.in_process" while a traveller has to act, or the dotted code of the refusal. `field`
    names the input at fault, if one is. `payment`, `refund`, `capture`, `update`, `agreement`, `subscription`
    and `dispute` are the records as they stand now, absent when the command was refused before any record
    was made. `quote` is the price that was asked for. `ask` is what another issuer is to be asked now that
    the intent is recorded; if nobody does, the worker asks what became of it.
    """

    code: str
    message: str = ""
    field: str | None = None
    payment: PaymentView | None = None
    refund: RefundView | None = None
    capture: CaptureView | None = None
    update: AmountUpdateView | None = None
    quote: Quote | None = None
    agreement: AgreementView | None = None
    subscription: SubscriptionView | None = None
    dispute: DisputeView | None = None
    ask: AuthoriseRequest | RefundRequest | None = None


OK = "ok"
IN_PROCESS = "acquiring.in_process"
REFUND_IN_PROCESS = "acquiring.refund_in_process"
