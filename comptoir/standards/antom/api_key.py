"""API keys: how a client without a key pair says who it is.

``Authorization: Bearer isak_PROD_<id>_<secret>``. The SDKs (Python 1.7.1, November 2026) know *standard* keys
(``isak``) and *restricted* ones (``irak``), for ``TEST`` (they call the sandbox paths) and ``PROD``. They
sign nothing, and verify no answer: the key is worth as much as the TLS connection it travels in. What a
restricted key is restricted to is not documented; here it is a list of operations.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

_FORM: Final = re.compile(r"(isak|irak)_(TEST|PROD)_([^_\s\x00-\x1f\x7f]+)_([^\s\x00-\x1f\x7f]+)")
_LONGEST: Final = 512
_BEARER: Final = "bearer "


class Kind(StrEnum):
    """A standard key may do all its client may, a restricted one what it was made for."""

    STANDARD = "isak"
    RESTRICTED = "irak"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key taken apart. `id` says which, `secret` proves it: it is never printed."""

    kind: Kind
    test: bool
    id: str
    secret: str = field(repr=False)


def parse_header(text: str) -> ApiKey | None:
    """The key in an Authorization header; None when there is none of this form."""
    if len(text) > _LONGEST or text[: len(_BEARER)].lower() != _BEARER:
        return None
    found = _FORM.fullmatch(text[len(_BEARER) :].strip())
    if found is None:
        return None
    kind, world, key_id, secret = found.groups()
    return ApiKey(Kind(kind), world == "TEST", key_id, secret)


def build(key: ApiKey) -> str:
    """The key as it is handed out, once."""
    return f"{key.kind}_{'TEST' if key.test else 'PROD'}_{key.id}_{key.secret}"
