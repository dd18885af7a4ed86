"""A demo world, seeded once and cloned for every test that wants one."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.test import override_settings

from comptoir.cli.demo import world
from comptoir.config.environment import Environment, read_environment
from tests.conftest import Database, Server, _clone, _DjangoOn


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
