"""Secrets at rest: AES-256-GCM under the master key.

A sealed secret is ``version (1 byte) || nonce (12) || ciphertext and tag``. The version says which
master key sealed it, so that a new one can be introduced while old secrets still open. The *purpose*
(``device seed``) and the *owner* (the row's own id) are authenticated with it: what was sealed as one
thing, or for one row, does not open as another.

NIST SP 800-38D (2007): at most 2^32 random 96-bit nonces under one key, far above what is stored here.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

from comptoir.kernel.errors import ComptoirError, InvalidValue

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16
_HEAD: Final = 1 + NONCE_BYTES


class CannotUnseal(ComptoirError):
    """Sealed by another master key, for another purpose, or altered since."""

    code = "db.cannot_unseal"


class Sealer:
    """Seals with the current master key, opens with any that is known. Never prints a key."""

    def __init__(self, keys: Mapping[int, bytes], current: int) -> None:
        """`keys`: version (1 to 255) to 32 bytes. Raises InvalidValue."""
        for version, key in keys.items():
            if not 0 < version < 256 or len(key) != KEY_BYTES:
                raise InvalidValue("a master key is 32 bytes under a version from 1 to 255")
        if current not in keys:
            raise InvalidValue("the current master key is not among the keys")
        self._ciphers = {version: AESGCM(key) for version, key in keys.items()}
        self._current = current

    def __repr__(self) -> str:
        return f"Sealer(versions={sorted(self._ciphers)}, current={self._current})"

    def seal(self, secret: bytes, purpose: str, owner: str = "") -> bytes:
        """The sealed form of `secret`, different every time; 29 bytes longer."""
        version = bytes((self._current,))
        nonce = os.urandom(NONCE_BYTES)
        bound = _bound(version, purpose, owner)
        return version + nonce + self._ciphers[self._current].encrypt(nonce, secret, bound)

    def unseal(self, sealed: bytes, purpose: str, owner: str = "") -> bytes:
        """The secret. Raises CannotUnseal: another key, purpose or owner, or altered bytes."""
        sealed = bytes(sealed)
        cipher = self._ciphers.get(sealed[0]) if len(sealed) >= _HEAD + _TAG_BYTES else None
        if cipher is None:
            raise CannotUnseal(f"the {purpose} was not sealed by a master key we have")
        try:
            return cipher.decrypt(sealed[1:_HEAD], sealed[_HEAD:], _bound(sealed[:1], purpose, owner))
        except InvalidTag:
            raise CannotUnseal(f"the {purpose} does not open: another master key, or altered") from None


def seal(secret: bytes, purpose: str, owner: str = "") -> bytes:
    """Seal with this installation's master key. Raises when there is none yet."""
    return _installed().seal(secret, purpose, owner)


def unseal(sealed: bytes, purpose: str, owner: str = "") -> bytes:
    """Open with whichever of this installation's master keys sealed it. Raises CannotUnseal."""
    return _installed().unseal(sealed, purpose, owner)


def current_version() -> int:
    """The version of the master key that seals."""
    return int(settings.COMPTOIR.master_key_version)


def _installed() -> Sealer:
    environment = settings.COMPTOIR
    current = environment.master_key_version, environment.require_master_key()
    return _sealer(current, tuple(environment.other_master_keys.items()))


def derived_key(purpose: str) -> bytes:
    """A key of 32 bytes for one purpose, the same as long as the master key is (HMAC-SHA-256 as a KDF)."""
    return hmac.new(settings.COMPTOIR.require_master_key(), purpose.encode(), hashlib.sha256).digest()


@lru_cache(maxsize=2)
def _sealer(current: tuple[int, bytes], others: tuple[tuple[int, bytes], ...]) -> Sealer:
    return Sealer(dict((*others, current)), current[0])


def _bound(version: bytes, purpose: str, owner: str) -> bytes:
    return b"\x1f".join((version, purpose.encode(), owner.encode()))
