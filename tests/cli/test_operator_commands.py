"""What an operator does at the command line, on a real database: and what a refusal leaves as it was."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connection as django_connection

from comptoir.acquiring import api as acquiring
from comptoir.acquiring.api import PaymentView, Product, Scenario
from comptoir.cli.main import main
from comptoir.db.sealed import CannotUnseal
from comptoir.flows.api import OK, Desk, Outcome, Pay, Refund, execute, verify_books
from comptoir.fx import api as fx
from comptoir.identity import api as identity
from comptoir.kernel.clock import utc_now
from comptoir.kernel.ids import new_id
from comptoir.kernel.money import Money
from comptoir.ledger import api as ledger
from comptoir.standards.antom import signing
from comptoir.standards.ecb_rates import DailyRates
from comptoir.standards.payment_code import Form, build
from comptoir.wallet import api as wallet
from comptoir.wallet.operations import devices
from tests.conftest import Database

REF, CLIENT, LOGIN, PIN = "M0000000042", "5Y0000000000042", "+8613900000042", "204681"

_TABLES = (
    "acquiring_merchant", "acquiring_contract", "acquiring_store", "acquiring_terminal",
    "identity_api_client", "identity_api_client_key", "identity_person",
    "wallet_wallet", "wallet_device", "wallet_credit", "wallet_upstream", "ledger_account", "ledger_transfer",
)  # fmt: skip

Capture = pytest.CaptureFixture[str]


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


def key_in(path: Path) -> Path:
    """A fresh public key in a file, unarmoured."""
    path.write_text(signing.export_public_key(signing.generate_key().public_key()))
    return path


def done(*words: str) -> None:
    assert main(words) == 0


def refused(capsys: Capture, *words: str) -> str:
    """The one line on stderr of a command that is refused with exit code 2."""
    capsys.readouterr()
    assert main(words) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"comptoir {words[0]}: ")
    assert said.err.count("\n") == 1
    return said.err


def listed(capsys: Capture, *words: str) -> Any:
    capsys.readouterr()
    done(*words, "--json")
    return json.loads(capsys.readouterr().out)


def open_wallet(pin_file: str) -> None:
    done("wallets", "open", LOGIN, "--name", "李娜", "--pin-file", pin_file)


# ---------------------------------------------------------------- merchants


def test_a_merchant_is_brought_in(shop: None, capsys: Capture) -> None:
    (one,) = listed(capsys, "merchants", "list")
    assert (one["merchant"], one["name"], one["active"]) == (REF, "Chocolaterie Sablon", True)
    (terms,) = one["contracts"]
    assert (terms["settle"], terms["take"], terms["margin_bps"]) == ("EUR", ["EUR", "USD"], 150)
    (store,) = one["stores"]
    assert (store["ref"], store["city"], store["mcc"], store["country"]) == (
        "SAB-1",
        "Brussels",
        "5441",
        "BE",
    )
    assert store["terminals"] == ["T1"]
    done("merchants", "list")
    assert "EUR, USD for EUR, 150 bps" in capsys.readouterr().out


def test_a_suspended_merchant_takes_no_payment(shop: None, capsys: Capture) -> None:
    done("merchants", "suspend", REF)
    merchant_id = acquiring.merchant_summary(REF).id
    assert pay(merchant_id, "281200000000000000").code == acquiring.errors.MERCHANT_INACTIVE
    done("merchants", "suspend", REF)
    done("merchants", "activate", REF)
    assert listed(capsys, "merchants", "list")[0]["active"]
    # A payment is opened now, and fails for its code alone.
    assert pay(merchant_id, "281200000000000000").code == wallet.errors.CODE_INVALID


def test_a_suspension_waits_for_the_batch_under_way(shop: None, database: Database) -> None:
    """What holds the books may have read the merchant as active: the command returns only after it."""

    def suspend() -> int:
        try:
            return main(["merchants", "suspend", REF])
        finally:
            django_connection.close()  # the thread's own

    with psycopg.connect(database.url) as batch, ThreadPoolExecutor(1) as pool:
        batch.execute(ledger.lock().sql)
        asked = pool.submit(suspend)
        with pytest.raises(TimeoutError):
            asked.result(0.5)
        assert acquiring.merchant_summary(REF).active
        batch.commit()
        assert asked.result(20) == 0
    assert not acquiring.merchant_summary(REF).active


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("add", REF, "--name", "Other", "--mcc", "5441", "--country", "BE"), "registered already"),
        (("add", "M 43", "--name", "Other", "--mcc", "5441", "--country", "BE"), "reference"),
        (("add", "M43", "--name", " ", "--mcc", "5441", "--country", "BE"), "name"),
        (("add", "M43", "--name", "Other", "--mcc", "54", "--country", "BE"), "four digits"),
        (("add", "M43", "--name", "Other", "--mcc", "5441", "--country", "be"), "two capital letters"),
        (("add", "M43", "--name", "Other", "--mcc", "5441", "--country", "BE", "--office", "x"), "--office"),
        (("contract", "M43", "--settle", "EUR", "--margin-bps", "1"), "no merchant M43"),
        (("contract", REF, "--settle", "EUR", "--margin-bps", "1"), "already"),
        (("contract", REF, "--settle", "GBP", "--margin-bps", "1001"), "basis points"),
        (("contract", REF, "--settle", "GBP", "--margin-bps", "1", "--take", "XXQ"), "ISO 4217"),
        (("contract", REF, "--settle", "GBP", "--margin-bps", "1", "--overdraft", "1.234"), "decimals"),
        (("contract", REF, "--settle", "GBP", "--margin-bps", "1", "--overdraft", "-1"), "below zero"),
        (("contract", REF, "--settle", "GBP", "--margin-bps", "1", "--online-expiry", "1501"), "seconds"),
        (("contract", REF, "--settle", "GBP", "--margin-bps", "1", "--take", "GBP", "--take", "GBP"), "once"),
        (("store", REF, "--ref", "SAB-1", "--name", "Again", "--city", "Ghent"), "already"),
        (("store", REF, "--ref", "SAB-2", "--name", "X" * 257, "--city", "Ghent"), "printable"),
        (("terminal", REF, "--store", "SAB-9", "--ref", "T1"), "no store SAB-9"),
        (("terminal", REF, "--store", "SAB-1", "--ref", "T1"), "already"),
        (("suspend", "M43"), "no merchant M43"),
    ],
)
def test_what_is_refused_of_a_merchant_changes_nothing(
    shop: None, contents: Callable[[], Any], capsys: Capture, words: tuple[str, ...], says: str
) -> None:
    before = contents()
    assert says in refused(capsys, "merchants", *words)
    assert contents() == before


# ---------------------------------------------------------------- clients


def test_a_client_is_registered_and_shown_with_both_fingerprints(
    shop: None, key_file: Path, capsys: Capture
) -> None:
    url = "https://shop.example/notify"
    done("clients", "add", CLIENT, "--merchant", REF, "--public-key-file", str(key_file), "--notify-url", url)
    merchants_own = sha256_of(key_file.read_text())
    assert merchants_own in capsys.readouterr().out
    shown = listed(capsys, "clients", "show", CLIENT)
    assert shown["merchant"] == REF
    assert shown["keys"] == [{"version": 1, "sha256": merchants_own, "live": True}]
    assert shown["platform_key_sha256"] == sha256_of(shown["platform_public_key"])
    assert shown["platform_key_sha256"] != merchants_own
    platform = identity.platform_key()
    assert signing.public_der(signing.load_public_key(shown["platform_public_key"])) == platform.public_key

    done("clients", "show", CLIENT)
    said = capsys.readouterr().out
    assert said.splitlines()[-1] == shown["platform_public_key"], "one line, to be copied whole"
    assert merchants_own in said
    assert shown["platform_key_sha256"] in said
    private = signing.export_private_key(signing.private_key_from_der(platform.private_key))
    assert private[40:80] not in said
    assert listed(capsys, "clients", "list", "--merchant", REF)[0]["notify_url"] == url


def test_an_api_key_is_shown_once_and_ends_for_good(shop: None, capsys: Capture) -> None:
    done("clients", "add", CLIENT, "--merchant", REF)
    capsys.readouterr()
    done("clients", "api-key", CLIENT)
    key = capsys.readouterr().out.splitlines()[-1]
    head, _, secret = key.rpartition("_")
    assert head.startswith("isak_PROD_")
    key_id = head.rpartition("_")[2]
    done("clients", "api-key", CLIENT, "--only", "payments/pay", "payments/cancel")
    assert capsys.readouterr().out.splitlines()[-1].startswith("irak_PROD_")
    done("clients", "revoke-api-key", key_id)
    restricted, first = listed(capsys, "clients", "show", CLIENT)["api_keys"]
    assert first == {"id": key_id, "kind": "isak", "operations": None, "live": False}
    assert (restricted["operations"], restricted["live"]) == (["payments/cancel", "payments/pay"], True)
    done("clients", "show", CLIENT)
    said = capsys.readouterr().out
    assert key_id in said
    assert secret not in said
    assert "no operation" in refused(capsys, "clients", "api-key", CLIENT, "--only", "payments/steal")
    assert "each once" in refused(capsys, "clients", "api-key", CLIENT, "--only", *["payments/pay"] * 2)
    assert "no client" in refused(capsys, "clients", "api-key", "5Y43")
    assert "no API key" in refused(capsys, "clients", "revoke-api-key", "0" * 32)
    assert "not one of our ids" in refused(capsys, "clients", "revoke-api-key", "nonsense")


def test_a_pem_file_holds_the_same_key(shop: None, tmp_path: Path) -> None:
    plain = key_in(tmp_path / "plain").read_text()
    pem = tmp_path / "merchant.pem"
    lines = [plain[at : at + 64] for at in range(0, len(plain), 64)]
    pem.write_text("\n".join(["-----BEGIN PUBLIC KEY-----", *lines, "-----END PUBLIC KEY-----", ""]))
    done("clients", "add", CLIENT, "--merchant", REF, "--public-key-file", str(pem))
    assert hashlib.sha256(identity.client_keys(CLIENT)[0].public_key).hexdigest() == sha256_of(plain)


def test_keys_change_without_a_pause(shop: None, key_file: Path, tmp_path: Path, capsys: Capture) -> None:
    done("clients", "add", CLIENT, "--merchant", REF, "--public-key-file", str(key_file))
    done("clients", "key", CLIENT, "--public-key-file", str(key_in(tmp_path / "second")))
    assert listed(capsys, "clients", "list")[0]["live_keys"] == [2, 1]
    done("clients", "revoke", CLIENT, "1")
    assert listed(capsys, "clients", "list")[0]["live_keys"] == [2]
    capsys.readouterr()
    done("clients", "revoke", CLIENT, "2")
    assert "no live key left" in capsys.readouterr().out
    keys = listed(capsys, "clients", "show", CLIENT)["keys"]
    assert [(one["version"], one["live"]) for one in keys] == [(2, False), (1, False)]


def test_a_client_is_suspended_and_let_in_again(shop: None, key_file: Path, capsys: Capture) -> None:
    done("clients", "add", CLIENT, "--merchant", REF, "--public-key-file", str(key_file))
    done("clients", "suspend", CLIENT)
    assert listed(capsys, "clients", "list")[0]["status"] == "suspended"
    done("clients", "activate", CLIENT)
    assert listed(capsys, "clients", "list")[0]["status"] == "active"


def test_what_is_refused_of_a_client_changes_nothing(
    shop: None, contents: Callable[[], Any], key_file: Path, tmp_path: Path, capsys: Capture
) -> None:
    done("clients", "add", CLIENT, "--merchant", REF, "--public-key-file", str(key_file))
    private = signing.export_private_key(signing.generate_key())
    files = {
        "fresh": key_in(tmp_path / "fresh"),
        "known": key_file,
        "missing": tmp_path / "missing",
        "nonsense": tmp_path / "nonsense",
        "binary": tmp_path / "binary",
        "private": tmp_path / "private",
        "ours": tmp_path / "ours",
    }
    files["nonsense"].write_text("not a key")
    files["binary"].write_bytes(b"\xff\xfe")
    files["private"].write_text(private)
    ours = signing.public_key_from_der(identity.platform_key().public_key)
    files["ours"].write_text(signing.export_public_key(ours))
    path = {name: str(file) for name, file in files.items()}
    before = contents()

    def add(client: str, merchant: str, file: str, *more: str) -> str:
        given = ("--merchant", merchant, "--public-key-file", path[file], *more)
        return refused(capsys, "clients", "add", client, *given)

    assert "exists already" in add(CLIENT, REF, "fresh")
    assert "no merchant" in add("5Y43", "M43", "fresh")
    assert "client id" in add("5Y 43", REF, "fresh")
    assert "cannot be read" in add("5Y43", REF, "missing")
    assert "base64" in add("5Y43", REF, "nonsense")
    assert "not text" in add("5Y43", REF, "binary")
    assert "our public key" in add("5Y43", REF, "ours")
    assert "http" in add("5Y43", REF, "fresh", "--notify-url", "ftp://shop.example")
    said = add("5Y43", REF, "private")
    assert "private key" in said
    assert private[40:80] not in said
    assert "already" in refused(capsys, "clients", "key", CLIENT, "--public-key-file", path["known"])
    assert "no client" in refused(capsys, "clients", "key", "5Y43", "--public-key-file", path["fresh"])
    assert "no key 7" in refused(capsys, "clients", "revoke", CLIENT, "7")
    assert "no client" in refused(capsys, "clients", "show", "5Y43")
    assert contents() == before


# ---------------------------------------------------------------- wallets


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


def limits(no_pin: str, at_once: str, a_day: str) -> tuple[str, ...]:
    return "--no-pin", no_pin, "--at-once", at_once, "--a-day", a_day


def pay(merchant_id: Any, code: str, currency: str = "EUR") -> Outcome:
    command = Pay(
        merchant_id=merchant_id,
        client_ref=CLIENT,
        request_ref=new_id().hex,
        product=Product.IN_STORE,
        scenario=Scenario.PAYMENT_CODE,
        amount=Money(1250, currency),
        method_type="CONNECT_WALLET",
        code=code,
    )
    return execute([command], utc_now(), Desk(3650))[0]


def pay_well(merchant_id: Any, folder: Path) -> PaymentView:
    """A payment of a traveller who can afford it, paid."""
    now = utc_now()
    fx.record_rates(DailyRates(now.date(), {"CNY": Decimal("8"), "USD": Decimal("1.1")}), now, "test")
    (folder / "pin").write_text(PIN)
    open_wallet(str(folder / "pin"))
    own = wallet.wallet_summaries(now, 1, None)[0].wallet.id
    wallet.top_up(new_id(), own, Money(100_000, "CNY"), now)
    number = wallet.enroll_device(own, "phone", now).number
    outcome = pay(merchant_id, wallet.payment_code_for(number, now).digits)
    assert outcome.code == OK
    assert outcome.payment is not None
    return outcome.payment


def identity_of(login: str) -> Any:
    person = identity.person(login)
    assert person is not None
    return person.id


def sha256_of(public_key: str) -> str:
    return hashlib.sha256(signing.public_der(signing.load_public_key(public_key))).hexdigest()


# ---------------------------------------------------------------- without the master key


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


# ---------------------------------------------------------------- rates


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


# ---------------------------------------------------------------- our own keys


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


# ---------------------------------------------------------------- changes


def test_terms_are_changed_for_payments_to_come(shop: None, capsys: Capture) -> None:
    done("merchants", "change", REF, "--settle", "EUR", "--take", "EUR", "--margin-bps", "200")
    done("merchants", "change", REF, "--settle", "EUR", "--refund-days", "400")
    ((terms,),) = [one["contracts"] for one in listed(capsys, "merchants", "list")]
    assert (terms["take"], terms["margin_bps"], terms["refund_days"]) == (["EUR"], 200, 400)
    assert (terms["in_store_expiry"], terms["online_expiry"]) == (600, 840)
    assert pay(acquiring.merchant_summary(REF).id, "281200000000000000", currency="USD").code == (
        acquiring.errors.CURRENCY_NOT_SUPPORTED
    )


def test_what_is_paid_stays_under_a_changed_contract(shop: None, tmp_path: Path) -> None:
    """The payment's price, what is owed and how long it may be given back are those it was made with."""
    merchant_id = acquiring.merchant_summary(REF).id
    paid = pay_well(merchant_id, tmp_path)
    done("merchants", "change", REF, "--settle", "EUR", "--take", "USD", "--margin-bps", "900")
    now = utc_now()
    back = Refund(
        merchant_id=merchant_id, client_ref=CLIENT, request_ref="F1", payment_id=paid.id, amount=paid.amount
    )
    (outcome,) = execute([back], now, Desk(3650))
    assert outcome.code == OK
    assert outcome.refund is not None
    assert outcome.payment is not None
    assert outcome.payment.settlement == paid.settlement
    assert outcome.refund.wallet_amount == paid.wallet_total
    assert verify_books().holds


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--settle", "GBP", "--margin-bps", "1"), "no contract in GBP"),
        (("--settle", "EUR", "--margin-bps", "1001"), "basis points"),
        (("--settle", "EUR", "--take", "XXQ"), "ISO 4217"),
        (("--settle", "EUR", "--take", "EUR", "--take", "EUR"), "once"),
        (("--settle", "EUR", "--refund-days", "364"), "no fewer"),
        (("--settle", "EUR", "--online-expiry", "0"), "seconds"),
    ],
)
def test_terms_that_are_refused_change_nothing(
    shop: None,
    contents: Callable[[], dict[str, Any]],
    capsys: Capture,
    words: tuple[str, ...],
    reason: str,
) -> None:
    before = contents()
    assert reason in refused(capsys, "merchants", "change", REF, *words)
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


def test_a_test_client_is_for_a_test_merchant_and_no_other(
    shop: None, contents: Callable[[], Any], key_file: Path, capsys: Capture
) -> None:
    test_ref = "T0000000042"
    done(
        "merchants",
        "add",
        test_ref,
        "--name",
        "Test counter",
        "--mcc",
        "5947",
        "--country",
        "BE",
        "--sandbox",
    )
    given = ("--public-key-file", str(key_file))
    before = contents()
    assert "SANDBOX_" in refused(capsys, "clients", "add", "SANDBOX_5Y1", "--merchant", REF, *given)
    assert "SANDBOX_" in refused(capsys, "clients", "add", "5Y1", "--merchant", test_ref, *given)
    assert contents() == before
    done("clients", "add", "SANDBOX_5Y1", "--merchant", test_ref, *given)
    assert listed(capsys, "clients", "list", "--merchant", test_ref)[0]["sandbox"] is True
