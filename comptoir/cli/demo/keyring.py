"""The secrets of the demo world: keys, passwords and PINs, made where they are missing."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

from comptoir.cli.demo.cast import MERCHANTS, STAFF, TRAVELLERS, Merchant, Staff, Traveller


def complete(world: Mapping[str, Any], platform_public_key: str) -> dict[str, Any]:
    """The clients and people of the cast, with the secrets `world` has and fresh ones for all others."""
    keys = {one["client_id"]: one["merchant_private_key"] for one in world.get("clients", ())}
    people = {one["login"]: one for one in world.get("people", ())}
    keyless = [one.client_id for one in MERCHANTS if one.client_id not in keys]
    # Making a key takes a tenth of a second and lets other threads work meanwhile.
    with ThreadPoolExecutor(os.cpu_count() or 1) as threads:
        keys.update(zip(keyless, threads.map(_private_key, keyless), strict=True))
    return {
        "clients": [_client(one, keys[one.client_id], platform_public_key) for one in MERCHANTS],
        "people": [_person(one, people.get(one.login, {})) for one in (*TRAVELLERS, *STAFF)],
    }


def _client(one: Merchant, private_key: str, platform_public_key: str) -> dict[str, str]:
    return {
        "client_id": one.client_id,
        "merchant_private_key": private_key,
        "platform_public_key": platform_public_key,
        "merchant_id": one.ref,
        "merchant_name": one.name,
        "store_id": one.stores[0].ref,
        "currency": one.currency,
    }


def _person(one: Traveller | Staff, known: Mapping[str, Any]) -> dict[str, str | None]:
    has_pin = isinstance(one, Traveller) or one.approves
    return {
        "role": "traveller" if isinstance(one, Traveller) else one.role,
        "name": one.name,
        "login": one.login,
        "password": known.get("password") or secrets.token_urlsafe(12),
        "pin": (known.get("pin") or _pin()) if has_pin else None,
    }


def _private_key(_: str) -> str:
    """A fresh key as the SDKs want it: base64 of PKCS #8, without armor."""
    from comptoir.standards.antom import signing

    return signing.export_private_key(signing.generate_key())


def _pin() -> str:
    """Six random digits that are not a run: those are refused."""
    while True:
        pin = f"{secrets.randbelow(10**6):06d}"
        if len({(int(after) - int(before)) % 10 for before, after in pairwise(pin)}) > 1:
            return pin
