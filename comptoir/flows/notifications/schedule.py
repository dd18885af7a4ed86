"""When a notification is tried again, and when it is given up.

docs.antom.com, "Payment notification" (read November 2026): up to eight tries within about a day, at
once and then after 2 min, 10 min, 10 min, 1 h, 2 h, 6 h and 15 h, until the merchant acknowledges.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

_MINUTE: Final = timedelta(minutes=1)
_HOUR: Final = timedelta(hours=1)

#: Pause after the first, second … seventh try.
PAUSES: Final = (2 * _MINUTE, 10 * _MINUTE, 10 * _MINUTE, _HOUR, 2 * _HOUR, 6 * _HOUR, 15 * _HOUR)

TRIES: Final = len(PAUSES) + 1

#: Sendings of one item that may vanish without an end before it is taken for what kills the worker.
MOST_LOST: Final = 10


def next_try(tries: int, failed_at: datetime) -> datetime | None:
    """When to try again after try number `tries` (from 1) failed; None: that was the last one."""
    return failed_at + PAUSES[tries - 1] if tries < TRIES else None
