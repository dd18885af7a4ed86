"""`comptoir wallets`: travellers, phones, PINs, limits, money; what is refused changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from comptoir.acquiring import api as acquiring
from comptoir.flows.api import OK
from comptoir.fx import api as fx
from comptoir.identity import api as identity
from comptoir.kernel.clock import utc_now
from comptoir.kernel.ids import new_id
from comptoir.standards.payment_code import Form, build
from comptoir.wallet import api as wallet
from comptoir.wallet.operations import devices
from tests.cli.operators import (
    LOGIN,
    PIN,
    REF,
    Capture,
    done,
    identity_of,
    limits,
    listed,
    open_wallet,
    pay,
    refused,
)
from tests.conftest import Database


def test_a_traveller_is_brought_in_and_pays(shop: None, pin_file: str, capsys: Capture) -> None:
    fx.load_packaged_rates(utc_now())
    open_wallet(pin_file)
    done("wallets", "top-up", LOGIN, "500.00", "--note", "Welcome")
    device = listed(capsys, "wallets", "enroll", LOGIN, "--device", "Phone", "--show-seed")
    code = build(Form.SHORT, device["device"], bytes.fromhex(device["seed"]), utc_now(), 0)
    assert pay(acquiring.merchant_summary(REF).id, code).code == OK
    (one,) = listed(capsys, "wallets", "list")
    assert (one["login"], one["name"], one["currency"], one["state"]) == (LOGIN, "李娜", "CNY", "active")
    assert one["available"] == 50000 - one["spent_today"]
    lines = listed(capsys, "wallets", "statement", LOGIN)
    assert [(line["kind"], line["amount"]) for line in lines] == [
        ("payment", -one["spent_today"]),
        ("top_up", 50000),
    ]
    done("wallets", "statement", LOGIN)
    said = capsys.readouterr().out
    assert "Welcome" in said
    assert "500.00 CNY" in said
    wallet.check_pin(wallet.wallets_of(identity_of(LOGIN))[0], PIN, utc_now())


def test_the_pin_is_asked_for_twice_at_a_terminal(
    database: Database, monkeypatch: pytest.MonkeyPatch, contents: Callable[[], Any], capsys: Capture
) -> None:
    before = contents()
    assert "--pin-file" in refused(capsys, "wallets", "open", LOGIN, "--name", "李娜")
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    typed = iter(["204681", "204682", PIN, PIN])
    monkeypatch.setattr("comptoir.cli.wallets.getpass", lambda _: next(typed))
    assert "differ" in refused(capsys, "wallets", "open", LOGIN, "--name", "李娜")
    assert contents() == before
    done("wallets", "open", LOGIN, "--name", "李娜")
    wallet.check_pin(wallet.wallets_of(identity_of(LOGIN))[0], PIN, utc_now())


def test_no_secret_is_printed_unless_asked_for(
    database: Database, pin_file: str, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    seeds: list[bytes] = []
    seal = devices.seal

    def watched(seed: bytes, *given: str) -> bytes:
        seeds.append(seed)
        return seal(seed, *given)

    open_wallet(pin_file)
    monkeypatch.setattr(devices, "seal", watched)
    done("wallets", "enroll", LOGIN, "--device", "Phone")
    done("wallets", "enroll", LOGIN, "--device", "Watch", "--json")
    done("wallets", "list")
    done("wallets", "limits", LOGIN)
    said = "".join(capsys.readouterr())
    assert PIN not in said
    assert len(seeds) == 2
    assert not [seed for seed in seeds if seed.hex() in said]
    done("wallets", "enroll", LOGIN, "--device", "Tablet", "--show-seed")
    assert seeds[-1].hex() in capsys.readouterr().out.splitlines()


def test_a_lost_phone_is_revoked(database: Database, pin_file: str, capsys: Capture) -> None:
    open_wallet(pin_file)
    lost = listed(capsys, "wallets", "enroll", LOGIN, "--device", "Phone")["device"]
    kept = listed(capsys, "wallets", "enroll", LOGIN, "--device", "Watch")["device"]
    assert "no device" in refused(capsys, "wallets", "revoke", LOGIN, "12345678")
    done("wallets", "revoke", LOGIN, str(lost))
    phones = wallet.devices_of(wallet.wallets_of(identity_of(LOGIN))[0])
    assert {one.number: one.active for one in phones} == {lost: False, kept: True}
    done("wallets", "devices", LOGIN)
    assert f"{lost} │ Phone │ revoked" in capsys.readouterr().out


def test_a_wallet_is_frozen_and_limited(database: Database, pin_file: str, capsys: Capture) -> None:
    open_wallet(pin_file)
    done("wallets", "freeze", LOGIN)
    assert listed(capsys, "wallets", "list")[0]["state"] == "frozen"
    done("wallets", "unfreeze", LOGIN)
    done("wallets", "limits", LOGIN, "--at-once", "300.50", "--no-pin", "0")
    assert "at once up to 300.50 CNY" in capsys.readouterr().out
    (one,) = listed(capsys, "wallets", "list")
    assert one["state"] == "active"
    assert one["limits"] == {"no_pin": 0, "at_once": 30050, "a_day": 50_000_00}


def test_a_top_up_of_the_same_id_is_posted_once(database: Database, pin_file: str, capsys: Capture) -> None:
    open_wallet(pin_file)
    own = listed(capsys, "wallets", "list")[0]["wallet"]
    credit = new_id().hex
    for _ in range(2):
        done("wallets", "top-up", own, "10.00", "--id", credit)
    assert len(listed(capsys, "wallets", "statement", own)) == 1
    assert listed(capsys, "wallets", "list")[0]["available"] == 1000
    assert "another one" in refused(capsys, "wallets", "top-up", own, "11.00", "--id", credit)
    assert listed(capsys, "wallets", "list")[0]["available"] == 1000


def test_wallets_are_listed_page_by_page(database: Database, pin_file: str, capsys: Capture) -> None:
    for number in range(3):
        done("wallets", "open", f"+861390000010{number}", "--name", "王", "--pin-file", pin_file)
    first = listed(capsys, "wallets", "list", "--lines", "2")
    rest = listed(capsys, "wallets", "list", "--after", first[-1]["wallet"])
    assert (len(first), len(rest)) == (2, 1)
    assert len({one["wallet"] for one in first + rest}) == 3


def test_what_is_refused_of_a_wallet_changes_nothing(
    database: Database, pin_file: str, tmp_path: Path, contents: Callable[[], Any], capsys: Capture
) -> None:
    identity.create_person(
        "nora@comptoir.example", "Nora", identity.Role.OPERATOR, "a long enough one", now=utc_now()
    )
    open_wallet(pin_file)
    weak = tmp_path / "weak"
    weak.write_text("123456")
    before = contents()

    def opened(login: str, file: str = pin_file, *more: str) -> str:
        return refused(capsys, "wallets", "open", login, "--name", "王", "--pin-file", file, *more)

    assert "already" in opened(LOGIN)
    assert "not a traveller" in opened("nora@comptoir.example")
    weakly = opened("+8613900000043", str(weak))
    assert "PIN" in weakly
    assert "123456" not in weakly
    assert "no PIN" in opened("+8613900000043", str(tmp_path / "missing"))
    assert "not offered" in opened("+8613900000043", pin_file, "--currency", "HKD", *limits("1", "2", "3"))
    assert "all three" in opened("+8613900000043", pin_file, "--currency", "HKD", "--no-pin", "1")
    assert "rise" in opened("+8613900000043", pin_file, *limits("3", "2", "1"))
    assert "login" in opened("two words")
    assert "nobody has the login" in refused(capsys, "wallets", "freeze", "+8613900000043")
    assert "no wallet" in refused(capsys, "wallets", "freeze", new_id().hex)
    assert "but: none" in refused(capsys, "wallets", "freeze", "nora@comptoir.example")
    assert "decimals" in refused(capsys, "wallets", "top-up", LOGIN, "1.001")
    assert "above zero" in refused(capsys, "wallets", "top-up", LOGIN, "0")
    assert "rise" in refused(capsys, "wallets", "limits", LOGIN, "--no-pin", "60000")
    assert "--lines" in refused(capsys, "wallets", "list", "--lines", "0")
    assert contents() == before


def test_another_pin_lifts_the_lock(database: Database, tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "pin").write_text(PIN)
    (tmp_path / "new").write_text("913572\n")
    open_wallet(str(tmp_path / "pin"))
    own = wallet.wallet_summaries(utc_now(), 1, None)[0].wallet.id
    for _ in range(3):
        with pytest.raises(wallet.PinRefused):
            wallet.check_pin(own, "111112", utc_now())
    done("wallets", "pin", LOGIN, "--pin-file", str(tmp_path / "new"))
    wallet.check_pin(own, "913572", utc_now())
    said = capsys.readouterr()
    assert "913572" not in said.out + said.err
    (tmp_path / "bad").write_text("111111")
    refused(capsys, "wallets", "pin", LOGIN, "--pin-file", str(tmp_path / "bad"))
    wallet.check_pin(own, "913572", utc_now())
