"""Times on the wire: strict out, lenient in.

Every SDK writes Request-Time in its own way, and the string is signed as it stands, so it is
parsed only to judge its age. Observed: Python ``2026-11-23T09:20:36+00:00``, PHP ``…+0000``,
Java and Go epoch milliseconds, .NET ``2026-11-23T09:20:36.1234567Z``.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from comptoir.kernel.clock import isoformat
from comptoir.standards.antom.errors import ParamIllegal

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_SECONDS_DIGITS = 10
_EPOCH_MILLIS_DIGITS = 13

_ISO = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d(:?\d\d)?)", re.ASCII | re.IGNORECASE
)


def parse_time(text: str, field: str) -> datetime:
    """The instant, in UTC, of any of the SDKs' forms.

    A time without an offset is refused: it names no instant. Raises ParamIllegal naming `field`.
    """
    if text.isascii() and text.isdigit():
        if len(text) == _EPOCH_MILLIS_DIGITS:
            return _EPOCH + timedelta(milliseconds=int(text))
        if len(text) == _EPOCH_SECONDS_DIGITS:
            return _EPOCH + timedelta(seconds=int(text))
    elif _ISO.fullmatch(text):
        try:
            return datetime.fromisoformat(text.upper()).astimezone(UTC)
        except (ValueError, OverflowError):
            pass
    raise ParamIllegal(
        f"{field} is neither ISO 8601 with an offset nor epoch milliseconds", field=field
    ) from None


def format_time(instant: datetime) -> str:
    """ISO 8601 in UTC with seconds and offset: ``2026-11-23T09:20:36+00:00``."""
    return isoformat(instant)


def format_utc(instant: datetime) -> str:
    """The same with a Z, which only notification events are told with: ``2026-11-23T09:20:36Z``."""
    return format_time(instant).removesuffix("+00:00") + "Z"
