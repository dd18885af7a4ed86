"""How many requests a client may send: a bucket of tokens for each, in the memory of this process.

Only a client whose signature has verified has a bucket, so nobody can empty somebody else's by using its
name, and strangers cost no memory. Who is over its rate is told to come again: nothing was done.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

#: A bucket holds what comes in in so many seconds: a shop's rush after an outage is no attack.
BURST_SECONDS: Final = 2.0

CAPACITY: Final = 10_000


class Throttle:
    """`per_second` requests of each client, twice as many at once; 0: as many as they like."""

    def __init__(
        self, per_second: int, *, capacity: int = CAPACITY, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._rate = float(per_second)
        self._full = per_second * BURST_SECONDS
        self._capacity = capacity
        self._clock = clock
        self._buckets: dict[str, tuple[float, float]] = {}

    def admits(self, client_ref: str) -> bool:
        """Take a token of this client's, if there is one."""
        if not self._rate:
            return True
        now = self._clock()
        tokens, since = self._buckets.pop(client_ref, (self._full, now))
        tokens = min(self._full, tokens + (now - since) * self._rate)
        if len(self._buckets) >= self._capacity:
            del self._buckets[next(iter(self._buckets))]  # of who was quiet the longest: it is full
        self._buckets[client_ref] = (tokens - 1 if tokens >= 1 else tokens, now)
        return tokens >= 1
