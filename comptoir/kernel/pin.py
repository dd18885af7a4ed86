"""PINs: six digits, and what wrong ones cost.

A pause after every fifth wrong PIN in a row, each twice as long as before: 10 guesses in the first 15
minutes, 35 on the first day, then 5 a day, of a million PINs.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

WRONG_BEFORE_LOCK: Final = 5
FIRST_LOCK: Final = timedelta(minutes=15)
LONGEST_LOCK: Final = timedelta(days=1)

_PIN = re.compile(r"[0-9]{6}")


def is_pin(text: str) -> bool:
    """Whether a text can be anybody's PIN at all: six ASCII digits."""
    return isinstance(text, str) and _PIN.fullmatch(text) is not None


def is_guessable(pin: str) -> bool:
    """Whether a PIN is among the first a thief would try: one digit, or a run (through 9 and 0 as well)."""
    steps = {(int(after) - int(before)) % 10 for before, after in pairwise(pin)}
    return len(steps) == 1 and steps <= {0, 1, 9}


def lock_after(failures: int) -> timedelta | None:
    """How long nothing is compared after this many wrong PINs in a row, or None if not at this one."""
    if failures <= 0 or failures % WRONG_BEFORE_LOCK:
        return None
    doublings = min(failures // WRONG_BEFORE_LOCK - 1, 10)
    return min(FIRST_LOCK * (1 << doublings), LONGEST_LOCK)


def counted(failures: int, right: bool, now: datetime) -> tuple[int, datetime | None]:
    """Wrong PINs in a row after one more was compared, and until when nothing is compared now."""
    failures = 0 if right else failures + 1
    pause = lock_after(failures)
    return failures, now + pause if pause else None


def tries_left(failures: int) -> int:
    """How many more wrong PINs before the next pause."""
    return WRONG_BEFORE_LOCK - failures % WRONG_BEFORE_LOCK
