"""Clients, their public keys, and their API keys."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Max

from comptoir.identity import queries
from comptoir.identity.errors import (
    ApiKeyExists,
    ApiKeyUnknown,
    ClientRefTaken,
    ClientUnknown,
    KeyRefused,
    KeyUnknown,
)
from comptoir.identity.models import ApiClient, ApiClientKey, ApiKey, PlatformKey
from comptoir.identity.rules import check_client_ref, check_operations, is_sandbox, secret_hash
from comptoir.identity.types import ClientStatus, ClientView
from comptoir.kernel.ids import new_id
from comptoir.standards.antom import api_key, signing
from comptoir.standards.antom.api_key import Kind


@transaction.atomic
def register_client(
    client_ref: str,
    merchant_id: UUID,
    public_key: str | None,
    *,
    now: datetime,
    notify_url: str | None = None,
    acquirer: bool = False,
) -> ClientView:
    """A new client with its first key (base64 SubjectPublicKeyInfo, armor allowed) as version 1, or with
    none: then it can only be given an API key.

    An `acquirer` may call the Alipay+ family, where it names merchants of its own.

    Raises ClientRefInvalid, ClientRefTaken, and what `add_key` raises.
    """
    row, made = ApiClient.objects.get_or_create(
        client_ref=check_client_ref(client_ref),
        defaults={
            "id": new_id(),
            "merchant_id": merchant_id,
            "sandbox": is_sandbox(client_ref),
            "acquirer": acquirer,
            "notify_url": notify_url,
            "created_at": now,
        },
    )
    if not made:
        raise ClientRefTaken(f"client {client_ref} exists already", field="client_ref")
    if public_key is not None:
        add_key(row.client_ref, public_key, now=now)
    return _client_view(row.client_ref)


@transaction.atomic
def add_key(client_ref: str, public_key: str, *, now: datetime) -> int:
    """One more live key of a client; returns its version. The older ones stay live.

    Raises ClientUnknown, BadKey, and KeyRefused for a key that is live already, was revoked, is private, or
    is our own public key: mixing the two up is the commonest mistake of integrators, and verifies nothing.
    """
    row = _locked(client_ref)
    if signing.is_private_key(public_key):
        raise KeyRefused(
            "this is a private key: it stays with its owner. Make the public one of it: "
            "openssl pkey -in FILE -pubout",
            field="public_key",
        )
    der = signing.public_der(signing.load_public_key(public_key))
    if PlatformKey.objects.filter(public_key=der).exists():
        raise KeyRefused("this is our public key: register your own", field="public_key")
    if row.keys.filter(public_key=der).exists():
        raise KeyRefused("this key is registered already, or was revoked", field="public_key")
    version = (row.keys.aggregate(last=Max("version"))["last"] or 0) + 1
    ApiClientKey.objects.create(id=new_id(), client=row, version=version, public_key=der, created_at=now)
    return int(version)


@transaction.atomic
def revoke_key(client_ref: str, version: int, *, now: datetime) -> None:
    """Stop trusting a key, at the latest when the gateways' few seconds of memory have passed.

    Doing it again changes nothing. Raises ClientUnknown, KeyUnknown.
    """
    keys = _locked(client_ref).keys.filter(version=version)
    if not keys.exists():
        raise KeyUnknown(f"client {client_ref} has no key {version}", field="version")
    keys.filter(revoked_at__isnull=True).update(revoked_at=now)


@transaction.atomic
def create_api_key(
    client_ref: str, operations: Sequence[str] | None, *, now: datetime, key_id: UUID | None = None
) -> str:
    """An API key of a client, whole: it is never to be seen again. `operations` None: for all of them.

    A test client's key is a TEST key. Raises ClientUnknown, ApiKeyInvalid; ApiKeyExists when the key of
    `key_id` was made before.
    """
    row = _locked(client_ref)
    allowed = None if operations is None else check_operations(operations)
    kind = Kind.STANDARD if allowed is None else Kind.RESTRICTED
    key_id, secret = key_id or new_id(), secrets.token_hex(32)
    if ApiKey.objects.filter(id=key_id).exists():
        raise ApiKeyExists("this API key was made already, and shown", field="key")
    ApiKey.objects.create(
        id=key_id,
        client=row,
        kind=kind.value,
        secret_hash=secret_hash(secret),
        operations=allowed,
        created_at=now,
    )
    return api_key.build(api_key.ApiKey(kind, row.sandbox, key_id.hex, secret))


@transaction.atomic
def revoke_api_key(key_id: UUID, *, now: datetime) -> None:
    """Stop trusting an API key, at the latest when the gateways' few seconds of memory have passed.

    Doing it again changes nothing. Raises ApiKeyUnknown.
    """
    keys = ApiKey.objects.filter(id=key_id)
    if not keys.exists():
        raise ApiKeyUnknown(f"there is no API key {key_id.hex}", field="id")
    keys.filter(revoked_at__isnull=True).update(revoked_at=now)


@transaction.atomic
def set_client_status(client_ref: str, status: ClientStatus) -> ClientView:
    """Suspend a client, or let it in again. Raises ClientUnknown."""
    row = _locked(client_ref)
    row.status = status.value
    row.save(update_fields=["status"])
    return _client_view(client_ref)


@transaction.atomic
def set_notify_url(client_ref: str, notify_url: str | None) -> ClientView:
    """Where a client is notified when a request does not say; the door has checked the address.

    Raises ClientUnknown.
    """
    row = _locked(client_ref)
    row.notify_url = notify_url
    row.save(update_fields=["notify_url"])
    return _client_view(client_ref)


def _locked(client_ref: str) -> ApiClient:
    row = ApiClient.objects.select_for_update().filter(client_ref=client_ref).first()
    if row is None:
        raise ClientUnknown(f"there is no client {client_ref}", field="client_ref")
    return row


def _client_view(client_ref: str) -> ClientView:
    view = queries.client(client_ref)
    if view is None:
        raise ClientUnknown(f"there is no client {client_ref}", field="client_ref")
    return view
