"""Shared fixtures: a real PostgreSQL for every test that needs one.

One temporary server per run (or TEST_DATABASE_URL), one migrated template database, and for each test
or module a fresh database cloned from it in a few hundredths of a second.
"""

from __future__ import annotations

import atexit
import base64
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

# The same examples each time, however slow the machine: a run that fails, fails again. New ones by the
# million are the simulation's (`make simulate`).
settings.register_profile(
    "house",
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("house")

_MEMORY = Path("/dev/shm")  # noqa: S108  (a folder of our own is made in it, under a name nobody can guess)
_ENOUGH_BYTES = 4 * 2**30


def _folder() -> str | None:
    """Where a database is copied for each test: in memory if there is room, in a tenth of the time."""
    roomy = os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _ENOUGH_BYTES
    return str(_MEMORY) if roomy else None


# Before anything imports the settings: tests never see the home folder or the keys of whoever runs them.
_HOME = Path(tempfile.mkdtemp(prefix="comptoir-tests-", dir=_folder()))
atexit.register(shutil.rmtree, _HOME, ignore_errors=True)
_SERVER_URL = os.environ.pop("TEST_DATABASE_URL", None)
for _name in ("DATABASE_URL", "COMPTOIR_PORT", "COMPTOIR_PUBLIC_URL"):
    os.environ.pop(_name, None)
os.environ["COMPTOIR_HOME"] = str(_HOME)
os.environ["COMPTOIR_MASTER_KEY"] = base64.b64encode(bytes(range(32))).decode()
os.environ["COMPTOIR_STAFF_MFA"] = "offered"
os.environ["DJANGO_SETTINGS_MODULE"] = "comptoir.config.settings"

import django  # noqa: E402

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connections  # noqa: E402

from comptoir.cli.postgres import EmbeddedPostgres  # noqa: E402
from comptoir.config.settings import database_settings  # noqa: E402

#: Files whose tests listen on port 443, which a machine has once.
_PORT_443 = {"test_sdk.py", "test_demo_day.py", "test_first_payment_page.py"}


class _ByFile(LoadScopeScheduling):
    """Tests of one file run in one process, so that what a file shares is made once."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return "port-443" if Path(file).name in _PORT_443 else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> _ByFile:
    """Not by marks and `--dist loadgroup`: pytest 9.2 does not heed what pytest-xdist 3.8 makes of them."""
    return _ByFile(config, log)


_TEMPLATE = f"template_{uuid4().hex[:12]}"


@dataclass(frozen=True)
class Database:
    """A fresh database with every migration applied. Django's default connection points at it."""

    url: str


class Server:
    """The server of this run: makes and drops databases."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._admin = psycopg.connect(url, autocommit=True)

    def url(self, name: str) -> str:
        """The same server, another database."""
        return urlunsplit(urlsplit(self._url)._replace(path=f"/{name}"))

    def create(self, name: str, template: str = "template0") -> str:
        """Make a database and return its URL."""
        # By its files: block by block through the log, as is the default, takes several times as long.
        self._admin.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
        return self.url(name)

    def drop(self, name: str) -> None:
        """Drop a database, whoever is still connected."""
        self._admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def close(self) -> None:
        """Close our own connection."""
        self._admin.close()


@pytest.fixture(scope="session")
def anyio_backend() -> tuple[str, dict[str, Any]]:
    """Async tests run on asyncio, as the gateway does."""
    return "asyncio", {}


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """The server of this run. Its disk writes are not awaited: no test survives a power cut anyway."""
    embedded = None
    if _SERVER_URL is None:
        embedded = EmbeddedPostgres(
            _HOME / "postgres" / "data",
            log_file=_HOME / "logs" / "postgres.log",
            settings={
                "fsync": "off",
                "shared_buffers": "128MB",
                "max_connections": "200",
                "max_wal_size": "256MB",
            },
        )
        embedded.ensure()
    server = Server(embedded.url("postgres") if embedded else str(_SERVER_URL))
    try:
        yield server
    finally:
        server.close()
        if embedded is not None:
            embedded.stop()


@pytest.fixture(scope="session")
def template_database(postgres_server: Server) -> Iterator[str]:
    """Name of the database that was migrated once and is cloned for every test."""
    with _DjangoOn(postgres_server.create(_TEMPLATE)):
        call_command("migrate", verbosity=0, interactive=False)
    yield _TEMPLATE
    postgres_server.drop(_TEMPLATE)


@pytest.fixture
def database(postgres_server: Server, template_database: str) -> Iterator[Database]:
    """A fresh database for one test."""
    yield from _clone(postgres_server, template_database)


@pytest.fixture(scope="module")
def module_database(postgres_server: Server, template_database: str) -> Iterator[Database]:
    """A fresh database for all tests of a module, when they do not disturb each other."""
    yield from _clone(postgres_server, template_database)


@pytest.fixture
def fresh_copy(
    postgres_server: Server, module_database: Database
) -> Callable[[], AbstractContextManager[Database]]:
    """Makes a copy of the module's database as it stands, for as long as a test has it open."""

    def copy() -> AbstractContextManager[Database]:
        connections.close_all()  # a database that somebody uses is not copied
        return contextmanager(_clone)(postgres_server, urlsplit(module_database.url).path.lstrip("/"))

    return copy


@pytest.fixture
def connection(database: Database) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    """A plain psycopg connection to the test's database, in autocommit mode."""
    with psycopg.connect(database.url, autocommit=True) as opened:
        yield opened


def _clone(server: Server, template: str) -> Iterator[Database]:
    name = f"test_{uuid4().hex[:12]}"
    url = server.create(name, template)
    try:
        with _DjangoOn(url):
            yield Database(url)
    finally:
        server.drop(name)


class _DjangoOn:
    """Point Django's default connection, in every thread that connects from now on, at a URL."""

    def __init__(self, url: str) -> None:
        self._wanted = database_settings(url)

    def __enter__(self) -> None:
        connections.close_all()
        # Every thread's connection wrapper shares this one dict.
        self._settings = connections.settings["default"]
        self._before = dict(self._settings)
        self._settings.update(self._wanted)

    def __exit__(self, *_: object) -> None:
        connections.close_all()
        self._settings.update(self._before)
