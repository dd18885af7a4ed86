"""A traveller agrees at the command line, and an operator ends it."""

from __future__ import annotations

import json

import pytest

from comptoir.acquiring import api as acquiring
from comptoir.acquiring.api import AgreementState, AgreementView
from comptoir.cli.demo import world
from comptoir.cli.demo.cast import MERCHANTS, TRAVELLERS
from comptoir.cli.main import main
from comptoir.db.run import read
from comptoir.flows.agreements import auth_code, consent_address, digest, new_consent_code
from comptoir.flows.api import OK, Desk, OpenAgreement, execute
from comptoir.kernel.clock import utc_now
from comptoir.kernel.ids import new_id
from tests.cli.conftest import DemoWorld

LOGIN = TRAVELLERS[0].login
SHOP = MERCHANTS[0]

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def pin(demo_world: DemoWorld) -> str:
    return str(demo_world.person(LOGIN)["pin"])


def ask() -> str:
    code = new_consent_code()
    command = OpenAgreement(
        id=new_id(),
        merchant_id=world.merchant_id(SHOP.ref),
        client_ref=SHOP.client_id,
        consent_code=code,
        grant_hash=digest(auth_code(code)),
        state_ref="s",
        method_type="ALIPAY_CN",
        redirect_url="https://shop.example/back",
    )
    assert execute([command], utc_now(), Desk(3650))[0].code == OK
    return code


def stands(code: str) -> AgreementView:
    (found,) = acquiring.decode_agreements(read(acquiring.agreements_by_code([code])))
    return found


def test_a_traveller_agrees_and_an_operator_ends_it(pin: str, capsys: Capture) -> None:
    code = ask()
    address = consent_address("http://localhost:8400", code)
    words = ["demo", "agree", "--login", LOGIN, "--code", address]
    assert main([*words, "--pin", "918273"]) == 1
    assert stands(code).state is AgreementState.OPEN
    capsys.readouterr()
    assert main([*words, "--pin", pin, "--at-once", "90.00", "--a-day", "100.00"]) == 0
    shown = capsys.readouterr().out
    assert "up to 90.00 CNY at once and 100.00 CNY a day" in shown
    assert stands(code).state is AgreementState.APPROVED

    assert main(["wallets", "agreements", LOGIN, "--json"]) == 0
    (one,) = json.loads(capsys.readouterr().out)
    assert (one["state"], one["at_once"], one["a_day"], one["spent_today"]) == ("active", 9000, 10000, 0)
    for _ in range(2):
        assert main(["wallets", "end-agreement", LOGIN, one["agreement"]]) == 0
    assert stands(code).state is AgreementState.ENDED
    assert main(["wallets", "agreements", LOGIN]) == 0
    assert "ended" in capsys.readouterr().out
    assert main(["wallets", "end-agreement", LOGIN, new_id().hex]) == 2


def test_a_traveller_declines(pin: str, capsys: Capture) -> None:
    code = ask()
    assert main(["demo", "agree", "--login", LOGIN, "--code", code, "--decline"]) == 0
    assert stands(code).state is AgreementState.DECLINED
    assert main(["demo", "agree", "--login", LOGIN, "--code", code, "--pin", pin]) == 1
    assert "acquiring.agreement_closed" in capsys.readouterr().out
