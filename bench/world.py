"""Who pays whom: shops with clients and keys, travellers with wallets, money and devices. Made in sets."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

_FIRST_DEVICE = 20_000_000
_BALANCE = 100_000_000  # CNY 1,000,000.00
_CHUNK = 5_000
_MCC = "5812"


@dataclass(frozen=True)
class Shop:
    """A merchant with one store, and the client it speaks through."""

    client_ref: str
    merchant_ref: str
    store_ref: str
    private_der: bytes


@dataclass(frozen=True)
class World:
    """The shops, the devices as (number, seed), and our public key in DER."""

    shops: tuple[Shop, ...]
    devices: tuple[tuple[int, bytes], ...]
    platform_public_der: bytes


def make_world(shops: int, wallets: int, now: datetime) -> World:
    """Fill the empty database that Django is set up on."""
    from django.db import connection, transaction

    from comptoir.identity import api as identity

    platform = identity.ensure_platform_key(now=now)
    _rates_of_today(now)
    opened = tuple(_open_shop(number, now) for number in range(shops))
    with transaction.atomic():
        devices = tuple(_open_wallets(wallets, now))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # as autovacuum would within a minute
    return World(opened, devices, platform.public_key)


def _rates_of_today(now: datetime) -> None:
    """The packaged rates, and their newest day once more as today's: old rates are refused, not used."""
    from comptoir.fx import api as fx
    from comptoir.standards.ecb_rates import DailyRates

    fx.load_packaged_rates(now, days=10)
    newest = fx.latest_table()
    fx.record_rates(DailyRates(now.astimezone(UTC).date(), newest.per_euro), now, "bench")


def _open_shop(number: int, now: datetime) -> Shop:
    from comptoir.acquiring import api as acquiring
    from comptoir.identity import api as identity
    from comptoir.kernel.ids import OPERATOR, new_id
    from comptoir.standards.antom import signing

    merchant_id, key = new_id(), signing.generate_key()
    shop = Shop(f"5YBENCH{number:09}", f"M{number:09}", f"S{number:09}", signing.private_der(key))
    acquiring.register_merchant(
        merchant_id,
        office_id=OPERATOR,
        ref=shop.merchant_ref,
        name=f"Chocolaterie {number}",
        mcc=_MCC,
        country="BE",
        now=now,
    )
    acquiring.open_contract(
        merchant_id, settlement_currency="EUR", payment_currencies=["EUR"], margin_bps=150, now=now
    )
    acquiring.add_store(
        merchant_id,
        new_id(),
        ref=shop.store_ref,
        name=f"Shop {number}",
        mcc=_MCC,
        city="Brussels",
        country="BE",
        now=now,
    )
    identity.register_client(
        shop.client_ref, merchant_id, signing.export_public_key(key.public_key()), now=now
    )
    return shop


def _open_wallets(count: int, now: datetime) -> Iterator[tuple[int, bytes]]:
    """Wallets with money and one device each. Their limits never stop the bench; nobody knows their PIN."""
    from django.db import connection

    from comptoir.kernel.ids import OPERATOR, new_id
    from comptoir.ledger import api as ledger

    with connection.cursor() as cursor:
        _run(cursor, ledger.open_account(OPERATOR, ledger.Role.WALLET_FUNDING, "CNY", now))
        for role in (ledger.Role.FX_POSITION, ledger.Role.FX_MARGIN):
            _run(cursor, ledger.open_account(OPERATOR, role, "CNY", now))
        numbers = random.sample(range(_FIRST_DEVICE, _FIRST_DEVICE + 10 * count), count)
        for start in range(0, count, _CHUNK):
            ids = [new_id() for _ in range(min(_CHUNK, count - start))]
            yield from _fill(cursor, ids, numbers[start : start + _CHUNK], now)


def _fill(cursor: Any, ids: Sequence[UUID], numbers: Sequence[int], now: datetime) -> list[tuple[int, bytes]]:
    """One chunk of wallets: rows, devices, accounts, and a top-up that the books agree with."""
    from comptoir.db.sealed import seal
    from comptoir.kernel.ids import OPERATOR, new_id
    from comptoir.kernel.money import Money
    from comptoir.ledger import api as ledger
    from comptoir.wallet import api as wallet
    from comptoir.wallet.models import Device, Wallet
    from comptoir.wallet.queries.engine import SEED_PURPOSE

    Wallet.objects.bulk_create(
        Wallet(
            id=one,
            holder_id=one,
            display_name="Traveller",
            currency="CNY",
            sealed_pin_hash=b"",
            no_pin_limit=_BALANCE,
            payment_limit=_BALANCE,
            day_limit=10 * _BALANCE,
            created_at=now,
        )
        for one in ids
    )
    devices = [(number, os.urandom(32)) for number in numbers]
    Device.objects.bulk_create(
        Device(
            number=number,
            wallet_id=one,
            name="phone",
            sealed_seed=seal(seed, SEED_PURPOSE, str(number)),
            created_at=now,
        )
        for one, (number, seed) in zip(ids, devices, strict=True)
    )
    accounts = [ledger.open_account(one, ledger.Role.WALLET, "CNY", now, floor=0) for one in ids]
    cursor.executemany(accounts[0].sql, [one.params for one in accounts])
    funding = ledger.account_id(OPERATOR, ledger.Role.WALLET_FUNDING, "CNY")
    credits = [
        wallet.Credit(
            id=new_id(),
            wallet_id=one,
            kind=wallet.CreditKind.TOP_UP,
            amount=Money(_BALANCE, "CNY"),
            created_at=now,
        )
        for one in ids
    ]
    ledger.post_now(
        [
            ledger.Transfer(
                id=one.id,
                owner_id=one.wallet_id,
                debit_id=funding,
                credit_id=ledger.account_id(one.wallet_id, ledger.Role.WALLET, "CNY"),
                amount=one.amount.minor,
                currency="CNY",
                kind="wallet.top_up",
                subject_id=one.id,
            )
            for one in credits
        ]
    )
    _run(cursor, wallet.store_credits(credits))
    return devices


def _run(cursor: Any, statement: Any) -> None:
    cursor.execute(statement.sql, statement.params)
