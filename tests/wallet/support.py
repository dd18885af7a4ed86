"""What the wallet's tests share: a fixed instant, wallets with money, and the engine's part done by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from comptoir.kernel.clock import china_day
from comptoir.kernel.ids import new_id
from comptoir.kernel.money import Money
from comptoir.kernel.statements import Statement
from comptoir.wallet import api as wallet

#: 17:20 in China.
NOW = datetime(2026, 11, 23, 9, 20, tzinfo=UTC)
PIN = "204681"


def cny(minor: int) -> Money:
    return Money(minor, "CNY")


def make_wallet(balance: int = 0, limits: wallet.Limits | None = None) -> UUID:
    """A wallet with PIN `PIN` and, if asked, money (fen)."""
    wallet_id = new_id()
    wallet.open_wallet(wallet_id, new_id(), "李娜", pin=PIN, now=NOW, limits=limits)
    if balance:
        wallet.top_up(new_id(), wallet_id, cny(balance), NOW)
    return wallet_id


def run(statement: Statement) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement.sql, statement.params)
        return list(cursor.fetchall()) if cursor.description else []


def device_view(number: int, now: datetime) -> wallet.DeviceView | None:
    return wallet.decode_devices(run(wallet.devices([number], now, china_day(now)))).get(number)


def present(code: str, now: datetime) -> wallet.CodeUse | str:
    """What the engine does with a scanned code: spend it when it is good, count it when it is guessed."""
    number = wallet.device_number(code)
    assert number is not None
    with transaction.atomic():
        verdict = wallet.check_code(code, device_view(number, now), now)
        if isinstance(verdict, wallet.CodeUse):
            for statement in wallet.spend_codes([verdict]):
                run(statement)
        elif verdict == wallet.errors.CODE_INVALID:
            run(wallet.count_bad_code(number, now))
    return verdict


def authorization(wallet_id: UUID, **fields: Any) -> wallet.AuthorizationView:
    """An authorization of 80.00 CNY for 10.00 EUR, waiting unless told otherwise."""
    given: dict[str, Any] = {
        "id": new_id(),
        "wallet_id": wallet_id,
        "merchant_id": new_id(),
        "payment_id": new_id(),
        "payee": "Chocolatier Leroy",
        "total": cny(8000),
        "margin": 40,
        "charge": Money(1000, "EUR"),
        "price": Decimal("7.96"),
        "quote_id": new_id(),
        "state": wallet.AuthorizationState.WAITING,
        "created_at": NOW,
        "expires_at": NOW.replace(minute=30),
        "spent_on": china_day(NOW),
    }
    return wallet.AuthorizationView(**(given | fields))
