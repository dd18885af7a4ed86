"""Accounts with those who hold other wallets: where they are, our keys, and whose codes go there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from urllib.parse import urlsplit

from django.db import IntegrityError, transaction

from comptoir.db.sealed import seal
from comptoir.kernel.money import exponent
from comptoir.standards.antom import signing
from comptoir.wallet.connectors.directory import IssuerEntry, check_claims
from comptoir.wallet.errors import IssuersInvalid, UpstreamExists, UpstreamUnknown
from comptoir.wallet.models import Upstream
from comptoir.wallet.queries.upstreams import KEY_PURPOSE, upstream, upstreams
from comptoir.wallet.types import UpstreamFamily, UpstreamView

#: Where an address without TLS is no danger: nobody else hears it.
_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")


@transaction.atomic
def add_upstream(
    name: str,
    *,
    family: UpstreamFamily,
    url: str,
    client_ref: str,
    their_public_key: str,
    now: datetime,
    key_version: int = 1,
    prefixes: Sequence[str] = (),
    settlement_currency: str | None = None,
) -> UpstreamView:
    """A new upstream, with a fresh key pair of ours whose private half is sealed.

    `their_public_key` is base64 SubjectPublicKeyInfo, armor allowed. Gateways and workers use it from their
    next start. Raises UpstreamExists, IssuersInvalid, BadKey, UnknownCurrency.
    """
    _check_url(url)
    if settlement_currency is not None:
        exponent(settlement_currency)
    _check_prefixes(name, prefixes)
    theirs = signing.public_der(signing.load_public_key(their_public_key))
    key = signing.generate_key()
    row = Upstream(
        name=name,
        family=family.value,
        url=url.rstrip("/"),
        client_ref=client_ref,
        key_version=key_version,
        sealed_private_key=seal(signing.private_der(key), KEY_PURPOSE, name),
        public_key=signing.public_der(key.public_key()),
        their_public_key=theirs,
        prefixes=list(prefixes),
        settlement_currency=settlement_currency,
        created_at=now,
    )
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        raise UpstreamExists(f"there is an issuer {name} already", field="name") from None
    return upstream(name)


@transaction.atomic
def route_upstream(name: str, prefixes: Sequence[str]) -> UpstreamView:
    """Let an upstream's codes be those with `prefixes`; with none it gets no new payments.

    What it was asked before is still resolved. Raises UpstreamUnknown, IssuersInvalid.
    """
    row = Upstream.objects.select_for_update().filter(name=name).first()
    if row is None:
        raise UpstreamUnknown(f"there is no upstream {name}", field="name")
    _check_prefixes(name, prefixes)
    row.prefixes = list(prefixes)
    row.save(update_fields=["prefixes"])
    return upstream(name)


def _check_prefixes(name: str, prefixes: Sequence[str]) -> None:
    """The name is fit, and nobody else claims these codes: a directory of all would refuse to be made."""
    entries = {one.name: IssuerEntry(connector="", prefixes=one.prefixes) for one in upstreams()}
    entries[name] = IssuerEntry(connector="", prefixes=tuple(prefixes))
    check_claims(entries)


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        host = None
    plain = not host or bool(parts.query or parts.fragment or parts.username or parts.path.strip("/"))
    if plain or not (parts.scheme == "https" or (parts.scheme == "http" and host in _THIS_MACHINE)):
        raise IssuersInvalid(
            "an upstream's address is https://host[:port], or http on this very machine", field="url"
        )
