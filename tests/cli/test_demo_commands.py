"""What a traveller can do at the command line, and what `verify` says about it."""

from __future__ import annotations

import json
from uuid import UUID

import psycopg
import pytest

from comptoir.acquiring.api import CaptureMode, PaymentState, Product, Scenario
from comptoir.cli.demo import world
from comptoir.cli.demo.cast import MERCHANTS, TRAVELLERS
from comptoir.cli.main import main
from comptoir.flows.api import IN_PROCESS, OK, Desk, Outcome, Pay, execute
from comptoir.kernel.clock import utc_now
from comptoir.kernel.ids import new_id
from comptoir.kernel.money import Money
from comptoir.wallet import api as wallet
from tests.cli.conftest import DemoWorld

LOGIN = TRAVELLERS[0].login
WALLET = world.wallet_id(LOGIN)
SHOP = MERCHANTS[0]


@pytest.fixture
def pin(demo_world: DemoWorld) -> str:
    """The first traveller's PIN."""
    return str(demo_world.person(LOGIN)["pin"])


def pay(
    amount: int,
    code: str | None = None,
    store: str = "Aubépine Grand-Place",
    capture_mode: CaptureMode | None = None,
) -> Outcome:
    """A payment at the first shop, as its till asks for it: by code, or an order to be scanned."""
    command = Pay(
        merchant_id=world.merchant_id(SHOP.ref),
        client_ref=SHOP.client_id,
        request_ref=new_id().hex,
        product=Product.IN_STORE,
        scenario=Scenario.PAYMENT_CODE if code else Scenario.ORDER_CODE,
        amount=Money(amount, "EUR"),
        method_type="CONNECT_WALLET",
        code=code,
        details={"storeName": store},
        capture_mode=capture_mode,
    )
    return execute([command], utc_now(), Desk(3650))[0]


def test_what_a_shop_calls_itself_is_shown_as_it_is(pin: str, capsys: pytest.CaptureFixture[str]) -> None:
    name = "[/] [red]Aubépine"
    payment = pay(2950, store=name).payment
    assert payment is not None
    code = str(payment.order_code)
    assert main(["demo", "order", "--login", LOGIN, "--code", code, "--pin", pin]) == 0
    assert main(["demo", "statement", "--login", LOGIN]) == 0
    assert capsys.readouterr().out.count(name) == 3


def available() -> int:
    return wallet.wallet_summary(WALLET, utc_now()).available.minor


