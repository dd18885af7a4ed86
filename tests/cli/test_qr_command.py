"""`comptoir qr`: a store's code as text and picture, and what is said of a scanned one."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image

from comptoir.acquiring import api as acquiring
from comptoir.cli.main import main
from comptoir.identity import api as identity
from comptoir.kernel.clock import utc_now
from comptoir.kernel.money import Money
from comptoir.standards import emv_qr, entry_code
from comptoir.standards.antom import signing
from tests.conftest import Database
from tests.standards.emv_qr.test_templates import CONFIGURATION
from tests.standards.emv_qr.vectors import VECTORS

REF = "M0000000042"
PIX = ("--account", "pix", "01=sablon@example.org")

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def schemes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Schemes that the merchant has joined, written down."""
    file = tmp_path / "schemes.json"
    file.write_text(json.dumps(CONFIGURATION))
    monkeypatch.setenv("COMPTOIR_QR_TEMPLATES_FILE", str(file))
    return file


@pytest.fixture
def shop(database: Database, schemes: Path) -> None:
    assert main(("merchants", "add", REF, "--name", "Sablon", "--mcc", "5441", "--country", "BE")) == 0
    store = ("--ref", "SAB-1", "--name", "Chocolaterie Sablon", "--city", "Brussels")
    assert main(("merchants", "store", REF, *store)) == 0


@pytest.fixture
def client(shop: None) -> str:
    """The merchant's machine that is to hear of payments."""
    wanted = acquiring.merchant_summary(REF)
    key = signing.export_public_key(signing.generate_key().public_key())
    return identity.register_client("5Y0000000000042", wanted.id, key, now=utc_now()).client_ref


def emv(*more: str) -> tuple[str, ...]:
    return ("qr", "emv", REF, "--store", "SAB-1", "--currency", "EUR", *more)


def printed(capsys: Capture, *words: str) -> str:
    capsys.readouterr()
    assert main(words) == 0
    return capsys.readouterr().out.strip()


def refused(capsys: Capture, *words: str) -> str:
    capsys.readouterr()
    assert main(words) == 2
    said = capsys.readouterr()
    assert said.out == ""
    return said.err


def test_a_stores_code_says_where_and_what(shop: None, capsys: Capture) -> None:
    code = emv_qr.parse(printed(capsys, *emv(*PIX)))
    assert (code.name, code.city, code.country, code.mcc) == ("Chocolaterie Sablon", "Brussels", "BE", "5441")
    assert code.money is None
    assert code.is_dynamic is False
    assert code.additional == (emv_qr.DataObject(emv_qr.STORE, "SAB-1"),)
    more = (
        "--amount",
        "12.50",
        "--reference",
        "R-1",
        "--terminal",
        "T1",
        "--also",
        "zh",
        "巧克力店",
        "布鲁塞尔",
    )
    code = emv_qr.parse(printed(capsys, *emv(*PIX, *more)))
    assert code.money == Money(1250, "EUR")
    assert [one.value for one in code.additional] == ["SAB-1", "R-1", "T1"]
    assert code.other_language == emv_qr.OtherLanguage("zh", "巧克力店", "布鲁塞尔")


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_a_picture_holds_the_text(shop: None, capsys: Capture, tmp_path: Path, suffix: str) -> None:
    out = tmp_path / f"sablon.{suffix}"
    text = printed(capsys, *emv(*PIX))
    assert text in printed(capsys, *emv(*PIX, "--out", str(out)))
    if suffix == "png":
        assert [one.text for one in zxingcpp.read_barcodes(Image.open(out))] == [text]
    else:
        assert out.read_bytes().startswith(b"<?xml")


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("no store SAB-2", ("qr", "emv", REF, "--store", "SAB-2", "--currency", "EUR", *PIX)),
        ("no merchant M9", ("qr", "emv", "M9", "--store", "SAB-1", "--currency", "EUR", *PIX)),
        ("no template upi", emv("--account", "upi", "01=x")),
        ("26.01 (pix: key) is missing", emv("--account", "pix")),
        ("29.01 (promptpay: mobile number)", emv("--account", "promptpay", "01=0032475000000")),
        ("is not ID=VALUE", emv("--account", "pix", "01")),
        ("is not ID=VALUE, each id once", emv("--account", "pix", "01=a", "01=b")),
        ("26 comes twice", emv(*PIX, *PIX)),
        ("at most 25", emv(*PIX, "--name", "Chocolaterie du Grand Sablon")),
        ("59 (merchant name)", emv(*PIX, "--name", "Crêperie")),
        ("EUR has 2 decimals", emv(*PIX, "--amount", "12.505")),
        ("54 (transaction amount)", emv(*PIX, "--amount", "0")),
        ("ends neither in .svg nor in .png", emv(*PIX, "--out", "code.gif")),
    ],
)
def test_what_cannot_be_printed_is_refused_in_one_line(
    shop: None, capsys: Capture, said: str, words: tuple[str, ...]
) -> None:
    error = refused(capsys, *words)
    assert said in error
    assert error.count("\n") == 1


def test_a_second_language_is_a_language_a_name_and_perhaps_a_city(shop: None, capsys: Capture) -> None:
    for also in (("zh",), ("zh", "a", "b", "c")):
        assert "--also" in refused(capsys, *emv(*PIX, "--also", *also))


def test_a_picture_that_cannot_be_written_is_refused(shop: None, capsys: Capture, tmp_path: Path) -> None:
    (tmp_path / "full.png").mkdir()
    assert "cannot be written" in refused(capsys, *emv(*PIX, "--out", str(tmp_path / "full.png")))


