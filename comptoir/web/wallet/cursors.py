"""A place in a statement as it stands in an address: instant, id and kind of the last line that was read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from comptoir.kernel.errors import InvalidValue
from comptoir.wallet.api import MovementCursor, MovementKind

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def build(cursor: MovementCursor) -> str:
    """Such as 1764150000000000.01…ab.payment"""
    return f"{(cursor.at - _EPOCH) // _MICROSECOND}.{cursor.id.hex}.{cursor.kind.value}"


def parse(text: str) -> MovementCursor | None:
    """The place that an address names; None for the beginning. Raises InvalidValue."""
    if not text:
        return None
    try:
        at, line_id, kind = text.split(".")
        return MovementCursor(_EPOCH + int(at) * _MICROSECOND, UUID(line_id), MovementKind(kind))
    except (ValueError, OverflowError):
        raise InvalidValue("this is no place in a statement", field="older") from None
