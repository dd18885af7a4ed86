"""A demo world, seeded once and cloned for every test that wants one; a shop that the commands brought in."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.test import override_settings

from comptoir.cli.demo import world
from comptoir.config.environment import Environment, read_environment
from comptoir.flows.api import verify_books
from comptoir.identity import api as identity
from comptoir.kernel.clock import utc_now
from tests.cli.operators import PIN, REF, done, key_in
from tests.conftest import Database, Server, _clone, _DjangoOn

_TABLES = (
    "acquiring_merchant", "acquiring_contract", "acquiring_store", "acquiring_terminal",
    "identity_api_client", "identity_api_client_key", "identity_person",
    "wallet_wallet", "wallet_device", "wallet_credit", "wallet_upstream", "ledger_account", "ledger_transfer",
)  # fmt: skip


@dataclass(frozen=True)
class DemoWorld:
    """A seeded database of its own, and the home with its secrets."""

    environment: Environment
    database: Database

    def person(self, login: str) -> dict[str, Any]:
        """What the file says of somebody."""
        people: list[dict[str, Any]] = world.read_world(self.environment.home)["people"]
        return next(one for one in people if one["login"] == login)


@contextmanager
def quick_passwords() -> Iterator[None]:
    """Passwords that are hashed fast: fifteen good hashes take seconds."""
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        yield


def environment_of(home: Path) -> Environment:
    """The environment of the tests, with another home."""
    return dataclasses.replace(read_environment(), home=home)


@pytest.fixture(scope="session")
def _seeded(
    postgres_server: Server, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Environment]]:
    name = f"world_{uuid4().hex[:12]}"
    environment = environment_of(tmp_path_factory.mktemp("world"))
    with _DjangoOn(postgres_server.create(name, template_database)), quick_passwords():
        world.ensure_demo_world(environment)
    yield name, environment
    postgres_server.drop(name)


@pytest.fixture
def demo_world(
    postgres_server: Server, _seeded: tuple[str, Environment], monkeypatch: pytest.MonkeyPatch
) -> Iterator[DemoWorld]:
    """A demo world that Django and the demo commands work on."""
    name, environment = _seeded
    for variable, value in world.VARIABLES.items():
        monkeypatch.setenv(variable, value)
    for database in _clone(postgres_server, name):
        yield DemoWorld(environment, database)


@pytest.fixture
def contents(database: Database) -> Callable[[], dict[str, Any]]:
    """Everything that the commands may write, to compare before and after."""

    def read() -> dict[str, Any]:
        with psycopg.connect(database.url) as connection:
            return {
                table: connection.execute(f"SELECT to_jsonb(t) FROM {table} t ORDER BY 1").fetchall()
                for table in _TABLES
            }

    return read


@pytest.fixture
def shop(database: Database) -> Iterator[None]:
    """A merchant with a contract, a store and a till, brought in by the commands themselves."""
    identity.ensure_platform_key(now=utc_now())
    done("merchants", "add", REF, "--name", "Chocolaterie Sablon", "--mcc", "5441", "--country", "BE")
    done(
        "merchants",
        "contract",
        REF,
        "--settle",
        "EUR",
        "--take",
        "EUR",
        "--take",
        "USD",
        "--margin-bps",
        "150",
    )
    done("merchants", "store", REF, "--ref", "SAB-1", "--name", "Sablon", "--city", "Brussels")
    done("merchants", "terminal", REF, "--store", "SAB-1", "--ref", "T1")
    yield
    report = verify_books()
    assert report.holds, report.first_difference


@pytest.fixture
def pin_file(tmp_path: Path) -> str:
    path = tmp_path / "pin"
    path.write_text(f"{PIN}\n")
    return str(path)


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    return key_in(tmp_path / "merchant.pub")
