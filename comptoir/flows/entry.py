"""From the code on a shop's wall to an order: the traveller types the amount, the engine opens it.

The code stands for the merchant's own software: it says which client of the merchant's the payment belongs
to, and that client is notified as if it had asked for the payment itself. A shop that has no software of its
own names the counter, whose pages show what was paid.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from comptoir.acquiring import api as acquiring
from comptoir.acquiring.api import STAFF, EntryCodeView, Product, Scenario
from comptoir.flows.engine.desk import Desk
from comptoir.flows.operations import execute
from comptoir.flows.types import Outcome, Pay
from comptoir.identity import api as identity
from comptoir.identity.api import ClientStatus
from comptoir.kernel.ids import derived_id
from comptoir.kernel.money import Money

#: So many orders of one store may wait for their payer. Anybody in the shop can open one, and none costs
#: anything: more than a crowd at the counter could mean is somebody filling our tables.
_MOST_OPEN: Final = 200

CROWDED: Final = "flows.entry_crowded"

#: What a wallet may be, in the catalogue's word for "whichever the traveller has".
_METHOD: Final = "CONNECT_WALLET"


class Entry(msgspec.Struct, frozen=True):
    """A live code on a wall. `notify_url` is None where the merchant's client wants no notifications.

    `is_open`: merchant and client are in good standing, so a payment could begin.
    """

    code: EntryCodeView
    is_open: bool
    notify_url: str | None


def scanned_entry(ref: str) -> Entry | None:
    """What a scanned reference leads to, or None for one that nobody has (any more)."""
    code = acquiring.entry_code(ref)
    if code is None:
        return None
    if code.client_ref == STAFF:
        return Entry(code, code.merchant_active, None)
    client = identity.client(code.client_ref)
    standing = client is not None and client.status is ClientStatus.ACTIVE
    return Entry(code, code.merchant_active and standing, client.notify_url if client else None)


def open_order(entry: Entry, amount: Money, attempt: UUID, now: datetime, desk: Desk) -> Outcome:
    """Open an order over `amount`, in the code's currency, for a wallet to claim.

    `attempt` is made once for each page that is shown: sending the same page twice opens one order. The
    request id that the merchant sees is derived from it, so that no stranger can take an id of the
    merchant's own or see what became of one.
    """
    code = entry.code
    if acquiring.open_entry_orders(code, now) >= _MOST_OPEN:
        return Outcome(code=CROWDED, message="too many orders of this store wait for their payers")
    request_ref = f"ENTRY-{derived_id('entry', code.ref, attempt.hex).hex}"
    order = Pay(
        merchant_id=code.merchant_id,
        client_ref=code.client_ref,
        request_ref=request_ref,
        product=Product.IN_STORE,
        scenario=Scenario.ENTRY_CODE,
        amount=amount,
        method_type=_METHOD,
        store_ref=code.store_ref,
        notify_url=entry.notify_url,
        details={"storeName": code.store_name},
    )
    (outcome,) = execute([order], now, desk)
    return outcome
