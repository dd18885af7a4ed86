"""One house for all tests of a module: two gateways and a worker over a database of their own."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.api.support import House
from tests.conftest import Database
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
        opened.gateway(wait=False)
        opened.gateway(wait=False)
        opened.worker(wait=False)
        for server in opened.servers:
            server.wait_ready()
        yield opened
    finally:
        opened.close()
