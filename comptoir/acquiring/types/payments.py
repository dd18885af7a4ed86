"""Values of payments, refunds, captures and changed amounts."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

import msgspec

from comptoir.kernel.money import Money

#: The client of what people ask for by hand, at a counter or a desk. No machine can have this name: it is
#: none that travels in a header.
STAFF: Final = "@staff"


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


class DaySum(msgspec.Struct, frozen=True, gc=False):
    """So many payments or refunds by one issuer's wallets, and what they come to. `hour`: 0 to 23, of sales.

    The issuer None: orders that a wallet has not claimed. `on_wall`: paid over the code that hangs in the
    store, at no till.
    """

    issuer: str | None
    total: Money
    count: int
    hour: int | None = None
    on_wall: bool = False


class DayTotals(msgspec.Struct, frozen=True, gc=False):
    """A day of a store: what it sold, by hour, issuer and currency, and what it gave back."""

    sales: tuple[DaySum, ...]
    refunds: tuple[DaySum, ...]


class RefundState(StrEnum):
    PROCESSING = "PROCESSING"
    SUCCESS = "SUCCESS"
    FAIL = "FAIL"


class StepState(StrEnum):
    """How a capture, or a change of an authorized amount, ended: our own books decide at once."""

    SUCCESS = "SUCCESS"
    FAIL = "FAIL"


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

    @property
    def on_wall(self) -> bool:
        """The customer scanned the code that hangs in the store: it was taken at no till."""
        return self.scenario is Scenario.ENTRY_CODE and self.terminal_ref is None


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
    details: dict[str, Any] | None = None


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
