"""Values of the acquirer: what a payment and a refund are to everyone outside this context."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec

from comptoir.kernel.money import Money


class Product(StrEnum):
    """What the merchant integrates; the spelling of the wire and of the table."""

    IN_STORE = "IN_STORE_PAYMENT"
    CASHIER = "CASHIER_PAYMENT"
    AGREEMENT = "AGREEMENT_PAYMENT"


class Scenario(StrEnum):
    """Who shows the code at the counter: the traveller, the till for one order, or the wall for all."""

    PAYMENT_CODE = "PaymentCode"
    ORDER_CODE = "OrderCode"
    ENTRY_CODE = "EntryCode"


class PaymentState(StrEnum):
    """PROCESSING is the only state that may change to SUCCESS or FAIL; SUCCESS only to CANCELLED."""

    PROCESSING = "PROCESSING"
    SUCCESS = "SUCCESS"
    FAIL = "FAIL"
    CANCELLED = "CANCELLED"


class CaptureMode(StrEnum):
    """What follows an authorization: it is captured at once, or when (and as far as) the merchant says."""

    AUTOMATIC = "AUTOMATIC"
    MANUAL = "MANUAL"


class RefundState(StrEnum):
    PROCESSING = "PROCESSING"
    SUCCESS = "SUCCESS"
    FAIL = "FAIL"


class StepState(StrEnum):
    """How a capture, or a change of an authorized amount, ended: our own books decide at once."""

    SUCCESS = "SUCCESS"
    FAIL = "FAIL"


class MerchantView(msgspec.Struct, frozen=True, gc=False):
    """A merchant with its contracts, as the engine needs it. `sandbox`: a test merchant, whose payments
    are simulated and whose accounts are apart."""

    id: UUID
    ref: str
    name: str
    mcc: str
    country: str
    office_id: UUID
    active: bool
    contracts: tuple[ContractView, ...] = ()
    sandbox: bool = False


class ContractView(msgspec.Struct, frozen=True, gc=False):
    """What the merchant agreed: currencies, margin, times.

    `margin_bps` is the traveller's margin over the reference rate in hundredths of a percent.
    """

    settlement_currency: str
    payment_currencies: tuple[str, ...]
    margin_bps: int
    in_store_expiry_s: int
    online_expiry_s: int
    refund_window_days: int


class StoreSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A store as the operator sees it; `terminals` are the references of its tills."""

    id: UUID
    ref: str
    name: str
    mcc: str
    city: str
    country: str
    terminals: tuple[str, ...]


class EntryCodeView(msgspec.Struct, frozen=True, kw_only=True):
    """A code that hangs in a store: what it charges in, and which of the merchant's machines is told."""

    ref: str
    merchant_id: UUID
    merchant_name: str
    merchant_active: bool
    store_ref: str
    store_name: str
    client_ref: str
    currency: str


class MerchantSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A merchant as the operator sees it: who it is, what was agreed (oldest first), where it sells."""

    id: UUID
    ref: str
    name: str
    mcc: str
    country: str
    office_id: UUID
    active: bool
    created_at: datetime
    contracts: tuple[ContractView, ...]
    stores: tuple[StoreSummary, ...]
    sandbox: bool = False


class PaymentView(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One payment, whole. Amounts in minor units with their currency.

    `wallet_total` is what the traveller pays, of which `wallet_margin` is the spread leg; both are
    None until a wallet is known. `settlement` is what the merchant is owed before fees.
    `asked_quote_id` is the quote at which the merchant asked to be paid: no other prices the payment.

    `capture_mode` None: paid at once. An authorization counts what was captured of each of its amounts;
    `hold_id` names the hold that stands in the books (the record that made it: this payment, a capture or
    a change of amount), None while nothing is held. It may be captured until just before `auth_expires_at`.
    """

    id: UUID
    merchant_id: UUID
    client_ref: str
    request_ref: str
    input_hash: bytes
    product: Product
    scenario: Scenario | None
    amount: Money
    settlement: Money
    settlement_price: Decimal
    state: PaymentState
    created_at: datetime
    expires_at: datetime
    failure_code: str | None = None
    finished_at: datetime | None = None
    cancelled_at: datetime | None = None
    method_type: str = ""
    issuer: str | None = None
    wallet_id: UUID | None = None
    authorization_id: UUID | None = None
    wallet_total: Money | None = None
    wallet_margin: Money | None = None
    quote_id: UUID | None = None
    quote_price: Decimal | None = None
    quote_from: datetime | None = None
    quote_until: datetime | None = None
    customer_ref: str | None = None
    order_code: str | None = None
    refunded: int = 0
    wallet_refunded: int = 0
    margin_refunded: int = 0
    settlement_refunded: int = 0
    store_ref: str | None = None
    terminal_ref: str | None = None
    notify_url: str | None = None
    redirect_url: str | None = None
    details: dict[str, Any] = {}
    asked_quote_id: UUID | None = None
    capture_mode: CaptureMode | None = None
    auth_expires_at: datetime | None = None
    hold_id: UUID | None = None
    captured: int = 0
    wallet_captured: int = 0
    margin_captured: int = 0
    settlement_captured: int = 0


