"""A PIN of six digits, a traveller's or a manager's: which ones are fit, and how long wrong ones lock."""

from __future__ import annotations

import re
from datetime import timedelta
from itertools import pairwise
from typing import Final

#: After every so many wrong PINs in a row there is a lock, each time for twice as long as before.
#: 10 guesses in the first 15 minutes, 35 on the first day, then 5 a day: of a million PINs.
WRONG_BEFORE_LOCK: Final = 5
FIRST_LOCK: Final = timedelta(minutes=15)
LONGEST_LOCK: Final = timedelta(days=1)


def unfit(pin: str) -> str | None:
    """Why a text is not to be anybody's PIN, or None: six digits, neither all equal nor a run up or down
    (through 9 and 0 as well: 789012), which are the first that a thief would try."""
    if not is_pin(pin):
        return "a PIN has six digits"
    steps = {(int(after) - int(before)) % 10 for before, after in pairwise(pin)}
    if len(steps) == 1 and steps <= {0, 1, 9}:
        return "a PIN is neither one digit repeated nor a run of digits"
    return None


def is_pin(text: str) -> bool:
    """Whether a text can be anybody's PIN at all: six ASCII digits."""
    return isinstance(text, str) and re.fullmatch(r"[0-9]{6}", text) is not None


def lock(failures: int) -> timedelta | None:
    """How long nobody may try after this many wrong PINs in a row, or None if not at this one."""
    if failures <= 0 or failures % WRONG_BEFORE_LOCK:
        return None
    doublings = min(failures // WRONG_BEFORE_LOCK - 1, 10)
    return min(FIRST_LOCK * (1 << doublings), LONGEST_LOCK)


def tries_left(failures: int) -> int:
    """How many wrong PINs there may still be before the next lock."""
    return WRONG_BEFORE_LOCK - failures % WRONG_BEFORE_LOCK
