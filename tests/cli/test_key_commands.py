"""`comptoir keys` and `rates`: the platform's own keys, another master key, a jump of the rates."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.conf import settings

from comptoir.db.sealed import CannotUnseal
from comptoir.fx import api as fx
from comptoir.identity import api as identity
from comptoir.kernel.clock import utc_now
from comptoir.standards.ecb_rates import DailyRates
from tests.cli.operators import (
    LOGIN,
    Capture,
    done,
    listed,
    open_wallet,
    refused,
)
from tests.conftest import Database


def test_the_books_can_be_read_and_proven_under_another_master_key(
    shop: None, pin_file: str, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    open_wallet(pin_file)
    done("wallets", "top-up", LOGIN, "1.00")
    monkeypatch.setattr(settings, "COMPTOIR", replace(settings.COMPTOIR, master_key=bytes(32)))
    with pytest.raises(CannotUnseal):
        identity.platform_key()
    assert listed(capsys, "verify")["holds"]
    assert len(listed(capsys, "books")) > 1


def test_a_jump_of_the_rates_is_taken_when_the_operator_says_so(
    database: Database, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    now = utc_now()
    fx.record_rates(DailyRates(now.date() - timedelta(days=1), {"CNY": Decimal("7.9")}), now, "test")
    feed = (
        '<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01" '
        'xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref"><Cube>'
        f'<Cube time="{now.date()}"><Cube currency="CNY" rate="11.5"/></Cube></Cube></gesmes:Envelope>'
    )
    monkeypatch.setattr("comptoir.fx.operations.rates.fetch_daily_xml", lambda _: feed.encode())
    monkeypatch.setattr(settings, "COMPTOIR_FX_FETCH", True)
    assert "moved too far" in refused(capsys, "rates", "fetch")
    assert fx.latest_table().per_euro == {"CNY": Decimal("7.9")}
    done("rates", "fetch", "--accept-jump")
    assert fx.latest_table().per_euro == {"CNY": Decimal("11.5")}


def test_a_platform_key_is_made_then_used(database: Database, capsys: Capture) -> None:
    identity.ensure_platform_key(now=utc_now())
    done("keys", "add")
    kept = listed(capsys, "keys", "list")
    assert [(one["version"], one["in_use"]) for one in kept["platform_keys"]] == [(2, False), (1, True)]
    assert kept["sealed"]["platform key"] == {"1": 2}
    assert identity.platform_key().version == 1
    done("keys", "use", "2")
    assert identity.platform_key().version == 2
    done("keys", "list")
    assert "does not sign" in capsys.readouterr().out
    assert "there is no platform key 9" in refused(capsys, "keys", "use", "9")
    assert identity.platform_key().version == 2
    done("keys", "use", "1")
    assert identity.platform_key().version == 1
