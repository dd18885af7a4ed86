"""A merchant's machines, as the merchant's owner and the operator set them up: one set of rules for both."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction

from comptoir.acquiring import api as acquiring
from comptoir.db.run import read
from comptoir.flows.notifications.addresses import target_of
from comptoir.identity import api as identity
from comptoir.identity.api import ClientView
from comptoir.kernel.errors import ComptoirError

#: What the client ids that we choose begin with, after SANDBOX_ if they are a test client's.
_PREFIX: Final = "5Y"
_DIGITS: Final = 14


class ClientUnfit(ComptoirError):
    """A test client would stand for a real merchant, or a real one for a test merchant."""

    code = "identity.client_unfit"


def new_client_ref(*, sandbox: bool) -> str:
    """A client id that nobody has: `SANDBOX_5Y` or `5Y`, and 14 digits."""
    return f"{'SANDBOX_' if sandbox else ''}{_PREFIX}{secrets.randbelow(10**_DIGITS):0{_DIGITS}d}"


@transaction.atomic
def open_client(
    client_ref: str,
    merchant_id: UUID,
    public_key: str | None,
    *,
    now: datetime,
    notify_url: str | None = None,
    acquirer: bool = False,
) -> ClientView:
    """Let a machine speak for a merchant, by its public key, or for now by none: see `register_client`.

    Raises MerchantUnknown, ClientUnfit, AddressUnusable, and what `identity.register_client` raises.
    """
    merchant = acquiring.decode_merchants(read(acquiring.merchants([merchant_id]))).get(merchant_id)
    if merchant is None:
        raise acquiring.MerchantUnknown("there is no such merchant", field="merchant")
    if identity.is_sandbox(client_ref) != merchant.sandbox:
        raise ClientUnfit(
            "a SANDBOX_ client is for a test merchant, and any other for a real one", field="merchant"
        )
    if notify_url:
        target_of(notify_url)
    return identity.register_client(
        client_ref, merchant_id, public_key, now=now, notify_url=notify_url or None, acquirer=acquirer
    )


@transaction.atomic
def set_notify_url(client_ref: str, notify_url: str | None) -> ClientView:
    """Where a client is notified when a request does not say. Raises AddressUnusable, ClientUnknown."""
    if notify_url:
        target_of(notify_url)
    return identity.set_notify_url(client_ref, notify_url or None)