def test_an_entry_code_stays_the_same_until_it_is_taken_down(
    client: str, capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMPTOIR_PUBLIC_URL", "https://pay.example")
    where = (REF, "--store", "SAB-1", "--currency", "EUR")
    assert "no contract" in refused(capsys, "qr", "entry", *where, "--client", client)
    assert main(("merchants", "contract", REF, "--settle", "EUR", "--margin-bps", "150")) == 0
    address = printed(capsys, "qr", "entry", *where, "--client", client)
    assert entry_code.parse(address, "https://pay.example")
    assert printed(capsys, "qr", "entry", *where, "--client", client) == address
    out = tmp_path / "wall.png"
    printed(capsys, "qr", "entry", *where, "--client", client, "--out", str(out))
    assert [one.text for one in zxingcpp.read_barcodes(Image.open(out))] == [address]
    assert "no client 5Y1" in refused(capsys, "qr", "entry", *where, "--client", "5Y1")
    assert "Take it off the wall" in printed(capsys, "qr", "withdraw", *where)
    assert "no code in EUR" in refused(capsys, "qr", "withdraw", *where)
    assert printed(capsys, "qr", "entry", *where, "--client", client) != address


def test_a_process_of_its_own_prints_the_same(
    client: str, database: Database, capsys: Capture, tmp_path: Path
) -> None:
    assert main(("merchants", "contract", REF, "--settle", "EUR", "--margin-bps", "150")) == 0
    words = ("qr", "entry", REF, "--store", "SAB-1", "--currency", "EUR", "--client", client)
    variables = os.environ | {"DATABASE_URL": database.url, "COMPTOIR_HOME": str(tmp_path)}
    variables["COMPTOIR_MASTER_KEY"] = base64.b64encode(bytes(32)).decode()
    command = [sys.executable, "-m", "comptoir.cli.main", *words]
    ran = subprocess.run(command, env=variables, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == printed(capsys, *words)


def test_a_code_of_another_merchants_client_is_refused(client: str, capsys: Capture) -> None:
    assert main(("merchants", "add", "M9", "--name", "Other", "--mcc", "5441", "--country", "BE")) == 0
    assert main(("merchants", "store", "M9", "--ref", "S9", "--name", "Other", "--city", "Ghent")) == 0
    error = refused(capsys, "qr", "entry", "M9", "--store", "S9", "--currency", "EUR", "--client", client)
    assert f"merchant M9 has no client {client}" in error


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("https://pay.example/s/AbCdEfGhIjKlMnOpQr_-12", "an entry code of this house"),
        ("https://pay.example/c/281688041234567890123456", "an order code of this house"),
        ("281234567807570382", "a payment code, by its digits of alipay"),
        ("134567890123456789", "a payment code, by its digits of wechat_pay"),
    ],
)
def test_codes_of_other_kinds_are_named(
    text: str, kind: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMPTOIR_PUBLIC_URL", "https://pay.example")
    assert printed(capsys, "qr", "read", text) == f"This is {kind}."
    assert json.loads(printed(capsys, "qr", "read", text, "--json")) == {"kind": kind}


def test_a_scanned_code_is_explained(schemes: Path, capsys: Capture) -> None:
    said = printed(capsys, "qr", "read", VECTORS[5].payload)
    assert "Good as strict." in said
    assert "26 is of pix." in said
    assert "Asks for an amount in BRL." in said
    explained = json.loads(printed(capsys, "qr", "read", VECTORS[4].payload, "--json"))
    assert explained["profile"] == "lenient"
    assert explained["remarks"][0] == "Not strict: 52 (merchant category code) is missing."
    assert "Asks for 4.22 THB." in explained["remarks"]
    assert {"object": "54", "what": "transaction amount", "value": "4.22"} in explained["objects"]


def test_accounts_are_held_against_the_schemes_that_are_known(schemes: Path, capsys: Capture) -> None:
    assert "29 is of no scheme in COMPTOIR_QR_TEMPLATES_FILE." in printed(
        capsys, "qr", "read", VECTORS[0].payload
    )
    foreign = emv_qr.template(
        "29", [emv_qr.DataObject("00", "A000000677010111"), emv_qr.DataObject("01", "x")]
    )
    code = emv_qr.MerchantCode(accounts=(foreign,), currency="THB", country="TH")
    said = printed(capsys, "qr", "read", emv_qr.build(code, emv_qr.Profile.LENIENT))
    assert "29 is of promptpay, and wrong: 29.01 (promptpay: mobile number) does not have its form." in said


def test_a_code_that_was_misread_is_no(capsys: Capture) -> None:
    wrong = VECTORS[5].payload.replace("Fulano", "Fulana")
    capsys.readouterr()
    assert main(("qr", "read", wrong)) == 1
    said = capsys.readouterr().out
    assert "63 (checksum) is not" in said
    assert "Fulana" in said, "what it says is shown all the same"
    assert "at character 1 " in refused(capsys, "qr", "read", "hello")


@pytest.mark.parametrize("content", [None, "{", '{"pix": {}}'])
def test_templates_that_cannot_be_used_are_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Capture, content: str | None
) -> None:
    file = tmp_path / "schemes.json"
    if content is not None:
        file.write_text(content)
    monkeypatch.setenv("COMPTOIR_QR_TEMPLATES_FILE", str(file))
    assert refused(capsys, "qr", "read", VECTORS[5].payload).count("\n") == 1
