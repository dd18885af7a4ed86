"""The secrets of the demo world: keys, passwords and PINs, made where they are missing."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any, Final

from comptoir.cli.demo.cast import MERCHANTS, STAFF, TRAVELLERS, Merchant, Staff, Traveller

#: A client's private key in two forms. PKCS #8 is what SDKs document; the official Python SDK puts PKCS #1
#: armor around whatever it gets, which a current cryptography only reads when it really is PKCS #1.
_PKCS8: Final = "merchant_private_key"
_PKCS1: Final = "merchant_private_key_pkcs1"


def complete(world: Mapping[str, Any], platform_public_key: str) -> dict[str, Any]:
    """The clients and people of the cast, with the secrets `world` has and fresh ones for all others."""
    keys = {
        one["client_id"]: {form: one[form] for form in (_PKCS8, _PKCS1)} for one in world.get("clients", ())
    }
    people = {one["login"]: one for one in world.get("people", ())}
    keyless = [one.client_id for one in MERCHANTS if one.client_id not in keys]
    # Making a key takes a tenth of a second and lets other threads work meanwhile.
    with ThreadPoolExecutor(os.cpu_count() or 1) as threads:
        keys.update(zip(keyless, threads.map(_private_key, keyless), strict=True))
    return {
        "clients": [_client(one, keys[one.client_id], platform_public_key) for one in MERCHANTS],
        "people": [_person(one, people.get(one.login, {})) for one in (*TRAVELLERS, *STAFF)],
    }


def _client(one: Merchant, keys: dict[str, str], platform_public_key: str) -> dict[str, str]:
    return {
        "client_id": one.client_id,
        **keys,
        "platform_public_key": platform_public_key,
        "merchant_id": one.ref,
        "merchant_name": one.name,
        "store_id": one.stores[0].ref,
        "currency": one.currency,
    }


def _person(one: Traveller | Staff, known: Mapping[str, Any]) -> dict[str, str | None]:
    traveller = isinstance(one, Traveller)
    return {
        "role": "traveller" if isinstance(one, Traveller) else one.role,
        "name": one.name,
        "login": one.login,
        "password": known.get("password") or secrets.token_urlsafe(12),
        "pin": (known.get("pin") or _pin()) if traveller else None,
    }


def _private_key(_: str) -> dict[str, str]:
    from comptoir.standards.antom import signing

    key = signing.generate_key()
    return {_PKCS8: signing.export_private_key(key), _PKCS1: signing.export_private_key(key, pkcs1=True)}


def _pin() -> str:
    """Six random digits that are not a run: those are refused."""
    while True:
        pin = f"{secrets.randbelow(10**6):06d}"
        if len({(int(after) - int(before)) % 10 for before, after in pairwise(pin)}) > 1:
            return pin
