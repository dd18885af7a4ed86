"""`comptoir books`: what finance people read, now and at a past instant."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from comptoir.cli.main import main
from tests.conftest import Database
from tests.flows.support import make_scene


def shown(capsys: pytest.CaptureFixture[str], *words: str) -> list[dict[str, Any]]:
    capsys.readouterr()
    assert main(["books", *words, "--json"]) == 0
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    return found


def test_balances_now_and_before(database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    scene = make_scene(balance=100_000)
    before = datetime.now(UTC).isoformat()
    scene.one(scene.pay("R1"))
    owner = scene.merchant_id.hex
    (now,) = shown(capsys, "--owner", owner)
    assert (now["role"], now["currency"], now["posted"], now["available"]) == (
        "merchant.payable",
        "EUR",
        1000,
        1000,
    )
    (then,) = shown(capsys, "--owner", owner, "--at", before)
    assert then["posted"] == 0
    purses = shown(capsys, "--role", "wallet.balance", "--at", before, "--effective")
    assert [one["posted"] for one in purses] == [100_000]
    assert main(["books"]) == 0
    assert "10.00" in capsys.readouterr().out


@pytest.mark.parametrize("words", [["--role", "purse"], ["--at", "2026-11-23T12:00:00"]])
def test_what_cannot_be_asked(
    words: list[str], database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["books", *words]) == 2
    assert words[0].strip("-") in capsys.readouterr().err
