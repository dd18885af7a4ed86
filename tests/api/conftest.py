"""One house for all tests of a module: two gateways and a worker over a database of their own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.core.management import call_command

from comptoir.cli.postgres import EmbeddedPostgres
from tests.api.support import House
from tests.conftest import Database, _DjangoOn
from tests.wallet.scripted_issuer import ScriptedIssuer


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> ScriptedIssuer:
    """Another wallet's issuer, whose codes begin with 2599."""
    return ScriptedIssuer(tmp_path_factory.mktemp("issuer") / "issuer.sqlite")


@pytest.fixture(scope="module")
def house(
    module_database: Database, tmp_path_factory: pytest.TempPathFactory, issuer: ScriptedIssuer
) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("house")
    table = folder / "issuers.json"
    options = {"path": str(issuer._path)}
    entry = {
        "connector": "tests.wallet.scripted_issuer.connect", "prefixes": ["2599"], "options": options,
    }  # fmt: skip
    table.write_text(json.dumps({"SCRIPTED": entry}))
    opened = House(module_database.url, folder, COMPTOIR_ISSUERS_FILE=str(table))
    try:
        _begin(opened)
        yield opened
    finally:
        opened.close()


@dataclass
class Site:
    """A house with a database server of its own, which may be stopped and killed. Its disk is awaited."""

    house: House
    postgres: EmbeddedPostgres


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Two gateways and a worker over their own PostgreSQL, with fsync on and few connections."""
    folder = tmp_path_factory.mktemp("site")
    with open_site(folder, folder) as opened:
        yield opened


@contextmanager
def open_site(folder: Path, disk: Path, **settings: str) -> Iterator[Site]:
    """A site whose database is on `disk`, and all else in `folder`."""
    postgres = EmbeddedPostgres(
        disk / "postgres" / "data",
        log_file=folder / "postgres.log",
        settings={"shared_buffers": "64MB", "max_connections": "40"} | settings,
    )
    postgres.ensure()
    try:
        with _DjangoOn(postgres.url()):
            call_command("migrate", verbosity=0, interactive=False)
            opened = House(postgres.url(), folder)
            try:
                _begin(opened)
                yield Site(opened, postgres)
            finally:
                opened.close()
    finally:
        postgres.stop()


def _begin(opened: House) -> None:
    opened.gateway(wait=False)
    opened.gateway(wait=False)
    opened.worker(wait=False)
    for server in opened.servers:
        server.wait_ready()
