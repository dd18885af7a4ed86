"""Brings the demo world into the database, and keeps its secrets in the home folder.

`$COMPTOIR_HOME/demo-world.json` (0600) holds the merchants' private keys, passwords and PINs: made at
the first start, kept ever after. What is in the database already stays as it is, so doing it again is
quick and changes nothing.
"""

from __future__ import annotations

import argparse
import json
import os
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from comptoir.cli.demo.cast import DEVICES, MERCHANTS, STAFF, TRAVELLERS, Merchant, Staff, Traveller
from comptoir.cli.demo.keyring import complete
from comptoir.cli.home import write_json
from comptoir.config.environment import Environment, read_environment
from comptoir.kernel.errors import ComptoirError
from comptoir.kernel.ids import derived_id

#: How the demo world lives, unless the environment says otherwise. The packaged rates end some weeks
#: before today and are taken nevertheless; shops on this very machine are notified; staff may log in without
#: a second factor.
VARIABLES = {
    "COMPTOIR_FX_MAX_AGE_DAYS": "3650",
    "COMPTOIR_NOTIFY_PRIVATE": "1",
    "COMPTOIR_STAFF_MFA": "offered",
}

#: The Brussels office.
OFFICE_ID = derived_id("demo", "office", "brussels")

#: Two that seed at once wait for each other. "demo" in ASCII, as a number.
_LOCK = 0x64656D6F


class WorldElsewhere(ComptoirError):
    """The database is in use, and this home does not have the secrets of a demo world in it."""

    code = "demo.world_elsewhere"


class NoWorld(ComptoirError):
    """There is no demo world here."""

    code = "demo.no_world"


def use_demo_variables() -> None:
    """Let this process, and those it starts, live by `VARIABLES`."""
    for name, value in VARIABLES.items():
        os.environ.setdefault(name, value)


def run(arguments: argparse.Namespace) -> int:
    """`comptoir demo seed`."""
    import django

    use_demo_variables()
    django.setup()
    environment = read_environment()
    environment.require_master_key()
    ensure_demo_world(environment)
    print(f"The demo world is there; its keys, passwords and PINs are in {world_file(environment.home)}.")
    return 0


def world_file(home: Path) -> Path:
    """Where the demo world's secrets are kept."""
    return home / "demo-world.json"


def read_world(home: Path) -> dict[str, Any]:
    """The demo world's `clients` and `people`, secrets included. Raises NoWorld."""
    try:
        world: dict[str, Any] = json.loads(world_file(home).read_text())
    except FileNotFoundError:
        raise NoWorld(f"{home} has no demo world; `comptoir up` makes one") from None
    return world


def demo_json(environment: Environment, http: str, tls: str | None, ca_file: Path | None) -> dict[str, Any]:
    """What `comptoir up` writes to demo.json when it is ready: where it answers, and who may ask."""
    world = read_world(environment.home)
    return {
        "http": http,
        "tls": tls,
        "ca_file": str(ca_file) if ca_file else None,
        "clients": world["clients"],
        "people": world["people"],
    }


def rates_on(home: Path) -> str:
    """The day of the exchange rates that the demo world had when it was last seeded, as ISO 8601."""
    return str(read_world(home)["rates_on"])


def merchant_id(ref: str) -> UUID:
    """The id of a demo merchant."""
    return derived_id("demo", "merchant", ref)


def wallet_id(login: str) -> UUID:
    """The id of a demo traveller's wallet."""
    return derived_id("demo", "wallet", login)


