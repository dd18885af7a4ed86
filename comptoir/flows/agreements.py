"""The secrets of agreements: authorization codes and tokens, which are kept nowhere but as their SHA-256.

A code is derived from the address of its consent page, tokens from the SHA-256 of the grant that made them,
both with a key that the master key yields: 256 bits that nobody without it can foresee. So whoever asks
again with the same grant gets the same tokens, and a stolen table holds none. With another master key the
codes on open pages stop working; tokens that are out go on.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from typing import Final, NamedTuple

from comptoir.db.sealed import derived_key
from comptoir.kernel.errors import InvalidValue
from comptoir.standards import own_address

_PURPOSE: Final = "comptoir/agreement-tokens/1"

#: The path of consent pages. It stands in codes on screens, so it never changes.
_PATH: Final = "/a/"


class TokenPair(NamedTuple):
    """What a merchant is given for a grant. Never printed."""

    access: str
    refresh: str

    def __repr__(self) -> str:
        return "TokenPair(…)"


def new_consent_code() -> str:
    """The name of a new consent page: 128 random bits in 32 hex digits."""
    return secrets.token_hex(16)


def consent_address(public_url: str, consent_code: str) -> str:
    """Where a traveller reads what is asked, and what a wallet scans."""
    return f"{public_url}{_PATH}{consent_code}"


def parse_consent_address(text: str, public_url: str) -> str:
    """The name of the consent page that a scanned address leads to. Raises InvalidValue for other texts."""
    return check_consent_code(own_address.parse(text, public_url, _PATH))


def check_consent_code(text: str) -> str:
    """`text` itself if it has the form of a consent page's name. Raises InvalidValue."""
    if re.fullmatch(r"[0-9a-f]{32}", text) is None:
        raise InvalidValue("a consent code has 32 hex digits")
    return text


def auth_code(consent_code: str) -> str:
    """The authorization code that an approval of this page makes good."""
    return _derived("auth-code", consent_code.encode())


def token_pair(grant_hash: bytes, *, refresh: bool) -> TokenPair:
    """The tokens that a grant makes: an authorization code, or with `refresh` a refresh token."""
    kind = "refresh" if refresh else "code"
    return TokenPair(_derived(f"access/{kind}", grant_hash), _derived(f"refresh/{kind}", grant_hash))


def digest(secret: str) -> bytes:
    """What is kept of a code or token, and what it is found by. 256 random bits need no slow hash."""
    return hashlib.sha256(secret.encode()).digest()


def _derived(kind: str, content: bytes) -> str:
    made = hmac.new(derived_key(_PURPOSE), kind.encode() + b"\x1f" + content, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(made).decode().rstrip("=")
