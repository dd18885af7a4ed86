"""How a PIN is kept: its argon2id hash, sealed with the master key.

RFC 9106 (September 2021) with 19 MiB, 4 passes and 1 lane: about 50 ms of one core, at or above the
minimum of the OWASP Password Storage Cheat Sheet (19 MiB, 2 passes; read November 2026), and small enough
that many checks at once fit a small machine. Sealed, because no cost per guess protects one of a million
values.
"""

from __future__ import annotations

from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from comptoir.db.sealed import seal, unseal

_HASHER: Final = PasswordHasher(time_cost=4, memory_cost=19_456, parallelism=1)


def seal_pin(pin: str, purpose: str, owner: str) -> bytes:
    """The form in which a PIN is kept, bound to what it is for and whose it is."""
    return seal(_HASHER.hash(pin).encode(), purpose, owner)


def is_right(kept: bytes, pin: str, purpose: str, owner: str) -> bool:
    """Whether a PIN is the one that was kept. Raises CannotUnseal."""
    try:
        return _HASHER.verify(unseal(kept, purpose, owner).decode(), pin)
    except VerifyMismatchError:
        return False
