"""What the tests of the operators' commands share: names, files, and commands that are done or refused."""

from __future__ import annotations

import hashlib
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from comptoir.acquiring.api import PaymentView, Product, Scenario
from comptoir.cli.main import main
from comptoir.flows.api import OK, Desk, Outcome, Pay, execute
from comptoir.fx import api as fx
from comptoir.identity import api as identity
from comptoir.kernel.clock import utc_now
from comptoir.kernel.ids import new_id
from comptoir.kernel.money import Money
from comptoir.standards.antom import signing
from comptoir.standards.ecb_rates import DailyRates
from comptoir.wallet import api as wallet

REF, CLIENT, LOGIN, PIN = "M0000000042", "5Y0000000000042", "+8613900000042", "204681"

Capture = pytest.CaptureFixture[str]


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
