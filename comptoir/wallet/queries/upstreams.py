"""Accounts with those who hold other wallets."""

from __future__ import annotations

from typing import Final

from comptoir.db.sealed import unseal
from comptoir.wallet.errors import UpstreamUnknown
from comptoir.wallet.models import Upstream
from comptoir.wallet.types import UpstreamAccount, UpstreamFamily, UpstreamView

#: What our private keys towards upstreams are sealed for.
KEY_PURPOSE: Final = "upstream key"


def upstreams() -> tuple[UpstreamView, ...]:
    """Every upstream, by name."""
    return tuple(_view(row) for row in Upstream.objects.order_by("name"))


def upstream(name: str) -> UpstreamView:
    """One upstream. Raises UpstreamUnknown."""
    return _view(_row(name))


def upstream_account(name: str) -> UpstreamAccount:
    """What it takes to speak to an upstream, its key opened. Raises UpstreamUnknown, CannotUnseal."""
    row = _row(name)
    return UpstreamAccount(
        name=row.name,
        family=UpstreamFamily(row.family),
        url=row.url,
        client_ref=row.client_ref,
        key_version=row.key_version,
        private_key=unseal(bytes(row.sealed_private_key), KEY_PURPOSE, row.name),
        their_public_key=bytes(row.their_public_key),
        settlement_currency=row.settlement_currency,
    )


def _row(name: str) -> Upstream:
    row = Upstream.objects.filter(name=name).first()
    if row is None:
        raise UpstreamUnknown(f"there is no upstream {name}", field="name")
    return row


def _view(row: Upstream) -> UpstreamView:
    return UpstreamView(
        name=row.name,
        family=UpstreamFamily(row.family),
        url=row.url,
        client_ref=row.client_ref,
        key_version=row.key_version,
        public_key=bytes(row.public_key),
        their_public_key=bytes(row.their_public_key),
        prefixes=tuple(row.prefixes),
        settlement_currency=row.settlement_currency,
        created_at=row.created_at,
    )
