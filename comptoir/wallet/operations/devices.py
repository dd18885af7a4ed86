"""Devices that show payment codes: enrolled once, revoked when lost."""

from __future__ import annotations

import os
import secrets
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import connection, transaction

from comptoir.db.sealed import seal
from comptoir.kernel.clock import china_day
from comptoir.kernel.errors import InvariantBroken
from comptoir.kernel.statements import Statement
from comptoir.ledger.api import lock
from comptoir.standards.payment_code import Form, build, expires_at, window_of
from comptoir.wallet.errors import CodesExhausted, DeviceUnknown, WalletInactive, WalletUnknown
from comptoir.wallet.models import Device, Wallet
from comptoir.wallet.queries.engine import SEED_PURPOSE, decode_devices, devices
from comptoir.wallet.types import Enrollment, ShownCode, WalletState

SEED_BYTES: Final = 32

#: Long after a code can be accepted (90 seconds at most), and short enough to keep the table small.
SPENT_CODES_KEPT: Final = timedelta(days=1)

_SMALLEST, _NUMBERS = 10_000_000, 90_000_000
_DRAWS = 100

_PURGE = """
DELETE FROM wallet_spent_code WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM wallet_spent_code WHERE "at" < %s LIMIT %s FOR UPDATE SKIP LOCKED)) RETURNING 1
"""


def enroll_device(wallet_id: UUID, name: str, now: datetime) -> Enrollment:
    """Enroll a device: a random number nobody ever had, and a random seed that is shown only here.

    Raises WalletUnknown, WalletInactive.
    """
    seed = os.urandom(SEED_BYTES)
    with transaction.atomic():
        wallet = Wallet.objects.select_for_update().filter(id=wallet_id).first()
        if wallet is None:
            raise WalletUnknown(f"there is no wallet {wallet_id.hex}", field="wallet_id")
        if wallet.state != WalletState.ACTIVE:
            raise WalletInactive(f"wallet {wallet_id.hex} is {wallet.state}", field="wallet_id")
        for _ in range(_DRAWS):
            number = _SMALLEST + secrets.randbelow(_NUMBERS)
            _, made = Device.objects.get_or_create(
                number=number,
                defaults={
                    "wallet_id": wallet_id,
                    "name": name,
                    "sealed_seed": seal(seed, SEED_PURPOSE, str(number)),
                    "created_at": now,
                },
            )
            if made:
                return Enrollment(number, seed)
    raise InvariantBroken("no free device number in 100 draws: the numbers are running out")


def revoke_device(wallet_id: UUID, number: int) -> None:
    """Take no code of this device any more, for good. Doing it again changes nothing.

    Under the books' lock: once this has returned, no payment is decided on the device as it was. Raises
    DeviceUnknown when this wallet has no such device.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(lock().sql)
        if not Device.objects.filter(number=number, wallet_id=wallet_id).update(active=False):
            raise DeviceUnknown(f"the wallet has no device {number}", field="number")


def payment_code_for(number: int, now: datetime, form: Form = Form.SHORT) -> ShownCode:
    """A code of a stored device, the first of this half minute that is not spent.

    For our own app and the demo, whose devices live here; every other device makes its codes itself. It
    is the same code until it is spent. Raises DeviceUnknown (also when revoked), CodesExhausted.
    """
    statement = devices([number], now, china_day(now))
    with connection.cursor() as cursor:
        cursor.execute(statement.sql, statement.params)
        device = decode_devices(cursor.fetchall()).get(number)
    if device is None or not device.active:
        raise DeviceUnknown(f"there is no device {number}", field="number")
    window = window_of(now)
    for n in range(10):
        if window * 10 + n not in device.used:
            return ShownCode(build(form, number, device.seed, now, n), expires_at(now))
    raise CodesExhausted("all codes of this half minute are spent: try again in 30 seconds")


def purge_spent_codes(now: datetime, limit: int) -> Statement:
    """Forget up to `limit` codes that were spent more than a day ago; a row for each that was forgotten."""
    return Statement(_PURGE, (now - SPENT_CODES_KEPT, limit))
