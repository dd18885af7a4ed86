"""Every connector there is, held to the rules of comptoir.wallet.connectors."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from comptoir.wallet.api import UpstreamFamily
from tests.conftest import Database
from tests.wallet.benches import (
    OwnBench,
    OwnWallet,
    ScriptedBench,
    UpstreamBench,
    WalletHouse,
    aside,
    upstream_bench,
)
from tests.wallet.conformance import IssuerConformance


class TestScriptedIssuer(IssuerConformance):
    """The issuer of the tests: what it scripts is worth nothing if it breaks the rules by itself."""

    @pytest.fixture
    async def bench(self, tmp_path: Path) -> ScriptedBench:
        return ScriptedBench(str(tmp_path / "issuer.sqlite"))


class TestOwnWallet(IssuerConformance):
    """Our own wallet keeps the same promises, though nobody asks it over a network."""

    @pytest.fixture(scope="class")
    async def bench(self, module_database: Database) -> AsyncIterator[OwnBench]:
        house = WalletHouse()
        await aside(house.build)
        yield OwnBench(house, OwnWallet(house))
        await aside(house.assert_holds)


class TestUpstreamAsItsAcquirer(IssuerConformance):
    """The upstream connector in the words of Alipay+, with a Comptoir behind it."""

    @pytest.fixture(scope="class")
    async def bench(self, module_database: Database) -> AsyncIterator[UpstreamBench]:
        async with upstream_bench(module_database.url, UpstreamFamily.APS) as opened:
            yield opened


class TestUpstreamAsItsMerchant(IssuerConformance):
    """The same in the words of Antom."""

    @pytest.fixture(scope="class")
    async def bench(self, module_database: Database) -> AsyncIterator[UpstreamBench]:
        async with upstream_bench(module_database.url, UpstreamFamily.AMS) as opened:
            yield opened
