"""The demo world: seeded once, kept, and never put where others live."""

from __future__ import annotations

import base64
import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_der_public_key

from comptoir.cli.demo import world
from comptoir.cli.demo.cast import FROZEN, MERCHANTS, NEARLY_EMPTY, STAFF, TRAVELLERS
from comptoir.config.environment import Environment
from comptoir.identity import api as identity
from comptoir.kernel.clock import utc_now
from comptoir.kernel.money import exponent
from comptoir.wallet import api as wallet
from tests.cli.conftest import DemoWorld, environment_of, quick_passwords
from tests.conftest import Database

_TABLES = (
    "identity_person",
    "identity_api_client",
    "acquiring_merchant",
    "acquiring_contract",
    "acquiring_store",
    "acquiring_terminal",
    "wallet_wallet",
    "wallet_device",
    "ledger_account",
    "ledger_transfer",
)


@pytest.fixture
def here(tmp_path: Path, database: Database) -> Iterator[Environment]:
    """An environment with a home of its own, on a fresh database."""
    with quick_passwords():
        yield environment_of(tmp_path)


def counts(url: str) -> dict[str, int]:
    with psycopg.connect(url) as connection:
        found = {}
        for table in _TABLES:
            row = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
            assert row is not None
            found[table] = row[0]
    return found


def test_seeding_again_changes_nothing(here: Environment, database: Database) -> None:
    world.ensure_demo_world(here)
    first, secrets = counts(database.url), world.world_file(here.home).read_text()
    assert first["acquiring_merchant"] == first["identity_api_client"] == len(MERCHANTS)
    assert first["wallet_wallet"] == first["ledger_transfer"] == len(TRAVELLERS)
    assert first["identity_person"] == len(TRAVELLERS) + len(STAFF)
    assert stat.S_IMODE(world.world_file(here.home).stat().st_mode) == 0o600

    world.ensure_demo_world(here)
    assert counts(database.url) == first
    assert world.world_file(here.home).read_text() == secrets


def test_demo_json_has_what_a_till_needs(demo_world: DemoWorld) -> None:
    demo = world.demo_json(
        demo_world.environment, "http://localhost:8400", "https://localhost", Path("/ca.pem")
    )
    assert list(demo) == ["http", "tls", "ca_file", "clients", "people"]
    assert (demo["tls"], demo["ca_file"]) == ("https://localhost", "/ca.pem")
    platform = base64.b64encode(identity.platform_key().public_key).decode()
    for one in demo["clients"]:
        assert one["platform_public_key"] == platform
        load_der_public_key(base64.b64decode(one["platform_public_key"], validate=True))
        known = identity.client(one["client_id"])
        assert known is not None
        key: Any = load_der_private_key(base64.b64decode(one["merchant_private_key"], validate=True), None)
        assert key.key_size == 2048
        numbers: Any = load_der_public_key(known.keys[0].public_key)
        assert key.public_key().public_numbers() == numbers.public_numbers()
        assert exponent(one["currency"]) in (0, 2)
        assert one["merchant_id"]
        assert one["store_id"]
    assert [one["client_id"].startswith("SANDBOX_5Y") for one in demo["clients"]].count(True) == 1
    assert {one["currency"] for one in demo["clients"]} == {"EUR", "USD", "GBP", "SEK", "JPY"}
    roles = {one["role"] for one in demo["people"]}
    assert roles == {"traveller", "cashier", "manager", "owner", "accountant", "officer", "operator"}


def test_who_approves_has_the_pin_that_the_file_says(demo_world: DemoWorld) -> None:
    for one in STAFF:
        told, known = demo_world.person(one.login), identity.person(one.login)
        assert known is not None
        assert (told["pin"] is not None) == identity.has_pin(known.id) == (one.role in ("manager", "owner"))
        if told["pin"]:
            identity.check_pin(known.id, told["pin"], utc_now())


def test_travellers_have_what_the_file_says(demo_world: DemoWorld) -> None:
    for one in TRAVELLERS:
        own = world.wallet_id(one.login)
        wallet.check_pin(own, demo_world.person(one.login)["pin"], utc_now())
        summary = wallet.wallet_summary(own, utc_now())
        assert str(summary.available.decimal()) == one.yuan
        assert (summary.wallet.state is wallet.WalletState.FROZEN) == (one.login == FROZEN)
        assert wallet.devices_of(own)
    empty = wallet.wallet_summary(world.wallet_id(NEARLY_EMPTY), utc_now())
    assert empty.available.minor < 10_00


def test_a_seeding_that_broke_off_is_finished_with_the_same_secrets(
    here: Environment, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: object) -> None:
        raise RuntimeError("power cut")

    with monkeypatch.context() as patch:
        patch.setattr(world, "_staff", breaks)
        with pytest.raises(RuntimeError):
            world.ensure_demo_world(here)
    assert set(counts(database.url).values()) == {0}
    secrets = json.loads(world.world_file(here.home).read_text())
    world.ensure_demo_world(here)
    assert json.loads(world.world_file(here.home).read_text()) == secrets
    assert counts(database.url)["identity_person"] == len(TRAVELLERS) + len(STAFF)


def test_a_database_that_others_use_is_left_alone(here: Environment, database: Database) -> None:
    identity.create_person(
        "somebody@real.example", "Somebody", identity.Role.OPERATOR, "a long pass phrase", now=utc_now()
    )
    before = counts(database.url)
    with pytest.raises(world.WorldElsewhere, match="--no-demo"):
        world.ensure_demo_world(here)
    assert counts(database.url) == before
    assert not world.world_file(here.home).exists()


def test_what_the_environment_says_wins_over_the_demo_world(monkeypatch: pytest.MonkeyPatch) -> None:
    told, default, *_ = world.VARIABLES
    for name in world.VARIABLES:
        monkeypatch.setenv(name, "told")  # so that it is as before when the test is over
    monkeypatch.delenv(default)
    world.use_demo_variables()
    assert (os.environ[told], os.environ[default]) == ("told", world.VARIABLES[default])