class AgreementState(StrEnum):
    """OPEN waits for a traveller, APPROVED for the merchant to fetch tokens; ACTIVE may debit."""

    OPEN = "open"
    APPROVED = "approved"
    ACTIVE = "active"
    DECLINED = "declined"
    ENDED = "ended"


class AgreementEnd(StrEnum):
    """Who ended an agreement."""

    MERCHANT = "merchant"
    TRAVELLER = "traveller"


class AgreementView(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """The merchant's side of an agreement to debit a wallet without asking each time.

    Until `expires_at` a traveller may approve it on the page that `consent_code` names. Secrets are here as
    their SHA-256 alone: `grant_hash` is what the tokens were or are to be made from (the authorization code
    or the refresh token before). `state_ref` is the merchant's own name for it.
    """

    id: UUID
    merchant_id: UUID
    client_ref: str
    consent_code: str
    state: AgreementState
    state_ref: str
    method_type: str
    redirect_url: str
    created_at: datetime
    expires_at: datetime
    grant_hash: bytes
    grant_expires_at: datetime | None = None
    access_hash: bytes | None = None
    access_expires_at: datetime | None = None
    refresh_hash: bytes | None = None
    refresh_expires_at: datetime | None = None
    auth_client_ref: str | None = None
    notify_url: str | None = None
    wallet_id: UUID | None = None
    customer_ref: str | None = None
    ended_at: datetime | None = None
    ended_by: AgreementEnd | None = None

    def __repr__(self) -> str:
        return f"AgreementView({self.id.hex}, {self.state})"


class PeriodType(StrEnum):
    """The unit in which a subscription renews; the spelling of the wire and of the table."""

    DAY = "DAY"
    WEEK = "WEEK"
    MONTH = "MONTH"
    QUARTER = "QUARTER"
    HALF_YEAR = "HALF_YEAR"
    YEAR = "YEAR"


class Period(msgspec.Struct, frozen=True, gc=False):
    """So many units long, at least one."""

    kind: PeriodType
    count: int


class Trial(msgspec.Struct, frozen=True, gc=False):
    """Other amounts (minor units, 0 for nothing) for the phases from `first` to `last`, counted from 1."""

    amount: int
    first: int
    last: int


class SubscriptionState(StrEnum):
    """OPEN waits for its traveller; ACTIVE renews. CANCELLED renews no more, TERMINATED is over at once."""

    OPEN = "open"
    ACTIVE = "active"
    CANCELLED = "cancelled"
    TERMINATED = "terminated"


class SubscriptionView(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A payment that comes again every period, under the agreement of the same id.

    Phases count from 1; `phase` is the next one to be charged, in its `attempt`-th try, at `next_at` (None:
    never). Phase `anchor_phase` begins at `anchor_at`, the others follow by the period. `ceiling` is the most
    that the traveller agreed to be charged for a phase.
    """

    id: UUID
    merchant_id: UUID
    client_ref: str
    request_ref: str
    input_hash: bytes
    description: str
    amount: Money
    ceiling: int
    period: Period
    state: SubscriptionState
    created_at: datetime
    start_at: datetime
    anchor_at: datetime
    method_type: str
    anchor_phase: int = 1
    phase: int = 1
    attempt: int = 1
    next_at: datetime | None = None
    end_at: datetime | None = None
    trials: tuple[Trial, ...] = ()
    allow_retry: bool = True
    settlement_currency: str | None = None
    notify_url: str | None = None
    payment_notify_url: str | None = None
    ended_at: datetime | None = None


class SubscriptionChange(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A change that was made under a request id, so that a repeat is known as one."""

    merchant_id: UUID
    client_ref: str
    request_ref: str
    subscription_id: UUID
    input_hash: bytes
    created_at: datetime


class SubscriptionPayment(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Which payment a phase was charged with, in which try."""

    merchant_id: UUID
    subscription_id: UUID
    phase: int
    attempt: int
    payment_id: UUID


class ConflictView(msgspec.Struct, frozen=True, kw_only=True):
    """An issuer contradicted itself about a payment: first what is `recorded`, then what it `claimed`.

    Both are "succeeded" or "failed". `verdict` is what it answered when it was asked again ("unknown": it
    never did). Closed by itself when that is what is recorded, by people otherwise; nothing moves for it.
    """

    id: UUID
    merchant_id: UUID
    payment_id: UUID
    issuer: str
    recorded: str
    claimed: str
    opened_at: datetime
    verdict: str | None = None
    judged_at: datetime | None = None
    closed_at: datetime | None = None
    note: str = ""


class RefundView(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One refund of one payment: amount in the payment's currency, and what went back to the wallet.

    `capture_id`: the one capture it gives back, if the merchant named one. `disputed`: nobody asked for it,
    it is the money of the dispute of the same id.
    """

    id: UUID
    merchant_id: UUID
    payment_id: UUID
    client_ref: str
    request_ref: str
    input_hash: bytes
    amount: Money
    state: RefundState
    created_at: datetime
    failure_code: str | None = None
    finished_at: datetime | None = None
    wallet_amount: Money | None = None
    wallet_margin: Money | None = None
    settlement: Money | None = None
    reason: str | None = None
    notify_url: str | None = None
    capture_id: UUID | None = None
    disputed: bool = False


class CaptureView(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One capture of one authorization: amount in the payment's currency, and what each side moved of it.

    `refunded` counts, in minor units of that currency, what refunds that name this capture gave back.
    """

    id: UUID
    merchant_id: UUID
    payment_id: UUID
    client_ref: str
    request_ref: str
    input_hash: bytes
    amount: Money
    state: StepState
    created_at: datetime
    failure_code: str | None = None
    wallet_amount: Money | None = None
    wallet_margin: Money | None = None
    settlement: Money | None = None
    refunded: int = 0


class AmountUpdateView(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One change of an authorized amount: what it was to be (`amount`), and what it had been (`before`)."""

    id: UUID
    merchant_id: UUID
    payment_id: UUID
    client_ref: str
    request_ref: str
    input_hash: bytes
    amount: Money
    before: Money
    state: StepState
    created_at: datetime
    failure_code: str | None = None


class DisputeKind(StrEnum):
    """CHARGEBACK is about money. The other two only ask the merchant for its papers."""

    CHARGEBACK = "CHARGEBACK"
    RETRIEVAL_REQUEST = "RETRIEVAL_REQUEST"
    COMPLIANCE_REQUEST = "COMPLIANCE_REQUEST"


class DisputeState(StrEnum):
    """OPEN waits for the merchant, DEFENDED for a judgment; the others are final. LOST and ACCEPTED gave the
    money back, WON and CANCELLED let it go."""

    OPEN = "OPEN"
    DEFENDED = "DEFENDED"
    ACCEPTED = "ACCEPTED"
    WON = "WON"
    LOST = "LOST"
    CANCELLED = "CANCELLED"


class AcceptReason(StrEnum):
    """Why a dispute counts as accepted: the merchant said so, said nothing in time, or we did for it."""

    MERCHANT = "MERCHANT_ACCEPTED"
    TIMEOUT = "TIMEOUT"
    MANUAL = "MANUAL_PROCESSING_ACCEPTED"


class DocumentRole(StrEnum):
    """EVIDENCE is the claimant's, DEFENSE the merchant's."""

    EVIDENCE = "evidence"
    DEFENSE = "defense"


class DocumentFormat(StrEnum):
    """What a document is, by its first bytes; the spelling of the wire."""

    PDF = "PDF"
    WORD = "WORD"
    JPG = "JPG"


class Document(msgspec.Struct, frozen=True):
    """A document of a dispute, sealed under its id. `size` and `sha256` are those of what is inside."""

    id: UUID
    role: DocumentRole
    format: DocumentFormat
    size: int
    sha256: bytes
    sealed: bytes

    def __repr__(self) -> str:
        return f"Document({self.role.value}, {self.format.value}, {self.size} bytes)"


class DisputeView(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A claim against a payment. `amount` is in the payment's currency.

    `held`: the money is held of the merchant's, in a refund of the same id. `look_at` is when the worker has
    something to do. `changed_by` names the call that ended or defended it, so that its repeat is known.
    `ended_at` is when it was accepted, judged or cancelled.
    """

    id: UUID
    merchant_id: UUID
    payment_id: UUID
    kind: DisputeKind
    amount: Money
    reason_code: str
    reason: str
    state: DisputeState
    created_at: datetime
    due_at: datetime
    look_at: datetime | None
    held: bool = False
    accept_reason: AcceptReason | None = None
    changed_by: str = ""
    defended_at: datetime | None = None
    ended_at: datetime | None = None


#: What documents are sealed for: they are full of names, and read by few.
DOCUMENT_PURPOSE = "acquiring.dispute-document"
