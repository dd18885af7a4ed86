"""The demo's devices: each code they show is another one.

A real phone counts its refreshes itself. These live in the database, and whoever shows a code for them
notes it in `$COMPTOIR_HOME/run/shown-codes.json`: device, half minute, counter; never the code.
"""

from __future__ import annotations

import fcntl
import json
import time
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Final
from uuid import UUID

from django.db import connection

from comptoir.kernel.clock import china_day, utc_now
from comptoir.standards import payment_code
from comptoir.standards.payment_code import STEP, Form
from comptoir.wallet import api as wallet

#: The refresh counters of one half minute.
_COUNTERS: Final = range(10)

#: Codes of this half minute first. A clock may be half a minute fast, so those of the next are good too.
_AHEAD: Final = (0, 1)

_PAUSE_SECONDS: Final = 0.25


def devices_of(wallet_ids: Iterable[UUID], now: datetime) -> dict[UUID, list[wallet.DeviceView]]:
    """The active devices of some wallets, with the seeds that make their codes."""
    numbers = {
        one: [device.number for device in wallet.devices_of(one) if device.active] for one in wallet_ids
    }
    statement = wallet.devices([n for own in numbers.values() for n in own], now, china_day(now))
    with connection.cursor() as cursor:
        cursor.execute(statement.sql, statement.params)
        views = wallet.decode_devices(cursor.fetchall())
    return {one: [views[number] for number in own] for one, own in numbers.items()}


def fresh_code(home: Path, devices: Iterable[wallet.DeviceView], form: Form) -> str:
    """A code that was never shown. Waits for the next half minute when all of this one were."""
    own = list(devices)
    file = home / "run" / "shown-codes.json"
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    while True:
        with file.open("a+") as notes:
            fcntl.flock(notes, fcntl.LOCK_EX)
            notes.seek(0)
            code = _next(notes.read(), own, form, utc_now())
            if code is not None:
                shown, digits = code
                notes.truncate(0)
                notes.write(json.dumps(shown))
                return digits
        time.sleep(_PAUSE_SECONDS)


def _next(
    notes: str, own: list[wallet.DeviceView], form: Form, now: datetime
) -> tuple[list[list[int]], str] | None:
    """The notes with one code more, and that code."""
    current = payment_code.window_of(now)
    shown = [entry for entry in json.loads(notes or "[]") if entry[1] >= current]
    for ahead in _AHEAD:
        for device in own:
            for n in _COUNTERS:
                entry = [device.number, current + ahead, n]
                if entry not in shown and entry[1] * 10 + n not in device.used:
                    digits = payment_code.build(form, device.number, device.seed, now + ahead * STEP, n)
                    return [*shown, entry], digits
    return None
