"""A small world for the pages' tests: two shops with everybody who works there, and two travellers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from unittest.mock import patch
from uuid import UUID

from django.contrib.auth.hashers import make_password

from comptoir.acquiring import api as acquiring
from comptoir.fx import api as fx
from comptoir.identity import api as identity
from comptoir.identity.api import PersonView, Role
from comptoir.kernel.clock import utc_now
from comptoir.kernel.ids import derived_id, new_id
from comptoir.kernel.money import Money
from comptoir.standards.ecb_rates import DailyRates
from comptoir.wallet import api as wallet
from tests.flows.support import RATES

PASSWORD = "correct horse battery"
PIN = "204681"
OFFICE_ID = derived_id("test", "office")


@dataclass(frozen=True)
class Shop:
    """A merchant with two stores (one till each) and one person of each role, two of them cashiers."""

    merchant_id: UUID
    ref: str
    name: str
    client_ref: str
    stores: tuple[UUID, UUID]
    terminals: tuple[UUID, UUID]
    owner: PersonView
    manager: PersonView
    accountant: PersonView
    cashier: PersonView
    other_cashier: PersonView


@dataclass(frozen=True)
class Traveller:
    """A traveller with a wallet (PIN: `PIN`), a phone in it and 10,000.00 CNY."""

    person: PersonView
    wallet_id: UUID
    device: int
    seed: bytes = field(repr=False)


@dataclass(frozen=True)
class World:
    """Who is there. Rates are of yesterday: 1 EUR = 7.90 CNY, margin 1 percent."""

    shop: Shop
    other_shop: Shop
    traveller: Traveller
    other_traveller: Traveller
    officer: PersonView
    operator: PersonView

    def person(self, role: Role) -> PersonView:
        """Somebody of a role, of the first shop."""
        return self._people[role]

    def stranger(self, role: Role) -> PersonView:
        """Somebody of the same role elsewhere: of the other shop, with the other wallet."""
        shop = self.other_shop
        return {
            Role.TRAVELLER: self.other_traveller.person,
            Role.CASHIER: shop.cashier,
            Role.MANAGER: shop.manager,
            Role.OWNER: shop.owner,
            Role.ACCOUNTANT: shop.accountant,
        }[role]

    @property
    def _people(self) -> Mapping[Role, PersonView]:
        shop = self.shop
        return {
            Role.TRAVELLER: self.traveller.person,
            Role.CASHIER: shop.cashier,
            Role.MANAGER: shop.manager,
            Role.OWNER: shop.owner,
            Role.ACCOUNTANT: shop.accountant,
            Role.OFFICER: self.officer,
            Role.OPERATOR: self.operator,
        }


def make_world(now: datetime | None = None) -> World:
    """Everything, in the test's database."""
    now = now or utc_now()
    # One slow hash for everybody: they have the same password.
    with patch("comptoir.identity.operations.people.make_password", _kept):
        return _everybody(now)


@lru_cache(maxsize=1)
def _kept(password: str) -> str:
    return make_password(password)


def _everybody(now: datetime) -> World:
    # Rates and people were there yesterday: what happens earlier today, or before midnight, finds them.
    yesterday = now - timedelta(days=1)
    fx.record_rates(
        DailyRates(yesterday.date(), {code: Decimal(rate) for code, rate in RATES.items()}), now, "test"
    )
    identity.ensure_platform_key(now=now)
    return World(
        shop=_shop("one", "Chocolaterie Sablon", "BE", ("Grand-Place", "Steenstraat"), yesterday),
        other_shop=_shop("two", "Maison Delvaux", "FR", ("Rive Droite", "Rive Gauche"), yesterday),
        traveller=_traveller("+8613900000001", "李娜", yesterday),
        other_traveller=_traveller("+8613900000002", "王强", yesterday),
        officer=identity.create_person(
            "officer@office.example", "Katrien", Role.OFFICER, PASSWORD, now=yesterday, office_id=OFFICE_ID
        ),
        operator=identity.create_person(
            "operator@comptoir.example", "Nora", Role.OPERATOR, PASSWORD, now=yesterday
        ),
    )


def _shop(key: str, name: str, country: str, stores: tuple[str, str], now: datetime) -> Shop:
    merchant_id, ref = new_id(), f"M-{key}"
    acquiring.register_merchant(
        merchant_id, office_id=OFFICE_ID, ref=ref, name=name, mcc="5441", country=country, now=now
    )
    acquiring.open_contract(
        merchant_id, settlement_currency="EUR", payment_currencies=["EUR"], margin_bps=100, now=now
    )
    store_ids, terminal_ids = (new_id(), new_id()), (new_id(), new_id())
    for number, (store_id, terminal_id) in enumerate(zip(store_ids, terminal_ids, strict=True)):
        acquiring.add_store(
            merchant_id,
            store_id,
            ref=f"{key}-S{number + 1}",
            name=f"{name} {stores[number]}",
            mcc="5441",
            city="Brussels",
            country=country,
            now=now,
        )
        acquiring.add_terminal(merchant_id, terminal_id, store_id, ref=f"T{number + 1}", now=now)
    client = identity.register_client(f"5Y-{key}", merchant_id, None, now=now)

    def person(login: str, called: str, role: Role) -> PersonView:
        return identity.create_person(
            f"{login}@{key}.example", called, role, PASSWORD, now=now, merchant_id=merchant_id
        )

    return Shop(
        merchant_id=merchant_id,
        ref=ref,
        name=name,
        client_ref=client.client_ref,
        stores=store_ids,
        terminals=terminal_ids,
        owner=person("owner", "Marguerite Aubry", Role.OWNER),
        manager=person("manager", "Julien Lambert", Role.MANAGER),
        accountant=person("accountant", "Wim Peeters", Role.ACCOUNTANT),
        cashier=person("cashier", "Sofie De Clercq", Role.CASHIER),
        other_cashier=person("cashier2", "Amine Haddad", Role.CASHIER),
    )


def _traveller(phone: str, name: str, now: datetime) -> Traveller:
    person = identity.create_person(phone, name, Role.TRAVELLER, PASSWORD, now=now)
    wallet_id = new_id()
    limits = wallet.Limits(no_pin=50_000, payment=500_000, day=2_000_000)
    wallet.open_wallet(wallet_id, person.id, name, pin=PIN, now=now, limits=limits)
    wallet.top_up(new_id(), wallet_id, Money(1_000_000, "CNY"), now)
    device = wallet.enroll_device(wallet_id, "phone", now)
    return Traveller(person, wallet_id, device.number, device.seed)