def ensure_demo_world(environment: Environment) -> None:
    """Make what is missing of the demo world, in one transaction. Django is set up, tables are there.

    Raises WorldElsewhere, before anything was written, for a database that others use.
    """
    from django.contrib.auth import get_user_model
    from django.db import connection, transaction

    from comptoir.fx import api as fx
    from comptoir.identity import api as identity
    from comptoir.kernel.clock import utc_now
    from comptoir.standards.antom import signing

    now = utc_now()
    file = world_file(environment.home)
    if not file.exists() and get_user_model().objects.exists():
        raise WorldElsewhere(
            f"the database is in use, and {file} is not there: start with --no-demo, or bring the file back"
        )
    platform = signing.public_key_from_der(identity.ensure_platform_key(now=now).public_key)
    known = read_world(environment.home) if file.exists() else {}
    fx.load_packaged_rates(now)
    world = complete(known, signing.export_public_key(platform))
    world["rates_on"] = fx.latest_table().on.isoformat()
    # First the secrets, then the database: what is stored can always be opened again.
    write_json(file, world)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        keys = {one["client_id"]: one["merchant_private_key"] for one in world["clients"]}
        people = {one["login"]: one for one in world["people"]}
        for merchant in MERCHANTS:
            _merchant(merchant, keys[merchant.client_id], now)
        for traveller in TRAVELLERS:
            _traveller(traveller, people[traveller.login], now)
        for person in STAFF:
            _staff(person, people[person.login], now)


def _merchant(one: Merchant, private_key: str, now: datetime) -> None:
    """The merchant with its contract, stores and tills, and its API client."""
    from comptoir.acquiring import api as acquiring
    from comptoir.identity import api as identity
    from comptoir.standards.antom import signing

    if identity.client(one.client_id) is not None:
        return
    own = merchant_id(one.ref)
    acquiring.register_merchant(
        own,
        office_id=OFFICE_ID,
        ref=one.ref,
        name=one.name,
        mcc=one.mcc,
        country=one.country,
        now=now,
        sandbox=one.sandbox,
    )
    acquiring.open_contract(
        own,
        settlement_currency=one.settlement,
        payment_currencies=[one.currency],
        margin_bps=one.margin_bps,
        now=now,
    )
    for store in one.stores:
        store_id = derived_id("demo", "store", store.ref)
        acquiring.add_store(
            own,
            store_id,
            ref=store.ref,
            name=store.name,
            mcc=one.mcc,
            city=store.city,
            country=one.country,
            now=now,
        )
        for ref in store.terminals:
            terminal_id = derived_id("demo", "terminal", store.ref, ref)
            acquiring.add_terminal(own, terminal_id, store_id, ref=ref, now=now)
    public_key = signing.export_public_key(signing.load_private_key(private_key).public_key())
    identity.register_client(one.client_id, own, public_key, now=now)


def _traveller(one: Traveller, known: dict[str, Any], now: datetime) -> None:
    """The traveller with a wallet, money in it, and a phone."""
    from comptoir.identity import api as identity
    from comptoir.kernel.money import Money
    from comptoir.wallet import api as wallet

    if identity.person(one.login) is not None:
        return
    person = identity.create_person(one.login, one.name, identity.Role.TRAVELLER, known["password"], now=now)
    own = wallet_id(one.login)
    limits = wallet.Limits(no_pin=one.without_pin * 100, payment=one.at_once * 100, day=one.a_day * 100)
    wallet.open_wallet(own, person.id, one.name, pin=known["pin"], now=now, limits=limits)
    wallet.top_up(
        derived_id("demo", "top-up", one.login), own, Money.of(one.yuan, "CNY"), now, "First top-up"
    )
    for device in DEVICES:
        wallet.enroll_device(own, device, now)
    if one.frozen:
        wallet.freeze(own)


def _staff(one: Staff, known: dict[str, Any], now: datetime) -> None:
    """Somebody who works here, with a PIN if they approve what others do."""
    from comptoir.identity import api as identity

    person = identity.person(one.login)
    if person is None:
        person = identity.create_person(
            one.login,
            one.name,
            identity.Role(one.role),
            known["password"],
            now=now,
            merchant_id=merchant_id(one.merchant) if one.merchant else None,
            office_id=OFFICE_ID if one.office else None,
        )
    if one.approves and not identity.has_pin(person.id):
        identity.set_pin(person.id, known["pin"])
