"""Entry codes: the one code that hangs in a shop for every payment, and opens a page.

In the words of Antom a static HTTPS address of the acquirer (docs.antom.com "entry code", read November
2026). What follows the path is ours: 128 random bits in 22 characters of base64url (RFC 4648 §5), so that
a code is found by being shown and never by trying. It opens a page and moves no money by itself.
"""

from __future__ import annotations

import re
import secrets
from typing import Final

from comptoir.kernel.errors import InvalidValue
from comptoir.standards import own_address

_PATH: Final = "/s/"
_RANDOM_BYTES: Final = 16


def new_ref() -> str:
    """A fresh reference for a store."""
    return secrets.token_urlsafe(_RANDOM_BYTES)


def build(public_base: str, ref: str) -> str:
    """The address to print: ``https://pay.example/s/…``. Raises InvalidValue."""
    return own_address.build(public_base, _PATH, validate(ref))


def parse(text: str, public_base: str) -> str:
    """The reference of a scanned entry code of ours. Raises InvalidValue for anything else."""
    return validate(own_address.parse(text, public_base, _PATH))


def validate(ref: str) -> str:
    """`ref` itself if it has the form of an entry code's reference. Raises InvalidValue."""
    if re.fullmatch(r"[A-Za-z0-9_-]{22}", ref) is None:
        raise InvalidValue("an entry code ends in 22 letters, digits, dashes or underscores")
    return ref