def fresh_code(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["demo", "code", "--login", LOGIN, *arguments]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("form", ["18", "24"])
def test_a_code_is_printed_alone_and_pays(pin: str, capsys: pytest.CaptureFixture[str], form: str) -> None:
    shown = fresh_code(capsys, "--form", form)
    code = shown.removesuffix("\n")
    assert code.isdigit()
    assert len(code) == int(form)
    assert pay(1250, code).code == OK
    assert pay(1250, code).code == "wallet.code_used"
    assert fresh_code(capsys, "--form", form) != shown


def test_no_two_codes_are_the_same_and_all_of_them_pay(pin: str, capsys: pytest.CaptureFixture[str]) -> None:
    codes = [fresh_code(capsys).strip() for _ in range(35)]  # more than one device has in half a minute
    assert len(set(codes)) == len(codes)
    assert {pay(1000, code).code for code in codes} == {OK}


def test_an_order_is_shown_with_its_price_and_paid_with_the_pin(
    pin: str, capsys: pytest.CaptureFixture[str]
) -> None:
    payment = pay(2950).payment
    assert payment is not None
    before = available()
    address = f"http://localhost:8400/c/{payment.order_code}"
    assert main(["demo", "order", "--login", LOGIN, "--code", address, "--pin", pin]) == 0
    shown = capsys.readouterr().out
    (line,) = wallet.movements(WALLET, limit=1).movements
    assert available() == before + line.amount.minor
    for words in (
        "Aubépine Grand-Place",
        "29.50 EUR",
        f"{-line.amount.decimal():,} CNY",
        f"{line.price:.6f}",
        "margin",
        "Paid",
    ):
        assert words in shown


def test_a_wrong_pin_pays_nothing(pin: str, capsys: pytest.CaptureFixture[str]) -> None:
    payment = pay(2950).payment
    assert payment is not None
    before = available()
    wrong = pin[::-1] if pin != pin[::-1] else "135790"
    code = str(payment.order_code)
    assert main(["demo", "order", "--login", LOGIN, "--code", code, "--pin", wrong]) == 1
    assert "the PIN is wrong" in capsys.readouterr().err
    assert available() == before
    assert [one.payment_id for one in wallet.waiting(WALLET, utc_now())] == [payment.id]


def large(capsys: pytest.CaptureFixture[str]) -> UUID:
    """A payment that waits for the traveller."""
    outcome = pay(200_00, fresh_code(capsys).strip())
    assert outcome.code == IN_PROCESS
    assert outcome.payment is not None
    return outcome.payment.id


def test_what_waits_is_confirmed_all_or_one(pin: str, capsys: pytest.CaptureFixture[str]) -> None:
    first, second, third = large(capsys), large(capsys), large(capsys)
    before = available()
    confirm = ["demo", "confirm", "--login", LOGIN, "--pin", pin]
    assert main([*confirm, "--payment", second.hex]) == 0
    assert {one.payment_id for one in wallet.waiting(WALLET, utc_now())} == {first, third}
    assert main(confirm) == 0
    assert wallet.waiting(WALLET, utc_now()) == ()
    paid = wallet.movements(WALLET, limit=3).movements
    assert {one.payment_id for one in paid} == {first, second, third}
    assert available() == before + sum(one.amount.minor for one in paid)
    assert main(confirm) == 1
    assert "Nothing waits" in capsys.readouterr().out


def test_without_a_pin_nothing_is_confirmed(pin: str, capsys: pytest.CaptureFixture[str]) -> None:
    waits = large(capsys)
    assert main(["demo", "confirm", "--login", LOGIN]) == 1
    assert "--pin" in capsys.readouterr().out
    assert [one.payment_id for one in wallet.waiting(WALLET, utc_now())] == [waits]


def test_what_is_declined_is_never_paid(
    pin: str, capsys: pytest.CaptureFixture[str], demo_world: DemoWorld
) -> None:
    waits = large(capsys)
    before = available()
    assert main(["demo", "decline", "--login", LOGIN]) == 0
    assert main(["demo", "confirm", "--login", LOGIN, "--pin", pin]) == 1
    assert available() == before
    with psycopg.connect(demo_world.database.url) as connection:
        row = connection.execute("SELECT state FROM acquiring_payment WHERE id = %s", (waits,)).fetchone()
    assert row == (PaymentState.FAIL.value,)


def test_the_statement_shows_balance_limits_and_lines(pin: str, capsys: pytest.CaptureFixture[str]) -> None:
    pay(1250, fresh_code(capsys).strip())
    large(capsys)
    assert main(["demo", "statement", "--login", LOGIN]) == 0
    shown = capsys.readouterr().out
    assert f"{wallet.wallet_summary(WALLET, utc_now()).available.decimal():,} CNY" in shown
    for words in ("王芳", "asks 200.00 EUR", "12.50 EUR", "top-up", "First top-up"):
        assert words in shown


def test_what_is_held_is_shown_as_held(pin: str, capsys: pytest.CaptureFixture[str]) -> None:
    payment = pay(2950, capture_mode=CaptureMode.MANUAL).payment
    assert payment is not None
    before = available()
    assert main(["demo", "order", "--login", LOGIN, "--code", str(payment.order_code), "--pin", pin]) == 0
    held = wallet.wallet_summary(WALLET, utc_now()).held
    assert held.minor == before - available() > 0
    assert f"Held {held.decimal():,} CNY for Aubépine Grand-Place" in capsys.readouterr().out
    assert main(["demo", "statement", "--login", LOGIN]) == 0
    assert f"{held.decimal():,} CNY are held for Aubépine Grand-Place" in capsys.readouterr().out
    assert main(["wallets", "limits", WALLET.hex]) == 0
    assert f"{held.decimal():,} CNY more held for shops" in capsys.readouterr().out
    assert main(["wallets", "list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [one["held"] for one in listed if one["wallet"] == WALLET.hex] == [held.minor]


@pytest.mark.parametrize("part", ["code", "confirm", "decline", "statement"])
def test_an_unknown_login_is_named(pin: str, capsys: pytest.CaptureFixture[str], part: str) -> None:
    assert main(["demo", part, "--login", "+8600000"]) == 2
    assert "+8600000" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("code", "exit_code"), [("281688040000000000000000", 1), ("281688020000000000000000", 2), ("order", 2)]
)
def test_a_code_that_is_no_order_moves_nothing(pin: str, code: str, exit_code: int) -> None:
    before = available()
    assert main(["demo", "order", "--login", LOGIN, "--code", code, "--pin", pin]) == exit_code
    assert available() == before


def test_verify_says_yes_and_counts(pin: str, capsys: pytest.CaptureFixture[str]) -> None:
    pay(1250, fresh_code(capsys).strip())
    assert main(["verify"]) == 0
    assert "Everything agrees" in capsys.readouterr().out
    assert main(["verify", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["holds"], report["first_difference"], report["payments"]) == (True, None, 1)
    assert report["totals"]["EUR"] == {"debits": 1250, "credits": 1250, "debits_held": 0, "credits_held": 0}


@pytest.mark.parametrize(
    ("table", "change", "named"),
    [
        ("ledger_transfer", "amount = amount + 1 WHERE kind = 'pay.settlement'", "batch"),
        ("ledger_account", "credits_posted = credits_posted + 1 WHERE role = 'merchant.payable'", "account"),
        ("acquiring_payment", "settlement = settlement - 1 WHERE state = 'SUCCESS'", "payment"),
    ],
)
def test_verify_names_what_was_tampered_with(
    pin: str, capsys: pytest.CaptureFixture[str], demo_world: DemoWorld, table: str, change: str, named: str
) -> None:
    pay(1250, fresh_code(capsys).strip())
    with psycopg.connect(demo_world.database.url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")  # what a thief with the disk could do
        assert connection.execute(f"UPDATE {table} SET {change}").rowcount >= 1
    assert main(["verify"]) == 1
    shown = capsys.readouterr().out
    assert "It does not agree" in shown
    assert named in shown.partition("The first difference:")[2]
    assert main(["verify", "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["holds"] is False
    assert named in report["first_difference"]
