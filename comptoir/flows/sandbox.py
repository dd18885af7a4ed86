"""A merchant's counterpart for tests: a test merchant whose id follows from the merchant's.

The counterpart is a test merchant like any other (decision 0026): its clients are `SANDBOX_…`, simulated
wallets pay it, its accounts are apart. Nobody works for it: the merchant's own staff look at it.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from comptoir.acquiring import api as acquiring
from comptoir.db.run import read
from comptoir.kernel.ids import derived_id


def counterpart_id(merchant_id: UUID) -> UUID:
    """The id that a merchant's counterpart has, or would have."""
    return derived_id("merchant", "sandbox", merchant_id.hex)


def has_counterpart(merchant_id: UUID) -> bool:
    """Whether a merchant has one."""
    return bool(read(acquiring.merchants([counterpart_id(merchant_id)])))


@transaction.atomic
def open_counterpart(merchant_id: UUID, now: datetime) -> UUID:
    """Make a merchant's counterpart, with the merchant's terms and stores as they are now; its id.

    Doing it again changes nothing. Raises MerchantUnknown, and MerchantInvalid for a test merchant.
    """
    wanted = counterpart_id(merchant_id)
    found = acquiring.decode_merchants(read(acquiring.merchants([merchant_id, wanted])))
    own = found.get(merchant_id)
    if own is None:
        raise acquiring.MerchantUnknown("there is no such merchant", field="merchant")
    if own.sandbox:
        raise acquiring.MerchantInvalid("this is a test merchant already", field="merchant")
    if wanted in found:
        return wanted
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
    for terms in own.contracts:
        acquiring.open_contract(
            wanted,
            settlement_currency=terms.settlement_currency,
            payment_currencies=terms.payment_currencies,
            margin_bps=terms.margin_bps,
            in_store_expiry_s=terms.in_store_expiry_s,
            online_expiry_s=terms.online_expiry_s,
            refund_window_days=terms.refund_window_days,
            now=now,
        )
    for store in acquiring.merchant_summary(own.ref).stores:
        acquiring.add_store(
            wanted,
            derived_id("store", "sandbox", store.id.hex),
            ref=store.ref,
            name=store.name,
            mcc=store.mcc,
            city=store.city,
            country=store.country,
            now=now,
        )
    return wanted
