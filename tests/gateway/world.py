"""A small world on a real database: a shop with a client and a contract, a traveller with a phone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric import rsa
from django.db import connection

from comptoir.acquiring import api as acquiring
from comptoir.flows.api import Claim, Command, Confirm, Desk, execute
from comptoir.fx import api as fx
from comptoir.identity import api as identity
from comptoir.kernel.ids import new_id
from comptoir.kernel.money import Money
from comptoir.standards.antom import signing
from comptoir.standards.ecb_rates import DailyRates
from comptoir.wallet import api as wallet

CLIENT = "5Y0000000000001"
OTHER_CLIENT = "5Y0000000000002"
RATES = {"CNY": Decimal("8"), "JPY": Decimal("160"), "USD": Decimal("1.1"), "KWD": Decimal("0.33")}


@dataclass(frozen=True)
class World:
    """What a test needs to know of it."""

    merchant_id: UUID
    wallet_id: UUID
    device: int

    def code(self, now: datetime) -> str:
        """A fresh payment code of the traveller."""
        return wallet.payment_code_for(self.device, now).digits

    def confirm(self, now: datetime) -> None:
        """The traveller approves the one payment that waits."""
        [asked] = wallet.waiting(self.wallet_id, now)
        self.do(Confirm(wallet_id=self.wallet_id, authorization_id=asked.id), now)

    def scan(self, address: str, now: datetime) -> None:
        """The traveller scans an order code, and approves."""
        digits = address.rpartition("/")[2]
        self.do(Claim(order_code=digits, wallet_id=self.wallet_id), now)
        self.confirm(now)

    def do(self, command: Command, now: datetime) -> None:
        """What the wallet's own door will do."""
        execute([command], now, Desk(5))


def money_moved() -> list[tuple[str, str, int]]:
    """(role, currency, balance) of every account that has one: nothing moved when it is as before."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT role, currency, sum(credits_posted - debits_posted)::bigint FROM ledger_account"
            " GROUP BY 1, 2 HAVING sum(credits_posted + debits_posted) > 0 ORDER BY 1, 2"
        )
        return list(cursor.fetchall())


def count(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        return int(cursor.fetchone()[0])


def make_world(key: rsa.RSAPrivateKey, now: datetime) -> World:
    """Build it with the rooms' own operations."""
    fx.record_rates(DailyRates(now.date(), RATES), now, "test")
    identity.ensure_platform_key(now=now)
    merchant_id, other_id = new_id(), new_id()
    public = signing.export_public_key(key.public_key())
    for one, ref, client_ref in (
        (merchant_id, "LEROY", CLIENT), (other_id, "OTHER", OTHER_CLIENT),
        (new_id(), "LEROY-TEST", f"SANDBOX_{CLIENT}"), (new_id(), "OTHER-TEST", f"SANDBOX_{OTHER_CLIENT}"),
    ):  # fmt: skip
        acquiring.register_merchant(
            one, office_id=new_id(), ref=ref, name="Chocolatier Leroy", mcc="5441", country="BE", now=now,
            sandbox=client_ref.startswith("SANDBOX_"),
        )  # fmt: skip
        acquiring.open_contract(
            one, settlement_currency="EUR", payment_currencies=["EUR", "JPY"], margin_bps=50, now=now
        )
        identity.register_client(client_ref, one, public, now=now)
    wallet_id = new_id()
    wallet.open_wallet(wallet_id, new_id(), "李娜", pin="204681", now=now)
    wallet.top_up(new_id(), wallet_id, Money(500_000, "CNY"), now)
    return World(merchant_id, wallet_id, wallet.enroll_device(wallet_id, "phone", now).number)
