"""A merchant's counterpart for tests: a test merchant whose id follows from the merchant's.

The counterpart is a test merchant like any other (decision 0026): its clients are `SANDBOX_…`, simulated
wallets pay it, its accounts are apart. Nobody works for it: the merchant's own staff look at it.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from uuid import UUID

from django.db import transaction

from comptoir.acquiring import api as acquiring
from comptoir.acquiring.api import MerchantSummary
from comptoir.db.run import read
from comptoir.kernel.ids import derived_id


def counterpart_id(merchant_id: UUID) -> UUID:
    """The id that a merchant's counterpart has, or would have."""
    return derived_id("merchant", "sandbox", merchant_id.hex)


def has_counterpart(merchant_id: UUID) -> bool:
    """Whether a merchant has one."""
    return bool(read(acquiring.merchants([counterpart_id(merchant_id)])))


@transaction.atomic
def open_counterpart(merchant_id: UUID, now: datetime) -> int:
    """Make a merchant's counterpart, or bring it what it lacks: contracts, stores, tills; how many it lacked.

    What is there stays as it is, also where the merchant has changed since, and so does what was made in the
    counterpart itself. Safe to do again, and at once. Raises MerchantUnknown, and MerchantInvalid for a test
    merchant.
    """
    own = acquiring.merchant_summary_by_id(merchant_id)
    if own.sandbox:
        raise acquiring.MerchantInvalid("this is a test merchant already", field="merchant")
    wanted = counterpart_id(merchant_id)
    if not has_counterpart(merchant_id):
        with suppress(acquiring.MerchantExists):
            acquiring.register_merchant(
                wanted,
                office_id=own.office_id,
                ref=f"T{wanted.hex[:19]}",
                name=own.name,
                mcc=own.mcc,
                country=own.country,
                now=now,
                sandbox=True,
            )
    test = acquiring.merchant_summary_by_id(wanted)
    return _contracts(own, test, now) + _stores(own, test, now)


def _contracts(own: MerchantSummary, test: MerchantSummary, now: datetime) -> int:
    """Agree on what the counterpart lacks; how many contracts that were."""
    there = {terms.settlement_currency for terms in test.contracts}
    lacking = [terms for terms in own.contracts if terms.settlement_currency not in there]
    for terms in lacking:
        with suppress(acquiring.ContractExists):  # somebody else brings it at this moment
            acquiring.open_contract(
                test.id,
                settlement_currency=terms.settlement_currency,
                payment_currencies=terms.payment_currencies,
                margin_bps=terms.margin_bps,
                in_store_expiry_s=terms.in_store_expiry_s,
                online_expiry_s=terms.online_expiry_s,
                refund_window_days=terms.refund_window_days,
                now=now,
            )
    return len(lacking)


def _stores(own: MerchantSummary, test: MerchantSummary, now: datetime) -> int:
    """Add stores and tills that the counterpart lacks; how many that were. A store is known by its ref."""
    there, brought = {store.ref: store for store in test.stores}, 0
    for store in own.stores:
        known = there.get(store.ref)
        store_id = known.id if known else derived_id("store", "sandbox", store.id.hex)
        if known is None:
            brought += 1
            with suppress(acquiring.StoreExists):
                acquiring.add_store(
                    test.id,
                    store_id,
                    ref=store.ref,
                    name=store.name,
                    mcc=store.mcc,
                    city=store.city,
                    country=store.country,
                    time_zone=store.time_zone,
                    now=now,
                )
        lacking = [ref for ref in store.terminals if known is None or ref not in known.terminals]
        brought += len(lacking)
        for ref in lacking:
            with suppress(acquiring.TerminalExists):
                till_id = derived_id("terminal", "sandbox", store_id.hex, ref)
                acquiring.add_terminal(test.id, till_id, store_id, ref=ref, now=now)
    return brought
