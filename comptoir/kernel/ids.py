"""Identifiers, made by the caller before the work, so that a repeat finds the first.

UUID version 7 (RFC 9562, May 2024): 48 bits of Unix milliseconds, 12 bits of the fraction of that
millisecond (its §6.2, method 3), then 62 random bits, so rows arrive in index order, and what one process
makes one after another stays in that order. On the wire an id is 32 lower-case hex digits.
"""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

from comptoir.kernel.errors import InvalidValue

_MILLISECOND = 1_000_000  # nanoseconds
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

#: Namespace of ids that are derived from a name instead of made fresh.
NAMESPACE = UUID("6f0c7a52-5d53-5f0e-9c43-7d5b0f8f9a11")

#: Owner of the sandbox's own accounts, so that nothing of it ever touches the operator's.
SANDBOX = uuid5(NAMESPACE, "sandbox")

#: The operator of this installation: owner of clearing, FX and income accounts.
OPERATOR = uuid5(NAMESPACE, "operator")


def new_id(now_ms: int | None = None) -> UUID:
    """A fresh UUIDv7. `now_ms` (Unix milliseconds) is for tests and simulations."""
    now = time.time_ns() if now_ms is None else now_ms * _MILLISECOND
    ms, rest = divmod(now, _MILLISECOND)
    value = (ms & 0xFFFF_FFFF_FFFF) << 80 | int.from_bytes(os.urandom(8), "big")
    value |= 0x7 << 76 | (rest << 12) // _MILLISECOND << 64
    value = value & ~(0x3 << 62) | 0x2 << 62
    return UUID(int=value)


def made_at(fresh: UUID) -> datetime:
    """The instant, to the millisecond, at which `new_id` made an id."""
    return _EPOCH + timedelta(milliseconds=fresh.int >> 80)


def before_all_of(instant: datetime) -> UUID:
    """What sorts before every id made at `instant` (its millisecond) or later, and after all made before."""
    ms = (instant - _EPOCH) // timedelta(milliseconds=1)
    return UUID(int=min(max(ms, 0), 0xFFFF_FFFF_FFFF) << 80)


def derived_id(*parts: str) -> UUID:
    """The same id for the same parts, always (UUIDv5 in Comptoir's namespace)."""
    return uuid5(NAMESPACE, "\x1f".join(parts))


def leg_id(parent: UUID, number: int) -> UUID:
    """The id of the `number`-th part (1 to 255) of something: the same each time it is asked for.

    A transfer named after its payment cannot be posted twice, whatever the code above the books does.
    """
    return UUID(int=parent.int ^ number)


def parse_id(text: str, field: str) -> UUID:
    """Read an id from outside: 32 hex digits, dashes allowed. Raises InvalidValue naming `field`."""
    try:
        return UUID(text)
    except (ValueError, AttributeError, TypeError):
        raise InvalidValue(f"{field} is not one of our ids", field=field) from None
