"""The engine on a real PostgreSQL against the simulation's rules, in histories that hypothesis makes up.

The same histories every time. `STATEFUL_EXAMPLES` is how many others are made up instead, `STATEFUL_STEPS`
how long they are; what fails is shrunk and printed as a program to run again.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connection
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from comptoir.acquiring import api as acquiring
from comptoir.acquiring import rules
from comptoir.flows.engine import batch
from comptoir.kernel.ids import OPERATOR, new_id
from comptoir.kernel.money import Money
from comptoir.ledger import api as ledger
from comptoir.ledger.api import Role
from comptoir.wallet import api as wallet
from tests.conftest import Database
from tests.flows.stateful.machine import Engine, Founded
from tests.flows.support import NOW, PIN, record_rates
from tests.simulation.oracle import Purse, Terms

pytestmark = pytest.mark.slow

FreshCopy = Callable[[], AbstractContextManager[Database]]

EXAMPLES = os.environ.get("STATEFUL_EXAMPLES")
HISTORIES = settings(
    max_examples=int(EXAMPLES or 20),
    stateful_step_count=int(os.environ.get("STATEFUL_STEPS", "50")),
    derandomize=EXAMPLES is None,
    deadline=None,
    database=None,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def founded(module_database: Database) -> Founded:
    """Two merchants, one of which may owe us 500.00 EUR; a rich traveller, a careful one, a poor one."""
    record_rates()
    with connection.cursor() as cursor:  # the bank that merchants are paid out from
        bank = ledger.open_account(OPERATOR, Role.WALLET_FUNDING, "EUR", NOW)
        cursor.execute(bank.sql, bank.params)
    terms = {}
    for margin_bps, overdraft, days in ((100, 0, 1), (333, 50_000, 2)):
        id = new_id()
        acquiring.register_merchant(
            id, office_id=OPERATOR, ref=id.hex[-20:], name="Chocolaterie Sablon", mcc="5441", country="BE",
            now=NOW,
        )  # fmt: skip
        acquiring.open_contract(
            id, settlement_currency="EUR", payment_currencies=("EUR", "JPY"), margin_bps=margin_bps,
            overdraft=overdraft, refund_window_days=days, now=NOW,
        )  # fmt: skip
        terms[id] = Terms(margin_bps, ("EUR", "JPY"), 600, 840, days, -overdraft)
    purses, phones = [], {}
    for balance, no_pin, most, day_limit in (
        (10**9, 10**8, 10**8, 10**9), (10**7, 20_000, 300_000, 700_000), (60_000, 10**6, 10**6, 10**7),
    ):  # fmt: skip
        id = new_id()
        wallet.open_wallet(
            id,
            new_id(),
            "李娜",
            pin=PIN,
            now=NOW,
            limits=wallet.Limits(no_pin=no_pin, payment=most, day=day_limit),
        )
        wallet.top_up(new_id(), id, Money(balance, "CNY"), NOW)
        purses.append(Purse(id, no_pin, most, day_limit))
        phones.update(_phone(id))
    return Founded(terms, purses, phones)


def _phone(wallet_id: UUID) -> dict[int, tuple[bytes, UUID]]:
    enrolled = wallet.enroll_device(wallet_id, "phone", NOW - timedelta(days=1))
    return {enrolled.number: (enrolled.seed, wallet_id)}


def machine(fresh_copy: FreshCopy, founded: Founded) -> type[Engine]:
    return type("Engine", (Engine,), {"fresh_copy": staticmethod(fresh_copy), "founded": founded})


def test_the_engine_does_what_the_rules_say(fresh_copy: FreshCopy, founded: Founded) -> None:
    run_state_machine_as_test(machine(fresh_copy, founded), settings=HISTORIES)


def _one_refund_too_many(patch: pytest.MonkeyPatch) -> None:
    real = rules.refund_refusal
    patch.setattr(
        rules,
        "refund_refusal",
        lambda payment, amount, *rest: real(payment, Money(max(amount.minor - 1, 1), amount.currency), *rest),
    )


def _wallets_are_no_subject(patch: pytest.MonkeyPatch) -> None:
    real = batch._subjects
    patch.setattr(
        batch,
        "_subjects",
        lambda *given: {one for one in real(*given) if one[0] != "wallet"},  # type: ignore[index]
    )


@pytest.mark.parametrize("bug", [_one_refund_too_many, _wallets_are_no_subject])
def test_a_bug_is_found(
    bug: Callable[[pytest.MonkeyPatch], None],
    fresh_copy: FreshCopy,
    founded: Founded,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bug(monkeypatch)
    with pytest.raises(Exception):  # noqa: B017, PT011 - whoever notices first: the oracle, a constraint
        run_state_machine_as_test(
            machine(fresh_copy, founded),
            settings=settings(
                HISTORIES, max_examples=400, phases=[Phase.generate], report_multiple_bugs=False
            ),
        )
