"""Values of merchants, their contracts and stores."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec


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
    """A store as the operator sees it; `terminals` are the references of its tills.

    `time_zone` (an IANA name) is the clock by which it keeps its day.
    """

    id: UUID
    ref: str
    name: str
    mcc: str
    city: str
    country: str
    time_zone: str
    terminals: tuple[str, ...]


class TillView(msgspec.Struct, frozen=True, kw_only=True):
    """A till in a store, or (`terminal_ref` None) the store without one: where payments are taken by hand.

    `currencies` are what the merchant may charge in, the first contract's first. `sandbox`: a test merchant.
    """

    merchant_id: UUID
    merchant_name: str
    sandbox: bool
    store_id: UUID
    store_ref: str
    store_name: str
    city: str
    country: str
    time_zone: str
    terminal_ref: str | None
    currencies: tuple[str, ...]


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
